"""Classify answers people's own pictures, says which it cannot read, and never answers a tangle of
lines with confidence.

A test cannot draw with the mouse here (the browser tests do): it puts a drawing on the visitor's
sheet, as the page finds it after a change of mode. The network is the shipped one; where its answer
must be known, the test computes it as well.
"""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from core import inference, pictures, runs
from core.data import fashion_mnist as dataset
from core.inference.answer import PreparationOptions
from core.labels import CLASS_NAMES
from core.settings import ROOT
from tests.fixtures import SPEC, finished_run
from tests.small_networks import patterns, template_network
from ui import frame
from ui.classify import canvas, result, uploads
from ui.classify.drawing_history import Sheet
from ui.components import theme
from ui.state import Session

T_SHIRT = [
    (110, 40),
    (135, 55),
    (185, 55),
    (210, 40),
    (280, 85),
    (255, 140),
    (225, 120),
    (225, 285),
    (95, 285),
    (95, 120),
    (65, 140),
    (40, 85),
    (110, 40),
]


def png(image: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def drawing(points: list[tuple[float, float]], width: int = 14) -> Image.Image:
    image = Image.new("RGBA", (canvas.SIDE, canvas.SIDE), "white")
    ImageDraw.Draw(image).line(points, fill="black", width=width, joint="curve")
    return image


def tangle(strokes: int, seed: int = 3) -> list[tuple[float, float]]:
    return [tuple(point) for point in np.random.default_rng(seed).uniform(20, 300, (strokes, 2))]


def open_page(sheet: Image.Image | None = None, **params: str) -> AppTest:
    """The page at this address, with this drawing on the visitor's sheet."""
    app = AppTest.from_file(str(ROOT / frame.HOME), default_timeout=60)
    if sheet is not None:
        mine = Sheet(
            drawing={"objects": [{"type": "Path", "path": [["M", 1, 1], ["Q", 1, 1, 2, 2]]}]},
            png=png(sheet),
        )
        app.session_state["atelier_session"] = Session(
            pages={"ui.classify.drawing_history.Sheet": mine}
        )
    app.switch_page(frame.CLASSIFY)
    app.query_params.update(params)
    return app.run()


def markup(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def shown(app: AppTest) -> dict:
    """What the browser is told about the picture that is looked at closely."""
    (found,) = (
        json.loads(element.proto.json)
        for element in app.get("bidi_component")
        if element.proto.component_name == "atelier_crop"
    )
    return found


def chosen(app: AppTest) -> int:
    """The test picture that the address names."""
    text = app.query_params["picture"]
    return int(text if isinstance(text, str) else text[-1])


def answer(app: AppTest) -> list[tuple[str, str]]:
    """Headline and line of every answer on the page."""
    return re.findall(r"<h2>(.*?)</h2><p>(.*?)</p>", markup(app))


def make_run(name: str, seed: int) -> str:
    """A finished run of the offline sample whose network's answers are known."""
    return finished_run(
        SPEC.replace(name=name),
        network=template_network(patterns(seed)),
        data=dataset.load("offline-sample"),
    )


# --- draw -----------------------------------------------------------------------------------------


def test_an_empty_sheet_says_what_to_do():
    app = open_page()
    assert answer(app)[0][0] == "Nothing yet" and "outline of a T-shirt" in answer(app)[0][1]
    assert not app.exception and not app.error and not app.warning


def test_a_drawn_t_shirt_is_called_one_without_data():
    app = open_page(drawing(T_SHIRT))
    ((headline, line),) = answer(app)
    assert headline == "T-shirt/top" and line.endswith("% confidence")
    assert [
        step
        for step in ("Background", "Brightness", "Fill", "Trim", "Scale", "Centre")
        if f". {step}</b>" not in markup(app)
    ] == []
    assert not app.exception and not app.error


def test_the_answer_is_the_networks_for_the_prepared_pixels():
    run_id = make_run("Template", 1)
    sheet = drawing(T_SHIRT)
    network = inference.load(run_id)
    for fill in (True, False):
        app = open_page(sheet, run=run_id)
        app.toggle(key="classify_fill").set_value(fill).run()
        pixels = pictures.prepare(pictures.from_canvas(np.asarray(sheet)), fill=fill).pixels
        expected = network.both_ways(pixels[None])[0]
        assert theme.percent(float(expected.max())) in answer(app)[0][1]
        assert CLASS_NAMES[expected.argmax()] in " ".join(answer(app)[0])


def test_polarity_and_trim_are_obeyed():
    app = open_page(drawing(T_SHIRT))
    app.toggle(key="classify_trim").set_value(False).run()
    assert ". Trim</b>" not in markup(app)
    app.segmented_control(key="classify_polarity").set_value("light on dark").run()
    assert answer(app) == [("Not sure", "Nothing stands out from the background here.")]
    assert "Why this answer?" not in [box.label for box in app.expander]
    assert not app.exception


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (tangle(40), "scribble"),
        (tangle(25, 8), "scribble"),
        ([(160, 160), (168, 160)], "too small"),
    ],
)
def test_a_scribble_and_a_dot_are_not_sure(points, reason):
    ((headline, line),) = answer(open_page(drawing(points)))
    assert headline == "Not sure" and reason in line


