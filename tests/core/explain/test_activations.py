"""The maps of every layer are those that Keras computes; and a run whose two files differ is
refused.
"""

from __future__ import annotations

import numpy as np
import pytest

from core import inference, runs
from core.errors import RunDamaged
from core.explain import activations
from core.networks import architectures
from core.runs import weights
from core.specs.presets import preset
from core.specs.spec import TrainSpec
from tests.fixtures import finished_run

SMALL = TrainSpec(
    name="small", filters=(3, 4), dense_units=(6,), padding=("valid", "same"), block_dropout=(0.2,)
)
PICTURE = np.random.default_rng(5).integers(0, 256, (28, 28)).astype(np.uint8)


def keras_twin(spec: TrainSpec, path) -> tuple[bytes, dict[str, np.ndarray]]:
    """A network of this spec with random weights: its saved file, and the outputs that Keras
    computes for PICTURE.
    """
    import keras

    model = architectures.build(spec)
    draw = np.random.default_rng(1)
    for variable in model.weights:  # normalisations too: fresh ones hardly change anything
        values = draw.normal(0, 0.3, variable.shape)
        variable.assign(np.abs(values) + 0.1 if "variance" in variable.path else values)
    model.save(path)
    layers = [layer for layer in model.layers if layer.name != "picture"]
    every = keras.Model(model.input, [layer.output for layer in layers])
    values = every(PICTURE[None, ..., None].astype(np.float32), training=False)
    return path.read_bytes(), {
        layer.name: np.asarray(value)[0] for layer, value in zip(layers, values, strict=True)
    }


@pytest.mark.parametrize(
    "spec",
    [
        preset("swift").spec,
        preset("lab3-cnn").spec,
        preset("champion").spec.replace(filters=(4, 8), precision="float32"),
        SMALL.replace(filters=(), padding=("same",), activation="tanh"),
        *(SMALL.replace(activation=kind) for kind in ("elu", "gelu", "silu", "sigmoid", "linear")),
    ],
    ids=[
        "swift",
        "lab3-cnn",
        "resnet",
        "no convolution",
        "elu",
        "gelu",
        "silu",
        "sigmoid",
        "linear",
    ],
)
def test_every_layer_shows_what_keras_computes(spec, tmp_path):
    saved, expected = keras_twin(spec, tmp_path / "model.keras")
    maps = activations.Inside(spec, weights.parse(saved, "twin")).maps(PICTURE)
    assert list(maps) == [layer.name for layer in architectures.blueprint(spec)]
    for name, values in expected.items():
        assert maps[name].shape == values.shape, name
        np.testing.assert_allclose(
            maps[name], values, rtol=1e-3, atol=2e-4 * max(1, np.abs(values).max()), err_msg=name
        )


def test_the_shipped_network_is_rebuilt_to_the_last_digit():
    network = inference.load(runs.SHIPPED)
    inside = activations.load(runs.SHIPPED, network)
    assert activations.difference(inside, network) < 1e-5
    maps, answer = inside.maps(PICTURE), network.answer(PICTURE[None])
    np.testing.assert_allclose(
        maps[architectures.embedding_name(inside.layers)], answer.embedding[0], rtol=1e-3, atol=1e-4
    )
    np.testing.assert_allclose(
        maps[architectures.features_name(inside.layers)], answer.features[0], rtol=1e-3, atol=1e-4
    )
    assert np.array_equal(maps["picture"][..., 0], PICTURE)


def test_the_first_filters_are_those_of_the_file():
    inside = activations.load(runs.SHIPPED, inference.load(runs.SHIPPED))
    name, kernel = inside.first_filters()
    assert name == "conv_1" and kernel.shape == (3, 3, 1, 16)
    # by hand, at one position in the middle: the sum of the nine products
    values = inside.maps(PICTURE)["rescaling_1"][9:12, 4:7, 0]
    assert np.isclose(
        (values * kernel[:, :, 0, 7]).sum(), inside.maps(PICTURE)["conv_1"][10, 5, 7], atol=1e-5
    )


def test_a_network_without_convolution_shows_its_first_neurons_as_pictures(tmp_path):
    spec = SMALL.replace(filters=(), padding=("same",))
    saved, _ = keras_twin(spec, tmp_path / "model.keras")
    arrays = weights.parse(saved, "twin")
    name, kernel = activations.Inside(spec, arrays).first_filters()
    assert kernel.shape == (28, 28, 1, 6)
    assert kernel[3, 4, 0, 2] == arrays[name][0][3 * 28 + 4, 2]


@pytest.mark.parametrize(
    ("saved", "says"),
    [
        (None, "has no model.keras"),
        (b"PK not a zip", "cannot be read"),
        ("twin", "do not fit its layers"),
        ("other", "differently"),
    ],
)
def test_weights_that_cannot_be_trusted_are_refused_in_a_sentence(saved, says, tmp_path):
    if isinstance(saved, str):
        saved, _ = keras_twin(
            SMALL if saved == "other" else SMALL.replace(filters=(5, 4)), tmp_path / "model.keras"
        )
    run_id = finished_run(SMALL, files={"model.keras": saved} if saved is not None else {})
    with pytest.raises(RunDamaged, match=says):
        activations.load(run_id, inference.load(run_id))
