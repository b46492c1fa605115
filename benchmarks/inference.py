"""How long a network takes to answer: ONNX Runtime, as Atelier asks it, against Keras with
`model(x)` and `model.predict`.

    python -m benchmarks.inference [--run ID] [--rounds 30] [--large-rounds 3]

The same run in the two forms that its folder holds, in one process, in turns. Keras reads
`model.keras`; ONNX Runtime is asked through `core.inference.network.Network`, with the threads and
batches that the app uses. 10,000 pictures go through `model(x)` in parts, since all at once would
need gigabytes. The champion is measured unless `--run` names another run of the library.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Row, conditions, grid, say, table
from benchmarks.workplace import SAMPLE, describe
from core import inference, runs
from core.data import fashion_mnist

ONNX = "ONNX Runtime"
SIZES = (1, 256, 10_000)
PART = 500  # of `model(x)`, as training validates
TARGETS = {1: 0.003, 10_000: 15.0}  # seconds with ONNX Runtime
FILE_MB = 4.0

Ask = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # pixels to probabilities


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], prog="python -m benchmarks.inference"
    )
    parser.add_argument(
        "--run",
        help="a finished run of the library (ATELIER_HOME, ATELIER_RUNS); the champion by default",
    )
    parser.add_argument("--rounds", type=int, default=30, help="for 1 and 256 pictures")
    parser.add_argument("--large-rounds", type=int, default=3, help="for 10,000 pictures")
    chosen = parser.parse_args(arguments)
    run = runs.read(chosen.run) if chosen.run else runs.champion()
    available = fashion_mnist.status().available
    data = fashion_mnist.load("fashion-mnist" if available else "offline-sample")
    conditions(
        "Answers of a network: ONNX Runtime and Keras",
        "onnxruntime",
        "keras",
        "tensorflow",
        data=f"{data.title}, test pictures" if available else SAMPLE,
        network=describe(run),
    )
    onnx = runs.onnx_bytes(run.id)
    ways: dict[str, Ask] = {
        ONNX: inference.Network(onnx, run_id=run.id).probabilities,
        **keras_ways(run.id),
    }
    timed: dict[tuple[str, int], list[float]] = {}
    for size in SIZES:
        pixels = data.test_pixels[np.resize(np.arange(len(data.test_pixels)), size)]
        rounds = chosen.rounds if size < SIZES[-1] else chosen.large_rounds
        seconds, apart = take_turns(ways, pixels, rounds)
        say(f"{size:,} pictures; the answers differ by at most {apart:.1e}")
        timed |= {(way, size): values for way, values in seconds.items()}
    rows = [time_row(way, size, values) for (way, size), values in timed.items()]
    table("Time to answer", [*rows, Row("the ONNX file", [len(onnx) / 1e6], "MB", FILE_MB, "max")])
    print("\nTimes relative to ONNX Runtime (medians)")
    medians = {key: sorted(values)[len(values) // 2] for key, values in timed.items()}
    ratios = [
        [way, *(f"{medians[way, size] / medians[ONNX, size]:.1f} x" for size in SIZES)]
        for way in ways
    ]
    grid([["", *(f"{size:,}" for size in SIZES)], *ratios])
    return 0


def time_row(way: str, size: int, seconds: list[float]) -> Row:
    """The times of one way for so many pictures, with the target where there is one."""
    scale, unit = (1, "s") if size == SIZES[-1] else (1000, "ms")
    target = TARGETS.get(size) if way == ONNX else None
    return Row(
        f"{size:,} picture{'s' if size > 1 else ''}: {way}",
        [scale * value for value in seconds],
        unit,
        None if target is None else scale * target,
    )


def keras_ways(run_id: str) -> dict[str, Ask]:
    """The two ways of asking the Keras model of a run."""
    import keras

    from core.training.batches import as_input

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(runs.read_bytes(run_id, "model.keras") or b"")
        model = keras.saving.load_model(path, compile=False)

    def call(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = [
            model(as_input(pixels[start : start + PART]), training=False)
            for start in range(0, len(pixels), PART)
        ]
        return np.concatenate([keras.ops.convert_to_numpy(part) for part in parts])

    return {
        "Keras model(x)": call,
        "Keras model.predict": lambda pixels: model.predict(as_input(pixels), verbose=0),
    }


def take_turns(
    ways: dict[str, Ask], pixels: NDArray[np.uint8], rounds: int
) -> tuple[dict[str, list[float]], float]:
    """Ask in every way in turns, after one round that is not counted.

    Returns:
        seconds of every way, and how far the answers are apart at most, in 0..1.
    """
    answers = [way(pixels) for way in ways.values()]
    apart = max(float(np.abs(answer - answers[0]).max()) for answer in answers)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way(pixels)
            seconds[name].append(time.perf_counter() - began)
    return seconds, apart


if __name__ == "__main__":
    sys.exit(main())
