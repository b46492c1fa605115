"""Turn any picture into what the networks were trained on.

They know 28 x 28 grey pictures of a bright garment on black whose longest edge fills the frame.
Photographs, icons and drawings come in other sizes, colours and brightness. `prepare` is the one
path for all of them: it finds the garment, makes it bright on black, trims to it and reduces it,
and returns every step so that a page can show what happened.

It does not look for a garment among other things: it takes whatever differs most from the border.
If that is several things, it says so; cropping to one of them is left to people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.labels import SIDE
from core.pictures.crop import Crop
from core.pictures.frames import data_set_pixels, inside_frame
from core.pictures.image_files import plain, reduce
from core.pictures.mask import (
    NARROW,
    Background,
    Segmentation,
    Sign,
    enclosed,
    extent,
    find_garment,
    objects,
    stroke_width,
)

KnownPolarity = Literal["light on dark", "dark on light"]
Polarity = Literal["auto", KnownPolarity]
POLARITIES: tuple[Polarity, ...] = get_args(Polarity)
# What a picture turned out to be: lines, an area on an even or transparent ground, or a photograph.
Kind = Literal["drawing", "icon", "photograph"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# Pixels; a drawing on a 360-pixel canvas keeps its thinnest line, and a step takes a millisecond.
EDGE = 384
# Width of a line in its 28 x 28 pixels: thinner ones turn grey and vanish, wider ones run together
# (measured).
LINE = 1.2
# Brightness of the garment's median, and how much its texture is spread around it.
MIDDLE, CONTRAST = 0.65, 1.5
DARKEST = 0.15  # of white: no part of a garment gets as dark as the black around it
# Brightness of a filled outline, and of the lines around and inside it. The lines are darker, as
# seams are; a bright border would look like a collar to the network.
INSIDE, SEAM = 0.75, 0.55
# Mean width of a drawing that still counts as strokes, in widths of its pen: where two meet or run
# side by side they are wider. A garment that was coloured in is an area.
PEN_WIDTHS = 1.5
LEAST_EXTENT = 0.03  # of the frame: anything smaller is a speck, not a drawing
# Of what lies in a frame: what is smaller is a print or a buckle on a garment of straight edges.
LEAST_IN_FRAME = 0.4
_SIGNS: dict[Polarity, Sign] = {"auto": 0, "light on dark": 1, "dark on light": -1}
_BACKGROUNDS: dict[Background, str] = {
    "transparent": "The transparent part of the picture is its background.",
    "even": "The border is even: whatever differs from it is the garment.",
    "uneven": "The border is uneven: colours that are common there count as background.",
}


@dataclass(frozen=True)
class Step:
    """One stage of the preparation, to be shown.

    Attributes:
        name: one word.
        caption: a sentence about it.
        image: `(h, w)`, `(h, w, 3)` or `(h, w, 4)`.
    """

    name: str
    caption: str
    image: NDArray[np.uint8]


@dataclass(frozen=True)
class Prepared:
    """A picture as the networks take it.

    Attributes:
        pixels: `(28, 28)`, bright garment on black; all zero if `blank`.
        steps: of the preparation, in order.
        polarity: whichever was used.
        kind: what the picture turned out to be.
        blank: whether nothing was found; then there is nothing to classify.
        warnings: sentences for the person whose picture it is.
    """

    pixels: NDArray[np.uint8]
    steps: tuple[Step, ...]
    polarity: KnownPolarity
    kind: Kind = "photograph"
    blank: bool = False
    warnings: tuple[str, ...] = ()


def from_canvas(rgba: NDArray[np.uint8]) -> Image.Image:
    """A drawing canvas as a picture.

    Args:
        rgba: `(h, w, 4)`, as a drawing canvas returns it: strokes of any colour on white or on
            nothing.

    Returns:
        an "RGBA" picture where the canvas is transparent, else "RGB". An empty canvas is no error:
        `prepare` finds it blank.

    Raises:
        ValueError: if the array has another shape or type.
    """
    if rgba.ndim != 3 or rgba.shape[2] != 4 or rgba.dtype != np.uint8 or 0 in rgba.shape:
        raise ValueError(
            f"a canvas is a uint8 array (height, width, 4); received {rgba.dtype} {rgba.shape}"
        )
    return plain(Image.fromarray(rgba))


def prepare(
    image: Image.Image,
    *,
    polarity: Polarity = "auto",
    trim: bool = True,
    fill: bool = False,
    crop: Crop | None = None,
    pen: float | None = None,
) -> Prepared:
    """Bring a picture to 28 x 28 pixels, in steps.

    >>> picture = Image.new("RGB", (280, 280), "white")
    >>> picture.paste("navy", (120, 20, 160, 260))
    >>> prepared = prepare(picture)
    >>> prepared.pixels.shape, prepared.polarity, prepared.blank
    ((28, 28), 'dark on light', False)
    >>> [step.name for step in prepared.steps]
    ['Picture', 'Background', 'Brightness', 'Trim', 'Scale', 'Centre']

    Args:
        image: of any mode and size, best from `read` or `from_canvas`.
        polarity: whether the garment is brighter or darker than its background; "auto" finds out.
            Either of the others ignores whatever lies on the wrong side of the background.
        trim: whether to cut to the garment, so that it fills the frame as in the training data.
        fill: whether to fill closed outlines, so that a line drawing becomes an area.
        crop: the only part to look at; give it to `read`, too, so that it keeps its detail.
        pen: width in pixels of the pen that drew it: strokes of about that width are lines,
            however thick for the size of the drawing; None where no pen is known.

    Returns:
        a `Prepared`. The same picture and settings give the same pixels, to the last bit.

    Raises:
        ValueError: if `polarity` is none of `POLARITIES`.
    """
    if polarity not in POLARITIES:
        raise ValueError(f"polarity is one of {', '.join(POLARITIES)}; received {polarity!r}")
    as_it_is = polarity == "auto" and not (crop or pen)
    if as_it_is and (own := data_set_pixels(image)) is not None:
        return _unaltered(own)
    image, steps = _picture(image, crop)
    image, garment = _look(image, polarity, pen, steps)
    if max(extent(garment.mask)) < max(2, LEAST_EXTENT * max(image.size)):
        return _blank(steps, polarity)
    rgba = np.asarray(image.convert("RGBA"))
    steps.append(Step("Background", _about_background(garment), _cut_out(rgba, garment.mask)))
    light, used = _brightness(rgba, garment, polarity)
    bright = np.where(garment.mask, light, 0)
    steps.append(Step("Brightness", _about_polarity(polarity, used), _bytes(bright)))
    solid = lines = garment.mask
    if fill:
        bright, solid = _fill(bright, garment)
        steps.append(Step("Fill", _about_filling(garment.mask, solid), _bytes(bright)))
    if trim:
        box = _box(solid)
        bright, lines = bright[box], lines[box]
        caption = "Cut to the garment, so that it fills the frame."
        steps.append(Step("Trim", caption, _bytes(bright)))
    pixels = _reduce(bright, lines if garment.lines else None, steps)
    return Prepared(pixels, tuple(steps), used, _kind(garment), warnings=_remarks(garment, solid))


def _kind(garment: Segmentation) -> Kind:
    if garment.lines:
        return "drawing"
    return "photograph" if garment.kind == "uneven" else "icon"


def _picture(image: Image.Image, crop: Crop | None) -> tuple[Image.Image, list[Step]]:
    """The part to look at, "RGB" or "RGBA" and of at most `EDGE` pixels, and the steps so far."""
    whole = reduce(plain(image), EDGE)
    caption = f"Your picture, at {whole.width} × {whole.height} pixels."
    steps = [Step("Picture", caption, np.asarray(whole))]
    if crop is None:
        return whole, steps
    part = reduce(plain(crop.cut(image)), EDGE)
    caption = f"The part that you chose, at {part.width} × {part.height} pixels."
    steps.append(Step("Crop", caption, np.asarray(part)))
    return part, steps


def _find(image: Image.Image, polarity: Polarity, pen: float | None) -> Segmentation:
    """The garment in an "RGB" or "RGBA" picture; `pen` as of `prepare`."""
    if min(image.size) < 2:
        return Segmentation(np.zeros(image.size[::-1], bool), False, None, "even")
    rgba = np.asarray(image.convert("RGBA"))
    garment = find_garment(rgba[..., :3], rgba[..., 3] / 255, _SIGNS[polarity])
    if pen is not None and not garment.lines and garment.mask.any():
        drawn = stroke_width(garment.mask) <= PEN_WIDTHS * pen
        garment = garment._replace(lines=drawn)
    return garment


def _look(
    image: Image.Image, polarity: Polarity, pen: float | None, steps: list[Step]
) -> tuple[Image.Image, Segmentation]:
    """The garment, and the picture that it was found in: all of it, or what lies in its frame.

    A frame that is left out is added to the steps; a drawing on the sheet has none.
    """
    edges = inside_frame(image) if pen is None else None
    if edges is not None:
        part = image.crop(edges)
        garment = _find(part, polarity, pen)
        if max(extent(garment.mask)) > LEAST_IN_FRAME * max(part.size):
            caption = "The frame is left out, and the garment looked for inside it."
            steps.append(Step("Frame", caption, np.asarray(part)))
            return part, garment
    return image, _find(image, polarity, pen)


def _unaltered(pixels: NDArray[np.uint8]) -> Prepared:
    """A picture of the data set, which networks take as it is."""
    caption = "A picture as in the training data: grey, on black, filling its frame. It stays."
    return Prepared(pixels, (Step("Picture", caption, pixels),), "light on dark")


def _blank(steps: list[Step], polarity: Polarity) -> Prepared:
    """Nothing to see: black pixels, and a sentence instead of an error."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    remark = (
        "Nothing stands out from the background here: draw or photograph a garment so that it "
        "fills the frame."
    )
    if polarity != "auto":
        remark += " Or leave it to Atelier whether the garment is brighter or darker."
    steps.append(Step("Centre", "Nothing was found, so the network would see black.", pixels))
    used = "dark on light" if polarity == "auto" else polarity
    return Prepared(pixels, tuple(steps), used, blank=True, warnings=(remark,))


