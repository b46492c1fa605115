"""The layers of a network: what each does, how large its output is and why, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.explain import steps
from core.networks.architectures import Layer, blueprint
from core.runs import Run
from ui import state
from ui.components.words import word

LONG, PART = 60, 40  # layers: from when on a network is shown in parts, and how many are one

WORDS = {
    "InputLayer": "The picture: 28 × 28 grey values from 0 (black) to 255 (white).",
    "Rescaling": "Brings the grey values to small numbers, with which learning is steadier. Nothing is learnt here.",
    "Conv2D": "Each filter slides over its input and takes a weighted sum at every place. It answers strongly where the input looks like "
    "the filter, wherever that is. The same few weights serve every place.",
    "BatchNormalization": "Shifts and scales every channel by what was usual while training, so that the next layer always meets numbers "
    "of the same size.",
    "Activation": "Bends every number by the same function. Without it, any number of layers would be worth no more than one.",
    "MaxPooling2D": "Keeps the largest value of every window: half the width and height, a quarter of the work, and a garment that "
    "moves by a pixel changes little.",
    "Dropout": "While training, switches a share of the values off at random, so that no neuron can rely on a single other one. In "
    "answers, as here, it hands everything on.",
    "Flatten": "Writes all maps into one long row, for the dense layers that follow.",
    "GlobalAveragePooling2D": "Takes the average of every channel: one number for how much of what it looks for is "
    "anywhere in the picture.",
    "Dense": "Every neuron takes a weighted sum of all numbers of the layer before, and adds its bias.",
    "Add": "Adds the block's input to its output: the block learns only what to change, and the gradient finds a short way back.",
    "ZeroPadding2D": "Lays a frame of zeros around every map, so that the next layer's window also fits at the edge.",
    "UpSampling2D": "Enlarges the picture by weighing neighbours by their distance. Nothing is added to what can be seen; the borrowed "
    "network is used to larger pictures.",
    "Concatenate": "Puts its inputs behind each other. The borrowed network knows pictures of three colours; here each of them is the same "
    "grey.",
    "DepthwiseConv2D": "Like a convolution, but every channel has one filter of its own and is not mixed with the others: much less work. "
    "The 1 × 1 convolution behind it does the mixing.",
    "ReLU": "Bends every number: what is below zero becomes zero, and what is above the limit becomes the limit.",
}
SOFTMAX = (
    "Softmax: makes ten probabilities of the ten scores; all are above zero, and they sum to one."
)


def words(layer: Layer) -> str:
    """What a layer does, for a newcomer."""
    return SOFTMAX if layer.name == "probabilities" else WORDS.get(layer.kind, "")


def title(layer: Layer) -> str:
    """Kind and settings in a few words, as in `Conv2D, 32 filters 3 × 3, same`."""
    detail = word(layer.detail) if layer.kind == "Activation" else layer.detail
    return f"{layer.kind}, {detail}" if detail else layer.kind


def shape(layer: Layer) -> str:
    """Its output's shape, unbroken where a table is narrow."""
    return "\u00a0×\u00a0".join(map(str, layer.output_shape))


def part(layers: Sequence[Layer]) -> Sequence[Layer]:
    """Some of the layers of a long network, which people choose; all of a short one. Nearly two
    hundred at once show nothing.
    """
    if len(layers) <= LONG:
        return layers
    parts = [layers[start : start + PART] for start in range(0, len(layers), PART)]
    names = {str(number + 1): number for number in range(len(parts))}
    chosen = state.linked(
        "part",
        "network_part",
        names,
        "the part",
        0,
        lambda options: st.selectbox(
            "Part of the network",
            options,
            key="network_part",
            width=480,
            format_func=lambda number: (
                f"{number * PART + 1} to {number * PART + len(parts[number])} of {len(layers)}: "
                f"{parts[number][0].name} … {parts[number][-1].name}"
            ),
        ),
    )
    return parts[chosen]


