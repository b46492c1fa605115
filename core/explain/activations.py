"""Look inside a trained network: the output of every layer for one picture.

The exported network returns three arrays and hides the rest: the exporter merges normalisations
into convolutions. So the network is assembled once more, layer by layer, from the two things that
every run keeps, its list of layers (`architectures.blueprint`) and its weights (`weights`), as an
ONNX graph in which every layer is an output. Before any map is shown, both networks answer the same
pictures and have to agree.

It takes one picture at a time; `inference` is for many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from core import runs
from core.errors import RunDamaged
from core.inference import Network, open_session, soften
from core.labels import SIDE
from core.networks import layers
from core.networks.architectures import LEAKY_SLOPE, blueprint
from core.networks.layers import Layer
from core.runs import weights
from core.specs.spec import TrainSpec

if TYPE_CHECKING:
    import onnx

# Keras's default in batch normalisation, which `architectures` leaves alone in Atelier's own
# networks.
EPSILON = 0.001
# The probabilities of the two networks differ by about 0.000001, and by far more if a layer is not
# the same.
AGREE = 0.001
OPSET, IR = 17, 8
_ONLY_IN_TRAINING = {"Dropout"}  # in an answer, these pass their input on unchanged

Arrays = tuple[NDArray[Any], ...]  # the weights of one layer


class Inside:
    """A trained network whose every layer can be seen.

    Args:
        spec: the run's.
        arrays: its weights, as `weights.read` gives them.
        run_id: the run it belongs to, for messages.

    Raises:
        RunDamaged: if the weights do not fit the layers of the spec.
    """

    def __init__(self, spec: TrainSpec, arrays: Mapping[str, Arrays], run_id: str = "") -> None:
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
                f"The weights of the run {run_id} do not fit its layers ({', '.join(wrong[:3])}); "
                "someone may have edited its record or its model.keras. Restore them, or choose "
                "another run."
            )
        self._by_name = {layer.name: layer for layer in self.layers}
        self._session = open_session(_as_onnx(self.layers, arrays), run_id)

    def layer(self, name: str) -> Layer:
        """The layer of that name."""
        return self._by_name[name]

    @property
    def framed(self) -> bool:
        """Whether the network sees the picture in a black frame, as pretrained ones do."""
        return self.layers[1].name == "frame"

    def source(self, layer: Layer) -> Layer | None:
        """The layer whose output this one reads first; None for the picture itself."""
        return self.layer(layer.inputs[0]) if layer.inputs else None

    def maps(
        self, pixels: NDArray[np.uint8], names: Iterable[str] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """The outputs of layers for one picture.

        Args:
            pixels: uint8 `(28, 28)`, bright garment on black.
            names: of which layers; of all where it is None. A pretrained network has nearly two
                hundred, and some of them large.

        Returns:
            layer's name → float32 in the layer's output shape, in the order of the forward pass.
            The probabilities are those before the run's temperature.
        """
        if pixels.shape != (SIDE, SIDE) or pixels.dtype != np.uint8:
            raise ValueError(
                f"Expected pixels ({SIDE}, {SIDE}) of type uint8, "
                f"received {pixels.shape} {pixels.dtype}."
            )
        picture = pixels[None, ..., None].astype(np.float32)
        wanted = set(self._by_name if names is None else names)
        source = {
            layer.name: self._computed_by(layer.name)
            for layer in self.layers
            if layer.name in wanted
        }
        outputs = [name for name in dict.fromkeys(source.values()) if name != "picture"]
        values = {"picture": picture}
        if outputs:
            computed = self._session.run(outputs, {"picture": picture})
            values |= zip(outputs, computed, strict=True)
        return {name: values[computed_by][0] for name, computed_by in source.items()}

    def _computed_by(self, name: str) -> str:
        """The layer whose output a layer passes on; mostly itself."""
        layer = self._by_name[name]
        return self._computed_by(layer.inputs[0]) if layer.kind in _ONLY_IN_TRAINING else name

    def first_filters(self) -> tuple[str, NDArray[np.floating]] | None:
        """Name and kernel of the first layer that reads the picture itself.

        Returns:
            a convolution's kernel `(side, side, 1, filters)`; where it reads the same grey picture
            three times, the sum of its three parts, which is the same. In a network without
            convolution the first dense layer's, as `(28, 28, 1, units)`; None where its inputs are
            not the pixels.
        """
        for layer in self.layers:
            if layer.kind == "Conv2D":
                return layer.name, self.weights[layer.name][0].sum(axis=2, keepdims=True)
            if layer.kind == "Dense":
                kernel = self.weights[layer.name][0]
                if len(kernel) != SIDE * SIDE:
                    return None
                return layer.name, kernel.reshape(SIDE, SIDE, 1, -1)
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
    inside = Inside(run.spec, weights.read(run_id), run_id)
    apart = difference(inside, network)
    if apart > AGREE:
        raise RunDamaged(
            f"The saved network (model.keras) and the exported one (model.onnx) of the run "
            f"{run_id} answer the same pictures differently (by {apart:.3f}), so neither can be "
            "trusted. Restore the two files, or choose another run."
        )
    return inside


def difference(inside: Inside, network: Network) -> float:
    """The largest difference between the probabilities of the two, on three pictures: black, noise
    and a gradient.
    """
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE)).astype(np.uint8)
    slope = np.broadcast_to(np.linspace(0, 255, SIDE).astype(np.uint8), (SIDE, SIDE))
    pictures = np.stack([np.zeros((SIDE, SIDE), np.uint8), noise, slope])
    mine = np.stack(
        [inside.maps(picture, ["probabilities"])["probabilities"] for picture in pictures]
    )
    return float(np.abs(soften(mine, network.temperature) - network.probabilities(pictures)).max())


# --- the graph ------------------------------------------------------------------------------------


def _as_onnx(network: tuple[Layer, ...], arrays: Mapping[str, Arrays]) -> bytes:
    """The network as ONNX; every computed layer is an output named after it, in Keras's order of
    axes.
    """
    from onnx import TensorProto, helper

    graph = _Graph()
    outputs = []
    names = {"picture": "picture"}  # layer → tensor; what only passes on shares its input's
    for layer in network:
        if layer.kind == "InputLayer":
            continue
        inputs = [names[name] for name in layer.inputs]
        if layer.kind in _ONLY_IN_TRAINING:
            names[layer.name] = inputs[0]
            continue
        _NODES[layer.kind](graph, layer, inputs, arrays.get(layer.name, ()))
        names[layer.name] = layer.name
        outputs.append(
            helper.make_tensor_value_info(layer.name, TensorProto.FLOAT, [1, *layer.output_shape])
        )
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, SIDE, SIDE, 1])
    model = helper.make_model(
        helper.make_graph(graph.nodes, "inside", [picture], outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
    )
    return bytes(model.SerializeToString())


class _Graph:
    """Collects an ONNX graph's nodes and constants; methods return the name of the tensor."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name: str, values: ArrayLike, kind: DTypeLike = np.float32) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.asarray(values, kind, order="C"), name))
        return name

    def channels_first(self, layer: Layer, kind: str, inputs: list[str], **attributes: Any) -> None:
        """Add a node that needs height and width last, between two changes of the axes."""
        moved = self.add("Transpose", inputs[:1], f"{layer.name}:in", perm=[0, 3, 1, 2])
        output = self.add(kind, [moved, *inputs[1:]], f"{layer.name}:out", **attributes)
        self.add("Transpose", [output], layer.name, perm=[0, 2, 3, 1])


