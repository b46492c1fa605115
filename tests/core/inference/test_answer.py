"""The one way from a picture to an answer: page, terminal and measurements give the same."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core import inference, pictures
from core.cli.parser import main
from core.inference import Network, answer
from core.inference.answer import DEFAULTS, PreparationOptions
from core.outside import report
from core.outside.sources import OutsidePicture
from tests.small_networks import patterns, template_network

OUTLINE = [(60, 40), (260, 40), (240, 290), (80, 290), (60, 40)]


def drawing(points: list[tuple[float, float]] = OUTLINE, width: int = 14) -> Image.Image:
    image = Image.new("RGBA", (320, 320), "white")
    ImageDraw.Draw(image).line(points, fill="black", width=width, joint="curve")
    return image


def network(**values: float) -> Network:
    return Network(template_network(patterns(4)), **values)


def tangle(strokes: int) -> list[tuple[float, float]]:
    return [tuple(point) for point in np.random.default_rng(3).uniform(20, 300, (strokes, 2))]


def test_an_answer_is_the_mean_of_both_ways_round_of_the_prepared_picture():
    answered = answer.ask(network(temperature=1.5), drawing())
    pixels = pictures.prepare(drawing(), fill=True).pixels
    np.testing.assert_array_equal(answered.question.pixels, pixels)
    expected = network(temperature=1.5).both_ways(pixels[None])[0]
    np.testing.assert_array_equal(answered.prediction.probabilities, expected)
    assert answered.prediction.label == expected.argmax()
    assert answered.prediction.confidence == pytest.approx(expected.max())


def test_a_closed_outline_is_filled_unless_told_otherwise():
    filled = answer.prepare(drawing()).pixels
    hollow = answer.prepare(drawing(), PreparationOptions(fill=False)).pixels
    assert DEFAULTS.fill and filled[14, 14] > 100 > hollow[14, 14]


def test_every_option_reaches_the_preparation():
    crop = pictures.Crop(0, 0, 0.5, 1)
    options = PreparationOptions("dark on light", trim=False, fill=False, crop=crop)
    expected = pictures.prepare(
        drawing(), polarity="dark on light", trim=False, fill=False, crop=crop
    )
    np.testing.assert_array_equal(answer.prepare(drawing(), options).pixels, expected.pixels)


def test_a_picture_with_nothing_in_it_gets_no_answer():
    answered = answer.ask(network(), Image.new("RGB", (80, 80), "white"))
    assert answered.prediction is None and answered.question.prepared.blank
    assert answered.question.prepared.warnings


def test_a_scribble_is_never_sure_and_only_drawings_are_checked():
    sure = network(sure_threshold=0.01)
    sheet, options = drawing(tangle(40)), PreparationOptions(pen=14)
    doubted, trusted = answer.ask(sure, sheet, options), answer.ask(sure, sheet)
    assert "scribble" in doubted.question.doubt and not trusted.question.doubt
    assert not doubted.prediction.sure
    np.testing.assert_array_equal(
        doubted.prediction.probabilities, trusted.prediction.probabilities
    )


def test_pictures_of_the_data_set_are_answered_without_their_mirror_image():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    one_way = answer.predict(network(), pixels, from_data_set=True)
    np.testing.assert_array_equal(one_way.probabilities, network().probabilities(pixels[None])[0])
    both_ways = answer.predict(network(), pixels)
    assert not np.allclose(one_way.probabilities, both_ways.probabilities)


def test_a_drawing_is_sure_by_the_threshold_of_drawings(monkeypatch):
    monkeypatch.setattr("core.inference.network.LEAST_SURE", 0.0)
    image = drawing()
    assert answer.prepare(image).prepared.kind == "drawing"
    confidence = answer.ask(network(), image).prediction.confidence
    below, above = confidence - 0.01, confidence + 0.01
    for of_drawings, of_others, sure in ((below, above, True), (above, below, False)):
        asked = network(sure_threshold=of_others, sure_by_kind={"drawing": of_drawings})
        assert answer.ask(asked, image).prediction.sure == sure


def test_many_pictures_get_the_answers_that_each_would_get():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    asked = network(sure_threshold=0.6, sure_by_kind={"drawing": 0.01})
    kinds = ["drawing", "icon", "drawing", "photograph", "icon"]
    predictions = answer.predict_all(asked, pixels, kinds)
    for one, kind, prediction in zip(pixels, kinds, predictions, strict=True):
        alone = answer.predict(asked, one, kind=kind)
        np.testing.assert_allclose(prediction.probabilities, alone.probabilities, atol=1e-6)
        assert prediction.sure == alone.sure


def test_terminal_and_measurements_give_the_answer_of_the_page(tmp_path, capsys):
    shipped = inference.load("shipped")
    expected = answer.ask(shipped, drawing()).prediction
    file = tmp_path / "drawing.png"
    drawing().save(file)
    assert main(["predict", str(file), "--run", "shipped", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["class"] == expected.label and printed["sure"] == expected.sure
    assert printed["probabilities"] == pytest.approx(expected.probabilities.tolist(), abs=1e-6)

    def reopened() -> Image.Image:
        out = io.BytesIO()
        drawing().save(out, "PNG")
        return pictures.read(out.getvalue(), "drawing.png")

    measured = report.measure(shipped, [OutsidePicture("drawing", (expected.label,), reopened)])
    assert (measured.right, measured.sure) == (1, int(expected.sure))
