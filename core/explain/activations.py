"""Look inside a trained network: what every layer makes of a picture.

The exported network hands out three arrays and hides the rest: the exporter melts normalisations
into convolutions. So the network is put together once more, layer by layer, from the two things
that every run keeps, its list of layers (`architectures.blueprint`) and its weights (`weights`), as
an ONNX graph in which every layer is an output. Before anybody sees a map of it, both networks
answer the same pictures, and have to agree.

It answers one picture at a time; for many pictures there is `inference`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from core import runs
from core.errors import RunDamaged
from core.inference import Network, open_session, soften
from core.labels import SIDE
from core.networks.architectures import LEAKY_SLOPE, Layer, blueprint
from core.runs import weights
from core.specs.spec import TrainSpec

# Keras's default in batch normalisation, which `architectures` leaves alone in Atelier's own
# networks.
EPSILON = 0.001
# Probabilities of the two networks: they differ by about 0.000001, and by far more if a layer is
# not the same.
AGREE = 0.001
OPSET, IR = 17, 8
_SAME_IN_ANSWERS = {"Dropout"}  # what only does something while training hands its input on


class Inside:
    """A trained network whose every layer can be seen.

    Args:
        spec: what the run was asked to train.
        arrays: its weights, as `weights.read` gives them.
        run_id: the run it belongs to, for messages.

    Raises:
        RunDamaged: if the weights do not fit the layers of the spec.
    """

    def __init__(
        self, spec: TrainSpec, arrays: dict[str, tuple[np.ndarray, ...]], run_id: str = ""
    ):
        self.layers: tuple[Layer, ...] = blueprint(spec)
        self.weights = arrays
        self.run_id = run_id
        wrong = [
            layer.name
            for layer in self.layers
            if sum(array.size for array in arrays.get(layer.name, ())) != layer.parameters
        ]
        if wrong:
            raise RunDamaged(
                f"The weights of the run {run_id} do not fit its layers ({', '.join(wrong[:3])}); someone may have edited "
                "its record or its model.keras. Restore them, or choose another run."
            )
        self._by_name = {layer.name: layer for layer in self.layers}
        self._session = open_session(_graph(self.layers, arrays), run_id)

    def layer(self, name: str) -> Layer:
        """The layer of that name."""
        return self._by_name[name]

    @property
    def framed(self) -> bool:
        """Whether the network sees the picture in a black frame, as a borrowed one does."""
        return self.layers[1].name == "frame"

    def source(self, layer: Layer) -> Layer | None:
        """The layer whose output this one reads first; None for the picture itself."""
        return self.layer(layer.inputs[0]) if layer.inputs else None

    def maps(self, pixels: np.ndarray, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """What layers make of one picture.

        Args:
            pixels: uint8 `(28, 28)`, bright garment on black.
            names: of which layers; of all where it is None. A borrowed network has nearly two
                hundred, and some of them large.

        Returns:
            layer's name → float32 in the layer's output shape, in the order of the forward pass.
            The probabilities are those before the run's temperature.
        """
        if pixels.shape != (SIDE, SIDE) or pixels.dtype != np.uint8:
            raise ValueError(
                f"Expected pixels ({SIDE}, {SIDE}) of type uint8, received {pixels.shape} {pixels.dtype}."
            )
        values = pixels[None, ..., None].astype(np.float32)
        wanted = set(self._by_name if names is None else names)
        asked = [layer.name for layer in self.layers if layer.name in wanted]
        computed = list(
            dict.fromkeys(
                self._computed_by(name) for name in asked if self._computed_by(name) != "picture"
            )
        )
        found = (
            dict(zip(computed, self._session.run(computed, {"picture": values}), strict=True))
            if computed
            else {}
        )
        found["picture"] = values
        return {name: found[self._computed_by(name)][0] for name in asked}

    def _computed_by(self, name: str) -> str:
        """The layer whose output a layer hands on; mostly itself."""
        layer = self._by_name[name]
        return self._computed_by(layer.inputs[0]) if layer.kind in _SAME_IN_ANSWERS else name

    def first_filters(self) -> tuple[str, np.ndarray] | None:
        """Name and kernel of the first layer that reads the picture itself.

        Returns:
            a convolution's kernel `(side, side, 1, filters)`; where it reads the same grey picture
            three times, the sum of its three parts, which is the same. In a network without
            convolution the first dense layer's, as `(28, 28, 1, units)`.
        """
        for layer in self.layers:
            if layer.kind == "Conv2D":
                return layer.name, self.weights[layer.name][0].sum(axis=2, keepdims=True)
            if layer.kind == "Dense":
                kernel = self.weights[layer.name][0]
                return (
                    (layer.name, kernel.reshape(SIDE, SIDE, 1, -1))
                    if len(kernel) == SIDE * SIDE
                    else None
                )
        return None


def load(run_id: str, network: Network) -> Inside:
    """Open a finished run to look inside, and check it against the network that answers.

    Args:
        network: the run's exported network (`inference.load`).

    Raises:
        RunNotFound: if there is no such run.
        RunDamaged: if its weights are missing, cannot be read, or give other answers than the
            exported network.
    """
    run = runs.read(run_id)
    opened = Inside(run.spec, weights.read(run_id), run_id)
    apart = difference(opened, network)
    if apart > AGREE:
        raise RunDamaged(
            f"The saved network (model.keras) and the exported one (model.onnx) of the run {run_id} answer the same pictures "
            f"differently (by {apart:.3f}), so neither can be trusted. Restore the two files, or choose another run."
        )
    return opened


def difference(opened: Inside, network: Network) -> float:
    """By how much the probabilities of the two differ at most, on three pictures: black, noise and
    a gradient.
    """
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE)).astype(np.uint8)
    slope = np.broadcast_to(np.linspace(0, 255, SIDE).astype(np.uint8), (SIDE, SIDE))
    pictures = np.stack([np.zeros((SIDE, SIDE), np.uint8), noise, slope])
    mine = np.stack(
        [opened.maps(picture, ["probabilities"])["probabilities"] for picture in pictures]
    )
    return float(np.abs(soften(mine, network.temperature) - network.probabilities(pictures)).max())


# --- the graph --------------------------------------------------------------------------------------------------------


def _graph(layers: tuple[Layer, ...], arrays: dict[str, tuple[np.ndarray, ...]]) -> bytes:
    """The network as ONNX; every computed layer is an output of the layer's name, in Keras's order
    of axes.
    """
    from onnx import TensorProto, helper

    plan = _Plan()
    outputs = []
    names = {"picture": "picture"}  # layer → tensor; layers that only hand on share their input's
    for layer in layers:
        if layer.kind == "InputLayer":
            continue
        inputs = [names[name] for name in layer.inputs]
        if layer.kind in _SAME_IN_ANSWERS:
            names[layer.name] = inputs[0]
            continue
        _NODES[layer.kind](plan, layer, inputs, arrays.get(layer.name, ()))
        names[layer.name] = layer.name
        outputs.append(
            helper.make_tensor_value_info(layer.name, TensorProto.FLOAT, [1, *layer.output_shape])
        )
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, SIDE, SIDE, 1])
    graph = helper.make_graph(plan.nodes, "inside", [picture], outputs, plan.constants)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR
    ).SerializeToString()


class _Plan:
    """Collects an ONNX graph's nodes and constants."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def add(self, kind: str, inputs: list[str], output: str, **attributes) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name: str, values, kind: type = np.float32) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.asarray(values, kind, order="C"), name))
        return name

    def channels_first(self, layer: Layer, kind: str, inputs: list[str], **attributes) -> None:
        """A node that wants height and width last, between two changes of the axes."""
        first = self.add("Transpose", inputs[:1], f"{layer.name}:in", perm=[0, 3, 1, 2])
        made = self.add(kind, [first, *inputs[1:]], f"{layer.name}:out", **attributes)
        self.add("Transpose", [made], layer.name, perm=[0, 2, 3, 1])


