"""Turn any picture into what the networks were trained on.

They know 28 x 28 grey pictures of a bright garment on black whose longest edge fills the frame.
Photographs, icons and drawings come in other sizes, colours and polarities. `prepare` is the one
way in for all of them: it finds the garment, makes it bright on black, trims to it and reduces it,
and returns every step so that a page can show what happened.

It does not look for a garment among other things: what differs most from the border is taken for
it. Where that is several things, it says so; cropping to one of them is the person's part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.labels import SIDE
from core.pictures.crop import Crop
from core.pictures.image_files import plain, reduce
from core.pictures.mask import Segmentation, enclosed, extent, find_garment, objects, stroke_width

POLARITIES = ("auto", "light on dark", "dark on light")
# Pixels; a drawing on a 360-pixel canvas keeps its thinnest line, and a step takes a millisecond.
EDGE = 384
# Width of a line in its 28 x 28 pixels: thinner ones turn grey and vanish, wider ones run together
# (measured).
LINE = 1.2
# Brightness of the garment's median, and how much its texture is spread around it.
MIDDLE, CONTRAST = 0.65, 1.5
DARKEST = 0.15  # of white: no part of a garment falls back to the black around it
# Brightness of a filled outline, and of the lines at and in it: darker, as seams are; a bright
# border would be read as a collar.
INSIDE, SEAM = 0.75, 0.55
LEAST_EXTENT = 0.03  # of the frame: what is smaller is a speck, not a drawing


@dataclass(frozen=True)
class Step:
    """One stage on the way, to be shown: `image` is uint8, `(h, w)`, `(h, w, 3)` or `(h, w, 4)`."""

    name: str
    caption: str
    image: np.ndarray


@dataclass(frozen=True)
class Prepared:
    """A picture as the networks take it.

    Attributes:
        pixels: uint8 `(28, 28)`, bright garment on black; all zero if `blank`.
        steps: how it came about, in order.
        polarity: "light on dark" or "dark on light", whichever was used.
        blank: whether nothing was found; then there is nothing to classify.
        warnings: sentences for the person who brought the picture.
    """

    pixels: np.ndarray
    steps: tuple[Step, ...]
    polarity: str
    blank: bool = False
    warnings: tuple[str, ...] = ()


def from_canvas(rgba: np.ndarray) -> Image.Image:
    """A drawing canvas as a picture.

    Args:
        rgba: uint8 `(h, w, 4)`, as a drawing canvas returns it: strokes of any colour on white or
            on nothing.

    Returns:
        An "RGBA" picture where the canvas is transparent, else "RGB". An empty canvas is returned
        as it is:
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
    polarity: str = "auto",
    trim: bool = True,
    fill: bool = False,
    crop: Crop | None = None,
) -> Prepared:
    """Bring a picture to 28 x 28 pixels, in steps.

    Args:
        image: of any mode and size, best from `read` or `from_canvas`.
        polarity: whether the garment is brighter or darker than its background; "auto" finds out. A
            given one leaves out whatever lies on the other side of the background.
        trim: whether to cut to the garment, so that it fills the frame as in the training data.
        fill: whether to fill closed outlines, so that a line drawing becomes an area.
        crop: the part to which everything else is to be blind; give it to `read` too, so that it
            keeps its detail.

    Returns:
        A `Prepared`. The same picture and settings give the same pixels, to the last bit.

    Raises:
        ValueError: if `polarity` is none of `POLARITIES`.
    """
    if polarity not in POLARITIES:
        raise ValueError(f"polarity is one of {', '.join(POLARITIES)}; received {polarity!r}")
    image, steps = _picture(image, crop)
    found = _find(image, polarity)
    if max(extent(found.mask)) < max(2, LEAST_EXTENT * max(image.size)):
        return _blank(steps, polarity)

    rgba = np.asarray(image.convert("RGBA"))
    steps.append(Step("Background", _about_background(found), _cut_out(rgba, found.mask)))
    light, used = _brightness(rgba, found, polarity)
    bright = np.where(found.mask, light, 0)
    side = "darker" if used == "dark on light" else "brighter"
    decided = "It was taken to be" if polarity == "auto" else "You said that it is"
    steps.append(
        Step(
            "Polarity",
            f"Bright on black, as in the training data. {decided} {side} than its background.",
            _bytes(bright),
        )
    )
    solid = found.mask
    if fill:
        # An area is full already; a hole in it is meant, as under a bag's handle.
        solid = enclosed(found.mask) if found.lines else found.mask
        inside = solid & ~found.mask
        bright = np.where(
            inside, INSIDE, np.where(found.mask & _near(inside, found.mask), SEAM, bright)
        )
        filled = (
            "Closed outlines are filled." if inside.any() else "There is no closed outline to fill."
        )
        steps.append(Step("Fill", filled, _bytes(bright)))
    warnings = _remarks(found, solid, enclosed(solid) if found.lines and not fill else solid)
    if trim:
        rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        bright = bright[box]
        steps.append(
            Step("Trim", "Cut to the garment, so that it fills the frame.", _bytes(bright))
        )
    if found.lines:
        bright, thicker = _thicken(bright, found.mask[box] if trim else found.mask)
        if thicker:
            steps.append(
                Step(
                    "Lines",
                    "Thin lines are thickened: they would vanish when reduced.",
                    _bytes(bright),
                )
            )
    small = _scale(bright)
    steps.append(
        Step(
            "Scale",
            f"The longest edge becomes {SIDE} pixels; each is the mean of the area it covers.",
            small,
        )
    )
    pixels = _centre(small)
    steps.append(
        Step("Centre", "In the middle of 28 × 28 pixels: this is what the network sees.", pixels)
    )
    return Prepared(pixels, tuple(steps), used, warnings=warnings)


