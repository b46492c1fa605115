"""The confusion matrix as a PNG for a report, drawn with Pillow: the server needs no browser.

The file always has a white page and dark words, whatever the theme on the screen, because it will
be printed.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from core.labels import CLASS_NAMES
from ui.components.theme import LIGHT

CELL = 112  # pixels; the whole picture is about 1500 wide, enough for a column of print
LEFT, TOP, MARGIN = 210, 330, 40
RIGHT = 96  # for the last slanted name
INK, GREY = "#23262f", "#6b7080"


def draw(
    values: NDArray[np.floating],
    text: Sequence[Sequence[str]],
    *,
    title: str,
    fallback: str,
    facts: str,
    difference: bool = False,
) -> bytes:
    """Draw the matrix that the page shows.

    Args:
        values: float `(n, n)`, row = truth, column = prediction; NaN leaves a cell blank. Coloured
            by the square root.
        text: what stands in each cell.
        title: first line, such as the run's name.
        fallback: what to say instead where the title has letters beyond Latin, which the typeface
            lacks.
        facts: second line, in grey: what was counted, on what.
        difference: colours run from worse (negative) over white to better (positive).

    Returns:
        the PNG file's bytes.
    """
    count = len(values)
    image = Image.new("RGB", (LEFT + count * CELL + RIGHT, TOP + count * CELL + MARGIN), "white")
    pen = ImageDraw.Draw(image)
    pen.text((MARGIN, 34), title if title.isascii() else fallback, INK, _font(40))
    pen.text((MARGIN, 88), facts.replace("\N{NO-BREAK SPACE}", " "), GREY, _font(26))
    pen.text((LEFT + count * CELL / 2, 146), "Prediction", GREY, _font(26), anchor="mm")
    _put_upright(image, "Truth", (34, TOP + count * CELL / 2))
    for position, name in enumerate(CLASS_NAMES[:count]):
        middle = position * CELL + CELL / 2
        pen.text((LEFT - 16, TOP + middle), name, INK, _font(26), anchor="rm")
        _put_slanted(image, name, (LEFT + middle, TOP - 14))
    shade = np.sign(values) * np.sqrt(np.abs(values))
    top = float(np.nanmax(np.abs(shade))) if np.isfinite(shade).any() else 0.0
    for row, column in np.ndindex(count, count):
        blank = top == 0 or np.isnan(shade[row, column])
        amount = 0.0 if blank else float(shade[row, column]) / top
        _draw_cell(pen, row, column, _colour(amount, difference), text[row][column])
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _draw_cell(
    pen: ImageDraw.ImageDraw, row: int, column: int, fill: tuple[int, int, int], text: str
) -> None:
    x, y = LEFT + column * CELL, TOP + row * CELL
    pen.rounded_rectangle((x + 3, y + 3, x + CELL - 3, y + CELL - 3), 10, fill=fill)
    if text:
        ink = _readable_on(fill)
        pen.text((x + CELL / 2, y + CELL / 2), text, ink, _font(28), anchor="mm")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The typeface that comes with Pillow: the same on every machine."""
    return ImageFont.load_default(size)


def _text_image(text: str, colour: str) -> Image.Image:
    """One line of text on nothing, cut to its size."""
    font = _font(26)
    left, top, right, bottom = font.getbbox(text)
    canvas = Image.new("RGBA", (int(right - left) + 4, int(bottom - top) + 8), (0, 0, 0, 0))
    ImageDraw.Draw(canvas).text((2 - left, 4 - top), text, colour, font)
    return canvas


def _put_upright(image: Image.Image, text: str, middle: tuple[float, float]) -> None:
    """Put grey text that reads upwards, with its centre at `middle`."""
    turned = _text_image(text, GREY).rotate(90, Image.Resampling.BICUBIC, expand=True)
    image.paste(
        turned, (int(middle[0] - turned.width / 2), int(middle[1] - turned.height / 2)), turned
    )


def _put_slanted(image: Image.Image, text: str, foot: tuple[float, float]) -> None:
    """Put text that rises to the right at 45 degrees from `foot`, kept inside the image."""
    turned = _text_image(text, INK).rotate(45, Image.Resampling.BICUBIC, expand=True)
    x = min(int(foot[0] - 14), image.width - turned.width)
    image.paste(turned, (x, int(foot[1] - turned.height)), turned)


def _colour(amount: float, difference: bool) -> tuple[int, int, int]:
    """The cell's colour for -1..1 (difference) or 0..1 (amount), on the page's scale."""
    if difference:
        stops = [(0.0, LIGHT.low), (1.0, LIGHT.worse if amount < 0 else LIGHT.better)]
    else:
        stops = [(0.0, LIGHT.low), (0.45, LIGHT.middle), (1.0, LIGHT.high)]
    share = min(abs(amount), 1.0)
    for (start, first), (end, second) in itertools.pairwise(stops):
        if share <= end:
            weight = (share - start) / (end - start)
            red, green, blue = (
                round(a + weight * (b - a)) for a, b in zip(_rgb(first), _rgb(second), strict=True)
            )
            return red, green, blue
    return _rgb(stops[-1][1])


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue


def _readable_on(fill: tuple[int, int, int]) -> str:
    """Dark or white ink, whichever can be read there."""
    return INK if 0.299 * fill[0] + 0.587 * fill[1] + 0.114 * fill[2] > 140 else "#ffffff"
