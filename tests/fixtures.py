"""Runs with known predictions, for every test that needs a run and does not train.

What a network answers after a training depends on the processor, so no test may rely on it. These
runs have the hand-written network of `small_networks` and whatever predictions the test chooses.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.synthetic_run import history, write_run
from core import runs
from core.engine import process
from core.runs import Epoch
from core.specs.spec import TrainSpec
from tests.small_networks import template_network

__all__ = [
    "EPOCHS",
    "SPEC",
    "finished_run",
    "history",
    "interrupted_run",
    "predictions",
    "scored_run",
    "until",
]

SPEC = TrainSpec(
    name="small", data="offline-sample", filters=(4,), dense_units=(), batch=256, epochs=1
)
EPOCHS = [
    Epoch(
        epoch,
        loss=1 / epoch,
        accuracy=0.5 + 0.1 * epoch,
        val_loss=1.1 / epoch,
        val_accuracy=0.5 + 0.09 * epoch,
        seconds=1.0,
        learning_rate=0.001,
    )
    for epoch in (1, 2, 3)
]


def finished_run(
    spec: TrainSpec = SPEC,
    probabilities: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    *,
    network: bytes | None = None,
    **rest,
) -> str:
    """A finished run in the library; returns its id.

    Args:
        spec: what it claims to have been trained with.
        probabilities: its answers to the test pictures, `(n, 10)`; by default three that give every
            class 0.1.
        labels: their classes, `(n,)`; by default 1, 2 and 3, or as many zeros as there are answers.
        network: its ONNX file; by default the hand-written network.
        rest: as `write_run` takes it.
    """
    if probabilities is None:
        probabilities, labels = np.full((3, 10), 0.1), np.array([1, 2, 3])
    elif labels is None:
        labels = np.zeros(len(probabilities))
    return write_run(
        spec,
        probabilities,
        labels,
        network=template_network() if network is None else network,
        **rest,
    )


def scored_run(
    spec: TrainSpec = SPEC, epochs: list[Epoch] = EPOCHS, status: str = "finished"
) -> str:
    """A run of 65 seconds with 81.25 % test accuracy, finished or "stopped"; returns its id."""
    return finished_run(
        spec,
        np.full((400, 10), 0.1),
        rows=epochs,
        status=status,
        seconds=65.0,
        status_text="finished" if status == "finished" else f"stopped at epoch {len(epochs)}",
        scores={"test_accuracy": 0.8125, "test_loss": 0.52, "test_loss_uncalibrated": 0.52},
    )


def interrupted_run(spec: TrainSpec = SPEC) -> str:
    """A run that was interrupted after two epochs, without their weights; returns its id."""
    run_id = runs.create(spec)
    runs.write_history(run_id, EPOCHS[:2])
    rows = [epoch.to_dict() for epoch in EPOCHS[:2]]
    runs.write_json(
        run_id,
        "checkpoint.json",
        {"epochs_done": 2, "rows": rows, "best": {"epoch": 2}, "seconds": 2.0},
    )
    return run_id


def predictions(
    labels: np.ndarray, mistakes: dict[tuple[int, int], int] | None = None, confidence: float = 0.82
) -> np.ndarray:
    """Probabilities `(n, 10)` float32 that are wrong only about the given number of pictures of
    each pair (truth, prediction).

    The mistakes are the first pictures of their class, pair by pair in the order given, and all
    answers are equally confident.
    """
    guesses = np.array(labels, int)
    for (truth, guess), count in (mistakes or {}).items():
        left = np.flatnonzero((labels == truth) & (guesses == truth))[:count]
        assert len(left) == count, (
            f"{count} pictures of class {truth} were wanted as mistakes, {len(left)} are left"
        )
        guesses[left] = guess
    probabilities = np.full((len(guesses), 10), (1 - confidence) / 9, np.float32)
    probabilities[np.arange(len(guesses)), guesses] = confidence
    return probabilities


def until(condition, seconds: float = 150.0):
    """Wait for something to become true, and return it; the limit is for a busy machine."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    log = process.log_file()
    raise AssertionError(
        f"it did not become true within {seconds} seconds; the log ends with\n"
        + (log.read_text()[-3000:] if log.exists() else "nothing")
    )
