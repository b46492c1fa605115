"""A part of a picture is all that the network reads of it, on the page and in the terminal; several
garments are said to be several.
"""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core import pictures
from core.cli.parser import main
from core.pictures import Crop
from core.pictures.crop import LEAST, parse
from core.pictures.mask import objects
from tests.ui.classify.test_classify_page import answer, markup, open_page, shown
from ui.classify import crop_box, uploads

T_SHIRT = [
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
    (25, 9),
]
TROUSERS = [(30, 5), (70, 5), (78, 95), (57, 95), (50, 30), (43, 95), (22, 95)]
LEFT_HALF = Crop(0, 0, 0.5, 1)


def garments(
    *shapes: list[tuple[int, int]], scale: float = 3.0, colour: str = "navy", outline: bool = False
) -> Image.Image:
    """Garments side by side on white, each in a square of its own."""
    side = round(110 * scale)
    image = Image.new("RGB", (side * len(shapes), side), "white")
    draw = ImageDraw.Draw(image)
    for number, shape in enumerate(shapes):
        points = [(number * side + (x + 5) * scale, (y + 5) * scale) for x, y in shape]
        if outline:
            draw.line([*points, points[0]], fill=colour, width=round(2 * scale), joint="curve")
        else:
            draw.polygon(points, fill=colour)
    return image


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def several(prepared: pictures.Prepared) -> bool:
    return any(
        warning.startswith("There seem to be several items") for warning in prepared.warnings
    )


# --- the part -------------------------------------------------------------------------------------


def test_a_crop_is_read_as_if_it_were_the_whole_picture():
    both = garments(T_SHIRT, TROUSERS)
    prepared = pictures.prepare(both, crop=LEFT_HALF)
    alone = pictures.prepare(garments(T_SHIRT))
    np.testing.assert_array_equal(prepared.pixels, alone.pixels)
    assert [step.name for step in prepared.steps] == [
        "Picture",
        "Crop",
        *(step.name for step in alone.steps[1:]),
    ]
    assert prepared.steps[0].image.shape[1] == 2 * prepared.steps[0].image.shape[0], (
        "the first step shows the whole picture"
    )
    assert prepared.steps[1].image.shape == (330, 330, 3)


def test_a_small_part_of_a_large_photograph_keeps_its_detail():
    large = Image.new("RGB", (4000, 3000), "white")
    large.paste(garments(T_SHIRT, scale=4), (3000, 2000))
    data, crop = saved(large, "JPEG", quality=95), Crop(0.75, 0.666667, 0.86, 0.813333)
    prepared = pictures.prepare(pictures.read(data, "large.jpg", crop), crop=crop)
    assert min(prepared.steps[1].image.shape[:2]) >= 370
    assert max(pictures.read(data, "large.jpg").size) == 512, "without a crop nobody needs more"
    difference = np.abs(
        prepared.pixels.astype(int) - pictures.prepare(garments(T_SHIRT, scale=4)).pixels
    )
    assert difference.mean() < 6


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_crop_is_of_the_upright_picture(orientation):
    upright = garments(T_SHIRT, TROUSERS)
    turned = {
        1: None,
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(upright if turned is None else upright.transpose(turned), "PNG", exif=exif)
    prepared = pictures.prepare(pictures.read(data, "turned.png", LEFT_HALF), crop=LEFT_HALF)
    np.testing.assert_array_equal(prepared.pixels, pictures.prepare(garments(T_SHIRT)).pixels)


def test_a_part_without_anything_in_it_is_blank():
    assert pictures.prepare(garments(T_SHIRT), crop=Crop(0, 0, LEAST, LEAST)).blank


def test_a_crop_of_the_smallest_picture_is_a_pixel():
    assert Crop(0.97, 0.97, 1, 1).cut(Image.new("RGB", (1, 1))).size == (1, 1)
    assert Crop(0.25, 0, 0.75, 1).cut(Image.new("RGB", (8, 3))).size == (4, 3)


def test_a_crop_is_typed_as_four_shares():
    assert parse("0.1, 0.2,0.5,1") == Crop(0.1, 0.2, 0.5, 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "four shares"),
        ("0,0,1", "four shares"),
        ("left,0,1,1", "four shares"),
        ("0,0,1,1,1", "four shares"),
        ("0,0,100,100", "from 0 to 1"),
        ("-0.1,0,1,1", "from 0 to 1"),
        ("nan,0,1,1", "from 0 to 1"),
        ("0,0,inf,1", "from 0 to 1"),
        ("0.6,0,0.4,1", "right edge"),
        ("0,0,0.01,1", "right edge"),
        ("0,0.5,1,0.5", "bottom"),
    ],
)
def test_a_crop_that_cannot_be_gets_a_sentence(text, reason):
    with pytest.raises(ValueError, match=reason) as refusal:
        parse(text)
    assert "received" in str(refusal.value)


