"""Open uploaded picture files, or say in one sentence why they cannot be opened.

Sizes are read from the header and checked before a single pixel is decoded: 20,000 x 20,000 pixels
fit into a few kilobytes of PNG, but not into memory. Every kind of picture becomes upright RGB or
RGBA, 8 bits per channel.

Other formats are not converted; the sentence says how their owner can do that.
"""

from __future__ import annotations

import io
import math
import struct
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from core.errors import UnreadablePicture
from core.pictures.crop import Crop

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "BMP", "GIF")
# What the names of such files end with.
SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".bmp", ".dib", ".gif")
MOST_BYTES = 60 * 1024 * 1024
# 160 MB once decoded as RGBA: more than any phone's picture, and still affordable.
MOST_PIXELS = 40_000_000
# JPEG is decoded to an eighth at once, so the cameras of phones with 48 to 200 megapixels cost no
# more. Not where it is progressive: then all of its coefficients are held together.
MOST_JPEG_PIXELS = 210_000_000
Image.MAX_IMAGE_PIXELS = MOST_JPEG_PIXELS  # Pillow itself refuses twice as many
# Of an animation that begins blank: how far to look for a picture.
MOST_FRAMES = 20
# Pixels; larger pictures are reduced at once, since nothing later looks closer than this.
WORKING_EDGE = 512
# Of a picture that will be cropped: 40 MB, and an eighth of its width is still 512 pixels.
CROPPED_EDGE = 4096
_READABLE = "PNG, JPEG, WebP, AVIF, BMP or GIF"
# What Pillow's decoders raise when the bytes contradict themselves.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    IndexError,
    KeyError,
    OverflowError,
    EOFError,
    TypeError,
    struct.error,
)
_FULL = tuple(2**bits - 1 for bits in (8, 10, 12, 14, 16))  # the highest value of so many bits
_SAVE_AS = "save or export it as PNG or JPEG and use that"


def read(data: bytes, name: str, crop: Crop | None = None) -> Image.Image:
    """Decode an uploaded file.

    Args:
        data: the file's bytes.
        name: the file's name, for the sentence only.
        crop: what `prepare` will cut out of it.

    Returns:
        an upright picture, "RGBA" if any of it is transparent, else "RGB". Its longest edge has at
        most 512 pixels; with a crop, the longest edge of the part has. Of an animation it is the
        first frame that is not blank.

    Raises:
        UnreadablePicture: if it is not a picture in one of the six formats, too large, or damaged.
    """
    received = f"Received: {_shorten(name)}, {_size(len(data))}."
    if not data:
        raise UnreadablePicture(
            f"This file is empty: save it again and use the new copy. {received}"
        )
    if len(data) > MOST_BYTES:
        raise UnreadablePicture(
            f"This file is larger than the {_size(MOST_BYTES)} that Atelier reads: reduce the "
            f"picture and try again. {received}"
        )
    try:
        with warnings.catch_warnings():
            # Our own limit below is tighter than the one that Pillow warns about.
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=list(FORMATS))
    except Image.DecompressionBombError:
        raise UnreadablePicture(_too_many_pixels("", received)) from None
    except (OSError, SyntaxError, ValueError, OverflowError, EOFError) as error:
        raise UnreadablePicture(f"{_what_it_is(data)} {received}") from error

    with image:
        (width, height), kind = image.size, image.format
        if width * height > _most_pixels(image):
            raise UnreadablePicture(_too_many_pixels(f" ({width:,} × {height:,})", received))
        try:
            edge = WORKING_EDGE if crop is None else _edge_for(crop, image)
            _draft(image, 2 * edge)
            _skip_blank_frames(image)
            image.load()
            if kind == "BMP" and image.mode == "RGBA" and not image.getchannel("A").getbbox():
                image.putalpha(255)  # programs that write 32 bits often leave the last 8 at zero
            # Reduced before anything copies it: 40 megapixels are held once, not three times.
            small = reduce(image, edge) if image.mode in ("L", "RGB", "RGBA", "CMYK") else image
            return reduce(plain(ImageOps.exif_transpose(small)), edge)
        except _DAMAGE as error:
            raise UnreadablePicture(
                f"This {kind} file is damaged or was cut short: copy or download it again, "
                f"or open it elsewhere and {_SAVE_AS}. {received}"
            ) from error


