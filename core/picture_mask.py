"""Find the garment in a picture: which pixels belong to it, and what lies behind them.

Nobody is asked to mark anything, so the border is taken for background. Where the border follows one smooth surface (paper,
a canvas, an icon's flat colour) whatever leaves that surface is the garment, down to a line one pixel wide. Floors, beds and
carpets are no smooth surface: there, colour statistics of "border" and "not border" are estimated in turn with the mask
itself, as in GrabCut (Rother et al. 2004), but smoothed by a guided filter (He et al. 2010) instead of a graph cut, which
takes 20 ms instead of seconds.

It does not know what garments look like: the largest thing that differs from its surroundings is what it returns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

SMALL = 112  # longest edge on which photographs are segmented: four times what the networks see is fine enough
ROUNDS = 3  # more rounds of colour statistics let the mask leak into patterned floors (measured)
BINS = (21, 41, 41)  # colour cells: brightness in steps of 1/20, the two colour differences in steps of 1/40
HOLE = 0.08  # of the garment's area: smaller holes are prints and stripes, larger ones the space under a bag's handle
FLAT = 0.006  # deviation of a border that was drawn, saved as JPEG at worst; no camera's picture is so even
GRAIN = 0.015  # deviation of paper or a wall under a camera; lines are looked for up to here, above they would be threads
LEAST_DIFFERENCE = 0.05  # of the way from black to white: what is nearer to the background cannot be told from it


class Found(NamedTuple):
    """Where the garment is.

    Attributes:
        mask: bool `(h, w)`, True on the garment.
        lines: whether it is drawn as lines rather than as an area.
        background: float `(h, w)` in 0..1, brightness of what lies behind, or None for a transparent background.
        kind: "transparent", "even" or "uneven", the sort of background that was met.
    """

    mask: np.ndarray
    lines: bool
    background: np.ndarray | None
    kind: str


def find_garment(rgb: np.ndarray, alpha: np.ndarray, sign: int = 0) -> Found:
    """Separate the garment from its background.

    Args:
        rgb: uint8 `(h, w, 3)`, at least 2 pixels in each direction.
        alpha: float `(h, w)` in 0..1, 1 = opaque.
        sign: -1 if the garment is known to be darker than its background, 1 if brighter, 0 if unknown.

    Returns:
        A `Found`; its mask is empty where nothing differs from the background.
    """
    colours = _colours(rgb)
    if (alpha < 0.5).mean() > 0.01:
        mask = alpha > 0.25
        if not mask.any():
            return Found(mask, False, None, "transparent")
        plate = _plate(mask)
        if plate is None:
            return Found(_keep_objects(mask), _is_lines(mask), None, "transparent")
        # A disc or a square behind the garment: the plate's own rim is the background then.
        rim, within = plate
    else:
        within = np.ones(alpha.shape, bool)
        rim = _ring(*alpha.shape, max(1, round(0.02 * min(alpha.shape))))

    field, noise, followed = _smooth_field(colours, rim)
    difference = np.where(within, _distance(colours, field), 0)
    difference[sign * (colours[..., 0] - field[..., 0]) < 0] = 0
    strong = float(np.quantile(difference, 0.999))
    mask = difference > max(LEAST_DIFFERENCE, 5 * noise, 0.12 * strong)
    if noise < GRAIN and followed > 0.85:
        kept = _keep_objects(mask)
        lines = _is_lines(kept)
        if noise < FLAT or lines:
            return Found(kept, lines, field[..., 0], "even")
    elif not within.all():
        # The transparent corners of a picture that fills its frame say nothing about the garment.
        if (alpha > 0.5).mean() < 0.7:
            mask = alpha > 0.25
            return Found(_keep_objects(mask), _is_lines(mask), None, "transparent")
    found = _segment_photograph(rgb, sign)
    if found.any() and not found.all():
        # A wall without a garment parts into two halves of nearly the same colour.
        apart = np.abs(colours[found].mean(0) - colours[~found].mean(0)).sum()
        spread = np.abs(colours[~found] - colours[~found].mean(0)).sum(-1).mean()
        if apart < LEAST_DIFFERENCE and spread < LEAST_DIFFERENCE:
            found = np.zeros_like(found)
    return Found(found, False, field[..., 0], "uneven")


def enclosed(mask: np.ndarray) -> np.ndarray:
    """Everything inside closed outlines, the outlines included; gaps of a hasty hand are bridged first.

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
    lines = np.asarray(Image.fromarray(mask[box]).convert("L").resize(small, Image.Resampling.BOX)) > 0
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
    filled[box] |= np.asarray(Image.fromarray(inner).resize((width, height), Image.Resampling.NEAREST))
    return filled


