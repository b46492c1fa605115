"""Find the garment in a picture: which pixels belong to it, and what lies behind them.

Nothing has to be marked, so the border counts as background. Where the border follows one smooth
surface (paper, a canvas, the flat colour of an icon), whatever differs from that surface is the
garment, down to a line one pixel wide. Everything else is treated as a photograph, by colour
statistics (`core.pictures.photo`).

It does not know what garments look like: it returns the largest thing that differs from its
surroundings.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.pictures.ground import border_ring, colour_distance, smooth_field, to_colours
from core.pictures.photo import segment_photograph

# Deviation of a border that was drawn, at worst saved as JPEG; no camera's picture is that even.
FLAT = 0.006
# Deviation of paper or a wall under a camera. Lines are looked for up to here; beyond, they would
# be threads.
GRAIN = 0.025
# Of the largest object's area: from this share on, another one counts as a second thing (measured,
# see docs/LOG.md).
SECOND = 0.2
# Of the way from black to white: what is closer to the background cannot be told apart from it.
LEAST_DIFFERENCE = 0.05

# Of the size of the drawing: the thickest outline of an icon, and the gaps that are bridged, the
# wider ones only where the narrower have not closed much of it (measured). Bridging them may close
# both sleeves of a garment apart from each other, so things are counted without.
THICK = 0.16
GAPS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3)
NARROW = GAPS[:4]

Background = Literal["transparent", "even", "uneven"]
Sign = Literal[-1, 0, 1]
Box = tuple[slice, slice]


class Segmentation(NamedTuple):
    """Where the garment is.

    Attributes:
        mask: bool `(h, w)`, True on the garment.
        lines: whether it is drawn as lines rather than as an area.
        background: `(h, w)` in 0..1, brightness of what lies behind; None where that is
            transparent.
        kind: of the background.
    """

    mask: NDArray[np.bool_]
    lines: bool
    background: NDArray[np.float32] | None
    kind: Background


def find_garment(
    rgb: NDArray[np.uint8], alpha: NDArray[np.float64], sign: Sign = 0
) -> Segmentation:
    """Separate the garment from its background.

    Args:
        rgb: `(h, w, 3)`, at least 2 pixels in each direction.
        alpha: `(h, w)` in 0..1, 1 = opaque.
        sign: -1 if the garment is darker than its background, 1 if brighter, 0 if unknown.

    Returns:
        a `Segmentation`, whose mask is empty where nothing differs from the background.
    """
    height, width = alpha.shape
    if (alpha < 0.5).mean() <= 0.01:
        thickness = max(1, round(0.02 * min(height, width)))
        rim, within = border_ring(height, width, thickness), np.ones((height, width), bool)
        return _on_ground(rgb, rim, within, sign)
    opaque = alpha > 0.25
    plate = _plate(opaque) if opaque.any() else None
    if plate is not None:
        # A disc or a square behind the garment, or a photograph with round corners: its rim is the
        # background.
        rim, within = plate
        behind = np.median(rgb[rim], axis=0).astype(np.uint8)
        garment = _on_ground(np.where(within[..., None], rgb, behind), rim, within, sign)
        if garment.mask.any() and (garment.kind == "even" or opaque.mean() > 0.7):
            return garment
    kept = _keep_objects(opaque)
    return Segmentation(kept, _is_lines(kept), None, "transparent")


def _on_ground(
    rgb: NDArray[np.uint8], rim: NDArray[np.bool_], within: NDArray[np.bool_], sign: Sign
) -> Segmentation:
    """What lies `within`, on a background that shows at the `rim`; both `(h, w)`."""
    colours = to_colours(rgb)
    field, noise, followed = smooth_field(colours, rim)
    difference = np.where(within, colour_distance(colours, field), 0)
    difference[sign * (colours[..., 0] - field[..., 0]) < 0] = 0
    if (noise < FLAT and followed > 0.6) or (noise < GRAIN and followed > 0.85):
        strong = float(np.quantile(difference, 0.999))
        kept = _keep_objects(difference > max(LEAST_DIFFERENCE, 5 * noise, 0.12 * strong))
        lines = _is_lines(kept)
        # On paper under a camera only lines that stand out clearly count: a seam or a fold is
        # fainter.
        if noise < FLAT or (lines and difference[kept].mean() > max(8 * noise, 0.12)):
            return Segmentation(kept, lines, field[..., 0], "even")
    mask = segment_photograph(rgb, sign) & within
    if mask.any() and not mask.all():
        # A wall without a garment is divided into two halves of nearly the same colour.
        apart = np.abs(colours[mask].mean(0) - colours[~mask].mean(0)).sum()
        spread = np.abs(colours[~mask] - colours[~mask].mean(0)).sum(-1).mean()
        if max(apart, spread) < LEAST_DIFFERENCE:
            mask = np.zeros_like(mask)
    return Segmentation(mask, False, field[..., 0], "uneven")


def enclosed(mask: NDArray[np.bool_], gaps: tuple[float, ...] = GAPS) -> NDArray[np.bool_]:
    """Everything inside closed outlines, the outlines included; small gaps are bridged first.

    Args:
        mask: `(h, w)`, the lines.
        gaps: the widths to bridge, one after the other, as shares of the size of the drawing.

    Returns:
        `(h, w)`; equal to `mask` where no outline is closed even with its gaps bridged.
    """
    from scipy import ndimage

    height, width = extent(mask)
    if not height:
        return mask
    top, left = int(mask.any(1).argmax()), int(mask.any(0).argmax())
    box = slice(top, top + height), slice(left, left + width)
    # Areas need no more than 128 pixels; the lines keep their own resolution.
    scale = min(1.0, 128 / max(height, width))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    lines = (
        np.asarray(Image.fromarray(mask[box]).convert("L").resize(small, Image.Resampling.BOX)) > 0
    )
    size, edge = max(small), max(small) // 6 + 2
    lines = np.pad(lines, edge)
    best = lines
    away = ndimage.distance_transform_edt(~lines)
    for gap in gaps:
        reach = gap * size / 2
        inside: NDArray[np.bool_] = ndimage.binary_fill_holes(away <= reach)
        if reach:  # take back what the bridging added outside
            inside = (ndimage.distance_transform_edt(inside) > reach) | lines
        if inside.sum() > best.sum():
            best = inside
        # Much of its box filled: that was the outline of the garment, not a button.
        if best.sum() > 0.4 * small[0] * small[1]:
            break
    inner = ndimage.binary_erosion(best)[edge:-edge, edge:-edge]
    filled = mask.copy()
    filled[box] |= np.asarray(
        Image.fromarray(inner).resize((width, height), Image.Resampling.NEAREST)
    )
    return filled


def bridges(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where an outline is open and `enclosed` closes it: the borders of the areas inside it that no
    line covers, about as wide as the lines.

    Args:
        mask: `(h, w)`, the lines.

    Returns:
        bool `(h, w)`; empty where nothing is open, and where too much is to be closed at all.
    """
    from scipy import ndimage

    solid = enclosed(mask)
    width = stroke_width(mask)
    inside = ndimage.binary_opening(solid & ~mask, iterations=2)
    if not inside.any() or inside.sum() < 0.25 * math.prod(extent(mask)):
        return np.zeros_like(mask)  # no more than a corner is closed: people are still drawing
    near_border = solid & (
        ndimage.distance_transform_edt(np.pad(solid, 1))[1:-1, 1:-1] <= width + 2
    )
    open_border = near_border & (ndimage.distance_transform_edt(~mask) > width / 2 + 3)
    labels, count = ndimage.label(ndimage.binary_dilation(open_border, iterations=2) & ~mask)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    # Bridging also rounds off sharp corners; those are much smaller than a gap.
    return np.isin(labels, 1 + np.flatnonzero(areas >= max(1, SECOND * areas.max(initial=0))))


