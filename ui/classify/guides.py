"""What lies over the sheet without being drawn: an outline to trace, and marks where the drawing is
open.

Both are transparent pictures, as data URIs for `canvas.js`, which lays them over the canvas.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.garments import drawing
from core.garments.shapes import shape
from core.pictures import mask
from ui.components import thumbnails

# One typical garment of each class, by the seed of its shape; chosen by looking at some.
SEEDS = (5, 3, 13, 2, 2, 11, 9, 0, 6, 2)
FAINT = (70, 81, 184, 110)  # the app's accent, as RGBA
MARK = (217, 95, 2, 255)  # orange: neither ink nor outline
DARK = 128  # brightness below which a pixel of the sheet is ink


@lru_cache(maxsize=len(SEEDS))
def outline(label: int) -> str:
    """The outline of a typical garment of class 0..9."""
    parts = drawing.fit(shape(label, np.random.default_rng(SEEDS[label])))
    lines = np.asarray(drawing.large_outline(parts, stroke=0.7)) > 0
    return thumbnails.data_uri(_painted(np.pad(lines, lines.shape[0] // 10), FAINT))


def open_places(rgba: NDArray[np.uint8]) -> str:
    """Marks where the outline on a sheet is open and gets bridged; empty where it is not.

    Args:
        rgba: uint8 `(h, w, 4)`, dark ink on white.
    """
    gaps = mask.bridges(np.asarray(Image.fromarray(rgba).convert("L")) < DARK)
    return thumbnails.data_uri(_painted(gaps, MARK)) if gaps.any() else ""


def _painted(where: NDArray[np.bool_], colour: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    picture = np.zeros((*where.shape, 4), np.uint8)
    picture[where] = colour
    return picture
