"""The pictures that a training sees: in a new order every epoch, each augmented at random as its
spec asks.

How they are augmented is in `core.training.augmentation`. Which pictures these are is chosen in
`core.training.training_set`.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from numpy.typing import NDArray

from core.specs.spec import TrainSpec
from core.training.augmentation import augment


class Batches(keras.utils.PyDataset):
    """The batches of a spec's training.

    What a batch holds depends only on the seed, the number of the epoch and its own number, so that
    a resumed training sees the pictures it would have seen without the interruption.

    Args:
        pixels: `(n, 28, 28)` uint8.
        targets: `(n, 10)` float32, the probability of each class.
        epochs_done: how many epochs were trained before.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        targets: NDArray[np.float32],
        spec: TrainSpec,
        *,
        epochs_done: int = 0,
    ) -> None:
        super().__init__()
        self.pixels, self.targets, self.spec = pixels, targets, spec
        self.epoch = epochs_done
        self.order = self._shuffled()

    def __len__(self) -> int:
        return self.spec.steps(len(self.pixels))

    def __getitem__(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Pictures `(batch, 28, 28, 1)` float32 in 0..255 and their targets `(batch, 10)`; the last
        batch may be smaller.
        """
        chosen = self.order[number * self.spec.batch : (number + 1) * self.spec.batch]
        rng = np.random.default_rng((self.spec.seed, self.epoch, number))
        return as_input(augment(self.pixels[chosen], self.spec, rng)), self.targets[chosen]

    def on_epoch_end(self) -> None:
        """Continue with the next epoch; called by Keras."""
        self.epoch += 1
        self.order = self._shuffled()

    def release(self) -> None:
        """Let go of the pictures once no more batches are drawn: TensorFlow keeps what it drew them
        from for ever.
        """
        # Copies, since views would keep the whole arrays.
        self.pixels, self.targets = self.pixels[:0].copy(), self.targets[:0].copy()

    def _shuffled(self) -> NDArray[np.int64]:
        rng = np.random.default_rng((self.spec.seed, self.epoch))
        return rng.permutation(len(self.pixels))


def as_input(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pixels `(n, 28, 28)` uint8 as what networks read: `(n, 28, 28, 1)` float32 in 0..255."""
    return pixels[..., None].astype(np.float32)
