"""Real trainings on the offline sample: what comes out, what a stop keeps, and where a resumed
training continues.
"""

from __future__ import annotations

import gc
from dataclasses import replace
from itertools import chain, repeat

import numpy as np
import pytest

from core import evaluation, inference, runs, settings
from core.data import fashion_mnist, splits
from core.errors import Diverged, RunNotFound
from core.explain import activations, embedding_map
from core.networks import architectures
from core.runs import continuation
from core.specs.spec import TrainSpec
from core.training import batches, callback, optimiser, start_times, trainer
from core.training.checkpoint import Best
from core.training.start_times import Step

SMALL = TrainSpec(
    name="small",
    data="offline-sample",
    filters=(8, 16),
    dense_units=(32,),
    epochs=3,
    batch=50,
    learning_rate=0.005,
    validation_fraction=0.2,
    seed=3,
)


@pytest.fixture(autouse=True)
def every_batch_reports(monkeypatch):
    """On a quick machine an epoch of these is over before the next report, and a test would wait in
    vain.
    """
    monkeypatch.setattr(callback, "REPORT_SECONDS", 0.0)


def trained(spec: TrainSpec = SMALL, **options) -> str:
    run_id = runs.create(spec)
    trainer.train(run_id, **options)
    return run_id


def test_a_finished_run_holds_everything_the_pages_read():
    seen = []
    run_id = trained(report=seen.append)
    run, rows = runs.read(run_id), runs.history(run_id)
    assert (run.status, run.status_text, len(rows)) == ("finished", "finished", 3)
    assert (
        run.finished_record.pictures_trained == 1600 * 3
        and run.parameters == architectures.parameters(SMALL)
    )
    assert rows[-1].loss < rows[0].loss and rows[-1].val_accuracy > 0.3
    assert runs.validation_epochs(run_id) == [1, 2, 3]
    assert seen[0].phase == "loading" and seen[-1].phase == "finished"
    assert any(
        step.batches == 32 and step.remaining_seconds is not None
        for step in seen
        if step.phase == "training"
    )
    assert runs.read_bytes(run_id, "checkpoint.json"), "it may be given more epochs"


def test_scores_of_the_record_are_those_of_its_predictions():
    run_id = trained()
    run, test = runs.read(run_id), runs.test_predictions(run_id)
    assert run.test_accuracy == pytest.approx((test.probabilities.argmax(1) == test.labels).mean())
    best = runs.validation_predictions(run_id, run.best_epoch)
    assert run.validation_accuracy == pytest.approx((best.prediction == best.labels).mean())
    data = fashion_mnist.load("offline-sample")
    assert (data.train_labels[best.indices] == best.labels).all()
    assert (
        run.best_epoch
        == max(runs.history(run_id), key=lambda row: (row.val_accuracy, -row.val_loss)).epoch
    )


def test_a_worker_keeps_no_pictures_of_a_training_that_is_over():
    def held() -> int:
        gc.collect()
        return sum(
            isinstance(one, batches.Batches) and len(one.pixels) > 0 for one in gc.get_objects()
        )

    before = held()  # other tests draw batches, too
    trained(SMALL.replace(epochs=1))
    assert held() == before


def test_the_exported_network_answers_like_the_keras_model(tmp_path):
    import keras

    run_id = trained(SMALL.replace(epochs=1, flip=True, shift=2, rotate=10.0, erase=0.5))
    (tmp_path / "model.keras").write_bytes(runs.read_bytes(run_id, "model.keras"))
    pixels = fashion_mnist.load("offline-sample").test_pixels[:50]
    expected = keras.saving.load_model(tmp_path / "model.keras").predict(
        trainer.as_input(pixels), verbose=0
    )
    network = inference.Network(runs.onnx_bytes(run_id))
    np.testing.assert_allclose(network.probabilities(pixels), expected, atol=1e-5)