def test_a_cleared_sheet_is_empty_and_another_one():
    app = AppTest.from_function(_cleared, default_timeout=60).run()
    assert app.text[0].value == "1 None None"


def _cleared() -> None:
    import streamlit as st

    from ui import state
    from ui.classify import canvas
    from ui.classify.drawing_history import Sheet

    mine = state.page_state(Sheet)
    mine.drawing, mine.png = {"objects": [{}]}, b"png"
    canvas.clear()
    st.text(f"{mine.number} {mine.drawing} {mine.pixels()}")


# --- files and camera -----------------------------------------------------------------------------


def photograph(kind: str, colour: str = "navy") -> bytes:
    """A pair of trousers on white."""
    image = Image.new("RGB", (300, 400), "white")
    ImageDraw.Draw(image).polygon(
        [(90, 30), (210, 30), (235, 370), (170, 370), (150, 120), (130, 370), (65, 370)],
        fill=colour,
    )
    return png(image, kind)


def test_good_files_are_answered_and_each_bad_one_gets_its_own_sentence():
    app = open_page(mode="upload")
    app.file_uploader(key="classify_files").set_value(
        [
            ("a.png", photograph("PNG"), "image/png"),
            ("b.jpg", photograph("JPEG", "darkred"), "image/jpeg"),
            ("c.webp", photograph("WEBP"), "image/webp"),
            ("d.gif", photograph("GIF"), "image/gif"),
            ("renamed.png", b"%PDF-1.7 and so on", "image/png"),
            ("empty.bmp", b"", "image/bmp"),
            ("short.png", photograph("PNG")[:200], "image/png"),
        ]
    ).run()
    sentences = [error.value for error in app.error]
    assert [
        name
        for name in ("renamed.png", "empty.bmp", "short.png")
        if sum(name in one for one in sentences) != 1
    ] == []
    assert len(sentences) == 3
    assert answer(app)[0][0] == "Trouser"
    assert shown(app)["name"] == "a.png"
    assert not app.exception


def test_a_blank_file_is_not_sure_and_not_an_error():
    app = open_page(mode="upload")
    app.file_uploader(key="classify_files").set_value(
        [("blank.png", png(Image.new("RGB", (80, 80), "white")), "image/png")]
    ).run()
    assert answer(app)[0][0] == "Not sure"
    assert "draw or photograph a garment" in app.warning[0].value
    assert not app.exception and not app.error


def test_an_upload_without_files_says_what_works_best():
    app = open_page(mode="upload")
    assert "plain background" in app.info[0].value
    assert not answer(app) and not app.exception


def test_a_camera_shot_is_answered_with_its_steps():
    app = open_page(mode="camera")
    assert any("https" in caption.value for caption in app.caption)
    app.camera_input(key="classify_camera").set_value(
        ("shot.jpg", photograph("JPEG"), "image/jpeg")
    ).run()
    assert answer(app)[0][0] == "Trouser"
    assert shown(app)["name"] == "Your photograph" and ". Centre</b>" in markup(app)
    assert not app.exception and not app.error


class _File:
    """A file that counts how often it is read."""

    def __init__(self, name: str, data: bytes):
        self.name, self.file_id, self.data, self.reads = name, f"id-{name}", data, 0

    def getvalue(self) -> bytes:
        self.reads += 1
        return self.data


def test_a_file_is_read_once_for_the_same_settings_and_forgotten_when_it_is_gone(monkeypatch):
    mine = uploads.UploadState()
    monkeypatch.setattr(uploads, "upload_state", lambda: mine)
    good, bad = _File("good.png", photograph("PNG")), _File("bad.png", b"nothing")
    first, second = uploads.read_all([good, bad], PreparationOptions())
    assert isinstance(first, uploads.Upload) and first.pixels.shape == (28, 28)
    assert isinstance(second, uploads.Refusal) and "bad.png" in second.problem
    uploads.read_all([good, bad], PreparationOptions())
    assert (good.reads, bad.reads) == (1, 1)
    uploads.read_all([good], PreparationOptions(trim=False))
    assert good.reads == 2 and len(mine.read) == 1
    np.testing.assert_array_equal(uploads.prepare(good, PreparationOptions()).pixels, first.pixels)


def test_a_file_that_comes_after_others_is_the_one_to_look_at(monkeypatch):
    mine = uploads.UploadState()
    monkeypatch.setattr(uploads, "upload_state", lambda: mine)
    first, bad, second = (
        _File("first.png", photograph("PNG")),
        _File("bad.png", b"nothing"),
        _File("second.png", photograph("JPEG")),
    )
    uploads.read_all([first], PreparationOptions())
    assert mine.chosen == ""
    uploads.read_all([first, bad, second], PreparationOptions())
    assert mine.chosen == second.file_id
    mine.choose(first.file_id)
    uploads.read_all([first, bad, second], PreparationOptions())
    assert mine.chosen == first.file_id


