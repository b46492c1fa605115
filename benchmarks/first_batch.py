"""How long people wait for the first batch: from the click on Train until it is drawn, warm (the
engine got ready while the form was open) and cold (no engine, right after the click).

    python -m benchmarks.first_batch [--repeats 3] [--preset swift]

A real server and a real Chromium. The clock runs in the page, from the click to the first frame
whose chart has a point. Before a warm click the page has stayed open until the worker had imported
TensorFlow; what that costs in memory is printed, too.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks import stopwatch
from benchmarks.report import Row, conditions, say, table
from benchmarks.server import Server
from benchmarks.workplace import Place, workplace
from core.specs.presets import PRESETS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WARM = 4.0  # seconds
LIMIT_MS = 120_000
CLOCK = """() => {
  document.querySelector('.st-key-train_start button').addEventListener('click', () => {
    const clicked = performance.now();
    const look = () => {
      const plot = document.querySelector('.st-key-train_curves_loss .js-plotly-plot');
      if (plot?.querySelector('.scatterlayer .trace path')) {
        requestAnimationFrame(() => { window.firstBatch = (performance.now() - clicked) / 1000; });
      } else requestAnimationFrame(look);
    };
    look();
  }, { once: true, capture: true });
}"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], prog="python -m benchmarks.first_batch"
    )
    parser.add_argument("--repeats", type=int, default=3, help="clicks, warm and cold each")
    parser.add_argument("--preset", default="swift", choices=list(PRESETS))
    chosen = parser.parse_args(arguments)
    with workplace() as place, stopwatch.chromium() as browser:
        conditions(
            "From a click on Train to the first batch on the screen",
            "streamlit",
            "keras",
            "tensorflow",
            data=place.words,
            spec=chosen.preset,
        )
        warm, cold, memory = [], [], []
        for number in range(chosen.repeats):
            say(f"repeat {number + 1} of {chosen.repeats}")
            with serving(place, number, warm=True) as server:
                page = opened(browser, server, place, chosen.preset)
                until_imported(server.home)
                memory.append(memory_of_engine(server.home))
                warm.append(first_batch(page))
            with serving(place, number, warm=False) as server:
                cold.append(first_batch(opened(browser, server, place, chosen.preset)))
    table(
        "Click to first batch",
        [Row("warm", warm, "s", WARM, digits=2), Row("cold", cold, "s", digits=2)],
    )
    table("What a warm engine costs", [Row("memory of its processes", memory, "MB", digits=0)])
    return 0


@contextlib.contextmanager
def serving(place: Place, number: int, *, warm: bool) -> Iterator[Server]:
    """A server with a home of its own, and its engine ended afterwards."""
    home = place.home / f"{'warm' if warm else 'cold'}-{number}"
    server = Server(home, place.folder, warm=warm)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.stop_engine()


def opened(browser: Browser, server: Server, place: Place, preset: str) -> Page:
    """The form with a preset, at rest."""
    page = stopwatch.visitor(browser)
    stopwatch.arrival(page, server, "/Train?new=1", "Train", sample=place.folder is None)
    if preset != "swift":
        stopwatch.open_list(page, "train_preset", PRESETS[preset].title).click()
    stopwatch.rest(page)
    return page


def first_batch(page: Page) -> float:
    """Click Train; seconds until the first batch is drawn."""
    page.evaluate(CLOCK)
    page.locator(".st-key-train_start button").click()
    page.wait_for_function("() => window.firstBatch !== undefined", timeout=LIMIT_MS)
    seconds = float(page.evaluate("() => window.firstBatch"))
    page.context.close()
    return seconds


def until_imported(home: Path) -> None:
    """Wait until the worker has imported TensorFlow."""
    deadline = time.monotonic() + LIMIT_MS / 1000
    while not (home / "start-times" / "import.json").exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"no worker got ready; {home / 'engine.log'} may say why")
        time.sleep(0.1)
    time.sleep(2.0)  # what the import leaves to do


def memory_of_engine(home: Path) -> float:
    """Megabytes that the engine's processes hold for themselves."""
    total = 0
    for process in psutil.process_iter(["environ", "cmdline"]):
        environment = process.info["environ"] or {}
        if environment.get("ATELIER_HOME") == str(home) and not any(
            "streamlit" in word for word in process.info["cmdline"] or []
        ):
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().uss
    return total / 2**20


if __name__ == "__main__":
    sys.exit(main())
