"""Say in a sentence or two what the curves of a run show, and nothing that they do not.

One idea: the first case that fits speaks, from the most to the least serious: numbers lost, nothing
learnt, no validation, overfitting, still improving, settled, no trend. Every sentence carries the
figures that it rests on. A second one adds what matters most beside it: a validation on the test
set, the epoch that was kept, the gap between training and validation, or the classes that are
mistaken most often.

It reads curves only; it does not know what another training would have brought.
"""

from __future__ import annotations

import numpy as np

from core.labels import CLASS_NAMES

# Ten classes guessed at random give 0.10; anything below this has learnt next to nothing.
GUESSING = 0.15
# The last validation loss, and the mean of the last three, are this many times the lowest one:
# overfitting, not noise.
RISE = 1.04
GAIN = 0.002  # validation accuracy won in the last quarter: still improving
BAND = 0.005  # validation accuracies that stay this close together have settled
GAP = 0.03  # between training and validation accuracy: worth a word


def observe(
    history: list[dict], record: dict | None = None, matrix: np.ndarray | None = None
) -> list[str]:
    """Describe how a training went.

    Training figures are means over an epoch in which the network still learnt, validation figures
    are taken at its end; sentences are chosen with that in mind.

    Args:
        history: the epochs so far, as `runs.history` gives them; `val_loss` and `val_accuracy` may
            be None.
        record: the run's record, or `{}` while it is unfinished.
        matrix: int `(10, 10)`, its confusion on the test set, if it is known.

    Returns:
        one or two sentences.
    """
    record = record or {}
    if not history:
        return ["No epoch has ended yet, so the curves have nothing to tell."]
    curves = _Curves(history)
    for case in (_lost, _one_epoch, _without_validation, _nothing_learnt):
        if sentences := case(curves, record, matrix):
            return sentences
    overfitting = _overfitting(curves)
    first = overfitting or _improving(curves, record) or _settled(curves) or _no_trend(curves)
    if _leaks(record):
        return [
            first,
            "The validation pictures were the test set, so the best epoch was chosen with it and the test accuracy "
            "flatters the run.",
        ]
    kept = record.get("best_epoch")
    kept = curves.best if kept not in range(1, len(history) + 1) else kept - 1
    second = (
        _what_was_kept(curves, record, kept)
        if overfitting
        else _gap(curves, record, kept) or _confused(matrix)
    )
    return [first, second or _close(curves, kept)]


class _Curves:
    """The four curves as float arrays `(epochs,)`, with NaN where there is no value."""

    def __init__(self, history: list[dict]):
        self.loss, self.accuracy, self.val_loss, self.val_accuracy = (
            np.array([np.nan if row.get(name) is None else float(row[name]) for row in history])
            for name in ("loss", "accuracy", "val_loss", "val_accuracy")
        )
        self.epoch = [int(row.get("epoch") or place + 1) for place, row in enumerate(history)]
        self.validated = not (np.isnan(self.val_accuracy).all() or np.isnan(self.val_loss).all())

    def __len__(self) -> int:
        return len(self.loss)

    @property
    def best(self) -> int:
        """Place of the epoch with the highest validation accuracy."""
        return int(np.nanargmax(self.val_accuracy))


def _lost(curves: _Curves, record: dict, matrix) -> list[str] | None:
    """The loss became infinite or no number."""
    spoilt = np.flatnonzero(~np.isfinite(curves.loss))
    if not len(spoilt):
        return None
    return [
        f"In epoch {curves.epoch[spoilt[0]]} the loss stopped being a number: the weights grew without bound. A lower "
        "learning rate usually mends it."
    ]


def _one_epoch(curves: _Curves, record: dict, matrix) -> list[str] | None:
    if len(curves) > 1:
        return None
    judged = (
        f"validation accuracy is {_percent(curves.val_accuracy[0])}"
        if curves.validated
        else f"training accuracy is {_percent(curves.accuracy[0])}"
    )
    sentences = [
        f"After one epoch {judged}; one point makes no curve, so whether more epochs would help is open."
    ]
    if _leaks(record) and curves.validated:
        sentences.append("The validation pictures were the test set.")
    elif confused := _confused(matrix):
        sentences.append(confused)
    return sentences


def _without_validation(curves: _Curves, record: dict, matrix) -> list[str] | None:
    if curves.validated:
        return None
    sentences = [
        f"No pictures were kept back for validation, so the curves cannot tell learning from overfitting; training "
        f"accuracy went from {_percent(curves.accuracy[0])} to {_percent(curves.accuracy[-1])}."
    ]
    return sentences + ([confused] if (confused := _confused(matrix)) else [])


def _nothing_learnt(curves: _Curves, record: dict, matrix) -> list[str] | None:
    if np.nanmax(curves.val_accuracy) >= GUESSING:
        return None
    return [
        f"Nothing was learnt: validation accuracy never passed {_percent(np.nanmax(curves.val_accuracy))}, and guessing "
        "among ten classes gives 10 %. Another learning rate is the first thing to try."
    ]


