"""How Keras tells a training about its batches and epochs, and is told to stop.

What is made of that is decided in `core.training.trainer`.
"""

from __future__ import annotations

import os
import time
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
    `seconds_per_batch` is the mean since the fit began.
    """

    epoch: int
    batch: int
    loss: float
    accuracy: float
    seconds_per_batch: float


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

    def batch_ended(self, batch: BatchEnd) -> bool:
        """Called at most every `REPORT_SECONDS`."""

    def epoch_ended(self, epoch: EpochEnd) -> bool:
        """Called after every epoch, also one cut short."""


class FollowFit(keras.callbacks.Callback):
    """Passes the batches and epochs of one call of `fit` on to a listener."""

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self.listener = listener
        self.fit_began = self.epoch_began = time.time()
        self.epoch = self.batches_done = 0
        self.last_report = 0.0

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        self.epoch, self.epoch_began = epoch + 1, time.time()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        self.batches_done += 1
        now = time.time()
        if now - self.last_report < REPORT_SECONDS:
            return
        self.last_report = now
        pace = (now - self.fit_began) / self.batches_done
        if self.listener.batch_ended(BatchEnd(self.epoch, batch + 1, *_means(logs), pace)):
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
