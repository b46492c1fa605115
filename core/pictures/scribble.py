"""Tell a scribble from a drawing by its shape.

A classifier cannot do that: it knows ten garments and nothing else, and sees one of them in any
tangle of lines.

Lines that cross at random leave many small holes, as hatching and stripes do. But the outline of it
all, with the holes filled, is ragged, while that of a garment is smooth however its inside was
coloured in. Measured with a pen of 14 on a canvas of 320, by the share of the area that is lost
when tips narrower than 2.6 pens are shaved off: garments drawn by a shaky hand, hatched, striped
and checked mostly lose 0.5 to 2 %, tangles of twenty and more strokes 4 to 20 %, round curls 2 to
5 %.

Drawings without holes are not judged: a spiral or a single line passes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMALL = 0.15  # of the canvas's edge: smaller ones are dots, which trimming would enlarge
HOLES = 6  # a garment with a few stripes or pockets has fewer
SPECK = 0.0005  # of the drawn area: smaller holes are gaps between two strokes
RAGGED = 0.03  # of the drawn area, lost when tips are shaved off
TIP = 0.65  # pen widths, in pixels of half the resolution: the radius of a disc 2.6 pens wide


def doubt(rgba: NDArray[np.uint8], pen: float) -> str:
    """Why no answer about a drawing can be sure, whatever the network says.

    Args:
        rgba: `(h, w, 4)`, dark strokes on white or on nothing.
        pen: width of the strokes, in pixels.

    Returns:
        a sentence, or "" where there is no such reason.
    """
    small = rgba[::2, ::2]  # half the resolution says the same in a quarter of the time
    ink = (small[..., :3].mean(axis=2) < 128) & (small[..., 3] > 127)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return "Nothing is drawn."
    if max(np.ptp(rows), np.ptp(columns)) < SMALL * max(ink.shape):
        return "It is too small to tell."
    return "It looks like a scribble." if _is_tangle(ink, pen) else ""


def _is_tangle(ink: NDArray[np.bool_], pen: float) -> bool:
    """Whether ink, `(h, w)`, has many small holes inside a ragged outline."""
    from scipy import ndimage  # a tenth of a second, and only drawings need it

    shape = ndimage.binary_fill_holes(ink)
    area = int(shape.sum())
    labels, count = ndimage.label(shape & ~ink)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    if np.count_nonzero(sizes >= SPECK * area) < HOLES:
        return False
    return _lost(shape, TIP * pen) > RAGGED * area


def _lost(shape: NDArray[np.bool_], radius: float) -> int:
    """How many pixels of a shape are lost to a morphological opening with a disc of this radius."""
    from scipy import ndimage

    core = np.pad(ndimage.distance_transform_edt(np.pad(shape, 1))[1:-1, 1:-1] > radius, 1)
    if not core.any():
        return int(shape.sum())
    reached = ndimage.distance_transform_edt(~core)[1:-1, 1:-1] <= radius
    return int((shape & ~reached).sum())
