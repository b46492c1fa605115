"""Find the pictures behind the numbers: those a network got wrong, filtered and sorted, or those of
one cell of a matrix.

Everything comes back as positions in the test split, in the order in which they are shown; nothing
is copied. Mistakes are sorted by one of three measures: how confident the network was, how little
probability it gave to the truth, or how far the wrong class was ahead of it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from core.labels import CLASS_NAMES


class Sort(StrEnum):
    """What mistakes can be sorted by; see `measure`."""

    CONFIDENCE = "confidence"
    LOSS = "loss"
    MARGIN = "margin"


TINY = 1e-7  # the smallest probability in a loss, as in Keras, so that the two agree


def measure(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], by: str
) -> NDArray[np.floating]:
    """One number for each picture, by which mistakes can be sorted.

    Args:
        probabilities: float `(n, 10)`.
        labels: int `(n,)`, 0..9.
        by: a `Sort`: `confidence` (the largest probability, 0..1), `loss` (cross-entropy in nats,
            0..16) or `margin` (how far the prediction is ahead of the truth, 0..1; 0 where they
            agree).

    Returns:
        float `(n,)`.

    Raises:
        ValueError: for another measure, naming the allowed ones.
    """
    if by not in list(Sort):
        raise ValueError(f"Mistakes are sorted by {', '.join(Sort)}; received {by!r}.")
    confidence: NDArray[np.floating] = probabilities.max(axis=1)
    if by == Sort.CONFIDENCE:
        return confidence
    columns = np.asarray(labels, np.int64)[:, None]
    of_truth: NDArray[np.floating] = np.take_along_axis(probabilities, columns, axis=1)[:, 0]
    if by == Sort.MARGIN:
        return confidence - of_truth
    loss: NDArray[np.floating] = -np.log(np.clip(of_truth, TINY, 1))
    return loss


def find_mistakes(
    probabilities: NDArray[np.floating],
    labels: NDArray[np.integer],
    *,
    truth: Collection[int] | None = None,
    prediction: Collection[int] | None = None,
    confidence: tuple[float, float] = (0.0, 1.0),
    sort: str = Sort.CONFIDENCE,
    descending: bool = True,
) -> NDArray[np.int64]:
    """Positions of the pictures whose prediction differs from their label.

    Args:
        probabilities: float `(n, 10)`.
        labels: int `(n,)`, 0..9.
        truth: only pictures of these classes; None for all, an empty one for none.
        prediction: only pictures predicted as these classes; likewise.
        confidence: only answers with a confidence in this range, both ends included.
        sort: see `measure`.
        descending: largest first; equal ones stay in dataset order.

    Returns:
        int64 `(m,)`, positions in the given arrays.
    """
    labels, predicted = np.asarray(labels), probabilities.argmax(axis=1)
    largest = probabilities.max(axis=1)
    # Compared as float32, like the confidences: 0.9 as a double would leave out a confidence of
    # 0.9.
    low, high = np.float32(confidence[0]), np.float32(confidence[1])
    # Rounding may lift a confidence above 1.
    wanted = (predicted != labels) & (largest >= low) & ((largest <= high) | (high >= 1))
    if truth is not None:
        wanted &= np.isin(labels, list(truth))
    if prediction is not None:
        wanted &= np.isin(predicted, list(prediction))
    positions = np.flatnonzero(wanted)
    key = measure(probabilities[positions], labels[positions], sort)
    return positions[np.argsort(-key if descending else key, kind="stable")]


def one_of_every_class(
    probabilities: NDArray[np.floating],
    labels: NDArray[np.integer],
    *,
    sort: str = Sort.CONFIDENCE,
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
    truth: NDArray[np.integer],
    prediction: NDArray[np.integer],
    row: int,
    column: int,
    confidence: NDArray[np.floating] | None = None,
) -> NDArray[np.int64]:
    """Positions of the pictures of class `row` that were predicted as `column`, which may be equal.

    Args:
        truth, prediction: int `(n,)`, 0..9.
        row, column: a cell of the confusion matrix.
        confidence: float `(n,)`; if given, the most confident come first, otherwise dataset order.

    Returns:
        int64 `(m,)`; `m` is the number in that cell.
    """
    positions = np.flatnonzero((np.asarray(truth) == row) & (np.asarray(prediction) == column))
    if confidence is None:
        return positions
    return positions[np.argsort(-np.asarray(confidence)[positions], kind="stable")]


def mistakes_csv(
    indices: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    labels: NDArray[np.integer],
) -> str:
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
