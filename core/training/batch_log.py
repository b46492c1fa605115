"""What every batch of a training says: written down as a curve of bounded size, and watched for a
loss that diverges.

Keras reports means over the epoch so far; what a single batch had is the difference between two of
them. A curve has at most `MOST_POINTS` points: when it is full, each two neighbours become one, so
a page draws the first minute and the hundredth hour with the same effort.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core import runs
from core.runs import BatchCurve
from core.specs.spec import TrainSpec

MOST_POINTS = 600  # a chart is hardly wider in pixels
WRITE_SECONDS = 0.5  # between two writings, at least
# Writing may take this share of the training's time; a slow disk is written to less often.
WRITE_SHARE = 0.01
# Nats, as a mean over the last batches: twenty times what guessing has.
EXPLODED = 50.0
REMEMBERED = 10  # batches that this mean goes back


@dataclass(frozen=True)
class Divergence:
    """Where and how a training came off the rails; `epoch` and `batch` are counted from 1."""

    epoch: int
    batch: int
    reason: str

    @property
    def status_text(self) -> str:
        """How the run ended, in a few words."""
        return f"diverged in epoch {self.epoch}, batch {self.batch}"

    def sentence(self, spec: TrainSpec, kept: int | None) -> str:
        """What happened and what to lower.

        Args:
            spec: of the training.
            kept: the epoch whose network is kept; None if there is none.
        """
        remedy = (
            f"Lower the learning rate ({spec.learning_rate:g}); try {spec.learning_rate / 10:g}"
        )
        if spec.precision == "bfloat16":
            remedy += ", or compute in float32"
        result = (
            "Nothing had been learned before."
            if kept is None
            else f"The network of epoch {kept} was kept."
        )
        return (
            f"The training diverged: in epoch {self.epoch}, batch {self.batch}, {self.reason}. "
            f"{result} {remedy}."
        )


class BatchLog:
    """The batches of one run, from its first training to its last resumption.

    Args:
        run_id: whose `batches.npz` is continued and written.
        pictures, batch: how many pictures an epoch and a batch have.
        epochs_done: batches after these epochs were not kept and are dropped.
    """

    def __init__(self, run_id: str, pictures: int, batch: int, epochs_done: int) -> None:
        self._run_id, self._pictures, self._batch = run_id, pictures, batch
        self._steps = math.ceil(pictures / batch)
        self._sums = (0.0, 0.0)
        self._recent: float | None = None
        self._next_write = 0.0
        self._stride = 1
        kept = runs.batch_curve(run_id)
        self._rows: list[tuple[int, int, float, float, float]] = []  # step, batches, three values
        if kept is not None and kept.steps_per_epoch == self._steps:
            counts = np.diff(kept.step, prepend=0)
            rows = zip(kept.step, counts, kept.loss, kept.accuracy, kept.learning_rate, strict=True)
            self._rows = [
                (int(step), int(count), float(loss), float(accuracy), float(rate))
                for step, count, loss, accuracy, rate in rows
                if step <= epochs_done * self._steps
            ]
            self._stride = max([1, *(count for _, count, *_ in self._rows)])

    def add(self, epoch: int, batch: int, loss: float, accuracy: float) -> Divergence | None:
        """Take in a batch; says whether the training has diverged with it.

        Args:
            epoch, batch: counted from 1.
            loss, accuracy: means over the epoch's pictures so far.
        """
        own_loss, own_accuracy = self._of_batch(batch, loss, accuracy)
        if not math.isfinite(own_loss):
            return Divergence(epoch, batch, "its loss was infinite or not a number any more")
        before = own_loss if self._recent is None else self._recent
        self._recent = before + (own_loss - before) / REMEMBERED
        if self._recent > EXPLODED:
            return Divergence(
                epoch, batch, f"its loss had risen to {self._recent:,.0f} (guessing has 2.3)"
            )
        self._append((epoch - 1) * self._steps + batch, own_loss, min(max(own_accuracy, 0.0), 1.0))
        return None

    def write_if_due(self, rates: Callable[[NDArray[np.int64]], NDArray[np.float64]]) -> None:
        """Write the curve if the last writing is long enough ago.

        Args:
            rates: the learning rates of steps, counted from 1 over all epochs.

        Raises:
            RunNotFound: if the run was deleted meanwhile.
            StorageProblem: if it cannot be written.
        """
        if time.monotonic() >= self._next_write:
            self.write(rates)

    def write(self, rates: Callable[[NDArray[np.int64]], NDArray[np.float64]]) -> None:
        """Write the curve now; as `write_if_due`."""
        began = time.monotonic()
        if not self._rows:
            return
        step, _, loss, accuracy, rate = (
            np.array(column) for column in zip(*self._rows, strict=True)
        )
        unknown = np.isnan(rate)
        if unknown.any():
            rate[unknown] = rates(step[unknown])
            self._rows = [
                (*row[:4], float(value)) for row, value in zip(self._rows, rate, strict=True)
            ]
        curve = BatchCurve(self._steps, step, loss, accuracy, rate)
        runs.write_batch_curve(self._run_id, curve)
        spent = time.monotonic() - began
        self._next_write = time.monotonic() + max(WRITE_SECONDS, spent / WRITE_SHARE)

    def _of_batch(self, batch: int, loss: float, accuracy: float) -> tuple[float, float]:
        """A batch's own loss and accuracy, from the means with it and without it."""
        seen = min(batch * self._batch, self._pictures)
        before = (batch - 1) * self._batch
        sums = (loss * seen, accuracy * seen)
        earlier = self._sums if batch > 1 else (0.0, 0.0)
        self._sums = sums
        size = seen - before
        return (sums[0] - earlier[0]) / size, (sums[1] - earlier[1]) / size

    def _append(self, step: int, loss: float, accuracy: float) -> None:
        """Add a batch to the last point, or begin a new one; a new one has no rate yet."""
        last = self._rows[-1] if self._rows else None
        if last is not None and last[1] < self._stride and last[0] == step - 1:
            self._rows[-1] = _joined(last, (step, 1, loss, accuracy, math.nan))
        else:
            self._rows.append((step, 1, loss, accuracy, math.nan))
        if len(self._rows) > MOST_POINTS:
            even = len(self._rows) // 2 * 2
            pairs = zip(self._rows[:even:2], self._rows[1:even:2], strict=True)
            self._rows = [*(_joined(one, other) for one, other in pairs), *self._rows[even:]]
            self._stride *= 2


def _joined(
    one: tuple[int, int, float, float, float], other: tuple[int, int, float, float, float]
) -> tuple[int, int, float, float, float]:
    """Two neighbouring points as one: means of loss and accuracy, the later one's step and rate."""
    count = one[1] + other[1]
    loss, accuracy = ((one[1] * one[place] + other[1] * other[place]) / count for place in (2, 3))
    return other[0], count, loss, accuracy, other[4]
