"""Judge answers against the truth: accuracy, confusion, a report per class, calibration, two runs
side by side.

Everything is computed from stored probabilities and labels with a few array operations, so that a
page can afford it at every click. Rows are truth, columns are predictions, classes are 0..9
everywhere.

No network is asked here. `mistakes` finds the pictures behind the numbers, `observations` reads the
curves of a run.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import AtelierError
from core.evaluation.mistakes import measure
from core.labels import CLASS_NAMES, CLASSES
from core.runs import Predictions

NEVER_SURE = 1.01  # above every confidence
TEMPERATURES = (0.1, 10.0)  # beyond these the fit follows a handful of pictures


class ClassRow(NamedTuple):
    """How one class fared, or an average over the classes (`label` None).

    All shares in 0..1; `support` counts pictures.
    """

    label: int | None
    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Calibration:
    """Confidence against accuracy, in bins of equal width.

    Attributes:
        edges: float `(bins + 1,)`, from 0 to 1; a bin excludes its lower and includes its upper
            edge.
        confidence: float `(bins,)`, mean confidence in each bin; NaN where it is empty.
        accuracy: float `(bins,)`, share of correct answers in each bin; NaN where it is empty.
        count: int `(bins,)`, pictures in each bin.
        error: expected calibration error in 0..1: the distance between confidence and accuracy,
            weighted by `count`.
    """

    edges: NDArray[np.float64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    count: NDArray[np.int64]
    error: float


@dataclass(frozen=True)
class Evaluation:
    """How good `n` answers are: `accuracy` in 0..1, `loss` in nats (cross-entropy), and what
    `confusion`, `class_report` and `calibration` return.
    """

    accuracy: float
    loss: float
    n: int
    confusion: NDArray[np.int64]
    report: list[ClassRow]
    calibration: Calibration


class Comparison(NamedTuple):
    """Two runs on the same pictures.

    Attributes:
        repaired: int `(r,)`, positions that the first got wrong and the second gets right.
        broken: int `(b,)`, positions that the first got right and the second gets wrong.
        difference: int `(10, 10)`, confusion of the second minus that of the first; sums to 0.
    """

    repaired: NDArray[np.int64]
    broken: NDArray[np.int64]
    difference: NDArray[np.int64]


def evaluate(probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> Evaluation:
    """Judge answers as a whole.

    Args:
        probabilities: float `(n, 10)`, rows sum to 1; n at least 1.
        labels: int `(n,)`, the true classes, 0..9.

    Raises:
        ValueError: for other shapes or labels, and for no answers at all.
    """
    probabilities, labels = _checked(probabilities, labels)
    if not len(labels):
        raise ValueError("There is nothing to evaluate: no answers were given.")
    prediction = probabilities.argmax(axis=1)
    matrix = confusion(labels, prediction)
    return Evaluation(
        accuracy=float(np.trace(matrix) / len(labels)),
        loss=float(measure(probabilities, labels, "loss").mean(dtype=np.float64)),
        n=len(labels),
        confusion=matrix,
        report=class_report(labels, prediction),
        calibration=calibration(probabilities, labels),
    )


def confusion(truth: NDArray[np.integer], prediction: NDArray[np.integer]) -> NDArray[np.int64]:
    """Count the predictions for each true class.

    Args:
        truth: int `(n,)`, 0..9.
        prediction: int `(n,)`, 0..9, for the same pictures.

    Returns:
        int64 `(10, 10)`; row = truth, column = prediction; the entries sum to `n`.

    Raises:
        ValueError: if the two differ in length or contain anything other than 0..9.

    Example:
        Two T-shirts (0), of which one was called a Shirt (6), and a Shirt that was recognised:

        >>> matrix = confusion(np.array([0, 0, 6]), np.array([0, 6, 6]))
        >>> matrix[0, 6], matrix.trace(), matrix.sum()
        (np.int64(1), np.int64(2), np.int64(3))
    """
    rows, columns = _classes(truth, "truth"), _classes(prediction, "prediction")
    if len(rows) != len(columns):
        raise ValueError(
            f"Expected as many predictions as labels, received {len(columns)} for {len(rows)}."
        )
    return np.bincount(rows * CLASSES + columns, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def class_report(truth: NDArray[np.integer], prediction: NDArray[np.integer]) -> list[ClassRow]:
    """Precision, recall and F1 of every class.

    Args:
        truth, prediction: as for `confusion`.

    Returns:
        ten rows in label order, then `macro average` (all classes count the same) and `weighted
        average` (by support). A share of nothing is 0, as in scikit-learn's report with
        `zero_division=0`.
    """
    matrix = confusion(truth, prediction)
    correct, support = np.diag(matrix), matrix.sum(axis=1)
    precision, recall = _share(correct, matrix.sum(axis=0)), _share(correct, support)
    f1 = _share(2 * precision * recall, precision + recall)
    rows = [
        ClassRow(
            label,
            name,
            float(precision[label]),
            float(recall[label]),
            float(f1[label]),
            int(support[label]),
        )
        for label, name in enumerate(CLASS_NAMES)
    ]
    for name, weights in (
        ("macro average", np.full(CLASSES, 1 / CLASSES)),
        ("weighted average", _share(support, support.sum())),
    ):
        rows.append(
            ClassRow(
                None,
                name,
                float(precision @ weights),
                float(recall @ weights),
                float(f1 @ weights),
                int(support.sum()),
            )
        )
    return rows


def most_confused(matrix: NDArray[np.integer], k: int = 5) -> list[tuple[int, int, int]]:
    """The pairs of classes that are confused most often.

    Args:
        matrix: int `(10, 10)` from `confusion`.
        k: how many at most.

    Returns:
        `(truth, prediction, count)`, most frequent first; equal counts in label order, pairs that
        never occur left out.
    """
    wrong = np.array(matrix)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:k]
    return [
        (int(row), int(column), int(wrong[row, column]))
        for row, column in zip(*np.unravel_index(order, wrong.shape), strict=True)
        if wrong[row, column] > 0
    ]


def similarity_order(matrix: NDArray[np.integer]) -> list[int]:
    """The labels in an order that puts classes that are mistaken for each other side by side.

    Args:
        matrix: int `(n, n)`, row = truth, column = prediction.

    Returns:
        each of 0..n-1 once: the leaves of a hierarchical clustering, ordered so that neighbours are
        as close as possible. Without any mistake, the order of the labels.
    """
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    counts = np.asarray(matrix, np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    np.fill_diagonal(shares, 0.0)
    confused = shares + shares.T
    if not confused.any():
        return list(range(len(counts)))
    distances = 1.0 - np.sqrt(confused / confused.max())
    np.fill_diagonal(distances, 0.0)
    tree = hierarchy.linkage(squareform(distances), "average", optimal_ordering=True)
    return [int(label) for label in hierarchy.leaves_list(tree)]


def calibration(
    probabilities: NDArray[np.floating], truth: NDArray[np.integer], bins: int = 15
) -> Calibration:
    """Compare the confidence of a network with how often it was right.

    Args:
        probabilities: float `(n, 10)`.
        truth: int `(n,)`, 0..9.
        bins: how many bins of equal width.

    Source: Guo et al., On calibration of modern neural networks, arXiv 1706.04599, section 2.
    """
    probabilities, labels = _checked(probabilities, truth)
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    bin_of = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    confidences = np.bincount(bin_of, weights=confidence, minlength=bins)
    hits = np.bincount(bin_of, weights=correct.astype(np.float64), minlength=bins)
    mean_confidence, accuracy = (
        np.divide(sums, count, out=np.full(bins, np.nan), where=count > 0)
        for sums in (confidences, hits)
    )
    error = float(np.abs(confidences - hits).sum() / max(1, len(labels)))
    return Calibration(edges, mean_confidence, accuracy, count, error)


def fit_temperature(probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Find the temperature at which confidence matches accuracy best.

    Args:
        probabilities: float `(n, 10)` of pictures that were not trained on, at temperature 1.
        labels: int `(n,)`, 0..9.

    Returns:
        the temperature in 0.1..10 with the least cross-entropy, for `inference.soften`; 1 where
        there is no picture or no mistake, since then every lower temperature would look better.

    Source: Guo et al., arXiv 1706.04599, section 4.2.
    """
    probabilities, labels = _checked(probabilities, labels)
    if (probabilities.argmax(axis=1) == labels).all():
        return 1.0
    scores = np.log(np.maximum(probabilities.astype(np.float64), 1e-45))
    scores -= scores.max(axis=1, keepdims=True)
    of_truth = np.take_along_axis(scores, labels[:, None], axis=1)[:, 0]

    def loss(logarithm: float) -> float:
        power = math.exp(-logarithm)
        return float(np.log(np.exp(scores * power).sum(axis=1)).mean() - of_truth.mean() * power)

    # The loss is convex in 1/T, so it has one valley along log T, and the golden section finds it.
    ratio = (math.sqrt(5) - 1) / 2
    low, high = (math.log(bound) for bound in TEMPERATURES)
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > 1e-4:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = loss(right)
    return math.exp((low + high) / 2)


