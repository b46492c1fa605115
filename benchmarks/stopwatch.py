"""Time what a person waits for, in a real Chromium: from a click or the end of a stroke until its
result is painted.

The clock runs inside the page (`stopwatch.js`), so that the way between this process and the
browser is not counted: it starts at the browser's own time of the event. A time counts once what
was waited for has stayed there for 300 ms.

The benchmarks choose the pages and gestures.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmarks.server import FLAGS, Server, find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

# What can look different after a gesture.
Changed = Literal["answer", "mistakes", "cells", "maps", "garments"]

LIMIT_MS = 30_000
SCRIPT = Path(__file__).with_name("stopwatch.js")
TITLES = {"Home": "Atelier"}  # where a page's heading differs from its name in the sidebar


@dataclass(frozen=True)
class Wait:
    """What one gesture took, in seconds: until the result was painted, and until the app was at
    rest.
    """

    shown: float
    rest: float


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser.

    Raises:
        SystemExit: with a sentence, where this machine has none.
    """
    path = find_chromium()
    if path is None:
        raise SystemExit(
            "This benchmark needs a Chromium. Install chromium, or name one in ATELIER_CHROMIUM."
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def visitor(browser: Browser) -> Page:
    """A page of a first-time visitor: nothing cached, 1400 x 1000 CSS pixels."""
    page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
    page.set_default_timeout(LIMIT_MS)
    page.add_init_script(path=SCRIPT)
    return page


def arrival(
    page: Page, server: Server, path: str = "/", name: str = "Home", *, sample: bool = False
) -> float:
    """Open an address and wait until that page is whole.

    Args:
        path, name: the address and the page's name in the sidebar.
        sample: the real data are missing, so that the page is whole only after the offline sample
            was chosen.

    Returns:
        the time of the first frame that showed it, in seconds since the epoch as `time.time` counts
        them.
    """
    page.goto(server.url + path, wait_until="commit")
    if sample:
        page.locator(".st-key-frame_sample button").click()
    arrived = page.evaluate(
        "([name, limit]) => stopwatch.arrived(name, limit)", [TITLES.get(name, name), LIMIT_MS]
    )
    return float(arrived) / 1000


def wait_for(
    page: Page,
    act: Callable[[], None],
    *,
    event: Literal["click", "mouseup"] = "click",
    changed: Changed | None = None,
    to: str | None = None,
) -> Wait:
    """Time a gesture.

    Args:
        act: performs it; the clock starts at the first `event` in it.
        event: `mouseup` for a stroke.
        changed: what has to look different afterwards.
        to: or the name of the page, as in the sidebar, that has to be there whole.
    """
    title = None if to is None else TITLES.get(to, to)
    page.evaluate(
        "(order) => stopwatch.arm(order)",
        {"type": event, "changed": changed, "page": title, "limit": LIMIT_MS},
    )
    act()
    result = page.evaluate("() => stopwatch.result()")
    return Wait(result["shown"] / 1000, result["rest"] / 1000)


def go(page: Page, name: str) -> Wait:
    """Click a page in the sidebar."""
    link = page.locator('[data-testid="stSidebar"] [data-testid="stPageLink-NavLink"]').filter(
        has_text=name
    )
    return wait_for(page, link.click, to=name)


def open_list(page: Page, key: str, option: str) -> Locator:
    """Open a list of choices and return the one to click; opening is not what is timed."""
    page.locator("h1").scroll_into_view_if_needed()
    rest(page)  # a list that opens while its page still scrolls is closed again
    page.locator(f".st-key-{key} input").click()
    choice = page.get_by_role("option", name=option)
    choice.wait_for()
    return choice


def rest(page: Page) -> None:
    """Wait until the app has nothing to do."""
    page.evaluate("(limit) => stopwatch.rest(limit)", LIMIT_MS)


def now() -> float:
    """Seconds since the epoch, to be compared with an `arrival`."""
    return time.time()
