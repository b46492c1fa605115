"""How long the feature maps of a picture take: calculated, turned into pictures, and painted in
Chromium after a click on Network.

    python -m benchmarks.network_page [--rounds 30] [--clicks 10]

Measured with the champion, for every layer: `core.explain.activations` calculates all maps at once,
the page draws one picture of each layer, or one of each map of a layer. In the browser the clock
starts at the click (another picture; a layer opened; the next layer) and ends when all pictures of
the new view are painted.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from benchmarks import stopwatch
from benchmarks.report import Row, conditions, say, table
from benchmarks.server import Server, find_chromium
from benchmarks.workplace import Place, describe, workplace
from core import inference, runs
from core.data import fashion_mnist
from core.explain import activations
from ui.components import heat, thumbnails

if TYPE_CHECKING:
    from playwright.sync_api import Page

TARGET = 0.5  # seconds, for the feature maps of a picture


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], prog="python -m benchmarks.network_page"
    )
    parser.add_argument("--rounds", type=int, default=30, help="pictures whose maps are calculated")
    parser.add_argument(
        "--clicks", type=int, default=10, help="times that each click is made in the browser"
    )
    chosen = parser.parse_args(arguments)
    with workplace() as place:
        champion, data = runs.champion(), fashion_mnist.load(place.data_name)
        conditions(
            "Feature maps",
            "onnxruntime",
            "numpy",
            "streamlit",
            data=place.words,
            network=describe(champion),
        )
        rows = calculate(champion.id, data, chosen.rounds)
        if find_chromium() is None:
            print("  No Chromium was found: what the page takes to show them is left out.")
        else:
            rows += show(place, chosen.clicks)
    table("The feature maps of a picture", rows)
    return 0


def calculate(run_id: str, data: fashion_mnist.Dataset, rounds: int) -> list[Row]:
    """Time opening a network, all of its maps for one picture, and their pictures."""
    network = inference.load(run_id)
    began = time.perf_counter()
    inside = activations.load(run_id, network)
    opening = time.perf_counter() - began
    inside.maps(data.test_pixels[0])
    calculated, drawn = [], []
    for number in range(rounds):
        began = time.perf_counter()
        maps = inside.maps(data.test_pixels[number % len(data.test_pixels)])
        done = time.perf_counter()
        for values in maps.values():
            thumbnails.data_uri(heat.mosaic(values))
        calculated.append(1000 * (done - began))
        drawn.append(1000 * (time.perf_counter() - done))
    say(f"{rounds} pictures through {len(inside.layers)} layers")
    return [
        Row("opening the network to look inside, and checking it", [opening], "s"),
        Row(f"all maps of {len(inside.layers)} layers, calculated", calculated, "ms", digits=1),
        Row("… one picture of each layer, as PNG", drawn, "ms", digits=1),
    ]


def show(place: Place, clicks: int) -> list[Row]:
    """Time, in Chromium, clicks until the new maps are painted."""
    server = Server(place.home, place.folder)
    server.start()
    try:
        with stopwatch.chromium() as browser:
            page = stopwatch.visitor(browser)
            address = "/Network?view=maps" if place.folder else "/Network?view=maps&source=test"
            stopwatch.arrival(page, server, address, "Network", sample=not place.folder)
            waits = time_clicks(page, clicks)
    finally:
        server.stop()
    return [
        Row(f"{what}, until painted", [wait.shown for wait in times], "s", TARGET, "p95")
        for what, times in waits.items()
    ]


def time_clicks(page: Page, clicks: int) -> dict[str, list[stopwatch.Wait]]:
    """Time another picture with all layers in view; a layer opened; the next layer."""
    waits: dict[str, list[stopwatch.Wait]] = {
        "another picture, one picture of each layer": [],
        "a layer of 32 maps opened": [],
        "the next layer": [],
    }
    another, overview = (
        page.locator(".st-key-network_another button"),
        page.locator(".st-key-network_overview a"),
    )
    for _ in range(clicks):
        waits["another picture, one picture of each layer"].append(
            stopwatch.wait_for(page, another.click, changed="maps")
        )
        waits["a layer of 32 maps opened"].append(
            stopwatch.wait_for(page, overview.nth(5).click, changed="maps")
        )
        waits["the next layer"].append(
            stopwatch.wait_for(
                page, page.locator(".st-key-network_next button").click, changed="maps"
            )
        )
        stopwatch.wait_for(page, page.locator(".st-key-network_back button").click, changed="maps")
    say(f"{4 * clicks} clicks on Network")
    return waits


if __name__ == "__main__":
    sys.exit(main())
