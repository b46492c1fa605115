"""What a network knows before its training: nothing, what another run learnt, or what others
published.

One idea: weights are taken over only where every array fits; a network that is half another's would
learn from noise without a word. Fresh weights come with the network, from `architectures.build`.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras

from core import runs
from core.errors import InvalidSpec, RunNotFound
from core.networks import keras_backbones, keras_files
from core.specs.spec import TrainSpec


def begin(network: keras.Model, spec: TrainSpec) -> None:
    """Give a fresh network the weights that its spec starts from.

    Args:
        network: what `architectures.build(spec)` returned, to train or plain.

    Raises:
        RunNotFound: if the run that the spec names is none, or not finished.
        InvalidSpec: if that run is of another network.
        WeightsUnavailable: if published weights are neither here nor to be downloaded.
    """
    if spec.start_from == "imagenet":
        for name, arrays in keras_backbones.published_weights(spec.backbone, spec.enlarge).items():
            network.get_layer(name).set_weights(arrays)
    elif spec.start_from != "nothing":
        _of_a_run(network, spec.start_from)


def _of_a_run(network: keras.Model, name: str) -> None:
    saved = runs.read_bytes(name, "model.keras")
    if saved is None:
        raise RunNotFound(
            f"The run {name!r} to start from has no network. Name a finished run, or 'nothing'."
        )
    weights = keras_files.network_from(saved).get_weights()
    if [value.shape for value in weights] != [value.shape for value in network.get_weights()]:
        raise InvalidSpec(
            f"The run {name!r} to start from is another network. Choose the same architecture, filters and dense "
            f"units, or start from 'nothing'."
        )
    network.set_weights(weights)
