"""Series of trainings: which are done, which are being trained, which have yet to begin.

A series keeps no record of its own. A training is done if the run library holds a finished run of
the same spec, whoever asked for it; so a series that was interrupted, or has lost a run, continues
when it is asked for again. A run of the same spec that was interrupted or stopped is resumed
instead of starting over.

The engine trains; how a run compares with a report is in `core.specs.published`. Nothing here waits
or prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core import runs
from core.engine import Engine, JobState
from core.errors import InvalidSpec
from core.runs import Run, Status, continuation
from core.specs import presets, published
from core.specs.presets import Preset
from core.specs.published import Comparison
from core.specs.spec import TrainSpec

QUICK_EPOCHS = 2


@dataclass(frozen=True)
class Trial:
    """One training of a series, with the preset whose published figures it is compared with."""

    spec: TrainSpec
    preset: Preset | None = None

    @property
    def full_spec(self) -> TrainSpec:
        """The spec without the shortening of a quick series."""
        return self.preset.spec if self.preset else self.spec


@dataclass(frozen=True)
class TrialResult:
    """A trial that is done, with its run and the published figures next to ours."""

    trial: Trial
    run: Run
    comparisons: tuple[Comparison, ...]


def reproduction(names: Sequence[str] = (), *, quick: bool = False) -> tuple[Trial, ...]:
    """The published systems as a series.

    Args:
        names: presets; if empty, all that have a report.
        quick: only two epochs each.

    Raises:
        InvalidSpec: for a name that is not a preset, or one without a report.
    """
    chosen = [presets.preset(name) for name in dict.fromkeys(names)] or [
        preset for preset in presets.PRESETS.values() if preset.published
    ]
    for preset in chosen:
        if preset.published is None:
            known = ", ".join(name for name, other in presets.PRESETS.items() if other.published)
            raise InvalidSpec(
                f"The preset {preset.name} is Atelier's own, so there is no report to reproduce. "
                f"Choose from {known}."
            )
    return tuple(Trial(_quick(preset.spec) if quick else preset.spec, preset) for preset in chosen)


def _quick(spec: TrainSpec) -> TrainSpec:
    return spec.replace(epochs=min(QUICK_EPOCHS, spec.epochs))


def find_finished(trial: Trial, known: Sequence[Run] | None = None) -> Run | None:
    """The newest run that trained this spec to its end; one that was stopped early does not count.

    Args:
        known: the library's runs, newest first, if the caller has read them already.
    """
    matching = _matching(trial, known)
    return next((run for run in matching if run.status is Status.FINISHED), None)


def begin(engine: Engine, trial: Trial, known: Sequence[Run] | None = None) -> str:
    """See that a trial which is not done is trained: join the run that is queued or being trained,
    resume an interrupted or stopped one, or start a new one.

    Args:
        known: as in `find_finished`.

    Returns:
        the run's id.

    Raises:
        EngineUnavailable, StorageProblem, InvalidSpec: as `engine.Engine.submit`.
    """
    unfinished = [
        run.id
        for run in _matching(trial, known)
        if not run.finished or continuation.is_resumable(run)
    ]
    jobs = {job.run_id: job.state for job in engine.jobs()}
    for run_id in unfinished:
        if jobs.get(run_id, JobState.STOPPING) is not JobState.STOPPING:
            return run_id
    for run_id in unfinished:
        if run_id not in jobs:
            engine.resume(run_id)
            return run_id
    return engine.submit(trial.spec)


def compare(trial: Trial, run: Run) -> TrialResult:
    """Compare the run of a trial with the report.

    Raises:
        RunDamaged: if the run is not finished, or its history cannot be read.
    """
    report = trial.preset.published if trial.preset else None
    epochs = runs.history(run.id)
    leaks = run.spec.validation == "test"
    scores = run.finished_record.scores
    return TrialResult(
        trial, run, published.compare(report, scores, epochs, leaks=leaks) if report else ()
    )


def markdown(results: Sequence[TrialResult]) -> str:
    """The results as a table in Markdown, with a line for each published figure."""
    lines = [
        "| preset | figure | published | ours | difference | epochs | seconds |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for result in results:
        run, record = result.run, result.run.finished_record
        planned = result.trial.full_spec.epochs
        epochs = str(record.epochs_done)
        if record.epochs_done != planned:
            epochs += f" of {planned}"
        figures = [(compared.figure, *compared.texts()) for compared in result.comparisons]
        if not figures:
            ours = published.text_of(published.ACCURACY, run.test_accuracy)
            figures = [("test accuracy", "–", ours, "–")]
        lines += [
            f"| `{run.spec.name}` | {' | '.join(figure)} | {epochs} | {record.seconds:,.0f} |"
            for figure in figures
        ]
    return "\n".join(lines)


def _matching(trial: Trial, known: Sequence[Run] | None) -> list[Run]:
    """The library's runs of this spec, whatever they are called, newest first."""
    spec = trial.spec.replace(name="same")
    return [
        run
        for run in (runs.list_runs() if known is None else known)
        if run.spec.replace(name="same") == spec
    ]