def test_the_index_points_to_training_pictures_by_their_embeddings():
    run_id = trained(SMALL.replace(epochs=1))
    indices, vectors = runs.index(run_id)
    pixels = fashion_mnist.load("offline-sample").train_pixels[indices[:20]]
    own = inference.load(run_id).embeddings(pixels)
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    assert (np.sum(own * vectors[:20], axis=1) > 0.99).all()
    # The map of the test pictures is left too, and nobody has to wait for it.
    data, network = fashion_mnist.load("offline-sample"), inference.load(run_id)
    points = embedding_map.map_test_pictures(run_id, network, data)
    assert not (settings.home() / "maps").exists()
    embedding = network.embeddings(data.test_pixels[:1])[0]
    np.testing.assert_allclose(
        points.plane.project(embedding), points.plane.positions[0], atol=1e-3
    )


def test_a_stopped_training_keeps_its_best_epoch():
    calls = []

    def after_the_first_epoch(progress):
        calls.append(progress)

    run_id = trained(
        SMALL.replace(epochs=50),
        report=after_the_first_epoch,
        should_stop=lambda: any(step.epoch >= 2 and step.phase == "training" for step in calls),
    )
    run = runs.read(run_id)
    done = len(runs.history(run_id))
    assert (
        run.status == "stopped" and run.status_text == f"stopped at epoch {done}" and 1 <= done < 50
    )
    assert runs.test_predictions(run_id).probabilities.shape == (400, 10)


def test_a_training_stopped_in_its_first_epoch_keeps_what_it_learned():
    run_id = trained(SMALL.replace(epochs=5), should_stop=lambda: True)
    assert runs.read(run_id).status_text == "stopped at epoch 1" and runs.read(run_id).finished


def test_a_training_that_diverges_at_once_ends_in_a_sentence_and_has_no_record():
    run_id = runs.create(SMALL.replace(learning_rate=1000.0, optimizer="sgd"))
    with pytest.raises(Diverged, match=r"epoch 1, batch \d+.*Lower the learning rate \(1000\)"):
        trainer.train(run_id)
    run = runs.read(run_id)
    assert (run.status, run.status_text) == ("unfinished", "diverged in its first epoch")
    assert "Nothing had been learned before" in runs.divergence(run_id)


def test_a_training_that_diverges_later_keeps_the_best_epoch_before(monkeypatch):
    seen, calls = callback._means, iter(range(1000))

    def ruined(logs):
        return (float("nan"), 0.1) if next(calls) >= 70 else seen(logs)

    monkeypatch.setattr(callback, "_means", ruined)
    run_id = trained()  # 32 batches and an end an epoch
    run = runs.read(run_id)
    assert (run.status, run.status_text) == ("stopped", "diverged in epoch 3, batch 5")
    assert [row.epoch for row in runs.history(run_id)] == [1, 2]
    assert "NaN" not in str(runs.read_bytes(run_id, "run.json"))
    curve = runs.batch_curve(run_id)
    assert np.isfinite(curve.loss).all() and curve.step[-1] <= 2 * 32 + 4
    assert f"The network of epoch {run.best_epoch} was kept" in runs.divergence(run_id)
    assert not continuation.is_resumable(run) and not continuation.is_extendable(run)


def test_the_curve_by_batch_agrees_with_the_epochs_and_the_schedule():
    spec = SMALL.replace(schedule="one_cycle", epochs=2)
    run_id = trained(spec)
    curve, rows = runs.batch_curve(run_id), runs.history(run_id)
    assert len(curve.step) == 64 and curve.steps_per_epoch == 32
    for row, of_epoch in zip(rows, np.split(np.arange(64), 2), strict=True):
        assert curve.loss[of_epoch].mean() == pytest.approx(row.loss, abs=1e-4)
        assert curve.accuracy[of_epoch].mean() == pytest.approx(row.accuracy, abs=1e-4)
    cycle = optimiser.OneCycle(spec.learning_rate, 64, spec.warm_up)
    np.testing.assert_allclose(
        curve.learning_rate, [float(cycle(step)) for step in range(64)], rtol=1e-5, atol=1e-9
    )


class Killed(BaseException):
    """What SIGKILL does to a training, as far as Python can play it."""


def kill(run_id: str, in_epoch: int) -> None:
    """Train until the first batch of an epoch, and die there."""

    def die(progress):
        if progress.epoch == in_epoch and progress.phase == "training":
            raise Killed()

    with pytest.raises(Killed):
        trainer.train(run_id, report=die)


