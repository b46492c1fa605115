"""The pictures that a training sees: in a new order every epoch, each altered at random as its spec
asks.

Altering is done here with NumPy, a batch at a time, while the network calculates: Keras's own
augmentation layers move pictures by interpolation inside the network's graph and take a quarter of
the time of a whole training step on two cores.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from PIL import Image

from core.specs.spec import TrainSpec

ERASED_SHARES = (0.02, 0.33)  # of a picture's area
ERASED_SHAPES = (0.3, 1 / 0.3)  # height by width


class Batches(keras.utils.PyDataset):
    """What a spec's training is fed with.

    What a batch holds depends on the seed, the number of the epoch and its own number alone, so
    that a training that is resumed goes on with the pictures it would have seen.

    Args:
        pixels: `(n, 28, 28)` uint8.
        targets: `(n, 10)` float32, the probability of each class.
        epochs_done: how many epochs were trained before.
    """

    def __init__(
        self, pixels: np.ndarray, targets: np.ndarray, spec: TrainSpec, *, epochs_done: int = 0
    ):
        super().__init__()
        self.pixels, self.targets, self.spec = pixels, targets, spec
        self.epoch = epochs_done
        self._shuffle()

    def __len__(self) -> int:
        return self.spec.steps(len(self.pixels))

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Pictures `(batch, 28, 28, 1)` float32 in 0..255 and their targets `(batch, 10)`; the last
        batch may be smaller.
        """
        chosen = self.order[number * self.spec.batch : (number + 1) * self.spec.batch]
        pictures = altered(
            self.pixels[chosen],
            self.spec,
            np.random.default_rng((self.spec.seed, self.epoch, number)),
        )
        return pictures[..., None].astype(np.float32), self.targets[chosen]

    def on_epoch_end(self) -> None:
        """Go on to the next epoch; Keras calls it."""
        self.epoch += 1
        self._shuffle()

    def release(self) -> None:
        """Let go of the pictures, once nobody draws batches any more: TensorFlow never lets go of
        what it drew them from.
        """
        # Copies, else they would keep the whole.
        self.pixels, self.targets = self.pixels[:0].copy(), self.targets[:0].copy()

    def _shuffle(self) -> None:
        self.order = np.random.default_rng((self.spec.seed, self.epoch)).permutation(
            len(self.pixels)
        )


def altered(pixels: np.ndarray, spec: TrainSpec, rng: np.random.Generator) -> np.ndarray:
    """Pictures mirrored, turned, shifted and erased in part, each by its own draw.

    Args:
        pixels: `(n, 28, 28)` uint8; stays as it is.
        spec: `flip`, `rotate` (degrees, at most), `shift` (pixels, at most) and `erase` (share of
            the pictures) say what is done.

    Returns:
        `(n, 28, 28)` uint8. What moves in from outside is black; erased rectangles hold random grey
        values.
    """
    if spec.flip:
        pixels = np.where(rng.random(len(pixels))[:, None, None] < 0.5, pixels[:, :, ::-1], pixels)
    if spec.rotate:
        pixels = _turned(pixels, rng.uniform(-spec.rotate, spec.rotate, len(pixels)))
    if spec.shift:
        pixels = _shifted(pixels, spec.shift, rng)
    if spec.erase:
        pixels = _erased(pixels, spec.erase, rng)
    return pixels


def _turned(pixels: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    return np.stack(
        [
            np.asarray(Image.fromarray(picture).rotate(angle, Image.Resampling.BILINEAR))
            for picture, angle in zip(pixels, degrees, strict=True)
        ]
    )


def _shifted(pixels: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Moved by a whole number of pixels each way, at most `most`."""
    count, *sides = pixels.shape
    framed = np.pad(pixels, ((0, 0), (most, most), (most, most)))
    windows = np.lib.stride_tricks.sliding_window_view(framed, sides, axis=(1, 2))
    down, right = rng.integers(0, 2 * most + 1, (2, count))
    return windows[np.arange(count), down, right]


def _erased(pixels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """A rectangle in `share` of the pictures replaced by noise.

    Source: Zhong et al., Random erasing, arXiv 1708.04896.
    """
    count, height, width = pixels.shape
    area = rng.uniform(*ERASED_SHARES, count) * height * width
    shape = np.exp(rng.uniform(*np.log(ERASED_SHAPES), count))
    tall = np.clip(np.sqrt(area * shape).round(), 1, height).astype(int)
    wide = np.clip(np.sqrt(area / shape).round(), 1, width).astype(int)
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
    rows, columns = np.arange(height), np.arange(width)
    inside_rows = (rows >= top[:, None]) & (rows < (top + tall)[:, None])
    inside_columns = (columns >= left[:, None]) & (columns < (left + wide)[:, None])
    erased = (
        (rng.random(count) < share)[:, None, None]
        & inside_rows[:, :, None]
        & inside_columns[:, None, :]
    )
    return np.where(erased, rng.integers(0, 256, pixels.shape, dtype=np.uint8), pixels)