# --- several garments -----------------------------------------------------------------------------


@pytest.mark.parametrize("outline", [False, True])
def test_two_garments_are_said_to_be_several_until_one_is_left(outline):
    both = garments(T_SHIRT, TROUSERS, outline=outline)
    prepared = pictures.prepare(both, fill=True)
    assert several(prepared) and not prepared.blank
    assert not several(pictures.prepare(both, fill=True, crop=LEFT_HALF))


def test_one_garment_is_not_several():
    for outline in (False, True):
        assert not several(pictures.prepare(garments(T_SHIRT, outline=outline), fill=True))


def test_an_outline_drawn_in_separate_strokes_is_not_several():
    image = Image.new("RGB", (330, 330), "white")
    draw = ImageDraw.Draw(image)
    half = [(38, 5), (25, 9), (2, 35), (16, 46), (26, 36), (26, 95)]
    for side in (half, [(100 - x, y) for x, y in half]):
        draw.line([(15 + 3 * x, 15 + 3 * y) for x, y in side], fill="black", width=8, joint="curve")
    for fill in (True, False):
        assert not several(pictures.prepare(image, fill=fill))


def test_small_things_and_things_within_one_another_are_not_counted():
    mask = np.zeros((200, 300), bool)
    mask[20:180, 20:120] = True
    assert objects(mask) == 1
    mask[20:60, 200:240] = True  # a tenth of the first
    assert objects(mask) == 1
    mask[20:180, 180:280] = True
    assert objects(mask) == 2
    ring = np.zeros((200, 200), bool)
    ring[10:190, 10:190] = True
    ring[40:160, 40:160] = False
    ring[60:140, 60:140] = True
    assert objects(ring) == 1
    assert objects(np.zeros((40, 40), bool)) == 0


# --- in the terminal ------------------------------------------------------------------------------


def test_predict_reads_the_part_that_it_is_told_and_says_where_there_are_several(tmp_path, capsys):
    file = tmp_path / "both.png"
    garments(T_SHIRT, TROUSERS).save(file)
    printed = {}
    for part in ("0,0,0.5,1", "0.5,0,1,1", None):
        assert main(["predict", str(file), "--json", *(["--crop", part] if part else [])]) == 0
        printed[part] = json.loads(capsys.readouterr().out)
    assert (
        printed["0,0,0.5,1"]["label"] == "T-shirt/top"
        and printed["0.5,0,1,1"]["label"] == "Trouser"
    )
    assert (
        printed["0,0,0.5,1"]["warnings"] == []
        and "There seem to be several items" in printed[None]["warnings"][0]
    )
    assert main(["predict", str(file)]) == 0
    assert "There seem to be several items" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["half", "0,0,1", "0,0,300,200", "0.5,0,0.5,1"])
def test_a_crop_that_cannot_be_is_one_sentence_in_the_terminal(text, capsys):
    assert main(["predict", "no.png", "--crop", text]) == 1
    out, err = capsys.readouterr()
    assert (
        not out and err.count("\n") == 1 and "--crop" in err and "received" in err and text in err
    )


