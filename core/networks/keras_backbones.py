"""The pretrained networks as Keras has them: their list of layers, and their published weights.

All that Atelier knows of them is read from `keras.applications`: the list of layers once, for the
files in `assets/backbones`, and the weights when a training starts. Keras downloads those and keeps
them for the next training.

    python -m core.networks.keras_backbones    # write assets/backbones/*.json again

A test compares those files with the installed Keras. What Atelier knows without Keras is in
`core.networks.backbones`.
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any, TypedDict, cast

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from numpy.typing import NDArray

from core.errors import WeightsUnavailable
from core.networks import backbones
from core.networks.layers import LayerKind
from core.specs.fields import BackboneName

# The functions of keras.applications that build them.
MAKERS: dict[BackboneName, str] = {"mobilenet_v2": "MobileNetV2", "resnet50_v2": "ResNet50V2"}
# The arguments of each kind of layer that differ between layers; the rest are Keras's defaults.
_OPTIONS: dict[str, tuple[str, ...]] = {
    "Conv2D": ("filters", "kernel_size", "strides", "padding", "use_bias"),
    "DepthwiseConv2D": ("kernel_size", "strides", "padding", "use_bias"),
    "BatchNormalization": ("epsilon",),
    "ReLU": ("max_value",),
    "Activation": ("activation",),
    "ZeroPadding2D": ("padding",),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "Add": (),
}


class DescribedLayer(TypedDict, total=False):
    """A layer as its file in `assets/backbones` has it; `options` only where there are any."""

    name: str
    kind: LayerKind
    inputs: list[str]
    options: dict[str, Any]


def application(name: BackboneName, side: int, weights: str | None = None) -> keras.Model:
    """A network of `keras.applications` without its last layer, for pictures of `(side, side, 3)`.

    Args:
        name: of the network.
        side: width and height of its pictures, a multiple of 32.
        weights: None for random ones, 'imagenet' for the published ones.
    """
    make = getattr(keras.applications, MAKERS[name])
    with warnings.catch_warnings():
        # For sides without weights of their own it takes those of 224.
        warnings.filterwarnings(
            "ignore", message="`input_shape` is undefined", category=UserWarning
        )
        return make(include_top=False, weights=weights, input_shape=(side, side, 3))


def published_weights(name: BackboneName, side: int) -> dict[str, list[NDArray[np.float32]]]:
    """The weights trained on ImageNet, from Keras's folder; the first time they are downloaded.

    Args:
        name: of the network.
        side: width and height of its pictures, a multiple of 32.

    Returns:
        the arrays of each layer, by its name and in Keras's order.

    Raises:
        WeightsUnavailable: if they cannot be downloaded or read; names the file to fetch and the
            folder to put it into.
    """
    talkative = keras.config.is_interactive_logging_enabled()
    # A progress bar would mix with the lines of JSON that the command line prints.
    keras.config.disable_interactive_logging()
    try:
        model = application(name, side, "imagenet")
    except OSError as error:
        raise _unavailable(name, side, f"could not be fetched or read ({error})") from error
    except Exception as error:  # Keras raises a bare one where an address does not answer
        text = str(error)
        if "URL fetch failure" not in text and "Incomplete or corrupted file" not in text:
            raise
        raise _unavailable(
            name,
            side,
            "could not be downloaded: there is no network, or the address does not answer",
        ) from error
    finally:
        if talkative:
            keras.config.enable_interactive_logging()
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def folder() -> Path:
    """Where Keras keeps the weights that it downloads."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "models"


def _unavailable(name: BackboneName, side: int, why: str) -> WeightsUnavailable:
    address = backbones.weights_address(name, side)
    return WeightsUnavailable(
        f"The published weights of {backbones.get(name).title} {why}. On a computer with internet "
        f"access, download {address}, put the file into {folder()} on the machine that trains, and "
        "resume. Or train on these pictures alone: start_from nothing, frozen_epochs 0, "
        "fine_tune_rate 0.001."
    )


def describe(name: BackboneName) -> list[DescribedLayer]:
    """The layers of a pretrained network as JSON values; each comes after those that it reads.

    The options are right for every side that is a multiple of 32, as both networks halve a picture
    five times.
    """
    model = application(name, 32)
    names = {layer.name: layer.name for layer in model.layers}
    for layer in model.layers:
        # Keras numbers these for as long as the process lives.
        if layer.name.startswith("max_pooling2d"):
            names[layer.name] = _sources(model, layer)[0].removesuffix("_out") + "_shortcut_pool"
    described: list[DescribedLayer] = []
    for layer in model.layers:
        kind = type(layer).__name__
        if kind == "InputLayer":
            continue
        inputs = [names[source] for source in _sources(model, layer)]
        entry = DescribedLayer(name=names[layer.name], kind=cast(LayerKind, kind), inputs=inputs)
        if options := _options(layer):
            entry["options"] = options
        described.append(entry)
    return described


def _sources(model: keras.Model, layer: keras.Layer) -> list[str]:
    """Names of the layers that a layer reads; none for the input itself, whatever it is called."""
    tensors = layer.input if isinstance(layer.input, list) else [layer.input]
    return [tensor._keras_history.operation.name for tensor in tensors if tensor is not model.input]


def _options(layer: keras.Layer) -> dict[str, Any]:
    """The arguments that make a layer what it is.

    A pair of equal numbers becomes one number, as in the lists of Atelier's own networks.
    """
    config, options = layer.get_config(), {}
    for option in _OPTIONS[type(layer).__name__]:
        value = config[option]
        pair = isinstance(value, tuple | list) and len(value) == 2 and isinstance(value[0], int)
        options[option] = value[0] if pair and value[0] == value[1] else value
    return options


if __name__ == "__main__":
    for backbone in MAKERS:
        lines = ",\n".join("  " + json.dumps(layer) for layer in describe(backbone))
        backbones.file(backbone).write_text(
            f'{{"made_with": "keras {keras.__version__}", "layers": [\n{lines}\n]}}\n',
            encoding="utf-8",
        )
