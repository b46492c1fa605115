"""The ground a garment lies on, as seen at the border of a picture.

Colours are compared where distances resemble what an eye sees, and the border is followed inwards
by a smooth surface, since light falls off across paper, floors and walls. What leaves that surface
is somebody else's business.
"""

from __future__ import annotations

import numpy as np


def to_colours(rgb: np.ndarray) -> np.ndarray:
    """Brightness and two colour differences, float32 `(h, w, 3)`: distances here are nearer to what
    an eye sees.
    """
    red, green, blue = np.moveaxis(rgb.astype(np.float32) / 255, -1, 0)
    return np.stack(
        [(red + green + blue) / 3, 0.9 * (red - green), 0.9 * ((red + green) / 2 - blue)], -1
    )


def colour_distance(colours: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Distance in colour; brightness counts less, because shadows change it alone."""
    return np.sqrt((((colours - field) * np.array([0.8, 1.3, 1.3], np.float32)) ** 2).sum(-1))


def border_ring(height: int, width: int, thickness: int) -> np.ndarray:
    """The outermost pixels of a frame."""
    ring = np.ones((height, width), bool)
    ring[thickness:-thickness, thickness:-thickness] = False
    return ring


def plane(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of a frame, each from -1 to 1."""
    return np.meshgrid(
        np.linspace(-1, 1, height, dtype=np.float32),
        np.linspace(-1, 1, width, dtype=np.float32),
        indexing="ij",
    )


def smooth_field(colours: np.ndarray, ring: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Fit a quadratic surface to the ring, robustly: a sleeve that leaves the frame must not bend
    it.

    Returns:
        The surface `(h, w, 3)`, the ring's usual deviation from it, and the share of the ring that
        follows it.
    """
    y, x = plane(*ring.shape)
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], -1)
    known, target = terms[ring], colours[ring]
    # Start from the median: least squares from the start would be pulled by whatever crosses the
    # border.
    deviation = np.abs(target - np.median(target, 0)).sum(-1)
    for _ in range(8):
        noise = 1.48 * float(np.median(deviation))
        weight = (1 / (1 + (deviation / (2 * max(noise, 0.004))) ** 2) ** 2)[:, None]
        weighted = known * weight
        bend = 1e-3 * weight.sum() * np.diag(np.array([0, 1, 1, 1, 1, 1], np.float32))
        surface = np.linalg.solve(weighted.T @ known + bend + 1e-6 * np.eye(6), weighted.T @ target)
        deviation = np.sqrt(((known @ surface - target) ** 2).sum(-1))
    noise = 1.48 * float(np.median(deviation))
    return (terms @ surface).astype(np.float32), noise, float((deviation < 0.05).mean())
