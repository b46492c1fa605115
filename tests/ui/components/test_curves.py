"""Learning curves: what the charts hold, and the sentence for those who cannot see them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from core.runs import Epoch
from ui.components import curves, zoom

HISTORY = [
    Epoch(1, 0.9, 0.70, 0.6, 0.80),
    Epoch(2, 0.5, 0.82, 0.4, 0.86),
    Epoch(3, 0.3, 0.91, 0.5, 0.84),
]


def lines(figure):
    return {trace.name: list(trace.y) for trace in figure.data if trace.name}


def words(figure):
    return [annotation.text for annotation in figure.layout.annotations]


def test_accuracy_is_drawn_in_percent_and_loss_as_it_is():
    assert lines(curves.figure(HISTORY, "accuracy")) == {
        "Training": [70.0, 82.0, 91.0],
        "Validation": [80.0, 86.0, 84.0],
    }
    assert lines(curves.figure(HISTORY, "loss"))["Validation"] == [0.6, 0.4, 0.5]


def test_the_best_epoch_is_ringed_and_named():
    figure = curves.figure(HISTORY, "accuracy", best_epoch=2)
    ring = next(trace for trace in figure.data if trace.marker.symbol == "circle-open")
    assert (list(ring.x), list(ring.y)) == ([2], [86.0])
    assert "best: epoch 2" in words(figure)


def test_without_validation_the_training_curve_stands_alone_and_carries_the_ring():
    history = [replace(epoch, val_loss=None, val_accuracy=None) for epoch in HISTORY]
    figure = curves.figure(history, "loss", best_epoch=3)
    assert list(lines(figure)) == ["Training"]
    assert list(next(trace for trace in figure.data if trace.marker.symbol == "circle-open").y) == [
        0.3
    ]


def test_a_value_that_is_no_number_leaves_a_gap():
    figure = curves.figure([HISTORY[0], replace(HISTORY[1], loss=math.nan), HISTORY[2]], "loss")
    assert lines(figure)["Training"] == [0.9, None, 0.3]


def test_a_zoom_is_drawn_into_the_next_figure():
    figure = curves.figure(HISTORY, "loss", epochs=8, ranges={"x": (1.5, 3.0)})
    assert tuple(figure.layout.xaxis.range) == (1.5, 3.0)
    assert figure.layout.yaxis.range is None


def test_a_zoom_lasts_for_the_run_it_was_made_in_and_nonsense_from_a_browser_is_ignored(
    monkeypatch,
):
    report = {
        "revision": "run-a",
        "charts": {"chart": {"x": [1, 2.5], "y": ["low", None], "z": [0, 1]}, "other": 7},
    }
    monkeypatch.setattr(zoom.st, "session_state", {"listener": {"zoom": report}})
    assert zoom.chosen("listener", "chart", "run-a") == {"x": (1.0, 2.5)}
    assert zoom.chosen("listener", "chart", "run-b") == {}
    assert zoom.chosen("listener", "other", "run-a") == {}
    assert zoom.chosen("nobody", "chart", "run-a") == {}


def test_size_and_epoch_axis_do_not_change_while_a_run_grows():
    figures = [curves.figure(HISTORY[:count], "loss", epochs=8) for count in range(4)]
    assert (
        len(
            {
                (figure.layout.height, str(figure.layout.margin), tuple(figure.layout.xaxis.range))
                for figure in figures
            }
        )
        == 1
    )
    assert figures[0].layout.xaxis.range[1] > 8


def test_earlier_runs_show_their_validation_curve_under_a_harmless_name():
    figure = curves.figure(HISTORY, "loss", overlays=[curves.Overlay("<b>old</b>", HISTORY[:2])])
    assert lines(figure)["&lt;b&gt;old&lt;/b&gt;"] == [0.6, 0.4]


def test_more_overlays_than_colours_are_refused():
    with pytest.raises(ValueError, match="at most 5"):
        curves.figure(
            HISTORY, "loss", overlays=[curves.Overlay(str(number), HISTORY) for number in range(6)]
        )


def test_a_published_figure_becomes_a_level_line_with_its_value():
    figure = curves.figure(HISTORY, "accuracy", level=curves.Level(0.9153))
    assert figure.layout.shapes[0].y0 == pytest.approx(91.53)
    assert "published 91.5\N{NO-BREAK SPACE}%" in words(figure)


def test_before_the_first_epoch_the_figure_says_so():
    assert words(curves.figure([], "loss", epochs=8)) == [
        "The first point appears after the first epoch."
    ]


def test_the_sentence_tells_what_the_curves_show():
    sentence = curves.sentence(HISTORY, 2).replace("\N{NO-BREAK SPACE}", " ")
    assert sentence == (
        "3 epochs, training accuracy from 70.0 % to 91.0 %, validation accuracy from 80.0 % to 84.0 %, "
        "best epoch 2 with 86.0 %."
    )
    sentence = curves.sentence(HISTORY[:1]).replace("\N{NO-BREAK SPACE}", " ")
    assert sentence == "1 epoch, training accuracy 70.0 %, validation accuracy 80.0 %."
    assert curves.sentence([]) == "No epoch has been finished yet."
