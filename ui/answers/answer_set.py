"""What a run answered on one set of pictures, in one shape, whether the test set or one epoch's
validation pictures.

The confusion matrix page is about such a set: its matrix, its cells' pictures, its report.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core import evaluation
from core.data.fashion_mnist import Dataset
from core.errors import RunDamaged
from core.labels import CLASS_NAMES
from core.runs import Run
from ui import cache, state
from ui.components import theme, thumbnails

SHARES = {"counts": "Counts", "truth": "Share of truth", "prediction": "Share of prediction"}


@dataclass(frozen=True)
class Answers:
    """One set of answered pictures.

    Attributes:
        run: who answered.
        data_name: the data they belong to.
        split: "test" or "training".
        indices: int `(n,)`, positions in that split.
        truth, guess: int `(n,)`, labels and most probable classes.
        confidence: float `(n,)`, the largest probability.
        probabilities: float `(n, 10)`, or None where only the first choice was kept.
        words: what was answered, such as `10,000 test pictures`.
    """

    run: Run
    data_name: str
    split: str
    indices: np.ndarray
    truth: np.ndarray
    guess: np.ndarray
    confidence: np.ndarray
    probabilities: np.ndarray | None
    words: str

    @property
    def accuracy(self) -> float:
        """Share of right answers, 0..1."""
        return float((self.truth == self.guess).mean())

    def cell(self, truth: int, guess: int) -> np.ndarray:
        """Positions of the pictures of one cell, the surest first."""
        return evaluation.pictures_of(self.truth, self.guess, truth, guess, self.confidence)

    def surest_first(self, positions: np.ndarray) -> np.ndarray:
        """The same positions, by falling confidence."""
        return positions[np.argsort(-self.confidence[positions], kind="stable")]


def on_test(run: Run) -> Answers:
    """The run's answers on the test pictures of its data.

    Raises:
        RunNotFound, RunDamaged: if they cannot be read.
    """
    found = cache.test_predictions(run.id)
    count = len(found.labels)
    if found.probabilities.shape != (count, len(CLASS_NAMES)):
        raise _damaged(run, "test.npz")
    return _checked(
        Answers(
            run,
            found.dataset,
            "test",
            np.arange(count),
            found.labels,
            found.probabilities.argmax(axis=1),
            found.probabilities.max(axis=1),
            found.probabilities,
            f"{count:,} test pictures",
        ),
        "test.npz",
    )


def on_validation(run: Run, epoch: int) -> Answers:
    """The run's answers on its validation pictures after an epoch.

    Raises:
        RunNotFound, RunDamaged: if they cannot be read.
    """
    found = cache.validation_predictions(run.id, epoch)
    split = "test" if run.spec.validation == "test" else "training"
    return _checked(
        Answers(
            run,
            run.spec.data,
            split,
            found.indices,
            found.labels,
            found.prediction.astype(np.int64),
            found.confidence,
            None,
            f"{len(found.labels):,} validation pictures after epoch {epoch}",
        ),
        f"epochs/{epoch:03d}.npz or split.npz",
    )


def _checked(answers: Answers, file: str) -> Answers:
    """The answers, unless someone has edited their file into something that cannot be answers."""
    count = len(answers.truth)
    fits = all(
        array.shape == (count,)
        for array in (answers.indices, answers.truth, answers.guess, answers.confidence)
    )
    labels = np.concatenate([answers.truth, answers.guess]) if fits and count else np.array([-1])
    if labels.min() < 0 or labels.max() >= len(CLASS_NAMES) or answers.indices.min() < 0:
        raise _damaged(answers.run, file)
    return answers


def _damaged(run: Run, file: str) -> RunDamaged:
    return RunDamaged(
        f"{file} of the run {run.name} does not hold what Atelier writes there; someone may have edited it. "
        "Restore it, or choose another run."
    )


def cell_values(
    counts: np.ndarray, share: str, hide_diagonal: bool
) -> tuple[np.ndarray, list[list[str]]]:
    """Numbers and words for the cells of a matrix.

    Args:
        counts: int `(10, 10)`, row = truth, column = prediction.
        share: one of `SHARES`.
        hide_diagonal: leave the right answers out, so that the mistakes get all the colour.

    Returns:
        float `(10, 10)` (NaN: leave empty) and the texts; a share of nothing is empty.
    """
    values = counts.astype(float)
    if share != "counts":
        totals = (
            counts.sum(axis=1, keepdims=True)
            if share == "truth"
            else counts.sum(axis=0, keepdims=True)
        )
        values = np.divide(values, totals, out=np.full(values.shape, np.nan), where=totals > 0)
    if hide_diagonal:
        np.fill_diagonal(values, np.nan)
    shown = [
        [
            "" if np.isnan(value) else f"{value:.0f}" if share == "counts" else f"{100 * value:.1f}"
            for value in row
        ]
        for row in values
    ]
    return values, shown


def cell_hover(counts: np.ndarray) -> list[list[str]]:
    """What each cell says when pointed at."""
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    return [
        [
            _said(int(counts[truth, guess]), truth, guess, int(rows[truth]), int(columns[guess]))
            for guess in range(len(counts))
        ]
        for truth in range(len(counts))
    ]


def _said(count: int, truth: int, guess: int, of_truth: int, of_guess: int) -> str:
    pair = f"<b>{CLASS_NAMES[truth]} → {CLASS_NAMES[guess]}</b>"
    parts = (
        [f"{theme.percent(count / of_truth)} of the true {CLASS_NAMES[truth]}"] if of_truth else []
    )
    parts += (
        [f"{theme.percent(count / of_guess)} of what was called {CLASS_NAMES[guess]}"]
        if of_guess
        else []
    )
    return "<br>".join([pair, f"{count:,} pictures", *parts])


def items(
    answers: Answers, data: Dataset, positions: np.ndarray, *, paired: bool = True
) -> list[thumbnails.Item]:
    """These pictures for a gallery, captioned `truth → prediction, 87 %`, or with the confidence
    alone; each has its address.

    Raises:
        RunDamaged: if the run speaks of pictures that its data do not have.
    """
    pixels = data.test_pixels if answers.split == "test" else data.train_pixels
    if answers.indices.max() >= len(pixels):
        raise _damaged(answers.run, "The record")
    made = []
    for position in map(int, positions):
        index = int(answers.indices[position])
        pair = f"{CLASS_NAMES[answers.truth[position]]} → {CLASS_NAMES[answers.guess[position]]}"
        sure = theme.percent(float(answers.confidence[position]), 0)
        made.append(
            thumbnails.Item(
                index,
                pixels[index],
                f"{pair}, {sure}" if paired else sure,
                state.link({"picture": str(index)}),
                f"{answers.split.capitalize()} picture {index}: {pair}, {sure} sure",
            )
        )
    return made
