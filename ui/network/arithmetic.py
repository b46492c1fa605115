"""A convolution and a max pooling on real pixels, window by window: where the window is, what is
calculated, what comes out.

A fragment: the step moves without the rest of the page. With a filter that the network has learned,
the numbers are the network's own; the sum is what its first layer computes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.explain import steps
from core.explain.activations import Inside
from core.explain.steps import CLASSIC, Step, Walk
from core.networks.layers import Layer, LayerKind
from ui import state
from ui.components import heat, thumbnails
from ui.network.subject import Subject

Operation = Literal["convolution", "pooling"]
OPERATIONS: dict[Operation, str] = {"convolution": "Convolution", "pooling": "Max pooling"}
# Layers that change every value by itself: the step follows through them.
ELEMENTWISE = {"BatchNormalization", "Activation", "ReLU"}
OWN_PIXELS = "The picture, 0 to 1"

Maps = Mapping[str, NDArray[np.float32]]  # by the layer's name


@dataclass(frozen=True)
class Scene:
    """One walk of a window, with what is shown around it.

    Attributes:
        walk: the windows and their values.
        sentence: what is calculated, for a newcomer.
        source, result: what input and output are called.
        after: by layer, float `(h, w)`: what the following layers make of the output, in their
            order.
    """

    walk: Walk
    sentence: str
    source: str = OWN_PIXELS
    result: str = "Output"
    after: Maps = field(default_factory=dict)


@st.fragment
def show(inside: Inside | None, subject: Subject) -> None:
    """Draw the choice of an operation, a step slider, and the step.

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
    step = scene.walk.step(_choose_step(scene.walk, f"network_step_{operation}"))
    st.html(
        f'<div class="network-walk">'
        f"{_input(scene, step)}{_sum(scene, step)}{_output(scene, step)}</div>"
    )


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


def _choose_step(walk: Walk, key: str) -> int:
    """Draw a slider and buttons for the step; returns its number, from 0."""
    count, width = walk.output.size, walk.output.shape[1]
    if st.session_state.get(key, 0) > count or key not in st.session_state:
        st.session_state[key] = _liveliest(walk) + 1

    def move(by: int) -> None:
        st.session_state[key] = min(max(st.session_state[key] + by, 1), count)

    number = st.slider("Step", 1, count, key=key)
    with st.container(horizontal=True):
        for label, icon, by in (
            ("Back", ":material/chevron_left:", -1),
            ("Next", ":material/chevron_right:", 1),
            ("Row up", ":material/expand_less:", -width),
            ("Row down", ":material/expand_more:", width),
        ):
            st.button(
                label,
                key=f"{key}_{label.lower().replace(' ', '_')}",
                icon=icon,
                on_click=move,
                args=(by,),
            )
    return number - 1


def _liveliest(walk: Walk) -> int:
    """The step whose window has the most varied values and lies within the picture: there is
    something to see.
    """
    first, end = walk.before, walk.before + walk.inner

    def spread(number: int) -> float:
        step = walk.step(number)
        within = min(step.top, step.left) >= first and max(step.top, step.left) + walk.field <= end
        return float(step.window.std()) if within else -1.0

    return max(range(walk.output.size), key=spread)


def _input(scene: Scene, step: Step) -> str:
    walk = scene.walk
    height, width = walk.padded.shape
    shown = np.where(np.isfinite(walk.padded), walk.padded, 0.0)
    boxes = _box("window", step.left, step.top, walk.field, width, height)
    if walk.inner < width:
        boxes += _box("edge", walk.before, walk.before, walk.inner, width, height)
    return _panel(
        heat.colours(shown, heat.reach(shown)),
        boxes,
        scene.source,
        f"{scene.source}; the window is at row {step.top + 1}, column {step.left + 1}",
    )


def _output(scene: Scene, step: Step) -> str:
    output = scene.walk.output
    painted = np.concatenate(
        [heat.colours(output, heat.reach(output)), np.full((*output.shape, 1), 255, np.uint8)],
        axis=2,
    )
    painted.reshape(-1, 4)[step.row * output.shape[1] + step.column + 1 :, 3] = 0
    box = _box("window", step.column, step.row, 1, output.shape[1], output.shape[0])
    return _panel(
        painted,
        box,
        f"{scene.result}, so far",
        f"The output up to row {step.row + 1}, column {step.column + 1}",
    )