def objects(mask: NDArray[np.bool_]) -> int:
    """How many separate things a mask shows; things much smaller than the largest do not count.

    Two areas are separate if there is a gap between them and the box around one does not cover most
    of the other's, as with a buckle in its belt. Lines that enclose nothing do not count, because
    outlines are drawn in several strokes.

    Args:
        mask: `(h, w)`, best with closed outlines `enclosed`.
    """
    from scipy import ndimage

    step = -(-max(mask.shape) // 192)  # gaps that matter are wider than a pixel at this size
    small = mask[::step, ::step]
    labels, count = ndimage.label(ndimage.maximum_filter(small, 5))
    labels = np.where(small, labels, 0)
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    large = [
        number
        for number in np.argsort(-areas, kind="stable")
        if areas[number] >= max(1, SECOND * areas.max())
    ]
    if len(large) < 2:
        return len(large)  # nearly always; the checks below take milliseconds
    boxes = ndimage.find_objects(labels)
    kept: list[Box] = []
    for number in large:
        box = boxes[number]
        if not _is_lines(labels[box] == number + 1) and all(
            _shared(box, other) < 0.5 for other in kept
        ):
            kept.append(box)
    return len(kept)


def extent(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Height and width of the smallest box around what is True; zeros for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)) if len(rows) else (0, 0)


