"""Networks by name: a list of layers first, a Keras model from the same list second.

`blueprint` computes every layer's output shape, parameters and multiply-adds with arithmetic alone,
so that a page can show the network before anything is trained and without TensorFlow; `build` turns
that very list into a Keras model. The tests hold the two against each other. Keras is imported
inside `build`, which runs on the engine.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.errors import InvalidSpec
from core.labels import CLASSES, SIDE
from core.networks import backbones
from core.specs.spec import TrainSpec

if TYPE_CHECKING:
    import keras

# Borrowed networks halve a picture five times: their sides are multiples of this.
BORROWED_SIDE = 32
# Float32 weights with Adam's two moments and gradients: half a gigabyte.
MAX_PARAMETERS = 30_000_000
LEAKY_SLOPE = 0.1
# An epoch has a few hundred steps: the usual 0.99 would still remember the first ones.
BATCH_NORM_MOMENTUM = 0.9


@dataclass(frozen=True)
class Layer:
    """One layer of a network, as data.

    `kind` is the name of its Keras class, `options` that class's arguments; `inputs` are names of
    earlier layers. `output_shape` is without the batch axis; `multiply_adds` counts those of one
    picture's forward pass.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    options: dict = field(default_factory=dict)
    output_shape: tuple[int, ...] = ()
    parameters: int = 0
    multiply_adds: int = 0

    @property
    def detail(self) -> str:
        """Its settings in a few words, as in `32 filters 3 x 3, same`."""
        options = self.options
        stride = options.get("strides", 1)
        pace = f", stride {stride}" if stride > 1 else ""
        if self.kind == "Conv2D":
            side = options["kernel_size"]
            return f"{options['filters']} filters {side} × {side}, {options['padding']}{pace}"
        if self.kind == "DepthwiseConv2D":
            side = options["kernel_size"]
            return f"a filter {side} × {side} for each channel, {options['padding']}{pace}"
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
            (above, below), _ = options["padding"]
            return f"{below} on every side" if above == below else f"{below} below and to the right"
        if self.kind == "Rescaling":
            return "0..255 to about -1..1" if options["offset"] else "0..255 to 0..1"
        if self.kind == "UpSampling2D":
            return f"{options['size']}-fold, {options['interpolation']}"
        if self.kind == "Concatenate":
            return f"the same {len(self.inputs)} times"
        return ""


def blueprint(spec: TrainSpec) -> tuple[Layer, ...]:
    """The layers of the network that a spec describes, in the order of the forward pass.

    The first is the input of 28 x 28 x 1 grey values in 0..255; the last are the ten probabilities.
    The layer that feeds the last dense layer is the embedding, the last one with a picture's shape
    the feature map.

    Raises:
        InvalidSpec: if a picture shrinks away between the layers, or the network is too large to
            train here.
    """
    plan = _Plan(spec)
    {"cnn": _cnn, "swift": _swift, "resnet": _resnet, "transfer": _transfer}[spec.architecture](
        plan
    )
    plan.add("Dense", "scores", units=CLASSES)
    plan.add("Activation", "probabilities", activation="softmax")
    if sum(layer.parameters for layer in plan.layers) > MAX_PARAMETERS:
        raise InvalidSpec(
            f"This network would have {sum(layer.parameters for layer in plan.layers):,} parameters; the limit is "
            f"{MAX_PARAMETERS:,}. Use fewer filters or dense units, or more pooling."
        )
    return tuple(plan.layers)


def parameters(spec: TrainSpec) -> int:
    """How many numbers the network learns or keeps (batch normalisation's averages included, as
    Keras counts).
    """
    return sum(layer.parameters for layer in blueprint(spec))


def multiply_adds(spec: TrainSpec) -> int:
    """Multiply-adds of one picture's forward pass; training costs about three times as many."""
    return sum(layer.multiply_adds for layer in blueprint(spec))


