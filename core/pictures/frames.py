"""Pictures that come with a frame, and those that are the data set's own.

A border of one colour around a photograph (a polaroid, the bars of a film, a screenshot) makes the
whole rectangle differ from its background. A garment on plain paper has such a border, too; the
difference is that its outline is no rectangle.

A picture of the data set needs no preparation at all: segmenting and scaling it once more would
change what the networks were trained on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.labels import SIDE
from core.pictures.mask import extent

# Of 0..255: how far the pixels of a border may lie apart (JPEG), and how far a picture differs.
EVEN, DIFFERENT = 16, 24
# Of each edge of what lies in a frame: how much of it has to differ from the frame.
EXPOSED = 0.9
LEAST_AREA = 0.25  # of the picture: a smaller rectangle is a thing, not a picture in a frame
NESTED = 3  # a polaroid in a window with a border

Edges = tuple[int, int, int, int]


def inside_frame(image: Image.Image) -> Edges | None:
    """What lies inside the frame of a picture: left, top, right, bottom; None if it has none.

    Bars on two opposite sides only are a frame, too.

    >>> inside_frame(Image.new("RGB", (60, 60), "white")) is None
    True
    """
    if image.mode != "RGB":
        return None
    rgb = np.asarray(image).astype(np.int16)
    height, width = rgb.shape[:2]
    left, top, right, bottom = 0, 0, width, height
    for _ in range(NESTED):
        found = _peel(rgb[top:bottom, left:right])
        if found is None:
            break
        left, top, right, bottom = (
            left + found[0],
            top + found[1],
            left + found[2],
            top + found[3],
        )
    if (left, top, right, bottom) == (0, 0, width, height):
        return None
    return (left, top, right, bottom) if _large(rgb, right - left, bottom - top) else None


def data_set_pixels(image: Image.Image) -> NDArray[np.uint8] | None:
    """The pixels `(28, 28)` of a picture of the data set, as it is, inverted, or enlarged by a
    whole number; None for any other.

    Its signs: square, opaque and grey, with corners as black (or white) as can be, and a garment
    that fills the frame up to a pixel on either side.
    """
    side = image.width
    if image.mode != "RGB" or image.size != (side, side) or side % SIDE:
        return None
    rgb = np.asarray(image).astype(np.int16)
    blocks = rgb.reshape(SIDE, side // SIDE, SIDE, side // SIDE, 3).swapaxes(1, 2)
    # JPEG blurs the borders between blocks: most of each has to be of one shade, not all.
    shades = np.median(blocks, axis=(2, 3))
    apart = np.abs(blocks - shades[:, :, None, None])
    if np.ptp(shades, axis=2).max() > EVEN or apart.mean() > 3 or np.quantile(apart, 0.9) > EVEN:
        return None
    grey = np.round(shades.mean(2)).astype(np.uint8)
    corners = np.array([grey[0, 0], grey[0, -1], grey[-1, 0], grey[-1, -1]])
    if np.median(corners) > 255 - EVEN:
        grey = 255 - grey
    elif np.median(corners) > EVEN:
        return None
    garment = grey > EVEN
    fills = max(extent(garment)) >= SIDE - 2
    # Lines and lettering cover less, and are of one shade.
    return grey if fills and garment.mean() > 0.1 and len(np.unique(grey)) > SIDE else None


def _peel(rgb: NDArray[np.int16]) -> Edges | None:
    """What one even border leaves of a picture, if its own edges all differ from the border."""
    height, width = rgb.shape[:2]
    sides = (rgb.swapaxes(0, 1), rgb, rgb[:, ::-1].swapaxes(0, 1), rgb[::-1])
    left, top, right, bottom = (_even_lines(side) for side in sides)
    if left + right >= width or top + bottom >= height:
        return None
    if not ((left and right) or (top and bottom)):
        return None
    box = (left, top, width - right, height - bottom)
    part = rgb[box[1] : box[3], box[0] : box[2]]
    # Where a border meets a picture, scaling and JPEG have mixed the two.
    soft = 2 + round(0.01 * min(part.shape[:2]))
    if min(part.shape[:2]) <= 2 * soft:
        return None
    inner = (part[:, soft], part[soft], part[:, -1 - soft], part[-1 - soft])
    borders = (rgb[:, 0], rgb[0], rgb[:, -1], rgb[-1])
    for size, line, border in zip((left, top, right, bottom), inner, borders, strict=True):
        if size and _exposed(line, np.median(border, axis=0)) < EXPOSED:
            return None
    return (
        box[0] + (soft if left else 0),
        box[1] + (soft if top else 0),
        box[2] - (soft if right else 0),
        box[3] - (soft if bottom else 0),
    )


def _even_lines(rgb: NDArray[np.int16]) -> int:
    """How many of the first rows have the colour of the very first throughout."""
    colour = np.median(rgb[0], axis=0)
    even = (np.abs(rgb - colour).max(axis=2) <= EVEN).mean(axis=1) > 0.995
    return len(even) if even.all() else int(even.argmin())


def _exposed(line: NDArray[np.int16], border: NDArray[np.floating]) -> float:
    """The share of a row `(n, 3)` that differs from the colour of a border."""
    return float((np.abs(line - border).max(axis=1) > DIFFERENT).mean())


def _large(rgb: NDArray[np.int16], width: int, height: int) -> bool:
    """Whether a part is large enough to be a picture of its own."""
    return min(width, height) >= SIDE and width * height >= LEAST_AREA * rgb.shape[0] * rgb.shape[1]
