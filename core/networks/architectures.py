"""Networks by name: a list of layers first, a Keras model from the same list second.

`blueprint` computes every layer's output shape, parameters and multiply-adds with arithmetic alone,
so that a page can show the network before anything is trained and without TensorFlow; `build` turns
that very list into a Keras model. The tests hold the two against each other. Keras is imported
inside `build`, which runs on the engine.

What a single layer is, is in `core.networks.layers`; training is in `core.training`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidSpec
from core.labels import CLASSES, SIDE
from core.networks import backbones
from core.networks.layers import Layer, LayerKind, LayerOptions, size_of
from core.specs.fields import Architecture, Padding
from core.specs.spec import TrainSpec

if TYPE_CHECKING:
    from typing import Unpack

    import keras

T = TypeVar("T")

# Pretrained networks halve a picture five times: their sides are multiples of this.
PRETRAINED_SIDE = 32
# Float32 weights with Adam's two moments and gradients: half a gigabyte.
MAX_PARAMETERS = 30_000_000
LEAKY_SLOPE = 0.1
# An epoch has a few hundred steps: the usual 0.99 would still remember the first ones.
BATCH_NORM_MOMENTUM = 0.9
_STEMS: dict[LayerKind, str] = {
    "Conv2D": "conv",
    "MaxPooling2D": "pool",
    "BatchNormalization": "norm",
    "Activation": "activation",
}


def blueprint(spec: TrainSpec) -> tuple[Layer, ...]:
    """The layers of the network that a spec describes, in the order of the forward pass.

    The first is the input of 28 x 28 x 1 grey values in 0..255; the last are the ten probabilities.
    The layer that feeds the last dense layer is the embedding; the last one whose output has height
    and width is the feature map.

    >>> layers = blueprint(TrainSpec(filters=(8,), dense_units=()))
    >>> for layer in layers:
    ...     print(layer.name, layer.output_shape, layer.parameters)
    picture (28, 28, 1) 0
    rescaling_1 (28, 28, 1) 0
    conv_1 (28, 28, 8) 80
    activation_1 (28, 28, 8) 0
    pool_1 (14, 14, 8) 0
    flatten_1 (1568,) 0
    scores (10,) 15690
    probabilities (10,) 0

    Raises:
        InvalidSpec: if the picture shrinks to nothing between the layers, or the network is too
            large to train here.
    """
    plan = _Plan(spec)
    _PLANNERS[spec.architecture](plan)
    plan.add("Dense", "scores", units=CLASSES)
    plan.add("Activation", "probabilities", activation="softmax")
    count = sum(layer.parameters for layer in plan.layers)
    if count > MAX_PARAMETERS:
        raise InvalidSpec(
            f"This network would have {count:,} parameters; the limit is {MAX_PARAMETERS:,}. Use "
            "fewer filters or dense units, or more pooling."
        )
    return tuple(plan.layers)


def parameters(spec: TrainSpec) -> int:
    """How many numbers the network learns or keeps, as Keras counts.

    The running averages of batch normalisation are included.
    """
    return sum(layer.parameters for layer in blueprint(spec))


def multiply_adds(spec: TrainSpec) -> int:
    """Multiply-adds of one picture's forward pass; training costs about three times as many."""
    return sum(layer.multiply_adds for layer in blueprint(spec))


def build(spec: TrainSpec, *, to_train: bool = False, dtype: str = "float32") -> keras.Model:
    """The Keras model of a spec, with random initial weights.

    Args:
        spec: what to build.
        to_train: build it from layers that train faster, in the spec's precision. Its weights fit
            the plain model, which consists of Keras's own layers in float32 and is what gets saved.
        dtype: of all values and weights of the plain model.

    Returns:
        a model from `dtype` `(n, 28, 28, 1)` in 0..255 to the probabilities `(n, 10)`; its layers
        have the blueprint's names.

    Raises:
        InvalidSpec: as `blueprint` does.
    """
    import keras

    tensors = {}
    for layer in blueprint(spec):
        if layer.kind == "InputLayer":
            tensors[layer.name] = keras.Input(layer.output_shape, name=layer.name, dtype=dtype)
            continue
        inputs = [tensors[name] for name in layer.inputs]
        tensors[layer.name] = _keras_layer(keras, layer, spec, to_train, dtype)(
            inputs[0] if len(inputs) == 1 else inputs
        )
    return keras.Model(tensors["picture"], tensors["probabilities"], name=spec.architecture)


