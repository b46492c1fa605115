"""Pictures mirrored, rotated, shifted and partly erased at random, as a spec asks.

This is done with NumPy, a batch at a time, while the network calculates: Keras's own layers for it
move pictures by interpolation inside the network's graph and take a quarter of the time of a whole
training step on two cores.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.specs.spec import TrainSpec

ERASED_SHARES = (0.02, 0.33)  # of a picture's area
ERASED_SHAPES = (0.3, 1 / 0.3)  # height by width


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
