"""Learning curves: what the figures hold, and the sentence beside them."""

from __future__ import annotations

import math

import pytest

from ui.components import curves, zoom

ROWS = [
    {"epoch": 1, "loss": 0.9, "accuracy": 0.70, "val_loss": 0.6, "val_accuracy": 0.80},
    {"epoch": 2, "loss": 0.5, "accuracy": 0.82, "val_loss": 0.4, "val_accuracy": 0.86},
    {"epoch": 3, "loss": 0.3, "accuracy": 0.91, "val_loss": 0.5, "val_accuracy": 0.84},
]


def lines(figure):
    return {trace.name: list(trace.y) for trace in figure.data if trace.name}


def words(figure):
    return [annotation.text for annotation in figure.layout.annotations]


def test_accuracy_is_drawn_in_percent_and_loss_as_it_is():
    assert lines(curves.figure(ROWS, "accuracy")) == {
        "Training": [70.0, 82.0, 91.0],
        "Validation": [80.0, 86.0, 84.0],
    }
    assert lines(curves.figure(ROWS, "loss"))["Validation"] == [0.6, 0.4, 0.5]


def test_the_best_epoch_is_ringed_and_named():
    figure = curves.figure(ROWS, "accuracy", best_epoch=2)
    ring = next(trace for trace in figure.data if trace.marker.symbol == "circle-open")
    assert (list(ring.x), list(ring.y)) == ([2], [86.0])
    assert "best: epoch 2" in words(figure)


def test_without_validation_the_training_curve_stands_alone_and_carries_the_ring():
    rows = [{**row, "val_loss": None, "val_accuracy": None} for row in ROWS]
    figure = curves.figure(rows, "loss", best_epoch=3)
    assert list(lines(figure)) == ["Training"]
    assert list(next(trace for trace in figure.data if trace.marker.symbol == "circle-open").y) == [
        0.3
    ]


def test_a_value_that_is_no_number_leaves_a_gap():
    figure = curves.figure([ROWS[0], {**ROWS[1], "loss": math.nan}, ROWS[2]], "loss")
    assert lines(figure)["Training"] == [0.9, None, 0.3]


def test_a_zoom_is_drawn_into_the_next_figure():
    figure = curves.figure(ROWS, "loss", epochs=8, ranges={"x": (1.5, 3.0)})
    assert tuple(figure.layout.xaxis.range) == (1.5, 3.0)
    assert figure.layout.yaxis.range is None


def test_a_zoom_holds_for_the_run_it_was_made_in_and_nonsense_from_a_browser_is_left_out(
    monkeypatch,
):
    told = {
        "revision": "run-a",
        "charts": {"chart": {"x": [1, 2.5], "y": ["low", None], "z": [0, 1]}, "other": 7},
    }
    monkeypatch.setattr(zoom.st, "session_state", {"listener": {"zoom": told}})
    assert zoom.chosen("listener", "chart", "run-a") == {"x": (1.0, 2.5)}
    assert zoom.chosen("listener", "chart", "run-b") == {}
    assert zoom.chosen("listener", "other", "run-a") == {}
    assert zoom.chosen("nobody", "chart", "run-a") == {}


def test_size_and_epoch_axis_do_not_change_while_a_run_grows():
    figures = [curves.figure(ROWS[:count], "loss", epochs=8) for count in range(4)]
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
    figure = curves.figure(ROWS, "loss", overlays=[curves.Overlay("<b>old</b>", ROWS[:2])])
    assert lines(figure)["&lt;b&gt;old&lt;/b&gt;"] == [0.6, 0.4]


def test_more_overlays_than_colours_are_refused():
    with pytest.raises(ValueError, match="at most 5"):
        curves.figure(
            ROWS, "loss", overlays=[curves.Overlay(str(number), ROWS) for number in range(6)]
        )


def test_a_published_figure_becomes_a_level_line_with_its_value():
    figure = curves.figure(ROWS, "accuracy", published=0.9153)
    assert figure.layout.shapes[0].y0 == pytest.approx(91.53)
    assert "published 91.5\N{NO-BREAK SPACE}%" in words(figure)


def test_before_the_first_epoch_the_figure_says_so():
    assert words(curves.figure([], "loss", epochs=8)) == [
        "The first point appears after the first epoch."
    ]


def test_the_sentence_tells_what_the_curves_show():
    told = curves.sentence(ROWS, 2).replace("\N{NO-BREAK SPACE}", " ")
    assert told == (
        "3 epochs, training accuracy from 70.0 % to 91.0 %, validation accuracy from 80.0 % to 84.0 %, "
        "best epoch 2 with 86.0 %."
    )
    told = curves.sentence(ROWS[:1]).replace("\N{NO-BREAK SPACE}", " ")
    assert told == "1 epoch, training accuracy 70.0 %, validation accuracy 80.0 %."
    assert curves.sentence([]) == "No epoch has been finished yet."
