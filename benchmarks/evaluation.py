"""How long numbers about 10,000 pictures take: evaluating them, and finding and showing mistakes
among them.

    python -m benchmarks.evaluation [--rounds 5] [--clicks 10]

The evaluation is what `python -m core evaluate` does: the champion's exported network answers the
test pictures, and `core.evaluation.metrics` judges the answers. For the mistakes, a run is needed
that makes at least 1,000 of them even after a filter; the champion is too good for that, so its
answers are blurred with seeded noise until a run made of them is bad enough. That run is in the
benchmark's own library, and Misclassified shows it in Chromium.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import stopwatch
from benchmarks.report import Row, conditions, say, table
from benchmarks.server import Server, find_chromium
from benchmarks.synthetic_run import write_run
from benchmarks.workplace import Place, describe, workplace
from core import evaluation, inference, runs
from core.data import fashion_mnist
from core.settings import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

Floats = NDArray[np.floating]
Labels = NDArray[np.int64]

PICTURES, MISTAKES = 10_000, 1_000
EVALUATION, SHOWN = 5.0, 0.3
# Of `evaluation.find_mistakes`; all of them leave at least 1,000.
FILTERS: tuple[dict[str, Any], ...] = (
    {"sort": "confidence"},
    {"sort": "loss", "confidence": (0.2, 1.0)},
    {"sort": "margin", "descending": False},
    {"truth": set(range(8)), "prediction": set(range(2, 10)), "sort": "loss"},
)
# Widths of the noise on log probabilities, tried from the smallest.
BLURS = np.linspace(0.5, 20.0, 40)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], prog="python -m benchmarks.evaluation"
    )
    parser.add_argument("--rounds", type=int, default=5, help="evaluations of all pictures")
    parser.add_argument(
        "--clicks",
        type=int,
        default=10,
        help="times that each kind of filter is changed in the browser",
    )
    chosen = parser.parse_args(arguments)
    with workplace() as place:
        champion, data = runs.champion(), fashion_mnist.load(place.data_name)
        conditions(
            "Evaluation and mistakes",
            "onnxruntime",
            "numpy",
            "streamlit",
            data=place.words,
            network=describe(champion),
        )
        pixels, labels = pictures(data)
        rows, probabilities = evaluate(champion.id, pixels, labels, chosen.rounds)
        if place.folder:
            rows.append(
                Row(
                    "… as a command: python -m core evaluate",
                    [command(champion.id) for _ in range(chosen.rounds)],
                    "s",
                )
            )
        blurred = blur(probabilities[: len(data.test_labels)], data.test_labels)
        rows += find(blurred, data.test_labels)
        if find_chromium() is None:
            print("  No Chromium was found: what Misclassified takes to show them is left out.")
        else:
            rows += show(place, champion, blurred, data, chosen.clicks)
    table(f"{PICTURES:,} pictures, and the mistakes among them", rows)
    return 0


def pictures(data: fashion_mnist.Dataset) -> tuple[NDArray[np.uint8], Labels]:
    """10,000 test pictures `(n, 28, 28)` and their labels; those of the offline sample are
    repeated.
    """
    which = np.resize(np.arange(len(data.test_labels)), PICTURES)
    if len(data.test_labels) < PICTURES:
        print(
            f"  The {len(data.test_labels)} test pictures are used "
            f"{PICTURES // len(data.test_labels)} times each."
        )
    return data.test_pixels[which], data.test_labels[which]


def evaluate(
    run_id: str, pixels: NDArray[np.uint8], labels: Labels, rounds: int
) -> tuple[list[Row], Floats]:
    """Time opening a network, its answers, and judging them; also returns the answers `(n, 10)`."""
    opening, answering, judging = [], [], []
    probabilities: Floats = np.empty((0, 10))
    for _ in range(rounds):
        began = time.perf_counter()
        network = inference.load(run_id)
        opened = time.perf_counter()
        probabilities = network.probabilities(pixels)
        answered = time.perf_counter()
        evaluation.evaluate(probabilities, labels)
        opening.append(opened - began)
        answering.append(answered - opened)
        judging.append(time.perf_counter() - answered)
    total = [sum(parts) for parts in zip(opening, answering, judging, strict=True)]
    return [
        Row(f"evaluation of {PICTURES:,} pictures", total, "s", EVALUATION, "median"),
        Row("… of that: opening the network", opening, "s"),
        Row("… asking it", answering, "s"),
        Row("… judging the answers", judging, "s", digits=3),
    ], probabilities


def command(run_id: str) -> float:
    """Seconds that the command takes as a process, including imports and reading the data."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "core", "evaluate", run_id, "--json"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began


