"""The pictures that a training sees: in a new order every epoch, each augmented at random as its
spec asks.

Augmentation is done here with NumPy, a batch at a time, while the network calculates: Keras's own
layers for it move pictures by interpolation inside the network's graph and take a quarter of the
time of a whole training step on two cores.

Which pictures these are is chosen in `core.training.training_set`.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.specs.spec import TrainSpec

ERASED_SHARES = (0.02, 0.33)  # of a picture's area
ERASED_SHAPES = (0.3, 1 / 0.3)  # height by width


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


def augment(
    pixels: NDArray[np.uint8], spec: TrainSpec, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Mirror, rotate, shift and partly erase pictures, each by its own draw.

    Args:
        pixels: `(n, 28, 28)` uint8; not changed.
        spec: `flip`, `rotate` (degrees, at most), `shift` (pixels, at most) and `erase` (share of
            the pictures) say what is done.

    Returns:
        `(n, 28, 28)` uint8. What moves in from outside is black; erased rectangles hold random grey
        values.
    """
    if spec.flip:
        pixels = np.where(rng.random(len(pixels))[:, None, None] < 0.5, pixels[:, :, ::-1], pixels)
    if spec.rotate:
        pixels = _rotate(pixels, rng.uniform(-spec.rotate, spec.rotate, len(pixels)))
    if spec.shift:
        pixels = _shift(pixels, spec.shift, rng)
    if spec.erase:
        pixels = _erase(pixels, spec.erase, rng)
    return pixels


def _rotate(pixels: NDArray[np.uint8], degrees: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.stack(
        [
            np.asarray(Image.fromarray(picture).rotate(angle, Image.Resampling.BILINEAR))
            for picture, angle in zip(pixels, degrees, strict=True)
        ]
    )


def _shift(pixels: NDArray[np.uint8], most: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Move each picture by a whole number of pixels in both directions, at most `most`."""
    count, *sides = pixels.shape
    framed = np.pad(pixels, ((0, 0), (most, most), (most, most)))
    windows = np.lib.stride_tricks.sliding_window_view(framed, sides, axis=(1, 2))
    down, right = rng.integers(0, 2 * most + 1, (2, count))
    shifted: NDArray[np.uint8] = windows[np.arange(count), down, right]
    return shifted


def _erase(pixels: NDArray[np.uint8], share: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Replace a rectangle by noise in `share` of the pictures.

    Source: Zhong et al., Random erasing, arXiv 1708.04896.
    """
    count, height, width = pixels.shape
    area = rng.uniform(*ERASED_SHARES, count) * height * width
    lowest, highest = (float(np.log(shape)) for shape in ERASED_SHAPES)
    shape = np.exp(rng.uniform(lowest, highest, count))
    tall = np.clip(np.sqrt(area * shape).round(), 1, height).astype(int)
    wide = np.clip(np.sqrt(area / shape).round(), 1, width).astype(int)
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
    rows, columns = np.arange(height), np.arange(width)
    inside_rows = (rows >= top[:, None]) & (rows < (top + tall)[:, None])
    inside_columns = (columns >= left[:, None]) & (columns < (left + wide)[:, None])
    drawn: NDArray[np.bool_] = np.asarray(rng.random(count) < share)
    erased = drawn[:, None, None] & inside_rows[:, :, None] & inside_columns[:, None, :]
    return np.where(erased, rng.integers(0, 256, pixels.shape, dtype=np.uint8), pixels)
