"""A convolution and a max pooling on real pixels, window by window: where the window is, what is
calculated, what comes out.

The steps are played in the browser (`window_walk`); a fragment draws the choices. With a filter
that the network has learned, the numbers are the network's own; the sum is what its first layer
computes.
"""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import streamlit as st

from core.explain import steps
from core.explain.activations import Inside
from core.explain.steps import CLASSIC
from core.networks.layers import Layer, LayerKind
from ui import state
from ui.network import window_walk
from ui.network.subject import Subject
from ui.network.window_walk import Maps, Scene

Operation = Literal["convolution", "pooling"]
OPERATIONS: dict[Operation, str] = {"convolution": "Convolution", "pooling": "Max pooling"}
# Layers that change every value by itself: the step follows through them.
ELEMENTWISE = {"BatchNormalization", "Activation", "ReLU"}


@st.fragment
def show(inside: Inside | None, subject: Subject) -> None:
    """Draw the choice of an operation, and the walk of its window.

    Args:
        inside: the network; None where it cannot be looked into, which leaves the filters that
            people designed.
        subject: the picture.
    """
    maps = inside.maps(subject.pixels, _needed(inside)) if inside else {}
    operation = state.linked(
        "op",
        "network_op",
        {str(name): name for name in OPERATIONS},
        "the operation",
        "convolution",
        lambda options: st.segmented_control(
            "Operation",
            options,
            key="network_op",
            required=True,
            format_func=OPERATIONS.__getitem__,
            label_visibility="collapsed",
        ),
    )
    scene = (_convolution if operation == "convolution" else _pooling)(inside, maps, subject)
    st.markdown(scene.sentence)
    window_walk.draw(scene, key=f"network_walk_{operation}")


def _needed(inside: Inside) -> list[str]:
    """The layers whose maps are shown here: the first convolution and pooling, what they read, and
    what follows the convolution.
    """
    conv, pool = _first(inside, "Conv2D"), _first(inside, "MaxPooling2D")
    names = [name for layer in (conv, pool) if layer for name in (layer.inputs[0], layer.name)]
    return names + ([layer.name for layer in _following(inside, conv.name)] if conv else [])


def _first(inside: Inside, kind: LayerKind) -> Layer | None:
    return next((layer for layer in inside.layers if layer.kind == kind), None)


def _convolution(inside: Inside | None, maps: Maps, subject: Subject) -> Scene:
    conv = _first(inside, "Conv2D") if inside else None
    classic = {re.sub(r"[^a-z]+", "-", name.lower()): name for name in CLASSIC}
    learned = (
        {
            str(number): f"Filter {number} of {conv.name}, learned"
            for number in range(conv.options["filters"])
        }
        if conv
        else {}
    )
    titles = {**learned, **classic}
    chosen = state.linked(
        "filter",
        "network_filter",
        {name: name for name in titles},
        "the filter",
        next(iter(titles)),
        lambda options: st.selectbox(
            "Filter", options, key="network_filter", format_func=titles.__getitem__, width=320
        ),
    )
    if inside and conv and chosen in learned:
        return _learned(inside, conv, int(chosen), maps)
    name = classic[chosen]
    return Scene(
        steps.convolve(subject.pixels / 255.0, np.array(CLASSIC[name], np.float64)),
        f"A hand-designed filter: **{name.lower()}**. It covers 3 × 3 pixels; each brightness "
        "(0 to 1) is multiplied by the weight on it, and the nine products are added. Then it "
        "moves on by one pixel. Learned convolutions do the same, only with weights that come from "
        "training.",
    )


def _learned(inside: Inside, conv: Layer, number: int, maps: Maps) -> Scene:
    kernel = inside.weights[conv.name][0].sum(axis=2)
    bias = float(inside.weights[conv.name][1][number]) if conv.options["use_bias"] else 0.0
    source = inside.layer(conv.inputs[0])
    stride = conv.options["strides"]
    walk = steps.convolve(
        maps[source.name][..., 0],
        kernel[:, :, number],
        bias=bias,
        stride=stride,
        padding=steps.padding_of(conv),
    )
    side, count = len(kernel), len(kernel) ** 2
    bias_words = f", and the bias of {_text(bias)} is added" if conv.options["use_bias"] else ""
    edge = " At the edge the window covers padding zeros (P)." if walk.before else ""
    sentence = (
        f"**Filter {number} of {conv.name}**, as trained. Its {side} × {side} weights "
        f"cover {side} × {side} values; each pair is multiplied, the {count} products are "
        f"added{bias_words}: one value of the feature map. Then the window moves on by "
        f"{stride}.{edge} These are the network's own numbers."
    )
    if source.output_shape[2] > 1:
        sentence += (
            f" The picture is repeated {source.output_shape[2]} times, as red, green and blue; as all "
            "of them are the same grey, their weights are added up here."
        )
    return Scene(
        walk,
        sentence,
        "The picture, 0 to 255"
        if source.kind == "InputLayer"
        else f"The picture after {source.name}",
        f"{conv.name}, map {number}",
        {layer.name: maps[layer.name][..., number] for layer in _following(inside, conv.name)},
    )


def _pooling(inside: Inside | None, maps: Maps, subject: Subject) -> Scene:
    pool = _first(inside, "MaxPooling2D") if inside else None
    field = pool.options["pool_size"] if pool else 2
    stride = pool.options.get("strides", field) if pool else field
    pace = "the windows do not overlap" if stride == field else f"the window moves on by {stride}"
    rule = f"Only the largest value of every {field} × {field} window is kept; {pace}. "
    if inside is None or pool is None:
        why = "This network has no max pooling (it takes larger steps instead), so it is s"
        return Scene(
            steps.pool(subject.pixels / 255.0),
            f"{rule}{why if inside else 'It is s'}hown on the picture itself.",
        )
    source = inside.layer(pool.inputs[0])
    values = maps[source.name]
    strongest = int(np.argmax(values.sum(axis=(0, 1))))
    number = state.linked(
        "map",
        "network_map",
        {str(number): number for number in range(values.shape[2])},
        "the map",
        strongest,
        lambda options: st.selectbox(
            f"Map of {source.name}",
            options,
            key="network_map",
            width=320,
            format_func=lambda number: (
                f"Map {number}" + (", the strongest" if number == strongest else "")
            ),
        ),
    )
    padding = steps.padding_of(pool)
    return Scene(
        steps.pool(values[..., number], field=field, stride=stride, padding=padding),
        f"{rule}Shown for **{pool.name}**, on one of the network's maps of this picture. Nothing "
        "is learned in it.",
        f"{source.name}, map {number}",
        f"{pool.name}, map {number}",
    )


def _following(inside: Inside, name: str) -> list[Layer]:
    """The layers that follow one another after this one and treat every value by itself."""
    layers: list[Layer] = []
    while True:
        after = [
            layer
            for layer in inside.layers
            if layer.inputs == (name,) and layer.kind in ELEMENTWISE
        ]
        if len(after) != 1:
            return layers
        name = after[0].name
        layers += after


def _text(value: float) -> str:
    """A number in as few digits as a cell can hold, with a real minus sign."""
    decimals = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:.{decimals}f}"
    return "0" if float(text) == 0 else text.replace("-", "−")
