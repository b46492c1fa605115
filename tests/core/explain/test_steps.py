"""Sizes, windows and slopes that pages show step by step are those of the network, and of
independent arithmetic.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate2d

from core import inference, runs
from core.explain import activations, steps
from core.explain.last_layer import LastLayer
from core.networks.architectures import blueprint
from core.specs.presets import PRESETS

PICTURE = np.random.default_rng(2).integers(0, 256, (28, 28)).astype(np.uint8)


@pytest.mark.parametrize("name", PRESETS)
def test_the_size_formula_gives_the_width_of_every_layer(name):
    layers = {layer.name: layer for layer in blueprint(PRESETS[name].spec)}
    for layer in layers.values():
        size = steps.size_of(layer, layers[layer.inputs[0]] if layer.inputs else None)
        assert (size is None) == (layer.kind not in ("Conv2D", "DepthwiseConv2D", "MaxPooling2D"))
        if size:
            assert (
                (size.width - size.field + size.padding) // size.stride + 1
                == size.out
                == layer.output_shape[1]
            )
            assert (
                size.text.endswith(f"+ 1 = {layer.output_shape[1]}")
                and f"= {size.out}" in size.latex
            )


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (steps.Size(False, 28, 3, 2, 1, 28), "(28 − 3 + 2·1)/1 + 1 = 28"),
        (steps.Size(False, 28, 3, 0, 1, 26), "(28 − 3 + 2·0)/1 + 1 = 26"),
        (steps.Size(False, 28, 3, 1, 2, 14), "(28 − 3 + 1)/2 + 1 = 14"),
        (steps.Size(True, 28, 2, 0, 2, 14), "(28 − 2)/2 + 1 = 14"),
        (steps.Size(True, 7, 2, 0, 2, 3), "⌊(7 − 2)/2⌋ + 1 = 3"),
        (steps.Size(True, 7, 2, 1, 2, 4), "(7 − 2 + 1)/2 + 1 = 4"),
    ],
)
def test_the_formula_is_written_as_people_write_it(size, text):
    assert size.text == text


def test_the_extra_row_of_zeros_goes_below():
    assert steps.count_zeros(28, 3, 1, "same") == (1, 2) and steps.count_zeros(
        28, 3, 2, "same"
    ) == (0, 1)
    assert steps.count_zeros(28, 4, 2, "same") == (1, 2) and steps.count_zeros(
        28, 3, 1, "valid"
    ) == (0, 0)
    assert "An odd number of rows is added" in steps.Size(False, 28, 3, 1, 2, 14).words


def test_the_steps_of_a_convolution_make_the_feature_map_of_the_network():
    inside = activations.load(runs.SHIPPED, inference.load(runs.SHIPPED))
    maps = inside.maps(PICTURE)
    kernel = inside.weights["conv_1"][0]
    walk = steps.convolve(maps["rescaling_1"][..., 0], kernel[:, :, 0, 5], padding="same")
    np.testing.assert_allclose(walk.output, maps["conv_1"][..., 5], atol=1e-5)
    for number in (0, 27, 300, 783):  # corners and the middle
        step = walk.step(number)
        assert np.isclose(
            (step.window * walk.weights).sum(), maps["conv_1"][step.row, step.column, 5], atol=1e-5
        )


def test_a_classic_filter_agrees_with_scipy():
    for weights in steps.CLASSIC.values():
        walk = steps.convolve(PICTURE / 255, np.array(weights))
        np.testing.assert_allclose(
            walk.output, correlate2d(PICTURE / 255, weights, mode="same"), atol=1e-9
        )


def test_a_pooling_keeps_the_largest_value_of_every_window():
    walk = steps.pool(
        np.array([[1.0, 5.0, 2.0], [0.0, 3.0, 7.0], [9.0, -1.0, -2.0]]), padding="same"
    )
    assert walk.output.tolist() == [[5.0, 7.0], [9.0, -2.0]]
    assert steps.pool(PICTURE[:7, :7]).output.shape == (3, 3)
    assert walk.step(3).top == 2 and walk.step(3).left == 2


@pytest.fixture
def last() -> LastLayer:
    draw = np.random.default_rng(4)
    return LastLayer(
        draw.normal(0, 1, 5), draw.normal(0, 1, (5, 10)), draw.normal(0, 1, 10), truth=3
    )


def test_slopes_are_those_of_small_differences(last):
    for row, neuron in ((0, 3), (4, 7), (2, 0)):
        weight = last.weights[row, neuron]
        around = last.loss_with(row, neuron, np.array([weight - 1e-5, weight, weight + 1e-5]))
        assert np.isclose(around[1], last.loss)
        assert np.isclose(
            (around[2] - around[0]) / 2e-5, last.weight_slopes[row, neuron], atol=1e-6
        )
        assert np.isclose(last.slope_with(row, neuron, weight), last.weight_slopes[row, neuron])
    moved = LastLayer(last.inputs + np.eye(5)[1] * 1e-5, last.weights, last.bias, 3)
    assert np.isclose((moved.loss - last.loss) / 1e-5, last.input_slopes[1], atol=1e-4)
    assert np.isclose(last.score_slopes.sum(), 0) and last.score_slopes[3] < 0


def test_small_steps_go_down_and_too_long_ones_do_not(last):
    row, neuron = 0, 7
    start = last.weights[row, neuron] + 3 * np.sign(last.weight_slopes[row, neuron])
    small = last.loss_with(row, neuron, last.descend(row, neuron, start, 0.1, 20))
    assert (np.diff(small) < 0).all()
    one_step = last.descend(row, neuron, start, 2.0, 1)
    assert np.isclose(one_step[1], start - 2.0 * last.slope_with(row, neuron, start))
