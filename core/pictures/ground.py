"""The background that a garment lies on, as seen at the border of a picture.

Colours are compared in a space whose distances resemble what an eye sees, and the border is
continued inwards by a smooth surface, since light falls off across paper, floors and walls. What
differs from that surface is found in `core.pictures.mask` and `core.pictures.photo`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def to_colours(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Brightness and two colour differences, `(h, w, 3)`.

    Distances in this space are closer to what an eye sees.
    """
    red, green, blue = np.moveaxis(rgb.astype(np.float32) / 255, -1, 0)
    return np.stack(
        [(red + green + blue) / 3, 0.9 * (red - green), 0.9 * ((red + green) / 2 - blue)], -1
    )


def colour_distance(
    colours: NDArray[np.float32], field: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Distance in colour, `(h, w)`; brightness counts less, because shadows change nothing else."""
    weighted = (colours - field) * np.array([0.8, 1.3, 1.3], np.float32)
    distance: NDArray[np.float32] = np.sqrt((weighted**2).sum(-1))
    return distance


def border_ring(height: int, width: int, thickness: int) -> NDArray[np.bool_]:
    """The outermost pixels of a frame, `(height, width)`."""
    ring = np.ones((height, width), bool)
    ring[thickness:-thickness, thickness:-thickness] = False
    return ring


def plane(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Row and column of every pixel, each from -1 to 1, `(height, width)`."""
    rows, columns = np.meshgrid(
        np.linspace(-1, 1, height, dtype=np.float32),
        np.linspace(-1, 1, width, dtype=np.float32),
        indexing="ij",
    )
    return rows, columns


def smooth_field(
    colours: NDArray[np.float32], ring: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], float, float]:
    """Fit a quadratic surface to the colours on a ring.

    The fit is robust, so that a sleeve that leaves the frame does not bend it.

    Args:
        colours: `(h, w, 3)`, from `to_colours`.
        ring: bool `(h, w)`, where the background shows.

    Returns:
        the surface `(h, w, 3)`, the ring's usual deviation from it, and the share of the ring that
        follows it.
    """
    height, width = ring.shape
    y, x = plane(height, width)
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], -1)
    known, target = terms[ring], colours[ring]
    # The first weights come from the median, as least squares would be pulled towards whatever
    # crosses the border.
    deviation = np.abs(target - np.median(target, 0)).sum(-1)
    surface = np.zeros((6, 3))
    for _ in range(8):
        noise = 1.48 * float(np.median(deviation))
        weight = (1 / (1 + (deviation / (2 * max(noise, 0.004))) ** 2) ** 2)[:, None]
        weighted = known * weight
        bend = 1e-3 * weight.sum() * np.diag(np.array([0, 1, 1, 1, 1, 1], np.float32))
        surface = np.linalg.solve(weighted.T @ known + bend + 1e-6 * np.eye(6), weighted.T @ target)
        deviation = np.sqrt(((known @ surface - target) ** 2).sum(-1))
    noise = 1.48 * float(np.median(deviation))
    return (terms @ surface).astype(np.float32), noise, float((deviation < 0.05).mean())