# --- a test picture -------------------------------------------------------------------------------


def test_a_test_picture_names_the_truth_and_stays_at_its_address():
    run_id = make_run("Template", 1)
    app = open_page(mode="test", run=run_id)
    assert "not on this machine" in app.warning[0].value
    app.button(key="frame_sample").click().run()
    data = dataset.load("offline-sample")
    app.selectbox(key="classify_class").set_value(9).run()
    index = chosen(app)
    assert data.test_labels[index] == 9 and "Truth: Ankle boot" in markup(app)
    expected = inference.load(run_id).probabilities(data.test_pixels[index][None])[0]
    assert answer(app)[0][1].endswith(
        "correct" if expected.argmax() == 9 else "actually Ankle boot"
    )
    app.button(key="classify_another").click().run()
    assert data.test_labels[chosen(app)] == 9
    app.query_params["picture"] = str(index)
    app.run()
    assert f"Test picture {index:,}" in markup(app)
    assert not app.exception


def test_leaving_the_test_pictures_leaves_nothing_of_them_in_the_address(fashion_mnist):
    app = open_page(mode="test", picture="7")
    assert "Test picture 7." in markup(app)
    app.segmented_control(key="classify_mode").set_value("draw").run()
    assert "picture" not in app.query_params and "mode" not in app.query_params
    assert not app.exception


def test_why_shows_where_it_looked_and_the_nearest_training_pictures():
    run_id = make_run("Template", 1)
    app = open_page(drawing(T_SHIRT), run=run_id)
    assert "Training picture" not in markup(app), "reasons are computed only where somebody looks"
    app.session_state["classify_why"] = True
    app.run()
    assert markup(app).count('alt="Training picture') == result.NEIGHBOURS
    assert "parts that count towards" in markup(app)
    assert not app.exception and not app.error


def test_without_the_data_the_reasons_still_show_where_it_looked():
    app = open_page(drawing(T_SHIRT))
    app.session_state["classify_why"] = True
    app.run()
    assert "parts that count towards T-shirt/top" in markup(app)
    assert "not on this machine" in app.info[0].value
    assert not app.exception and not app.error


# --- networks and the address ---------------------------------------------------------------------


def test_two_networks_answer_side_by_side():
    first, second = make_run("First template", 1), make_run("Second template", 2)
    app = open_page(drawing(T_SHIRT), run=first, **{"with": second})
    assert len(answer(app)) == 2
    for name, run_id in (("First template", first), ("Second template", second)):
        pixels = pictures.prepare(
            pictures.from_canvas(np.asarray(drawing(T_SHIRT))), fill=True
        ).pixels
        expected = inference.load(run_id).both_ways(pixels[None])[0]
        assert f"<small>{name}</small>" in markup(app)
        assert theme.percent(float(expected.max())) in markup(app)
    assert not app.exception


def test_values_that_an_address_cannot_have_get_a_sentence_each():
    app = open_page(drawing(T_SHIRT), mode="paint", run="../../etc", **{"with": "nobody"})
    sentences = " ".join(warning.value for warning in app.warning)
    assert "mode “paint”" in sentences and "etc" in sentences and "nobody" in sentences
    assert answer(app)[0][0] == "T-shirt/top"
    assert not app.exception


def test_a_network_that_cannot_be_opened_gets_a_sentence():
    run_id = make_run("Broken", 1)
    runs.write(run_id, "model.onnx", b"not a network")
    app = open_page(drawing(T_SHIRT), run=run_id)
    assert run_id in app.error[0].value
    assert not app.exception


# --- words and pictures ---------------------------------------------------------------------------


def test_an_unsure_answer_names_the_two_most_probable_classes():
    probabilities = np.full(10, 0.02)
    probabilities[6], probabilities[4] = 0.5, 0.34
    unsure = result.headline_html(probabilities, sure=False)
    assert (
        f"<h2>Not sure</h2><p>Shirt {theme.percent(0.5)}, or Coat {theme.percent(0.34)}</p>"
        in unsure
    )
    assert (
        f"<h2>Shirt</h2><p>{theme.percent(0.5)} confidence · actually Coat</p>"
        in result.headline_html(probabilities, sure=True, truth=4)
    )
    assert "&lt;b&gt;" in result.headline_html(probabilities, sure=True, title="<b>")


def test_small_steps_keep_hard_edges_and_large_ones_are_reduced():
    address, crisp = result.thumbnail(np.zeros((28, 20), np.uint8))
    assert crisp and address.startswith("data:image/png")
    address, crisp = result.thumbnail(np.zeros((384, 256, 4), np.uint8))
    assert not crisp and address.startswith("data:image/webp") and len(address) < 4000
