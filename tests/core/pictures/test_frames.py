"""Frames around pictures, and the data set's own pictures."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from core import pictures
from core.pictures.frames import data_set_pixels, inside_frame


@pytest.fixture
def photograph() -> Image.Image:
    """A dark T-shirt on a grainy floor."""
    grain = np.random.default_rng(0).normal(150, 12, (240, 200, 1))
    image = Image.fromarray((grain + np.array([10, 0, -20])).clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    shirt = [(70, 50), (130, 50), (175, 85), (155, 115), (135, 100), (135, 200), (65, 200)]
    draw.polygon([*shirt, (65, 100), (45, 115), (25, 85)], fill=(25, 35, 90))
    return image


@pytest.fixture
def own() -> Image.Image:
    """A garment as the data set has them: shades of grey on black, as high as its frame."""
    shade = np.linspace(90, 250, 28).astype(np.uint8)
    pixels = np.zeros((28, 28), np.uint8)
    pixels[:, 6:22] = (shade[:, None] - np.arange(16)).clip(0, 255)
    return Image.fromarray(pixels)


def polaroid(image: Image.Image) -> Image.Image:
    framed = Image.new("RGB", (image.width + 30, image.height + 75), "white")
    framed.paste(image, (15, 15))
    return ImageOps.expand(framed, 2, "black")


def jpeg(image: Image.Image) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return Image.open(out)


FRAMES = {
    "white": lambda image: ImageOps.expand(image, 9, "white"),
    "black": lambda image: ImageOps.expand(image, 9, "black"),
    "bars": lambda image: ImageOps.expand(image, (0, 30), "black"),
    "bars at the sides": lambda image: ImageOps.expand(image, (40, 0), "black"),
    "polaroid": polaroid,
    "as JPEG": lambda image: jpeg(ImageOps.expand(image, 9, "white")).convert("RGB"),
}


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_around_a_photograph_is_left_out(photograph, frame):
    plain = pictures.prepare(photograph).pixels > 0
    prepared = pictures.prepare(FRAMES[frame](photograph))
    framed = prepared.pixels > 0
    assert "Frame" in [step.name for step in prepared.steps]
    assert (plain & framed).sum() / (plain | framed).sum() > 0.85


def test_a_photograph_without_a_frame_has_none(photograph):
    assert inside_frame(photograph) is None
    assert "Frame" not in [step.name for step in pictures.prepare(photograph).steps]


def test_a_garment_of_straight_edges_is_no_frame():
    image = Image.new("RGB", (200, 240), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, 180, 220), fill="navy")
    draw.rectangle((90, 100, 110, 120), fill="gold")  # a buckle
    prepared = pictures.prepare(image)
    assert "Frame" not in [step.name for step in prepared.steps]
    assert (prepared.pixels > 0).mean() > 0.7


@pytest.mark.parametrize("change", ["as it is", "inverted", "enlarged", "as JPEG"])
def test_a_picture_of_the_data_set_is_not_altered(own, change):
    image = {
        "as it is": own,
        "inverted": ImageOps.invert(own),
        "enlarged": own.resize((280, 280), Image.Resampling.NEAREST),
        "as JPEG": jpeg(own),
    }[change]
    out = io.BytesIO()
    image.save(out, "PNG")
    prepared = pictures.prepare(pictures.read(out.getvalue(), "own.png"))
    assert [step.name for step in prepared.steps] == ["Picture"]
    difference = np.abs(prepared.pixels.astype(int) - np.asarray(own))
    assert difference.max() == 0 if change != "as JPEG" else difference.mean() < 6


def test_other_small_pictures_are_prepared(own):
    colourful = Image.merge("RGB", [own, own.point(lambda value: value // 3), own])
    grey = own.point(lambda value: value // 2 + 100)
    small = Image.new("L", (28, 28))
    small.paste(own.resize((14, 14)), (7, 7))
    for image in (colourful, grey.convert("RGB"), small.convert("RGB"), Image.new("RGB", (28, 28))):
        assert data_set_pixels(image) is None
