"""Experiments in the engine's queue: start them, say how far each training is, stop them.

All trainings of an experiment are queued at once, so one worker does them one after the other and
several do them at the same time, and nobody has to be there. A training that is in the library
already, finished, is not repeated, whichever experiment asked for it first
(`series.find_finished`). So continuing after a stop, a crash or a deletion is the same as starting.

What the finished trainings show is in `summary`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core import runs
from core.engine import Engine, EngineRefused, Job, JobState
from core.errors import AtelierError
from core.experiments import records, series
from core.experiments.records import Experiment
from core.experiments.series import Trial
from core.networks import architectures
from core.runs import Run, Status
from core.specs.spec import TrainSpec
from core.training import estimate


class State(StrEnum):
    """How far one training of an experiment is."""

    DONE = "done"  # to its end
    STOPPED = "stopped"  # early, with a network
    RUNNING = "running"
    WAITING = "waiting"  # in the queue
    BROKEN = "broken"  # interrupted, or failed
    MISSING = "missing"  # never begun, or deleted


DONE, STOPPED, RUNNING, WAITING, BROKEN, MISSING = State


@dataclass(frozen=True)
class PointState:
    """How far one training of an experiment is.

    Attributes:
        run: None if there is none.
        job: its job while it is in the queue or being trained.
        problem: why it failed, as a sentence, or nothing.
    """

    state: State
    run: Run | None = None
    job: Job | None = None
    problem: str = ""

    @property
    def alive(self) -> bool:
        """Whether it will continue without anybody doing something."""
        return self.state in (RUNNING, WAITING)


def begin(engine: Engine, experiment: Experiment) -> Experiment:
    """Queue every training that is not done.

    The record is written after each, so that an interruption loses nothing.

    Returns:
        the experiment with a run for each point.

    Raises:
        EngineUnavailable, StorageProblem, InvalidSpec: as `engine.Engine.submit`.
    """
    known = runs.list_runs()
    for number, spec in enumerate(experiment.points):
        trial = Trial(spec)
        run = series.find_finished(trial, known)
        run_id = run.id if run else series.begin(engine, trial, known)
        if run_id != experiment.run_ids[number]:
            experiment = experiment.with_run(number, run_id)
            records.save(experiment)
    return experiment


def states(experiment: Experiment, engine: Engine | None = None) -> list[PointState]:
    """How far every point is.

    Args:
        engine: None if none is running; then nothing counts as queued.

    Raises:
        EngineUnavailable: if the engine does not answer.
    """
    jobs = {job.run_id: job for job in engine.jobs()} if engine else {}
    return [
        _state(_read(run_id), jobs.get(run_id) if run_id else None, engine)
        for run_id in experiment.run_ids
    ]


def _state(run: Run | None, job: Job | None, engine: Engine | None) -> PointState:
    if run is None:
        return PointState(MISSING)
    if run.finished:
        return PointState(DONE if run.status is Status.FINISHED else STOPPED, run)
    if job is not None:
        return PointState(WAITING if job.state is JobState.WAITING else RUNNING, run, job)
    problem = engine.failure(run.id) if engine else None
    return PointState(BROKEN, run, problem=problem or "")


def stop(engine: Engine, experiment: Experiment) -> int:
    """Remove an experiment's trainings from the queue; one that is running keeps what it has
    learned.

    Returns:
        how many trainings were stopped.
    """
    ours = [job.run_id for job in engine.jobs() if job.run_id in experiment.run_ids]
    # The last in the queue first, or the next one would begin before it is removed.
    for run_id in reversed(ours):
        with contextlib.suppress(EngineRefused):  # it has just ended
            engine.stop(run_id)
    return len(ours)


def estimate_seconds(specs: Sequence[TrainSpec]) -> float:
    """How long trainings take here, one after the other; scaled from the first by their work.

    Args:
        specs: at least one.
    """
    first = specs[0]
    seconds = estimate.estimate_seconds(first)[0]
    return seconds * sum(_work(spec) for spec in specs) / _work(first)


def _work(spec: TrainSpec) -> float:
    return max(1, architectures.multiply_adds(spec)) * estimate.trained_pictures(spec) * spec.epochs


def _read(run_id: str | None) -> Run | None:
    """A point's run; None if it has none, or a damaged one, which the Train page reports."""
    if run_id is None:
        return None
    try:
        return runs.read(run_id)
    except AtelierError:
        return None
