"""How long people wait for the app, and how much memory it needs: a real server, a real Chromium.

    python -m benchmarks.app [--starts 5] [--clicks 100] [--strokes 20]

Five things: from a cold server process to a usable Home; from a click in the sidebar to the new
page, whole and at rest; from the end of a stroke on Classify to the new answer, idle and while the
engine trains; the memory of the app's process after every page was visited and used; and whether
TensorFlow or Keras was loaded into that process. Times are those of `stopwatch`: what was waited
for is painted.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks import stopwatch
from benchmarks.report import Row, conditions, say, table
from benchmarks.server import Server
from benchmarks.workplace import Place, training_in_background, workplace
from core.settings import ASSETS
from core.specs.presets import preset

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Points = Sequence[tuple[float, float]]  # in shares of the sheet

PAGES = ("Home", "Classify", "Train", "Misclassified", "Confusion matrix")
START, CHANGE, STROKE, STROKE_BUSY, MEMORY = 3.0, 0.5, 0.3, 0.6, 400.0
# The last two come with Keras, which itself is plain Python.
FOREIGN = ("tensorflow", "libtensorflow", "keras", "torch", "jax", "optree", "h5py")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], prog="python -m benchmarks.app"
    )
    parser.add_argument("--starts", type=int, default=5, help="how often a server is started")
    parser.add_argument(
        "--clicks",
        type=int,
        default=100,
        help="page changes, including the first visit of each page",
    )
    parser.add_argument(
        "--strokes",
        type=int,
        default=20,
        help="strokes, while idle and again while a training runs",
    )
    chosen = parser.parse_args(arguments)
    with workplace() as place, stopwatch.chromium() as browser:
        conditions(
            "The app in a browser",
            "streamlit",
            "plotly",
            "streamlit-drawable-canvas",
            "onnxruntime",
            data=place.words,
            browser=f"Chromium {browser.version}, headless, 1400 x 1000",
        )
        rows = [
            Row("server process to Home, usable", starts(place, browser, chosen.starts), "s", START)
        ]
        server = Server(place.home, place.folder)
        server.start()
        try:
            more, foreign = visit(place, browser, server, chosen.clicks, chosen.strokes)
        finally:
            server.stop()
    table("Waiting times and memory", rows + more)
    print(
        "  In the app's process: "
        + (
            f"{', '.join(foreign)} (MISSED: none of them should be there)"
            if foreign
            else "no TensorFlow, no Keras (met)"
        )
    )
    return 0


def starts(place: Place, browser: Browser, count: int) -> list[float]:
    """Seconds from starting a server process to a whole Home page for a first-time visitor, each in
    a home of its own.
    """
    seconds = []
    for number in range(count):
        server, page = (
            Server(place.home / f"start-{number}", place.folder),
            stopwatch.visitor(browser),
        )
        began = stopwatch.now()
        try:
            server.start()
            seconds.append(stopwatch.arrival(page, server, sample=place.folder is None) - began)
        finally:
            page.context.close()
            server.stop()
        say(f"start {number + 1} of {count}: {seconds[-1]:.2f} s")
    return seconds


def visit(
    place: Place, browser: Browser, server: Server, clicks: int, strokes: int
) -> tuple[list[Row], list[str]]:
    """One long visit: all pages, many clicks, strokes, a training, everything used once; then a
    look at the process.
    """
    assert server.process is not None  # it was started
    process = psutil.Process(server.process.pid)
    page = stopwatch.visitor(browser)
    stopwatch.arrival(page, server, sample=place.folder is None)
    first = [(name, stopwatch.go(page, name).rest) for name in PAGES[1:]]
    say(f"first visits: {', '.join(f'{name} {seconds:.2f} s' for name, seconds in first)}")
    later = changes(page, max(0, clicks - len(first)))
    use(page, place)
    idle = drawing(page, strokes)
    spec = place.spec(preset("swift").spec, epochs=500)
    with training_in_background(spec):
        # Which follows the training from now on, and so connects the app to the engine.
        stopwatch.go(page, "Train")
        page.wait_for_timeout(3000)
        busy = drawing(page, strokes)
        busy_changes = changes(page, clicks // 4)
    stopwatch.go(page, "Train")
    for name in PAGES:  # after the training, with its run in every list
        if name != "Train":
            stopwatch.go(page, name)
    memory = process.memory_info().rss / 1e6
    rows = page_rows(first, later, busy_changes)
    rows += [*stroke_rows("idle", idle, STROKE), *stroke_rows("training", busy, STROKE_BUSY)]
    rows.append(Row("memory of the app's process (RSS)", [memory], "MB", MEMORY, "max", 0))
    foreign = loaded_libraries(process)
    page.context.close()
    return rows, foreign


def page_rows(
    first: Sequence[tuple[str, float]],
    later: list[tuple[str, float]],
    busy: Sequence[tuple[str, float]],
) -> list[Row]:
    """The figures of page changes: the first visits, later ones, and those during a training."""
    every = [seconds for _, seconds in (*first, *later)]
    return [
        Row("page change, all of one visit", every, "s", CHANGE, "p95"),
        Row("… the first of each page", [seconds for _, seconds in first], "s"),
        *(
            Row(f"… to {name}, later ones", seconds, "s")
            for name, seconds in by_page(later).items()
        ),
        Row("page change, while a training runs", [seconds for _, seconds in busy], "s"),
    ]


def stroke_rows(when: str, waits: Sequence[stopwatch.Wait], target: float) -> list[Row]:
    """The figures of strokes: to the new answer, and until the page is at rest."""
    shown = [wait.shown for wait in waits]
    return [
        Row(f"end of a stroke to the new answer, {when}", shown, "s", target, "p95"),
        Row("… until the page is at rest", [wait.rest for wait in waits], "s"),
    ]


def changes(page: Page, count: int) -> list[tuple[str, float]]:
    """Pages and seconds from a click in the sidebar until they were whole and at rest, for clicks
    in random order.
    """
    rng, here, taken = random.Random(0), current(page), []
    for number in range(count):
        here = rng.choice([name for name in PAGES if name != here])
        taken.append((here, stopwatch.go(page, here).rest))
        if number % 20 == 19:
            say(f"{number + 1} of {count} page changes")
    return taken


def by_page(taken: list[tuple[str, float]]) -> dict[str, list[float]]:
    """The same seconds by page, in the order of the sidebar."""
    return {
        name: seconds
        for name in PAGES
        if (seconds := [value for page, value in taken if page == name])
    }


def current(page: Page) -> str:
    """The name of the page that is shown."""
    heading = page.locator("h1").inner_text()
    return next((name for name in PAGES if heading.endswith(stopwatch.TITLES.get(name, name))), "")


def drawing(page: Page, count: int) -> list[stopwatch.Wait]:
    """Draw a shirt-like figure stroke by stroke, starting over after ten; each stroke clearly
    changes the picture.
    """
    if current(page) != "Classify":
        stopwatch.go(page, "Classify")
    waits = []
    for number, points in zip(range(count), itertools.cycle(STROKES), strict=False):
        if number % len(STROKES) == 0:
            new_sheet(page)
        waits.append(stroke(page, points))
    say(f"{count} strokes: median {sorted(wait.shown for wait in waits)[count // 2]:.3f} s")
    return waits


def new_sheet(page: Page) -> None:
    """Clear the sheet, and wait until the answer is gone too."""
    clear = page.locator(".st-key-classify_sheet_buttons").get_by_role("button", name="Clear")
    if page.locator(".classify-empty").count():
        clear.click()
    else:
        stopwatch.wait_for(page, clear.click, changed="answer")
    stopwatch.rest(page)


# Corners in shares of the sheet. Each stroke leaves what the ones before it enclose, so that the
# picture changes every time.
STROKES: tuple[Points, ...] = (
    ((0.35, 0.25), (0.35, 0.75), (0.65, 0.75), (0.65, 0.25), (0.35, 0.25)),
    ((0.35, 0.28), (0.12, 0.45), (0.20, 0.55)),
    ((0.65, 0.28), (0.88, 0.45), (0.80, 0.55)),
    ((0.40, 0.25), (0.50, 0.10), (0.60, 0.25)),
    ((0.38, 0.75), (0.30, 0.95)),
    ((0.62, 0.75), (0.70, 0.95)),
    ((0.12, 0.60), (0.12, 0.90)),
    ((0.88, 0.60), (0.88, 0.90)),
    ((0.10, 0.10), (0.30, 0.15)),
    ((0.70, 0.15), (0.90, 0.10)),
)


def stroke(page: Page, points: Points) -> stopwatch.Wait:
    """Draw one stroke with the mouse and time from lifting it to the new answer."""
    box = page.locator(".st-key-classify_sheet canvas.upper-canvas").bounding_box()
    assert box is not None  # the sheet is in view
    corners = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=6)
    return stopwatch.wait_for(page, page.mouse.up, event="mouseup", changed="answer")


def use(page: Page, place: Place) -> None:
    """Do on every page what people do there, so that everything the app loads late is loaded."""
    stopwatch.go(page, "Home")
    stopwatch.wait_for(page, page.locator(".st-key-home_shuffle button").click, changed="garments")
    stopwatch.go(page, "Classify")
    stroke(page, STROKES[0])
    # Opened: the heat map and the most similar training pictures; and closed again, as strokes are
    # timed.
    for _ in range(2):
        page.locator(".st-key-classify_why summary").click()
        stopwatch.rest(page)
    mode = page.locator(".st-key-classify_mode")
    mode.get_by_role("radio", name="Upload").click()
    stopwatch.rest(page)
    page.locator(".st-key-classify_files input[type=file]").set_input_files([ASSETS / "icon.png"])
    page.locator(".classify-answer").wait_for()
    stopwatch.rest(page)
    mode.get_by_role("radio", name="Test picture").click()
    stopwatch.rest(page)
    mode.get_by_role("radio", name="Draw").click()
    stopwatch.rest(page)
    stopwatch.go(page, "Misclassified")
    if place.folder:
        # Ten probabilities, the heat map, the most similar pictures.
        page.locator(".st-key-mistakes_gallery a").nth(3).click()
        page.get_by_text("Most similar training pictures").wait_for()
    stopwatch.rest(page)
    stopwatch.go(page, "Confusion matrix")
    page.locator(".st-key-matrix_hide label").click()
    stopwatch.rest(page)
    another = page.locator("[class*=st-key-matrix_pair_] button").nth(1).click
    if place.folder:
        stopwatch.wait_for(page, another, changed="cells")
    page.locator(".st-key-matrix_on").get_by_role("radio").nth(1).click()
    page.locator(".st-key-matrix_chart input[type=range]").wait_for()
    stopwatch.rest(page)


def loaded_libraries(process: psutil.Process) -> list[str]:
    """Libraries such as TensorFlow and Keras among the files that are mapped into a process."""
    try:
        mapped = {Path(area.path) for area in process.memory_maps()}
    except (AttributeError, psutil.AccessDenied):  # macOS shows no maps
        return ["unknown on this system"]
    return sorted(
        {part for path in mapped for part in path.parts if part.lower().startswith(FOREIGN)}
    )


if __name__ == "__main__":
    sys.exit(main())
