"""`python -m core reproduce`: train the published systems one after the other, and compare the
results with theirs.

Finished trainings are not repeated, so the same command continues where it was interrupted. Ctrl-C
leaves; the current training carries on in the engine, and the next call joins it.

Which run belongs to which system is decided in `core.experiments.series`; how one training is
followed, in `core.cli.train`.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core import engine, processes, settings
from core.cli import terminal
from core.cli.train import fetch_data, follow
from core.errors import StorageProblem
from core.experiments import series
from core.experiments.series import Trial, TrialResult
from core.runs import Run


def reproduce(arguments: argparse.Namespace) -> int:
    """Train what is missing, print the table, and write it into a file after each training."""
    trials = series.reproduction(arguments.names, quick=arguments.quick)
    table = Path(arguments.table) if arguments.table else None
    if table:
        _write(table, [])  # it is better to know now than in an hour if it cannot be written
    results: list[TrialResult] = []
    for number, trial in enumerate(trials, 1):
        run = _run(trial, f"{trial.spec.name} ({number} of {len(trials)})")
        results.append(series.compare(trial, run))
        if table:
            _write(table, results)
        if arguments.json:
            terminal.emit(_plain(results[-1]))
    if not arguments.json:
        print(series.markdown(results))
    return 0


def _run(trial: Trial, title: str) -> Run:
    """The finished run of a trial, trained now if there is none."""
    finished = series.find_finished(trial)
    if finished is not None:
        terminal.remark(f"{title} is already done: {finished.id}.")
        return finished
    if settings.engine_address() is None:
        fetch_data(trial.spec.data)
    terminal.remark(f"{title}: {trial.spec.epochs} epochs.")
    run_id = series.begin(engine.connect(), trial)
    try:
        return follow(run_id)
    except KeyboardInterrupt:
        terminal.remark(
            f"Finished trainings are kept. {run_id} continues in the engine "
            f"(`python -m core engine stop` interrupts it); the same command continues with the "
            f"rest."
        )
        raise


def _write(path: Path, results: Sequence[TrialResult]) -> None:
    """Replace the table, whole or not at all."""
    try:
        processes.write_whole(path, (series.markdown(results) + "\n").encode())
    except OSError as error:
        raise StorageProblem(
            f"{path} cannot be written ({error.strerror or error}). Name another file with --table."
        ) from error


def _plain(result: TrialResult) -> dict[str, Any]:
    preset, record = result.trial.preset, result.run.finished_record
    return {
        "preset": preset.name if preset else result.trial.spec.name,
        "run": result.run.id,
        "epochs": record.epochs_done,
        "epochs_published": result.trial.full_spec.epochs,
        "seconds": record.seconds,
        "test_accuracy": record.scores.test_accuracy,
        "source": preset.published.source if preset and preset.published else None,
        "figures": [
            {**dataclasses.asdict(compared), "difference": compared.difference}
            for compared in result.comparisons
        ],
    }
