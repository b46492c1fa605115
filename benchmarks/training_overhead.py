"""What the engine costs: the same spec trained through it and by a bare `model.fit`, turn by turn.

    python -m benchmarks.training_overhead [--preset swift] [--epochs 4] [--repeats 5] [--set
    key=value]

The engine's side is Atelier as it is: a Dask worker, progress twice a second, predictions and a
checkpoint after every epoch. The other side is `bare_fit`, a process of the same priority with the
same data. Both are warmed up with the offline sample, then they take turns, and who begins changes,
so that a machine that slows down does so for both. What is compared is paired by repeat; what
Atelier does after the last epoch (export, answers on the test pictures) is shown apart, since a
bare fit does none of it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.report import ROOT, Row, conditions, say, table
from benchmarks.workplace import Training, train, workplace
from core.errors import InvalidSpec
from core.specs.fields import parse_setting
from core.specs.presets import PRESETS, preset
from core.specs.spec import TrainSpec

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
                "the two sides are compared on a spec that validates on training pictures and trains all its epochs: "
                "--set validation=last, random or stratified, and early_stopping=0"
            )
        conditions(
            "Training through the engine, and by a bare model.fit",
            "keras",
            "tensorflow",
            "distributed",
            data=place.words,
            spec=f"{spec.name}, {spec.epochs} epochs, batch {spec.batch}, seeds 0 to {chosen.repeats - 1}",
        )
        with bare_process() as bare:
            warm = spec.replace(data="offline-sample", epochs=1)
            ask(bare, warm)
            train(warm)
            engine, without = take_turns(bare, spec, chosen.repeats)
    report(engine, without)
    return 0


def take_turns(
    bare: subprocess.Popen, spec: TrainSpec, repeats: int
) -> tuple[list[Training], list[dict]]:
    """Train the spec on both sides with a seed for each repeat."""
    engine, without = [], []
    for seed in range(repeats):
        seeded = spec.replace(seed=seed)
        sides = [
            lambda seeded=seeded: engine.append(train(seeded)),
            lambda seeded=seeded: without.append(ask(bare, seeded)),
        ]
        for side in sides[::-1] if seed % 2 else sides:
            side()
        say(
            f"repeat {seed + 1} of {repeats}: engine {engine[-1].until_last:.1f} s, bare {without[-1]['until_last']:.1f} s"
        )
    return engine, without


@contextlib.contextmanager
def bare_process() -> Iterator[subprocess.Popen]:
    """The bare side, ready to train."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bare_fit"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError(
                "benchmarks.bare_fit did not start; `python -m benchmarks.bare_fit` shows why."
            )
        yield process
    finally:
        process.stdin.close()
        process.terminate()
        process.wait()


def ask(bare: subprocess.Popen, spec: TrainSpec) -> dict:
    """Train a spec on the bare side; see `bare_fit.fit` for what comes back."""
    print(json.dumps(spec.to_dict()), file=bare.stdin, flush=True)
    line = bare.stdout.readline()
    if not line:
        raise RuntimeError(
            "benchmarks.bare_fit ended in the middle of a training; run `python -m benchmarks.bare_fit` and give it this "
            f"line to see why: {json.dumps(spec.to_dict())}"
        )
    return json.loads(line)


def report(engine: list[Training], without: list[dict]) -> None:
    """Print both sides and what the engine adds."""
    sides = {
        "an epoch, training alone": ("epochs", True),
        "an epoch, with validation and all that is written": ("whole_epochs", True),
        "from reading the data to the end of the last epoch": ("until_last", False),
    }
    rows, slower = [], []
    for what, (name, many) in sides.items():
        of_engine, of_bare = [getattr(one, name) for one in engine], [one[name] for one in without]
        if many and not of_bare[0]:
            continue  # a single epoch has none after it
        rows.append(Row(f"{what}: engine", sum(of_engine, []) if many else of_engine, "s"))
        rows.append(Row(f"{what}: bare", sum(of_bare, []) if many else of_bare, "s"))
        middle = statistics.median if many else float
        percent = [
            100 * (middle(with_it) / middle(bare) - 1)
            for with_it, bare in zip(of_engine, of_bare, strict=True)
        ]
        slower.append(Row(what, percent, "%", SLOWER, digits=1))
    rows.append(
        Row(
            "after the last epoch: export, answers, neighbours",
            [one.total - one.until_last for one in engine],
            "s",
        )
    )
    table("Seconds", rows)
    table("How much slower through the engine, repeat by repeat", slower)
    scores = [
        statistics.mean(values)
        for values in (
            [one.run.record["scores"]["validation_accuracy"] for one in engine],
            [one["val_accuracy"] for one in without],
        )
    ]
    print(
        f"  Validation accuracy, mean over the repeats: {scores[0]:.4f} (engine, best epoch), {scores[1]:.4f} (bare, last epoch)."
    )


if __name__ == "__main__":
    sys.exit(main())