def freeze(network: keras.Model, spec: TrainSpec, frozen: bool) -> None:
    """Freeze the pretrained layers of a network, or let them learn; compile the network after that.

    A network of another architecture has none, and stays as it is.
    """
    if spec.architecture == "transfer":
        for layer in backbones.get(spec.backbone).layers:
            network.get_layer(layer["name"]).trainable = not frozen


def first_filters(network: keras.Model) -> NDArray[np.float32] | None:
    """The kernel of a network's first convolution, `(side, side, 1, filters)`; None without one.

    Where it reads the same grey picture three times, the sum of its three parts is the same.
    """
    import keras

    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel = np.asarray(keras.ops.convert_to_numpy(layer.kernel), np.float32)
            grey: NDArray[np.float32] = kernel.sum(axis=2, keepdims=True)
            return grey
    return None


def embedding_name(layers: tuple[Layer, ...]) -> str:
    """Name of the layer whose output, the embedding, the last dense layer reads."""
    return next(layer for layer in layers if layer.name == "scores").inputs[0]


def features_name(layers: tuple[Layer, ...]) -> str:
    """Name of the last layer whose output is still a picture: height x width x channels."""
    return [layer for layer in layers if len(layer.output_shape) == 3][-1].name


class _Plan:
    """Collects layers and computes their sizes; each follows the last one unless told otherwise."""

    def __init__(self, spec: TrainSpec) -> None:
        self.spec = spec
        self.layers = [Layer("picture", "InputLayer", (), {}, (SIDE, SIDE, 1))]
        self._by_name = {"picture": self.layers[0]}
        self._counts: dict[str, int] = {}

    @property
    def last(self) -> Layer:
        return self.layers[-1]

    def add(
        self,
        kind: LayerKind,
        name: str = "",
        *,
        inputs: tuple[str, ...] = (),
        **options: Unpack[LayerOptions],
    ) -> str:
        """Add a layer, and return its name."""
        stem = name or _STEMS.get(kind, kind.lower())
        self._counts[stem] = self._counts.get(stem, 0) + 1
        inputs = inputs or (self.last.name,)
        shapes = [self._by_name[source].output_shape for source in inputs]
        size = size_of(kind, shapes, options)
        if min(size["output_shape"]) < 1:
            raise InvalidSpec(
                f"The picture is already {shapes[0][0]} × {shapes[0][1]} before a {kind} layer and "
                "cannot shrink further. Use padding 'same', fewer blocks or less pooling."
            )
        unique = name or f"{stem}_{self._counts[stem]}"
        self.layers.append(Layer(unique, kind, inputs, options, **size))
        self._by_name[unique] = self.last
        return unique

    def conv(
        self,
        filters: int,
        kernel: int,
        padding: Padding = "same",
        *,
        strides: int = 1,
        bias: bool = True,
        inputs: tuple[str, ...] = (),
    ) -> str:
        """Add a convolution, and return its name."""
        return self.add(
            "Conv2D",
            inputs=inputs,
            filters=filters,
            kernel_size=kernel,
            padding=padding,
            strides=strides,
            use_bias=bias,
        )

    def activate(self) -> None:
        if self.spec.activation != "linear":
            self.add("Activation", activation=self.spec.activation)

    def norm_and_activate(self) -> None:
        if self.spec.batch_norm:
            self.add("BatchNormalization")
        self.activate()

    def dropout(self, rate: float) -> None:
        if rate:
            self.add("Dropout", rate=rate)

    def dense_layers(self) -> None:
        rates = _each(self.spec.dropout, len(self.spec.dense_units))
        for units, rate in zip(self.spec.dense_units, rates, strict=True):
            self.add("Dense", units=units)
            self.activate()
            self.dropout(rate)


