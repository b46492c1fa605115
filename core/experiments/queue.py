"""An experiment and the engine: see that its trainings are in line, say how far each is, stop them.

One idea: all trainings of an experiment are put into the line at once, so one worker does them one
after the other, several side by side, and nobody has to be there. A training that the library holds
already, finished, is not trained again, whichever experiment asked for it first
(`experiments.done`), so going on after a stop, a crash or a deletion is beginning again.

What the finished trainings say is in `run_figures`.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from core import runs
from core.errors import AtelierError, RunNotFound
from core.experiments import records, series
from core.experiments.records import Experiment
from core.experiments.series import Trial
from core.networks import architectures
from core.runs import Run
from core.training import estimate

DONE, STOPPED, RUNNING, WAITING, BROKEN, MISSING = (
    "done",
    "stopped",
    "running",
    "waiting",
    "broken",
    "missing",
)


@dataclass(frozen=True)
class PointState:
    """How far one training of an experiment is.

    Attributes:
        state: DONE (to its end), STOPPED (early, with a network), RUNNING, WAITING (in line),
            BROKEN (interrupted, or failed with `problem`), or MISSING (never begun, or deleted).
        run: the run, None where there is none.
        job: its `engine.Job` while it is in line.
        problem: why it failed, as a sentence, or nothing.
    """

    state: str
    run: Run | None = None
    job: object = None
    problem: str = ""

    @property
    def alive(self) -> bool:
        """Whether something is still to come of it without anybody's doing."""
        return self.state in (RUNNING, WAITING)


def begin(line, experiment: Experiment) -> Experiment:
    """Put what is not done into an engine's line; the record is written after each, so that a break
    in the middle loses nothing.

    Args:
        line: an engine, from `engine.connect`.

    Returns:
        the experiment with a run for each point.

    Raises:
        EngineUnavailable, StorageProblem, InvalidSpec: as `engine.Engine.submit`.
    """
    known = runs.list_runs()
    for place, spec in enumerate(experiment.points):
        trial = Trial(spec)
        held = series.done(trial, known)
        run_id = held.id if held else series.begin(line, trial, known)
        if run_id != experiment.run_ids[place]:
            experiment = experiment.with_run(place, run_id)
            records.save(experiment)
    return experiment


def states(experiment: Experiment, line=None) -> list[PointState]:
    """How far every point is.

    Args:
        line: an engine to ask, or None where none runs; then nothing counts as in line.

    Raises:
        EngineUnavailable: if the engine does not answer.
    """
    jobs = {job.run_id: job for job in line.jobs()} if line else {}
    found = []
    for run_id in experiment.run_ids:
        run = _run(run_id)
        job = jobs.get(run_id)
        if run is None:
            found.append(PointState(MISSING))
        elif run.finished:
            found.append(PointState(DONE if run.status == "finished" else STOPPED, run))
        elif job is not None:
            found.append(PointState(WAITING if job.state == "waiting" else RUNNING, run, job))
        else:
            found.append(
                PointState(BROKEN, run, problem=(line.failure(run.id) if line else None) or "")
            )
    return found


def stop(line, experiment: Experiment) -> int:
    """Take everything of an experiment out of the line; what trains keeps what it learnt, what is
    done stays.

    Returns:
        how many trainings that were.
    """
    from core.engine import EngineRefused

    ours = [job.run_id for job in line.jobs() if job.run_id in experiment.run_ids]
    # From the end of the line, else the next one would begin before its turn to go.
    for run_id in reversed(ours):
        with contextlib.suppress(EngineRefused):  # it has ended in this moment
            line.stop(run_id)
    return len(ours)


def estimate_seconds(experiment_points) -> float:
    """How long so many trainings take here, one after the other; scaled from the first by work.

    Args:
        experiment_points: specs, at least one.
    """

    def work(spec) -> float:
        return (
            max(1, architectures.multiply_adds(spec))
            * estimate.trained_pictures(spec)
            * spec.epochs
        )

    first = experiment_points[0]
    return (
        estimate.estimate_seconds(first)[0]
        * sum(work(spec) for spec in experiment_points)
        / work(first)
    )


def _run(run_id: str | None) -> Run | None:
    if run_id is None:
        return None
    try:
        return runs.read(run_id)
    except RunNotFound:
        return None
    except AtelierError:
        return None  # damaged: the Train page says how
