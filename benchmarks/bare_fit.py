"""The bare `model.fit` that `training_overhead` holds the engine against: no engine, no
checkpoints, no files, no reports.

A process of its own, like the engine's worker: of the same low priority, alive for all repeats, so
that neither side pays for TensorFlow's start. It reads one spec in JSON a line and answers each
with one line of seconds. Data, network, augmentation, optimiser and loss are those that Atelier
trains with; each epoch ends with one evaluation of the validation pictures.
"""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np

from core.data import fashion_mnist, splits
from core.engine.worker import PRIORITY
from core.specs.spec import TrainSpec


def main() -> int:
    answers = os.fdopen(os.dup(1), "w")  # TensorFlow and Keras may print to the other one
    os.dup2(2, 1)
    if hasattr(os, "nice"):
        os.nice(PRIORITY)
    from core.training import trainer

    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(
            json.dumps(fit(trainer, TrainSpec.from_dict(json.loads(line)))),
            file=answers,
            flush=True,
        )
    return 0


def fit(training, spec: TrainSpec) -> dict:
    """Train a spec with one call of `model.fit`.

    Args:
        training: the module `core.training.trainer`, whose import takes seconds that are not
            counted.
        spec: one that keeps back training pictures to validate on.

    Returns:
        `epochs`, `whole_epochs`, `until_last` in seconds, as `workplace.Trained` has them, and
        `val_accuracy` of the last epoch.
    """
    from keras.utils import set_random_seed, to_categorical

    began = time.time()
    set_random_seed(spec.seed)
    data = fashion_mnist.load(spec.data)
    learn, kept = splits.split_for(data.train_labels, spec)
    y, validation_y = (to_categorical(data.train_labels[which], 10) for which in (learn, kept))
    drawn = training.Batches(data.train_pixels[learn], y, spec)
    validation_x = training.as_input(data.train_pixels[kept])
    network = training.architectures.build(spec, to_train=True)
    training.optimiser.compile_network(network, spec, len(drawn))
    clock = _clock(training.keras)
    history = network.fit(
        drawn,
        epochs=spec.epochs,
        validation_data=(validation_x, validation_y),
        shuffle=False,
        validation_batch_size=training.ANSWER_BATCH,
        verbose=0,
        callbacks=[clock],
    )
    return {
        "epochs": clock.trained,
        "whole_epochs": np.diff(clock.validated).tolist(),
        "until_last": time.time() - began,
        "val_accuracy": float(history.history["val_accuracy"][-1]),
    }


def _clock(keras):
    """A callback that notes how long training took in each epoch, and when each validation was
    done.
    """

    class Clock(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.trained, self.validated = [], []

        def on_epoch_begin(self, epoch, logs=None):
            self.began = time.time()

        def on_test_begin(self, logs=None):
            self.trained.append(time.time() - self.began)

        def on_epoch_end(self, epoch, logs=None):
            self.validated.append(time.time())

    return Clock()


if __name__ == "__main__":
    sys.exit(main())
