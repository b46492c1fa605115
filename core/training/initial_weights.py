"""Where the weights of a training begin: at random, at those of another run, or pretrained.

Weights are copied only if every array fits; a network with half of another's weights would start
from noise without anyone noticing. Random weights come with the network, from
`core.networks.architectures.build`.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras

from core import runs
from core.errors import InvalidSpec, RunNotFound
from core.networks import keras_backbones, keras_files
from core.specs.spec import TrainSpec


def apply(network: keras.Model, spec: TrainSpec) -> None:
    """Give a new network the weights that its spec starts from.

    Args:
        network: from `architectures.build(spec)`, to train or plain.

    Raises:
        RunNotFound: if the run that the spec names does not exist or is not finished.
        InvalidSpec: if that run has another network.
        WeightsUnavailable: if pretrained weights are not here and cannot be downloaded.
    """
    if spec.start_from == "imagenet":
        for name, arrays in keras_backbones.published_weights(spec.backbone, spec.enlarge).items():
            network.get_layer(name).set_weights(arrays)
    elif spec.start_from != "nothing":
        _copy_from_run(network, spec.start_from)


def _copy_from_run(network: keras.Model, name: str) -> None:
    saved = runs.read_bytes(name, "model.keras")
    if saved is None:
        raise RunNotFound(
            f"The run {name!r} to start from has no network. Name a finished run, or 'nothing'."
        )
    weights = keras_files.network_from(saved).get_weights()
    if [value.shape for value in weights] != [value.shape for value in network.get_weights()]:
        raise InvalidSpec(
            f"The run {name!r} to start from has another network. Choose the same architecture, "
            "filters and dense units, or start from 'nothing'."
        )
    network.set_weights(weights)
