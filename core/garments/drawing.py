"""Computer-generated garments: the offline sample, and the parts of sketches and icons.

A shape (`core.garments.shapes`) is painted part by part at several times the size, reduced to
28 x 28 pixels, and only then given cloth, pattern, light and noise, which cost next to nothing at
that size. As in Fashion-MNIST, the garment is bright on black and its longest edge fills the frame.

These are no photographs: a network trained on them alone knows little about real clothing.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from core.garments.parts import Part
from core.garments.shapes import shape
from core.labels import SIDE

Style = Literal["filled", "outline"]
Pattern = Literal["stripes", "pinstripes", "checks", "blotches", "print"]

OVER = 5  # shapes are painted this many times larger; more does not show at 28 x 28
_TONE = 120  # grey level that stands for tone 1 while painting; leaves room for tones up to 2

# How often each class has which pattern; the rest is plain. Shoes and bags have few patterns.
_PATTERNS: tuple[Pattern, ...] = get_args(Pattern)
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
# Coordinates of the frame, for patterns and light: rows and columns from -1 to 1.
_ROWS, _COLUMNS = np.linspace(-1, 1, SIDE)[:, None], np.linspace(-1, 1, SIDE)[None, :]


def draw(label: int, rng: np.random.Generator, *, style: Style = "filled") -> NDArray[np.uint8]:
    """Draw one garment.

    Args:
        label: its class, 0..9.
        rng: decides everything that varies.
        style: "filled" for cloth as in the data, "outline" for a line drawing, white on black.

    Returns:
        uint8 `(28, 28)`, bright on black.

    Raises:
        ValueError: no such class or style.
    """
    styles = get_args(Style)
    if not 0 <= label <= 9 or style not in styles:
        raise ValueError(
            f"Expected a label from 0 to 9 and a style of {styles}; received {label!r}, {style!r}."
        )
    parts = fit(shape(int(label), rng), angle=float(rng.normal(0, 2.0)))
    if style == "outline":
        return np.asarray(outline(parts, stroke=float(rng.uniform(1.2, 2.4))))
    tones = np.asarray(fill(parts), dtype=np.float32) / _TONE
    return _cloth(tones, int(label), rng)


def sample(n: int = 2400, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw a small data set.

    Each ten pictures in a row have one of each class, so that the classes stay balanced wherever
    the data set is cut.

    >>> pixels, labels = sample(20)
    >>> pixels.shape, sorted(labels[:10].tolist())
    ((20, 28, 28), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])

    Args:
        n: number of pictures.
        seed: the same seed gives the same pictures; a smaller `n` gives the first of them.

    Returns:
        uint8 `(n, 28, 28)` and int64 `(n,)`.
    """
    order = np.random.default_rng(seed)
    tens = [order.permutation(10) for _ in range(math.ceil(n / 10))]
    labels = np.concatenate(tens)[:n] if tens else np.empty(0, np.int64)
    pixels = np.empty((n, SIDE, SIDE), dtype=np.uint8)
    for position, label in enumerate(labels):
        pixels[position] = draw(int(label), np.random.default_rng([seed, position]))
    return pixels, labels.astype(np.int64)


def fit(parts: list[Part], *, angle: float = 0.0) -> list[Part]:
    """Turn a shape by `angle` degrees, centre it, and scale its longest edge to fill the frame.

    Returns:
        the same parts, in pixels of the enlarged frame on which `fill` and `outline` paint.
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
    """Paint fitted parts over each other: 28 x 28, grey level 120 for cloth, 0 for background."""
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
    """Draw fitted parts as a sketch, 28 x 28, white on black; see `large_outline`."""
    return large_outline(parts, stroke=stroke).reduce(OVER)


def large_outline(parts: list[Part], *, stroke: float = 1.6) -> Image.Image:
    """Draw the contour of the whole and the lines within.

    Args:
        parts: as `fit` returns them.
        stroke: width of the lines, in pixels of a picture of 28.

    Returns:
        "L", the enlarged frame, white on black.
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
    # Without some background around it, a garment would have no contour where it touches the edge.
    framed = Image.new("L", (side + 2 * width, side + 2 * width), 0)
    framed.paste(whole, (width, width))
    contour = ImageChops.subtract(framed, framed.filter(ImageFilter.MinFilter(width)))
    contour = contour.crop((width, width, width + side, width + side))
    pen = ImageDraw.Draw(contour)
    for part in parts:
        if abs(part.tone - 1) < 0.2:
            continue  # a faint fold, which nobody would sketch
        path = part.points if part.width else np.concatenate([part.points, part.points[:1]])
        pen.line(path.ravel().tolist(), fill=255, width=width // 2 + 1, joint="curve")
    return ImageChops.multiply(contour, whole)


def _cloth(tones: NDArray[np.floating], label: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Give a painted shape its brightness, pattern, light and noise; `(28, 28)`."""
    base = 255 * (0.3 + 0.65 * rng.beta(2.2, 1.3))
    shares = np.cumsum(_SHARES[label])
    kind = int(np.searchsorted(shares, rng.random(), side="right"))
    values = base * tones * _light(rng)
    if kind < len(_PATTERNS):
        values = values * _pattern(_PATTERNS[kind], rng)
    values += rng.normal(0, rng.uniform(1, 8), tones.shape) * np.minimum(tones, 1)
    return np.clip(values, 0, 255).astype(np.uint8)


def _light(rng: np.random.Generator) -> NDArray[np.float64]:
    """Factors around 1, `(28, 28)`: darker towards one side and the edges, with folds."""
    side, down = rng.uniform(-0.12, 0.12, 2)
    edge, fold = rng.uniform(0, 0.25), rng.uniform(0, 0.1)
    waves = np.sin(_COLUMNS * rng.uniform(4, 14) + _ROWS * rng.uniform(-3, 3) + rng.uniform(0, 6.3))
    light: NDArray[np.float64] = 1 + side * _COLUMNS + down * _ROWS - edge * _COLUMNS**2
    return light + fold * waves


def _pattern(kind: Pattern, rng: np.random.Generator) -> NDArray[np.float64]:
    """What is woven in or printed on: factors up to 1.4 that broadcast to `(28, 28)`."""
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


def _bands(along: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """0 and 1 in turn along rows or columns, with a period of two to seven pixels."""
    period = rng.uniform(2.2, 7.5) * 2 / SIDE
    phase: NDArray[np.float64] = (along / period + rng.random()) % 1
    return (phase < rng.uniform(0.3, 0.6)).astype(np.float64)