def _each(values: tuple[T, ...], count: int) -> tuple[T, ...]:
    """The values of a setting that takes one for all layers or one for each, as `count` values."""
    return values * count if len(values) == 1 else values


def _cnn(plan: _Plan) -> None:
    """Blocks of convolution, activation and pooling, then dense layers.

    Without filters it is a multilayer perceptron.
    """
    spec, count = plan.spec, len(plan.spec.filters)
    plan.add("Rescaling", scale=1 / 255, offset=0.0)
    for filters, padding, pool, rate in zip(
        spec.filters,
        _each(spec.padding, count),
        _each(spec.pool, count),
        _each(spec.block_dropout, count),
        strict=True,
    ):
        plan.conv(filters, spec.kernel, padding, bias=not spec.batch_norm)
        plan.norm_and_activate()
        if pool:
            plan.add(
                "MaxPooling2D",
                pool_size=2,
                padding=padding if spec.pool_padding == "as_block" else spec.pool_padding,
            )
        plan.dropout(rate)
    plan.add("Flatten")
    plan.dense_layers()


def _swift(plan: _Plan) -> None:
    """A 4 x 4 stem of stride 2, then narrow blocks that pool before they normalise.

    The stem cuts the work to a quarter at once. Pooling first leaves a quarter of the values to
    normalise, and learns better.
    """
    spec, count = plan.spec, len(plan.spec.filters)
    plan.add("Rescaling", scale=1 / 127.5, offset=-1.0)
    rates = _each(spec.block_dropout, count)
    plan.conv(spec.filters[0], 4, strides=2, bias=not spec.batch_norm)
    plan.norm_and_activate()
    for filters, rate in zip(spec.filters[1:], rates[1:], strict=True):
        plan.conv(filters, spec.kernel, bias=not spec.batch_norm)
        plan.add("MaxPooling2D", pool_size=2, padding="valid")
        plan.norm_and_activate()
        plan.dropout(rate)
    plan.add("Flatten")
    plan.dense_layers()


def _resnet(plan: _Plan) -> None:
    """Stages of residual blocks with the normalisation first; each stage halves the size.

    Source: He et al., Identity mappings in deep residual networks, arXiv 1603.05027, figure 4e.
    """
    spec, count = plan.spec, len(plan.spec.filters)
    plan.add("Rescaling", scale=1 / 127.5, offset=-1.0)
    plan.conv(spec.filters[0], spec.kernel, bias=False)
    rates = _each(spec.block_dropout, count)
    for stage, (filters, rate) in enumerate(zip(spec.filters, rates, strict=True)):
        for block in range(spec.blocks):
            _residual_block(plan, filters, 2 if stage and not block else 1, rate)
    plan.norm_and_activate()
    plan.add("GlobalAveragePooling2D", "average")
    plan.dense_layers()


def _residual_block(plan: _Plan, filters: int, strides: int, rate: float) -> None:
    shortcut, channels = plan.last.name, plan.last.output_shape[-1]
    plan.norm_and_activate()
    if strides > 1 or channels != filters:
        opened = plan.last.name
        shortcut = plan.conv(filters, 1, strides=strides, bias=False)
        plan.conv(filters, plan.spec.kernel, strides=strides, bias=False, inputs=(opened,))
    else:
        plan.conv(filters, plan.spec.kernel, bias=False)
    plan.norm_and_activate()
    plan.dropout(rate)
    plan.conv(filters, plan.spec.kernel, bias=False)
    plan.add("Add", inputs=(plan.last.name, shortcut))


