"""Any picture into 28 x 28: what is refused, what is found, and that the result looks like the
training data.
"""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from core import pictures
from core.errors import UnreadablePicture
from core.pictures.mask import enclosed

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
# A T-shirt in a box of 100 x 100.
SHIRT = [
    (38, 5),
    (50, 12),
    (62, 5),
    (75, 9),
    (98, 35),
    (84, 46),
    (74, 36),
    (74, 95),
    (26, 95),
    (26, 36),
    (16, 46),
    (2, 35),
]
SHIRT.append((25, 9))


def saved(image: Image.Image, format: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def drawing(
    ground=WHITE, *, fill=None, line=None, width=3, size=300, scale=2.0, offset=(40, 50), mode="RGB"
) -> Image.Image:
    image = Image.new(mode, (size, size), ground)
    points = [(offset[0] + x * scale, offset[1] + y * scale) for x, y in SHIRT]
    draw = ImageDraw.Draw(image)
    if fill is not None:
        draw.polygon(points, fill=fill)
    if line is not None:
        draw.line([*points, points[0]], fill=line, width=width, joint="curve")
    return image


def silhouette() -> np.ndarray:
    """The shirt's area in 28 x 28 as geometry alone gives it: bool."""
    mask = np.asarray(drawing(0, fill=255, mode="L")) > 0
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    cut = Image.fromarray(
        (mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] * 255).astype(np.uint8)
    )
    height = round(28 * cut.height / cut.width)
    frame = np.zeros((28, 28), bool)
    top = (28 - height) // 2
    frame[top : top + height] = np.asarray(cut.resize((28, height), Image.Resampling.BOX)) > 127
    return frame


def overlap(mask: np.ndarray, other: np.ndarray) -> float:
    return (mask & other).sum() / (mask | other).sum()


def refusal(data: bytes, name: str) -> str:
    with pytest.raises(UnreadablePicture) as caught:
        pictures.read(data, name)
    return str(caught.value)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", b"\x00")
        + chunk(b"IEND", b"")
    )


# Reading


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_the_five_formats_are_read(format):
    image = pictures.read(saved(drawing(fill=(40, 60, 160)), format), "shirt")
    assert image.mode == "RGB" and image.size == (300, 300)
    assert np.abs(np.asarray(image)[150, 140].astype(int) - (40, 60, 160)).max() < 12


def test_an_empty_file_is_named_with_its_size():
    assert refusal(b"", "shirt.png") == (
        "This file is empty: save it again and use the new copy. Received: shirt.png, 0 bytes."
    )


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_truncated_picture_is_refused_with_the_remedy(format, share):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 80, 3), np.uint8))
    data = saved(noise, format)
    sentence = refusal(data[: int(len(data) * share)], f"shirt.{format.lower()}")
    assert "cut short" in sentence and f"Received: shirt.{format.lower()}, " in sentence


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"%PDF-1.7\n" + b"x" * 12_000, "a PDF document"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC photograph"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "damaged or was cut short"),
        (b"\0\0\0\x1cftypisom\0\0\0\0isomiso2", "a video"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG drawing"),
        (b"PK\x03\x04" + b"\0" * 40, "a zip archive or an office document"),
        (b"II*\0" + b"\0" * 40, "a TIFF picture"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        ("Hosen und Röcke".encode(), "text, not a picture"),
        (bytes(range(256)), "not a picture Atelier can read"),
    ],
)
def test_a_renamed_file_is_recognised_by_its_content(data, words):
    sentence = refusal(data, "shirt.png")
    assert (
        words in sentence
        and "PNG, JPEG, WebP, AVIF, BMP or GIF" in sentence
        and "Received: shirt.png, " in sentence
    )


def test_a_size_of_twenty_thousand_squared_is_refused_from_the_header():
    # The file holds no pixels: had it been decoded, it would be called damaged.
    sentence = refusal(png_header(20_000, 20_000), "bomb.png")
    assert "too many pixels" in sentence and "40 megapixels" in sentence and "bomb.png" in sentence
    assert "(8,000 × 5,001)" in refusal(png_header(8_000, 5_001), "large.png")


def test_a_file_over_sixty_megabytes_is_refused():
    assert "larger than the 60.0 MB" in refusal(
        b"\xff\xd8\xff" + bytes(60 * 1024 * 1024), "huge.jpg"
    )


