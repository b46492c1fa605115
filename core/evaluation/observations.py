"""Say in a sentence or two what the curves of a run show, and nothing that they do not.

The first case that fits speaks, from the most to the least serious: numbers lost, nothing learned,
no validation, overfitting, still improving, settled, no trend. Every sentence carries the figures
that it rests on. A second sentence adds what matters most besides: a validation on the test set,
the epoch that was kept, the gap between training and validation, or the most frequent confusion.

It reads curves only; it does not know what another training would have reached.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.labels import CLASS_NAMES
from core.runs.record import Epoch, Record
from core.specs.spec import TrainSpec
from core.wording import percent

# Ten classes guessed at random give 0.10; anything below this has learned next to nothing.
GUESSING = 0.15
# The last validation loss, and the mean of the last three, are this many times the lowest one:
# overfitting, not noise.
RISE = 1.04
GAIN = 0.002  # validation accuracy won in the last quarter: still improving
BAND = 0.005  # validation accuracies that stay this close together have settled
GAP = 0.03  # between training and validation accuracy: worth mentioning


def observe(
    epochs: Sequence[Epoch],
    record: Record | None = None,
    matrix: NDArray[np.integer] | None = None,
) -> list[str]:
    """Describe how a training went.

    Training figures are means over an epoch during which the network was still learning, validation
    figures are taken at its end; the sentences take that into account.

    Args:
        epochs: the epochs so far, as `runs.history` returns them.
        record: the run's record, or None while it is unfinished.
        matrix: int `(10, 10)`, its confusion on the test set, if it is known.

    Returns:
        one or two sentences.
    """
    if not epochs:
        return ["No epoch has finished yet, so there are no curves to read."]
    curves = _Curves(epochs)
    for case in (_lost, _one_epoch, _without_validation, _nothing_learned):
        if sentences := case(curves, record, matrix):
            return sentences
    overfitting = _overfitting(curves)
    first = overfitting or _improving(curves, record) or _settled(curves) or _no_trend(curves)
    if _leaks(record):
        return [
            first,
            "The validation pictures were the test set, so the best epoch was chosen on it and "
            "the test accuracy makes the run look better than it is.",
        ]
    kept = curves.best
    if record is not None and record.best_epoch in range(1, len(epochs) + 1):
        kept = record.best_epoch - 1
    second = (
        _what_was_kept(curves, record, kept)
        if overfitting
        else _gap(curves, record, kept) or _most_confused(matrix)
    )
    return [first, second or _close(curves, kept)]


class _Curves:
    """The four curves as float arrays `(epochs,)`, with NaN where there is no value."""

    def __init__(self, epochs: Sequence[Epoch]) -> None:
        self.loss = _curve([epoch.loss for epoch in epochs])
        self.accuracy = _curve([epoch.accuracy for epoch in epochs])
        self.val_loss = _curve([epoch.val_loss for epoch in epochs])
        self.val_accuracy = _curve([epoch.val_accuracy for epoch in epochs])
        self.epoch = [epoch.epoch for epoch in epochs]
        self.validated = not (np.isnan(self.val_accuracy).all() or np.isnan(self.val_loss).all())

    def __len__(self) -> int:
        return len(self.loss)

    @property
    def best(self) -> int:
        """Position of the epoch with the highest validation accuracy."""
        return int(np.nanargmax(self.val_accuracy))


def _curve(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _lost(
    curves: _Curves, record: Record | None, matrix: NDArray[np.integer] | None
) -> list[str] | None:
    """The loss became infinite or not a number."""
    spoilt = np.flatnonzero(~np.isfinite(curves.loss))
    if not len(spoilt):
        return None
    return [
        f"In epoch {curves.epoch[spoilt[0]]} the loss became infinite or NaN: training diverged. "
        "A lower learning rate usually fixes this."
    ]


def _one_epoch(
    curves: _Curves, record: Record | None, matrix: NDArray[np.integer] | None
) -> list[str] | None:
    if len(curves) > 1:
        return None
    judged = (
        f"validation accuracy is {percent(curves.val_accuracy[0])}"
        if curves.validated
        else f"training accuracy is {percent(curves.accuracy[0])}"
    )
    sentences = [
        f"After one epoch {judged}; one point makes no curve, so it is too early to say whether "
        "more epochs would help."
    ]
    if _leaks(record) and curves.validated:
        sentences.append("The validation pictures were the test set.")
    elif confused := _most_confused(matrix):
        sentences.append(confused)
    return sentences


def _without_validation(
    curves: _Curves, record: Record | None, matrix: NDArray[np.integer] | None
) -> list[str] | None:
    if curves.validated:
        return None
    sentences = [
        "No pictures were held out for validation, so the curves cannot tell learning from "
        f"overfitting; training accuracy went from {percent(curves.accuracy[0])} to "
        f"{percent(curves.accuracy[-1])}."
    ]
    return sentences + ([confused] if (confused := _most_confused(matrix)) else [])


def _nothing_learned(
    curves: _Curves, record: Record | None, matrix: NDArray[np.integer] | None
) -> list[str] | None:
    if np.nanmax(curves.val_accuracy) >= GUESSING:
        return None
    return [
        "Nothing was learned: validation accuracy never passed "
        f"{percent(np.nanmax(curves.val_accuracy))}, and guessing among ten classes gives "
        f"{percent(0.1, 0)}. Another learning rate is the first thing to try."
    ]


def _overfitting(curves: _Curves) -> str | None:
    """Validation loss rose from its lowest point for good while training loss kept falling."""
    low = int(np.nanargmin(curves.val_loss))
    after = curves.val_loss[low + 1 :]
    if (
        not len(after)
        or min(np.nanmean(after[-3:]), after[-1]) < RISE * curves.val_loss[low]
        or curves.loss[-1] >= curves.loss[low]
    ):
        return None
    return (
        f"Overfitting from epoch {curves.epoch[low + 1]}: validation loss was lowest in epoch "
        f"{curves.epoch[low]} ({curves.val_loss[low]:.3f}) and rose to {curves.val_loss[-1]:.3f}, "
        f"while training loss kept falling from {curves.loss[low]:.3f} to {curves.loss[-1]:.3f}."
    )


def _improving(curves: _Curves, record: Record | None) -> str | None:
    """The last quarter of the epochs improved both measures beyond all epochs before."""
    last = max(1, round(len(curves) / 4))
    before, since = np.nanmax(curves.val_accuracy[:-last]), np.nanmax(curves.val_accuracy[-last:])
    if since - before < GAIN or np.nanmin(curves.val_loss[-last:]) >= np.nanmin(
        curves.val_loss[:-last]
    ):
        return None
    spec = record.spec if record else None
    ran_out = spec is not None and spec.schedule != "constant" and len(curves) >= spec.epochs
    advice = (
        "the learning rate had reached zero by then, so improving further takes a longer schedule"
        if ran_out
        else "more epochs would probably help"
    )
    span = "last epoch" if last == 1 else f"last {last} epochs"
    return (
        f"Still improving at the end: the {span} raised the best validation accuracy from "
        f"{percent(before)} to {percent(since)}; {advice}."
    )


def _settled(curves: _Curves) -> str | None:
    """From some epoch on, with a third of the way still to come, validation accuracy stayed within
    a narrow band.
    """
    for start in range(len(curves) - max(1, len(curves) // 3)):
        rest = curves.val_accuracy[start:]
        if np.nanmax(rest) - np.nanmin(rest) <= BAND:
            return (
                f"Settled by epoch {curves.epoch[start]}: from then on validation accuracy stayed "
                f"between {percent(np.nanmin(rest))} and {percent(np.nanmax(rest))}."
            )
    return None


def _no_trend(curves: _Curves) -> str:
    rest = curves.val_accuracy[-max(2, len(curves) // 3) :]
    return (
        f"No clear trend at the end: over the last {len(rest)} epochs validation accuracy moved "
        f"between {percent(np.nanmin(rest))} and {percent(np.nanmax(rest))}; a lower or falling "
        "learning rate often steadies it."
    )


def _what_was_kept(curves: _Curves, record: Record | None, kept: int) -> str:
    best = (
        f"validation accuracy was best in epoch {curves.epoch[kept]} "
        f"({percent(curves.val_accuracy[kept])})"
    )
    if record is None:
        return f"So far {best}, and those are the weights that would be kept."
    end = f", at the end {percent(curves.val_accuracy[-1])}" if kept < len(curves) - 1 else ""
    return f"The weights of epoch {curves.epoch[kept]} were kept: {best}{end}."


def _gap(curves: _Curves, record: Record | None, kept: int) -> str | None:
    train, validation = curves.accuracy[kept], curves.val_accuracy[kept]
    both = (
        f"In epoch {curves.epoch[kept]} it got {percent(train)} of the training and "
        f"{percent(validation)} of the validation pictures right"
    )
    if train - validation >= GAP:
        return (
            f"{both}, {100 * (train - validation):.1f} points apart: more regularisation or "
            "augmentation could narrow the gap."
        )
    if validation - train >= GAP:
        return f"{both}: " + (
            "augmentation or dropout makes training harder than validation."
            if record is not None and _harder(record.spec)
            else "the training figure is averaged over the epoch, so it lags."
        )
    return None


def _harder(spec: TrainSpec) -> bool:
    """Whether the spec makes training pictures harder than validation pictures."""
    augmented = spec.flip or spec.shift or spec.rotate or spec.erase
    return bool(augmented) or any([*spec.dropout, *spec.block_dropout])


def _most_confused(matrix: NDArray[np.integer] | None) -> str | None:
    if matrix is None:
        return None
    wrong = np.array(matrix)
    np.fill_diagonal(wrong, 0)
    row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
    if not wrong[row, column]:
        return None
    return (
        f"On the test pictures, {CLASS_NAMES[row]} mistaken for {CLASS_NAMES[column]} is the most "
        f"frequent mistake: {wrong[row, column]} of {np.asarray(matrix)[row].sum():,}."
    )


def _close(curves: _Curves, kept: int) -> str:
    return (
        "Training and validation accuracy are close together: "
        f"{percent(curves.accuracy[kept])} and {percent(curves.val_accuracy[kept])} "
        f"in epoch {curves.epoch[kept]}."
    )


def _leaks(record: Record | None) -> bool:
    return record is not None and record.spec.validation == "test"
