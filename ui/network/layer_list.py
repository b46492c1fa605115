"""The layers of a network: what each does, how large its output is and why, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.explain import steps
from core.networks.architectures import blueprint
from core.networks.layers import Layer, LayerKind
from core.runs import Run
from ui import state
from ui.components.words import word

# From how many layers on a network is shown in parts, and how many layers make a part.
LONG, PART = 60, 40

WORDS: dict[LayerKind, str] = {
    "InputLayer": "The picture: 28 × 28 grey values from 0 (black) to 255 (white).",
    "Rescaling": "Scales the grey values down to small numbers, which makes learning steadier. "
    "Nothing is learned here.",
    "Conv2D": "Each filter slides over its input and takes a weighted sum at every position. It "
    "responds strongly where the input looks like the filter, wherever that is. The same few "
    "weights are used everywhere.",
    "BatchNormalization": "Shifts and scales every channel using the mean and variance averaged "
    "over training, so that the next layer always receives numbers of similar size.",
    "Activation": "Passes every number through the same bent curve. Without it, any number of "
    "layers could do no more than one.",
    "MaxPooling2D": "Keeps the largest value of every window: half the width and height, a "
    "quarter of the work, and a garment that moves by a pixel changes little.",
    "Dropout": "During training, switches a share of the values off at random, so that no neuron "
    "can rely on a single other one. At inference, as here, it passes everything on.",
    "Flatten": "Writes all maps into one long row, for the dense layers that follow.",
    "GlobalAveragePooling2D": "Takes the average of every channel: one number for how much of "
    "what the channel looks for is anywhere in the picture.",
    "Dense": "Every neuron takes a weighted sum of all numbers of the layer before, and adds its "
    "bias.",
    "Add": "Adds the block's input to its output: the block only learns what to change, and the "
    "gradient has a shortcut back.",
    "ZeroPadding2D": "Puts a frame of zeros around every map, so that the next layer's window "
    "also fits at the edge.",
    "UpSampling2D": "Enlarges the picture by interpolating between neighbouring pixels. No detail "
    "is added; the pretrained network expects larger pictures.",
    "Concatenate": "Stacks its inputs. The pretrained network expects pictures with three "
    "colours; here each of them is the same grey.",
    "DepthwiseConv2D": "Like a convolution, but every channel has one filter of its own and is "
    "not mixed with the others: much less work. The 1 × 1 convolution after it does the mixing.",
    "ReLU": "Cuts every number off: what is below zero becomes zero, and what is above the limit "
    "becomes the limit.",
}
SOFTMAX = (
    "Softmax: turns the ten scores into ten probabilities; all are above zero, and they sum to one."
)


def words(layer: Layer) -> str:
    """What a layer does, explained to a newcomer."""
    return SOFTMAX if layer.name == "probabilities" else WORDS.get(layer.kind, "")


def title(layer: Layer) -> str:
    """Kind and settings in a few words, as in `Conv2D, 32 filters 3 × 3, same`."""
    detail = word(layer.detail) if layer.kind == "Activation" else layer.detail
    return f"{layer.kind}, {detail}" if detail else layer.kind


def shape(layer: Layer) -> str:
    """The shape of its output, never broken where a table is narrow."""
    return "\u00a0×\u00a0".join(map(str, layer.output_shape))


def part(layers: Sequence[Layer]) -> Sequence[Layer]:
    """Let people choose a part of a long network; all layers of a short one.

    Nearly two hundred at once are too many to look at.
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


def show(run: Run) -> None:
    """Draw the sums over all layers, one layer with its formula, and the table, folded."""
    layers = blueprint(run.spec)
    by_name = {layer.name: layer for layer in layers}
    with st.container(horizontal=True, gap="large"):
        st.metric("Layers", len(layers) - 1, help="Not counting the input.", width="content")
        st.metric(
            "Parameters",
            f"{sum(layer.parameters for layer in layers):,}",
            help="All numbers that the network has learned or keeps: weights, biases, and the "
            "averages of its normalisations.",
            width="content",
        )
        st.metric(
            "Multiply-adds",
            f"{sum(layer.multiply_adds for layer in layers):,}",
            help="One multiplication and one addition each, to send one picture through the network.",
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
            "Explain a layer",
            options,
            key="network_layer",
            width=320,
            format_func=lambda name: f"{name} · {by_name[name].kind}",
        ),
    )
    _explain(by_name[name], by_name)
    with st.expander("All layers in a table", icon=":material/table_rows:"):
        _table(run, layers, by_name)


def _table(run: Run, layers: Sequence[Layer], by_name: Mapping[str, Layer]) -> None:
    rows = []
    for layer in part(layers):
        formula = steps.size_of(layer, by_name[layer.inputs[0]] if layer.inputs else None)
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


def _explain(layer: Layer, by_name: Mapping[str, Layer]) -> None:
    st.markdown(words(layer))
    source = by_name[layer.inputs[0]] if layer.inputs else None
    formula = steps.size_of(layer, source)
    if formula:
        st.latex(formula.latex)
        st.caption(formula.words)
    if source and (sentence := count_parameters(layer, source)):
        st.markdown(sentence)


def count_parameters(layer: Layer, source: Layer) -> str:
    """Where a layer's parameters and multiply-adds come from, in numbers; empty where it has none.

    Args:
        source: the layer that it reads.
    """
    options, shape = layer.options, layer.output_shape
    if layer.kind == "Conv2D":
        side, filters, channels = options["kernel_size"], options["filters"], source.output_shape[2]
        bias = (
            f" + {filters} biases"
            if options["use_bias"]
            else " (no bias: the normalisation after it has one)"
        )
        return (
            f"Parameters: {side} × {side} × {channels} × {filters} weights{bias} = "
            f"{layer.parameters:,}. Multiply-adds: {side} × {side} × {channels} for each of "
            f"{shape[0]} × {shape[1]} × {filters} outputs = {layer.multiply_adds:,}."
        )
    if layer.kind == "DepthwiseConv2D":
        side = options["kernel_size"]
        return (
            f"Parameters: {side} × {side} weights for each of {shape[2]} channels = "
            f"{layer.parameters:,}. Multiply-adds: {side} × {side} for each of "
            f"{shape[0]} × {shape[1]} × {shape[2]} outputs = {layer.multiply_adds:,}."
        )
    if layer.kind == "Dense":
        return (
            f"Parameters: {source.output_shape[0]} × {options['units']} weights + "
            f"{options['units']} biases = {layer.parameters:,}. "
            f"Multiply-adds: {layer.multiply_adds:,}."
        )
    if layer.kind == "BatchNormalization":
        return (
            f"Parameters: scale, offset, mean and variance for each of {shape[-1]} channels = "
            f"{layer.parameters:,}; the last two are averages, and are not learned by gradient "
            "descent."
        )
    return ""
