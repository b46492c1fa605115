"""Back-propagation against central differences, on Keras: calculates on the engine what
`core.training.gradient_check` asks for and judges.

The gradient is read from what training really does. A step of gradient descent with a learning rate
of 1 subtracts the gradient itself from the weights, so it is `before - after`, on every backend of
Keras and through the very code that trains. Everything is float64, so that the difference of two
nearly equal losses still has digits to show: in float32 it would be rounding.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from numpy.typing import NDArray

from core.data import fashion_mnist
from core.labels import CLASSES
from core.networks import architectures
from core.specs.spec import TrainSpec
from core.training import gradient_check
from core.training.gradient_check import GradientCheck, TensorCheck

BIAS_DEVIATION = 0.1


def check(spec: TrainSpec, *, epsilon: float, weights: int, seed: int) -> GradientCheck:
    """Check the gradient of a spec's network on ten pictures, the first of each class of its
    training pictures.

    The network has random weights. Dropout and augmentation, which would give every forward pass
    another loss, are left out, and so are penalties. Batch normalisation takes its means from the
    ten pictures, as in training.

    Args:
        epsilon: how far a weight is first moved, in both directions.
        weights: how many of each array of weights are checked, drawn at random; all if there are no
            more than that.
        seed: of the random weights and the draw.

    Raises:
        DataUnavailable, DataDamaged: if the spec's data are not available.
    """
    data = fashion_mnist.load(spec.data, download=True)
    chosen = [int(np.flatnonzero(data.train_labels == label)[0]) for label in range(CLASSES)]
    keras.utils.set_random_seed(seed)
    network = architectures.build(gradient_check.deterministic(spec), dtype="float64")
    _move_off_the_kinks(network, seed)
    loss, tensors = check_network(
        network,
        data.train_pixels[chosen],
        data.train_labels[chosen],
        epsilon=epsilon,
        weights=weights,
        seed=seed,
    )
    return GradientCheck(spec.name, data.name, epsilon, loss, tensors)


def check_network(
    network: keras.Model,
    pixels: NDArray[np.uint8],
    labels: NDArray[np.integer],
    *,
    epsilon: float,
    weights: int,
    seed: int,
) -> tuple[float, tuple[TensorCheck, ...]]:
    """The same for any float64 network from grey values `(n, 28, 28, 1)` to probabilities `(n,
    10)`.

    Returns:
        the loss, and a check of every array of weights; the weights are left as they were.
    """
    pictures = pixels[..., None].astype(np.float64)
    training = _AsInTraining(network)
    training.compile(
        keras.optimizers.SGD(1.0),
        keras.losses.CategoricalCrossentropy(dtype="float64"),
        jit_compile=False,
    )

    def loss() -> float:
        probabilities = training.predict_on_batch(pictures)
        return float(-np.log(probabilities[np.arange(len(labels)), labels]).mean())

    gradients = _backpropagate(training, pictures, np.eye(CLASSES)[labels])
    rng, level = np.random.default_rng(seed), loss()
    checks = []
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        count = min(weights, gradient.size)
        positions = np.sort(rng.choice(gradient.size, size=count, replace=False))
        slopes = gradient.ravel()[positions]
        comparisons = [
            gradient_check.settle(slope, _difference_at(variable, position, loss), epsilon, level)
            for position, slope in zip(positions, slopes, strict=True)
        ]
        checks.append(
            TensorCheck(
                name=variable.path,
                shape=tuple(variable.shape),
                positions=tuple(positions.tolist()),
                backpropagated=tuple(slopes.tolist()),
                differences=tuple(comparison.difference for comparison in comparisons),
                settled=tuple(comparison.settled for comparison in comparisons),
                steps=tuple(comparison.step for comparison in comparisons),
                agrees=tuple(comparison.agrees for comparison in comparisons),
            )
        )
    return level, tuple(checks)


def _move_off_the_kinks(network: keras.Model, seed: int) -> None:
    """Draw those weights that begin at zero.

    With a bias of 0 the black background is exactly 0 before a ReLU, where the function has its
    kink and no slope.
    """
    rng = np.random.default_rng(seed)
    for variable in network.trainable_variables:
        if not np.any(keras.ops.convert_to_numpy(variable)):
            variable.assign(rng.normal(0.0, BIAS_DEVIATION, variable.shape))


class _AsInTraining(keras.Model):
    """A network that behaves as in training (batch normalisation) even where Keras predicts."""

    def __init__(self, network: keras.Model) -> None:
        super().__init__(name="as_in_training", dtype="float64")
        self.network = network

    def call(self, pictures: Any) -> Any:
        """From a tensor of the backend to another."""
        return self.network(pictures, training=True)


def _backpropagate(
    training: keras.Model, pictures: NDArray[np.float64], targets: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """The gradient of the mean cross-entropy with respect to every array of weights."""
    before = _copies(training)
    training.train_on_batch(pictures, targets)
    after = _copies(training)
    for variable, old in zip(training.trainable_variables, before, strict=True):
        variable.assign(old)
    return [old - new for old, new in zip(before, after, strict=True)]


def _copies(network: keras.Model) -> list[NDArray[np.float64]]:
    return [keras.ops.convert_to_numpy(variable).copy() for variable in network.trainable_variables]


def _difference_at(
    variable: keras.Variable, position: int, loss: Callable[[], float]
) -> Callable[[float], float]:
    """From a step to the central difference `(E(w + step) - E(w - step)) / 2 step` of one weight of
    an array.
    """
    original = keras.ops.convert_to_numpy(variable).copy()

    def loss_at(distance: float) -> float:
        # A new array each time: a backend may keep using the one that it was given.
        values = original.copy()
        values.reshape(-1)[position] += distance
        variable.assign(values)
        return loss()

    def difference(step: float) -> float:
        slope = (loss_at(step) - loss_at(-step)) / (2 * step)
        variable.assign(original)
        return slope

    return difference