def _panel(pixels: NDArray[np.uint8], boxes: str, caption: str, alt: str) -> str:
    return (
        f'<figure><div><img src="{thumbnails.data_uri(pixels)}" '
        f'alt="{html.escape(alt, quote=True)}">{boxes}</div>'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def _box(kind: str, left: int, top: int, side: int, width: int, height: int) -> str:
    return (
        f'<i class="{kind}" style="left:{100 * left / width:.3f}%;top:{100 * top / height:.3f}%;'
        f'width:{100 * side / width:.3f}%;height:{100 * side / height:.3f}%"></i>'
    )


def _sum(scene: Scene, step: Step) -> str:
    """The window's cells, and the value computed from them."""
    walk, side = scene.walk, scene.walk.field
    if walk.weights is None:
        cells = _pooled_cells(step)
        lines = [f"<b>Largest: {_text(step.value)}</b>"]
    else:
        cells = _product_cells(step, walk.weights)
        lines = _sum_lines(walk, float((step.window * walk.weights).sum()), step.value)
    rows = "".join(
        f"<tr>{''.join(cells[start : start + side])}</tr>" for start in range(0, side * side, side)
    )
    lines += [
        f"After {html.escape(name)}: <b>{_text(float(values[step.row, step.column]))}</b>"
        for name, values in scene.after.items()
    ]
    return (
        f'<section><table class="wide-{min(side, 7)}">{rows}</table><p>{"<br>".join(lines)}</p>'
        f"<small>Row {step.row + 1}, column {step.column + 1} of the output</small></section>"
    )


def _pooled_cells(step: Step) -> list[str]:
    largest = int(np.argmax(step.window))
    return [
        f'<td class="{"best" if number == largest else ""}">'
        f"{_text(value) if np.isfinite(value) else '–'}</td>"
        for number, value in enumerate(step.window.ravel().tolist())
    ]


def _product_cells(step: Step, weights: steps.Floats) -> list[str]:
    cells = []
    for value, weight in zip(step.window.ravel().tolist(), weights.ravel().tolist(), strict=True):
        product = value * weight
        sign = "plus" if product > 0 else "minus" if product < 0 else ""
        cells.append(
            f'<td class="{sign}"><small>{_text(value)} × {_text(weight)}</small>{_text(product)}</td>'
        )
    return cells


def _sum_lines(walk: Walk, total: float, output: float) -> list[str]:
    if not walk.bias:
        return [f"Sum of the {walk.field**2} products: <b>{_text(total)}</b>"]
    return [
        f"Sum of the {walk.field**2} products: {_text(total)}",
        f"Plus bias {_text(walk.bias)}: <b>{_text(output)}</b>",
    ]


def _text(value: float) -> str:
    """A number in as few digits as a cell can hold, with a real minus sign."""
    decimals = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:.{decimals}f}"
    return "0" if float(text) == 0 else text.replace("-", "−")


STYLE = """
.network-walk { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
.network-walk figure { margin: 0; flex: 1 1 15rem; max-width: 20rem; }
.network-walk figure div { position: relative; border-radius: 4px; overflow: hidden;
  background: repeating-conic-gradient(#8f95a555 0 25%, transparent 0 50%) 0 0 / 0.8rem 0.8rem; }
.network-walk img { display: block; width: 100%; image-rendering: pixelated; }
.network-walk figure i { position: absolute; box-sizing: border-box; }
.network-walk .window { outline: 2px solid #2fe6b4; box-shadow: 0 0 0 3px #0009; }
.network-walk .edge { border: 1px dashed #fff9; }
.network-walk figcaption { font-size: 0.8rem; margin-top: 0.4rem; opacity: 0.8; }
.network-walk section { flex: 0 1 auto; min-width: 0; max-width: 100%; }
.network-walk table { border-collapse: separate; border-spacing: 3px; font-variant-numeric: tabular-nums; margin: 0; border: 0; }
.network-walk td { border: 0; border-radius: 4px; text-align: center; padding: 0.45rem 0.4rem; font-weight: 600; line-height: 1.2;
  background: color-mix(in srgb, currentColor 7%, transparent); }
.network-walk td small { display: block; font-weight: 400; opacity: 0.75; font-size: 0.7rem; white-space: nowrap; }
.network-walk td.plus { background: color-mix(in srgb, #e07a1f 26%, transparent); }
.network-walk td.minus { background: color-mix(in srgb, #3d7fe0 26%, transparent); }
.network-walk td.best { background: color-mix(in srgb, #14a37f 40%, transparent); }
.network-walk .wide-5 td, .network-walk .wide-6 td, .network-walk .wide-7 td { padding: 0.2rem 0.15rem; font-size: 0.7rem; }
.network-walk .wide-5 td small, .network-walk .wide-6 td small, .network-walk .wide-7 td small { font-size: 0.55rem; }
.network-walk p { margin: 0.7rem 0 0.3rem; line-height: 1.6; }
"""
