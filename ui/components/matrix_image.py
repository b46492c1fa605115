"""The confusion matrix as a PNG for a report, drawn with Pillow: the server needs no browser.

The file always has a white page and dark words, whatever the theme on the screen, because it will
be printed.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from core.labels import CLASS_NAMES
from ui.components.theme import LIGHT, Palette

CELL = 112  # pixels; the whole picture is about 1500 wide, enough for a column of print
LEFT, TOP, MARGIN = 210, 330, 40
RIGHT = 96  # for the last slanted name
INK, GREY = "#23262f", "#6b7080"
MIDDLE = 0.45  # where on the scale the middle colour lies
LOGARITHM = 200  # how many times smaller an amount may be and still have a colour


def draw(
    values: NDArray[np.floating],
    text: Sequence[Sequence[str]],
    *,
    title: str,
    fallback: str,
    facts: str,
    difference: bool = False,
    logarithmic: bool = False,
    order: Sequence[int] = tuple(range(len(CLASS_NAMES))),
) -> bytes:
    """Draw the matrix that the page shows.

    Args:
        values: float `(10, 10)`, row = truth, column = prediction; NaN leaves a cell blank.
        text: what stands in each cell.
        title: first line, such as the run's name.
        fallback: what to say instead where the title has letters beyond Latin, which the typeface
            lacks.
        facts: second line, in grey: what was counted, on what.
        difference, logarithmic: as in `fills`.
        order: the labels in the order in which they are drawn.

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
    for position, label in enumerate(order):
        middle = position * CELL + CELL / 2
        pen.text((LEFT - 16, TOP + middle), CLASS_NAMES[label], INK, _font(26), anchor="rm")
        _put_slanted(image, CLASS_NAMES[label], (LEFT + middle, TOP - 14))
    colours = fills(
        values, top_of([values], difference), LIGHT, logarithmic=logarithmic, difference=difference
    ).tolist()
    for row, truth in enumerate(order):
        for column, prediction in enumerate(order):
            fill = tuple(colours[truth][prediction])
            _draw_cell(pen, row, column, fill, text[truth][prediction])
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _draw_cell(
    pen: ImageDraw.ImageDraw, row: int, column: int, fill: tuple[int, ...], text: str
) -> None:
    x, y = LEFT + column * CELL, TOP + row * CELL
    pen.rounded_rectangle((x + 3, y + 3, x + CELL - 3, y + CELL - 3), 10, fill=fill)
    if text:
        ink = readable_on(fill)
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


def top_of(matrices: Sequence[NDArray[np.floating]], difference: bool = False) -> float:
    """The amount that gets the strongest colour, so that several matrices share one scale; the
    diagonal, which has a colour of its own, counts only in a difference.
    """
    amounts = np.abs(np.stack(matrices))
    if not difference:
        amounts = np.where(np.eye(amounts.shape[-1], dtype=bool), np.nan, amounts)
    return float(np.nanmax(amounts)) if np.isfinite(amounts).any() else 0.0


def fills(
    values: NDArray[np.floating],
    top: float,
    colours: Palette,
    *,
    logarithmic: bool = False,
    difference: bool = False,
) -> NDArray[np.uint8]:
    """The colours of the cells.

    Args:
        values: float `(n, n)`; NaN has no amount.
        top: the amount with the strongest colour, as `top_of` finds it.
        colours: the theme's.
        logarithmic: colours follow the logarithm, so that rare mistakes stand out too.
        difference: they run from worse (negative) over neutral to better (positive), the diagonal
            included; otherwise that has one colour of its own, outside the scale.

    Returns:
        uint8 `(n, n, 3)`.
    """
    amounts = np.clip(np.nan_to_num(np.abs(values)) / (top or 1.0), 0.0, 1.0)
    if logarithmic:
        amounts = np.log1p(LOGARITHM * amounts) / np.log1p(LOGARITHM)
    low, middle, high = (
        np.array(_rgb(each)) for each in (colours.low, colours.middle, colours.high)
    )
    worse, better = (np.array(_rgb(each)) for each in (colours.worse, colours.better))
    share = amounts[..., None]
    if difference:
        mixed = low + share * (np.where(np.sign(values)[..., None] < 0, worse, better) - low)
    else:
        lower = low + share / MIDDLE * (middle - low)
        upper = middle + (share - MIDDLE) / (1 - MIDDLE) * (high - middle)
        mixed = np.where(share <= MIDDLE, lower, upper)
        diagonal = np.eye(len(values), dtype=bool) & np.isfinite(values)
        mixed = np.where(diagonal[..., None], low + 0.22 * (better - low), mixed)
    rounded: NDArray[np.uint8] = mixed.round().astype(np.uint8)
    return rounded


def readable_on(fill: Sequence[int]) -> str:
    """Black or white, whichever has the higher contrast there: at least 4.5 : 1 on any colour."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (channel / 255 for channel in fill)
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue
