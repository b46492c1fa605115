"""One neuron and its activation function, with the numbers of the network and picture in view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.explain.activations import Inside
from core.explain.last_layer import LastLayer
from core.labels import CLASS_NAMES
from core.networks.architectures import LEAKY_SLOPE
from core.networks.layers import Layer
from ui import state
from ui.components import curves, theme
from ui.components.words import word

TERMS = 6  # products of the weighted sum that are listed

Floats = NDArray[np.float64]


class Curve(NamedTuple):
    """An activation function: as LaTeX, itself, its slope, and what it is good for."""

    latex: str
    value: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    sentence: str


def _sigmoid(z: Floats) -> Floats:
    share: Floats = 1 / (1 + np.exp(-z))
    return share


def _normal(z: Floats) -> Floats:
    """The share of a normal distribution below z."""
    from scipy.special import ndtr

    share: Floats = ndtr(z)
    return share


ACTIVATIONS = {
    "relu": Curve(
        r"\max(0, z)",
        lambda z: np.maximum(z, 0),
        lambda z: (z > 0).astype(np.float64),
        "Everything below zero becomes zero. Cheap, and its slope does not fade; but a neuron that "
        "is always below zero stops learning.",
    ),
    "leaky_relu": Curve(
        rf"\max({LEAKY_SLOPE}\,z, z)",
        lambda z: np.where(z > 0, z, LEAKY_SLOPE * z),
        lambda z: np.where(z > 0, 1.0, LEAKY_SLOPE),
        "ReLU with a small slope below zero, so that no neuron dies.",
    ),
    "elu": Curve(
        r"z \text{ if } z > 0 \text{ else } e^z - 1",
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
        lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))),
        "Bends smoothly towards −1.",
    ),
    "gelu": Curve(
        r"z \cdot \Phi(z)",
        lambda z: z * _normal(z),
        lambda z: _normal(z) + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi),
        "z times the share of a normal distribution below z: a ReLU without a corner.",
    ),
    "silu": Curve(
        r"z \cdot \sigma(z)",
        lambda z: z * _sigmoid(z),
        lambda z: _sigmoid(z) * (1 + z * (1 - _sigmoid(z))),
        "z times its sigmoid: a ReLU without a corner.",
    ),
    "tanh": Curve(
        r"\tanh(z)",
        lambda z: np.tanh(z),
        lambda z: 1 - np.tanh(z) ** 2,
        "Between −1 and 1. Far from zero its slope fades, and learning with it.",
    ),
    "sigmoid": Curve(
        r"\sigma(z) = \frac{1}{1 + e^{-z}}",
        _sigmoid,
        lambda z: _sigmoid(z) * (1 - _sigmoid(z)),
        "Between 0 and 1. Its slope is 0.25 at most: through many layers the gradient vanishes.",
    ),
    "linear": Curve(
        "z",
        lambda z: z,
        lambda z: np.ones_like(z),
        "No bend at all: then many layers can do no more than one.",
    ),
}


def show_weighted_sum(last: LastLayer, prediction: int) -> None:
    """Draw the neuron with the largest score: inputs times weights, summed, plus bias."""
    st.markdown(
        "A **neuron** multiplies every number it receives by a **weight**, adds the products, and "
        "adds a number of its own, the **bias**. The last layer has ten, one for each class. This "
        f"is the one for **{CLASS_NAMES[prediction]}**, which has the highest score:"
    )
    st.latex(r"z = w_1 x_1 + w_2 x_2 + \dots + w_n x_n + b")
    products = last.inputs.astype(np.float64) * last.weights[:, prediction]
    order = np.argsort(-np.abs(products), kind="stable")
    rows = [
        _row(
            f"x{chr(0x2009)}{number:,}",
            f"{products[number]:.3f}",
            value=f"{last.inputs[number]:.3f}",
            weight=f"{last.weights[number, prediction]:.3f}",
        )
        for number in order[:TERMS]
    ]
    if len(order) > TERMS:
        others = products[order[TERMS:]].sum()
        rows.append(_row(f"the other {len(order) - TERMS:,}", f"{others:.3f}"))
    rows.append(_row("Bias b", f"{last.bias[prediction]:.3f}"))
    rows.append(_row("**Sum z**", f"**{last.scores[prediction]:.3f}**"))
    st.table(
        rows,
        border="horizontal",
        hide_index=True,
        alt=f"The weighted sum of the neuron for {CLASS_NAMES[prediction]}",
    )
    st.caption(
        f"The inputs are the embedding: the {len(order):,} numbers that the earlier layers made of "
        "the picture. A neuron of a convolution does the same with the few numbers under its "
        "filter; see *Step by step*."
    )


def _row(name: str, product: str, *, value: str = "", weight: str = "") -> dict[str, str]:
    return {"Input": name, "Value x": value, "Weight w": weight, "Product": product}


def show_activation(inside: Inside, maps: Mapping[str, NDArray[np.float32]]) -> None:
    """Draw activation functions, and what the network's own did to this picture."""
    layers = [
        layer
        for layer in inside.layers
        if layer.kind in ("Activation", "ReLU") and layer.name != "probabilities"
    ]
    used = str(layers[0].options.get("activation", "relu")) if layers else "linear"
    st.markdown(
        "After its weighted sum z, a neuron's output passes through an **activation** function. "
        "If that were a straight line, two layers in a row would still be one weighted sum; because "
        "it bends, layers can build on each other."
    )
    chosen = state.linked(
        "function",
        "network_function",
        {name: name for name in ACTIVATIONS},
        "the activation",
        used,
        lambda options: st.selectbox(
            "Activation",
            options,
            key="network_function",
            width=320,
            format_func=lambda name: word(name) + (" (this network's)" if name == used else ""),
        ),
    )
    curve = ACTIVATIONS[chosen]
    left, right = st.columns([3, 2], gap="large")
    with left:
        _chart(chosen, curve)
    with right:
        st.latex(f"a(z) = {curve.latex}")
        st.markdown(curve.sentence)
        st.caption(
            "Back-propagation multiplies by the slope on its way back: where it is near zero, "
            "little is learned."
        )
    if layers:
        _effect(used, layers, maps)


