"""Experiments in the engine's queue: what is started, what is done already, what a stop leaves."""

from __future__ import annotations

import pytest

from core import engine, runs
from core.errors import EngineUnavailable
from core.experiments import queue, records, summary
from core.experiments.queue import BROKEN, DONE, MISSING, RUNNING, STOPPED, WAITING
from core.experiments.records import FOLDS, SWEEP, Axis
from core.specs.spec import TrainSpec
from tests.core.experiments.test_series import FakeEngine
from tests.fixtures import EPOCHS, scored_run, until

BASE = TrainSpec(
    name="tiny", data="offline-sample", filters=(), dense_units=(), batch=256, epochs=2
)
SEEDS = Axis("seed", (1, 2, 3))


class TakingEngine(FakeEngine):
    """An engine that takes every job, until it has taken so many."""

    def __init__(self, at_most: int = 99, jobs=()):
        super().__init__(jobs)
        self.at_most = at_most

    def submit(self, spec):
        if len(self.asked) == self.at_most:
            raise EngineUnavailable("The engine went away.")
        self.asked.append(("submit", spec.seed))
        return runs.create(spec)

    def failure(self, run_id):
        return "It failed."


def test_a_finished_training_is_not_repeated():
    finished = scored_run(BASE.replace(seed=2))
    scored_run(BASE.replace(seed=3), status="stopped")
    experiment = records.create(SWEEP, "seeds", BASE, (SEEDS,))
    fake = TakingEngine()
    begun = queue.begin(fake, experiment)
    assert fake.asked == [("submit", 1), ("submit", 3)] and begun.run_ids[1] == finished
    assert records.read(experiment.id) == begun


def test_queueing_that_was_interrupted_continues_with_the_next_training():
    experiment = records.create(SWEEP, "seeds", BASE, (SEEDS,))
    with pytest.raises(EngineUnavailable):
        queue.begin(TakingEngine(at_most=2), experiment)
    cut = records.read(experiment.id)
    assert None not in cut.run_ids[:2] and cut.run_ids[2] is None
    fake = TakingEngine(jobs=[(cut.run_ids[0], "running"), (cut.run_ids[1], "waiting")])
    whole = queue.begin(fake, cut)
    assert fake.asked == [("submit", 3)] and whole.run_ids[:2] == cut.run_ids[:2]


def test_every_point_is_in_one_of_six_states():
    ids = [scored_run(BASE.replace(seed=1)), scored_run(BASE.replace(seed=2), status="stopped")]
    ids += [runs.create(BASE.replace(seed=seed)) for seed in (3, 4, 5)]
    experiment = records.create(SWEEP, "seeds", BASE, (Axis("seed", (1, 2, 3, 4, 5, 6, 7)),))
    for place, run_id in enumerate([*ids, "20260101-000000-gone-0000"]):
        experiment = experiment.with_run(place, run_id)
    points = queue.states(experiment, TakingEngine(jobs=[(ids[2], "running"), (ids[3], "waiting")]))
    assert [point.state for point in points] == [
        DONE,
        STOPPED,
        RUNNING,
        WAITING,
        BROKEN,
        MISSING,
        MISSING,
    ]
    assert [point.alive for point in points] == [False, False, True, True, False, False, False]
    assert points[4].problem == "It failed." and points[0].run.id == ids[0]
    assert [point.state for point in queue.states(experiment)][2:5] == [BROKEN] * 3


def test_the_time_of_a_sweep_grows_with_work_and_epochs():
    once = queue.estimate_seconds([BASE])
    assert queue.estimate_seconds([BASE, BASE.replace(epochs=6)]) == pytest.approx(4 * once)


def test_a_run_is_ranked_by_its_best_epoch_and_by_its_last_one_if_that_leaks():
    plain, leaking, blind = (
        summary.of_run(runs.read(scored_run(BASE.replace(validation=way))))
        for way in ("last", "test", "none")
    )
    assert (
        plain.score == plain.best_validation == 0.77
        and leaking.score == leaking.last_validation == EPOCHS[-1].val_accuracy
    )
    assert blind.best_epoch == 3 and plain.pictures == 1800 and plain.network and not plain.leaks


def test_mean_and_deviation_are_those_of_the_report():
    ((_, folds),) = records.published_folds()
    mean, deviation = summary.spread([100 * share for share in folds.accuracies])
    assert (round(mean, 3), round(deviation, 3)) == (folds.mean_percent, folds.deviation_percent)


def test_a_cross_validation_stopped_in_the_middle_keeps_what_is_done():
    """With a real engine: three folds, the first is trained, the second stopped while it trains,
    the third never begun.
    """
    long = BASE.replace(epochs=400, batch=16)
    base, axes = records.folds_of(long, 3, shuffle=True, seed=1)
    experiment = records.create(FOLDS, "three folds", base, axes)
    try:
        here = engine.connect(timeout=120)
        begun = queue.begin(here, experiment)
        until(lambda: len(runs.history(begun.run_ids[0])) >= 1)
        assert [point.state for point in queue.states(begun, here)] == [RUNNING, WAITING, WAITING]
        assert queue.stop(here, begun) == 3
        until(lambda: not here.jobs())
        points = queue.states(records.read(experiment.id), here)
        assert [point.state for point in points] == [STOPPED, MISSING, MISSING]
        kept = runs.read(begun.run_ids[0])
        assert kept.spec.fold == 1 and len(runs.validation_predictions(kept.id, 1).labels) == 667
    finally:
        engine.end_own()