def plain(image: Image.Image) -> Image.Image:
    """Any Pillow picture as "RGBA" if some of it is transparent, else as "RGB".

    Deeper channels are scaled to 8 bits.
    """
    if image.mode.startswith(("I", "F")):
        image = _eight_bits(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        opaque = image.getchannel("A").getextrema() == (255, 255)
        return image.convert("RGB") if opaque else image
    return image if image.mode == "RGB" else image.convert("RGB")


def reduce(image: Image.Image, edge: int = WORKING_EDGE) -> Image.Image:
    """Reduce a picture to at most `edge` pixels on its longest side, by averaging over areas.

    Smaller pictures stay as they are.
    """
    longest = max(image.size)
    if longest <= edge:
        return image
    width, height = (max(1, round(side * edge / longest)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BOX, reducing_gap=2.0)


def _most_pixels(image: Image.Image) -> int:
    """How many pixels a file may have for what its decoder needs."""
    in_blocks = image.format in ("JPEG", "MPO") and not image.info.get("progressive")
    return MOST_JPEG_PIXELS if in_blocks else MOST_PIXELS


def _draft(image: Image.Image, edge: int) -> None:
    """Have a JPEG decoded straight to a half, a quarter or an eighth; others stay as they are.

    12 megapixels then take 40 ms instead of 150, and none comes out above `MOST_PIXELS`.
    """
    width, height = image.size
    least = math.ceil(math.sqrt(width * height / MOST_PIXELS))
    image.draft(None, (min(edge, width // least), min(edge, height // least)))


def _skip_blank_frames(image: Image.Image) -> None:
    """Go to the first frame of an animation that has more than one colour, if any has."""
    if image.format in ("JPEG", "MPO") or not getattr(image, "is_animated", False):
        return
    for number in range(MOST_FRAMES):
        try:
            image.seek(number)
        except EOFError:
            break
        if np.ptp(np.asarray(image.convert("RGBA")), axis=(0, 1)).any():
            return
    image.seek(0)


def _edge_for(crop: Crop, image: Image.Image) -> int:
    """How far a picture, not yet upright, can be reduced so that the part keeps `WORKING_EDGE`."""
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    lying = isinstance(orientation, int) and orientation >= 5
    sides = image.size[::-1] if lying else image.size
    part = max(
        share * side
        for share, side in zip((crop.right - crop.left, crop.bottom - crop.top), sides, strict=True)
    )
    return min(CROPPED_EDGE, math.ceil(WORKING_EDGE * max(sides) / part))


def _eight_bits(image: Image.Image) -> Image.Image:
    """A 16-bit, 32-bit or float picture as "L", its full range scaled to 0..255.

    Pillow's own conversion would clip.
    """
    values: NDArray[np.float64] = np.nan_to_num(
        np.asarray(image, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0
    )
    if image.mode.startswith("F") or values.min() < 0 or values.max() > 65535:
        low, high = float(values.min()), float(values.max())
        values = (values - low) / max(high - low, 1e-9) * 255
    else:
        # Cameras and scanners store 10, 12 or 14 bits in 16.
        full = next(full for full in _FULL if values.max() <= full)
        values = values * (255 / full)
    return Image.fromarray(np.round(values).astype(np.uint8))


def _what_it_is(data: bytes) -> str:
    """What a file that Pillow does not recognise seems to be by its first bytes, and what to do."""
    head = data[:512]
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"):
        return (
            f"This is a HEIC photograph, as iPhones take them; Atelier reads {_READABLE}. Export it "
            "as JPEG, or set Settings > Camera > Formats to Most Compatible."
        )
    if b"<svg" in start:
        return (
            "This is an SVG drawing, which consists of instructions instead of pixels; Atelier reads "
            f"{_READABLE}: export it as PNG."
        )
    known = (
        (bool(brand) and brand not in (b"avif", b"avis"), "a video"),
        (b"%pdf" in start[:16], "a PDF document"),
        (head[:4] in (b"PK\x03\x04", b"PK\x05\x06"), "a zip archive or an office document"),
        (head[:4] in (b"II*\x00", b"MM\x00*"), "a TIFF picture"),
        (head[:4] == b"8BPS", "a Photoshop document"),
        (start.startswith((b"<!doctype html", b"<html")), "a web page"),
    )
    for matches, words in known:
        if matches:
            return f"This is {words}; Atelier reads {_READABLE}: {_SAVE_AS}."
    signatures = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")
    if head.startswith(signatures) or brand in (b"avif", b"avis"):
        return (
            f"This picture is damaged or was cut short; Atelier reads complete {_READABLE} files: "
            "copy or download it again."
        )
    if b"\0" not in head and _is_text(head):
        return f"This is text, not a picture; Atelier reads {_READABLE}."
    return (
        f"This file is not a picture Atelier can read ({_READABLE}): open it elsewhere, {_SAVE_AS}."
    )


def _is_text(head: bytes) -> bool:
    """Whether bytes are UTF-8; a character that is cut off at the end does not matter."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3
    return True


def _too_many_pixels(size: str, received: str) -> str:
    """The refusal of a picture by its header; `size` is empty where Pillow itself refused."""
    return (
        f"This picture has too many pixels{size}; Atelier reads up to "
        f"{MOST_PIXELS // 1_000_000} megapixels ({MOST_JPEG_PIXELS // 1_000_000} of a JPEG that is "
        f"not progressive): reduce it and try again. {received}"
    )


def _shorten(name: str) -> str:
    """A file's name on one line, without its folders, at most 60 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(char if char.isprintable() else " " for char in last).strip()
    return (name if len(name) <= 60 else f"{name[:40]}…{name[-18:]}") or "a file without a name"


def _size(count: int) -> str:
    """A number of bytes for people, in the largest fitting unit."""
    if count < 1024:
        return f"{count} bytes"
    return f"{count / 1024:.0f} KB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MB"