def test_an_interrupted_training_resumes_in_the_epoch_it_was_in():
    run_id = runs.create(SMALL)
    kill(run_id, in_epoch=3)
    assert runs.read(run_id).status_text == "interrupted after epoch 2"
    before = runs.history(run_id)
    epochs = []
    record = trainer.train(
        run_id, report=lambda step: epochs.append(step.epoch) if step.phase == "training" else None
    )
    assert set(epochs) == {3}
    assert runs.history(run_id)[:2] == before and len(runs.history(run_id)) == 3
    assert record.seconds > sum(row.seconds for row in before)


def test_optimiser_and_schedule_resume_too():
    spec = SMALL.replace(schedule="one_cycle", optimizer="adamw", average_weights=True, epochs=3)
    whole = runs.history(trained(spec))
    run_id = runs.create(spec)

    kill(run_id, in_epoch=2)
    trainer.train(run_id)
    resumed = runs.history(run_id)
    assert [row.learning_rate for row in resumed] == pytest.approx(
        [row.learning_rate for row in whole]
    )
    assert resumed[0].loss == pytest.approx(whole[0].loss, rel=1e-3)


def test_a_resumed_training_ends_exactly_like_an_uninterrupted_one():
    spec = SMALL.replace(flip=True, shift=2, erase=0.5)
    whole = trained(spec)
    resumed = runs.create(spec)
    kill(resumed, in_epoch=2)
    trainer.train(resumed)
    for row, other in zip(runs.history(whole), runs.history(resumed), strict=True):
        assert other.val_loss == pytest.approx(row.val_loss, rel=1e-3)
    assert runs.read(whole).best_epoch == runs.read(resumed).best_epoch


def test_the_best_epoch_has_the_higher_score_then_the_lower_loss():
    best = Best(2, 0.8, 0.5, 0.8)
    assert best.beats(None) and best.beats(Best(1, 0.9, 0.1, 0.7))
    assert best.beats(Best(1, 0.8, 0.6, 0.8)) and not best.beats(Best(1, 0.8, 0.5, 0.8))
    assert not best.beats(Best(1, 0.8, 0.9, 0.81))
    assert Best(2).beats(Best(1)), "without validation pictures the later one is kept"


def test_a_checkpoint_keeps_the_best_epoch_also_of_versions_that_wrote_no_score():
    best = Best(2, 0.8, 0.5, 0.75)
    assert Best.from_dict(best.to_dict()) == best
    assert Best.from_dict({"epoch": 2, "val_accuracy": 0.8, "val_loss": 0.5}).score == 0.8
    assert Best.from_dict({"epoch": 1, "val_accuracy": None, "val_loss": None}) == Best(1)


def test_a_run_deleted_while_it_trains_ends_the_training_and_stays_deleted():
    run_id = runs.create(SMALL)

    def delete(progress):
        if progress.phase == "training":
            runs.delete(run_id)

    with pytest.raises(RunNotFound):
        trainer.train(
            run_id,
            report=lambda step: delete(step) if step.epoch == 1 and step.batch == 1 else None,
        )
    assert run_id not in [run.id for run in runs.list_runs()]


def test_a_finished_run_is_not_trained_again():
    run_id = trained(SMALL.replace(epochs=1))
    before = runs.version(run_id)
    assert trainer.train(run_id) == runs.read(run_id).record
    assert runs.version(run_id) == before


def test_early_stopping_ends_after_its_patience(monkeypatch):
    course, judge = (
        chain((0.3, 0.5, 0.4, 0.5), repeat(0.9)),
        evaluation.evaluate,
    )  # chosen: a training may improve for as long as it likes
    with monkeypatch.context() as change:
        change.setattr(
            evaluation,
            "evaluate",
            lambda *given: replace(judge(*given), accuracy=next(course), loss=1.0),
        )
        run_id = trained(SMALL.replace(epochs=40, early_stopping=2))
    run, rows = runs.read(run_id), runs.history(run_id)
    assert [row.val_accuracy for row in rows] == [
        0.3,
        0.5,
        0.4,
        0.5,
    ]  # as good as the best is not better
    assert run.status == "finished" and run.best_epoch == 2 and len(rows) == run.best_epoch + 2