def test_a_name_cannot_smuggle_folders_or_lines_into_the_sentence():
    sentence = refusal(b"", "../../etc/\nsecret\x1b[31m" + "x" * 200 + ".png")
    assert (
        "etc/" not in sentence
        and "\n" not in sentence
        and "\x1b" not in sentence
        and len(sentence) < 160
    )


def test_an_exif_rotation_is_applied():
    image = Image.new("RGB", (40, 20), WHITE)
    image.paste(BLACK, (0, 0, 10, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees: the left edge belongs on top
    upright = np.asarray(
        pictures.read(saved(image, "JPEG", exif=exif, quality=95), "turned.jpg").convert("L")
    )
    assert upright.shape == (40, 20)
    assert upright[:8].mean() < 20 and upright[14:].mean() > 235


def test_a_rotation_is_also_applied_to_a_reduced_photograph():
    image = Image.new("RGB", (1600, 800), WHITE)
    image.paste(BLACK, (0, 0, 400, 800))
    exif = Image.Exif()
    exif[0x0112] = 6
    for format in ("JPEG", "PNG", "WEBP"):
        upright = np.asarray(pictures.read(saved(image, format, exif=exif), "turned").convert("L"))
        assert upright.shape == (512, 256)
        assert upright[:120].mean() < 20 and upright[140:].mean() > 235


def test_an_animation_gives_its_first_frame():
    frames = [drawing(fill=(200, 0, 0)), drawing(fill=(0, 0, 200))]
    image = pictures.read(
        saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50), "a.gif"
    )
    assert np.asarray(image)[150, 140].tolist() == [200, 0, 0]


def test_sixteen_bits_are_scaled_and_not_clipped():
    values = np.array([[0, 257 * 10], [257 * 128, 65535]], np.uint16).repeat(8, 0).repeat(8, 1)
    image = pictures.read(saved(Image.fromarray(values)), "deep.png")
    assert np.asarray(image)[[0, 0, 15, 15], [0, 15, 0, 15], 0].tolist() == [0, 10, 128, 255]


def test_cmyk_one_bit_and_palette_become_plain_colours():
    shirt = drawing(fill=(200, 30, 30))
    cmyk = pictures.read(saved(shirt.convert("CMYK"), "JPEG"), "print.jpg")
    assert np.abs(np.asarray(cmyk)[150, 140].astype(int) - (200, 30, 30)).max() < 12
    bits = pictures.read(saved(drawing(fill=BLACK).convert("1")), "bits.png")
    assert bits.mode == "RGB" and set(np.unique(np.asarray(bits))) == {0, 255}
    palette = pictures.read(saved(shirt.quantize(8)), "palette.png")
    assert np.abs(np.asarray(palette)[150, 140].astype(int) - (200, 30, 30)).max() < 6


def test_transparency_is_kept_even_in_a_palette():
    clear = drawing((0, 0, 0, 0), fill=(200, 30, 30, 255), mode="RGBA")
    assert pictures.read(saved(clear), "clear.png").mode == "RGBA"
    image = pictures.read(saved(clear, "GIF"), "clear.gif")
    assert (
        image.mode == "RGBA"
        and image.getpixel((2, 2))[3] == 0
        and image.getpixel((140, 150))[3] == 255
    )
    opaque = drawing((1, 2, 3, 255), fill=(200, 30, 30, 255), mode="RGBA")
    assert pictures.read(saved(opaque), "opaque.png").mode == "RGB"


def test_a_large_photograph_is_reduced_at_once():
    image = pictures.read(saved(Image.new("RGB", (4000, 3000), (90, 120, 40)), "JPEG"), "phone.jpg")
    assert image.size == (512, 384)


# Finding the garment

IN_ALL_LOOKS = {
    "dark on white": drawing(fill=(30, 40, 90)),
    "white on black": drawing(BLACK, fill=WHITE),
    "red on green of equal brightness": drawing((60, 120, 60), fill=(170, 10, 60)),
    "transparent icon": drawing((0, 0, 0, 0), fill=(240, 200, 40, 255), mode="RGBA"),
    "white transparent icon": drawing((0, 0, 0, 0), fill=(255, 255, 255, 255), mode="RGBA"),
    "black under full transparency": drawing((255, 255, 255, 0), fill=(0, 0, 0, 255), mode="RGBA"),
    "grey picture": drawing(240, fill=60, mode="L"),
}


@pytest.mark.parametrize("look", IN_ALL_LOOKS)
def test_a_shirt_is_bright_on_black_whatever_its_colours(look):
    prepared = pictures.prepare(IN_ALL_LOOKS[look])
    assert (
        prepared.pixels.shape == (28, 28)
        and prepared.pixels.dtype == np.uint8
        and not prepared.blank
    )
    assert overlap(prepared.pixels > 80, silhouette()) > 0.93
    assert np.median(prepared.pixels[silhouette()]) > 140


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_lossy_compression_changes_nothing_that_matters(format):
    image = pictures.read(saved(drawing(fill=(30, 40, 90)), format, quality=60), "shirt")
    assert overlap(pictures.prepare(image).pixels > 80, silhouette()) > 0.9


def on_a_floor(fill=(60, 80, 140), seed=0) -> Image.Image:
    """A shirt on grained boards, with a lamp at one side, so that no one colour fits its border."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:300, 0:300]
    light = 0.65 + 0.35 * columns / 300 + rng.normal(0, 0.02, (300, 300))
    boards = np.array([190, 140, 90]) * (1 - 0.12 * ((rows // 30) % 2))[..., None]
    shirt = np.asarray(drawing(0, fill=255, mode="L"))[..., None] > 0
    cloth = np.array(fill) * (1 + 0.15 * np.sin(columns / 9))[..., None]
    return Image.fromarray(
        (np.where(shirt, cloth, boards) * light[..., None]).clip(0, 255).astype(np.uint8)
    )


@pytest.mark.parametrize("fill", [(60, 80, 140), (235, 235, 240), (20, 20, 20), (150, 40, 50)])
def test_a_shirt_is_found_on_an_uneven_floor(fill):
    prepared = pictures.prepare(on_a_floor(fill))
    assert "uneven" in prepared.steps[1].caption
    assert overlap(prepared.pixels > 70, silhouette()) > 0.85


def test_texture_of_the_cloth_survives():
    pixels = pictures.prepare(on_a_floor()).pixels
    body = pixels[10:26, 10:18].astype(float)
    assert body.std() > 8


def test_thin_lines_stay_bright_and_closed():
    for size, width in ((300, 1), (1200, 3), (2400, 4)):
        image = drawing(
            line=(20, 20, 20), width=width, size=size, scale=size / 150, offset=(size / 8, size / 6)
        )
        pixels = pictures.prepare(image).pixels
        inside = ndimage.binary_fill_holes(pixels > 70)
        assert overlap(inside, silhouette()) > 0.85, (size, width)
        assert np.quantile(pixels[pixels > 0], 0.75) > 100
        assert pixels[14:24, 11:17].max() < 40  # an outline, not an area


def test_pencil_on_shadowed_paper_is_found():
    paper = np.linspace(250, 190, 300)[None, :, None] * np.ones((300, 1, 3))
    ink = np.asarray(drawing(255, line=0, width=3, mode="L"))[..., None] < 128
    grain = np.random.default_rng(0).normal(0, 2, paper.shape)
    image = Image.fromarray(np.where(ink, paper - 70, paper + grain).clip(0, 255).astype(np.uint8))
    prepared = pictures.prepare(image)
    assert "lines" in prepared.steps[1].caption
    assert overlap(ndimage.binary_fill_holes(prepared.pixels > 70), silhouette()) > 0.85


def test_an_outline_is_filled_on_demand_and_its_gap_is_bridged():
    closed = drawing(line=BLACK)
    gap = closed.copy()
    ImageDraw.Draw(gap).rectangle((130, 235, 137, 245), fill=WHITE)  # an unfinished hem
    for image in (closed, gap):
        hollow, full = pictures.prepare(image), pictures.prepare(image, fill=True)
        assert hollow.pixels[14:22, 12:16].max() < 40
        assert full.pixels[14:22, 12:16].min() > 100
        assert overlap(full.pixels > 70, silhouette()) > 0.85
        assert "Fill" in [step.name for step in full.steps]


def test_a_line_without_an_inside_stays_a_line():
    mask = np.zeros((60, 60), bool)
    mask[10:50, 30] = True
    assert np.array_equal(enclosed(mask), mask)
    assert not enclosed(np.zeros((9, 9), bool)).any()


def test_position_and_size_in_the_frame_do_not_matter():
    middle = pictures.prepare(drawing(fill=BLACK)).pixels.astype(int)
    for scale, offset in ((1.0, (5, 190)), (0.6, (230, 8)), (2.8, (10, 12))):
        moved = pictures.prepare(drawing(fill=BLACK, scale=scale, offset=offset)).pixels.astype(int)
        assert np.abs(moved - middle).mean() < 12


def test_the_longest_edge_fills_the_frame_and_the_rest_is_centred():
    image = Image.new("RGB", (200, 200), WHITE)
    image.paste((50, 50, 50), (20, 10, 50, 130))  # 30 wide, 120 high
    pixels = pictures.prepare(image).pixels
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    assert (rows[0], rows[-1]) == (0, 27)
    assert len(columns) == 7 and abs((columns[0] + columns[-1]) / 2 - 13.5) <= 0.5


def test_specks_are_dropped_but_a_pair_of_shoes_is_kept():
    shoes = Image.new("RGB", (300, 300), WHITE)
    draw = ImageDraw.Draw(shoes)
    draw.ellipse((60, 60, 120, 240), fill=BLACK)
    draw.ellipse((160, 60, 220, 240), fill=BLACK)
    alone = pictures.prepare(shoes).pixels
    assert alone[14, :6].max() > 0 and alone[14, -6:].max() > 0
    draw.ellipse((290, 290, 293, 293), fill=BLACK)
    assert np.array_equal(pictures.prepare(shoes).pixels, alone)


def test_the_disc_behind_an_icon_is_background():
    icon = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    ImageDraw.Draw(icon).ellipse((0, 0, 299, 299), fill=(250, 190, 60, 255))
    points = [(75 + 1.5 * x, 75 + 1.5 * y) for x, y in SHIRT]
    ImageDraw.Draw(icon).polygon(points, fill=(40, 60, 120, 255))
    assert overlap(pictures.prepare(icon).pixels > 80, silhouette()) > 0.9


def test_a_plain_disc_is_a_garment_itself():
    bag = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    ImageDraw.Draw(bag).ellipse((0, 0, 299, 299), fill=(150, 60, 60, 255))
    prepared = pictures.prepare(bag)
    assert (
        not prepared.blank and prepared.pixels[14, 0] > 60 and (prepared.pixels > 60).mean() > 0.7
    )


def test_a_photograph_with_transparent_corners_is_a_photograph():
    photograph = on_a_floor().convert("RGBA")
    corners = Image.new("L", photograph.size, 0)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, 299, 299), 40, fill=255)
    photograph.putalpha(corners)
    prepared = pictures.prepare(photograph)
    assert "uneven" in prepared.steps[1].caption
    assert overlap(prepared.pixels > 70, silhouette()) > 0.8


def test_a_handle_keeps_its_hole():
    bag = Image.new("RGB", (300, 300), WHITE)
    draw = ImageDraw.Draw(bag)
    draw.rectangle((50, 130, 250, 270), fill=(120, 60, 20))
    draw.arc((90, 40, 210, 220), 180, 360, fill=(120, 60, 20), width=16)
    for fill in (False, True):
        pixels = pictures.prepare(bag, fill=fill).pixels
        assert pixels[:4, 13:15].max() > 100 and pixels[6:8, 12:16].max() < 30


# Overrides


def test_polarity_is_found_and_can_be_overruled():
    both = drawing((128, 128, 128), fill=(230, 230, 230))
    ImageDraw.Draw(both).rectangle((100, 120, 200, 200), fill=(20, 20, 20))
    bright = pictures.prepare(both, polarity="light on dark")
    dark = pictures.prepare(both, polarity="dark on light")
    assert (bright.polarity, dark.polarity) == ("light on dark", "dark on light")
    # The dark square is 101 x 81: it fills the frame once everything brighter is left out.
    assert (dark.pixels[4:24] > 100).all() and not dark.pixels[:2].any()
    assert bright.pixels[14, 14] < 60 < bright.pixels[3, 14]
    assert pictures.prepare(drawing(fill=BLACK)).polarity == "dark on light"
    assert pictures.prepare(drawing(BLACK, fill=WHITE)).polarity == "light on dark"
    with pytest.raises(ValueError, match="auto, light on dark, dark on light"):
        pictures.prepare(both, polarity="inverted")


def test_without_trim_the_whole_frame_is_reduced():
    image = Image.new("RGB", (280, 280), WHITE)
    image.paste(BLACK, (0, 0, 140, 140))
    pixels = pictures.prepare(image, trim=False).pixels
    assert (pixels[:14, :14] > 100).all() and not pixels[14:].any() and not pixels[:, 14:].any()


def test_every_step_is_named_captioned_and_shown():
    prepared = pictures.prepare(drawing(line=BLACK), fill=True)
    assert [step.name for step in prepared.steps] == [
        "Picture", "Background", "Brightness", "Fill", "Trim", "Lines", "Scale", "Centre",
    ]  # fmt: skip
    for step in prepared.steps:
        assert step.image.dtype == np.uint8 and step.image.ndim in (2, 3) and step.image.size
        assert step.caption.endswith(".") and len(step.caption) < 140
    assert np.array_equal(prepared.steps[-1].image, prepared.pixels)


def test_the_same_picture_gives_the_same_pixels():
    assert np.array_equal(
        pictures.prepare(on_a_floor()).pixels, pictures.prepare(on_a_floor()).pixels
    )


def test_the_picture_itself_is_left_alone():
    image = on_a_floor()
    before = image.tobytes()
    pictures.prepare(image, fill=True)
    assert image.tobytes() == before


# Blank and extreme input

BLANK = {
    "white": Image.new("RGB", (300, 300), WHITE),
    "black": Image.new("L", (300, 300), 0),
    "transparent": Image.new("RGBA", (300, 300), (0, 0, 0, 0)),
    "gradient": Image.fromarray(np.linspace(60, 220, 300).astype(np.uint8)[None].repeat(300, 0)),
    "nearly white": Image.fromarray(
        np.random.default_rng(0).integers(250, 256, (300, 300, 3), np.uint8)
    ),
    "a dot": drawing(fill=BLACK, scale=0.04),
    "one pixel": Image.new("RGB", (1, 1), BLACK),
    "a line of pixels": Image.new("RGB", (1, 5000), WHITE),
}


@pytest.mark.parametrize("kind", BLANK)
def test_a_blank_picture_is_reported_as_blank(kind):
    prepared = pictures.prepare(BLANK[kind])
    assert prepared.blank and not prepared.pixels.any()
    assert len(prepared.warnings) == 1 and prepared.warnings[0].startswith("Nothing stands out")


@pytest.mark.parametrize("kind", BLANK)
def test_a_blank_file_is_read_without_an_error(kind):
    assert pictures.prepare(pictures.read(saved(BLANK[kind]), "blank.png")).blank


def test_no_size_or_content_makes_it_fail():
    rng = np.random.default_rng(0)
    sizes = [
        (1, 1),
        (1, 2),
        (2, 1),
        (2, 2),
        (3, 3),
        (2, 900),
        (900, 3),
        (5, 5),
        (8, 9),
        (28, 28),
        (7, 5000),
        (31, 400),
    ]
    for height, width in sizes:
        noise = rng.integers(0, 256, (height, width, 4), np.uint8)
        for image in (
            Image.fromarray(noise),
            Image.fromarray(noise[..., :3]),
            Image.fromarray(noise[..., 0]),
        ):
            for options in (
                {},
                {"fill": True},
                {"trim": False},
                {"polarity": "light on dark", "fill": True},
            ):
                pixels = pictures.prepare(image, **options).pixels
                assert pixels.shape == (28, 28) and pixels.dtype == np.uint8


# The canvas


def strokes(ground, ink, width=4) -> np.ndarray:
    return np.array(drawing(ground, line=ink, width=width, mode="RGBA"))


def test_a_drawing_means_the_same_on_white_and_on_nothing_in_any_colour():
    reference = pictures.prepare(
        pictures.from_canvas(strokes((255, 255, 255, 255), (0, 0, 0, 255)))
    ).pixels
    assert reference.max() > 200
    for ground, ink in (
        ((0, 0, 0, 0), (0, 0, 0, 255)),
        ((0, 0, 0, 0), (255, 255, 255, 255)),
        ((255, 255, 255, 255), (200, 30, 30, 255)),
        ((0, 0, 0, 255), (255, 255, 255, 255)),
    ):
        pixels = pictures.prepare(pictures.from_canvas(strokes(ground, ink))).pixels
        assert np.abs(pixels.astype(int) - reference).mean() < 4


@pytest.mark.parametrize("ground", [(255, 255, 255, 255), (0, 0, 0, 0)])
def test_a_canvas_can_have_its_outlines_filled(ground):
    rgba = strokes(ground, (0, 0, 120, 255))
    before = rgba.copy()
    pixels = pictures.prepare(pictures.from_canvas(rgba), fill=True).pixels
    assert overlap(pixels > 60, silhouette()) > 0.85
    assert pixels[14:22, 12:16].min() > 60
    assert np.array_equal(rgba, before)


def test_an_empty_canvas_is_blank_and_a_wrong_array_is_refused():
    for value in (0, 255):
        image = pictures.from_canvas(np.full((280, 280, 4), value, np.uint8))
        assert pictures.prepare(image).blank
    with pytest.raises(ValueError, match="float64"):
        pictures.from_canvas(np.zeros((280, 280, 4)))
    with pytest.raises(ValueError, match=r"\(280, 280, 3\)"):
        pictures.from_canvas(np.zeros((280, 280, 3), np.uint8))


def picture(mode: str = "RGB", size: tuple[int, int] = (80, 100)) -> Image.Image:
    """A dark garment on white."""
    image = Image.new(mode, size, "white")
    image.paste("navy", (size[0] // 4, size[1] // 5, 3 * size[0] // 4, 4 * size[1] // 5))
    return image


@pytest.mark.parametrize("kind", ["AVIF", "MPO"])
def test_pictures_of_phones_are_read(kind):
    others = {"save_all": True, "append_images": [picture()]} if kind == "MPO" else {}
    image = pictures.read(saved(picture(), kind, **others), "phone")
    assert image.size == (80, 100) and not pictures.prepare(image).blank


@pytest.mark.parametrize(("kind", "quality"), [("GIF", {}), ("WEBP", {"lossless": True})])
def test_an_animation_is_read_at_its_first_frame_that_is_not_blank(kind, quality):
    blank = Image.new("RGB", (80, 100), "white")
    frames = {"save_all": True, "append_images": [picture()], "duration": 100}
    data = saved(blank, kind, **frames, **quality)
    assert not pictures.prepare(pictures.read(data, "a")).blank
    both = {**frames, "append_images": [Image.new("RGB", (80, 100), "black")]}
    assert pictures.prepare(pictures.read(saved(blank, kind, **both, **quality), "a")).blank


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_sixteen_bits_are_stretched_by_what_they_hold(bits):
    grey = np.asarray(picture("L"), np.uint16)
    deep = Image.fromarray((grey.astype(float) / 255 * (2**bits - 1)).astype(np.uint16))
    red = pictures.read(saved(deep, "PNG"), "deep.png").getchannel("R")
    assert red.getextrema()[1] == 255
    assert np.abs(np.asarray(red, float) - grey).max() <= 1


def test_a_bitmap_whose_alpha_is_zero_throughout_is_opaque():
    clear = picture().convert("RGBA")
    clear.putalpha(0)
    data = bytearray(saved(clear, "BMP"))
    image = pictures.read(bytes(data), "a.bmp")
    assert image.mode == "RGB" and not pictures.prepare(image).blank


def test_a_jpeg_of_a_hundred_megapixels_is_read_but_not_a_progressive_one():
    large = picture("L", (12_000, 9_000))
    assert max(pictures.read(saved(large, "JPEG"), "large.jpg").size) == 512
    crop = pictures.Crop(0.2, 0.2, 0.3, 0.3)
    assert max(pictures.read(saved(large, "JPEG"), "large.jpg", crop).size) <= 6_000
    assert "too many pixels (12,000 × 9,000)" in refusal(
        saved(large, "JPEG", progressive=True), "large.jpg"
    )