def blur(probabilities: Floats, labels: Labels) -> NDArray[np.float32]:
    """Make answers worse with noise until every filter of this benchmark leaves enough mistakes.

    Args:
        probabilities: float `(n, 10)`.
        labels: int `(n,)`.

    Returns:
        float32 `(n, 10)`, rows sum to 1; with fewer than 10,000 pictures, blurred as far as the
        noise goes.
    """
    noise = np.random.default_rng(0).normal(size=probabilities.shape)
    scores = np.log(np.maximum(probabilities, 1e-9))
    blurred = probabilities.astype(np.float32)
    for width in BLURS:
        powers = np.exp(scores + width * noise)
        blurred = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        if min(_count_mistakes(blurred, labels)) >= MISTAKES:
            break
    return blurred


def _count_mistakes(probabilities: Floats, labels: Labels) -> list[int]:
    """How many mistakes each of the filters leaves."""
    return [len(evaluation.find_mistakes(probabilities, labels, **options)) for options in FILTERS]


def find(probabilities: Floats, labels: Labels) -> list[Row]:
    """Time the call behind the page: filter and sort."""
    counts = _count_mistakes(probabilities, labels)
    seconds = []
    for options in FILTERS * 10:
        began = time.perf_counter()
        evaluation.find_mistakes(probabilities, labels, **options)
        seconds.append(1000 * (time.perf_counter() - began))
    print(
        f"  The run whose mistakes are filtered has {counts[0]:,} of them; the filters leave "
        f"{', '.join(f'{n:,}' for n in counts)}."
    )
    return [
        Row(
            f"filtering and sorting {min(counts):,} to {max(counts):,} mistakes, in core",
            seconds,
            "ms",
            1000 * SHOWN,
            "p95",
            1,
        )
    ]


def show(
    place: Place,
    champion: runs.Run,
    probabilities: Floats,
    data: fashion_mnist.Dataset,
    clicks: int,
) -> list[Row]:
    """Time, in Chromium, a change of filter until the new grid is painted."""
    run_id = keep(champion, probabilities, data)
    server = Server(place.home, place.folder)
    server.start()
    try:
        with stopwatch.chromium() as browser:
            page = stopwatch.visitor(browser)
            stopwatch.arrival(page, server, f"/Misclassified?run={run_id}", "Misclassified")
            rows = [
                Row(
                    f"{what}, until the new pictures are painted",
                    [wait.shown for wait in waits],
                    "s",
                    SHOWN,
                    "p95",
                )
                for what, waits in changes(page, clicks).items()
            ]
    finally:
        server.stop()
    return rows


def keep(champion: runs.Run, probabilities: Floats, data: fashion_mnist.Dataset) -> str:
    """A finished run with the champion's network and these answers, in this benchmark's library."""
    return write_run(
        champion.spec.replace(name="blurred", data=data.name),
        probabilities,
        data.test_labels,
        data=data,
        network=runs.onnx_bytes(champion.id),
        rows=runs.history(champion.id),
        best_epoch=champion.best_epoch,
        temperature=champion.finished_record.temperature,
        sure_threshold=champion.finished_record.sure_threshold,
    )


def changes(page: Page, clicks: int) -> dict[str, list[stopwatch.Wait]]:
    """Change filters many times; the clock starts at the last click of each change. All of them,
    except one true class, leave every mistake to be sorted.
    """
    orders = itertools.cycle(
        ("Largest loss first", "Narrowest margin first", "Most confident first")
    )
    classes = page.locator(".st-key-mistakes_truth").get_by_role("radio")
    waits: dict[str, list[stopwatch.Wait]] = {
        "another order": [],
        "the next page": [],
        "one true class": [],
        "all classes again": [],
    }

    def clock(what: str, click: Callable[[], None]) -> None:
        waits[what].append(stopwatch.wait_for(page, click, changed="mistakes"))

    for number in range(clicks):
        clock("another order", stopwatch.open_list(page, "mistakes_sort", next(orders)).click)
        clock("the next page", page.locator('[data-testid="stPaginationNext"]').click)
        clock("one true class", classes.nth(1 + number % 10).click)
        clock("all classes again", classes.nth(0).click)
    say(f"{4 * clicks} changes on Misclassified")
    return waits


if __name__ == "__main__":
    sys.exit(main())
