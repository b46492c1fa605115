"""Time what a person waits for, in a real Chromium: from a click or the end of a stroke to what it
brings, painted.

The clock runs inside the page (`stopwatch.js`), so that the way between this process and the
browser is not counted: it starts at the browser's own time of the event. A time counts once what
was waited for stays there for 300 ms.

Which pages and gestures are timed is the business of the benchmarks.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.server import FLAGS, Server, find_chromium

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
def chromium() -> Iterator:
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


def visitor(browser):
    """A page of a visitor who was never here: nothing cached, 1400 x 1000 CSS pixels."""
    page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
    page.set_default_timeout(LIMIT_MS)
    page.add_init_script(path=SCRIPT)
    return page


def arrival(
    page, server: Server, path: str = "/", name: str = "Home", *, sample: bool = False
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
    return (
        page.evaluate(
            "([name, limit]) => stopwatch.arrived(name, limit)", [TITLES.get(name, name), LIMIT_MS]
        )
        / 1000
    )


def wait_for(
    page,
    act: Callable[[], None],
    *,
    event: str = "click",
    changed: str | None = None,
    to: str | None = None,
) -> Wait:
    """Time a gesture.

    Args:
        act: performs it; the clock starts at the first `event` in it.
        event: `click`, or `mouseup` for a stroke.
        changed: what has to look different afterwards: `answer`, `mistakes`, `cells`, `maps` or
            `garments`.
        to: or the name of the page, as in the sidebar, that has to be there whole.
    """
    page.evaluate(
        "(order) => stopwatch.arm(order)",
        {"type": event, "changed": changed, "page": TITLES.get(to, to), "limit": LIMIT_MS},
    )
    act()
    found = page.evaluate("() => stopwatch.result()")
    return Wait(found["shown"] / 1000, found["rest"] / 1000)


def go(page, name: str) -> Wait:
    """Click a page in the sidebar."""
    link = page.locator('[data-testid="stSidebar"] [data-testid="stPageLink-NavLink"]').filter(
        has_text=name
    )
    return wait_for(page, link.click, to=name)


def opened(page, key: str, option: str):
    """Open a list of choices and return the one to click; opening is not what is timed."""
    page.locator("h1").scroll_into_view_if_needed()
    rest(page)  # a list that opens while its page still scrolls is closed again
    page.locator(f".st-key-{key} input").click()
    found = page.get_by_role("option", name=option)
    found.wait_for()
    return found


def rest(page) -> None:
    """Wait until the app has nothing to do."""
    page.evaluate("(limit) => stopwatch.rest(limit)", LIMIT_MS)


def now() -> float:
    """Seconds since the epoch, to be compared with an `arrival`."""
    return time.time()
