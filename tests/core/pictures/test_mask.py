"""Outlines: where they are closed, where they are open, and what is bridged."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.pictures import mask


def outline(gap: int, width: int = 10) -> np.ndarray:
    """A square outline of 200 pixels with a gap in the middle of its top, bool `(320, 320)`."""
    image = Image.new("L", (320, 320), 0)
    left, right = 160 - gap / 2, 160 + gap / 2
    around = [(right, 60), (260, 60), (260, 260), (60, 260), (60, 60), (left, 60)]
    ImageDraw.Draw(image).line(around, fill=255, width=width, joint="curve")
    return np.asarray(image) > 0


@pytest.mark.parametrize("gap", [24, 40, 60])
def test_a_gap_is_bridged_and_marked_where_it_is(gap):
    lines = outline(gap)
    assert mask.enclosed(lines)[160, 160]
    rows, columns = np.nonzero(mask.bridges(lines))
    assert rows.min() > 40 and rows.max() < 100
    assert abs(columns.mean() - 160) < 3 and np.ptp(columns) <= gap + 20
    assert not (mask.bridges(lines) & lines).any()


def test_a_closed_outline_and_an_empty_sheet_have_no_marks():
    assert not mask.bridges(outline(0)).any()
    assert not mask.bridges(np.zeros((320, 320), bool)).any()


def test_an_outline_that_is_hardly_begun_is_not_closed():
    lines = np.zeros((320, 320), bool)
    lines[60:70, 60:260] = lines[60:260, 60:70] = True  # two sides of the square
    assert not mask.enclosed(lines)[200, 200] and not mask.bridges(lines).any()


def test_narrow_gaps_alone_close_less():
    lines = outline(60)
    assert mask.enclosed(lines)[160, 160] and not mask.enclosed(lines, mask.NARROW)[160, 160]


def test_a_thick_outline_counts_as_lines():
    assert mask.find_garment(
        np.where(outline(0, 30)[..., None], 0, 255).astype(np.uint8).repeat(3, 2),
        np.ones((320, 320)),
    ).lines