def sure_threshold(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], precision: float = 0.95
) -> float:
    """The confidence from which on a network's answers count as sure.

    Args:
        probabilities: float `(n, 10)` of pictures that were not trained on, at the temperature that
            is used later.
        labels: int `(n,)`, 0..9.
        precision: the share of sure answers that has to be correct, 0..1.

    Returns:
        the smallest confidence such that, of all answers with this confidence or more, at least
        `precision` are correct; `NEVER_SURE` where there is none.

    Source: Geifman and El-Yaniv, Selective classification for deep neural networks, arXiv
    1705.08500; here the observed share is taken, without their bound on the share of new pictures.
    """
    probabilities, labels = _checked(probabilities, labels)
    return sure_from(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels, precision)


def sure_from(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_], precision: float
) -> float:
    """The threshold of `sure_threshold`, from confidences and whether each answer was correct.

    Args:
        confidence: float `(n,)` in 0..1.
        correct: bool `(n,)`.
        precision: the share of sure answers that has to be correct, 0..1.

    Example:
        The two most confident answers are correct, the third is not:

        >>> sure_from(np.array([0.9, 0.8, 0.7]), np.array([True, True, False]), precision=0.95)
        0.8
        >>> sure_from(np.array([0.9]), np.array([False]), precision=0.95) == NEVER_SURE
        True
    """
    order = np.argsort(-confidence, kind="stable")
    confidence, correct = confidence[order], correct[order]
    share = np.cumsum(correct) / np.arange(1, len(correct) + 1)
    # Equal confidences are sure together or not at all.
    last_of_equals = np.append(confidence[1:] != confidence[:-1], True)[: len(correct)]
    enough = np.flatnonzero(last_of_equals & (share >= precision))
    return float(confidence[enough[-1]]) if len(enough) else NEVER_SURE