def extent(mask: np.ndarray) -> tuple[int, int]:
    """Height and width of the smallest box around what is True; zeros for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)) if len(rows) else (0, 0)


def stroke_width(mask: np.ndarray) -> float:
    """Mean width of the lines in pixels: in a strip, the mean distance to its edge is a quarter of its width."""
    from scipy import ndimage

    if not mask.any():
        return 0.0
    return max(1.0, 4 * float(ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1][mask].mean()) - 2)


def _colours(rgb: np.ndarray) -> np.ndarray:
    """Brightness and two colour differences, float32 `(h, w, 3)`: distances here are nearer to what an eye sees."""
    red, green, blue = np.moveaxis(rgb.astype(np.float32) / 255, -1, 0)
    return np.stack([(red + green + blue) / 3, 0.9 * (red - green), 0.9 * ((red + green) / 2 - blue)], -1)


def _distance(colours: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Distance in colour; brightness counts less, because shadows change it alone."""
    return np.sqrt((((colours - field) * np.array([0.8, 1.3, 1.3], np.float32)) ** 2).sum(-1))


def _ring(height: int, width: int, thickness: int) -> np.ndarray:
    """The outermost pixels of a frame."""
    ring = np.ones((height, width), bool)
    ring[thickness:-thickness, thickness:-thickness] = False
    return ring


def _plane(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of a frame, each from -1 to 1."""
    return np.meshgrid(
        np.linspace(-1, 1, height, dtype=np.float32), np.linspace(-1, 1, width, dtype=np.float32), indexing="ij"
    )


def _smooth_field(colours: np.ndarray, ring: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Fit a quadratic surface to the ring, robustly: a sleeve that leaves the frame must not bend it.

    Returns:
        The surface `(h, w, 3)`, the ring's usual deviation from it, and the share of the ring that follows it.
    """
    y, x = _plane(*ring.shape)
    terms = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], -1)
    known, target = terms[ring], colours[ring]
    # Start from the median: least squares from the start would be pulled by whatever crosses the border.
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


