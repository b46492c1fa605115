"""Tangles of lines are told apart from drawn garments, however those are coloured in."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.pictures import scribble

SIDE, PEN = 320, 14
OUTLINES = {
    "T-shirt": [
        (110, 40),
        (135, 55),
        (185, 55),
        (210, 40),
        (280, 85),
        (255, 140),
        (225, 120),
        (225, 285),
        (95, 285),
        (95, 120),
        (65, 140),
        (40, 85),
        (110, 40),
    ],
    "trousers": [
        (110, 30),
        (210, 30),
        (235, 290),
        (180, 290),
        (160, 110),
        (140, 290),
        (85, 290),
        (110, 30),
    ],
    "dress": [(130, 20), (190, 20), (180, 120), (250, 300), (70, 300), (140, 120), (130, 20)],
    "bag": [
        (40, 120),
        (280, 120),
        (280, 280),
        (40, 280),
        (40, 120),
        (100, 120),
        (110, 50),
        (210, 50),
        (220, 120),
    ],
    "boot": [(60, 30), (150, 30), (150, 160), (270, 220), (280, 280), (60, 280), (60, 30)],
}


def sheet(*lines: list[tuple[float, float]], pen: int = PEN) -> np.ndarray:
    image = Image.new("RGBA", (SIDE, SIDE), "white")
    for points in lines:
        ImageDraw.Draw(image).line(points, fill="black", width=pen, joint="curve")
    return np.asarray(image)


def shaken(
    points: list[tuple[float, float]], rng: np.random.Generator
) -> list[tuple[float, float]]:
    """The same outline by an unsteady hand, closed again."""
    ends = np.array(points[:-1]) + rng.normal(0, 5, (len(points) - 1, 2))
    along = [
        start + (end - start) * share
        for start, end in zip(ends, [*ends[1:], ends[0]], strict=True)
        for share in np.linspace(0, 1, 10, endpoint=False)
    ]
    return [
        tuple(point)
        for point in [*(np.array(along) + rng.normal(0, 1.5, (len(along), 2))), along[0]]
    ]


def hatching(points: list[tuple[float, float]], step: int) -> list[tuple[float, float]]:
    """One zigzag that colours the outline's inside and leaves gaps."""
    mask = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(mask).polygon(points, fill=255)
    rows = (
        (row, np.flatnonzero(line))
        for row, line in enumerate(np.asarray(mask))
        if row % step == 0 and line.any()
    )
    return [
        point for row, inside in rows for point in ((inside[0], row), (inside[-1], row + step / 2))
    ]


@pytest.mark.parametrize("name", OUTLINES)
def test_a_garment_is_no_scribble_whether_outlined_or_hatched(name):
    rng = np.random.default_rng(7)
    for _ in range(5):
        outline = shaken(OUTLINES[name], rng)
        assert scribble.doubt(sheet(outline), PEN) == ""
    for step in (16, 22, 28):
        hatched = sheet(OUTLINES[name], hatching(OUTLINES[name], step))
        assert scribble.doubt(hatched, PEN) == ""


def test_stripes_and_checks_on_a_shirt_are_no_scribble():
    stripes = [[(95, y), (225, y)] for y in range(125, 280, 25)]
    checks = [[(x, 120), (x, 285)] for x in range(110, 225, 22)]
    assert scribble.doubt(sheet(OUTLINES["T-shirt"], *stripes, pen=10), 10) == ""
    assert scribble.doubt(sheet(OUTLINES["T-shirt"], *stripes, *checks, pen=8), 8) == ""


@pytest.mark.parametrize("strokes", [25, 35, 50])
def test_a_tangle_of_many_strokes_is_a_scribble(strokes):
    rng = np.random.default_rng(strokes)
    found = [
        scribble.doubt(sheet([tuple(point) for point in rng.uniform(20, 300, (strokes, 2))]), PEN)
        for _ in range(20)
    ]
    assert sum("scribble" in one for one in found) >= 18


def test_a_dot_is_too_small_and_an_empty_sheet_is_empty():
    assert "too small" in scribble.doubt(sheet([(160, 160), (166, 160)]), PEN)
    assert scribble.doubt(sheet(), PEN) == "Nothing is drawn."
    assert scribble.doubt(np.zeros((SIDE, SIDE, 4), np.uint8), PEN) == "Nothing is drawn.", (
        "transparent black is no ink"
    )