def _transfer(plan: _Plan) -> None:
    """A pretrained network with new last layers.

    It reads what it was trained on: larger pictures of three channels, -1..1. A black frame turns
    28 pixels into 32, and the side is a multiple of that. Keras's Resizing layer, which takes any
    side, cannot be used: when a call does not say whether the network is training, that layer
    passes on that it is, and the normalisations after it overwrite their averages.
    """
    frame = (PRETRAINED_SIDE - SIDE) // 2
    plan.add("ZeroPadding2D", "frame", padding=((frame, frame), (frame, frame)))
    plan.add("Rescaling", scale=1 / 127.5, offset=-1.0)
    plan.add(
        "UpSampling2D",
        "enlarged",
        size=plan.spec.enlarge // PRETRAINED_SIDE,
        interpolation="bilinear",
    )
    entrance = plan.add("Concatenate", "three_channels", inputs=("enlarged",) * 3)
    for layer in backbones.get(plan.spec.backbone).layers:
        plan.add(
            layer["kind"],
            layer["name"],
            inputs=tuple(layer["inputs"]) or (entrance,),
            **layer["options"],
        )
    plan.add("GlobalAveragePooling2D", "average")
    plan.dropout(plan.spec.block_dropout[-1])
    plan.dense_layers()


_PLANNERS: dict[Architecture, Callable[[_Plan], None]] = {
    "cnn": _cnn,
    "swift": _swift,
    "resnet": _resnet,
    "transfer": _transfer,
}


def _initializer(keras: ModuleType, layer: Layer, spec: TrainSpec) -> keras.Initializer:
    """What draws a layer's initial weights."""
    seed = _seed(layer, spec)
    if spec.initializer == "standard_normal":
        return keras.initializers.RandomNormal(stddev=1.0, seed=seed)
    # No ReLU follows the last layer: He's variance would make its first scores too large.
    name = spec.initializer if layer.name != "scores" else "glorot_uniform"
    return keras.initializers.get({"class_name": name, "config": {"seed": seed}})


def _seed(layer: Layer, spec: TrainSpec) -> int:
    """The seed of a layer's random numbers.

    Without one, Keras would take it from Python's own generator, which all threads of a process
    share.
    """
    return zlib.crc32(f"{spec.seed} {layer.name}".encode()) % 2**31


def _keras_layer(
    keras: ModuleType, layer: Layer, spec: TrainSpec, to_train: bool, dtype: str
) -> keras.Layer:
    """The layer of Keras, or the faster one of `core.networks.keras_layers`, not yet called."""
    options: dict[str, Any] = dict(layer.options)
    if layer.kind in ("Conv2D", "Dense"):
        options["kernel_initializer"] = _initializer(keras, layer, spec)
        if spec.l1 or spec.l2:
            options["kernel_regularizer"] = keras.regularizers.L1L2(l1=spec.l1, l2=spec.l2)
    if layer.kind == "DepthwiseConv2D":
        options["depthwise_initializer"] = _initializer(keras, layer, spec)
        if spec.l1 or spec.l2:
            options["depthwise_regularizer"] = keras.regularizers.L1L2(l1=spec.l1, l2=spec.l2)
    if layer.kind == "Dropout":
        options["seed"] = _seed(layer, spec)
    if layer.kind == "BatchNormalization":
        options["momentum"] = BATCH_NORM_MOMENTUM
    if to_train:
        from core.networks import keras_layers

        if layer.kind == "Conv2D":
            options["dtype"] = keras_layers.convolution_dtype(spec.precision)
        if layer.kind == "BatchNormalization":
            kept = backbones.keeps_averages(spec)
            normalisation = (
                keras_layers.SettledNormalization if kept else keras_layers.BatchNormalization
            )
            return normalisation(name=layer.name, dtype="float32", **options)
    if layer.kind == "Activation" and options["activation"] == "leaky_relu":
        return keras.layers.LeakyReLU(negative_slope=LEAKY_SLOPE, name=layer.name, dtype=dtype)
    return getattr(keras.layers, layer.kind)(name=layer.name, **{"dtype": dtype, **options})