def _picture(image: Image.Image, crop: Crop | None) -> tuple[Image.Image, list[Step]]:
    """What is looked at, "RGB" or "RGBA" and at most `EDGE` pixels wide and high, with the steps up
    to there.
    """
    whole = reduce(plain(image), EDGE)
    steps = [
        Step(
            "Picture",
            f"What you brought, {whole.width} × {whole.height} pixels at this size.",
            np.asarray(whole),
        )
    ]
    if crop is None:
        return whole, steps
    part = reduce(plain(crop.cut(image)), EDGE)
    steps.append(
        Step(
            "Crop",
            f"The part that you chose, {part.width} × {part.height} pixels at this size.",
            np.asarray(part),
        )
    )
    return part, steps


def _find(image: Image.Image, polarity: str) -> Segmentation:
    """The garment in an "RGB" or "RGBA" picture."""
    if min(image.size) < 2:
        return Segmentation(np.zeros(image.size[::-1], bool), False, None, "even")
    rgba = np.asarray(image.convert("RGBA"))
    return find_garment(
        rgba[..., :3],
        rgba[..., 3] / 255,
        {"auto": 0, "light on dark": 1, "dark on light": -1}[polarity],
    )


def _blank(steps: list[Step], polarity: str) -> Prepared:
    """Nothing to see: black pixels, and a sentence instead of an error."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    other = "" if polarity == "auto" else " With polarity on auto, something may be found."
    remark = f"Nothing stands out from the background here: draw or photograph a garment so that it fills the frame.{other}"
    steps.append(Step("Centre", "Nothing was found, so the network would see black.", pixels))
    used = "dark on light" if polarity == "auto" else polarity
    return Prepared(pixels, tuple(steps), used, blank=True, warnings=(remark,))


def _brightness(rgba: np.ndarray, found: Segmentation, polarity: str) -> tuple[np.ndarray, str]:
    """Brightness `(h, w)` in 0..1 of every pixel as garment, and the polarity used.

    The training data are negatives of product photographs, so a dark garment comes out bright. A
    white one would come out black; so the garment's median is moved to the same brightness for all,
    and the texture spread around it.
    """
    light = (rgba[..., :3] @ np.array([0.299, 0.587, 0.114])) / 255
    middle = float(np.median(light[found.mask]))
    if polarity == "auto":
        # Without a background there is nothing to compare with; then the data's own negative is the
        # better guess.
        behind = 1.0 if found.background is None else float(np.median(found.background[found.mask]))
        polarity = "dark on light" if middle <= behind else "light on dark"
    if found.lines:
        return np.ones_like(light), polarity
    sign = -1 if polarity == "dark on light" else 1
    texture = MIDDLE + CONTRAST * sign * (light - middle)
    return texture.clip(DARKEST, 1) * rgba[..., 3] / 255, polarity


def _near(area: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Where a line would touch a filled area: within one and a half strokes of it; bool `(h, w)`."""
    from scipy import ndimage

    if not area.any():
        return area
    return ndimage.distance_transform_edt(~area) <= max(2.0, 1.5 * stroke_width(lines))


