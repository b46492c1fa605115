"""The bare `model.fit` that `training_overhead` compares the engine with: without an engine,
checkpoints, files or progress.

A process of its own, like the engine's worker: of the same low priority, alive for all repeats, so
that neither side pays for TensorFlow's start. It reads one spec per line as JSON and answers each
with one line of seconds. Data, network, augmentation, optimiser and loss are those that Atelier
trains with; each epoch ends with one evaluation of the validation pictures.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from core.data import fashion_mnist, splits
from core.engine.worker import PRIORITY
from core.labels import CLASSES
from core.networks import architectures
from core.specs.spec import TrainSpec

if TYPE_CHECKING:
    import keras


class BareTimes(TypedDict):
    """Seconds as `workplace.Training` has them, and the validation accuracy of the last epoch."""

    epochs: list[float]
    whole_epochs: list[float]
    until_last: float
    val_accuracy: float


def main() -> int:
    """Answer specs from standard input until it ends."""
    answers = os.fdopen(os.dup(1), "w")  # TensorFlow and Keras may print to the other one
    os.dup2(2, 1)
    if hasattr(os, "nice"):
        os.nice(PRIORITY)
    import core.training.trainer  # noqa: F401  # takes seconds, which are not counted

    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        times = fit(TrainSpec.from_dict(json.loads(line)))
        print(json.dumps(times), file=answers, flush=True)
    return 0


def fit(spec: TrainSpec) -> BareTimes:
    """Train a spec with one call of `model.fit`.

    Args:
        spec: one that holds out training pictures to validate on.
    """
    from keras.utils import set_random_seed, to_categorical

    from core.training import optimiser
    from core.training.batches import Batches, as_input
    from core.training.trainer import ANSWER_BATCH

    began = time.time()
    set_random_seed(spec.seed)
    data = fashion_mnist.load(spec.data)
    learn, held_out = splits.split_for(data.train_labels, spec)
    targets, validation_targets = (
        to_categorical(data.train_labels[which], CLASSES) for which in (learn, held_out)
    )
    batches = Batches(data.train_pixels[learn], targets, spec)
    network = architectures.build(spec, to_train=True)
    optimiser.compile_network(network, spec, len(batches))
    clock = _Clock()
    history = network.fit(
        batches,
        epochs=spec.epochs,
        validation_data=(as_input(data.train_pixels[held_out]), validation_targets),
        shuffle=False,
        validation_batch_size=ANSWER_BATCH,
        verbose=0,
        callbacks=[clock.callback()],
    )
    return {
        "epochs": clock.trained,
        "whole_epochs": np.diff(clock.validated).tolist(),
        "until_last": time.time() - began,
        "val_accuracy": float(history.history["val_accuracy"][-1]),
    }


class _Clock:
    """Notes how long training took in each epoch, and when each validation was done."""

    def __init__(self) -> None:
        self.began = 0.0
        self.trained: list[float] = []
        self.validated: list[float] = []

    def callback(self) -> keras.callbacks.Callback:
        """What Keras is to call."""
        from keras.callbacks import LambdaCallback

        def begin(epoch: int, logs: object) -> None:
            self.began = time.time()

        def validate(logs: object) -> None:
            self.trained.append(time.time() - self.began)

        def end(epoch: int, logs: object) -> None:
            self.validated.append(time.time())

        return LambdaCallback(on_epoch_begin=begin, on_test_begin=validate, on_epoch_end=end)


if __name__ == "__main__":
    sys.exit(main())
