"""What others reported for a network, and how a run of ours compares with it.

One idea: a figure is only compared with its like. A report's test accuracy stands beside our test
accuracy, its validation accuracy at the end beside ours at the end; where a report judged its
epochs on the test set, ours is that of the last epoch, since the best one would have been chosen
with the answers. Losses are those without the temperature, as reports give them.

The reports' systems themselves are in `presets`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ACCURACY, LOSS = "accuracy", "loss"


@dataclass(frozen=True)
class ClassScores:
    """One line of a classification report: shares in 0..1, as the report rounds them."""

    name: str
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Sweep:
    """One setting varied, all others kept: `values` of the `TrainSpec` field `setting`, and the
    test error of each in percent.
    """

    setting: str
    values: tuple[Any, ...]
    errors_percent: tuple[float, ...]


@dataclass(frozen=True)
class Folds:
    """A k-fold cross-validation: accuracy of each fold as a share, mean and standard deviation in
    percent as printed.
    """

    accuracies: tuple[float, ...]
    mean_percent: float
    deviation_percent: float
    shuffle_seed: int
    changes: dict[str, Any]  # to the preset's spec


@dataclass(frozen=True)
class Published:
    """The figures of one report; accuracies as shares in 0..1, losses in nats, None where it gives
    none.

    `validation_accuracy` is that of the last epoch; `again` are accuracy and loss on the test set
    of further trainings.
    """

    source: str
    test_accuracy: float | None = None
    test_loss: float | None = None
    again: tuple[tuple[float, float | None], ...] = ()
    training_accuracy: float | None = None
    validation_accuracy: float | None = None
    best_validation_accuracy: float | None = None
    seconds_an_epoch: float | None = None
    report: tuple[ClassScores, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    folds: Folds | None = None

    @property
    def level(self) -> tuple[str, float | None]:
        """The accuracy to measure a run by, and what it was measured on: the test set, else the
        validation pictures.
        """
        if self.test_accuracy is None and self.validation_accuracy is not None:
            return "published validation", self.validation_accuracy
        return "published", self.test_accuracy


@dataclass(frozen=True)
class Comparison:
    """One published figure beside ours. `kind` is "accuracy" (shares in 0..1) or "loss" (nats)."""

    figure: str
    kind: str
    published: float
    ours: float | None

    @property
    def difference(self) -> float | None:
        """Ours less the published one."""
        return None if self.ours is None else self.ours - self.published

    def texts(self) -> tuple[str, str, str]:
        """Published, ours and the difference as people read them: accuracies in percent, their
        difference in points.
        """
        if self.difference is None:
            change = "–"
        elif self.kind == ACCURACY:
            change = f"{100 * self.difference:+.2f} points"
        else:
            change = f"{self.difference:+.4f}"
        return (
            text_of(self.kind, self.published),
            text_of(self.kind, self.ours),
            change.replace("-", "\N{MINUS SIGN}"),
        )


def text_of(kind: str, value: float | None) -> str:
    """An accuracy in percent, a loss as it is, a dash for nothing."""
    if value is None:
        return "–"
    return f"{100 * value:.2f} %" if kind == ACCURACY else f"{value:.4f}"


def compare(
    published: Published, scores: dict[str, float | None], history: Sequence[dict], *, leaks: bool
) -> tuple[Comparison, ...]:
    """Put every figure that a report published beside that of a finished run.

    Args:
        scores: the run's `record["scores"]`.
        history: its epochs, as `runs.history` gives them.
        leaks: its epochs were judged on the test set; then the last one's figures are ours, not the
            chosen one's.

    Returns:
        the comparisons, test figures first; empty if the report gives no such figure.
    """
    last = history[-1] if history else {}
    best = max(
        (row["val_accuracy"] for row in history if row.get("val_accuracy") is not None),
        default=None,
    )
    accuracy, loss = (
        scores.get("test_accuracy"),
        scores.get("test_loss_uncalibrated", scores.get("test_loss")),
    )
    after = ""
    if leaks:
        accuracy, loss, after = last.get("val_accuracy"), last.get("val_loss"), ", last epoch"
    entries = (
        (f"test accuracy{after}", ACCURACY, published.test_accuracy, accuracy),
        (f"test loss{after}", LOSS, published.test_loss, loss),
        (
            "validation accuracy, last epoch",
            ACCURACY,
            published.validation_accuracy,
            None if leaks else last.get("val_accuracy"),
        ),
        (
            "validation accuracy, best epoch",
            ACCURACY,
            published.best_validation_accuracy,
            None if leaks else best,
        ),
    )
    return tuple(
        Comparison(figure, kind, theirs, ours)
        for figure, kind, theirs, ours in entries
        if theirs is not None
    )


# --- the five reports -------------------------------------------------------------------------------------------------
