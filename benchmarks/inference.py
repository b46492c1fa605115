"""How long a network takes to answer: ONNX Runtime, as Atelier asks it, against Keras with
`model(x)` and `model.predict`.

    python -m benchmarks.inference [--run ID] [--rounds 30] [--large-rounds 3]

The same run in the two forms that its folder holds, in one process, taking turns. Keras reads
`model.keras`; ONNX Runtime is asked through `core.inference.network.Network`, with the threads and
batches that the app uses. 10,000 pictures go through `model(x)` in parts, since all at once would
need gigabytes. The champion unless `--run` names another run of the library.
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

from benchmarks.report import Row, conditions, grid, say, table
from benchmarks.workplace import SAMPLE
from core import inference, runs
from core.data import fashion_mnist

SIZES = (1, 256, 10_000)
PART = 500  # of `model(x)`, as training validates
TARGETS = {1: 0.003, 10_000: 15.0}  # seconds with ONNX Runtime
FILE_MB = 4.0


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
        network=f"{run.name} ({run.id}), {run.parameters:,} parameters, {run.record['multiply_adds']:,} multiply-adds a picture",
    )
    onnx = runs.onnx_bytes(run.id)
    ways = {
        "ONNX Runtime": inference.Network(onnx, run_id=run.id).probabilities,
        **keras_ways(run.id),
    }
    rows, medians = [], {}
    for size in SIZES:
        pixels = data.test_pixels[np.resize(np.arange(len(data.test_pixels)), size)]
        seconds, apart = take_turns(
            ways, pixels, chosen.rounds if size < SIZES[-1] else chosen.large_rounds
        )
        say(f"{size:,} pictures; the answers differ by at most {apart:.1e}")
        for way, values in seconds.items():
            target, many = TARGETS.get(size) if way == "ONNX Runtime" else None, size == SIZES[-1]
            scale, unit = (1, "s") if many else (1000, "ms")
            rows.append(
                Row(
                    f"{size:,} picture{'s' if size > 1 else ''}: {way}",
                    [scale * value for value in values],
                    unit,
                    target and scale * target,
                )
            )
            medians[way, size] = sorted(values)[len(values) // 2]
    rows.append(Row("the ONNX file", [len(onnx) / 1e6], "MB", FILE_MB, "max"))
    table("Time to answer", rows)
    print("\nTimes as long as ONNX Runtime (medians)")
    grid(
        [
            ["", *(f"{size:,}" for size in SIZES)],
            *(
                [
                    way,
                    *(
                        f"{medians[way, size] / medians['ONNX Runtime', size]:.1f} x"
                        for size in SIZES
                    ),
                ]
                for way in ways
            ),
        ]
    )
    return 0


def keras_ways(run_id: str) -> dict[str, Callable]:
    """The two ways of asking the Keras model of a run, from pixels `(n, 28, 28)` uint8 to
    probabilities `(n, 10)`.
    """
    import keras

    from core.training import trainer

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(runs.read_bytes(run_id, "model.keras") or b"")
        model = keras.saving.load_model(path, compile=False)

    def call(pixels: np.ndarray) -> np.ndarray:
        parts = [
            model(trainer.as_input(pixels[start : start + PART]), training=False)
            for start in range(0, len(pixels), PART)
        ]
        return np.concatenate([keras.ops.convert_to_numpy(part) for part in parts])

    return {
        "Keras model(x)": call,
        "Keras model.predict": lambda pixels: model.predict(trainer.as_input(pixels), verbose=0),
    }


def take_turns(
    ways: dict[str, Callable], pixels: np.ndarray, rounds: int
) -> tuple[dict[str, list[float]], float]:
    """Ask in every way by turns, after one round that is not counted.

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