def build(spec: TrainSpec, *, to_train: bool = False, dtype: str = "float32") -> keras.Model:
    """The Keras model of a spec, with fresh weights.

    Args:
        to_train: make it of layers that train faster, in the spec's precision. Its weights are
            those of the plain model, which consists of Keras's own layers in float32 and is what
            gets saved.
        dtype: of all values and weights of the plain model.

    Returns:
        a model from `dtype` `(n, 28, 28, 1)` in 0..255 to the probabilities `(n, 10)`; its layers
        carry the blueprint's names.
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
    """Keep the borrowed layers of a network as they are, or let them learn; it has to be compiled
    after that.
    """
    if spec.architecture == "transfer":
        for layer in backbones.get(spec.backbone).layers:
            network.get_layer(layer["name"]).trainable = not frozen


def embedding_name(layers: tuple[Layer, ...]) -> str:
    """Name of the layer whose output the last dense layer reads: the network's own summary of a
    picture.
    """
    return next(layer for layer in layers if layer.name == "scores").inputs[0]


def features_name(layers: tuple[Layer, ...]) -> str:
    """Name of the last layer whose output is still a picture: height x width x channels."""
    return [layer for layer in layers if len(layer.output_shape) == 3][-1].name


class _Plan:
    """Collects layers; each `add` follows the last one unless told otherwise, and does the
    arithmetic.
    """

    def __init__(self, spec: TrainSpec):
        self.spec = spec
        self.layers: list[Layer] = [Layer("picture", "InputLayer", (), {}, (SIDE, SIDE, 1))]
        self._by_name = {"picture": self.layers[0]}
        self._counts: dict[str, int] = {}

    @property
    def last(self) -> Layer:
        return self.layers[-1]

    def add(
        self, kind: str, name: str = "", *, inputs: tuple[str, ...] | None = None, **options
    ) -> str:
        stem = name or {
            "Conv2D": "conv",
            "MaxPooling2D": "pool",
            "BatchNormalization": "norm",
            "Activation": "activation",
        }.get(kind, kind.lower())
        self._counts[stem] = self._counts.get(stem, 0) + 1
        inputs = inputs or (self.last.name,)
        source = self._by_name[inputs[0]]
        shape, count, work = _arithmetic(kind, source.output_shape, options)
        if kind == "Concatenate":
            shape = (*shape[:-1], sum(self._by_name[name].output_shape[-1] for name in inputs))
        if min(shape) < 1:
            raise InvalidSpec(
                f"The picture shrinks away: {source.output_shape[0]} × {source.output_shape[1]} values reach a "
                f"{kind} layer that needs more. Use padding 'same', fewer blocks or less pooling."
            )
        unique = name or f"{stem}_{self._counts[stem]}"
        self.layers.append(Layer(unique, kind, inputs, options, shape, count, work))
        self._by_name[unique] = self.last
        return unique

    def conv(
        self,
        filters: int,
        kernel: int,
        padding: str = "same",
        strides: int = 1,
        bias: bool = True,
        **where,
    ) -> str:
        return self.add(
            "Conv2D",
            filters=filters,
            kernel_size=kernel,
            padding=padding,
            strides=strides,
            use_bias=bias,
            **where,
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
        count = len(self.spec.dense_units)
        for units, rate in zip(
            self.spec.dense_units, self.spec.each("dropout", count), strict=True
        ):
            self.add("Dense", units=units)
            self.activate()
            self.dropout(rate)


def _cnn(plan: _Plan) -> None:
    """Blocks of convolution, activation and pooling, then dense layers; without filters a
    multi-layer network.
    """
    spec, count = plan.spec, len(plan.spec.filters)
    plan.add("Rescaling", scale=1 / 255, offset=0.0)
    for filters, padding, pool, rate in zip(
        spec.filters,
        spec.each("padding", count),
        spec.each("pool", count),
        spec.each("block_dropout", count),
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
    """A 4 x 4 stem of stride 2 quarters the work at once; narrow blocks follow, pooled before they
    are normalised.

    Pooling first leaves a quarter of the values to normalise, and learns better.
    """
    spec, count = plan.spec, len(plan.spec.filters)
    plan.add("Rescaling", scale=1 / 127.5, offset=-1.0)
    rates = spec.each("block_dropout", count)
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
    """Residual blocks with the normalisation first, a stage per filter number, halved in size
    between stages.

    Source: He et al., Identity mappings in deep residual networks, arXiv 1603.05027, figure 4e.
    """
    spec, count = plan.spec, len(plan.spec.filters)
    plan.add("Rescaling", scale=1 / 127.5, offset=-1.0)
    plan.conv(spec.filters[0], spec.kernel, bias=False)
    for stage, (filters, rate) in enumerate(
        zip(spec.filters, spec.each("block_dropout", count), strict=True)
    ):
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
    """A borrowed network, given what it was trained with (larger pictures of three channels,
    -1..1), and new last layers.

    A black frame makes 32 of 28 pixels, and a whole number of times that is the side. Keras's own
    layer for any side, Resizing, is no choice: where nobody says whether a network is in training,
    it says yes, and normalisations behind it forget their averages.
    """
    frame = (BORROWED_SIDE - SIDE) // 2
    plan.add("ZeroPadding2D", "frame", padding=((frame, frame), (frame, frame)))
    plan.add("Rescaling", scale=1 / 127.5, offset=-1.0)
    plan.add(
        "UpSampling2D",
        "enlarged",
        size=plan.spec.enlarge // BORROWED_SIDE,
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


def _arithmetic(
    kind: str, shape: tuple[int, ...], options: dict
) -> tuple[tuple[int, ...], int, int]:
    """Output shape, parameters and multiply-adds of one layer, from its input shape."""
    if kind == "Conv2D":
        kernel, stride, filters = options["kernel_size"], options["strides"], options["filters"]
        height, width = (_reach(side, kernel, stride, options["padding"]) for side in shape[:2])
        weights = kernel * kernel * shape[2] * filters
        return (
            (height, width, filters),
            weights + filters * options["use_bias"],
            weights * height * width,
        )
    if kind == "DepthwiseConv2D":
        kernel = options["kernel_size"]
        height, width = (
            _reach(side, kernel, options["strides"], options["padding"]) for side in shape[:2]
        )
        weights = kernel * kernel * shape[2]
        return (
            (height, width, shape[2]),
            weights + shape[2] * options["use_bias"],
            weights * height * width,
        )
    if kind == "MaxPooling2D":
        window, stride = options["pool_size"], options.get("strides", options["pool_size"])
        return (
            (*(_reach(side, window, stride, options["padding"]) for side in shape[:2]), shape[2]),
            0,
            0,
        )
    if kind == "ZeroPadding2D":
        return (
            (
                *(
                    side + sum(more)
                    for side, more in zip(shape[:2], options["padding"], strict=True)
                ),
                shape[2],
            ),
            0,
            0,
        )
    if kind == "UpSampling2D":
        larger = (*(side * options["size"] for side in shape[:2]), shape[2])
        # Each value is a mean of four, weighted by their distance.
        return larger, 0, 4 * math.prod(larger)
    if kind == "Dense":
        return (options["units"],), (shape[0] + 1) * options["units"], shape[0] * options["units"]
    if kind == "BatchNormalization":
        return shape, 4 * shape[-1], math.prod(shape)
    if kind == "GlobalAveragePooling2D":
        return (shape[-1],), 0, 0
    if kind == "Flatten":
        return (math.prod(shape),), 0, 0
    return shape, 0, 0


def _reach(side: int, kernel: int, stride: int, padding: str) -> int:
    """Output side of a convolution or pooling: (W - F + 2P) / S + 1, with P chosen by `same`."""
    return math.ceil(side / stride) if padding == "same" else (side - kernel) // stride + 1


def _initializer(keras, layer: Layer, spec: TrainSpec):
    """How a layer's weights begin."""
    seed = _seed(layer, spec)
    if spec.initializer == "standard_normal":
        return keras.initializers.RandomNormal(stddev=1.0, seed=seed)
    # The last layer is no ReLU layer: He's variance would start it too loud.
    name = spec.initializer if layer.name != "scores" else "glorot_uniform"
    return keras.initializers.get({"class_name": name, "config": {"seed": seed}})


def _seed(layer: Layer, spec: TrainSpec) -> int:
    """What a layer draws by: without one Keras asks Python's own generator, which every thread of a
    process shares.
    """
    return zlib.crc32(f"{spec.seed} {layer.name}".encode()) % 2**31


def _keras_layer(keras, layer: Layer, spec: TrainSpec, to_train: bool, dtype: str):
    options = dict(layer.options)
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
        if layer.kind == "BatchNormalization" and backbones.keeps_averages(spec):
            return keras_layers.SettledNormalization(name=layer.name, dtype="float32", **options)
        if layer.kind == "BatchNormalization":
            return keras_layers.BatchNormalization(name=layer.name, dtype="float32", **options)
    if layer.kind == "Activation" and options["activation"] == "leaky_relu":
        return keras.layers.LeakyReLU(negative_slope=LEAKY_SLOPE, name=layer.name, dtype=dtype)
    return getattr(keras.layers, layer.kind)(name=layer.name, **{"dtype": dtype, **options})
