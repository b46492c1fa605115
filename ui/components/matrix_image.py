"""The confusion matrix as a PNG for a report: drawn with Pillow, so that no browser is needed on
the server.

The file always has a white page and dark words, whatever the theme on the screen, because it will
be printed.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from core.labels import CLASS_NAMES
from ui.components.theme import LIGHT

CELL = 112  # pixels; the whole picture is about 1500 wide, enough for a column of print
LEFT, TOP, MARGIN = 210, 330, 40
RIGHT = 96  # the last slanted name needs it
INK, GREY = "#23262f", "#6b7080"


def draw(
    values: np.ndarray,
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
    _slanted(image, "Truth", (34, TOP + count * CELL / 2), 90, GREY)
    for position, name in enumerate(CLASS_NAMES[:count]):
        middle = position * CELL + CELL / 2
        pen.text((LEFT - 16, TOP + middle), name, INK, _font(26), anchor="rm")
        _leaning(image, name, (LEFT + middle, TOP - 14))
    shade = np.sign(values) * np.sqrt(np.abs(values))
    top = float(np.nanmax(np.abs(shade))) if np.isfinite(shade).any() else 0.0
    for row, column in np.ndindex(values.shape):
        x, y = LEFT + column * CELL, TOP + row * CELL
        amount = (
            0.0 if np.isnan(shade[row, column]) or top == 0 else float(shade[row, column]) / top
        )
        fill = _colour(amount, difference)
        pen.rounded_rectangle((x + 3, y + 3, x + CELL - 3, y + CELL - 3), 10, fill=fill)
        if text[row][column]:
            pen.text(
                (x + CELL / 2, y + CELL / 2),
                text[row][column],
                _readable_on(fill),
                _font(28),
                anchor="mm",
            )
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _font(size: int) -> ImageFont.FreeTypeFont:
    """The typeface that comes with Pillow: the same on every machine."""
    return ImageFont.load_default(size)


def _text_image(text: str, colour: str) -> Image.Image:
    """One line of text on nothing, cut to its size."""
    font = _font(26)
    left, top, right, bottom = font.getbbox(text)
    canvas = Image.new("RGBA", (int(right - left) + 4, int(bottom - top) + 8), (0, 0, 0, 0))
    ImageDraw.Draw(canvas).text((2 - left, 4 - top), text, colour, font)
    return canvas


def _slanted(
    image: Image.Image, text: str, middle: tuple[float, float], degrees: int, colour: str
) -> None:
    """Put turned text with its centre at `middle`."""
    turned = _text_image(text, colour).rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    image.paste(
        turned, (int(middle[0] - turned.width / 2), int(middle[1] - turned.height / 2)), turned
    )


def _leaning(image: Image.Image, text: str, foot: tuple[float, float]) -> None:
    """Put text that rises to the right at 45 degrees from `foot`, kept inside the picture."""
    turned = _text_image(text, INK).rotate(45, Image.Resampling.BICUBIC, expand=True)
    x = min(int(foot[0] - 14), image.width - turned.width)
    image.paste(turned, (x, int(foot[1] - turned.height)), turned)


def _colour(amount: float, difference: bool) -> tuple[int, int, int]:
    """The cell's colour for -1..1 (difference) or 0..1 (amount), along the same scale as on the
    screen.
    """
    if difference:
        stops = [(0.0, LIGHT.low), (1.0, LIGHT.worse if amount < 0 else LIGHT.better)]
    else:
        stops = [(0.0, LIGHT.low), (0.45, LIGHT.middle), (1.0, LIGHT.high)]
    share = min(abs(amount), 1.0)
    for (start, first), (end, second) in zip(stops, stops[1:], strict=False):
        if share <= end:
            weight = (share - start) / (end - start)
            a, b = (np.array(ImageColor.getrgb(colour), float) for colour in (first, second))
            red, green, blue = (a + weight * (b - a)).round().astype(int)
            return int(red), int(green), int(blue)
    return ImageColor.getrgb(stops[-1][1])


def _readable_on(fill: tuple[int, int, int]) -> str:
    """Dark or white ink, whichever can be read there."""
    return INK if 0.299 * fill[0] + 0.587 * fill[1] + 0.114 * fill[2] > 140 else "#ffffff"
