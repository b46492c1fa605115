"""How weights follow the gradient: optimiser, learning rate and running averages of a spec, as
Keras has them.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras

from core.specs.spec import TrainSpec

AVERAGE_MOMENTUM = 0.995  # of the running average of weights, per step


def compile_network(network: keras.Model, spec: TrainSpec, steps_per_epoch: int) -> None:
    """Give a network the optimiser, loss and metrics of a spec.

    Args:
        network: what `architectures.build(spec, to_train=True)` returned.
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
    metrics = ["accuracy"]
    # Then the loss is not the cross-entropy that validation is judged by.
    if spec.label_smoothing or spec.l1 or spec.l2:
        metrics.append(keras.metrics.CategoricalCrossentropy(name="cross_entropy"))
    network.compile(
        optimizer,
        keras.losses.CategoricalCrossentropy(label_smoothing=spec.label_smoothing),
        metrics=metrics,
        jit_compile=False,
    )


@keras.saving.register_keras_serializable("atelier")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up in a straight line for a share of the steps, then down in a straight line to zero.

    Source: Smith and Topin, Super-convergence, arXiv 1708.07120, without its last phase.
    """

    def __init__(self, peak: float, steps: int, warm_up: float):
        self.peak, self.steps, self.warm_up = peak, steps, warm_up

    def __call__(self, step):
        step = keras.ops.cast(step, "float32") + 1.0
        rise = max(1.0, self.warm_up * self.steps)
        down = keras.ops.maximum(0.0, (self.steps + 1 - step) / max(1.0, self.steps - rise))
        return self.peak * keras.ops.minimum(step / rise, down)

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps, "warm_up": self.warm_up}


def _schedule(spec: TrainSpec, steps: int):
    if spec.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(spec.learning_rate, steps)
    if spec.schedule == "one_cycle":
        return OneCycle(spec.learning_rate, steps, spec.warm_up)
    return spec.learning_rate


class averaged:
    """While open, the network's weights are their running averages, if the spec asks for that."""

    def __init__(self, network: keras.Model, spec: TrainSpec):
        self.pairs = ()
        if spec.average_weights:
            self.pairs = tuple(
                zip(
                    network.trainable_variables,
                    network.optimizer._model_variables_moving_average,
                    strict=True,
                )
            )

    def __enter__(self):
        self.last = [keras.ops.convert_to_numpy(variable) for variable, _ in self.pairs]
        for variable, average in self.pairs:
            variable.assign(average)

    def __exit__(self, *error):
        for (variable, _), value in zip(self.pairs, self.last, strict=True):
            variable.assign(value)
