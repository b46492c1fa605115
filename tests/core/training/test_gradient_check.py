"""The gradient check: what agrees, what does not, and that no wrong gradient passes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core import engine
from core.cli.parser import main
from core.data import fashion_mnist
from core.errors import AtelierError, InvalidSpec
from core.specs.presets import PRESETS
from core.specs.spec import TrainSpec
from core.training import gradient_check
from core.training.gradient_check import agree, relative_error, settle

SMOOTH = TrainSpec(
    name="smooth", data="offline-sample", filters=(), dense_units=(6,), activation="tanh"
)
KINKED = TrainSpec(
    name="kinked",
    data="offline-sample",
    filters=(3, 4),
    padding=("valid", "same"),
    batch_norm=True,
    dense_units=(5,),
    dropout=(0.5,),
    l2=0.01,
    flip=True,
)


def test_relative_errors_of_a_hand_calculated_pair():
    assert relative_error([1.0, -2.0, 0.0, 1.0], [1.0, 2.0, 0.0, 3.0]).tolist() == [
        0.0,
        1.0,
        0.0,
        0.5,
    ]


def test_a_difference_within_the_rounding_of_the_loss_does_not_count():
    assert agree(0.0, 1e-12, step=1e-3, loss=2.0)
    assert not agree(0.0, 1e-6, step=1e-3, loss=2.0)


def test_a_curve_settles_at_a_smaller_step_and_a_wrong_slope_never_does():
    def cubic(step):
        return ((1 + step) ** 3 - (1 - step) ** 3) / (2 * step)  # 3 + step squared

    first, settled, step, agrees = settle(3.0, cubic, 0.1, loss=1.0)
    assert (
        (first, agrees) == (pytest.approx(3.01), True)
        and step == pytest.approx(0.01)
        and settled == pytest.approx(3.0001)
    )
    assert settle(3.1, cubic, 0.1, loss=1.0).agrees is False


def test_a_smaller_step_steps_past_a_kink_between_the_two_points():
    def ramp(step):  # max(0, w) at w = 0.004
        return (max(0.0, 0.004 + step) - max(0.0, 0.004 - step)) / (2 * step)

    first, settled, step, agrees = settle(1.0, ramp, 0.01, loss=1.0)
    assert (
        first == pytest.approx(0.7)
        and agrees
        and settled == pytest.approx(1.0)
        and step == pytest.approx(0.001)
    )


@pytest.fixture(scope="module")
def gradients():
    """The module that calculates; importing it imports TensorFlow."""
    from core.training import gradients

    return gradients


def test_a_smooth_network_agrees_with_the_step_of_the_report(gradients):
    check = gradients.check(SMOOTH, epsilon=1e-2, weights=40, seed=0)
    assert check.checked == 40 + 6 + 40 + 10 and check.wrong == 0
    assert check.at_once >= 0.9 * check.checked
    assert [tensor.shape for tensor in check.tensors] == [(784, 6), (6,), (6, 10), (10,)]
    assert (
        max(tensor.settled_errors.max() for tensor in check.tensors if tensor.name.endswith("bias"))
        < 1e-4
    )
    assert "is right" in check.sentence()


def test_a_network_with_kinks_and_normalisation_agrees_with_smaller_steps(gradients):
    check = gradients.check(KINKED, epsilon=1e-2, weights=8, seed=0)
    assert check.wrong == 0 and check.at_once < check.checked
    assert "smaller" in check.sentence()


def test_the_network_is_left_as_it_was(gradients):
    from core.networks import architectures

    network = architectures.build(SMOOTH, dtype="float64")
    before = network.get_weights()
    data = fashion_mnist.load("offline-sample")
    gradients.check_network(
        network, data.train_pixels[:4], data.train_labels[:4], epsilon=1e-3, weights=2, seed=0
    )
    assert all(
        np.array_equal(old, new) for old, new in zip(before, network.get_weights(), strict=True)
    )


def test_a_wrong_gradient_is_found_in_the_layers_behind_which_it_is_wrong(gradients):
    import keras

    class WrongTanh(keras.layers.Layer):
        """tanh whose gradient is taken for half of what it is."""

        def call(self, values):
            answer = keras.ops.tanh(values)
            return answer / 2 + keras.ops.stop_gradient(answer) / 2

    picture = keras.Input((28, 28, 1), dtype="float64")
    values = keras.layers.Flatten(dtype="float64")(
        keras.layers.Rescaling(1 / 255, dtype="float64")(picture)
    )
    values = WrongTanh(dtype="float64")(
        keras.layers.Dense(5, name="hidden", dtype="float64")(values)
    )
    network = keras.Model(
        picture, keras.layers.Dense(10, "softmax", name="scores", dtype="float64")(values)
    )
    data = fashion_mnist.load("offline-sample")
    chosen = [int(np.flatnonzero(data.train_labels == label)[0]) for label in range(10)]
    loss, tensors = gradients.check_network(
        network,
        data.train_pixels[chosen],
        data.train_labels[chosen],
        epsilon=1e-2,
        weights=5,
        seed=0,
    )
    wrong = {tensor.name: tensor.agrees.count(False) for tensor in tensors}
    assert wrong["hidden/bias"] == 5 and wrong["scores/kernel"] == wrong["scores/bias"] == 0
    assert next(
        tensor for tensor in tensors if tensor.name == "hidden/bias"
    ).settled_errors == pytest.approx([1 / 3] * 5, abs=1e-3)
    check = gradient_check.GradientCheck("wrong", data.name, 1e-2, loss, tensors)
    assert "The gradient is wrong" in check.sentence()


def test_what_makes_no_sense_is_refused_before_the_engine_is_asked():
    with pytest.raises(InvalidSpec, match=r"0\.01"):
        gradient_check.validate(SMOOTH, epsilon=0.0, weights=10)
    with pytest.raises(InvalidSpec, match="At least one"):
        gradient_check.validate(SMOOTH, epsilon=0.01, weights=0)


def test_the_command_asks_the_engine_and_prints_every_array_of_weights(
    monkeypatch, capsys, tmp_path
):
    monkeypatch.setitem(
        PRESETS,
        "smooth",
        PRESETS["project-mlp"].__class__("smooth", "Smooth", "A small one.", SMOOTH),
    )
    try:
        assert main(["gradient-check", "smooth", "--weights", "3", "--json"]) == 0
        printed = json.loads(capsys.readouterr().out)
        assert (printed["checked"], printed["wrong"], printed["data"]) == (12, 0, "offline-sample")
        assert main(["gradient-check", "smooth", "--weights", "1"]) == 0
        printed = capsys.readouterr().out
        assert (
            "dense_1/kernel" in printed
            and "784 x 6" in printed
            and "Back-propagation is right" in printed
        )
        damaged = tmp_path / "damaged"
        damaged.mkdir()
        for name in (
            "train-images-idx3",
            "train-labels-idx1",
            "t10k-images-idx3",
            "t10k-labels-idx1",
        ):
            (damaged / f"{name}-ubyte.gz").write_bytes(b"not a picture")
        monkeypatch.setenv("ATELIER_DATA", str(damaged))
        # The worker's sentence arrives as it is.
        with pytest.raises(AtelierError, match="train-images"):
            engine.connect(start=False).check_gradient(
                SMOOTH.replace(data="fashion-mnist"), weights=1
            ).result()
    finally:
        engine.end_own()
