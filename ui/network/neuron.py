"""One neuron and its activation, with the numbers of the network and picture in view."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.explain.activations import Inside
from core.explain.last_layer import LastLayer
from core.labels import CLASS_NAMES
from core.networks.architectures import LEAKY_SLOPE
from ui import state
from ui.components import curves, theme
from ui.components.words import word

TERMS = 6  # products of the weighted sum that are named
# name → (formula as LaTeX, the function, its slope, what it is good for)
ACTIVATIONS = {
    "relu": (
        r"\max(0, z)",
        lambda z: np.maximum(z, 0),
        lambda z: (z > 0) * 1.0,
        "Everything below zero becomes zero. Cheap, and its slope does not fade; a neuron that is always below zero learns no more.",
    ),
    "leaky_relu": (
        rf"\max({LEAKY_SLOPE}\,z, z)",
        lambda z: np.where(z > 0, z, LEAKY_SLOPE * z),
        lambda z: np.where(z > 0, 1.0, LEAKY_SLOPE),
        "ReLU with a small slope below zero, so that no neuron dies.",
    ),
    "elu": (
        r"z \text{ if } z > 0 \text{ else } e^z - 1",
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
        lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))),
        "Bends smoothly to −1.",
    ),
    "gelu": (
        r"z \cdot \Phi(z)",
        lambda z: z * _normal(z),
        lambda z: _normal(z) + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi),
        "z times the share of a normal distribution below z: a ReLU without a corner.",
    ),
    "silu": (
        r"z \cdot \sigma(z)",
        lambda z: z * _sigmoid(z),
        lambda z: _sigmoid(z) * (1 + z * (1 - _sigmoid(z))),
        "z times its sigmoid: a ReLU without a corner.",
    ),
    "tanh": (
        r"\tanh(z)",
        np.tanh,
        lambda z: 1 - np.tanh(z) ** 2,
        "Between −1 and 1. Far from zero its slope fades, and learning with it.",
    ),
    "sigmoid": (
        r"\sigma(z) = \frac{1}{1 + e^{-z}}",
        lambda z: _sigmoid(z),
        lambda z: _sigmoid(z) * (1 - _sigmoid(z)),
        "Between 0 and 1. Its slope is 0.25 at most: through many layers the gradient vanishes.",
    ),
    "linear": (
        "z",
        lambda z: z,
        lambda z: np.ones_like(z),
        "No bend at all: then many layers can do no more than one.",
    ),
}


def weighted_sum(last: LastLayer, guess: int) -> None:
    """Draw the neuron that decided: inputs times weights, summed, plus bias."""
    st.markdown(
        f"A **neuron** multiplies every number that it is given with a **weight**, adds the products, and adds a number of its "
        f"own, the **bias**. The last layer has ten, one a class. This is the one for **{CLASS_NAMES[guess]}**, which "
        "answered most:"
    )
    st.latex(r"z = w_1 x_1 + w_2 x_2 + \dots + w_n x_n + b")
    products = last.inputs.astype(np.float64) * last.weights[:, guess]
    order = np.argsort(-np.abs(products), kind="stable")
    rows = [
        {
            "Input": f"x{chr(0x2009)}{number:,}",
            "Value x": f"{last.inputs[number]:.3f}",
            "Weight w": f"{last.weights[number, guess]:.3f}",
            "Product": f"{products[number]:.3f}",
        }
        for number in order[:TERMS]
    ]
    if len(order) > TERMS:
        rows.append(
            {
                "Input": f"the other {len(order) - TERMS:,}",
                "Value x": "",
                "Weight w": "",
                "Product": f"{products[order[TERMS:]].sum():.3f}",
            }
        )
    rows += [
        {"Input": "Bias b", "Value x": "", "Weight w": "", "Product": f"{last.bias[guess]:.3f}"},
        {
            "Input": "**Sum z**",
            "Value x": "",
            "Weight w": "",
            "Product": f"**{last.scores[guess]:.3f}**",
        },
    ]
    st.table(
        rows,
        border="horizontal",
        hide_index=True,
        alt=f"The weighted sum of the neuron for {CLASS_NAMES[guess]}",
    )
    st.caption(
        f"The inputs are the embedding: the {len(order):,} numbers that the layers before made of the picture. A neuron of a "
        "convolution does the same with the few numbers under its filter; see *Step by step*."
    )


def activation(inside: Inside, maps: dict[str, np.ndarray]) -> None:
    """Draw activation functions, and what the network's own did to this picture."""
    bends = [
        layer
        for layer in inside.layers
        if layer.kind in ("Activation", "ReLU") and layer.name != "probabilities"
    ]
    used = bends[0].options.get("activation", "relu") if bends else "linear"
    st.markdown(
        "After its weighted sum z, a neuron's output is bent by an **activation** function. Without a bend, two layers in a row "
        "would still be one weighted sum; with it, layers can build on each other."
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
    formula, bend, slope, sentence = ACTIVATIONS[chosen]
    left, right = st.columns([3, 2], gap="large")
    with left:
        _drawn(chosen, bend, slope)
    with right:
        st.latex(f"a(z) = {formula}")
        st.markdown(sentence)
        st.caption(
            "The slope is what back-propagation multiplies with on its way back: where it is near zero, little is learnt."
        )
    rows = []
    for layer in bends:
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
    if rows:
        most = next(
            (
                f", cut off at {layer.options['max_value']:g},"
                for layer in bends
                if layer.kind == "ReLU"
            ),
            "",
        )
        st.markdown(f"What {word(used)}{most} did to this picture, layer by layer:")
        st.table(
            rows,
            border="horizontal",
            hide_index=True,
            alt="Values below zero and means around every activation",
        )


def _drawn(name: str, bend, slope) -> None:
    import plotly.graph_objects as go

    z = np.linspace(-4, 4, 321)
    figure = go.Figure(
        [
            go.Scatter(
                x=z,
                y=bend(z),
                mode="lines",
                name="a(z)",
                line={"color": curves.TRAINING, "width": 3},
            ),
            go.Scatter(
                x=z,
                y=slope(z),
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


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def _normal(z: np.ndarray) -> np.ndarray:
    from scipy.special import ndtr

    return ndtr(z)
