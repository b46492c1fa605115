"""Numbers of a network as colours: warm above zero, blue below, black at zero, in both themes.

Weights and feature maps share one scale, so that a reader learns it once.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

WORDS = "Warm: above zero. Blue: below. Black: zero."
_WARM = np.array([[0, 0, 0], [214, 88, 20], [255, 184, 64], [255, 246, 214]], np.float32)
_COLD = np.array([[0, 0, 0], [36, 92, 200], [110, 178, 255], [222, 241, 255]], np.float32)
_STOPS = np.array([0.0, 0.4, 0.75, 1.0])
GAP = 64  # grey of the lines between the tiles of a mosaic


def colours(values: NDArray[np.floating], top: float | None = None) -> NDArray[np.uint8]:
    """Colour numbers.

    Args:
        values: float, any shape.
        top: the amount that gets the brightest colour; by default, the `reach` of `values`.

    Returns:
        uint8 of the same shape with three more channels at the end.
    """
    values = np.asarray(values, np.float32)
    top = top or reach(values)
    strength = np.clip(np.abs(values) / top, 0, 1)
    warm, cold = (
        np.stack([np.interp(strength, _STOPS, ramp[:, channel]) for channel in range(3)], axis=-1)
        for ramp in (_WARM, _COLD)
    )
    coloured: NDArray[np.uint8] = (
        np.where(values[..., None] >= 0, warm, cold).round().astype(np.uint8)
    )
    return coloured


def reach(values: NDArray[np.floating]) -> float:
    """The amount that all but one in two hundred numbers stay below; never 0.

    Single peaks must not darken everything else.
    """
    return float(np.quantile(np.abs(values), 0.995)) or float(np.abs(values).max()) or 1.0


def mosaic(values: NDArray[np.floating], most: int = 9) -> NDArray[np.uint8]:
    """Draw what a layer computes as one picture.

    Args:
        values: float `(h, w, c)`, or `(n,)`, which is laid out row by row.
        most: how many channels; where there are more, the strongest ones, in their order.

    Returns:
        uint8 `(H, W, 3)`, nearly square.
    """
    if values.ndim == 1:
        columns = math.ceil(math.sqrt(len(values)))
        grid = np.zeros(columns * -(-len(values) // columns), np.float32)
        grid[: len(values)] = values
        return colours(grid.reshape(-1, columns), reach(values))
    if values.shape[2] > most:
        strongest = np.argsort(-np.abs(values).sum(axis=(0, 1)), kind="stable")[:most]
        values = values[..., np.sort(strongest)]
    count, (height, width) = values.shape[2], values.shape[:2]
    columns = math.ceil(math.sqrt(count))
    rows, gap = -(-count // columns), 1 if count > 1 else 0
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), GAP, np.uint8)
    painted = colours(values, reach(values))
    for number in range(count):
        row, column = divmod(number, columns)
        top, left = row * (height + gap), column * (width + gap)
        sheet[top : top + height, left : left + width] = painted[:, :, number]
    return sheet
