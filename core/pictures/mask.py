"""Find the garment in a picture: which pixels belong to it, and what lies behind them.

Nobody is asked to mark anything, so the border is taken for background. Where the border follows
one smooth surface (paper, a canvas, an icon's flat colour) whatever leaves that surface is the
garment, down to a line one pixel wide. Everything else is treated as a photograph, by colour
statistics.

It does not know what garments look like: the largest thing that differs from its surroundings is
what it returns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from core.pictures.ground import border_ring, colour_distance, smooth_field, to_colours
from core.pictures.photo import segment_photograph

# Deviation of a border that was drawn, saved as JPEG at worst; no camera's picture is so even.
FLAT = 0.006
# Deviation of paper or a wall under a camera; lines are looked for up to here, above they would be
# threads.
GRAIN = 0.025
# Of the largest object's area: from here on another one is a thing of its own (measured, see
# docs/LOG.md).
SECOND = 0.2
# Of the way from black to white: what is nearer to the background cannot be told from it.
LEAST_DIFFERENCE = 0.05


class Segmentation(NamedTuple):
    """Where the garment is.

    Attributes:
        mask: bool `(h, w)`, True on the garment.
        lines: whether it is drawn as lines rather than as an area.
        background: float `(h, w)` in 0..1, brightness of what lies behind, or None for a
            transparent background.
        kind: "transparent", "even" or "uneven", the sort of background that was met.
    """

    mask: np.ndarray
    lines: bool
    background: np.ndarray | None
    kind: str


def find_garment(rgb: np.ndarray, alpha: np.ndarray, sign: int = 0) -> Segmentation:
    """Separate the garment from its background.

    Args:
        rgb: uint8 `(h, w, 3)`, at least 2 pixels in each direction.
        alpha: float `(h, w)` in 0..1, 1 = opaque.
        sign: -1 if the garment is known to be darker than its background, 1 if brighter, 0 if
            unknown.

    Returns:
        A `Segmentation`; its mask is empty where nothing differs from the background.
    """
    if (alpha < 0.5).mean() <= 0.01:
        thickness = max(1, round(0.02 * min(alpha.shape)))
        return _on_ground(
            rgb, border_ring(*alpha.shape, thickness), np.ones(alpha.shape, bool), sign
        )
    opaque = alpha > 0.25
    plate = _plate(opaque) if opaque.any() else None
    if plate is not None:
        # A disc or a square behind the garment, or a photograph with round corners: its rim is the
        # background.
        rim, within = plate
        behind = np.median(rgb[rim], axis=0).astype(np.uint8)
        found = _on_ground(np.where(within[..., None], rgb, behind), rim, within, sign)
        if found.mask.any() and (found.kind == "even" or opaque.mean() > 0.7):
            return found
    kept = _keep_objects(opaque)
    return Segmentation(kept, _is_lines(kept), None, "transparent")


def _on_ground(rgb: np.ndarray, rim: np.ndarray, within: np.ndarray, sign: int) -> Segmentation:
    """What lies `within`, on a ground that shows at the `rim`; both bool `(h, w)`."""
    colours = to_colours(rgb)
    field, noise, followed = smooth_field(colours, rim)
    difference = np.where(within, colour_distance(colours, field), 0)
    difference[sign * (colours[..., 0] - field[..., 0]) < 0] = 0
    if (noise < FLAT and followed > 0.6) or (noise < GRAIN and followed > 0.85):
        strong = float(np.quantile(difference, 0.999))
        kept = _keep_objects(difference > max(LEAST_DIFFERENCE, 5 * noise, 0.12 * strong))
        lines = _is_lines(kept)
        # On paper under a camera only lines that stand out clearly are believed: a seam or a fold
        # is fainter.
        if noise < FLAT or (lines and difference[kept].mean() > max(8 * noise, 0.12)):
            return Segmentation(kept, lines, field[..., 0], "even")
    found = segment_photograph(rgb, sign) & within
    if found.any() and not found.all():
        # A wall without a garment parts into two halves of nearly the same colour.
        apart = np.abs(colours[found].mean(0) - colours[~found].mean(0)).sum()
        spread = np.abs(colours[~found] - colours[~found].mean(0)).sum(-1).mean()
        if max(apart, spread) < LEAST_DIFFERENCE:
            found = np.zeros_like(found)
    return Segmentation(found, False, field[..., 0], "uneven")


def enclosed(mask: np.ndarray) -> np.ndarray:
    """Everything inside closed outlines, the outlines included; gaps of a hasty hand are bridged
    first.

    Args:
        mask: bool `(h, w)`, the lines.

    Returns:
        bool `(h, w)`; equal to `mask` where no outline closes even with its gaps bridged.
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
    size, edge = max(small), max(small) // 8 + 2
    lines = np.pad(lines, edge)
    best = lines
    away = ndimage.distance_transform_edt(~lines)
    for gap in (0.0, 0.02, 0.05, 0.1):
        reach = gap * size / 2
        inside = ndimage.binary_fill_holes(away <= reach)
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


def objects(mask: np.ndarray) -> int:
    """How many separate things a mask shows, small ones beside the largest not counted.

    Two areas are separate if there is a gap between them and the box around one does not cover most
    of the other's, as it does with a buckle in its belt. Lines that close around nothing are no
    thing: outlines are drawn in several strokes.

    Args:
        mask: bool `(h, w)`, best with closed outlines `enclosed`.
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
        return len(large)  # nearly always; the questions below take milliseconds
    boxes = ndimage.find_objects(labels)
    kept: list[tuple[slice, slice]] = []
    for number in large:
        box = boxes[number]
        if not _is_lines(labels[box] == number + 1) and all(
            _shared(box, other) < 0.5 for other in kept
        ):
            kept.append(box)
    return len(kept)


def extent(mask: np.ndarray) -> tuple[int, int]:
    """Height and width of the smallest box around what is True; zeros for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)) if len(rows) else (0, 0)


def stroke_width(mask: np.ndarray) -> float:
    """Mean width of the lines in pixels: in a strip, the mean distance to its edge is a quarter of
    its width.
    """
    from scipy import ndimage

    if not mask.any():
        return 0.0
    return max(
        1.0, 4 * float(ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1][mask].mean()) - 2
    )


def _plate(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The rim and the area of a disc or square that fills the frame, as icons have behind them;
    None without one.
    """
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


def _shared(one: tuple[slice, slice], other: tuple[slice, slice]) -> float:
    """Share of the smaller of two boxes that lies in the other."""
    common, sizes = 1, [1, 1]
    for a, b in zip(one, other, strict=True):
        common *= max(0, min(a.stop, b.stop) - max(a.start, b.start))
        sizes = [sizes[0] * (a.stop - a.start), sizes[1] * (b.stop - b.start)]
    return common / min(sizes)


def _is_lines(mask: np.ndarray) -> bool:
    """Whether a mask consists of lines: thin for its extent, or less thin but around much empty
    space.
    """
    from scipy import ndimage

    if not mask.any():
        return False
    thinness = stroke_width(mask) / max(extent(mask))
    if thinness < 0.045:
        return True
    return thinness < 0.1 and bool(ndimage.binary_fill_holes(mask).sum() > 1.6 * mask.sum())


def _keep_objects(mask: np.ndarray) -> np.ndarray:
    """Drop specks: keep the largest object, what overlaps its box (laces, handles), and others of a
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
