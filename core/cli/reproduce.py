"""`python -m core reproduce`: train the published systems one after the other, and put ours beside
theirs.

What is done already is not trained again, so asking again goes on where it was broken off. Ctrl-C
leaves; the training at work goes on in the engine, and the next call joins it.

Which run does what is in `core.experiments.series`; following one training is `core.cli.train`'s.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from core import processes, settings
from core.cli import terminal
from core.cli.train import fetch_data, follow
from core.errors import StorageProblem
from core.experiments import series
from core.experiments.series import Result


def reproduce(arguments: argparse.Namespace) -> int:
    """Train what is missing, print the table, and write it into a file after each training."""
    from core import engine

    trials = series.reproduction(arguments.names, quick=arguments.quick)
    table = Path(arguments.table) if arguments.table else None
    if table:
        _write(table, [])  # a place that cannot be written to is better known now than in an hour
    results: list[Result] = []
    for number, trial in enumerate(trials, 1):
        held = series.done(trial)
        where = f"{trial.spec.name} ({number} of {len(trials)})"
        if held is None:
            if settings.engine_address() is None:
                fetch_data(trial.spec.data)
            terminal.remark(f"{where}: {trial.spec.epochs} epochs.")
            run_id = series.begin(engine.connect(), trial)
            try:
                held = follow(run_id)
            except KeyboardInterrupt:
                terminal.remark(
                    f"What is done is kept. {run_id} goes on in the engine (`python -m core engine stop` interrupts it); "
                    "the same command goes on with the rest."
                )
                raise
        else:
            terminal.remark(f"{where}: done already, by {held.id}.")
        results.append(series.result(trial, held))
        if table:
            _write(table, results)
        if arguments.json:
            terminal.emit(_plain(results[-1]))
    if not arguments.json:
        print(series.markdown(results))
    return 0


def _write(path: Path, results: list[Result]) -> None:
    """Replace the table, whole or not at all."""
    try:
        processes.write_whole(path, (series.markdown(results) + "\n").encode())
    except OSError as error:
        raise StorageProblem(
            f"{path} cannot be written ({error.strerror or error}). Name another file with --table."
        ) from error


def _plain(one: Result) -> dict:
    return {
        "preset": one.trial.preset.name,
        "run": one.run.id,
        "epochs": one.run.record["epochs_done"],
        "epochs_published": one.trial.preset.spec.epochs,
        "seconds": one.run.seconds,
        "test_accuracy": one.run.test_accuracy,
        "source": one.trial.preset.published.source,
        "figures": [
            {**dataclasses.asdict(compared), "difference": compared.difference}
            for compared in one.comparisons
        ],
    }
