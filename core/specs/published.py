"""What others reported for a network, and how a run of ours compares with it.

A figure is only compared with its like. A report's test accuracy goes with our test accuracy, its
validation accuracy after the last epoch with ours after the last epoch. Where a report checked its
epochs on the test set, ours is that of the last epoch, since the best one would have been chosen
with the answers known. Losses are those without the temperature, as reports give them.

The figures of the five reports are in `core.specs.reports`, their systems in `core.specs.presets`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from core.specs.fields import Value

Measure = Literal["accuracy", "loss"]
ACCURACY: Final = "accuracy"
LOSS: Final = "loss"


class MeasuredScores(Protocol):
    """What `compare` reads of a finished run's scores; `core.runs.record.Scores` has it."""

    @property
    def test_accuracy(self) -> float | None: ...
    @property
    def test_loss(self) -> float | None: ...
    @property
    def test_loss_uncalibrated(self) -> float | None: ...


class MeasuredEpoch(Protocol):
    """What `compare` reads of an epoch; `core.runs.record.Epoch` has it."""

    @property
    def val_accuracy(self) -> float | None: ...
    @property
    def val_loss(self) -> float | None: ...


@dataclass(frozen=True)
class ClassScores:
    """One row of a classification report: shares in 0..1, as the report rounds them."""

    name: str
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Sweep:
    """One setting varied while all others stay as they are.

    Attributes:
        setting: a field of `TrainSpec`.
        values: what it was set to.
        errors_percent: the test error of each value, in percent.
    """

    setting: str
    values: tuple[Value, ...]
    errors_percent: tuple[float, ...]


@dataclass(frozen=True)
class Folds:
    """A k-fold cross-validation.

    Attributes:
        accuracies: of each fold, 0..1.
        mean_percent: as the report prints it.
        deviation_percent: the standard deviation, as the report prints it.
        shuffle_seed: by which the pictures were shuffled.
        changes: to the spec of the preset.
    """

    accuracies: tuple[float, ...]
    mean_percent: float
    deviation_percent: float
    shuffle_seed: int
    changes: Mapping[str, Value]


@dataclass(frozen=True)
class Published:
    """The figures of one report, None where it gives none.

    Attributes:
        source: the report.
        test_accuracy: 0..1, as all accuracies here.
        test_loss: in nats, as all losses here.
        again: accuracy and loss on the test set of further trainings.
        validation_accuracy: after the last epoch.
        best_validation_accuracy: after the best epoch.
        report: precision, recall and F1 of each class.
        sweeps: settings that it varied.
        folds: its cross-validation.
    """

    source: str
    test_accuracy: float | None = None
    test_loss: float | None = None
    again: tuple[tuple[float, float | None], ...] = ()
    validation_accuracy: float | None = None
    best_validation_accuracy: float | None = None
    report: tuple[ClassScores, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    folds: Folds | None = None

    @property
    def level(self) -> tuple[str, float | None]:
        """What to call the accuracy that a run is measured by, and that accuracy: on the test set,
        or else on the validation pictures.
        """
        if self.test_accuracy is None and self.validation_accuracy is not None:
            return "published validation", self.validation_accuracy
        return "published", self.test_accuracy


@dataclass(frozen=True)
class Comparison:
    """One published figure next to ours: an accuracy (0..1) or a loss (nats)."""

    figure: str
    kind: Measure
    published: float
    ours: float | None

    @property
    def difference(self) -> float | None:
        """Ours minus the published one."""
        return None if self.ours is None else self.ours - self.published

    def texts(self) -> tuple[str, str, str]:
        """Published, ours and the difference for people: accuracies in percent, differences of
        accuracies in points.
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


def text_of(kind: Measure, value: float | None) -> str:
    """An accuracy in percent, a loss with four decimals, a dash for a missing one.

    >>> text_of("accuracy", 0.9153), text_of("loss", 0.4094), text_of("loss", None)
    ('91.53 %', '0.4094', '–')
    """
    if value is None:
        return "–"
    return f"{100 * value:.2f} %" if kind == ACCURACY else f"{value:.4f}"


def compare(
    published: Published,
    scores: MeasuredScores,
    epochs: Sequence[MeasuredEpoch],
    *,
    leaks: bool,
) -> tuple[Comparison, ...]:
    """Compare every figure that a report published with that of a finished run.

    Args:
        published: the figures of the report.
        scores: those of the run's record.
        epochs: those of the run, as `runs.history` gives them.
        leaks: its epochs were checked on the test set; then our figures are those of the last epoch
            instead of the chosen one.

    Returns:
        the comparisons, test figures first; empty if the report gives no such figure.
    """
    last = epochs[-1] if epochs else None
    last_accuracy, last_loss = (last.val_accuracy, last.val_loss) if last else (None, None)
    checked = [epoch.val_accuracy for epoch in epochs if epoch.val_accuracy is not None]
    if leaks:
        after, accuracy, loss = ", last epoch", last_accuracy, last_loss
    else:
        after, accuracy, loss = "", scores.test_accuracy, scores.test_loss_uncalibrated
        loss = scores.test_loss if loss is None else loss
    entries: tuple[tuple[str, Measure, float | None, float | None], ...] = (
        (f"test accuracy{after}", ACCURACY, published.test_accuracy, accuracy),
        (f"test loss{after}", LOSS, published.test_loss, loss),
        (
            "validation accuracy, last epoch",
            ACCURACY,
            published.validation_accuracy,
            None if leaks else last_accuracy,
        ),
        (
            "validation accuracy, best epoch",
            ACCURACY,
            published.best_validation_accuracy,
            None if leaks else max(checked, default=None),
        ),
    )
    return tuple(
        Comparison(figure, kind, theirs, ours)
        for figure, kind, theirs, ours in entries
        if theirs is not None
    )