def _convolution(graph: _Graph, layer: Layer, inputs: list[str], arrays: Arrays) -> None:
    constants = [graph.constant(f"{layer.name}:kernel", arrays[0].transpose(3, 2, 0, 1))]
    if layer.options["use_bias"]:
        constants.append(graph.constant(f"{layer.name}:bias", arrays[1]))
    graph.channels_first(
        layer,
        "Conv",
        [*inputs, *constants],
        auto_pad=_padding(layer),
        strides=[layer.options["strides"]] * 2,
    )


def _depthwise(graph: _Graph, layer: Layer, inputs: list[str], arrays: Arrays) -> None:
    """Every channel has a filter of its own; the kernel is `(side, side, channels, 1)`."""
    constants = [graph.constant(f"{layer.name}:kernel", arrays[0].transpose(2, 3, 0, 1))]
    if layer.options["use_bias"]:
        constants.append(graph.constant(f"{layer.name}:bias", arrays[1]))
    graph.channels_first(
        layer,
        "Conv",
        [*inputs, *constants],
        auto_pad=_padding(layer),
        strides=[layer.options["strides"]] * 2,
        group=layer.output_shape[2],
    )


def _pooling(graph: _Graph, layer: Layer, inputs: list[str], _: Arrays) -> None:
    side = layer.options["pool_size"]
    graph.channels_first(
        layer,
        "MaxPool",
        inputs,
        auto_pad=_padding(layer),
        kernel_shape=[side] * 2,
        strides=[layer.options.get("strides", side)] * 2,
    )


