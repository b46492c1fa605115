"""The same training on Keras's other backends: the same loss from the same weights, and one epoch
to a finished run.

Each backend has a process of its own, since Keras chooses one for its life. Where PyTorch or JAX is
not installed, its tests say so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from core.settings import ROOT

LOSS = """
import json, numpy as np
from core.data import fashion_mnist
from core.networks import architectures
from core.specs.presets import preset
from core.training import optimiser, trainer
spec = preset("champion").spec.replace(data="offline-sample", filters=(8, 16), precision="float32", average_weights=False)
data = fashion_mnist.load("offline-sample")
network = architectures.build(spec, to_train=True)
draw = np.random.default_rng(0)
# Variances must be positive, and scores moderate: how far a loss is clipped is the backends' own
# affair.
network.set_weights([draw.normal(0, 0.1, value.shape) if value.ndim > 1 else draw.uniform(0.5, 1.5, value.shape)
                     for value in network.get_weights()])
optimiser.compile_network(network, spec, 1)
targets = trainer.keras.utils.to_categorical(data.train_labels[:256], 10)
x = trainer.as_input(data.train_pixels[:256])
at_rest = network.evaluate(x, targets, batch_size=64, verbose=0, return_dict=True)["loss"]
ops = trainer.keras.ops
training_step = float(ops.mean(trainer.keras.losses.categorical_crossentropy(targets[:64], network(x[:64], training=True))))
print(json.dumps({"at_rest": at_rest, "training": training_step}))
"""
EPOCH = """
import json
from core import runs
from core.specs.presets import preset
from core.training import trainer
spec = preset("champion").spec.replace(data="offline-sample", filters=(8, 16), precision="float32", epochs=1)
print(json.dumps(trainer.train(runs.create(spec)).to_dict()))
"""


def after(script: str, backend: str) -> dict:
    """What a script prints last, run in a process of its own on a backend."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def on_tensorflow() -> dict:
    return after(LOSS, "tensorflow")


@pytest.fixture(params=["torch", "jax"])
def other(request) -> str:
    if find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed here")
    return request.param


def test_fixed_weights_give_the_loss_that_tensorflow_finds(other, on_tensorflow):
    found = after(LOSS, other)
    assert found["at_rest"] == pytest.approx(on_tensorflow["at_rest"], rel=1e-4)
    assert found["training"] == pytest.approx(on_tensorflow["training"], rel=1e-4)


def test_an_epoch_on_another_backend_ends_in_a_run_like_any_other(other):
    record = after(EPOCH, other)
    assert (
        record["backend"] == other
        and record["status"] == "finished"
        and other in record["versions"]
    )
    assert 0 < record["scores"]["test_loss"] < 10