# --- on the page ----------------------------------------------------------------------------------


def upload(*names: str):
    """The page with pictures of two garments uploaded."""
    app = open_page(mode="upload")
    data = saved(garments(T_SHIRT, TROUSERS))
    app.file_uploader(key="classify_files").set_value(
        [(name, data, "image/png") for name in names]
    ).run()
    assert not app.exception
    return app


def desk(app) -> uploads.UploadState:
    return app.session_state["atelier_session"].pages["ui.classify.uploads.UploadState"]


def chooses(app, box: object) -> None:
    """What the browser does when a box is let go."""
    desk(app).crop(shown(app)["picture"], crop_box.parse_box(box))
    app.run()
    assert not app.exception


def test_the_answer_follows_the_box_and_outlives_the_switches():
    app = upload("both.png")
    assert any("Keep one of them" in warning.value for warning in app.warning)
    assert shown(app)["box"] is None and ". Crop</b>" not in markup(app)
    chooses(app, [0, 0, 0.5, 1])
    assert answer(app)[0][0] == "T-shirt/top" and ". Crop</b>" in markup(app) and not app.warning
    chooses(app, [0.5, 0, 1, 1])
    assert answer(app)[0][0] == "Trouser"
    trimmed = answer(app)
    app.toggle(key="classify_trim").set_value(False).run()
    assert (
        shown(app)["box"] == [0.5, 0, 1, 1]
        and ". Crop</b>" in markup(app)
        and ". Trim</b>" not in markup(app)
    )
    assert answer(app) != trimmed, "switches and box work together"
    app.toggle(key="classify_trim").set_value(True).run()
    assert answer(app) == trimmed
    chooses(app, None)
    assert ". Crop</b>" not in markup(app) and app.warning


def test_another_picture_begins_whole():
    app = upload("both.png")
    chooses(app, [0, 0, 0.5, 1])
    app.file_uploader(key="classify_files").set_value(
        [("next.png", saved(garments(T_SHIRT, TROUSERS)), "image/png")]
    ).run()
    assert (
        shown(app)["name"] == "next.png"
        and shown(app)["box"] is None
        and ". Crop</b>" not in markup(app)
    )
    assert desk(app).crops == {}


def test_a_box_belongs_to_its_own_picture():
    app = upload("one.png", "other.png")
    chooses(app, [0.5, 0, 1, 1])
    first = shown(app)["picture"]
    other = next(one.file.file_id for one in desk(app).read.values() if one.file.file_id != first)
    desk(app).choose(other)
    app.run()
    assert shown(app)["box"] is None
    desk(app).choose(first)
    app.run()
    assert shown(app)["box"] == [0.5, 0, 1, 1] and answer(app)[0][0] == "Trouser"


@pytest.mark.parametrize(
    "value",
    [None, [], "box", [0, 0, 1], [0, 0, 0.01, 0.01], [0, 0, 9, 9], [None] * 4, {"left": 0}, 7],
)
def test_a_box_that_cannot_be_is_the_whole_picture(value):
    assert crop_box.parse_box(value) is None


def test_files_that_cannot_be_read_leave_no_switches_behind():
    app = open_page(mode="upload")
    app.file_uploader(key="classify_files").set_value([("bad.png", b"%PDF-1.7", "image/png")]).run()
    assert len(app.error) == 1 and not app.header
    assert not app.main.toggle
    app.file_uploader(key="classify_files").set_value(
        [("good.png", saved(garments(T_SHIRT)), "image/png")]
    ).run()
    assert not app.error and [toggle.key for toggle in app.main.toggle] == [
        "classify_trim",
        "classify_fill_file",
    ]
    camera = open_page(mode="camera")
    camera.camera_input(key="classify_camera").set_value(
        ("shot.jpg", b"nothing", "image/jpeg")
    ).run()
    assert len(camera.error) == 1 and not camera.main.toggle and not camera.exception
