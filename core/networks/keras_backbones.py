"""The borrowed networks as Keras has them: their list of layers, and their published weights.

One idea: whatever Atelier knows of them is read from `keras.applications`, once for the list that
`backbones` reads (this module, run as a command, writes it), and at the start of a training for the
weights, which Keras downloads and keeps for the next one.

    python -m core.networks.keras_backbones    # writes assets/backbones/*.json again; a test holds them against the installed Keras
"""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from core.errors import WeightsUnavailable
from core.networks import backbones

MAKERS = {"mobilenet_v2": "MobileNetV2", "resnet50_v2": "ResNet50V2"}  # in keras.applications
_OPTIONS = {  # of each kind of layer, what it computes by; all else is Keras's default
    "Conv2D": ("filters", "kernel_size", "strides", "padding", "use_bias"),
    "DepthwiseConv2D": ("kernel_size", "strides", "padding", "use_bias"),
    "BatchNormalization": ("epsilon",),
    "ReLU": ("max_value",),
    "Activation": ("activation",),
    "ZeroPadding2D": ("padding",),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "Add": (),
}


def application(name: str, side: int, weights: str | None = None) -> keras.Model:
    """A network of `keras.applications` without its last layer, for pictures of `(side, side, 3)`.

    Args:
        weights: None for random ones, 'imagenet' for the published ones.
    """
    make = getattr(keras.applications, MAKERS[name])
    with warnings.catch_warnings():
        # Of other sides it takes 224's.
        warnings.filterwarnings(
            "ignore", message="`input_shape` is undefined", category=UserWarning
        )
        return make(include_top=False, weights=weights, input_shape=(side, side, 3))


def published_weights(name: str, side: int) -> dict[str, list[np.ndarray]]:
    """The weights that were trained on ImageNet, from Keras's folder or, the first time,
    downloaded.

    Returns:
        layer's name → its arrays in Keras's order.

    Raises:
        WeightsUnavailable: if they cannot be had, with the file to fetch and the folder to put it
            into.
    """
    talkative = keras.config.is_interactive_logging_enabled()
    # A progress bar would go between the lines of who prints JSON.
    keras.config.disable_interactive_logging()
    try:
        model = application(name, side, "imagenet")
    except OSError as error:
        raise _unavailable(name, side, f"could not be fetched or read ({error})") from error
    except Exception as error:  # Keras raises bare ones where an address does not answer
        if "URL fetch failure" not in str(error) and "Incomplete or corrupted file" not in str(
            error
        ):
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
    """Where Keras keeps what it downloaded."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "models"


def _unavailable(name: str, side: int, why: str) -> WeightsUnavailable:
    address = backbones.weights_address(name, side)
    return WeightsUnavailable(
        f"The published weights of {backbones.get(name).title} {why}. On a machine with a network, fetch {address}, "
        f"put the file into {folder()} on the machine that trains, and resume. Or let the network learn from these "
        "pictures alone: start_from nothing, frozen_epochs 0, fine_tune_rate 0.001."
    )


def describe(name: str) -> list[dict]:
    """The layers of a borrowed network as JSON values, in an order in which each comes after those
    that it reads.

    Options hold for every side that is a multiple of 32: both networks halve a picture five times.
    """
    model = application(name, 32)
    names = {layer.name: layer.name for layer in model.layers}
    for layer in model.layers:
        # Keras counts these over the life of the process.
        if layer.name.startswith("max_pooling2d"):
            names[layer.name] = _sources(model, layer)[0].removesuffix("_out") + "_shortcut_pool"
    return [
        {
            "name": names[layer.name],
            "kind": type(layer).__name__,
            "inputs": [names[one] for one in _sources(model, layer)],
            **({"options": _options(layer)} if _OPTIONS[type(layer).__name__] else {}),
        }
        for layer in model.layers
        if type(layer).__name__ != "InputLayer"
    ]


def _sources(model: keras.Model, layer: keras.Layer) -> list[str]:
    """Names of the layers that a layer reads; none for the input itself, whatever it is called."""
    tensors = layer.input if isinstance(layer.input, list) else [layer.input]
    return [tensor._keras_history.operation.name for tensor in tensors if tensor is not model.input]


def _options(layer: keras.Layer) -> dict:
    """What a layer computes by; a pair of equal numbers is one number, as in the lists of Atelier's
    own networks.
    """
    found = {}
    for option in _OPTIONS[type(layer).__name__]:
        value = layer.get_config()[option]
        equal = (
            isinstance(value, (tuple, list))
            and len(value) == 2
            and value[0] == value[1]
            and isinstance(value[0], int)
        )
        found[option] = value[0] if equal else value
    return found


if __name__ == "__main__":
    for each in MAKERS:
        lines = ",\n".join("  " + json.dumps(layer) for layer in describe(each))
        backbones.file(each).write_text(
            f'{{"made_with": "keras {keras.__version__}", "layers": [\n{lines}\n]}}\n',
            encoding="utf-8",
        )