def _overfitting(curves: _Curves) -> str | None:
    """Validation loss left its lowest point for good while training loss went on falling."""
    low = int(np.nanargmin(curves.val_loss))
    after = curves.val_loss[low + 1 :]
    if (
        not len(after)
        or min(np.nanmean(after[-3:]), after[-1]) < RISE * curves.val_loss[low]
        or curves.loss[-1] >= curves.loss[low]
    ):
        return None
    return (
        f"Overfitting from epoch {curves.epoch[low + 1]}: validation loss was lowest in epoch {curves.epoch[low]} "
        f"({curves.val_loss[low]:.3f}) and rose to {curves.val_loss[-1]:.3f}, while training loss went on falling from "
        f"{curves.loss[low]:.3f} to {curves.loss[-1]:.3f}."
    )


def _improving(curves: _Curves, record: dict) -> str | None:
    """The last quarter of the epochs brought both measures further than all before."""
    last = max(1, round(len(curves) / 4))
    before, since = np.nanmax(curves.val_accuracy[:-last]), np.nanmax(curves.val_accuracy[-last:])
    if since - before < GAIN or np.nanmin(curves.val_loss[-last:]) >= np.nanmin(
        curves.val_loss[:-last]
    ):
        return None
    spec = record.get("spec") or {}
    ran_out = spec.get("schedule", "constant") != "constant" and len(curves) >= spec.get(
        "epochs", len(curves) + 1
    )
    advice = (
        "the learning rate had reached zero by then, so going further takes a longer schedule"
        if ran_out
        else "more epochs would probably help"
    )
    span = "last epoch" if last == 1 else f"last {last} epochs"
    return (
        f"Still improving at the end: the {span} raised the best validation accuracy from {_percent(before)} to "
        f"{_percent(since)}; {advice}."
    )


def _settled(curves: _Curves) -> str | None:
    """From some epoch on, with a third of the way still to come, validation accuracy stayed within
    a narrow band.
    """
    for place in range(len(curves) - max(1, len(curves) // 3)):
        rest = curves.val_accuracy[place:]
        if np.nanmax(rest) - np.nanmin(rest) <= BAND:
            return (
                f"Settled by epoch {curves.epoch[place]}: from there on validation accuracy stayed between "
                f"{_percent(np.nanmin(rest))} and {_percent(np.nanmax(rest))}."
            )
    return None


def _no_trend(curves: _Curves) -> str:
    rest = curves.val_accuracy[-max(2, len(curves) // 3) :]
    return (
        f"No clear trend at the end: over the last {len(rest)} epochs validation accuracy moved between "
        f"{_percent(np.nanmin(rest))} and {_percent(np.nanmax(rest))}; a lower or falling learning rate often steadies it."
    )


def _what_was_kept(curves: _Curves, record: dict, kept: int) -> str:
    best = f"validation accuracy was best in epoch {curves.epoch[kept]} ({_percent(curves.val_accuracy[kept])})"
    if not record:
        return f"So far {best}, and those are the weights that would be kept."
    end = f", at the end {_percent(curves.val_accuracy[-1])}" if kept < len(curves) - 1 else ""
    return f"The weights of epoch {curves.epoch[kept]} were kept: {best}{end}."


def _gap(curves: _Curves, record: dict, kept: int) -> str | None:
    train, validation = curves.accuracy[kept], curves.val_accuracy[kept]
    both = (
        f"In epoch {curves.epoch[kept]} it got {_percent(train)} of the training and {_percent(validation)} of the "
        "validation pictures right"
    )
    if train - validation >= GAP:
        return f"{both}, {100 * (train - validation):.1f} points apart: more regularisation or augmentation could narrow that."
    if validation - train >= GAP:
        spec = record.get("spec") or {}
        harder = any(spec.get(name) for name in ("flip", "shift", "rotate", "erase")) or any(
            share for name in ("dropout", "block_dropout") for share in spec.get(name) or ()
        )
        return f"{both}: " + (
            "augmentation or dropout make the training pictures the harder ones."
            if harder
            else "the first is a mean over an epoch in which it still learnt, so it lags behind."
        )
    return None


def _confused(matrix: np.ndarray | None) -> str | None:
    if matrix is None:
        return None
    wrong = np.array(matrix)
    np.fill_diagonal(wrong, 0)
    row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
    if not wrong[row, column]:
        return None
    return (
        f"On the test pictures, {CLASS_NAMES[row]} taken for {CLASS_NAMES[column]} is the commonest mistake: "
        f"{wrong[row, column]} of {np.asarray(matrix)[row].sum():,}."
    )


def _close(curves: _Curves, kept: int) -> str:
    return (
        f"Training and validation accuracy lie close together: {_percent(curves.accuracy[kept])} and "
        f"{_percent(curves.val_accuracy[kept])} in epoch {curves.epoch[kept]}."
    )


def _leaks(record: dict) -> bool:
    return (record.get("spec") or {}).get("validation") == "test"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
