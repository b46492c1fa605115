"""How Keras tells a training about its batches and epochs, and is told to stop.

What is made of that is decided in `core.training.trainer`.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras

REPORT_SECONDS = 0.5


@dataclass(frozen=True)
class BatchEnd:
    """A batch that is done.

    `epoch` and `batch` are counted from 1; `loss` and `accuracy` are means over the epoch so far;
    `seconds_per_batch` is the mean of the last `measured` batches, at most an epoch of them.
    """

    epoch: int
    batch: int
    loss: float
    accuracy: float
    seconds_per_batch: float
    measured: int


@dataclass(frozen=True)
class EpochEnd:
    """An epoch that is done, or was cut short by a stop.

    `loss` and `accuracy` are means over its training pictures; `seconds` is the wall time of its
    training steps; `learning_rate` is that of its end.
    """

    loss: float
    accuracy: float
    seconds: float
    learning_rate: float


class Listener(Protocol):
    """Whoever follows a fit; each answer says whether the fit is to end."""

    def batch_seen(self, epoch: int, batch: int, loss: float, accuracy: float) -> bool:
        """Called after every batch; the values are those of `BatchEnd`."""

    def batch_ended(self, batch: BatchEnd) -> bool:
        """Called at most every `REPORT_SECONDS`."""

    def epoch_ended(self, epoch: EpochEnd) -> bool:
        """Called after every epoch, also one cut short."""


class BatchClock:
    """Times the batches of a fit: not its first one, in which the graph is built, and not what
    happens between two epochs.
    """

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=100_000)
        self._last: float | None = None

    def start(self) -> None:
        """An epoch begins; only the fit's first batch goes unmeasured."""
        self._last = time.perf_counter() if self._seconds else None

    def tick(self) -> None:
        """A batch is done."""
        now = time.perf_counter()
        if self._last is not None:
            self._seconds.append(now - self._last)
        self._last = now

    def pace(self, batches: int) -> tuple[float, int]:
        """Mean seconds a batch over the last so many that were measured, and how many these are."""
        latest = list(self._seconds)[-batches:]
        return (sum(latest) / len(latest) if latest else 0.0), len(latest)


class FollowFit(keras.callbacks.Callback):
    """Passes the batches and epochs of one call of `fit` on to a listener."""

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self.listener = listener
        self.epoch_began = time.time()
        self.epoch = 0
        self.last_report = 0.0
        self.clock = BatchClock()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self.epoch, self.epoch_began = epoch + 1, time.time()
        self.clock.start()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        self.clock.tick()
        means = _means(logs)
        if self.listener.batch_seen(self.epoch, batch + 1, *means):
            self.model.stop_training = True
            return
        now = time.time()
        if now - self.last_report < REPORT_SECONDS:
            return
        self.last_report = now
        pace = self.clock.pace(self.params["steps"])
        if self.listener.batch_ended(BatchEnd(self.epoch, batch + 1, *means, *pace)):
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        seconds = time.time() - self.epoch_began
        rate = float(self.model.optimizer.learning_rate)
        if self.listener.epoch_ended(EpochEnd(*_means(logs), seconds, rate)):
            self.model.stop_training = True


def _means(logs: Mapping[str, float] | None) -> tuple[float, float]:
    """Plain cross-entropy and accuracy, of Keras's running means over the epoch."""
    values = logs or {}
    loss = values["cross_entropy"] if "cross_entropy" in values else values["loss"]
    return float(loss), float(values["accuracy"])