def show(run: Run, rebuilt: bool) -> None:
    """Draw the table of all layers, and one of them with its formula.

    Args:
        run: whose network.
        rebuilt: whether the maps of every layer can be seen on this page.
    """
    layers = blueprint(run.spec)
    by_name = {layer.name: layer for layer in layers}
    with st.container(horizontal=True, gap="large"):
        st.metric("Layers", len(layers) - 1, help="Without the picture itself.", width="content")
        st.metric(
            "Parameters",
            f"{sum(layer.parameters for layer in layers):,}",
            help="All numbers that the network learnt or keeps: weights, biases, and the averages of its normalisations.",
            width="content",
        )
        st.metric(
            "Multiply-adds",
            f"{sum(layer.multiply_adds for layer in layers):,}",
            help="One multiplication and one addition each, for one picture's way through the network.",
            width="content",
        )
    first = next((layer.name for layer in layers if layer.kind == "Conv2D"), layers[1].name)
    name = state.linked(
        "layer",
        "network_layer",
        {layer.name: layer.name for layer in layers},
        "the layer",
        first,
        lambda options: st.selectbox(
            "One layer, worked out",
            options,
            key="network_layer",
            width=320,
            format_func=lambda one: f"{one} · {by_name[one].kind}",
        ),
    )
    _worked_out(by_name[name], by_name)
    rows = []
    for layer in part(layers):
        formula = steps.size(layer, by_name[layer.inputs[0]] if layer.inputs else None)
        rows.append(
            {
                "Layer": f"**{layer.name}**"
                + ("" if layer.kind == "InputLayer" else f" :small[:gray[{title(layer)}]]"),
                "Output": shape(layer),
                "Width": formula.text.replace(" ", "\u00a0") if formula else "",
                "Parameters": f"{layer.parameters:,}" if layer.parameters else "–",
                "Multiply-adds": f"{layer.multiply_adds:,}" if layer.multiply_adds else "–",
            }
        )
    with st.container(key="network_layers"):
        st.table(
            rows,
            border="horizontal",
            hide_index=True,
            alt=f"{len(rows)} layers of {run.name} with output shape, size formula, parameters and multiply-adds",
        )
    if rebuilt:
        st.caption(
            "Every layer can be looked at under *Feature maps*: none is melted into another, as exporters do, because the "
            "network is put together here layer by layer from its saved weights."
        )


def _worked_out(layer: Layer, by_name: dict[str, Layer]) -> None:
    st.markdown(words(layer))
    source = by_name[layer.inputs[0]] if layer.inputs else None
    formula = steps.size(layer, source)
    if formula:
        st.latex(formula.latex)
        st.caption(formula.words)
    if sentence := counted(layer, source):
        st.markdown(sentence)


def counted(layer: Layer, source: Layer | None) -> str:
    """Where a layer's parameters and multiply-adds come from, with its numbers; empty where there
    are none.
    """
    if layer.kind == "Conv2D":
        side, channels, filters = (
            layer.options["kernel_size"],
            source.output_shape[2],
            layer.options["filters"],
        )
        bias = (
            f" + {filters} biases"
            if layer.options["use_bias"]
            else " (no bias: the normalisation behind it has one)"
        )
        high, wide = layer.output_shape[:2]
        return (
            f"Parameters: {side} × {side} × {channels} × {filters} weights{bias} = {layer.parameters:,}. "
            f"Multiply-adds: {side} × {side} × {channels} for each of {high} × {wide} × {filters} outputs = {layer.multiply_adds:,}."
        )
    if layer.kind == "DepthwiseConv2D":
        side, (high, wide, channels) = layer.options["kernel_size"], layer.output_shape
        return (
            f"Parameters: {side} × {side} weights for each of {channels} channels = {layer.parameters:,}. Multiply-adds: "
            f"{side} × {side} for each of {high} × {wide} × {channels} outputs = {layer.multiply_adds:,}."
        )
    if layer.kind == "Dense":
        inputs, units = source.output_shape[0], layer.options["units"]
        return f"Parameters: {inputs} × {units} weights + {units} biases = {layer.parameters:,}. Multiply-adds: {layer.multiply_adds:,}."
    if layer.kind == "BatchNormalization":
        return (
            f"Parameters: scale, offset, mean and variance for each of {layer.output_shape[-1]} channels = {layer.parameters:,}; the "
            "last two are averages, and not learnt by gradient."
        )
    return ""