def _brightness(
    rgba: NDArray[np.uint8], garment: Segmentation, polarity: Polarity
) -> tuple[NDArray[np.float64], KnownPolarity]:
    """Brightness `(h, w)` in 0..1 of every pixel as garment, and the polarity used.

    The training data are negatives of product photographs, so a dark garment comes out bright. A
    white one would come out black. So the median of every garment is moved to the same brightness,
    and the texture is spread around it.
    """
    light: NDArray[np.float64] = (rgba[..., :3] @ np.array([0.299, 0.587, 0.114])) / 255
    middle = float(np.median(light[garment.mask]))
    if polarity == "auto":
        # Without a background there is nothing to compare with; then the garment is most likely
        # dark, as in the photographs behind the training data.
        ground = garment.background
        behind = 1.0 if ground is None else float(np.median(ground[garment.mask]))
        polarity = "dark on light" if middle <= behind else "light on dark"
    if garment.lines:
        return np.ones_like(light), polarity
    texture = MIDDLE + CONTRAST * _SIGNS[polarity] * (light - middle)
    return texture.clip(DARKEST, 1) * rgba[..., 3] / 255, polarity


def _fill(
    bright: NDArray[np.float64], garment: Segmentation
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The garment with its closed outlines filled: its brightness, and where it now is.

    An area is full already; a hole in it is meant, as under the handle of a bag.
    """
    solid = enclosed(garment.mask) if garment.lines else garment.mask
    inside = solid & ~garment.mask
    seams = garment.mask & _near(inside, garment.mask)
    return np.where(inside, INSIDE, np.where(seams, SEAM, bright)), solid


def _reduce(
    bright: NDArray[np.float64], lines: NDArray[np.bool_] | None, steps: list[Step]
) -> NDArray[np.uint8]:
    """Thicken lines, scale and centre; each is added to the steps."""
    if lines is not None:
        bright, thicker = _thicken(bright, lines)
        if thicker:
            caption = "Thin lines are thickened, because they would vanish when reduced."
            steps.append(Step("Lines", caption, _bytes(bright)))
    small = _scale(bright)
    caption = f"The longest edge becomes {SIDE} pixels; each is the mean of the area it covers."
    steps.append(Step("Scale", caption, small))
    pixels = _centre(small)
    caption = f"In the middle of {SIDE} × {SIDE} pixels: this is what the network sees."
    steps.append(Step("Centre", caption, pixels))
    return pixels


def _box(solid: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The smallest box around what is True."""
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _near(area: NDArray[np.bool_], lines: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where a line would touch a filled area, `(h, w)`: within one and a half strokes of it."""
    from scipy import ndimage

    if not area.any():
        return area
    away: NDArray[np.float64] = ndimage.distance_transform_edt(~area)
    return away <= max(2.0, 1.5 * stroke_width(lines))


def _thicken(
    bright: NDArray[np.float64], lines: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], bool]:
    """Widen lines so that they are `LINE` pixels wide once reduced, and whether that was needed.

    Each line keeps its shade.
    """
    from scipy import ndimage

    missing = LINE * max(bright.shape) / SIDE - stroke_width(lines)
    if missing < 0.5:
        return bright, False
    margin = int(np.ceil(missing / 2))
    padded = np.pad(bright, margin)
    away, nearest = ndimage.distance_transform_edt(~np.pad(lines, margin), return_indices=True)
    widened = (missing / 2 + 1 - away).clip(0, 1)
    return padded * (1 - widened) + padded[tuple(nearest)] * widened, True


def _scale(bright: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Reduce by areas, or enlarge smoothly, until the longest edge is 28."""
    factor = SIDE / max(bright.shape)
    height, width = (max(1, round(side * factor)) for side in bright.shape)
    method = Image.Resampling.BOX if factor < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(_bytes(bright)).resize((width, height), method))


def _centre(small: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put a picture into the middle of 28 x 28 black pixels."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    height, width = small.shape
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    pixels[top : top + height, left : left + width] = small
    return pixels


def _bytes(bright: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Brightness in 0..1 as 0..255."""
    rounded: NDArray[np.float64] = np.round(255 * bright.clip(0, 1))
    return rounded.astype(np.uint8)


def _cut_out(rgba: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The picture, transparent where the background was."""
    cut = rgba.copy()
    cut[..., 3] = np.where(mask, rgba[..., 3], 0)
    return cut


def _about_background(garment: Segmentation) -> str:
    """How the background was recognised."""
    sentence = _BACKGROUNDS[garment.kind]
    return f"{sentence} Only the lines are kept." if garment.lines else sentence


def _about_polarity(wanted: Polarity, used: KnownPolarity) -> str:
    """Whether the garment is the brighter or the darker part, and who said so."""
    side = "darker" if used == "dark on light" else "brighter"
    decided = (
        f"The garment seemed {side} than its background."
        if wanted == "auto"
        else f"You said that the garment is {side} than its background."
    )
    return f"Bright on black, as in the training data. {decided}"


def _about_filling(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> str:
    """Whether there was anything to fill."""
    if (after & ~before).any():
        return "Closed outlines are filled."
    return "There is no closed outline to fill."


def _remarks(garment: Segmentation, solid: NDArray[np.bool_]) -> tuple[str, ...]:
    """What would make a better picture.

    Args:
        garment: as it was found.
        solid: where it is, `(h, w)`, with closed outlines filled if they are to be.
    """
    remarks = []
    if solid.mean() > 0.9 and garment.kind != "transparent":
        remarks.append(
            "The garment fills nearly the whole picture: leave some background around it."
        )
    crossing = np.concatenate([solid[0], solid[-1], solid[:, 0], solid[:, -1]])
    if garment.kind == "uneven" and crossing.mean() > 0.25:
        remarks.append(
            "The garment seems to be cut off by the edge: step back and keep all of it in the "
            "frame."
        )
    if objects(enclosed(garment.mask, NARROW) if garment.lines else solid) > 1:
        remarks.append(
            "There seem to be several items here, but the network expects a single garment. Keep "
            "one of them; in a photograph, crop to it."
        )
    return tuple(remarks)
