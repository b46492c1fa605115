"""What is said about invented curves, one for each case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.evaluation.observations import observe
from core.runs.record import DataFacts, Epoch, Record, Scores, Status
from core.specs.spec import TrainSpec


def curves(loss, accuracy, val_loss=None, val_accuracy=None) -> list[Epoch]:
    """Epochs from columns; validation left out means that nothing was held out."""
    none = [None] * len(loss)
    columns = zip(loss, accuracy, val_loss or none, val_accuracy or none, strict=True)
    return [
        Epoch(number, *values, seconds=1.0, learning_rate=1e-3)
        for number, values in enumerate(columns, start=1)
    ]


OVERFITTED = curves(
    [0.60, 0.35, 0.25, 0.18, 0.12, 0.08, 0.05],
    [0.78, 0.87, 0.91, 0.935, 0.955, 0.972, 0.984],
    [0.45, 0.34, 0.28, 0.27, 0.30, 0.36, 0.43],
    [0.84, 0.88, 0.90, 0.908, 0.911, 0.910, 0.909],
)
IMPROVING = curves(
    [0.9, 0.6, 0.5, 0.42],
    [0.70, 0.79, 0.83, 0.85],
    [0.7, 0.52, 0.45, 0.40],
    [0.75, 0.82, 0.845, 0.86],
)
SETTLED = curves(
    [0.5, 0.35, 0.31, 0.30, 0.295, 0.29, 0.289, 0.288],
    [0.82, 0.88, 0.895, 0.90, 0.902, 0.903, 0.904, 0.904],
    [0.42, 0.33, 0.30, 0.298, 0.297, 0.298, 0.299, 0.298],
    [0.85, 0.885, 0.897, 0.899, 0.90, 0.899, 0.90, 0.899],
)
UNSTEADY = curves(
    [0.5, 0.45, 0.44, 0.46, 0.43, 0.45],
    [0.82, 0.84, 0.85, 0.84, 0.85, 0.84],
    [0.5, 0.43, 0.52, 0.45, 0.55, 0.46],
    [0.83, 0.86, 0.82, 0.855, 0.81, 0.85],
)


def record(best_epoch: int, **spec) -> Record:
    spec = {"schedule": "constant", "validation": "stratified", "epochs": 99, **spec}
    return Record(
        id="made-up",
        spec=TrainSpec(**spec),
        created="",
        finished="",
        status=Status.FINISHED,
        status_text="finished",
        dataset=DataFacts("fashion-mnist"),
        parameters=0,
        multiply_adds=0,
        best_epoch=best_epoch,
        epochs_done=spec["epochs"],
        pictures_trained=None,
        seconds=0.0,
        scores=Scores(0.5),
    )


def test_a_run_without_epochs_has_no_curves_to_read():
    assert observe([]) == ["No epoch has finished yet, so there are no curves to read."]
    assert observe([], None) == observe([], record(1))


def test_one_epoch_makes_no_curve():
    one = curves([0.5], [0.82], [0.4], [0.853])
    assert observe(one, None) == [
        "After one epoch validation accuracy is 85.3 %; one point makes no curve, so it is too early "
        "to say whether more epochs would help."
    ]
    assert "training accuracy is 82.0 %" in observe(curves([0.5], [0.82]))[0]
    assert (
        observe(one, record(1, validation="test"))[1]
        == "The validation pictures were the test set."
    )


def test_overfitting_is_dated_and_says_which_weights_were_kept():
    first, second = observe(OVERFITTED, record(5))
    assert first == (
        "Overfitting from epoch 5: validation loss was lowest in epoch 4 (0.270) and rose to 0.430, while training "
        "loss kept falling from 0.180 to 0.050."
    )
    assert (
        second
        == "The weights of epoch 5 were kept: validation accuracy was best in epoch 5 (91.1 %), at the end 90.9 %."
    )


def test_an_unfinished_run_speaks_of_what_would_be_kept():
    assert observe(OVERFITTED, None)[1] == (
        "So far validation accuracy was best in epoch 5 (91.1 %), and those are the weights "
        "that would be kept."
    )


def test_a_validation_loss_that_rises_with_the_training_loss_is_not_called_overfitting():
    assert not any("Overfitting" in sentence for sentence in observe(UNSTEADY, record(2)))


def test_a_rise_within_the_noise_is_not_called_overfitting():
    noisy = curves(
        [0.5, 0.4, 0.35, 0.32],
        [0.8, 0.85, 0.87, 0.88],
        [0.45, 0.40, 0.405, 0.41],
        [0.83, 0.85, 0.851, 0.85],
    )
    assert not any("Overfitting" in sentence for sentence in observe(noisy, record(3)))
    recovered = curves(
        [0.5, 0.4, 0.35, 0.32],
        [0.8, 0.85, 0.87, 0.88],
        [0.45, 0.40, 0.45, 0.408],
        [0.83, 0.85, 0.851, 0.85],
    )
    assert not any("Overfitting" in sentence for sentence in observe(recovered, record(3)))


def test_a_run_that_was_still_improving_is_advised_to_train_longer():
    first, second = observe(IMPROVING, record(4))
    assert first == (
        "Still improving at the end: the last epoch raised the best validation accuracy from 84.5 % to 86.0 %; more "
        "epochs would probably help."
    )
    assert (
        second
        == "Training and validation accuracy are close together: 85.0 % and 86.0 % in epoch 4."
    )


def test_a_schedule_that_ran_out_needs_a_longer_one_and_not_more_epochs():
    assert (
        "takes a longer schedule" in observe(IMPROVING, record(4, schedule="cosine", epochs=4))[0]
    )
    assert (
        "more epochs would probably help"
        in observe(IMPROVING, record(4, schedule="cosine", epochs=10))[0]
    )


def test_a_settled_run_says_from_when_and_within_what():
    first, second = observe(SETTLED, record(5))
    assert (
        first
        == "Settled by epoch 3: from then on validation accuracy stayed between 89.7 % and 90.0 %."
    )
    assert (
        second
        == "Training and validation accuracy are close together: 90.2 % and 90.0 % in epoch 5."
    )


def test_curves_that_jump_about_have_no_trend():
    assert observe(UNSTEADY, record(2))[0] == (
        "No clear trend at the end: over the last 2 epochs validation accuracy moved between 81.0 % and 85.0 %; a lower or "
        "falling learning rate often steadies it."
    )


def test_a_gap_between_training_and_validation_is_given_in_points():
    wide = [replace(epoch, accuracy=epoch.accuracy + 0.06) for epoch in SETTLED]
    assert observe(wide, record(5))[1] == (
        "In epoch 5 it got 96.2 % of the training and 90.0 % of the validation pictures right, 6.2 points apart: more "
        "regularisation or augmentation could narrow the gap."
    )


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({}, "so it lags."),
        ({"dropout": (0.0,)}, "so it lags."),
        ({"dropout": (0.3,)}, "augmentation or dropout makes"),
        ({"flip": True}, "augmentation or dropout makes"),
    ],
)
def test_training_below_validation_is_explained_by_the_spec(spec, reason):
    harder = [replace(epoch, accuracy=epoch.accuracy - 0.06) for epoch in SETTLED]
    assert reason in observe(harder, record(5, **spec))[1]


def test_validation_on_the_test_set_is_always_mentioned():
    for history in (OVERFITTED, IMPROVING, SETTLED, UNSTEADY):
        assert "better than it is" in observe(history, record(2, validation="test"))[1]


def test_without_validation_nothing_is_said_about_overfitting():
    history = curves([0.6, 0.3, 0.1], [0.8, 0.9, 0.97])
    assert observe(history, record(3)) == [
        "No pictures were held out for validation, so the curves cannot tell learning from overfitting; training accuracy went "
        "from 80.0 % to 97.0 %."
    ]


def test_a_network_that_guesses_has_learned_nothing():
    assert observe(
        curves([2.3] * 4, [0.1] * 4, [2.3] * 4, [0.1, 0.098, 0.1, 0.102]), record(4)
    ) == [
        "Nothing was learned: validation accuracy never passed 10.2 %, and guessing among ten classes gives 10 %. Another learning "
        "rate is the first thing to try."
    ]


def test_a_loss_that_is_not_a_number_comes_before_all_else():
    history = curves(
        [0.5, float("nan"), float("nan")],
        [0.8, 0.1, 0.1],
        [0.4, float("nan"), float("nan")],
        [0.85, 0.1, 0.1],
    )
    assert observe(history, record(1)) == [
        "In epoch 2 the loss became infinite or NaN: training diverged. A "
        "lower learning rate usually fixes this."
    ]


def test_the_most_frequent_confusion_is_named_where_nothing_is_more_pressing():
    matrix = np.diag(np.full(10, 900))
    matrix[6, 0] = 100
    assert observe(SETTLED, record(5), matrix)[1] == (
        "On the test pictures, Shirt mistaken for T-shirt/top is the most frequent mistake: 100 of 1,000."
    )
    assert observe(SETTLED, record(5), np.diag(np.full(10, 900)))[1].startswith(
        "Training and validation accuracy are close"
    )


@pytest.mark.parametrize("history", [OVERFITTED, IMPROVING, SETTLED, UNSTEADY])
@pytest.mark.parametrize("length", range(1, 9))
def test_the_beginning_of_any_training_gets_one_or_two_sentences(history, length):
    for known in (None, record(1), record(77)):
        sentences = observe(history[:length], known)
        assert 1 <= len(sentences) <= 2
        assert all(sentence.endswith(".") and "nan" not in sentence for sentence in sentences)
