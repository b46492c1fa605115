"""Auxiliary data: separate from what is measured, kept on disk, with honest targets; and
how a threshold is found on them.
"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core import pictures, runs
from core.data import fashion_mnist
from core.errors import InvalidSpec, NothingLearned, RunNotFound
from core.evaluation import NEVER_SURE
from core.export.card import card
from core.garments import drawing
from core.outside import auxiliary
from core.specs.spec import TrainSpec
from core.training import trainer

FEW = {
    "traced sketches": 3,
    "traced icons": 2,
    "composed": 2,
    "sketches": 3,
    "icons": 2,
    "scribbles": 3,
}
SMALL = TrainSpec(
    name="small",
    data="offline-sample",
    filters=(8,),
    dense_units=(16,),
    epochs=1,
    batch=100,
    validation_fraction=0.2,
)


@pytest.fixture
def sample():
    return fashion_mnist.load("offline-sample")


@pytest.fixture
def photographs(tmp_path):
    """A folder like the Clothing dataset's, of drawn garments."""
    for name, label in (("t-shirt", 0), ("shoes", 7), ("hat", 8)):
        (tmp_path / name).mkdir()
        for number in range(20):
            pixels = 255 - drawing.draw(label, np.random.default_rng(number))
            Image.fromarray(np.pad(pixels, 10, constant_values=255)).resize((96, 96)).save(
                tmp_path / name / f"{number}.png"
            )
    return tmp_path


def test_targets_share_between_right_answers_and_are_even_where_none_is():
    assert auxiliary.target_of((3,)).tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert auxiliary.target_of((5, 7, 9))[[5, 7, 9]] == pytest.approx([1 / 3] * 3)
    assert auxiliary.target_of(()) == pytest.approx([0.1] * 10)


def test_auxiliary_pictures_are_of_every_kind_with_targets_that_sum_to_one(sample, photographs):
    made = auxiliary.auxiliary_pictures(sample, np.arange(50), photographs, counts=FEW)
    assert {kind: made.kinds[kind] for kind in FEW} == FEW and made.kinds["photographs"] > 30
    assert (
        made.pixels.shape == (sum(made.kinds.values()), 28, 28)
        and made.pixels.any(axis=(1, 2)).all()
    )
    assert made.targets.sum(axis=1) == pytest.approx(np.ones(len(made.targets)))


def test_auxiliary_pictures_are_prepared_once_and_again_for_other_pictures(sample):
    heard = []
    first = auxiliary.auxiliary_pictures(
        sample, np.arange(50), None, counts=FEW, progress=heard.append
    )
    assert len(heard) == len(FEW)
    again = auxiliary.auxiliary_pictures(
        sample, np.arange(50), None, counts=FEW, progress=heard.append
    )
    assert (
        len(heard) == len(FEW)
        and (again.pixels == first.pixels).all()
        and (again.targets == first.targets).all()
    )
    auxiliary.auxiliary_pictures(sample, np.arange(40), None, counts=FEW, progress=heard.append)
    assert len(heard) == len(FEW) + 3  # those made of the data's own pictures


def test_traced_and_composed_pictures_come_from_the_pictures_given(sample):
    shoes = np.flatnonzero(sample.train_labels == 7)[:5]
    made = auxiliary.auxiliary_pictures(
        sample, shoes, None, counts={"traced icons": 3, "composed": 3}
    )
    assert made.targets.argmax(axis=1).tolist() == [7] * 6


def test_a_threshold_counts_being_sure_of_nothing_as_wrong(monkeypatch):
    class Fixed:
        def __init__(self, rows):
            self.rows = np.array(rows)

        def both_ways(self, pixels):
            return self.rows

    def row(confidence):
        return [confidence] + [(1 - confidence) / 9] * 9

    accepted = np.zeros((3, 10), bool)
    accepted[:2, 0] = True  # the third picture is none of the ten
    pixels, kinds = np.zeros((3, 28, 28), np.uint8), np.array(["drawing"] * 3)
    tuning = {"sketches": auxiliary.TuningPictures(pixels, accepted, kinds)}
    monkeypatch.setattr(auxiliary, "LEAST_TUNED", 3)

    def thresholds(*confidences):
        return auxiliary.sure_thresholds(Fixed([row(one) for one in confidences]), tuning)

    assert thresholds(0.9, 0.8, 0.7)["drawing"] == pytest.approx(0.8)
    assert thresholds(0.9, 0.8, 0.7)["photograph"] == pytest.approx(0.8)  # of which there are none
    assert thresholds(0.5, 0.6, 0.9)["drawing"] == NEVER_SURE
    assert auxiliary.accuracy(
        {"sketches": np.array([row(0.9), row(0.0), row(0.9)])}, tuning
    ) == pytest.approx(0.5)


def test_a_training_with_auxiliary_data_says_what_it_learned_from(monkeypatch):
    monkeypatch.setattr(auxiliary, "COUNTS", FEW)
    monkeypatch.setattr(auxiliary, "TUNED_ON", 10)
    record = trainer.train(runs.create(SMALL.replace(outside=True)))
    assert record.auxiliary == FEW and set(record.sure_by_kind) == set(pictures.KINDS)
    assert record.pictures_trained == 1600 + sum(FEW.values())
    [run] = [run for run in runs.list_runs() if not run.shipped]
    assert "3 traced sketches, 2 traced icons" in card(run, runs.test_predictions(run.id))


def test_a_stop_while_they_are_prepared_ends_the_wait_and_the_run_can_go_on(monkeypatch):
    monkeypatch.setattr(auxiliary, "COUNTS", FEW)
    monkeypatch.setattr(auxiliary, "TUNED_ON", 10)
    run_id, seen = runs.create(SMALL.replace(outside=True, seed=77)), []
    with pytest.raises(NothingLearned, match="resume"):
        trainer.train(run_id, report=seen.append, should_stop=lambda: len(seen) > 2)
    assert (seen[-1].phase, seen[-1].epoch) == ("preparing", 0) and "prepared" in seen[-1].stage
    assert trainer.train(run_id).status == "finished"


def test_a_training_begins_with_the_weights_of_another_run():
    first = runs.create(SMALL)
    trainer.train(first)
    second = runs.create(SMALL.replace(start_from=first, learning_rate=1e-7))
    trainer.train(second)
    before, after = (
        runs.test_predictions(run_id).probabilities.argmax(1) for run_id in (first, second)
    )
    assert (before == after).mean() > 0.98


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"start_from": "nowhere"}, RunNotFound, "'nowhere'"),
        ({"filters": (4,)}, InvalidSpec, "another network"),
    ],
)
def test_a_training_that_cannot_begin_so_says_why(changes, error, words):
    first = runs.create(SMALL)
    trainer.train(first)
    with pytest.raises(error, match=words):
        trainer.train(runs.create(SMALL.replace(**{"start_from": first, **changes})))
