"""How weights follow the gradient: a spec's optimiser, loss, learning rate and running averages of
weights, made of Keras's parts.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from numpy.typing import NDArray

from core.labels import CLASSES
from core.specs.spec import TrainSpec

AVERAGE_MOMENTUM = 0.995  # of the running average of weights, per step


def compile_network(network: keras.Model, spec: TrainSpec, steps_per_epoch: int) -> None:
    """Give a network the optimiser, loss and metrics of a spec.

    Args:
        network: from `architectures.build(spec, to_train=True)`.
        steps_per_epoch: batches per epoch, which schedules count in.
    """
    rate = _schedule(spec, steps_per_epoch * spec.epochs)
    common = {"use_ema": spec.average_weights, "ema_momentum": AVERAGE_MOMENTUM}
    optimizer = {
        "adam": lambda: keras.optimizers.Adam(rate, beta_2=spec.beta_2, **common),
        "adamw": lambda: keras.optimizers.AdamW(
            rate, weight_decay=spec.weight_decay, beta_2=spec.beta_2, **common
        ),
        "sgd": lambda: keras.optimizers.SGD(
            rate, momentum=spec.momentum, weight_decay=spec.weight_decay or None, **common
        ),
        "rmsprop": lambda: keras.optimizers.RMSprop(rate, **common),
    }[spec.optimizer]()
    if spec.optimizer == "adamw":
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    metrics: list[str | keras.metrics.Metric] = ["accuracy"]
    # With any of these the loss is not the cross-entropy that epochs are judged by.
    if spec.label_smoothing or spec.l1 or spec.l2:
        metrics.append(keras.metrics.CategoricalCrossentropy(name="cross_entropy"))
    network.compile(
        optimizer,
        keras.losses.CategoricalCrossentropy(label_smoothing=spec.label_smoothing),
        metrics=metrics,
        jit_compile=False,
    )
    _build_state(network)


def _build_state(network: keras.Model) -> None:
    """Make the variables of optimiser and metrics now: TensorFlow traces a step in which some are
    made a second time, which takes seconds before the first batch.
    """
    network.optimizer.build(network.trainable_variables)
    even = keras.ops.full((1, CLASSES), 1 / CLASSES)
    network.compute_metrics(None, even, even)
    network.reset_metrics()


@keras.saving.register_keras_serializable("atelier")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up in a straight line for a share of the steps, then down in a straight line to zero.

    Source: Smith and Topin, Super-convergence, arXiv 1708.07120, without its last phase.
    """

    def __init__(self, peak: float, steps: int, warm_up: float) -> None:
        self.peak, self.steps, self.warm_up = peak, steps, warm_up

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step counted from 0; both are tensors of the backend."""
        step = keras.ops.cast(step, "float32") + 1.0
        rise = max(1.0, self.warm_up * self.steps)
        down = keras.ops.maximum(0.0, (self.steps + 1 - step) / max(1.0, self.steps - rise))
        return self.peak * keras.ops.minimum(step / rise, down)

    def get_config(self) -> dict[str, float]:
        """The arguments of `__init__`, for Keras's files."""
        return {"peak": self.peak, "steps": self.steps, "warm_up": self.warm_up}


def _schedule(
    spec: TrainSpec, steps: int
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    if spec.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(spec.learning_rate, steps)
    if spec.schedule == "one_cycle":
        return OneCycle(spec.learning_rate, steps, spec.warm_up)
    return spec.learning_rate


def rates(network: keras.Model, steps_back: NDArray[np.int64]) -> NDArray[np.float64]:
    """The learning rates with which a compiled network took steps, 0 for its last one.

    Args:
        steps_back: int `(n,)`, how many steps ago.
    """
    # Keras has no public way to the schedule; its property evaluates it at the next step only.
    rate = network.optimizer._learning_rate
    if not isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        return np.full(len(steps_back), float(network.optimizer.learning_rate))
    taken = int(network.optimizer.iterations) - 1 - steps_back
    at = keras.ops.convert_to_tensor(np.maximum(taken, 0).astype(np.float32))
    return np.asarray(keras.ops.convert_to_numpy(rate(at)), np.float64)


class Averaged:
    """While open, the network's weights are their running averages, if the spec asks for that."""

    def __init__(self, network: keras.Model, spec: TrainSpec) -> None:
        self._pairs: list[tuple[keras.Variable, keras.Variable]] = []
        self._last: list[NDArray[np.floating]] = []
        if spec.average_weights:
            averages = network.optimizer._model_variables_moving_average
            self._pairs = list(zip(network.trainable_variables, averages, strict=True))

    def __enter__(self) -> None:
        self._last = [keras.ops.convert_to_numpy(variable) for variable, _ in self._pairs]
        for variable, average in self._pairs:
            variable.assign(average)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for (variable, _), value in zip(self._pairs, self._last, strict=True):
            variable.assign(value)
