"""Garments drawn by program: the offline sample, small real data for tests, and raw material for
augmentation.

One idea: a shape (`core.garments.shapes`) is painted part by part at several times the size,
reduced to 28 x 28 pixels, and only then gets cloth, pattern, light and noise, which cost next to
nothing at that size. As in Fashion-MNIST the garment is bright on black and its longest edge fills
the frame.

These are not photographs: a network that learnt from them alone knows little of real clothing.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from core.garments.parts import Part
from core.garments.shapes import shape
from core.labels import SIDE

STYLES = ("filled", "outline")

OVER = 5  # how many times larger shapes are painted; more does not show at 28 x 28
_TONE = 120  # grey level that stands for tone 1 while painting; leaves room for tones up to 2

# How often a class is striped, checked, blotched, printed on; the rest is plain. Shoes and bags
# have few patterns.
_PATTERNS = ("stripes", "pinstripes", "checks", "blotches", "print")
_SHARES = (
    (0.16, 0.03, 0.03, 0.12, 0.36),
    (0.00, 0.04, 0.03, 0.12, 0.00),
    (0.26, 0.04, 0.05, 0.12, 0.18),
    (0.10, 0.05, 0.05, 0.22, 0.03),
    (0.05, 0.02, 0.06, 0.10, 0.03),
    (0.00, 0.00, 0.00, 0.15, 0.00),
    (0.06, 0.16, 0.22, 0.18, 0.03),
    (0.00, 0.00, 0.00, 0.20, 0.00),
    (0.04, 0.03, 0.05, 0.15, 0.08),
    (0.00, 0.00, 0.00, 0.20, 0.00),
)
# Two clocks along the frame, for patterns and light: rows and columns from -1 to 1.
_ROWS, _COLUMNS = np.linspace(-1, 1, SIDE)[:, None], np.linspace(-1, 1, SIDE)[None, :]


def draw(label: int, rng: np.random.Generator, *, style: str = "filled") -> np.ndarray:
    """Draw one garment.

    Args:
        label: its class, 0..9.
        rng: decides everything that varies; it is advanced.
        style: "filled" for cloth as in the data, "outline" for a drawing in white lines on black.

    Returns:
        uint8 `(28, 28)`, bright on black.

    Raises:
        ValueError: no such class or style.
    """
    if not 0 <= label <= 9 or style not in STYLES:
        raise ValueError(
            f"Expected a label from 0 to 9 and a style of {STYLES}; received {label!r}, {style!r}."
        )
    parts = fit(shape(int(label), rng), angle=float(rng.normal(0, 2.0)))
    if style == "outline":
        return np.asarray(outline(parts, stroke=float(rng.uniform(1.2, 2.4))))
    tones = np.asarray(fill(parts), dtype=np.float32) / _TONE
    return _cloth(tones, int(label), rng)


def sample(n: int = 2400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw a small data set; every ten pictures in a row hold each class once, so any cut keeps the
    classes balanced.

    Args:
        n: how many.
        seed: the same seed gives the same pictures; a smaller `n` gives the first of them.

    Returns:
        uint8 `(n, 28, 28)` and int64 `(n,)`.
    """
    order = np.random.default_rng(seed)
    labels = np.concatenate(
        [order.permutation(10) for _ in range(math.ceil(n / 10))] or [np.empty(0)]
    )[:n]
    pixels = np.empty((n, SIDE, SIDE), dtype=np.uint8)
    for position, label in enumerate(labels):
        pixels[position] = draw(int(label), np.random.default_rng([seed, position]))
    return pixels, labels.astype(np.int64)


def fit(parts: list[Part], *, angle: float = 0.0) -> list[Part]:
    """Turn a shape by `angle` degrees and scale it so that its longest edge fills the frame,
    centred.

    Returns:
        The same parts in pixels of the enlarged frame on which `fill` and `outline` paint.
    """
    turn = math.radians(angle)
    cosine, sine = math.cos(turn), math.sin(turn)
    turned = [part.points @ np.array([[cosine, sine], [-sine, cosine]]) for part in parts]
    seen = [points for points, part in zip(turned, parts, strict=True) if part.tone > 0]
    margin = [part.width / 2 for part in parts if part.tone > 0]
    low = np.min([points.min(axis=0) - m for points, m in zip(seen, margin, strict=True)], axis=0)
    high = np.max([points.max(axis=0) + m for points, m in zip(seen, margin, strict=True)], axis=0)
    scale = SIDE * OVER / float((high - low).max())
    shift = SIDE * OVER / 2 - (low + high) / 2 * scale
    return [
        Part(points * scale + shift, part.tone, part.width * scale)
        for points, part in zip(turned, parts, strict=True)
    ]


