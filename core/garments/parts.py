"""What garments are made of: parts, and the little geometry that makes their outlines.

A shape is geometry only. A `Part` is a filled outline or a stroke, with its brightness relative to
the cloth. The cloth itself, its pattern and its light come later, in `core.garments.drawing`, so
that one shape serves for a photo-like picture as well as for a sketch. Nothing is painted here.

Coordinates: x to the right, y down, in any unit; `core.garments.drawing.fit` scales the whole to
the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Part:
    """One piece of a garment.

    Attributes:
        points: float `(k, 2)`.
        tone: brightness relative to the cloth: 1 is cloth, 0 shows the black background, 2 is the
            most.
        width: 0 for a filled outline; else the stroke's width, in the unit of the points.
    """

    points: NDArray[np.float64]
    tone: float = 1.0
    width: float = 0.0


def pick(rng: np.random.Generator, *choices: tuple[float, float]) -> float:
    """Draw one value from `(value, share)` pairs whose shares add up to 1."""
    left = rng.random()
    for value, share in choices:
        left -= share
        if left < 0:
            return value
    return choices[-1][0]  # the shares fell short of 1 by a rounding error


def area(points: Points, tone: float = 1.0, rounds: int = 0) -> Part:
    """A filled outline whose corners are cut `rounds` times."""
    return Part(smooth(np.array(points, dtype=float), rounds), tone)


def line(points: Points, tone: float, width: float) -> Part:
    """A stroke."""
    return Part(np.array(points, dtype=float), tone, width)


def mirrored(right: Points, rounds: int = 1) -> Part:
    """A filled outline from its right half, listed from top to bottom."""
    points = np.array(right, dtype=float)
    return Part(smooth(np.concatenate([points, points[::-1] * (-1, 1)]), rounds))


def stretched(points: Points, tall: float) -> list[tuple[float, float]]:
    """The same points, `tall` times as high."""
    return [(x, y * tall) for x, y in points]


def dense(corners: Points) -> NDArray[np.float64]:
    """Points along the edges of a polygon, so that smoothing rounds only its corners."""
    here = np.array(corners, dtype=float)
    there = np.roll(here, -1, axis=0)
    near, far = 0.85 * here + 0.15 * there, 0.15 * here + 0.85 * there
    return np.stack([here, near, far], axis=1).reshape(-1, 2)


def arc(
    x: float, y: float, wide: float, high: float, start: float, end: float
) -> list[tuple[float, float]]:
    """Points on an ellipse around `(x, y)`.

    Degrees run clockwise from the right, so that 180 to 360 is the upper half.
    """
    angles = np.radians(np.linspace(start, end, 14))
    return list(
        zip((x + wide * np.cos(angles)).tolist(), (y + high * np.sin(angles)).tolist(), strict=True)
    )


def smooth(points: NDArray[np.float64], rounds: int, closed: bool = True) -> NDArray[np.float64]:
    """Cut the corners of an outline `rounds` times.

    By Chaikin's rule, a quarter is cut off both ends of every edge.
    """
    for _ in range(rounds):
        here, there = (points, np.roll(points, -1, axis=0)) if closed else (points[:-1], points[1:])
        cut = np.empty((2 * len(here), 2))
        cut[0::2], cut[1::2] = 0.75 * here + 0.25 * there, 0.25 * here + 0.75 * there
        points = cut if closed else np.concatenate([points[:1], cut, points[-1:]])
    return points
