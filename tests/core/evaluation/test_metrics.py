"""Figures compared with scikit-learn or counted by hand."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from sklearn import metrics

from core import evaluation
from core.errors import AtelierError
from core.evaluation import NEVER_SURE
from core.inference import soften
from core.labels import CLASS_NAMES
from core.runs import Predictions


def made_up(n: int = 2000, seed: int = 0, sharpness: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that lean towards the truth, and labels that differ from them now and then."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, n)
    scores = random.normal(0, 1, (n, 10)) + sharpness * np.eye(10)[labels]
    powers = np.exp(scores)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32), labels


def one_hot(labels) -> np.ndarray:
    return np.eye(10, dtype=np.float32)[list(labels)]


# --- matrix and report ----------------------------------------------------------------------------


def test_confusion_agrees_with_scikit_learn():
    probabilities, labels = made_up()
    prediction = probabilities.argmax(axis=1)
    matrix = evaluation.confusion(labels, prediction)
    np.testing.assert_array_equal(
        matrix, metrics.confusion_matrix(labels, prediction, labels=range(10))
    )
    assert matrix.shape == (10, 10) and matrix.sum() == 2000


def test_rows_are_truth_and_columns_are_predictions():
    matrix = evaluation.confusion(np.array([6, 6, 0], np.uint8), np.array([0, 0, 6], np.uint8))
    assert (matrix[6, 0], matrix[0, 6], matrix.sum()) == (2, 1, 3)


@pytest.mark.parametrize(
    ("truth", "prediction"), [([1, 2], [1]), ([10], [1]), ([1], [-1]), ([1.0], [1]), ([[1]], [[1]])]
)
def test_confusion_refuses_what_is_no_pair_of_labels(truth, prediction):
    with pytest.raises(ValueError, match="Expected"):
        evaluation.confusion(np.array(truth), np.array(prediction))


def test_classes_that_are_mistaken_for_each_other_stand_side_by_side():
    matrix = 100 * np.eye(10, dtype=np.int64)
    matrix[0, 6], matrix[2, 4], matrix[9, 7] = 20, 15, 5
    order = evaluation.similarity_order(matrix)
    assert sorted(order) == list(range(10))
    places = np.argsort(order)
    assert all(abs(places[a] - places[b]) == 1 for a, b in ((0, 6), (2, 4), (9, 7)))
    assert evaluation.similarity_order(np.eye(10, dtype=np.int64)) == list(range(10))


@pytest.mark.parametrize("present", [range(10), (0, 3, 6)], ids=["all classes", "three classes"])
def test_the_report_agrees_with_scikit_learn(present):
    probabilities, labels = made_up()
    chosen = np.isin(labels, list(present))
    labels, prediction = labels[chosen], probabilities[chosen].argmax(axis=1)
    rows = evaluation.class_report(labels, prediction)
    expected = metrics.classification_report(
        labels,
        prediction,
        labels=range(10),
        target_names=CLASS_NAMES,
        output_dict=True,
        zero_division=0,
    )
    assert [row.name for row in rows] == [*CLASS_NAMES, "macro average", "weighted average"]
    assert [row.label for row in rows] == [*range(10), None, None]
    for row in rows:
        theirs = expected[row.name.replace("average", "avg")]
        assert (row.precision, row.recall, row.f1, row.support) == pytest.approx(
            (theirs["precision"], theirs["recall"], theirs["f1-score"], theirs["support"])
        ), row.name


def test_most_confused_pairs_come_by_frequency_without_the_diagonal():
    matrix = np.diag(np.full(10, 900))
    matrix[6, 0], matrix[0, 6], matrix[4, 2] = 120, 80, 80
    assert evaluation.most_confused(matrix, 2) == [(6, 0, 120), (0, 6, 80)]
    assert evaluation.most_confused(matrix, 9) == [(6, 0, 120), (0, 6, 80), (4, 2, 80)]
    assert evaluation.most_confused(np.diag(np.full(10, 5))) == []
    assert matrix[0, 0] == 900


def test_a_matrix_as_csv_reads_back():
    matrix = np.arange(100).reshape(10, 10)
    lines = list(csv.reader(io.StringIO(evaluation.confusion_csv(matrix))))
    assert lines[0] == ["truth", *CLASS_NAMES]
    assert [line[0] for line in lines[1:]] == list(CLASS_NAMES)
    np.testing.assert_array_equal(np.array([line[1:] for line in lines[1:]], int), matrix)
    assert '"T-shirt/top"' in evaluation.confusion_csv(matrix)


# --- evaluation as a whole ------------------------------------------------------------------------


def test_accuracy_and_loss_agree_with_scikit_learn():
    probabilities, labels = made_up()
    result = evaluation.evaluate(probabilities, labels)
    assert result.accuracy == pytest.approx(
        metrics.accuracy_score(labels, probabilities.argmax(axis=1))
    )
    exact = probabilities.astype(np.float64)
    assert result.loss == pytest.approx(
        metrics.log_loss(labels, exact / exact.sum(axis=1, keepdims=True), labels=range(10)),
        rel=1e-5,
    )
    assert result.n == 2000
    assert result.confusion.trace() == round(result.accuracy * 2000)


def test_a_certain_mistake_costs_as_much_as_in_keras():
    assert evaluation.evaluate(one_hot([3]), np.array([4])).loss == pytest.approx(
        -np.log(1e-7), rel=1e-5
    )


@pytest.mark.parametrize(
    ("probabilities", "labels"),
    [
        (np.zeros((0, 10)), np.zeros(0, int)),
        (np.zeros((2, 9)), np.zeros(2, int)),
        (np.zeros((2, 10)), np.zeros(3, int)),
        (np.zeros((1, 10)), np.array([11])),
    ],
)
def test_what_cannot_be_evaluated_is_refused(probabilities, labels):
    with pytest.raises(ValueError, match=r"Expected|nothing to evaluate"):
        evaluation.evaluate(probabilities, labels)


# --- confidence -----------------------------------------------------------------------------------


def with_confidences(confidences, right) -> tuple[np.ndarray, np.ndarray]:
    """Answers for class 0 with these confidences, the rest on class 1; the labels make them right
    or wrong.
    """
    probabilities = np.zeros((len(confidences), 10), np.float32)
    probabilities[:, 0] = confidences
    probabilities[:, 1] = 1 - probabilities[:, 0]
    return probabilities, np.where(right, 0, 1)


def test_calibration_counted_by_hand():
    result = evaluation.calibration(
        *with_confidences([0.95, 0.95, 0.55, 0.55], [True, True, True, False]), bins=10
    )
    assert result.count.tolist() == [0, 0, 0, 0, 0, 2, 0, 0, 0, 2]
    assert (result.accuracy[5], result.accuracy[9]) == (0.5, 1.0)
    assert (result.confidence[5], result.confidence[9]) == pytest.approx((0.55, 0.95))
    assert np.isnan(result.accuracy[0]) and np.isnan(result.confidence[0])
    assert result.error == pytest.approx(0.05)


def test_a_confidence_on_an_edge_belongs_below_and_one_to_the_last_bin():
    result = evaluation.calibration(*with_confidences([1.0, 0.75], [True, True]), bins=4)
    assert result.count.tolist() == [0, 0, 1, 1]


def test_the_fitted_temperature_undoes_an_exaggeration():
    random = np.random.default_rng(4)
    honest = soften(made_up(20_000, sharpness=2.0)[0], 1.0).astype(np.float64)
    honest /= honest.sum(axis=1, keepdims=True)
    # Drawn from the probabilities themselves.
    labels = (honest.cumsum(axis=1) > random.random((len(honest), 1))).argmax(axis=1)
    for exaggeration in (0.4, 1.0, 2.0):
        temperature = evaluation.fit_temperature(soften(honest, exaggeration), labels)
        assert temperature == pytest.approx(1 / exaggeration, rel=0.03)


def test_no_other_temperature_has_a_lower_loss():
    from scipy.optimize import minimize_scalar

    probabilities, labels = made_up(3000, seed=5)
    probabilities = soften(probabilities, 0.5)

    def loss(temperature: float) -> float:
        softened = soften(probabilities, temperature).astype(np.float64)
        return metrics.log_loss(
            labels, softened / softened.sum(axis=1, keepdims=True), labels=range(10)
        )

    best = minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x
    assert evaluation.fit_temperature(probabilities, labels) == pytest.approx(best, rel=1e-2)


def test_a_temperature_is_only_fitted_where_there_are_mistakes():
    assert evaluation.fit_temperature(one_hot(range(10)) * 0.91 + 0.009, np.arange(10)) == 1.0
    assert evaluation.fit_temperature(np.zeros((0, 10)), np.zeros(0, int)) == 1.0


def test_a_fit_survives_certain_mistakes():
    probabilities, labels = one_hot([0, 1, 2, 3]), np.array([0, 1, 2, 4])
    assert 1 < evaluation.fit_temperature(probabilities, labels) <= 10.001


def test_the_threshold_is_the_smallest_confidence_that_is_right_often_enough():
    confidences = [0.99, 0.98, 0.97, 0.96, 0.95, 0.80, 0.79]
    probabilities, labels = with_confidences(
        confidences, [True, False, True, True, True, False, True]
    )
    assert evaluation.sure_threshold(probabilities, labels, precision=0.8) == np.float32(0.95)
    assert evaluation.sure_threshold(probabilities, labels, precision=0.7) == np.float32(0.79)
    assert evaluation.sure_threshold(probabilities, labels, precision=1.0) == np.float32(0.99)


def test_what_the_threshold_promises_holds_and_nothing_below_it_does():
    probabilities, labels = made_up(5000, seed=2)
    threshold = evaluation.sure_threshold(probabilities, labels)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    assert right[confidence >= threshold].mean() >= 0.95
    assert not any(
        right[confidence >= lower].mean() >= 0.95 for lower in confidence[confidence < threshold]
    )


def test_equal_confidences_are_sure_together_or_not_at_all():
    probabilities, labels = with_confidences([0.9, 0.9, 0.9, 0.9], [True, True, True, False])
    assert evaluation.sure_threshold(probabilities, labels) == NEVER_SURE
    assert evaluation.sure_threshold(probabilities, labels, precision=0.75) == np.float32(0.9)


def test_a_network_that_is_never_right_enough_is_never_sure():
    assert evaluation.sure_threshold(one_hot([1, 1]), np.array([2, 3])) == NEVER_SURE
    assert evaluation.sure_threshold(np.zeros((0, 10)), np.zeros(0, int)) == NEVER_SURE


# --- two runs -------------------------------------------------------------------------------------


def test_comparing_two_runs_finds_what_was_repaired_and_what_broke():
    labels = np.array([0, 1, 2, 3, 4])
    before = Predictions(one_hot([0, 1, 5, 6, 7]), labels, "offline-sample")
    after = Predictions(one_hot([0, 9, 2, 6, 8]), labels, "offline-sample")
    repaired, broken, difference = evaluation.compare(before, after)
    assert (repaired.tolist(), broken.tolist()) == ([2], [1])
    assert difference.sum() == 0
    assert (
        difference[2, 2],
        difference[2, 5],
        difference[1, 1],
        difference[1, 9],
        difference[3, 6],
    ) == (1, -1, -1, 1, 0)


def test_runs_tested_on_different_pictures_cannot_be_compared():
    labels = np.array([0, 1])
    real = Predictions(one_hot(labels), labels, "fashion-mnist")
    with pytest.raises(
        AtelierError, match=r"same pictures.*fashion-mnist .*offline-sample .*Choose two runs"
    ):
        evaluation.compare(real, Predictions(one_hot(labels), labels, "offline-sample"))
    with pytest.raises(AtelierError, match="same pictures"):
        evaluation.compare(
            real, Predictions(one_hot([0, 1, 2]), np.array([0, 1, 2]), "fashion-mnist")
        )
