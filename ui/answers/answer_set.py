"""What a run predicted on one set of pictures, in one shape, whether on the test set or on the
validation pictures after one epoch.

Misclassified and Confusion matrix are about such a set: its mistakes, its matrix, its report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core import evaluation
from core.data.fashion_mnist import Dataset
from core.errors import RunDamaged
from core.explain.closer_look import Split
from core.labels import CLASS_NAMES
from core.runs import Run
from ui import cache, state
from ui.components import theme, thumbnails

Share = Literal["counts", "truth", "prediction"]
SHARES: dict[Share, str] = {
    "counts": "Counts",
    "truth": "Share of truth",
    "prediction": "Share of prediction",
}


@dataclass(frozen=True)
class Answers:
    """The predictions of a run on one set of pictures.

    Attributes:
        run: whose predictions they are.
        data_name: the data that the pictures belong to.
        split: the part of the data.
        indices: int `(n,)`, positions in that split.
        truth, prediction: int `(n,)`, labels and most probable classes.
        confidence: float `(n,)`, the largest probability.
        words: what was predicted, such as `10,000 test pictures`.
    """

    run: Run
    data_name: str
    split: Split
    indices: NDArray[np.int64]
    truth: NDArray[np.int64]
    prediction: NDArray[np.int64]
    confidence: NDArray[np.float32]
    words: str

    @property
    def accuracy(self) -> float:
        """Share of correct predictions, 0..1."""
        return float((self.truth == self.prediction).mean())

    def probabilities_of(self, position: int) -> NDArray[np.float32] | None:
        """The probabilities `(10,)` of one picture; None where only the prediction was kept."""
        return None

    def cell(self, truth: int, prediction: int) -> NDArray[np.int64]:
        """Positions of the pictures of one cell, most confident first."""
        return evaluation.pictures_of(
            self.truth, self.prediction, truth, prediction, self.confidence
        )

    def most_confident_first(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The same positions, by falling confidence."""
        return positions[np.argsort(-self.confidence[positions], kind="stable")]


@dataclass(frozen=True)
class FullAnswers(Answers):
    """The predictions of a run on the test pictures, with all ten probabilities.

    Attributes:
        probabilities: float `(n, 10)`.
    """

    probabilities: NDArray[np.float32]

    def probabilities_of(self, position: int) -> NDArray[np.float32]:
        """The probabilities `(10,)` of one picture."""
        probabilities: NDArray[np.float32] = self.probabilities[position]
        return probabilities


def on_test(run: Run) -> FullAnswers:
    """The run's predictions on the test pictures of its data.

    Raises:
        RunNotFound, RunDamaged: if they cannot be read.
    """
    stored = cache.test_predictions(run.id)
    count = len(stored.labels)
    if stored.probabilities.shape != (count, len(CLASS_NAMES)):
        raise _damaged(run, "test.npz")
    answers = FullAnswers(
        run,
        stored.dataset,
        "test",
        np.arange(count),
        stored.labels,
        stored.probabilities.argmax(axis=1),
        stored.probabilities.max(axis=1),
        f"{count:,} test pictures",
        stored.probabilities,
    )
    _check(answers, "test.npz")
    return answers


def on_validation(run: Run, epoch: int) -> Answers:
    """The run's predictions on its validation pictures after an epoch.

    Raises:
        RunNotFound, RunDamaged: if they cannot be read.
    """
    stored = cache.validation_predictions(run.id, epoch)
    answers = Answers(
        run,
        run.spec.data,
        "test" if run.spec.validation == "test" else "training",
        stored.indices,
        stored.labels,
        stored.prediction.astype(np.int64),
        stored.confidence,
        f"{len(stored.labels):,} validation pictures after epoch {epoch}",
    )
    _check(answers, f"epochs/{epoch:03d}.npz or split.npz")
    return answers


def _check(answers: Answers, file: str) -> None:
    """Refuse what no training writes: someone has edited the file.

    Raises:
        RunDamaged: naming the file.
    """
    count = len(answers.truth)
    fits = all(
        array.shape == (count,)
        for array in (answers.indices, answers.truth, answers.prediction, answers.confidence)
    )
    labels = (
        np.concatenate([answers.truth, answers.prediction]) if fits and count else np.array([-1])
    )
    if labels.min() < 0 or labels.max() >= len(CLASS_NAMES) or answers.indices.min() < 0:
        raise _damaged(answers.run, file)


def _damaged(run: Run, file: str) -> RunDamaged:
    return RunDamaged(
        f"{file} of the run {run.name} is not what Atelier writes; someone may have edited it. "
        "Restore it, or choose another run."
    )


def cell_values(
    counts: NDArray[np.int64], share: Share, hide_diagonal: bool
) -> tuple[NDArray[np.float64], list[list[str]]]:
    """Numbers and texts for the cells of a matrix.

    Args:
        counts: int `(10, 10)`, row = truth, column = prediction.
        share: counts, or shares of a row or of a column.
        hide_diagonal: leave the correct predictions out.

    Returns:
        float `(10, 10)` (NaN: leave empty) and the texts; a share of nothing is empty.
    """
    values = counts.astype(np.float64)
    if share != "counts":
        totals = counts.sum(axis=1 if share == "truth" else 0, keepdims=True)
        values = np.divide(values, totals, out=np.full(values.shape, np.nan), where=totals > 0)
    if hide_diagonal:
        np.fill_diagonal(values, np.nan)

    def text(value: float) -> str:
        if np.isnan(value):
            return ""
        return f"{value:.0f}" if share == "counts" else f"{100 * value:.1f}"

    return values, [[text(value) for value in row] for row in values.tolist()]


def cell_name(truth: int, prediction: int) -> str:
    """What is in a cell, in words."""
    if truth == prediction:
        return f"{CLASS_NAMES[truth]} classified correctly"
    return f"{CLASS_NAMES[truth]} mistaken for {CLASS_NAMES[prediction]}"


def items(
    answers: Answers, data: Dataset, positions: Sequence[int], *, paired: bool = True
) -> list[thumbnails.Item]:
    """These pictures for a gallery, each with its address.

    Args:
        paired: caption them `truth → prediction, 87 %` rather than with the confidence alone.

    Raises:
        RunDamaged: if the run has predictions for pictures that its data do not have.
    """
    pixels = data.test_pixels if answers.split == "test" else data.train_pixels
    if answers.indices.max() >= len(pixels):
        raise _damaged(answers.run, "The record")
    gallery = []
    for position in positions:
        index = int(answers.indices[position])
        truth, prediction = answers.truth[position], answers.prediction[position]
        pair = f"{CLASS_NAMES[truth]} → {CLASS_NAMES[prediction]}"
        confidence = theme.percent(float(answers.confidence[position]), 0)
        gallery.append(
            thumbnails.Item(
                index,
                pixels[index],
                f"{pair}, {confidence}" if paired else confidence,
                state.link({"picture": str(index)}),
                f"{answers.split.capitalize()} picture {index}: {pair}, {confidence} confidence",
            )
        )
    return gallery
