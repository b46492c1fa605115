"""What the engine costs: the same spec trained through it and by a bare `model.fit`, turn by turn.

    python -m benchmarks.training_overhead [--preset swift] [--epochs 4] [--repeats 5] [--set
    key=value]

The engine's side is Atelier as it is: a Dask worker, progress twice a second, predictions and a
checkpoint after every epoch. The other side is `bare_fit`, a process of the same priority with the
same data. Both are warmed up with the offline sample, then they take turns, and each begins every
other time, so that a machine that slows down does so for both. Repeats are compared in pairs; what
Atelier does after the last epoch (export, predictions on the test pictures) is listed separately,
since a bare fit does none of it.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from benchmarks.report import Row, conditions, say, table
from benchmarks.workplace import Training, train, workplace
from core.errors import InvalidSpec
from core.settings import ROOT
from core.specs.fields import parse_setting
from core.specs.presets import PRESETS, preset
from core.specs.spec import TrainSpec

if TYPE_CHECKING:
    from benchmarks.bare_fit import BareTimes

SLOWER = 5.0  # percent


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], prog="python -m benchmarks.training_overhead"
    )
    parser.add_argument("--preset", default="swift", choices=list(PRESETS))
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=5, help="trainings on each side")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a field of the spec"
    )
    chosen = parser.parse_args(arguments)
    with workplace() as place:
        try:
            changes = {
                key: parse_setting(key, text)
                for key, _, text in (pair.partition("=") for pair in chosen.set)
            }
            spec = place.spec(preset(chosen.preset).spec, **{"epochs": chosen.epochs, **changes})
        except InvalidSpec as refusal:
            parser.error(str(refusal))
        if spec.validation in ("test", "none") or spec.early_stopping:
            parser.error(
                "the two sides are compared on a spec that validates on training pictures and "
                "trains all its epochs: --set validation=last, random or stratified, and "
                "early_stopping=0"
            )
        conditions(
            "Training through the engine, and by a bare model.fit",
            "keras",
            "tensorflow",
            "distributed",
            data=place.words,
            spec=f"{spec.name}, {spec.epochs} epochs, batch {spec.batch}, "
            f"seeds 0 to {chosen.repeats - 1}",
        )
        with bare_process() as bare:
            warm = spec.replace(data="offline-sample", epochs=1)
            bare.train(warm)
            train(warm)
            engine, without = take_turns(bare, spec, chosen.repeats)
    report(engine, without)
    return 0


@dataclass(frozen=True)
class BareSide:
    """The bare side, ready to train."""

    questions: IO[str]
    answers: IO[str]

    def train(self, spec: TrainSpec) -> BareTimes:
        """Train a spec; see `bare_fit.fit`."""
        question = json.dumps(spec.to_dict())
        print(question, file=self.questions, flush=True)
        line = self.answers.readline()
        if not line:
            raise RuntimeError(
                "benchmarks.bare_fit ended in the middle of a training; run `python -m "
                f"benchmarks.bare_fit` and give it this line to see why: {question}"
            )
        times: BareTimes = json.loads(line)
        return times


def take_turns(
    bare: BareSide, spec: TrainSpec, repeats: int
) -> tuple[list[Training], list[BareTimes]]:
    """Train the spec on both sides, with another seed for each repeat."""
    engine: list[Training] = []
    without: list[BareTimes] = []
    for seed in range(repeats):
        seeded = spec.replace(seed=seed)
        if seed % 2:
            without.append(bare.train(seeded))
            engine.append(train(seeded))
        else:
            engine.append(train(seeded))
            without.append(bare.train(seeded))
        say(
            f"repeat {seed + 1} of {repeats}: engine {engine[-1].until_last:.1f} s, "
            f"bare {without[-1]['until_last']:.1f} s"
        )
    return engine, without


@contextlib.contextmanager
def bare_process() -> Iterator[BareSide]:
    """Start the bare side, and end it afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bare_fit"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None  # both are pipes
    try:
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError(
                "benchmarks.bare_fit did not start; `python -m benchmarks.bare_fit` shows why."
            )
        yield BareSide(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.terminate()
        process.wait()


def report(engine: list[Training], without: list[BareTimes]) -> None:
    """Print both sides and what the engine adds."""
    rows, slower = [], []
    for what, ours, bare in (
        (
            "an epoch, training alone",
            [one.epochs for one in engine],
            [one["epochs"] for one in without],
        ),
        (
            "an epoch, with validation and all that is written",
            [one.whole_epochs for one in engine],
            [one["whole_epochs"] for one in without],
        ),
        (
            "from reading the data to the end of the last epoch",
            [[one.until_last] for one in engine],
            [[one["until_last"]] for one in without],
        ),
    ):
        if not bare[0]:
            continue  # a single epoch has none after it
        rows.append(Row(f"{what}: engine", [*itertools.chain(*ours)], "s"))
        rows.append(Row(f"{what}: bare", [*itertools.chain(*bare)], "s"))
        percent = [
            100 * (statistics.median(with_it) / statistics.median(without_it) - 1)
            for with_it, without_it in zip(ours, bare, strict=True)
        ]
        slower.append(Row(what, percent, "%", SLOWER, digits=1))
    rows.append(
        Row(
            "after the last epoch: export, predictions, neighbours",
            [one.total - one.until_last for one in engine],
            "s",
        )
    )
    table("Seconds", rows)
    table("How much slower through the engine, repeat by repeat", slower)
    ours_accuracy = statistics.mean(one.record.scores.validation_accuracy or 0.0 for one in engine)
    bare_accuracy = statistics.mean(one["val_accuracy"] for one in without)
    print(
        f"  Validation accuracy, mean over the repeats: {ours_accuracy:.4f} (engine, best epoch), "
        f"{bare_accuracy:.4f} (bare, last epoch)."
    )


if __name__ == "__main__":
    sys.exit(main())
