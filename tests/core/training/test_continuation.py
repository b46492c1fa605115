"""Real trainings that go on: stopped ones resumed, complete ones copied with more epochs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import runs
from core.errors import InvalidSpec, RunDamaged
from core.networks import backbones
from core.runs import Status, continuation
from core.specs.spec import TrainSpec
from core.training import callback, trainer

SMALL = TrainSpec(
    name="small",
    data="offline-sample",
    filters=(4, 8),
    dense_units=(16,),
    epochs=3,
    batch=50,
    learning_rate=0.005,
    validation_fraction=0.2,
    seed=3,
)


@pytest.fixture(autouse=True)
def every_batch_reports(monkeypatch):
    monkeypatch.setattr(callback, "REPORT_SECONDS", 0.0)


def trained(spec: TrainSpec) -> str:
    run_id = runs.create(spec)
    trainer.train(run_id)
    return run_id


def stopped(spec: TrainSpec, after: int) -> str:
    """A run that was asked to stop in the epoch after so many finished ones."""
    run_id = runs.create(spec)
    trainer.train(run_id, should_stop=lambda: len(runs.history(run_id)) >= after)
    return run_id


def losses(run_id: str) -> list[float]:
    return [row.val_loss for row in runs.history(run_id)]


def test_a_stopped_run_resumed_ends_like_one_that_was_never_stopped():
    whole, resumed = trained(SMALL), stopped(SMALL, after=1)
    run = runs.read(resumed)
    assert run.status is Status.STOPPED and continuation.is_resumable(run)
    first = runs.history(resumed)

    continuation.reopen(resumed)
    assert runs.read(resumed).status_text == f"interrupted after epoch {len(first)}"
    trainer.train(resumed)
    assert runs.history(resumed)[: len(first)] == first
    assert losses(resumed) == pytest.approx(losses(whole), rel=1e-3)
    ended = runs.read(resumed)
    assert ended.status is Status.FINISHED and not continuation.is_resumable(ended)


def test_a_run_that_leaves_the_queue_before_it_resumes_is_what_it_was():
    run_id = stopped(SMALL, after=1)
    before = runs.read(run_id)
    continuation.reopen(run_id)
    assert not runs.read(run_id).finished
    assert continuation.close(run_id)
    assert runs.read(run_id) == before and runs.onnx_bytes(run_id)
    assert not continuation.close(run_id), "it is closed already"


def test_a_run_that_learned_more_since_is_not_closed_again():
    run_id = stopped(SMALL, after=1)
    continuation.reopen(run_id)

    class Killed(Exception):
        pass

    def die(progress):
        if progress.phase == "training" and progress.epoch == 3:
            raise Killed

    with pytest.raises(Killed):
        trainer.train(run_id, report=die)
    assert not continuation.close(run_id)
    assert runs.read(run_id).status_text == "interrupted after epoch 2"


@pytest.mark.parametrize("schedule", ["constant", "one_cycle"])
def test_two_more_epochs_give_what_the_longer_spec_gives_from_the_beginning(schedule):
    short = SMALL.replace(schedule=schedule, epochs=2)
    original = trained(short)
    before = runs.read(original), losses(original)
    copy = continuation.extend(original, 2)
    trainer.train(copy)

    longer = runs.read(copy)
    assert (longer.name, longer.spec.epochs, len(losses(copy))) == ("small, 4 epochs", 4, 4)
    assert losses(copy) == pytest.approx(losses(trained(longer.spec)), rel=1e-3)
    assert runs.validation_epochs(copy) == [1, 2, 3, 4]
    assert (runs.read(original), losses(original)) == before, "the original stays as it is"
    rates = [row.learning_rate for row in runs.history(copy)]
    if schedule == "constant":
        assert rates == pytest.approx([0.005] * 4)
    else:  # each pass ends at zero
        assert rates[1] == pytest.approx(0, abs=1e-4) and rates[3] == pytest.approx(0, abs=1e-4)
        assert rates[2] > 1e-3


def test_more_epochs_after_a_stop_come_after_those_that_were_left():
    copy = continuation.extend(stopped(SMALL.replace(schedule="cosine"), after=1), 2)
    spec = runs.read(copy).spec
    assert (spec.epochs, spec.restarts) == (5, (3,))
    assert [(stage.first, stage.last) for stage in backbones.stages(spec)] == [(1, 3), (4, 5)]


def test_what_cannot_continue_says_so():
    complete = trained(SMALL.replace(epochs=1))
    with pytest.raises(RunDamaged, match="nothing to resume"):
        continuation.reopen(complete)
    with pytest.raises(RunDamaged, match="cannot be added"):
        continuation.extend("shipped", 4)
    out_of_patience = runs.read(complete)
    assert continuation.is_extendable(out_of_patience)
    out_of_patience = replace(out_of_patience, spec=SMALL.replace(early_stopping=1))
    assert not continuation.is_extendable(out_of_patience), "it would end at once again"
    with pytest.raises(InvalidSpec, match="Epochs"):
        continuation.extend(complete, 1000)
    assert len(runs.list_runs()) == len([complete, "shipped", "shipped-champion"])


def test_restarts_that_make_no_sense_are_refused():
    for restarts in ((3,), (2, 1), (1, 1)):
        with pytest.raises(InvalidSpec, match="ascending order"):
            SMALL.replace(restarts=restarts)
    frozen = TrainSpec(
        architecture="transfer", frozen_epochs=2, epochs=6, schedule="cosine", restarts=(4,)
    )
    assert [(stage.name, stage.first, stage.last) for stage in backbones.stages(frozen)] == [
        ("frozen", 1, 2),
        ("fine-tuning", 3, 4),
        ("fine-tuning", 5, 6),
    ]