@pytest.mark.parametrize("validation", ["last", "random", "test", "none"])
def test_every_kind_of_validation_leads_to_a_run(validation):
    run_id = trained(SMALL.replace(epochs=1, validation=validation))
    (row,) = runs.history(run_id)
    assert (row.val_accuracy is None) == (validation == "none")
    if validation == "test":
        assert len(runs.validation_predictions(run_id, 1).labels) == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.01},
        {"optimizer": "rmsprop"},
        {"optimizer": "adamw", "weight_decay": 0.01},
        {"schedule": "cosine"},
        {"schedule": "one_cycle", "warm_up": 0.0, "beta_2": 0.9},
        {"l1": 1e-5, "l2": 1e-4},
        {"label_smoothing": 0.1},
        {"average_weights": True},
        {"architecture": "swift", "filters": (8, 8), "batch_norm": True},
        {"architecture": "resnet", "filters": (8, 8), "batch_norm": True},
        {"filters": ()},
        {"activation": "leaky_relu"},
    ],
)
def test_every_option_trains(changes):
    run_id = trained(SMALL.replace(**changes))
    losses = [row.loss for row in runs.history(run_id)]
    assert (
        np.isfinite(losses).all() and losses[-1] < 0.8 * losses[0]
    )  # 0.29 to 0.52 of it with three seeds
    assert runs.read(run_id).test_accuracy > 0.3  # chance gives 0.1; 0.56 to 0.89 with three seeds


def test_the_recorded_loss_is_plain_cross_entropy():
    spec = SMALL.replace(dropout=(0.0,))
    still = spec.replace(
        start_from=trained(spec), label_smoothing=0.4, learning_rate=1e-7, epochs=1
    )  # what is learned stays as it is
    run_id = trained(still)
    (row,) = runs.history(run_id)
    data, (learned, _) = (
        fashion_mnist.load("offline-sample"),
        splits.split_for(fashion_mnist.load("offline-sample").train_labels, still),
    )
    answers = inference.Network(runs.onnx_bytes(run_id)).probabilities(data.train_pixels[learned])
    assert row.loss == pytest.approx(
        evaluation.evaluate(answers, data.train_labels[learned]).loss, rel=0.01
    )
    assert (
        row.loss < 1.4
    )  # with its smoothing included it cannot be below 1.44; 0.39 to 0.84 after these three epochs


def test_the_one_cycle_rises_for_its_share_and_falls_to_zero():
    rate = optimiser.OneCycle(0.01, 100, 0.2)
    values = [float(rate(step)) for step in range(100)]
    assert int(np.argmax(values)) == 19 and values[19] == pytest.approx(0.01)
    assert values[-1] == pytest.approx(0.01 / 80) and values == sorted(values[:20]) + sorted(
        values[20:], reverse=True
    )


def test_the_answer_of_a_run_agrees_with_evaluation():
    run_id = trained(SMALL.replace(epochs=1))
    test = runs.test_predictions(run_id)
    assert evaluation.evaluate(test.probabilities, test.labels).loss == pytest.approx(
        runs.read(run_id).test_loss
    )


def test_the_filters_of_the_first_layer_are_kept_after_every_epoch():
    run_id = trained(SMALL.replace(epochs=2))
    first, second = (runs.epoch_filters(run_id, epoch) for epoch in (1, 2))
    assert first.shape == second.shape == (3, 3, 1, 8) and not np.allclose(first, second)
    if runs.read(run_id).best_epoch == 2:
        kept = activations.load(run_id, inference.load(run_id)).first_filters()[1]
        np.testing.assert_allclose(second, kept, atol=1e-3)
    assert runs.validation_epochs(run_id) == [1, 2], "the files of the filters are not epochs"


def test_the_steps_before_the_first_batch_are_timed():
    assert start_times.usual(Step.DATA) is None
    trained(SMALL.replace(epochs=1))
    assert start_times.usual(Step.DATA) > 0 and start_times.usual(Step.NETWORK) > 0
    assert start_times.usual(Step.ENGINE) is None, "there was none"
