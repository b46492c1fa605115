"""How long numbers about 10,000 pictures take: evaluating them, and finding and showing mistakes
among them.

    python -m benchmarks.evaluation [--rounds 5] [--clicks 10]

The evaluation is what `python -m core evaluate` does: the champion's exported network answers the
test pictures, and `core.evaluation.metrics` judges the answers. For the mistakes a run is needed
that makes at least 1,000 of them even after a filter; the champion is too good for that, so its own
answers are blurred with seeded noise until the run made of them is bad enough. That run lies in the
benchmark's own library, and Misclassified shows it in Chromium.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import time

import numpy as np

from benchmarks import stopwatch
from benchmarks.report import ROOT, Row, conditions, say, table
from benchmarks.server import Server, find_chromium
from benchmarks.synthetic_run import write_run
from benchmarks.workplace import Place, workplace
from core import evaluation, inference, runs
from core.data import fashion_mnist

PICTURES, MISTAKES = 10_000, 1_000
EVALUATION, SHOWN = 5.0, 0.3
FILTERS = (  # of `evaluation.mistakes`; all of them leave at least 1,000
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
            network=f"{champion.name} ({champion.id}), {champion.parameters:,} parameters, "
            f"{champion.record['multiply_adds']:,} multiply-adds a picture",
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


def pictures(data: fashion_mnist.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """10,000 test pictures `(n, 28, 28)` and their labels; those of the offline sample over and
    over.
    """
    which = np.resize(np.arange(len(data.test_labels)), PICTURES)
    if len(data.test_labels) < PICTURES:
        print(
            f"  The {len(data.test_labels)} test pictures are taken {PICTURES // len(data.test_labels)} times over."
        )
    return data.test_pixels[which], data.test_labels[which]


def evaluate(
    run_id: str, pixels: np.ndarray, labels: np.ndarray, rounds: int
) -> tuple[list[Row], np.ndarray]:
    """Time opening a network, its answers, and their judgement; also returns the answers `(n, 10)`."""
    opening, answering, judging = [], [], []
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
    """Seconds that the command takes from shell to shell, imports and reading the data included."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "core", "evaluate", run_id, "--json"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began


def blur(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Make answers worse with noise until every filter of this benchmark leaves enough mistakes.

    Args:
        probabilities: float `(n, 10)`.
        labels: int `(n,)`.

    Returns:
        float32 `(n, 10)`, rows sum to 1; with fewer than 10,000 pictures the worst that the noise
        can do.
    """
    noise = np.random.default_rng(0).normal(size=probabilities.shape)
    scores = np.log(np.maximum(probabilities, 1e-9))
    for width in BLURS:
        powers = np.exp(scores + width * noise)
        blurred = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        if (
            min(len(evaluation.find_mistakes(blurred, labels, **one)) for one in FILTERS)
            >= MISTAKES
        ):
            break
    return blurred


def find(probabilities: np.ndarray, labels: np.ndarray) -> list[Row]:
    """Time the call behind the page: filter and sort."""
    counts = [len(evaluation.find_mistakes(probabilities, labels, **one)) for one in FILTERS]
    seconds = []
    for one in FILTERS * 10:
        began = time.perf_counter()
        evaluation.find_mistakes(probabilities, labels, **one)
        seconds.append(1000 * (time.perf_counter() - began))
    print(
        f"  The run whose mistakes are looked for has {counts[0]:,} of them; the filters leave {', '.join(f'{n:,}' for n in counts)}."
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
    probabilities: np.ndarray,
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


def keep(champion: runs.Run, probabilities: np.ndarray, data: fashion_mnist.Dataset) -> str:
    """A finished run with the champion's network and these answers, in this benchmark's library."""
    return write_run(
        champion.spec.replace(name="blurred", data=data.name),
        probabilities,
        data.test_labels,
        data=data,
        network=runs.onnx_bytes(champion.id),
        rows=runs.history(champion.id),
        best_epoch=champion.best_epoch,
        **{name: champion.record[name] for name in ("temperature", "sure_threshold")},
    )


def changes(page, clicks: int) -> dict[str, list[stopwatch.Wait]]:
    """Change filters many times; the clock starts at the click that decides. All but one class's
    leave every mistake to be sorted.
    """
    orders = itertools.cycle(("Largest loss first", "Narrowest margin first", "Surest first"))
    classes = page.locator(".st-key-mistakes_truth").get_by_role("radio")
    waits: dict[str, list[stopwatch.Wait]] = {
        "another order": [],
        "the next page": [],
        "one true class": [],
        "all classes again": [],
    }

    def time(what: str, click) -> None:
        waits[what].append(stopwatch.wait_for(page, click, changed="mistakes"))

    for number in range(clicks):
        time("another order", stopwatch.opened(page, "mistakes_sort", next(orders)).click)
        time("the next page", page.locator('[data-testid="stPaginationNext"]').click)
        time("one true class", classes.nth(1 + number % 10).click)
        time("all classes again", classes.nth(0).click)
    say(f"{4 * clicks} changes on Misclassified")
    return waits


if __name__ == "__main__":
    sys.exit(main())
