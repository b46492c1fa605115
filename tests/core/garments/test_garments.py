"""Computer-generated garments: the same every time, filling the frame, and neither trivial nor
hopeless to tell apart.
"""

from __future__ import annotations

import numpy as np
import pytest

from core.garments import drawing


@pytest.fixture(scope="module")
def drawn():
    return drawing.sample()


def test_the_sample_has_2400_pictures_in_the_form_of_the_real_ones(drawn):
    pixels, labels = drawn
    assert pixels.shape == (2400, 28, 28) and pixels.dtype == np.uint8
    assert labels.shape == (2400,) and labels.dtype == np.int64


def test_every_ten_pictures_in_a_row_have_each_class_once(drawn):
    assert (np.sort(drawn[1].reshape(-1, 10), axis=1) == np.arange(10)).all()


def test_the_same_seed_draws_the_same_and_a_smaller_sample_is_its_beginning(drawn):
    pixels, labels = drawing.sample(25)
    assert len(pixels) == 25
    assert np.array_equal(pixels, drawn[0][:25]) and np.array_equal(labels, drawn[1][:25])
    assert not np.array_equal(drawing.sample(25, seed=1)[0], pixels)


def test_an_empty_sample_is_empty():
    pixels, labels = drawing.sample(0)
    assert pixels.shape == (0, 28, 28) and labels.shape == (0,)


def test_no_picture_occurs_twice(drawn):
    assert len(np.unique(drawn[0].reshape(2400, -1), axis=0)) == 2400


def test_the_longest_edge_of_nearly_every_garment_fills_the_frame(drawn):
    edges = [max(np.ptp(axis) + 1 for axis in np.nonzero(picture)) for picture in drawn[0]]
    assert np.mean(np.array(edges) >= 27) > 0.99


def test_garments_are_bright_on_black(drawn):
    pixels, labels = drawn
    for label in range(10):
        of_class = pixels[labels == label]
        assert 0.15 < (of_class > 0).mean() < 0.85
        assert of_class[of_class > 0].mean() > 90
    assert np.median(pixels[:, 0, [0, -1]]) == 0, "the upper corners belong to the background"


def test_a_small_network_gets_most_but_not_all_right(drawn):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    pixels, labels = drawn[0].reshape(2400, -1) / 255.0, drawn[1]
    network = MLPClassifier((64,), alpha=1e-3, max_iter=12, learning_rate_init=3e-3, random_state=0)
    with pytest.warns(ConvergenceWarning):  # it is not given the time to converge
        network.fit(pixels[:2000], labels[:2000])
    assert 0.78 < network.score(pixels[2000:], labels[2000:]) < 0.95


@pytest.mark.parametrize("label", range(10))
def test_every_class_can_be_sketched_in_thin_white_lines(label):
    filled = drawing.draw(label, np.random.default_rng(3))
    sketch = drawing.draw(label, np.random.default_rng(3), style="outline")
    assert sketch.shape == (28, 28) and sketch.dtype == np.uint8
    assert np.count_nonzero(sketch > 60) > 20, "there are lines"
    if label not in (5, 7):  # sandals are mostly straps, and sneakers too flat to have much inside
        assert (sketch > 60).sum() < (filled > 0).sum()


@pytest.mark.parametrize(("label", "style"), [(-1, "filled"), (10, "filled"), (0, "embroidered")])
def test_an_unknown_class_or_style_is_refused(label, style):
    with pytest.raises(ValueError, match="0 to 9"):
        drawing.draw(label, np.random.default_rng(0), style=style)