def _plate(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The rim and the area of a disc or square that fills the frame, as icons have behind them; None without one."""
    from scipy import ndimage

    height, width = extent(mask)
    share = mask.sum() / (height * width)
    fills = height > 0.9 * mask.shape[0] and width > 0.9 * mask.shape[1]
    disc = abs(height / width - 1) < 0.06 and abs(share - np.pi / 4) < 0.03
    if not (disc or (fills and share > 0.9)):
        return None
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    within = depth > 0.02 * width
    return within & (depth < 0.07 * width), within


def _is_lines(mask: np.ndarray) -> bool:
    """Whether a mask consists of lines: thin for its extent, or less thin but around much empty space."""
    from scipy import ndimage

    thinness = stroke_width(mask) / max(1, *extent(mask))
    if thinness < 0.045:
        return True
    return thinness < 0.1 and bool(ndimage.binary_fill_holes(mask).sum() > 1.6 * mask.sum())


def _keep_objects(mask: np.ndarray) -> np.ndarray:
    """Drop specks: keep the largest object, what overlaps its box (laces, handles), and others of a similar size."""
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
        or all(a.start <= b.stop + 2 * near and b.start <= a.stop + 2 * near for a, b in zip(box, main, strict=True))
    ]
    return mask & np.isin(labels, kept)


def _segment_photograph(rgb: np.ndarray, sign: int) -> np.ndarray:
    """The mask of a garment on any background, bool `(h, w)`."""
    from scipy import ndimage

    full = rgb.shape[:2]
    scale = min(1.0, SMALL / max(full))
    small = (max(8, round(full[1] * scale)), max(8, round(full[0] * scale)))
    reduced = np.asarray(Image.fromarray(rgb).resize(small, Image.Resampling.LANCZOS, reducing_gap=2.0))
    colours = ndimage.gaussian_filter(_colours(reduced), (0.7, 0.7, 0))
    height, width = colours.shape[:2]
    y, x = _plane(height, width)
    outward = np.maximum(np.abs(x), np.abs(y))  # 0 in the middle, 1 on the border

    field, _, _ = _smooth_field(colours, _ring(height, width, max(2, int(0.04 * min(height, width)))))
    evidence = [_by_threshold(_distance(colours, field)), _by_threshold(_path_from_border(colours))]
    inside = np.mean(evidence, 0) * np.where(outward > 0.9, 0.3, np.where(outward < 0.6, 1.15, 1.0))
    if sign:
        inside = np.where(sign * (colours[..., 0] - field[..., 0]) < 0, 0.3 * inside, inside)
    inside = inside.clip(0.02, 0.98)

    cells = ((colours + np.array([0, 0.5, 0.5], np.float32)) * np.array([20, 40, 40])).astype(int)
    cells = np.ravel_multi_index(tuple(np.moveaxis(cells, -1, 0)), BINS, mode="clip")
    against = np.where(outward > 0.93, 2.0, np.where(outward > 0.8, 0.5, np.where(outward < 0.4, -1.0, 0.0)))
    reach = max(2, int(0.04 * max(height, width)))
    smooth = _guided_filter(colours, reach, 0.002)
    for _ in range(ROUNDS):
        ours = _histogram(cells, inside**2)
        theirs = _histogram(cells, (1 - inside) ** 2 * np.where(outward > 0.9, 3, 1))
        by_colour = np.log((ours + 2e-5) / (theirs + 2e-5))[cells].clip(-4, 4)
        nearby = ndimage.gaussian_filter(inside, 1.5 * reach)
        by_place = np.log((nearby + 0.05) / (1.05 - nearby))
        odds = smooth((by_colour + 3 * by_place - against).astype(np.float32))
        inside = (1 / (1 + np.exp(-odds.clip(-8, 8)))).clip(0.02, 0.98)

    kept = _largest_areas(inside > 0.5, np.exp(-(x * x + y * y)))
    # Enlarge the soft edge, not the hard one: the outline stays smooth.
    soft = Image.fromarray(np.where(kept, inside.clip(0.5), inside.clip(0, 0.49)).astype(np.float32))
    return np.asarray(soft.resize(full[::-1], Image.Resampling.BILINEAR)) > 0.5


def _by_threshold(values: np.ndarray) -> np.ndarray:
    """Scale so that Otsu's threshold (1979), which parts the values best into two groups, falls on 0.5; at most 1."""
    counts, edges = np.histogram(values, 128)
    share, centre = counts / counts.sum(), (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(share)[:-1]
    mean = np.cumsum(share * centre)
    spread = (mean[-1] * below - mean[:-1]) ** 2 / (below * (1 - below)).clip(1e-9)
    return np.clip(values / (2 * centre[int(spread.argmax())] + 1e-6), 0, 1)


def _path_from_border(colours: np.ndarray) -> np.ndarray:
    """How much colour changes on the smoothest way in from the border, `(h, w)`.

    Squared steps make a slow change, as of light across a floor, cost next to nothing, and an edge cost much.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    height, width = colours.shape[:2]
    number = np.arange(height * width).reshape(height, width)
    starts, ends, costs = [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = slice(0, height - down), slice(max(0, -right), width - max(0, right))
        there = slice(down, height), slice(max(0, right), width - max(0, -right))
        starts.append(number[here].ravel())
        ends.append(number[there].ravel())
        costs.append(((colours[here] - colours[there]) ** 2).sum(-1).ravel() + 1e-6)
    ways = coo_matrix((np.concatenate(costs), (np.concatenate(starts), np.concatenate(ends))), (number.size,) * 2)
    border = number[_ring(height, width, 1)]
    return np.sqrt(dijkstra(ways.tocsr(), directed=False, indices=border, min_only=True).reshape(height, width))


def _histogram(cells: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Share of each colour cell, blurred over neighbouring colours, flat `(prod(BINS),)`."""
    from scipy import ndimage

    counts = np.bincount(cells.ravel(), weight.ravel(), int(np.prod(BINS))).reshape(BINS)
    return (ndimage.gaussian_filter(counts, 1.0, mode="constant") / max(counts.sum(), 1e-9)).ravel()


def _guided_filter(guide: np.ndarray, reach: int, softness: float):
    """A smoothing that stops at the edges of `guide` `(h, w, 3)`; returns a function of one `(h, w)` array.

    Source: He, Sun, Tang, "Guided image filtering" (2010), the form for a guide in colour.
    """
    from scipy import ndimage

    def mean(values: np.ndarray) -> np.ndarray:
        size = (2 * reach + 1, 2 * reach + 1) + (1,) * (values.ndim - 2)
        return ndimage.uniform_filter(values, size, mode="nearest")

    centre = mean(guide)
    products = mean((guide[..., :, None] * guide[..., None, :]).reshape(*guide.shape[:2], 9)).reshape(*guide.shape, 3)
    spread = products - centre[..., :, None] * centre[..., None, :] + softness * np.eye(3, dtype=np.float32)
    inverse = np.linalg.inv(spread)

    def smooth(values: np.ndarray) -> np.ndarray:
        level = mean(values)
        together = mean(guide * values[..., None]) - centre * level[..., None]
        slope = (inverse @ together[..., None])[..., 0]
        offset = level - (slope * centre).sum(-1)
        return (mean(slope) * guide).sum(-1) + mean(offset)

    return smooth


def _largest_areas(mask: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Without crumbs and small holes; of several areas those that are central and large (a pair of shoes keeps both)."""
    from scipy import ndimage

    mask = ndimage.binary_opening(mask, iterations=max(1, min(mask.shape) // 60))
    holes = ndimage.binary_fill_holes(mask) & ~mask
    labels, count = ndimage.label(holes)
    if count:
        areas = np.bincount(labels.ravel())
        mask = mask | (holes & (areas < HOLE * mask.sum())[labels])
    labels, count = ndimage.label(mask)
    if count == 0:
        return mask
    importance = np.bincount(labels.ravel(), weight.ravel())
    importance[0] = 0
    return (importance >= 0.3 * importance.max())[labels] & mask