def _thicken(bright: np.ndarray, lines: np.ndarray) -> tuple[np.ndarray, bool]:
    """Widen lines until they are `LINE` pixels wide once reduced, each in its own shade; says
    whether that was needed.
    """
    from scipy import ndimage

    missing = LINE * max(bright.shape) / SIDE - stroke_width(lines)
    if missing < 0.5:
        return bright, False
    margin = int(np.ceil(missing / 2))
    room = np.pad(bright, margin)
    away, nearest = ndimage.distance_transform_edt(~np.pad(lines, margin), return_indices=True)
    widened = (missing / 2 + 1 - away).clip(0, 1)
    return room * (1 - widened) + room[tuple(nearest)] * widened, True


def _scale(bright: np.ndarray) -> np.ndarray:
    """Reduce by area (or enlarge smoothly) until the longest edge is 28, uint8."""
    factor = SIDE / max(bright.shape)
    size = tuple(max(1, round(side * factor)) for side in bright.shape[::-1])
    how = Image.Resampling.BOX if factor < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(_bytes(bright)).resize(size, how))


def _centre(small: np.ndarray) -> np.ndarray:
    """Lay a picture into the middle of 28 x 28 black pixels."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    height, width = small.shape
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    pixels[top : top + height, left : left + width] = small
    return pixels


def _bytes(bright: np.ndarray) -> np.ndarray:
    """0..1 as uint8."""
    return np.round(255 * bright.clip(0, 1)).astype(np.uint8)


def _cut_out(rgba: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The picture, transparent where the background was."""
    cut = rgba.copy()
    cut[..., 3] = np.where(mask, rgba[..., 3], 0)
    return cut


def _about_background(found: Segmentation) -> str:
    how = {
        "transparent": "The picture's own transparency is its background.",
        "even": "The border is even: whatever differs from it is the garment.",
        "uneven": "The border is uneven: colours that are common there are background.",
    }[found.kind]
    return f"{how} Only the lines are kept." if found.lines else how


def _remarks(found: Segmentation, solid: np.ndarray, areas: np.ndarray) -> tuple[str, ...]:
    """What its owner could do better next time; `areas` is what is `solid` once closed outlines are
    filled.
    """
    remarks = []
    if solid.mean() > 0.9 and found.kind != "transparent":
        remarks.append(
            "The garment fills nearly the whole picture: leave some background around it."
        )
    crossing = np.concatenate([solid[0], solid[-1], solid[:, 0], solid[:, -1]])
    if found.kind == "uneven" and crossing.mean() > 0.25:
        remarks.append(
            "The garment seems to be cut off by the edge: step back and keep all of it in the frame."
        )
    if objects(areas) > 1:
        remarks.append(
            "Several separate things stand out here, and the network takes them for one garment: keep one of them, in a "
            "photograph by a crop."
        )
    return tuple(remarks)
