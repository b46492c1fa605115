"""Tiny networks in ONNX format, written by hand, so that tests know what they must answer.

`template_network` compares a picture, averaged over 4 x 4 tiles, with ten patterns: the embedding
is those 49 tiles in 0..1, the scores are its products with the patterns. `answers` does the same
with NumPy.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

TILES = 49


def patterns(seed: int = 0) -> np.ndarray:
    """Ten random patterns, float32 `(49, 10)`."""
    return np.random.default_rng(seed).normal(0, 2, (TILES, 10)).astype(np.float32)


def answers(pixels: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities `(n, 10)` and embeddings `(n, 49)` that the network must give, computed in
    float64.
    """
    embedding = (
        pixels.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4), dtype=np.float64).reshape(-1, TILES) / 255
    )
    powers = np.exp(embedding @ weights)
    return powers / powers.sum(axis=1, keepdims=True), embedding


def template_network(
    weights: np.ndarray | None = None,
    *,
    names: tuple[str, ...] = ("features", "probabilities", "embedding"),
    input_name: str = "keras_tensor_7",
    last: str = "Softmax",
    input_type: int = TensorProto.FLOAT,
) -> bytes:
    """An ONNX file.

    Args:
        weights: float32 `(49, classes)`, default `patterns()`.
        names: its outputs, in this order; others than the three real ones repeat the embedding.
        last: the operation behind the scores; anything but Softmax gives no probabilities.
    """
    weights = patterns() if weights is None else weights
    nodes = [
        helper.make_node("Cast", [input_name], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "scale"], ["scaled"]),
        helper.make_node("Transpose", ["scaled"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["first"], ["tiles"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Transpose", ["tiles"], ["features"], perm=[0, 2, 3, 1]),
        helper.make_node("Flatten", ["tiles"], ["embedding"]),
        helper.make_node("MatMul", ["embedding", "patterns"], ["scores"]),
        helper.make_node(last, ["scores"], ["probabilities"]),
    ]
    shapes = {"features": ["n", 7, 7, 1], "probabilities": ["n", weights.shape[1]]}
    nodes += [
        helper.make_node("Identity", ["embedding"], [name])
        for name in names
        if name not in ("embedding", *shapes)
    ]
    graph = helper.make_graph(
        nodes,
        "template",
        [helper.make_tensor_value_info(input_name, input_type, ["n", 28, 28, 1])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes.get(name, ["n", TILES]))
            for name in names
        ],
        [
            numpy_helper.from_array(np.float32(1 / 255), "scale"),
            numpy_helper.from_array(weights, "patterns"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def echo_network(input_shape: tuple) -> bytes:
    """An ONNX file with the right output names that hands back what it was given, whatever shape
    that has.
    """
    outputs = ("probabilities", "embedding", "features")
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], [name]) for name in outputs],
        "echo",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(input_shape))],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, list(input_shape))
            for name in outputs
        ],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