def stroke_width(mask: NDArray[np.bool_]) -> float:
    """Mean width of the lines, in pixels.

    In a strip, the mean distance to the edge is a quarter of the width.
    """
    from scipy import ndimage

    if not mask.any():
        return 0.0
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    return max(1.0, 4 * float(depth[mask].mean()) - 2)


def _plate(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """The rim and the area of a disc or square that fills the frame, as behind many icons."""
    from scipy import ndimage

    height, width = extent(mask)
    share = mask.sum() / (height * width)
    fills = height > 0.9 * mask.shape[0] and width > 0.9 * mask.shape[1]
    disc = abs(height / width - 1) < 0.06 and abs(share - np.pi / 4) < 0.03
    if not (disc or (fills and share > 0.9)):
        return None
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    within = depth > 0.02 * width
    rim = within & (depth < 0.07 * width)
    return (rim, within) if rim.any() else None


def _shared(one: Box, other: Box) -> float:
    """Share of the smaller of two boxes that lies in the other."""
    common, sizes = 1, [1, 1]
    for a, b in zip(one, other, strict=True):
        common *= max(0, min(a.stop, b.stop) - max(a.start, b.start))
        sizes = [sizes[0] * (a.stop - a.start), sizes[1] * (b.stop - b.start)]
    return common / min(sizes)


def _is_lines(mask: NDArray[np.bool_]) -> bool:
    """Whether a mask consists of lines: thin for its extent, or thicker but around empty space."""
    from scipy import ndimage

    if not mask.any():
        return False
    thinness = stroke_width(mask) / max(extent(mask))
    if thinness < 0.045:
        return True
    return thinness < THICK and bool(ndimage.binary_fill_holes(mask).sum() > 1.6 * mask.sum())


def _keep_objects(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Drop specks.

    What stays is the largest object, whatever overlaps its box (laces, handles), and objects of a
    similar size.
    """
    from scipy import ndimage

    near = max(1, round(0.015 * max(mask.shape)))
    labels, count = ndimage.label(ndimage.maximum_filter(mask, 2 * near + 1))
    if count < 2:
        return mask
    boxes = ndimage.find_objects(labels)
    spans = np.array([max(b[0].stop - b[0].start, b[1].stop - b[1].start) for b in boxes])
    main = boxes[int(spans.argmax())]
    kept = [
        number
        for number, (box, span) in enumerate(zip(boxes, spans, strict=True), 1)
        if span >= 0.35 * spans.max()
        or all(
            a.start <= b.stop + 2 * near and b.start <= a.stop + 2 * near
            for a, b in zip(box, main, strict=True)
        )
    ]
    return mask & np.isin(labels, kept)
