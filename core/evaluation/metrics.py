"""Judge answers against the truth: accuracy, confusion, a report per class, calibration, two runs
side by side.

One idea: everything is computed from stored probabilities and labels with a few array operations,
so a page can ask again at every click. Rows are truth, columns are predictions, classes are 0..9
everywhere.

No network is asked here. Which pictures went wrong is in `mistakes`, what the curves of a run say
in `observations`; both can be reached from here.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

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
        accuracy: float `(bins,)`, share right in each bin; NaN where it is empty.
        count: int `(bins,)`, pictures in each bin.
        error: expected calibration error in 0..1, the distance between the two, weighted by
            `count`.
    """

    edges: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    count: np.ndarray
    error: float


@dataclass(frozen=True)
class Evaluation:
    """What `n` answers are worth: `accuracy` in 0..1, `loss` in nats (cross-entropy), and the rest
    as the functions below say.
    """

    accuracy: float
    loss: float
    n: int
    confusion: np.ndarray
    report: list[ClassRow]
    calibration: Calibration

    def to_dict(self) -> dict:
        """The same as plain numbers and lists, ready for JSON; empty bins have None."""
        plain = {
            key: [None if value != value else value for value in array.tolist()]
            for key, array in asdict(self.calibration).items()
            if key != "error"
        }
        return {
            "accuracy": self.accuracy,
            "loss": self.loss,
            "n": self.n,
            "confusion": self.confusion.tolist(),
            "report": [row._asdict() for row in self.report],
            "calibration": {**plain, "error": self.calibration.error},
        }


class Comparison(NamedTuple):
    """Two runs on the same pictures.

    Attributes:
        repaired: int `(r,)`, positions that the first got wrong and the second gets right.
        broken: int `(b,)`, positions that the first got right and the second gets wrong.
        difference: int `(10, 10)`, confusion of the second minus that of the first; sums to 0.
    """

    repaired: np.ndarray
    broken: np.ndarray
    difference: np.ndarray


def evaluate(probabilities: np.ndarray, labels: np.ndarray) -> Evaluation:
    """Judge answers as a whole.

    Args:
        probabilities: float `(n, 10)`, rows sum to 1; n at least 1.
        labels: int `(n,)`, the true classes, 0..9.

    Raises:
        ValueError: if shapes or labels are others.
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


def confusion(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Count how often each class was taken for each.

    Args:
        truth: int `(n,)`, 0..9.
        prediction: int `(n,)`, 0..9, for the same pictures.

    Returns:
        int64 `(10, 10)`; row = truth, column = prediction; the entries sum to `n`.

    Raises:
        ValueError: if the two differ in length or hold something else than 0..9.
    """
    truth, prediction = _classes(truth, "truth"), _classes(prediction, "prediction")
    if len(truth) != len(prediction):
        raise ValueError(
            f"Expected as many predictions as labels, received {len(prediction)} for {len(truth)}."
        )
    return np.bincount(truth * CLASSES + prediction, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def class_report(truth: np.ndarray, prediction: np.ndarray) -> list[ClassRow]:
    """Precision, recall and F1 of every class.

    Args:
        truth, prediction: as for `confusion`.

    Returns:
        ten rows in label order, then `macro average` (classes count alike) and `weighted average`
        (by support). A share of nothing is 0, as in scikit-learn's report with `zero_division=0`.
    """
    matrix = confusion(truth, prediction)
    right, support = np.diag(matrix), matrix.sum(axis=1)
    precision, recall = _share(right, matrix.sum(axis=0)), _share(right, support)
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
                *(float(values @ weights) for values in (precision, recall, f1)),
                int(support.sum()),
            )
        )
    return rows