def compare(a: Predictions, b: Predictions) -> Comparison:
    """Find what changes from one run to another.

    Args:
        a, b: the answers of two runs to the same test pictures.

    Raises:
        AtelierError: if they were tested on different pictures.
    """
    if a.dataset != b.dataset or not np.array_equal(a.labels, b.labels):
        raise AtelierError(
            "Two runs can be compared only if both were tested on the same pictures; these were "
            f"tested on {a.dataset} ({len(a.labels):,} pictures) and {b.dataset} "
            f"({len(b.labels):,}). Choose two runs with the same data."
        )
    first, second = (each.probabilities.argmax(axis=1) for each in (a, b))
    was, now = first == a.labels, second == a.labels
    return Comparison(
        np.flatnonzero(~was & now),
        np.flatnonzero(was & ~now),
        confusion(a.labels, second) - confusion(a.labels, first),
    )


def confusion_csv(matrix: NDArray[np.integer]) -> str:
    """A matrix as CSV: a header with the predicted classes, then a line for each true class."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(["truth", *CLASS_NAMES])
    writer.writerows(
        [name, *row] for name, row in zip(CLASS_NAMES, np.asarray(matrix).tolist(), strict=True)
    )
    return text.getvalue()


def _checked(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer]
) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    probabilities, classes = np.asarray(probabilities), _classes(labels, "labels")
    if probabilities.shape != (len(classes), CLASSES):
        raise ValueError(
            f"Expected probabilities ({len(classes)}, {CLASSES}), received {probabilities.shape}."
        )
    return probabilities, classes


def _classes(values: NDArray[np.integer], name: str) -> NDArray[np.int64]:
    values = np.asarray(values)
    if values.ndim != 1 or (
        len(values)
        and (values.dtype.kind not in "iu" or values.min() < 0 or values.max() >= CLASSES)
    ):
        raise ValueError(
            f"Expected {name} (n,) of whole numbers in 0..{CLASSES - 1}, "
            f"received {values.shape} {values.dtype}."
        )
    return values.astype(np.int64)


def _share(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    parts, wholes = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    shares: NDArray[np.float64] = np.divide(
        parts, wholes, out=np.zeros(parts.shape), where=wholes > 0
    )
    return shares
