"""What garments are put together from: parts, and the little geometry that makes their outlines.

One idea: a shape is geometry only. A `Part` is a filled outline or a stroke and says how bright it
is beside the cloth; the cloth itself, its pattern and its light come later, in
`core.garments.drawing`, so that one shape serves a picture like a photograph and a sketch alike.
Nothing is painted here.

Coordinates: x to the right, y down, in any unit; `core.garments.drawing.fit` scales the whole to
the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Part:
    """One piece of a garment.

    Attributes:
        points: float `(k, 2)`.
        tone: brightness beside the cloth: 1 is cloth, 0 lets the black background through, at most
            2.
        width: 0 for a filled outline; else the stroke's width, in the unit of the points.
    """

    points: np.ndarray
    tone: float = 1.0
    width: float = 0.0


def pick(rng: np.random.Generator, *choices: tuple[float, float]) -> float:
    """One of `(value, share)`; the shares add up to 1."""
    dice = rng.random()
    for value, share in choices:
        dice -= share
        if dice < 0:
            return value
    return choices[-1][0]  # the shares fell short of 1 by a rounding error


def area(points: Points, tone: float = 1.0, rounds: int = 0) -> Part:
    """A filled outline, its corners cut `rounds` times."""
    return Part(smooth(np.array(points, dtype=float), rounds), tone)


def line(points: Points, tone: float, width: float) -> Part:
    """A stroke."""
    return Part(np.array(points, dtype=float), tone, width)


def mirrored(right: Points, rounds: int = 1) -> Part:
    """A filled outline from its right half, listed from top to bottom."""
    points = np.array(right, dtype=float)
    return Part(smooth(np.concatenate([points, points[::-1] * (-1, 1)]), rounds))


def stretched(points: Points, tall: float) -> list[tuple[float, float]]:
    """The same points `tall` times as high."""
    return [(x, y * tall) for x, y in points]


def dense(corners: Points) -> np.ndarray:
    """Points along the edges of a polygon, so that smoothing rounds its corners and leaves its
    sides.
    """
    corners = np.array(corners, dtype=float)
    following = np.roll(corners, -1, axis=0)
    near, far = 0.85 * corners + 0.15 * following, 0.15 * corners + 0.85 * following
    return np.stack([corners, near, far], axis=1).reshape(-1, 2)


def arc(
    x: float, y: float, wide: float, high: float, start: float, end: float
) -> list[tuple[float, float]]:
    """Points on an ellipse around `(x, y)`; degrees run clockwise from the right, so 180 to 360 is
    the upper half.
    """
    angles = np.radians(np.linspace(start, end, 14))
    return list(
        zip((x + wide * np.cos(angles)).tolist(), (y + high * np.sin(angles)).tolist(), strict=True)
    )


def smooth(points: np.ndarray, rounds: int, closed: bool = True) -> np.ndarray:
    """Cut the corners of an outline `rounds` times (Chaikin's rule: a quarter off both ends of
    every edge).
    """
    for _ in range(rounds):
        here, there = (points, np.roll(points, -1, axis=0)) if closed else (points[:-1], points[1:])
        cut = np.empty((2 * len(here), 2))
        cut[0::2], cut[1::2] = 0.75 * here + 0.25 * there, 0.25 * here + 0.75 * there
        points = cut if closed else np.concatenate([points[:1], cut, points[-1:]])
    return points