def _convolution(
    plan: _Plan, layer: Layer, inputs: list[str], arrays: tuple[np.ndarray, ...]
) -> None:
    constants = [plan.constant(f"{layer.name}:kernel", arrays[0].transpose(3, 2, 0, 1))]
    if layer.options["use_bias"]:
        constants.append(plan.constant(f"{layer.name}:bias", arrays[1]))
    plan.channels_first(
        layer,
        "Conv",
        [*inputs, *constants],
        auto_pad=_padding(layer),
        strides=[layer.options["strides"]] * 2,
    )


def _depthwise(
    plan: _Plan, layer: Layer, inputs: list[str], arrays: tuple[np.ndarray, ...]
) -> None:
    """Every channel has a filter of its own; the kernel is `(side, side, channels, 1)`."""
    constants = [plan.constant(f"{layer.name}:kernel", arrays[0].transpose(2, 3, 0, 1))]
    if layer.options["use_bias"]:
        constants.append(plan.constant(f"{layer.name}:bias", arrays[1]))
    plan.channels_first(
        layer,
        "Conv",
        [*inputs, *constants],
        auto_pad=_padding(layer),
        strides=[layer.options["strides"]] * 2,
        group=layer.output_shape[2],
    )


def _pooling(plan: _Plan, layer: Layer, inputs: list[str], _) -> None:
    side = layer.options["pool_size"]
    plan.channels_first(
        layer,
        "MaxPool",
        inputs,
        auto_pad=_padding(layer),
        kernel_shape=[side] * 2,
        strides=[layer.options.get("strides", side)] * 2,
    )


