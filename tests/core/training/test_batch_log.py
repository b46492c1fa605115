"""Batches as a curve of bounded size, and the loss that ends a training."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from core import runs
from core.training import batch_log
from core.training.batch_log import BatchLog
from tests.fixtures import SPEC


def means(values: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The running means that Keras reports."""
    return np.cumsum(values * sizes) / np.cumsum(sizes)


def logged(run_id: str, epochs: range, pictures: int = 25, batch: int = 10):
    """Batches with losses drawn at random, through a log; returns it and the losses."""
    steps = -(-pictures // batch)
    log = BatchLog(run_id, pictures, batch, epochs.start - 1)
    losses = np.random.default_rng(epochs.start).uniform(0, 3, (len(epochs), steps))
    sizes = np.array([batch] * (steps - 1) + [pictures - batch * (steps - 1)])
    for epoch, own in zip(epochs, losses, strict=True):
        for number, mean in enumerate(means(own, sizes), 1):
            assert log.add(epoch, number, mean, mean / 3) is None
    log.write(lambda step: step / 1000)
    return losses.ravel()


def test_every_batch_has_its_own_loss_though_keras_reports_means():
    run_id = runs.create(SPEC)
    losses = logged(run_id, range(1, 5))
    curve = runs.batch_curve(run_id)
    assert curve.steps_per_epoch == 3
    np.testing.assert_array_equal(curve.step, np.arange(1, 13))
    np.testing.assert_allclose(curve.loss, losses, atol=1e-5)
    np.testing.assert_allclose(curve.accuracy, losses / 3, atol=1e-5)
    np.testing.assert_allclose(curve.learning_rate, np.arange(1, 13) / 1000, rtol=1e-5)


def test_a_long_training_has_a_bounded_curve_of_means(monkeypatch):
    monkeypatch.setattr(batch_log, "MOST_POINTS", 16)
    run_id = runs.create(SPEC)
    losses = logged(run_id, range(1, 101), pictures=20)
    curve = runs.batch_curve(run_id)
    assert 8 <= len(curve.step) <= 16
    ends = [0, *curve.step]
    expected = [losses[start:end].mean() for start, end in itertools.pairwise(ends)]
    np.testing.assert_allclose(curve.loss, expected, atol=1e-4)


def test_a_resumed_training_continues_after_the_epochs_that_were_kept():
    run_id = runs.create(SPEC)
    first = logged(run_id, range(1, 4))
    again = logged(run_id, range(3, 5))
    curve = runs.batch_curve(run_id)
    np.testing.assert_array_equal(curve.step, np.arange(1, 13))
    np.testing.assert_allclose(curve.loss, [*first[:6], *again], atol=1e-5)


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_loss_that_is_no_number_is_a_divergence(loss):
    log = BatchLog(runs.create(SPEC), 25, 10, 0)
    assert log.add(1, 1, 2.3, 0.1) is None
    found = log.add(1, 2, loss, 0.1)
    assert (found.epoch, found.batch) == (1, 2)
    sentence = found.sentence(SPEC.replace(learning_rate=5.0), None)
    assert "epoch 1, batch 2" in sentence and "Lower the learning rate (5); try 0.5." in sentence


def test_one_bad_batch_is_none_but_a_loss_far_above_guessing_is():
    log = BatchLog(runs.create(SPEC), 1000, 10, 0)
    losses = np.array([2.3, 2.2, 300.0, *[2.0] * 20, *[400.0] * 10])
    found = [
        log.add(1, number, mean, 0.1)
        for number, mean in enumerate(means(losses, np.full(len(losses), 10)), 1)
    ]
    assert found[:23] == [None] * 23 and any(found[23:])


def test_a_curve_without_batches_is_not_written():
    run_id = runs.create(SPEC)
    BatchLog(run_id, 25, 10, 0).write(lambda step: step * 1.0)
    assert runs.batch_curve(run_id) is None
