"""Find the pictures behind the numbers: those a network got wrong, filtered and sorted, or those of
one cell of a matrix.

Everything comes back as positions in the test split, in the order to show them; nothing is copied.
Three measures put mistakes in order: how sure the network was, how little it gave the truth, and
how far the wrong class was ahead of it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection

import numpy as np

from core.labels import CLASS_NAMES

SORTS = ("confidence", "loss", "margin")
TINY = 1e-7  # the smallest probability in a loss, as in Keras, so that the two agree


def measure(probabilities: np.ndarray, labels: np.ndarray, by: str) -> np.ndarray:
    """One number for each picture, by which mistakes can be sorted.

    Args:
        probabilities: float `(n, 10)`.
        labels: int `(n,)`, 0..9.
        by: `confidence` (the largest probability, 0..1), `loss` (cross-entropy in nats, 0..16) or
            `margin` (how far the prediction is ahead of the truth, 0..1; 0 where they agree).

    Returns:
        float `(n,)`.

    Raises:
        ValueError: for another measure, naming the allowed ones.
    """
    if by not in SORTS:
        raise ValueError(f"Mistakes are sorted by {', '.join(SORTS)}; received {by!r}.")
    confidence = probabilities.max(axis=1)
    if by == "confidence":
        return confidence
    of_truth = np.take_along_axis(probabilities, np.asarray(labels, np.int64)[:, None], axis=1)[
        :, 0
    ]
    return confidence - of_truth if by == "margin" else -np.log(np.clip(of_truth, TINY, 1))


def find_mistakes(
    probabilities: np.ndarray,
    labels: np.ndarray,
    *,
    truth: Collection[int] | None = None,
    prediction: Collection[int] | None = None,
    confidence: tuple[float, float] = (0.0, 1.0),
    sort: str = "confidence",
    descending: bool = True,
) -> np.ndarray:
    """Positions of the pictures that were taken for something else.

    Args:
        probabilities: float `(n, 10)`.
        labels: int `(n,)`, 0..9.
        truth: only pictures of these classes; None for all, an empty one for none.
        prediction: only pictures taken for these classes; likewise.
        confidence: only answers with a confidence in this range, both ends included.
        sort: see `measure`.
        descending: largest first; equal ones stay in dataset order.

    Returns:
        int64 `(m,)`, positions in the given arrays.
    """
    labels, taken_for = np.asarray(labels), probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1)
    # Compared as float32, like the confidences: 0.9 as a double would leave out a confidence of
    # 0.9.
    low, high = np.float32(confidence[0]), np.float32(confidence[1])
    # Rounding may lift a confidence above 1.
    wanted = (taken_for != labels) & (sure >= low) & ((sure <= high) | (high >= 1))
    if truth is not None:
        wanted &= np.isin(labels, list(truth))
    if prediction is not None:
        wanted &= np.isin(taken_for, list(prediction))
    found = np.flatnonzero(wanted)
    key = measure(probabilities[found], labels[found], sort)
    return found[np.argsort(-key if descending else key, kind="stable")]


def one_of_every_class(
    probabilities: np.ndarray,
    labels: np.ndarray,
    *,
    sort: str = "confidence",
    descending: bool = True,
) -> dict[int, int]:
    """The first mistake of every true class, in the given order.

    Returns:
        position by label, in label order; classes without a mistake are left out.
    """
    first: dict[int, int] = {}
    for position in find_mistakes(probabilities, labels, sort=sort, descending=descending).tolist():
        first.setdefault(int(labels[position]), position)
    return dict(sorted(first.items()))


def pictures_of(
    truth: np.ndarray,
    prediction: np.ndarray,
    row: int,
    column: int,
    confidence: np.ndarray | None = None,
) -> np.ndarray:
    """Positions of the pictures of class `row` that were taken for `column`, on the diagonal too.

    Args:
        truth, prediction: int `(n,)`, 0..9.
        row, column: a cell of the confusion matrix.
        confidence: float `(n,)`; if given, the most confident come first, otherwise dataset order.

    Returns:
        int64 `(m,)`; `m` is the number in that cell.
    """
    found = np.flatnonzero((np.asarray(truth) == row) & (np.asarray(prediction) == column))
    return (
        found
        if confidence is None
        else found[np.argsort(-np.asarray(confidence)[found], kind="stable")]
    )


def mistakes_csv(indices: np.ndarray, probabilities: np.ndarray, labels: np.ndarray) -> str:
    """Pictures as CSV, a line each, in the given order.

    Args:
        indices: int `(m,)`, positions in the two arrays.
        probabilities: float `(n, 10)`.
        labels: int `(n,)`, 0..9.

    Returns:
        lines of index, truth, prediction, confidence, and a probability under the name of each
        class.
    """
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(["index", "truth", "prediction", "confidence", *CLASS_NAMES])
    for index in np.asarray(indices, np.int64).tolist():
        row = [round(float(share), 6) for share in probabilities[index]]
        truth, prediction = int(labels[index]), int(np.argmax(probabilities[index]))
        writer.writerow([index, CLASS_NAMES[truth], CLASS_NAMES[prediction], row[prediction], *row])
    return text.getvalue()
