"""How true the remaining time of a training is: what was told at each moment, against what it took.

    python -m benchmarks.remaining_time [--presets swift lab3-cnn] [--epochs 3]

Each preset is trained through the engine as from the Train page, whose progress is read twice a
second. Told time divided by true time is 1 where it is right; the target is a factor of 1.5 either
way, from the first figure to ten seconds before the end (after that, a second is a large factor).
"""

from __future__ import annotations

import argparse
import itertools
import time
from dataclasses import dataclass

from benchmarks.report import Row, conditions, say, table
from benchmarks.workplace import START_SECONDS, Place, workplace
from core import engine, runs
from core.specs.presets import PRESETS, preset
from core.specs.spec import TrainSpec

FACTOR = 1.5
LAST_SECONDS = 10.0  # before the end, where a factor says little


@dataclass(frozen=True)
class Told:
    """What the progress said at a moment, both in seconds: elapsed, and remaining or None."""

    elapsed: float
    remaining: float | None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], prog="python -m benchmarks.remaining_time"
    )
    parser.add_argument(
        "--presets", nargs="+", default=["swift", "lab3-cnn"], choices=list(PRESETS)
    )
    parser.add_argument("--epochs", type=int, default=3)
    chosen = parser.parse_args(arguments)
    with workplace() as place:
        conditions(
            "Remaining time, told and true",
            "keras",
            "tensorflow",
            "distributed",
            data=place.words,
            spec=f"{', '.join(chosen.presets)}, {chosen.epochs} epochs each",
        )
        rows = [
            row
            for name in chosen.presets
            for row in measure(place, preset(name).spec, chosen.epochs)
        ]
    table("Remaining time, told and true", rows)
    return 0


def measure(place: Place, spec: TrainSpec, epochs: int) -> list[Row]:
    """Train a spec and compare what was told with what it took."""
    spec = place.spec(spec, epochs=epochs)
    say(f"{spec.name}: {epochs} epochs")
    told, total, first_epoch = watch(spec)
    first = next(entry for entry in told if entry.remaining is not None)
    factors = [
        max(entry.remaining, 1e-9) / (total - entry.elapsed)
        for entry in told
        if entry.remaining is not None and total - entry.elapsed > LAST_SECONDS
    ]
    still = longest_standstill(told)
    return [
        Row(
            f"{spec.name}: first told, of its first epoch",
            [first.elapsed / first_epoch],
            "",
            digits=2,
        ),
        Row(
            f"{spec.name}: factor that it is off by",
            [max(factor, 1 / factor) for factor in factors],
            "",
            target=FACTOR,
            judged="max",
            digits=2,
        ),
        Row(f"{spec.name}: longest time without a change", [still], "s", digits=1),
    ]


def watch(spec: TrainSpec) -> tuple[list[Told], float, float]:
    """Train a spec; what was told, the whole time, and when its first epoch ended, in seconds."""
    connection = engine.connect(timeout=START_SECONDS)
    run_id = connection.submit(spec)
    told: list[Told] = []
    first_epoch = 0.0
    while (job := connection.job(run_id)) is not None:
        if job.progress is not None:
            told.append(Told(job.progress.elapsed_seconds, job.progress.remaining_seconds))
        if not first_epoch and runs.history(run_id) and told:
            first_epoch = told[-1].elapsed
        time.sleep(0.5)
    record = runs.read(run_id).record
    if record is None:
        raise RuntimeError(f"{spec.name} did not finish: {connection.failure(run_id)}")
    return told, record.seconds, first_epoch or record.seconds


def longest_standstill(told: list[Told]) -> float:
    """The longest time in seconds during which the remaining time stayed as it was, once told."""
    longest, since = 0.0, None
    for before, entry in itertools.pairwise(told):
        if entry.remaining is None or entry.remaining == before.remaining == 0.0:
            since = None
            continue
        if entry.remaining != before.remaining or since is None:
            since = entry.elapsed
        longest = max(longest, entry.elapsed - since)
    return longest


if __name__ == "__main__":
    raise SystemExit(main())