def fill(parts: list[Part]) -> Image.Image:
    """Paint fitted parts one over the other; 28 x 28, grey level 120 for cloth, 0 for background."""
    canvas = Image.new("L", (SIDE * OVER, SIDE * OVER), 0)
    brush = ImageDraw.Draw(canvas)
    for part in parts:
        points, level = part.points.ravel().tolist(), round(min(part.tone, 2.0) * _TONE)
        if part.width:
            brush.line(points, fill=level, width=max(1, round(part.width)), joint="curve")
        else:
            brush.polygon(points, fill=level)
    return canvas.reduce(OVER)


def outline(parts: list[Part], *, stroke: float = 1.6) -> Image.Image:
    """Draw fitted parts as a sketch: the contour of the whole and the lines within; 28 x 28, white
    on black.

    Args:
        stroke: width of the lines in pixels of the small picture.
    """
    side = SIDE * OVER
    whole = Image.new("L", (side, side), 0)
    brush = ImageDraw.Draw(whole)
    for part in parts:
        points, level = part.points.ravel().tolist(), 255 if part.tone > 0 else 0
        if part.width and level:
            brush.line(points, fill=level, width=max(1, round(part.width)), joint="curve")
        elif not part.width:
            brush.polygon(points, fill=level)
    width = max(3, round(stroke * OVER) | 1)
    # Without a rim of background a garment that fills the frame would have no contour where it
    # touches the edge.
    framed = Image.new("L", (side + 2 * width, side + 2 * width), 0)
    framed.paste(whole, (width, width))
    contour = ImageChops.subtract(framed, framed.filter(ImageFilter.MinFilter(width)))
    contour = contour.crop((width, width, width + side, width + side))
    pen = ImageDraw.Draw(contour)
    for part in parts:
        if abs(part.tone - 1) < 0.2:
            continue  # faint folds, which nobody sketches
        points = part.points if part.width else np.concatenate([part.points, part.points[:1]])
        pen.line(points.ravel().tolist(), fill=255, width=width // 2 + 1, joint="curve")
    return ImageChops.multiply(contour, whole).reduce(OVER)


def _cloth(tones: np.ndarray, label: int, rng: np.random.Generator) -> np.ndarray:
    """Give a painted shape its brightness, pattern, light and noise; `(28, 28)` uint8."""
    base = 255 * (0.3 + 0.65 * rng.beta(2.2, 1.3))
    shares = np.cumsum(_SHARES[label])
    kind = int(np.searchsorted(shares, rng.random(), side="right"))
    values = base * tones * _light(rng)
    if kind < len(_PATTERNS):
        values = values * _pattern(_PATTERNS[kind], rng)
    values += rng.normal(0, rng.uniform(1, 8), tones.shape) * np.minimum(tones, 1)
    return np.clip(values, 0, 255).astype(np.uint8)


def _light(rng: np.random.Generator) -> np.ndarray:
    """Darker towards one side and the edges, with folds; factors around 1, `(28, 28)`."""
    side, down = rng.uniform(-0.12, 0.12, 2)
    edge, fold = rng.uniform(0, 0.25), rng.uniform(0, 0.1)
    waves = np.sin(_COLUMNS * rng.uniform(4, 14) + _ROWS * rng.uniform(-3, 3) + rng.uniform(0, 6.3))
    return 1 + side * _COLUMNS + down * _ROWS - edge * _COLUMNS**2 + fold * waves


def _pattern(kind: str, rng: np.random.Generator) -> np.ndarray:
    """What is woven in or printed on; factors up to 1.4, broadcasting to `(28, 28)`."""
    strong = rng.uniform(0.2, 0.75)
    if kind == "stripes":
        return 1 - strong * _bands(_ROWS, rng)
    if kind == "pinstripes":
        return 1 - 0.6 * strong * _bands(_COLUMNS, rng)
    if kind == "checks":
        return (1 - 0.6 * strong * _bands(_ROWS, rng)) * (1 - 0.6 * strong * _bands(_COLUMNS, rng))
    if kind == "blotches":
        coarse = Image.fromarray(
            rng.integers(0, 256, (int(rng.integers(6, 15)),) * 2, dtype=np.uint8)
        )
        return 1 - strong * np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BILINEAR)) / 255
    factor = np.ones((SIDE, SIDE))
    high, wide = int(rng.integers(2, 9)), int(rng.integers(4, 12))
    top, left = int(rng.integers(8, 13)), (SIDE - wide) // 2
    motif = (
        rng.random((high, wide)) < 0.7 if rng.random() < 0.6 else np.ones((high, wide), dtype=bool)
    )
    factor[top : top + high, left : left + wide][motif] = rng.choice([1 - strong, 1.4])
    return factor


def _bands(along: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """0 and 1 in turn along rows or columns, two to seven pixels a period."""
    period = rng.uniform(2.2, 7.5) * 2 / SIDE
    return ((along / period + rng.random()) % 1 < rng.uniform(0.3, 0.6)).astype(float)
