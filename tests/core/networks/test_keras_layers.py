"""Layers that train faster compute what Keras's own do: values, gradients and what they keep."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="module")
def steps():
    """A training step of both layers on the same batch: values, gradients, averages and answers."""
    import keras
    import tensorflow as tf

    from core.networks import keras_layers

    draw = np.random.default_rng(0)
    x, weight = (draw.normal(2, 3, (6, 5, 4, 3)).astype(np.float32) for _ in range(2))
    measured = []
    for kind in (keras.layers.BatchNormalization, keras_layers.BatchNormalization):
        layer = kind(momentum=0.9)
        layer.build(x.shape)
        layer.set_weights(
            [np.array([1.5, 0.5, 2.0]), np.array([0.1, -1.0, 2.0]), np.ones(3), np.ones(3)]
        )
        inputs = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            values = layer(inputs, training=True)
            loss = tf.reduce_sum(values * weight)
        gradients = tape.gradient(loss, [inputs, layer.gamma.value, layer.beta.value])
        measured.append(
            [
                values.numpy(),
                *(gradient.numpy() for gradient in gradients),
                *layer.get_weights(),
                layer(inputs, training=False).numpy(),
            ]
        )
    return measured


@pytest.mark.parametrize(
    ("position", "what"),
    list(
        enumerate(
            [
                "values",
                "input gradient",
                "scale gradient",
                "offset gradient",
                "scale",
                "offset",
                "mean",
                "variance",
                "answers",
            ]
        )
    ),
)
def test_fused_normalisation_does_what_keras_does(steps, position, what):
    theirs, ours = (side[position] for side in steps)
    assert np.abs(theirs).max() > 0
    np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-4, err_msg=what)


def test_precision_chooses_what_convolutions_calculate_with(monkeypatch):
    from core.networks import keras_layers

    assert (
        keras_layers.convolution_dtype("float32") == "float32"
        and keras_layers.convolution_dtype("bfloat16") == "mixed_bfloat16"
    )
    for able, dtype in ((True, "mixed_bfloat16"), (False, "float32")):
        monkeypatch.setattr(keras_layers, "_calculates_bfloat16", lambda able=able: able)
        assert keras_layers.convolution_dtype("auto") == dtype
