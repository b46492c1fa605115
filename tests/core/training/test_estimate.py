"""How long a training still takes: what is told when, with invented times instead of a clock."""

from __future__ import annotations

import pytest

from core import runs
from core.runs import Phase, Progress
from core.specs.spec import TrainSpec
from core.training import callback, estimate, trainer
from core.training.estimate import Pace

SPEC = TrainSpec(epochs=4, batch=100)


def test_nothing_is_told_before_a_tenth_of_an_epoch_was_timed():
    pace = Pace(SPEC, steps=500, held_out=5000)
    pace.measure_batches(1, seconds=3.0, count=49)
    assert pace.remaining(1, 50) is None and pace.after_epochs(Phase.TESTING) is None
    pace.measure_batches(1, seconds=0.1, count=50)
    assert pace.remaining(1, 51) is not None


def test_the_rest_is_batches_validations_and_the_ending():
    pace = Pace(SPEC, steps=500, held_out=5000, validation_seconds=2.0)
    pace.measure_batches(1, seconds=0.1, count=500)
    ending = 20_000 * 0.1 / 100 / 3 + estimate.ENDING_SECONDS
    assert pace.remaining(4, 500) == pytest.approx(2.0 + ending)
    assert pace.remaining(2, 100) == pytest.approx((400 + 1000) * 0.1 + 3 * 2.0 + ending)
    pace.epochs_done = 1
    assert pace.after_epochs(Phase.VALIDATING) == pytest.approx(pace.remaining(2, 500))
    assert pace.after_epochs(Phase.SAVING) == pytest.approx(ending)


def test_before_the_first_validation_it_is_taken_for_a_third_of_training():
    pace = Pace(SPEC, steps=500, held_out=6000)
    pace.measure_batches(1, seconds=0.1, count=100)
    known = Pace(SPEC, steps=500, held_out=6000, validation_seconds=6000 * 0.1 / 100 / 3)
    known.measure_batches(1, seconds=0.1, count=100)
    assert pace.remaining(1, 100) == pytest.approx(known.remaining(1, 100))


def test_epochs_in_which_everything_learns_take_three_times_as_long_as_frozen_ones():
    spec = TrainSpec(architecture="transfer", frozen_epochs=1, epochs=2, batch=100)
    pace = Pace(spec, steps=100, held_out=0)
    pace.measure_batches(1, seconds=0.1, count=100)
    rest = pace.remaining(1, 100) - pace.after_epochs(Phase.TESTING)
    assert rest == pytest.approx(100 * 0.3)


def test_times_move_on_while_nothing_is_reported():
    progress = Progress("run", Phase.VALIDATING, elapsed_seconds=10.0, remaining_seconds=4.0)
    later = progress.after(3.0)
    assert (later.elapsed_seconds, later.remaining_seconds) == (13.0, 1.0)
    assert progress.after(9.0).remaining_seconds == 0.0
    assert Progress("run").after(1.0).remaining_seconds is None


def test_the_first_batch_and_validations_are_not_timed(monkeypatch):
    times = iter([100.0, 101.0, 102.0, 500.0, 501.0, 502.0])
    monkeypatch.setattr(callback.time, "perf_counter", lambda: next(times))
    clock = callback.BatchClock()
    clock.start()
    clock.tick()  # 100: the first, with the building of the graph
    clock.tick()
    clock.tick()
    assert clock.pace(10) == (1.0, 2)
    clock.start()  # 500, after a validation
    clock.tick()
    clock.tick()
    assert clock.pace(10) == (1.0, 4) and clock.pace(3) == (1.0, 3)


def test_a_training_tells_the_rest_from_a_tenth_of_its_first_epoch_to_its_end(monkeypatch):
    monkeypatch.setattr(callback, "REPORT_SECONDS", 0.0)
    spec = TrainSpec(data="offline-sample", filters=(4,), dense_units=(8,), epochs=2, batch=20)
    seen: list[Progress] = []
    trainer.train(runs.create(spec), report=seen.append)
    steps = next(step.batches for step in seen if step.batches)
    early = [step for step in seen if step.epoch == 1 and 0 < step.batch < steps // 10]
    assert early and all(step.remaining_seconds is None for step in early)
    later = seen[seen.index(early[-1]) + 3 : -1]
    phases = {step.phase for step in later if step.remaining_seconds is not None}
    assert phases == {Phase.TRAINING, Phase.VALIDATING, Phase.TESTING, Phase.SAVING}
    assert all(step.remaining_seconds is not None for step in later)