def _zeros(plan: _Plan, layer: Layer, inputs: list[str], _) -> None:
    (above, below), (left, right) = layer.options["padding"]
    plan.add(
        "Pad",
        [
            *inputs,
            plan.constant(f"{layer.name}:pads", [0, above, left, 0, 0, below, right, 0], np.int64),
        ],
        layer.name,
    )


def _enlarging(plan: _Plan, layer: Layer, inputs: list[str], _) -> None:
    size = float(layer.options["size"])
    plan.channels_first(
        layer,
        "Resize",
        [*inputs, "", plan.constant(f"{layer.name}:scales", [1, 1, size, size])],
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )


def _capped(plan: _Plan, layer: Layer, inputs: list[str], _) -> None:
    ends = [
        plan.constant(f"{layer.name}:{end}", np.float32(value))
        for end, value in (("low", 0), ("high", layer.options["max_value"]))
    ]
    plan.add("Clip", [*inputs, *ends], layer.name)


def _padding(layer: Layer) -> str:
    # An odd row of zeros goes below and to the right.
    return "SAME_UPPER" if layer.options["padding"] == "same" else "VALID"


def _dense(plan: _Plan, layer: Layer, inputs: list[str], arrays: tuple[np.ndarray, ...]) -> None:
    kernel, bias = (
        plan.constant(f"{layer.name}:{what}", values)
        for what, values in zip(("kernel", "bias"), arrays, strict=True)
    )
    plan.add(
        "Add", [plan.add("MatMul", [*inputs, kernel], f"{layer.name}:product"), bias], layer.name
    )


def _normalisation(
    plan: _Plan, layer: Layer, inputs: list[str], arrays: tuple[np.ndarray, ...]
) -> None:
    scale, offset, mean, variance = (array.astype(np.float64) for array in arrays)
    factor = scale / np.sqrt(variance + layer.options.get("epsilon", EPSILON))
    scaled = plan.add(
        "Mul", [*inputs, plan.constant(f"{layer.name}:factor", factor)], f"{layer.name}:scaled"
    )
    plan.add(
        "Add", [scaled, plan.constant(f"{layer.name}:offset", offset - mean * factor)], layer.name
    )


def _rescaling(plan: _Plan, layer: Layer, inputs: list[str], _) -> None:
    scaled = plan.add(
        "Mul",
        [*inputs, plan.constant(f"{layer.name}:scale", layer.options["scale"])],
        f"{layer.name}:scaled",
    )
    plan.add(
        "Add", [scaled, plan.constant(f"{layer.name}:offset", layer.options["offset"])], layer.name
    )


def _activation(plan: _Plan, layer: Layer, inputs: list[str], _) -> None:
    kind, name = layer.options["activation"], layer.name
    if kind == "gelu":  # x times the share of a normal distribution below x
        inner = plan.add(
            "Mul", [*inputs, plan.constant(f"{name}:root", np.sqrt(0.5))], f"{name}:inner"
        )
        share = plan.add(
            "Add",
            [plan.add("Erf", [inner], f"{name}:erf"), plan.constant(f"{name}:one", 1.0)],
            f"{name}:share",
        )
        half = plan.add("Mul", [*inputs, plan.constant(f"{name}:half", 0.5)], f"{name}:halved")
        plan.add("Mul", [half, share], name)
    elif kind == "silu":
        plan.add("Mul", [*inputs, plan.add("Sigmoid", inputs, f"{name}:sigmoid")], name)
    else:
        operation = {
            "relu": "Relu",
            "leaky_relu": "LeakyRelu",
            "elu": "Elu",
            "tanh": "Tanh",
            "sigmoid": "Sigmoid",
            "softmax": "Softmax",
        }
        plan.add(
            operation[kind],
            inputs,
            name,
            **({"alpha": LEAKY_SLOPE} if kind == "leaky_relu" else {}),
        )


_NODES = {
    "Conv2D": _convolution,
    "MaxPooling2D": _pooling,
    "Dense": _dense,
    "BatchNormalization": _normalisation,
    "Rescaling": _rescaling,
    "Activation": _activation,
    "DepthwiseConv2D": _depthwise,
    "ZeroPadding2D": _zeros,
    "UpSampling2D": _enlarging,
    "ReLU": _capped,
    "Concatenate": lambda plan, layer, inputs, _: plan.add("Concat", inputs, layer.name, axis=3),
    "Add": lambda plan, layer, inputs, _: plan.add("Add", inputs, layer.name),
    "Flatten": lambda plan, layer, inputs, _: plan.add("Flatten", inputs, layer.name, axis=1),
    "GlobalAveragePooling2D": lambda plan, layer, inputs, _: plan.add(
        "ReduceMean", inputs, layer.name, axes=[1, 2], keepdims=0
    ),
}
