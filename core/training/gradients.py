"""Back-propagation against central differences, on Keras: what `gradient_check` asks for,
calculated on the engine.

One idea: the gradient is read from what training really does. A step of gradient descent with a
learning rate of 1 takes the gradient itself away from the weights, so `before - after` is it, on
every backend of Keras and through the very code that trains. Everything is float64, so that the
difference of two nearly equal losses still has digits to show: in float32 it would be rounding.

It does not judge; `gradient_check` does.
"""

from __future__ import annotations

import keras
import numpy as np

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

    The network has fresh weights. What would give every forward pass another loss is left out,
    dropout and augmentation, and so are penalties. Batch normalisation takes its means from the ten
    pictures, as in training.

    Args:
        epsilon: how far a weight is moved to both sides, at first.
        weights: how many of each array of weights are checked, drawn at random; all where there are
            no more.
        seed: of the fresh weights and the draw.

    Raises:
        DataUnavailable, DataDamaged: if the spec's data are not to be had.
    """
    data = fashion_mnist.load(spec.data, download=True)
    chosen = [int(np.flatnonzero(data.train_labels == label)[0]) for label in range(CLASSES)]
    keras.utils.set_random_seed(seed)
    network = architectures.build(gradient_check.still(spec), dtype="float64")
    _off_the_kinks(network, seed)
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
    pixels: np.ndarray,
    labels: np.ndarray,
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
    learning = _AsInTraining(network)
    learning.compile(
        keras.optimizers.SGD(1.0),
        keras.losses.CategoricalCrossentropy(dtype="float64"),
        jit_compile=False,
    )

    def loss() -> float:
        probabilities = learning.predict_on_batch(pictures)
        return float(-np.log(probabilities[np.arange(len(labels)), labels]).mean())

    gradients = _backpropagated(learning, pictures, np.eye(CLASSES)[labels])
    random, level = np.random.default_rng(seed), loss()
    checks = []
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        places = np.sort(
            random.choice(gradient.size, size=min(weights, gradient.size), replace=False)
        )
        slopes = gradient.ravel()[places]
        found = [
            gradient_check.settle(slope, _difference_at(variable, place, loss), epsilon, level)
            for place, slope in zip(places, slopes, strict=True)
        ]
        checks.append(
            TensorCheck(
                variable.path,
                tuple(variable.shape),
                tuple(places.tolist()),
                tuple(slopes.tolist()),
                *zip(*found, strict=True),
            )
        )
    return level, tuple(checks)


def _off_the_kinks(network: keras.Model, seed: int) -> None:
    """Draw those weights that begin as zeros.

    With a bias of 0 the black background is exactly 0 before a ReLU, where the function has its
    kink and no slope.
    """
    random = np.random.default_rng(seed)
    for variable in network.trainable_variables:
        if not np.any(keras.ops.convert_to_numpy(variable)):
            variable.assign(random.normal(0.0, BIAS_DEVIATION, variable.shape))


class _AsInTraining(keras.Model):
    """A network that behaves as in training (batch normalisation), also where Keras only predicts."""

    def __init__(self, network: keras.Model):
        super().__init__(name="as_in_training", dtype="float64")
        self.network = network

    def call(self, pictures):
        return self.network(pictures, training=True)


def _backpropagated(
    learning: keras.Model, pictures: np.ndarray, targets: np.ndarray
) -> list[np.ndarray]:
    """The gradient of the mean cross-entropy with respect to every array of weights."""
    before = [
        keras.ops.convert_to_numpy(variable).copy() for variable in learning.trainable_variables
    ]
    learning.train_on_batch(pictures, targets)
    after = [
        keras.ops.convert_to_numpy(variable).copy() for variable in learning.trainable_variables
    ]
    for variable, old in zip(learning.trainable_variables, before, strict=True):
        variable.assign(old)
    return [old - new for old, new in zip(before, after, strict=True)]


def _difference_at(variable, place: int, loss):
    """From a step to the central difference `(E(w + step) - E(w - step)) / 2 step` of one weight of
    an array.
    """
    kept = keras.ops.convert_to_numpy(variable).copy()

    def moved(distance: float) -> float:
        # A new one each time: a backend may go on using the array that it was given.
        values = kept.copy()
        values.reshape(-1)[place] += distance
        variable.assign(values)
        return loss()

    def difference(step: float) -> float:
        found = (moved(step) - moved(-step)) / (2 * step)
        variable.assign(kept)
        return found

    return difference
