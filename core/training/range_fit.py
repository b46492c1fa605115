"""The learning-rate range test, on Keras: trains the batches that `core.training.range_test` asks
for, on the engine. Nothing of it is kept but the losses.
"""

from __future__ import annotations

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras

from core.data import fashion_mnist
from core.networks import architectures, backbones
from core.specs.spec import TrainSpec
from core.training import initial_weights, optimiser, range_test, training_set
from core.training.batches import Batches
from core.training.range_test import RangeTest


def test_rates(spec: TrainSpec) -> RangeTest:
    """Train a spec's network on one batch at each rate, from its initial weights.

    Of a pretrained network only those layers learn that learn in its first epoch.

    Raises:
        DataUnavailable, DataDamaged, WeightsUnavailable, InvalidSpec: if there is nothing to train.
    """
    began = time.monotonic()
    spec = range_test.question(spec)
    keras.utils.set_random_seed(spec.seed)
    data = fashion_mnist.load(spec.data, download=True)
    pictures = training_set.choose(data, spec, lambda words: None)
    network = architectures.build(spec, to_train=True)
    initial_weights.apply(network, spec)
    architectures.freeze(network, spec, backbones.stage_of(spec, 1).frozen)
    optimiser.compile_network(network, spec, spec.steps(len(pictures.pixels)))
    batches = Batches(pictures.pixels, pictures.targets, spec)
    losses: list[float] = []
    rates = range_test.rates()
    try:
        for number, rate in enumerate(rates):
            network.optimizer.learning_rate = rate
            network.reset_metrics()
            values = network.train_on_batch(*batches[number % len(batches)], return_dict=True)
            losses.append(float(values.get("cross_entropy", values["loss"])))
            if range_test.is_over(losses):
                break
    finally:
        batches.release()
    return range_test.judge(rates[: len(losses)], losses, time.monotonic() - began)
