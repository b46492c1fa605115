"""Computer-generated sketches, icons and scribbles, such as people draw or download: large, in
colour, on white or on a transparent background.

A garment is first an area in tones with the lines between its parts (`Design`), invented by
`core.garments.drawing` or traced from a picture of the data; how it is rendered, with a shaky pen
or in flat colours, does not depend on where it came from.

These stand in for people's own drawings, which vary more than they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from core.garments import drawing
from core.garments.shapes import drawn_shape
from core.labels import SIDE

Kind = Literal["sketches", "icons", "scribbles"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PAPER = 160  # pixels of a rendered picture
MARGIN = 11  # around the garment
SPECK = 30  # pixels: shorter edges of a traced picture are noise
TRACED_FROM = 40  # grey level from which a pixel of the data is garment when it is traced

Tones = NDArray[np.float32]
Mask = NDArray[np.bool_]
Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Design:
    """A garment before it is rendered.

    Attributes:
        tones: float32 `(PAPER, PAPER)`, 0 outside, about 1 for cloth, other values for parts that
            stand out.
        seams: bool `(PAPER, PAPER)`, one pixel wide: where inner parts meet.
    """

    tones: Tones
    seams: Mask


def as_kind(text: str) -> Kind:
    """The kind of that name.

    Raises:
        ValueError: if there is none.
    """
    for kind in KINDS:
        if kind == text:
            return kind
    raise ValueError(f"a kind is one of {', '.join(KINDS)}; received {text!r}")


def draw(kind: Kind, label: int, rng: np.random.Generator) -> Image.Image:
    """Draw one picture of a kind.

    Args:
        kind: one of `KINDS`.
        label: the class 0..9 of the garment; a scribble has none and ignores it.

    Returns:
        "RGB" on a background, or "RGBA" on a transparent one, `PAPER` pixels wide and high.

    Raises:
        ValueError: for another kind or class.
    """
    if as_kind(kind) == "scribbles":
        return scribble(rng)
    return render(kind, design(label, rng), rng)


def design(label: int, rng: np.random.Generator) -> Design:
    """Invent a garment of a class 0..9."""
    parts = drawing.fit(drawn_shape(int(label), rng), angle=float(rng.normal(0, 4)))
    scale = (PAPER - 2 * MARGIN) / (SIDE * drawing.OVER)
    tones, seams = Image.new("L", (PAPER, PAPER), 0), Image.new("L", (PAPER, PAPER), 0)
    brush, pen = ImageDraw.Draw(tones), ImageDraw.Draw(seams)
    for part in parts:
        points = (part.points * scale + MARGIN).ravel().tolist()
        level = round(min(part.tone, 2.0) * 120)
        if part.width:
            brush.line(points, fill=level, width=max(2, round(part.width * scale)), joint="curve")
        else:
            brush.polygon(points, fill=level)
        if abs(part.tone - 1) >= 0.2 or rng.random() < 0.3:
            pen.line(points if part.width else points + points[:2], fill=255, width=1)
    values: Tones = np.asarray(tones, np.float32) / np.float32(120)
    return Design(values, (np.asarray(seams) > 0) & (values > 0))


def trace(pixels: NDArray[np.uint8], rng: np.random.Generator) -> Design:
    """The garment of a picture of the data, uint8 `(28, 28)`, as a design: its silhouette, and its
    strongest edges as seams.
    """
    from scipy import ndimage

    side = PAPER - 2 * MARGIN
    large = np.asarray(
        Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC), np.float32
    )
    smooth = ndimage.gaussian_filter(np.pad(large, MARGIN), rng.uniform(1.5, 3.0))
    inside = smooth > TRACED_FROM * rng.uniform(0.6, 1.2)
    if not inside.any():
        inside = smooth > smooth.max() / 2
    slope = ndimage.gaussian_gradient_magnitude(smooth, 2.0)
    within = ndimage.binary_erosion(inside, iterations=6)
    seams = np.zeros_like(inside)
    if within.any():
        least = np.maximum(np.quantile(slope[within], rng.uniform(0.8, 0.95)), 2.0)
        strong = within & (slope > least)
        seams = strong & (slope >= ndimage.maximum_filter(slope, 3))
        seams = _remove_specks(ndimage.binary_closing(seams, iterations=2) & within)
    tones = np.where(inside, 0.4 + 0.9 * smooth / max(smooth[inside].max(), 1.0), 0)
    return Design(tones.astype(np.float32), seams)


def render(kind: Kind, garment: Design, rng: np.random.Generator) -> Image.Image:
    """Draw a design as a freehand sketch ("sketches") or as a flat drawing ("icons")."""
    tones, seams = _shake(garment, rng.uniform(0, 3.5 if kind == "sketches" else 1.0), rng)
    return _sketch(tones, seams, rng) if kind == "sketches" else _icon(tones, seams, rng)


def scribble(rng: np.random.Generator) -> Image.Image:
    """Draw lines, curls, loops, letters or dots that show nothing."""
    canvas = Image.new("RGB", (PAPER, PAPER), "white")
    pen = ImageDraw.Draw(canvas)
    width = int(rng.integers(2, 7))
    kind = rng.choice(["strokes", "tangle", "spiral", "loop", "zigzag", "word", "dots"])
    if kind == "word":
        text = "".join(
            rng.choice(list("ABCDEFGHKMNRSabcdehkmnrs2345789?"), int(rng.integers(1, 5)))
        )
        pen.text(
            (PAPER / 2, PAPER / 2),
            text,
            fill="black",
            font_size=float(rng.uniform(40, 105)),
            anchor="mm",
            stroke_width=width // 2,
        )
        return canvas
    if kind == "dots":
        for x, y in rng.uniform(15, PAPER - 15, (int(rng.integers(1, 12)), 2)):
            pen.ellipse([x - width, y - width, x + width, y + width], fill="black")
        return canvas
    for points in _lines(kind, rng):
        pen.line(points.ravel().tolist(), fill="black", width=width, joint="curve")
    return canvas


def _lines(kind: str, rng: np.random.Generator) -> Sequence[Floats]:
    """The lines of a scribble, points `(n, 2)` each."""
    turn = np.linspace(0, 1, 200)
    if kind == "strokes":
        return [rng.uniform(10, PAPER - 10, (2, 2)) for _ in range(int(rng.integers(1, 6)))]
    if kind == "tangle":
        count = int(rng.integers(1, 12))
        return [_smooth_line(rng, int(rng.integers(4, 30))) for _ in range(count)]
    if kind == "spiral":
        return [_around(turn * rng.uniform(2, 7), turn * rng.uniform(35, 70), rng)]
    if kind == "loop":
        return [
            _around(turn * rng.uniform(0.6, 1.0), np.full(200, rng.uniform(15, 66)), rng)
            for _ in range(int(rng.integers(1, 4)))
        ]
    zigzag = PAPER / 2 + rng.uniform(-55, 55, 14)
    return [np.stack([np.linspace(15, PAPER - 15, 14), zigzag], 1)]


def _remove_specks(lines: Mask) -> Mask:
    """Only those lines that are more than specks."""
    from scipy import ndimage

    numbers, count = ndimage.label(lines, np.ones((3, 3)))
    return np.isin(
        numbers, np.flatnonzero(np.bincount(numbers.ravel(), minlength=count + 1)[1:] >= SPECK) + 1
    )


def _around(turns: Floats, radius: Floats, rng: np.random.Generator) -> Floats:
    """Points `(n, 2)` at these turns and radii around a point near the middle."""
    angle = 2 * np.pi * turns + rng.uniform(0, 6.3)
    squeeze = rng.uniform(0.5, 1.0, 2)
    circle: Floats = np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None] * squeeze
    return circle + PAPER / 2 + rng.uniform(-10, 10, 2)


def _smooth_line(rng: np.random.Generator, corners: int) -> Floats:
    """A curve through random corners, points `(n, 2)`."""
    from scipy.interpolate import make_interp_spline

    points = rng.uniform(15, PAPER - 15, (corners, 2))
    spline = make_interp_spline(np.arange(corners), points, k=min(3, corners - 1))
    curve: Floats = spline(np.linspace(0, corners - 1, corners * 12))
    return curve


def _shake(garment: Design, amount: float, rng: np.random.Generator) -> tuple[Tones, Mask]:
    """Tones and seams, moved by a smooth random field, `amount` pixels strong, and squeezed a
    little in one direction.
    """
    from scipy import ndimage

    field = [_noise(int(rng.integers(4, 10)), rng) * amount for _ in range(2)]
    rows, columns = np.mgrid[:PAPER, :PAPER].astype(np.float32)
    squeeze = (
        np.array([1.0, 1.0]) + np.array([rng.uniform(0, 0.25), 0])[:: int(rng.choice([1, -1]))]
    )
    sources = [
        (rows - PAPER / 2) * squeeze[0] + PAPER / 2 + field[0],
        (columns - PAPER / 2) * squeeze[1] + PAPER / 2 + field[1],
    ]
    tones = ndimage.map_coordinates(garment.tones, sources, order=1)
    seams = (
        ndimage.map_coordinates(
            ndimage.binary_dilation(garment.seams).astype(np.float32), sources, order=1
        )
        > 0.5
    )
    return tones, seams & (tones > 0.05)


def _noise(cells: int, rng: np.random.Generator) -> Tones:
    """A smooth random field, about -1..1, float32 `(PAPER, PAPER)`."""
    coarse = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((PAPER, PAPER), Image.Resampling.BICUBIC))


def _contour(inside: Mask, width: float) -> Mask:
    """The line along the border of an area, this many pixels wide, half of it on either side."""
    from scipy import ndimage

    away = np.where(
        inside, ndimage.distance_transform_edt(inside), ndimage.distance_transform_edt(~inside)
    )
    contour: Mask = away - 0.5 <= width / 2  # a pixel at the border is half a pixel from it
    return contour


def _stroke(seams: Mask, width: float) -> Mask:
    """Seams as lines of a width."""
    from scipy import ndimage

    if not seams.any():
        return seams
    lines: Mask = ndimage.distance_transform_edt(~seams) <= width / 2
    return lines


def _sketch(tones: Tones, seams: Mask, rng: np.random.Generator) -> Image.Image:
    """Lines of one pen on white: the contour, mostly with seams, sometimes with gaps, shading or
    colour.
    """
    width = float(rng.choice([rng.uniform(1.5, 3.0), rng.uniform(3.0, 5.5)]))
    ink = _contour(tones > 0.05, width)
    if rng.random() < 0.65:
        ink |= _stroke(seams, width * rng.uniform(0.6, 1.0))
    if rng.random() < 0.3:  # a pen that was lifted
        rows, columns = np.mgrid[:PAPER, :PAPER]
        where = np.argwhere(ink)
        for row, column in where[rng.integers(0, len(where), int(rng.integers(1, 5)))]:
            ink &= (rows - row) ** 2 + (columns - column) ** 2 > rng.uniform(1, 1.8 + width) ** 2
    paper = np.full((PAPER, PAPER, 3), 255.0)
    if rng.random() < 0.12:  # hatched or coloured in
        period = rng.uniform(6, 14)
        hatch = (
            np.add.outer(np.arange(PAPER), np.arange(PAPER) * rng.choice([-1, 0, 1])) % period
        ) < width
        ink |= hatch & (tones > 0.05)
    colour = np.full(3, rng.uniform(0, 60)) if rng.random() < 0.8 else rng.uniform(0, 190, 3)
    return Image.fromarray(np.where(ink[..., None], colour, paper).astype(np.uint8))


def _icon(tones: Tones, seams: Mask, rng: np.random.Generator) -> Image.Image:
    """A flat drawing: filled in one to three colours, outlined or not, on a transparent, white or
    coloured background; or lines alone.
    """
    inside = tones > 0.05
    style = rng.choice(["flat", "outlined", "lines", "silhouette"], p=[0.35, 0.35, 0.2, 0.1])
    cloth, detail, rim = (
        rng.uniform(20, 250, 3),
        rng.uniform(0, 255, 3),
        np.full(3, rng.uniform(0, 70)),
    )
    picture = np.zeros((PAPER, PAPER, 4))
    if style != "lines":
        picture[inside] = [*(rim if style == "silhouette" else cloth), 255]
    if style in ("flat", "outlined"):
        step = np.round(tones * 4) / 4
        shade = np.where(np.abs(step - 1)[..., None] < 0.2, cloth, cloth * 0.6 + detail * 0.4)
        picture[inside, :3] = (shade * (0.85 + 0.15 * tones.clip(0, 1)[..., None]))[inside]
    lines = (
        _contour(inside, rng.uniform(2, 7))
        if style in ("outlined", "lines")
        else np.zeros_like(inside)
    )
    if style != "silhouette" and rng.random() < 0.7:
        lines = lines | _stroke(seams, rng.uniform(1.5, 4.5))
    picture[lines] = [*rim, 255]
    ground = rng.random()
    if ground < 0.6:
        return Image.fromarray(picture.clip(0, 255).astype(np.uint8), "RGBA")
    paper = np.full(3, 255.0) if ground < 0.9 or style == "silhouette" else rng.uniform(150, 255, 3)
    share = picture[..., 3:] / 255
    return Image.fromarray(
        (picture[..., :3] * share + paper * (1 - share)).clip(0, 255).astype(np.uint8)
    )