def most_confused(matrix: np.ndarray, k: int = 5) -> list[tuple[int, int, int]]:
    """The pairs of classes that are mistaken most often.

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


def calibration(probabilities: np.ndarray, truth: np.ndarray, bins: int = 15) -> Calibration:
    """Compare how sure a network was with how often it was right.

    Args:
        probabilities: float `(n, 10)`.
        truth: int `(n,)`, 0..9.
        bins: how many bins of equal width.

    Source: Guo et al., On calibration of modern neural networks, arXiv 1706.04599, section 2.
    """
    probabilities, truth = _checked(probabilities, truth)
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == truth
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, weights=values, minlength=bins) for values in (confidence, right)]
    error = float(np.abs(sums[0] - sums[1]).sum() / max(1, len(truth)))
    means = [
        np.divide(values, count, out=np.full(bins, np.nan), where=count > 0) for values in sums
    ]
    return Calibration(edges, *means, count, error)


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Find the temperature at which confidence agrees best with what is right.

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


def sure_threshold(probabilities: np.ndarray, labels: np.ndarray, precision: float = 0.95) -> float:
    """From which confidence on a network may speak without a question mark.

    Args:
        probabilities: float `(n, 10)` of pictures that were not trained on, at the temperature that
            is used later.
        labels: int `(n,)`, 0..9.
        precision: the share that has to be right, 0..1.

    Returns:
        the smallest confidence such that of all answers with this or more at least `precision` are
        right; `NEVER_SURE` where there is none.

    Source: Geifman and El-Yaniv, Selective classification for deep neural networks, arXiv
    1705.08500; here the share that was seen is taken, without their bound on the one to come.
    """
    probabilities, labels = _checked(probabilities, labels)
    return sure_from(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels, precision)


def sure_from(confidence: np.ndarray, right: np.ndarray, precision: float) -> float:
    """The same from confidences `(n,)` in 0..1 and whether each answer was right, bool `(n,)`."""
    order = np.argsort(-confidence, kind="stable")
    confidence, right = confidence[order], right[order]
    share = np.cumsum(right) / np.arange(1, len(right) + 1)
    # Equal confidences are sure together or not at all.
    whole = np.append(confidence[1:] != confidence[:-1], True)[: len(right)]
    enough = np.flatnonzero(whole & (share >= precision))
    return float(confidence[enough[-1]]) if len(enough) else NEVER_SURE


def compare(a: Predictions, b: Predictions) -> Comparison:
    """Say what changes from one run to another.

    Args:
        a, b: what two runs answered on the same test pictures.

    Raises:
        AtelierError: if they were tested on different pictures.
    """
    if a.dataset != b.dataset or not np.array_equal(a.labels, b.labels):
        raise AtelierError(
            "Two runs can be compared where both were tested on the same pictures; these were tested on "
            f"{a.dataset} ({len(a.labels):,} pictures) and {b.dataset} ({len(b.labels):,}). "
            "Choose two runs with the same data."
        )
    first, second = (each.probabilities.argmax(axis=1) for each in (a, b))
    was, now = first == a.labels, second == a.labels
    return Comparison(
        np.flatnonzero(~was & now),
        np.flatnonzero(was & ~now),
        confusion(a.labels, second) - confusion(a.labels, first),
    )


def confusion_csv(matrix: np.ndarray) -> str:
    """A matrix as CSV: a heading with the predicted classes, then a line for each true class."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(["truth", *CLASS_NAMES])
    writer.writerows(
        [name, *row] for name, row in zip(CLASS_NAMES, np.asarray(matrix).tolist(), strict=True)
    )
    return text.getvalue()


def _checked(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    probabilities, labels = np.asarray(probabilities), _classes(labels, "labels")
    if probabilities.shape != (len(labels), CLASSES):
        raise ValueError(
            f"Expected probabilities ({len(labels)}, {CLASSES}), received {probabilities.shape}."
        )
    return probabilities, labels


def _classes(values: np.ndarray, name: str) -> np.ndarray:
    values = np.asarray(values)
    if values.ndim != 1 or (
        len(values)
        and (values.dtype.kind not in "iu" or values.min() < 0 or values.max() >= CLASSES)
    ):
        raise ValueError(
            f"Expected {name} (n,) of whole numbers in 0..{CLASSES - 1}, received {values.shape} {values.dtype}."
        )
    return values.astype(np.int64)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    part, whole = np.broadcast_arrays(np.asarray(part, np.float64), np.asarray(whole, np.float64))
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