def _zeros(graph: _Graph, layer: Layer, inputs: list[str], _: Arrays) -> None:
    (above, below), (left, right) = layers.frame(layer.options)
    graph.add(
        "Pad",
        [
            *inputs,
            graph.constant(f"{layer.name}:pads", [0, above, left, 0, 0, below, right, 0], np.int64),
        ],
        layer.name,
    )


def _enlarging(graph: _Graph, layer: Layer, inputs: list[str], _: Arrays) -> None:
    size = float(layer.options["size"])
    graph.channels_first(
        layer,
        "Resize",
        [*inputs, "", graph.constant(f"{layer.name}:scales", [1, 1, size, size])],
        mode="linear",
        coordinate_transformation_mode="half_pixel",
    )


def _capped(graph: _Graph, layer: Layer, inputs: list[str], _: Arrays) -> None:
    ends = [
        graph.constant(f"{layer.name}:{end}", np.float32(value))
        for end, value in (("low", 0), ("high", layer.options["max_value"]))
    ]
    graph.add("Clip", [*inputs, *ends], layer.name)


def _padding(layer: Layer) -> str:
    # If the number of zero rows is odd, the extra one goes below, and to the right.
    return "SAME_UPPER" if layer.options["padding"] == "same" else "VALID"


def _dense(graph: _Graph, layer: Layer, inputs: list[str], arrays: Arrays) -> None:
    kernel, bias = (
        graph.constant(f"{layer.name}:{what}", values)
        for what, values in zip(("kernel", "bias"), arrays, strict=True)
    )
    graph.add(
        "Add", [graph.add("MatMul", [*inputs, kernel], f"{layer.name}:product"), bias], layer.name
    )


def _normalisation(graph: _Graph, layer: Layer, inputs: list[str], arrays: Arrays) -> None:
    scale, offset, mean, variance = (array.astype(np.float64) for array in arrays)
    factor = scale / np.sqrt(variance + layer.options.get("epsilon", EPSILON))
    scaled = graph.add(
        "Mul", [*inputs, graph.constant(f"{layer.name}:factor", factor)], f"{layer.name}:scaled"
    )
    graph.add(
        "Add", [scaled, graph.constant(f"{layer.name}:offset", offset - mean * factor)], layer.name
    )


def _rescaling(graph: _Graph, layer: Layer, inputs: list[str], _: Arrays) -> None:
    scaled = graph.add(
        "Mul",
        [*inputs, graph.constant(f"{layer.name}:scale", layer.options["scale"])],
        f"{layer.name}:scaled",
    )
    graph.add(
        "Add", [scaled, graph.constant(f"{layer.name}:offset", layer.options["offset"])], layer.name
    )


def _activation(graph: _Graph, layer: Layer, inputs: list[str], _: Arrays) -> None:
    kind, name = layer.options["activation"], layer.name
    if kind == "gelu":  # x times the share of a normal distribution below x
        inner = graph.add(
            "Mul", [*inputs, graph.constant(f"{name}:root", np.sqrt(0.5))], f"{name}:inner"
        )
        share = graph.add(
            "Add",
            [graph.add("Erf", [inner], f"{name}:erf"), graph.constant(f"{name}:one", 1.0)],
            f"{name}:share",
        )
        half = graph.add("Mul", [*inputs, graph.constant(f"{name}:half", 0.5)], f"{name}:halved")
        graph.add("Mul", [half, share], name)
    elif kind == "silu":
        graph.add("Mul", [*inputs, graph.add("Sigmoid", inputs, f"{name}:sigmoid")], name)
    else:
        operation = {
            "relu": "Relu",
            "leaky_relu": "LeakyRelu",
            "elu": "Elu",
            "tanh": "Tanh",
            "sigmoid": "Sigmoid",
            "softmax": "Softmax",
        }
        graph.add(
            operation[kind],
            inputs,
            name,
            **({"alpha": LEAKY_SLOPE} if kind == "leaky_relu" else {}),
        )


_NODES: dict[str, Callable[[_Graph, Layer, list[str], Arrays], object]] = {
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
    "Concatenate": lambda graph, layer, inputs, _: graph.add("Concat", inputs, layer.name, axis=3),
    "Add": lambda graph, layer, inputs, _: graph.add("Add", inputs, layer.name),
    "Flatten": lambda graph, layer, inputs, _: graph.add("Flatten", inputs, layer.name, axis=1),
    "GlobalAveragePooling2D": lambda graph, layer, inputs, _: graph.add(
        "ReduceMean", inputs, layer.name, axes=[1, 2], keepdims=0
    ),
}
