"""A series of trainings: what of it is done, what goes on, what is still to begin.

One idea: a series keeps no record of its own. A training is done when the run library holds a
finished run of the same spec, whoever asked for it, so that a series that was broken off, or had
one training too many deleted, goes on by being asked for again. An unfinished run of the same spec
is resumed rather than begun anew.

The engine trains; what its reports say beside a run is in `published`. Nothing here waits or
prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core import runs
from core.errors import InvalidSpec
from core.runs import Run
from core.specs import presets, published
from core.specs.presets import Preset
from core.specs.published import Comparison
from core.specs.spec import TrainSpec

QUICK_EPOCHS = 2


@dataclass(frozen=True)
class Trial:
    """One training of a series, and the preset whose published figures it is to be compared with,
    if any.
    """

    spec: TrainSpec
    preset: Preset | None = None


@dataclass(frozen=True)
class Result:
    """A trial that is done, with the run that did it and its published figures beside ours."""

    trial: Trial
    run: Run
    comparisons: tuple[Comparison, ...]


def reproduction(names: Sequence[str] = (), *, quick: bool = False) -> tuple[Trial, ...]:
    """The published systems as a series.

    Args:
        names: presets; all that a report published if empty.
        quick: only two epochs each.

    Raises:
        InvalidSpec: for a name that is no preset, or one without a report.
    """
    chosen = [presets.preset(name) for name in dict.fromkeys(names)] or [
        one for one in presets.PRESETS.values() if one.published
    ]
    for one in chosen:
        if one.published is None:
            known = ", ".join(name for name, preset in presets.PRESETS.items() if preset.published)
            raise InvalidSpec(
                f"The preset {one.name} is Atelier's own, so there is no report to reproduce. Choose from {known}."
            )
    return tuple(
        Trial(
            one.spec.replace(epochs=min(QUICK_EPOCHS, one.spec.epochs)) if quick else one.spec, one
        )
        for one in chosen
    )


def done(trial: Trial, known: Sequence[Run] | None = None) -> Run | None:
    """The newest run that trained this spec to its end, or None; one that was stopped early is
    none.

    Args:
        known: the library's runs, newest first, where the caller has read them already.
    """
    return next((run for run in _runs(trial, known) if run.status == "finished"), None)


def begin(line, trial: Trial, known: Sequence[Run] | None = None) -> str:
    """See that a trial which is not done is in an engine's line: join the run that trains it,
    resume one that was interrupted, or begin a new one.

    Args:
        line: an engine, from `engine.connect`.
        known: as in `done`.

    Returns:
        the run's id.

    Raises:
        EngineUnavailable, StorageProblem, InvalidSpec: as `engine.Engine.submit`.
    """
    unfinished = [run.id for run in _runs(trial, known) if not run.finished]
    trained = {job.run_id for job in line.jobs() if job.state != "stopping"}
    for run_id in unfinished:
        if run_id in trained:
            return run_id
    resumable = [run_id for run_id in unfinished if line.job(run_id) is None]
    if resumable:
        line.resume(resumable[0])
        return resumable[0]
    return line.submit(trial.spec)


def result(trial: Trial, run: Run) -> Result:
    """A trial that a run did, compared with its report."""
    report = trial.preset.published if trial.preset else None
    rows = runs.history(run.id)
    leaks = run.spec.validation == "test"
    return Result(
        trial,
        run,
        published.compare(report, run.record["scores"], rows, leaks=leaks) if report else (),
    )


def markdown(results: Sequence[Result]) -> str:
    """The results as a table in Markdown, a line for each published figure."""
    lines = [
        "| preset | figure | published | ours | difference | epochs | seconds |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for one in results:
        spec = one.trial.preset.spec if one.trial.preset else one.trial.spec
        trained = one.run.record["epochs_done"]
        epochs = f"{trained}" if trained == spec.epochs else f"{trained} of {spec.epochs}"
        ending = f"{epochs} | {one.run.seconds:,.0f} |"
        for compared in one.comparisons:
            lines.append(
                f"| `{one.run.spec.name}` | {compared.figure} | {' | '.join(compared.texts())} | {ending}"
            )
        if not one.comparisons:
            lines.append(
                f"| `{one.run.spec.name}` | test accuracy | – | "
                f"{published.text_of(published.ACCURACY, one.run.test_accuracy)} | – | {ending}"
            )
    return "\n".join(lines)


def _runs(trial: Trial, known: Sequence[Run] | None) -> list[Run]:
    """The library's runs of this spec, whatever they are called, newest first."""
    wanted = trial.spec.replace(name="same")
    return [
        run
        for run in (runs.list_runs() if known is None else known)
        if run.spec.replace(name="same") == wanted
    ]
