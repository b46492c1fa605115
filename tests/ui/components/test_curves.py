"""Learning curves: what the charts hold, and the sentence for those who cannot see them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from core.runs import BatchCurve, Epoch
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
    assert words(curves.figure([], "loss", epochs=8)) == ["The curves begin with the first batch."]


def test_the_sentence_tells_what_the_curves_show():
    sentence = curves.sentence(HISTORY, 2).replace("\N{NO-BREAK SPACE}", " ")
    assert sentence == (
        "3 epochs, training accuracy from 70.0 % to 91.0 %, validation accuracy from 80.0 % to 84.0 %, "
        "best epoch 2 with 86.0 %."
    )
    sentence = curves.sentence(HISTORY[:1]).replace("\N{NO-BREAK SPACE}", " ")
    assert sentence == "1 epoch, training accuracy 70.0 %, validation accuracy 80.0 %."
    assert curves.sentence([]) == "No epoch has been finished yet."


def curve_of(losses: np.ndarray, stride: int = 1) -> BatchCurve:
    """Ten batches an epoch, in points of so many."""
    step = np.arange(1, len(losses) + 1) * stride
    return BatchCurve(10, step, losses, 1 - losses / 3, np.full(len(losses), 0.1))


def test_batches_lie_between_the_epochs_and_their_last_ones_at_them():
    figure = curves.figure(
        HISTORY, "accuracy", epochs=8, batches=curves.Batches(curve_of(np.linspace(2, 0.5, 30)))
    )
    drawn = {trace.name: trace for trace in figure.data if trace.name}
    assert list(drawn) == ["Training, by batch", "Validation"]
    np.testing.assert_allclose(drawn["Training, by batch"].x, np.arange(1, 31) / 10, rtol=1e-6)
    assert list(drawn["Validation"].x) == [1, 2, 3]
    low, high = figure.layout.xaxis.range
    assert low < 0 and high > 8


def test_smoothing_keeps_a_level_and_follows_a_step_over_so_many_batches():
    values = np.array([2.0] * 50 + [1.0] * 50)
    smoothed = curves.smooth(curve_of(values), "loss", 20)
    np.testing.assert_allclose(smoothed[:50], 2.0)
    np.testing.assert_allclose(smoothed[69], 1 + math.exp(-1), atol=0.02)
    np.testing.assert_array_equal(curves.smooth(curve_of(values), "loss", 0), values)


def test_the_smoothed_line_stays_where_it_is_when_points_are_joined():
    fine = np.sin(np.linspace(0, 6, 200)) + 2
    joined = fine.reshape(-1, 2).mean(1)
    np.testing.assert_allclose(
        curves.smooth(curve_of(joined, stride=2), "loss", 20),
        curves.smooth(curve_of(fine), "loss", 20)[1::2],
        atol=0.02,
    )


def test_only_the_loss_has_a_logarithmic_axis_and_its_level_keeps_its_place():
    batches = curves.Batches(curve_of(np.linspace(2, 0.5, 30)), 20, logarithmic=True)
    loss = curves.figure(HISTORY, "loss", batches=batches, level=curves.Level(0.1))
    accuracy = curves.figure(HISTORY, "accuracy", batches=batches)
    assert (loss.layout.yaxis.type, accuracy.layout.yaxis.type) == ("log", "linear")
    named = next(one for one in loss.layout.annotations if "published" in one.text)
    assert named.y == pytest.approx(-1)


def test_before_the_first_epoch_ends_the_batches_are_put_into_words():
    words = curves.sentence([], None, curve_of(np.array([2.0, 1.5])))
    assert words == "2 batches of the first epoch: loss 1.500, accuracy 50.0\N{NO-BREAK SPACE}%."