def _effect(used: str, layers: list[Layer], maps: Mapping[str, NDArray[np.float32]]) -> None:
    """Draw a table of the numbers before and after each activation."""
    rows = []
    for layer in layers:
        before, after = maps[layer.inputs[0]], maps[layer.name]
        rows.append(
            {
                "Layer": layer.name,
                "Values": f"{before.size:,}",
                "Below zero before": theme.percent(float((before < 0).mean()), 0),
                "Mean before": f"{before.mean():.3f}",
                "Mean after": f"{after.mean():.3f}",
            }
        )
    limits = [layer.options["max_value"] for layer in layers if layer.kind == "ReLU"]
    limit = f", cut off at {limits[0]:g}," if limits else ""
    st.markdown(f"What {word(used)}{limit} did to this picture, layer by layer:")
    st.table(
        rows,
        border="horizontal",
        hide_index=True,
        alt="Values below zero and means before and after every activation",
    )


def _chart(name: str, curve: Curve) -> None:
    import plotly.graph_objects as go

    z = np.linspace(-4, 4, 321)
    figure = go.Figure(
        [
            go.Scatter(
                x=z,
                y=curve.value(z),
                mode="lines",
                name="a(z)",
                line={"color": curves.TRAINING, "width": 3},
            ),
            go.Scatter(
                x=z,
                y=curve.slope(z),
                mode="lines",
                name="its slope",
                line={"color": curves.VALIDATION, "width": 2, "dash": "dot"},
            ),
        ]
    )
    figure.update_xaxes(title="z, the weighted sum", fixedrange=True, zeroline=True)
    figure.update_yaxes(range=[-1.6, 4.1], fixedrange=True, zeroline=True)
    figure.update_layout(
        height=300,
        margin={"l": 40, "r": 8, "t": 8, "b": 44},
        dragmode=False,
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"x": 0.02, "y": 0.98, "bgcolor": "rgba(0,0,0,0)"},
    )
    st.plotly_chart(
        figure,
        key="network_activation",
        width="stretch",
        config={"displayModeBar": False},
        alt=f"{word(name)} and its slope",
    )
