"""What others reported for a network, and how a run of ours compares with it.

One idea: a figure is only compared with its like. A report's test accuracy stands beside our test accuracy, its validation
accuracy at the end beside ours at the end; where a report judged its epochs on the test set, ours is that of the last epoch,
since the best one would have been chosen with the answers. Losses are those without the temperature, as reports give them.

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
    """One setting varied, all others kept: `values` of the `TrainSpec` field `setting`, and the test error of each in percent."""

    setting: str
    values: tuple[Any, ...]
    errors_percent: tuple[float, ...]


@dataclass(frozen=True)
class Folds:
    """A k-fold cross-validation: accuracy of each fold as a share, mean and standard deviation in percent as printed."""

    accuracies: tuple[float, ...]
    mean_percent: float
    deviation_percent: float
    shuffle_seed: int
    changes: dict[str, Any]  # to the preset's spec


@dataclass(frozen=True)
class Published:
    """The figures of one report; accuracies as shares in 0..1, losses in nats, None where it gives none.

    `validation_accuracy` is that of the last epoch; `again` are accuracy and loss on the test set of further trainings.
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
        """The accuracy to measure a run by, and what it was measured on: the test set, else the validation pictures."""
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
        """Published, ours and the difference as people read them: accuracies in percent, their difference in points."""
        if self.difference is None:
            change = "–"
        elif self.kind == ACCURACY:
            change = f"{100 * self.difference:+.2f} points"
        else:
            change = f"{self.difference:+.4f}"
        return text_of(self.kind, self.published), text_of(self.kind, self.ours), change.replace("-", "\N{MINUS SIGN}")


def text_of(kind: str, value: float | None) -> str:
    """An accuracy in percent, a loss as it is, a dash for nothing."""
    if value is None:
        return "–"
    return f"{100 * value:.2f} %" if kind == ACCURACY else f"{value:.4f}"


def compare(published: Published, scores: dict[str, float | None], history: Sequence[dict], *, leaks: bool) -> tuple[Comparison, ...]:
    """Put every figure that a report published beside that of a finished run.

    Args:
        scores: the run's `record["scores"]`.
        history: its epochs, as `runs.history` gives them.
        leaks: its epochs were judged on the test set; then the last one's figures are ours, not the chosen one's.

    Returns:
        the comparisons, test figures first; empty if the report gives no such figure.
    """
    last = history[-1] if history else {}
    best = max((row["val_accuracy"] for row in history if row.get("val_accuracy") is not None), default=None)
    accuracy, loss = scores.get("test_accuracy"), scores.get("test_loss_uncalibrated", scores.get("test_loss"))
    after = ""
    if leaks:
        accuracy, loss, after = last.get("val_accuracy"), last.get("val_loss"), ", last epoch"
    entries = (
        (f"test accuracy{after}", ACCURACY, published.test_accuracy, accuracy),
        (f"test loss{after}", LOSS, published.test_loss, loss),
        ("validation accuracy, last epoch", ACCURACY, published.validation_accuracy, None if leaks else last.get("val_accuracy")),
        ("validation accuracy, best epoch", ACCURACY, published.best_validation_accuracy, None if leaks else best),
    )
    return tuple(Comparison(figure, kind, theirs, ours) for figure, kind, theirs, ours in entries if theirs is not None)


# --- the five reports -------------------------------------------------------------------------------------------------

_A = "Kulubecioglu, Laboratory Work 3: Convolutional Neural Network, Kyiv Polytechnic, 2024"
_B = "Deep Learning Project: Fashion MNIST Classification"
_C = "Assignment 6: Convolutional Neural Network"
_D = "Zerouale, MNIST Fashion Classification"
_E = "Convolutional Neural Network for Fashion-MNIST (notebook)"

LAB3 = Published(_A, 0.9153, 0.4094, again=((0.9154, 0.4230),), training_accuracy=0.9824, validation_accuracy=0.9193,
                 seconds_an_epoch=9.0)

PROJECT_CNN_1 = Published(_B, 0.8902, 0.2946, report=tuple(ClassScores(*line) for line in (
    ("T-shirt/top", 0.89, 0.76, 0.82),
    ("Trouser",     0.99, 0.97, 0.98),
    ("Pullover",    0.79, 0.87, 0.83),
    ("Dress",       0.89, 0.93, 0.91),
    ("Coat",        0.91, 0.70, 0.79),
    ("Sandal",      0.98, 0.97, 0.98),
    ("Shirt",       0.64, 0.80, 0.71),
    ("Sneaker",     0.94, 0.97, 0.96),
    ("Bag",         0.98, 0.97, 0.98),
    ("Ankle boot",  0.96, 0.96, 0.96),
)))
PROJECT_CNN_2 = Published(_B, validation_accuracy=0.9180, best_validation_accuracy=0.9230)
PROJECT_CNN_3 = Published(_B, 0.9178, 0.4871)
PROJECT_MLP = Published(_B)

ASSIGNMENT_6 = Published(_C)

# The report gives the test error in percent: 9.87 on one machine, 10.80 on another.
LAB_SGD = Published(
    _D, 0.9013, again=((0.8920, None),),
    sweeps=(
        Sweep("filters",       (8, 16, 32, 64, 128),              (10.91, 10.23, 10.22, 10.58, 11.11)),
        Sweep("dense_units",   (16, 64, 128, 256, 512),           (10.80, 10.13, 9.91, 9.84, 8.93)),
        Sweep("epochs",        (1, 2, 5, 10, 20),                 (12.75, 11.80, 11.06, 10.22, 10.04)),
        Sweep("learning_rate", (0.1, 0.01, 0.001, 0.0001, 0.00001), (15.33, 12.58, 12.31, 16.01, 29.44)),
        Sweep("dropout",       (0.1, 0.2, 0.3, 0.4, 0.5),         (10.88, 10.48, 10.79, 11.65, 11.88)),
    ),
    folds=Folds((0.8789, 0.8739, 0.8821, 0.8864, 0.8807), mean_percent=88.040, deviation_percent=0.409, shuffle_seed=1,
                changes={"epochs": 5, "learning_rate": 0.001}),
)
LAB_SGD_BEST = Published(_D, 0.9111)
LAB_SGD_SAME = Published(_D, 0.9135)
LAB_SGD_SAME64 = Published(_D, 0.9132)

NOTEBOOK = Published(_E, 0.9028, 0.3958, seconds_an_epoch=3.0)
