"""One layer of a network as data: its settings in words, and the arithmetic of its size and work.

Which layers make up a network is decided in `core.networks.architectures` and, for pretrained
networks, written down in `assets/backbones`. Nothing here needs Keras.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict

from core.specs.fields import Activation, Padding

LayerKind = Literal[
    "Activation",
    "Add",
    "BatchNormalization",
    "Concatenate",
    "Conv2D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "GlobalAveragePooling2D",
    "InputLayer",
    "MaxPooling2D",
    "ReLU",
    "Rescaling",
    "UpSampling2D",
    "ZeroPadding2D",
]
# Pixels above, below, left and right.
Frame = Sequence[Sequence[int]]


class LayerOptions(TypedDict, total=False):
    """The arguments of a layer's Keras class; each kind has some of them."""

    activation: Activation | Literal["softmax"]
    epsilon: float
    filters: int
    interpolation: Literal["bilinear"]
    kernel_size: int
    max_value: float
    offset: float
    padding: Padding | Frame
    pool_size: int
    rate: float
    scale: float
    size: int
    strides: int
    units: int
    use_bias: bool


@dataclass(frozen=True)
class Layer:
    """One layer of a network, as data.

    Attributes:
        name: unique in its network.
        kind: the name of its Keras class.
        inputs: names of earlier layers.
        options: arguments of its Keras class.
        output_shape: without the batch axis.
        parameters: how many numbers it learns or keeps.
        multiply_adds: those of one picture's forward pass.
    """

    name: str
    kind: LayerKind
    inputs: tuple[str, ...]
    options: LayerOptions = field(default_factory=LayerOptions)
    output_shape: tuple[int, ...] = ()
    parameters: int = 0
    multiply_adds: int = 0

    @property
    def detail(self) -> str:
        """Its settings in a few words, as in `32 filters 3 × 3, same`."""
        options = self.options
        stride = options.get("strides", 1)
        pace = f", stride {stride}" if stride > 1 else ""
        if self.kind == "Conv2D":
            side = options["kernel_size"]
            return f"{options['filters']} filters {side} × {side}, {options['padding']}{pace}"
        if self.kind == "DepthwiseConv2D":
            side = options["kernel_size"]
            return f"one filter {side} × {side} per channel, {options['padding']}{pace}"
        if self.kind == "Dense":
            return f"{options['units']} units"
        if self.kind == "Dropout":
            return f"{options['rate']:.0%} off while training"
        if self.kind == "MaxPooling2D":
            side = options["pool_size"]
            return f"{side} × {side}, {options['padding']}" + (pace if stride != side else "")
        if self.kind == "Activation":
            return options["activation"].replace("_", " ")
        if self.kind == "ReLU":
            return f"at most {options['max_value']:g}"
        if self.kind == "ZeroPadding2D":
            above, below = frame(options)[0]
            return f"{below} on every side" if above == below else f"{below} below and to the right"
        if self.kind == "Rescaling":
            return "0..255 to about -1..1" if options["offset"] else "0..255 to 0..1"
        if self.kind == "UpSampling2D":
            return f"{options['size']}-fold, {options['interpolation']}"
        if self.kind == "Concatenate":
            return f"the same {len(self.inputs)} times"
        return ""


class Size(TypedDict):
    """What a layer makes of its input, as attributes of a `Layer`."""

    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


def frame(options: LayerOptions) -> Frame:
    """The widths of zeros that a ZeroPadding2D layer adds: (above, below), (left, right)."""
    padding = options["padding"]
    if isinstance(padding, str):
        raise TypeError(f"zeros are added by their widths, not by {padding!r}")
    return padding


def size_of(kind: LayerKind, shapes: Sequence[tuple[int, ...]], options: LayerOptions) -> Size:
    """Output shape, parameters and multiply-adds of one layer.

    Args:
        kind: of the layer.
        shapes: those of its inputs, without the batch axis.
        options: of the layer.
    """
    shape = shapes[0]
    if kind in ("Conv2D", "DepthwiseConv2D"):
        return _convolution(kind, shape, options)
    if kind == "MaxPooling2D":
        window = options["pool_size"]
        stride, padding = options.get("strides", window), options["padding"]
        return _free((*(_reach(side, window, stride, padding) for side in shape[:2]), shape[2]))
    if kind == "ZeroPadding2D":
        (height, width), added = shape[:2], [sum(widths) for widths in frame(options)]
        return _free((height + added[0], width + added[1], shape[2]))
    if kind == "UpSampling2D":
        larger = (*(side * options["size"] for side in shape[:2]), shape[2])
        # Each value is a mean of four, weighted by their distance.
        return {"output_shape": larger, "parameters": 0, "multiply_adds": 4 * math.prod(larger)}
    if kind == "Dense":
        weights = shape[0] * options["units"]
        return {
            "output_shape": (options["units"],),
            "parameters": weights + options["units"],
            "multiply_adds": weights,
        }
    if kind == "BatchNormalization":
        work = math.prod(shape)
        return {"output_shape": shape, "parameters": 4 * shape[-1], "multiply_adds": work}
    if kind == "GlobalAveragePooling2D":
        return _free((shape[-1],))
    if kind == "Flatten":
        return _free((math.prod(shape),))
    if kind == "Concatenate":
        return _free((*shape[:-1], sum(other[-1] for other in shapes)))
    return _free(shape)


def _free(shape: tuple[int, ...]) -> Size:
    """A layer without parameters, whose work is not counted."""
    return {"output_shape": shape, "parameters": 0, "multiply_adds": 0}


def _convolution(kind: LayerKind, shape: tuple[int, ...], options: LayerOptions) -> Size:
    """An ordinary convolution, or one with a filter of its own for each channel."""
    kernel, stride, padding = options["kernel_size"], options["strides"], options["padding"]
    height, width = (_reach(side, kernel, stride, padding) for side in shape[:2])
    filters = options["filters"] if kind == "Conv2D" else shape[2]
    weights = kernel * kernel * filters * (shape[2] if kind == "Conv2D" else 1)
    return {
        "output_shape": (height, width, filters),
        "parameters": weights + filters * options["use_bias"],
        "multiply_adds": weights * height * width,
    }


def _reach(side: int, kernel: int, stride: int, padding: Padding | Frame) -> int:
    """Output side of a convolution or pooling: (W - F + 2P) / S + 1, with P chosen by `same`."""
    return math.ceil(side / stride) if padding == "same" else (side - kernel) // stride + 1
