"""The arithmetic of the blueprint against Keras itself."""

from __future__ import annotations

import pytest

from core.errors import InvalidSpec
from core.networks.architectures import (
    blueprint,
    build,
    embedding_name,
    features_name,
    multiply_adds,
    parameters,
)
from core.specs.presets import PRESETS
from core.specs.spec import TrainSpec

SPECS = {
    **{name: preset.spec for name, preset in PRESETS.items()},
    "multi-layer": TrainSpec(filters=(), dense_units=(50, 50), activation="tanh"),
    "valid": TrainSpec(filters=(28, 56), padding=("valid",), pool=(True, False), dense_units=(56,)),
    "mixed": TrainSpec(
        filters=(8, 16, 8),
        padding=("valid", "same", "same"),
        pool=(True, True, False),
        kernel=5,
        batch_norm=True,
        block_dropout=(0.1, 0.0, 0.2),
        dense_units=(20, 30),
        dropout=(0.25, 0.5),
    ),
    "deep": TrainSpec(
        architecture="resnet", filters=(8, 16), blocks=2, batch_norm=True, dense_units=(12,)
    ),
}


@pytest.mark.parametrize("name", SPECS)
def test_the_blueprint_says_what_keras_builds(name):
    layers, model = blueprint(SPECS[name]), build(SPECS[name])
    assert model.count_params() == parameters(SPECS[name])
    assert {layer.name: layer.output_shape for layer in layers} == {
        layer.name: tuple(layer.output.shape[1:]) for layer in model.layers
    }
    assert {layer.name: layer.parameters for layer in layers} == {
        layer.name: layer.count_params() for layer in model.layers
    }


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("lab3-cnn", 356_234),
        ("project-cnn-1", 693_962),
        ("project-cnn-2", 381_066),
        ("project-cnn-3", 576_330),
        ("project-mlp", 42_310),
        ("assignment6-cnn", 356_234),
        ("lab-sgd-cnn", 87_034),
        ("lab-sgd-best", 2_774_858),
        ("lab-sgd-same", 3_217_226),
        ("lab-sgd-same64", 6_428_810),
        ("notebook-cnn", 394_530),
    ],
)
def test_a_published_network_has_the_number_of_parameters_of_its_report(name, count):
    assert parameters(PRESETS[name].spec) == count


def test_pooling_can_drop_the_edge_behind_a_convolution_that_keeps_the_size():
    def sides(spec):
        return [layer.output_shape[0] for layer in blueprint(spec) if layer.kind == "MaxPooling2D"]

    spec = TrainSpec(filters=(8, 8), padding=("valid", "same"))
    assert sides(spec) == [13, 7]
    assert sides(spec.replace(pool_padding="valid")) == [13, 6]
    assert sides(spec.replace(padding=("valid",), pool_padding="same")) == [13, 6]
    assert sides(TrainSpec(filters=(8, 8, 8), padding=("same",), pool_padding="valid")) == [
        14,
        7,
        3,
    ]


def test_standard_normal_weights_have_a_deviation_of_one_in_every_layer():
    layers = [layer for layer in build(PRESETS["project-mlp"].spec).layers if layer.weights]
    for layer in layers:
        kernel, bias = layer.get_weights()
        assert abs(kernel.std() - 1) < 0.1 and abs(kernel.mean()) < 0.1 and not bias.any()
    assert [layer.get_weights()[0].shape for layer in layers] == [(784, 50), (50, 50), (50, 10)]


def test_multiply_adds_of_a_hand_counted_network():
    spec = TrainSpec(filters=(4,), padding=("valid",), pool=(True,), dense_units=())
    assert multiply_adds(spec) == 26 * 26 * 9 * 4 + 13 * 13 * 4 * 10


def test_embedding_and_features_are_where_a_reader_looks_for_them():
    layers = blueprint(PRESETS["champion"].spec)
    assert embedding_name(layers) == "average"
    assert (
        len(next(layer for layer in layers if layer.name == features_name(layers)).output_shape)
        == 3
    )


def test_a_picture_that_shrinks_away_is_refused_with_a_remedy():
    with pytest.raises(InvalidSpec, match="Use padding 'same'"):
        blueprint(TrainSpec(filters=(8,) * 5, padding=("valid",)))


def test_a_network_too_large_to_train_is_refused():
    with pytest.raises(InvalidSpec, match="30,000,000"):
        blueprint(TrainSpec(filters=(1024,), pool=(False,), dense_units=(4096,)))


def test_every_layer_says_its_settings():
    details = {
        layer.kind: layer.detail
        for layer in blueprint(PRESETS["swift"].spec.replace(block_dropout=(0.1,)))
    }
    assert (
        details["Conv2D"] == "128 filters 3 × 3, same"
        and details["Dropout"] == "10% off while training"
    )


def test_first_weights_follow_the_seed_whatever_else_draws_at_random():
    import random

    spec = PRESETS["lab3-cnn"].spec
    weights = []
    for seed in (1, 1, 2):
        random.random()  # as another thread of a worker might
        weights.append(build(spec.replace(seed=seed)).get_weights())
    assert all((a == b).all() for a, b in zip(weights[0], weights[1], strict=True))
    assert (
        not (weights[0][0] == weights[2][0]).all()
        and not (weights[0][0].ravel()[:50] == weights[0][2].ravel()[:50]).all()
    )
