"""What every layer makes of the picture: all layers at a glance, the channels of one layer, one
channel up close; and the filters.

A click leads one level deeper, and the address names the view (`layer`, `channel`). Colours are
those of `heat.py`; within a layer all channels share one scale unless people ask for one each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from core import wording
from core.explain.activations import Inside
from core.labels import CLASS_NAMES, SIDE
from core.networks.architectures import PRETRAINED_SIDE
from core.networks.layers import Layer
from ui import state
from ui.components import charts, heat, theme, thumbnails
from ui.network import layer_list
from ui.network.subject import Subject

STRONGEST = 5  # neurons of a dense layer that are named
MOST_MAPS = 256  # of a layer, at once

T = TypeVar("T")
Values = NDArray[np.float32]


def show(inside: Inside, subject: Subject | None) -> None:
    """Draw the maps: of all layers, of one, or one of them, as the address says."""
    if subject is None:
        ask_for_picture()
        return
    layer = _layer_in_address(inside)
    if layer is None:
        _overview(inside, subject)
        return
    values = inside.maps(subject.pixels, [layer.name])[layer.name]
    channel = None
    if values.ndim > 1:
        parse = state.whole_number(0, values.shape[2] - 1, "the channel")
        channel = state.read("channel", parse, None)
    if channel is None:
        _layer(inside, layer, values, subject)
    else:
        _channel(inside, layer, values[..., channel], channel, subject)


def ask_for_picture() -> None:
    """Say that a picture is needed first."""
    st.info(
        "Choose a picture first: one of the test set, a drawing, or a file.",
        icon=":material/info:",
    )


def show_filters(inside: Inside, subject: Subject | None) -> None:
    """Draw the filters of the first layer and, below, what they make of the picture; a click opens
    that map.
    """
    first = inside.first_filters()
    if first is None:
        st.info(
            "The first layer of this network has no filters that could be drawn as pictures.",
            icon=":material/info:",
        )
        return
    name, kernel = first
    if inside.layer(name).kind == "Dense":
        _first_neurons(name, kernel)
        return
    side, count = kernel.shape[0], kernel.shape[3]
    top = float(np.abs(kernel).max()) or 1.0
    st.markdown(
        f"**{name}** has {count} filters of {side} × {side} weights. Each slides over the picture "
        "and responds where the picture looks like it: light under its warm weights, dark under "
        "its blue ones. Nobody designed them; they are what training turned random numbers into."
    )
    thumbnails.gallery(
        [
            thumbnails.Item(
                number,
                heat.colours(kernel[:, :, 0, number], top),
                f"Filter {number}",
                state.link({"view": "maps", "layer": name, "channel": str(number)}),
                f"Filter {number} of {name}",
            )
            for number in range(count)
        ],
        "network_filters",
        lambda number: open_map(name, number),
        cell=72,
    )
    st.caption(
        f"{heat.WORDS} The brightest colour is a weight of ±{top:.2f}. Click a filter to see what "
        "it finds in the picture."
    )
    if subject is not None:
        values = inside.maps(subject.pixels, [name])[name]
        st.header(f"What they find in {wording.literal(subject.name)}")
        _gallery(inside.layer(name), values, "network_found", heat.reach(values))


def _first_neurons(name: str, kernel: NDArray[np.floating]) -> None:
    """Draw the weights of a dense layer that reads the pixels."""
    count, top = kernel.shape[3], float(np.abs(kernel).max()) or 1.0
    st.markdown(
        f"This network has no convolution. Each of the {count} neurons of **{name}** has a weight "
        "for each of the 28 × 28 pixels; drawn as a picture, they show where it looks for light "
        "(warm) and where for darkness (blue)."
    )
    thumbnails.grid(
        [heat.colours(kernel[:, :, 0, number], top) for number in range(count)],
        [f"Neuron {number}" for number in range(count)],
        cell=84,
    )


def open_map(layer: str | None, channel: int | None = None) -> None:
    """Open the maps of a layer, or one of them; all layers where it is None."""
    state.put(
        {"view": "maps", "layer": layer, "channel": None if channel is None else str(channel)}
    )


def _layer_in_address(inside: Inside) -> Layer | None:
    name = state.read(
        "layer",
        state.one_of({layer.name: layer.name for layer in inside.layers}, "the layer"),
        None,
    )
    return None if name is None else inside.layer(name)


def _overview(inside: Inside, subject: Subject) -> None:
    st.markdown(
        f"From {wording.literal(subject.name)} to ten probabilities, layer by layer. Early maps still look like the "
        "garment; later ones are smaller and mark where features were found that no longer look "
        "like anything. Click a layer to see all of its maps."
    )
    some = layer_list.part(inside.layers)
    maps = inside.maps(subject.pixels, [layer.name for layer in some])
    items = []
    for number, layer in enumerate(some):
        values = maps[layer.name]
        pixels = subject.pixels if layer.kind == "InputLayer" else heat.mosaic(values)
        items.append(
            thumbnails.Item(
                number,
                pixels,
                f"{layer.name} · {layer_list.shape(layer)}",
                state.link({"view": "maps", "layer": layer.name}),
                f"{layer.name}: {layer_list.title(layer)}",
            )
        )
    thumbnails.gallery(
        items, "network_overview", lambda number: open_map(some[number].name), cell=132
    )
    st.caption(
        f"{heat.WORDS} For layers with more than 9 maps, the 9 strongest are shown. In dense "
        "layers, each square is one neuron."
    )


def _layer(inside: Inside, layer: Layer, values: Values, subject: Subject) -> None:
    order = [other.name for other in inside.layers]
    position = order.index(layer.name)
    _arrows("All layers", None, order, position, lambda name: (name, None))
    st.header(f"{layer.name} · {layer_list.shape(layer)}")
    st.markdown(layer_list.words(layer))
    if layer.kind != "InputLayer":
        st.caption(
            f"{layer_list.title(layer)}. It reads {' and '.join(f'*{name}*' for name in layer.inputs)}."
        )
    if values.ndim == 1:
        _neurons(layer, values)
        return
    own_scales = st.toggle(
        "Scale each map separately",
        key="network_scale",
        help="Weak maps become visible, but can no longer be compared with strong ones.",
    )
    _gallery(layer, values, "network_maps", None if own_scales else heat.reach(values))
    st.caption(
        heat.WORDS
        + ("" if own_scales else f" The brightest colour is ±{heat.reach(values):.2g} or more.")
    )


def _gallery(layer: Layer, values: Values, key: str, top: float | None) -> None:
    """Draw all channels of a layer as pictures that open.

    Args:
        top: the amount with the brightest colour; None scales each map separately.
    """
    grey = layer.kind == "InputLayer"
    count = values.shape[2]
    chosen = np.arange(count)
    if count > MOST_MAPS:
        chosen = np.sort(np.argsort(-np.abs(values).sum(axis=(0, 1)), kind="stable")[:MOST_MAPS])
        st.caption(
            f"The {MOST_MAPS} strongest of {count:,} maps; the arrows next to a map reach the rest."
        )
    items = [
        thumbnails.Item(
            number,
            values[..., 0].astype(np.uint8) if grey else heat.colours(values[..., number], top),
            f"Map {number}",
            state.link({"view": "maps", "layer": layer.name, "channel": str(number)}),
            f"Map {number} of {layer.name}",
        )
        for number in chosen.tolist()
    ]
    thumbnails.gallery(items, key, lambda number: open_map(layer.name, number), cell=84)


def _neurons(layer: Layer, values: Values) -> None:
    """Draw a layer whose output is a row of numbers."""
    if layer.name == "probabilities":
        charts.probability_bars(values)
        st.caption(
            "These are before temperature scaling; the confidence shown elsewhere is after it."
        )
        return
    left, right = st.columns([1, 2], gap="large")
    with left:
        thumbnails.show(
            heat.mosaic(values),
            alt=f"The {len(values)} numbers of {layer.name} as squares",
            width=260,
            caption=f"{len(values):,} numbers, row by row. {heat.WORDS}",
        )
    with right:
        strongest = np.argsort(-values, kind="stable")[
            : STRONGEST if layer.name != "scores" else len(values)
        ]
        named = [
            CLASS_NAMES[number] if layer.name == "scores" else f"Neuron {number:,}"
            for number in strongest
        ]
        st.table(
            [
                {"Largest": name, "Value": f"{values[number]:,.3f}"}
                for name, number in zip(named, strongest, strict=True)
            ],
            border="horizontal",
            hide_index=True,
        )
        st.caption(f"{int((values > 0).sum()):,} of {len(values):,} are above zero.")


def _channel(inside: Inside, layer: Layer, values: Values, channel: int, subject: Subject) -> None:
    count = layer.output_shape[2]
    _arrows(
        f"All maps of {layer.name}",
        layer.name,
        list(range(count)),
        channel,
        lambda number: (layer.name, number),
    )
    st.header(f"{layer.name}, map {channel}")
    grey = layer.kind == "InputLayer"
    with st.container(key="network_closeup"):
        thumbnails.grid(
            [
                subject.pixels,
                values.astype(np.uint8) if grey else heat.colours(values),
                thumbnails.overlay(subject.pixels, _enlarge(values, framed=inside.framed)),
            ],
            [
                "The picture",
                f"Map {channel}, {values.shape[0]} × {values.shape[1]}",
                "Where it is above zero",
            ],
            [
                f"{subject.name}, enlarged",
                f"Map {channel} of {layer.name}",
                "The picture, warm where the map is high",
            ],
            columns=3,
        )
    with st.container(horizontal=True, gap="large"):
        for label, value in (
            ("Smallest", f"{values.min():.3g}"),
            ("Mean", f"{values.mean():.3g}"),
            ("Largest", f"{values.max():.3g}"),
            ("Above zero", theme.percent(float((values > 0).mean()))),
        ):
            st.metric(label, value.replace("-", "−"), width="content")
    if layer.kind == "Conv2D":
        _how_it_was_made(inside, layer, channel)


def _enlarge(values: Values, *, framed: bool) -> Values:
    """A map in the size of the picture, float32 `(28, 28)`.

    Args:
        framed: the network sees the picture in a black frame, which is cut off here.
    """
    side = PRETRAINED_SIDE if framed else SIDE
    edge = (side - SIDE) // 2
    image = Image.fromarray(values.astype(np.float32))
    enlarged = np.asarray(image.resize((side, side), Image.Resampling.NEAREST))
    return enlarged[edge : edge + SIDE, edge : edge + SIDE]


def _how_it_was_made(inside: Inside, layer: Layer, channel: int) -> None:
    kernel = inside.weights[layer.name][0]
    side, channels = kernel.shape[0], kernel.shape[2]
    source = layer.inputs[0]
    if channels > 1:
        st.markdown(
            f"Each value of this map is a weighted sum of {side} × {side} × {channels} = "
            f"{side * side * channels:,} values of *{source}*: one {side} × {side} slice of the "
            "filter per input map, all results added up. The slices with the largest weights:"
        )
        strongest = np.argsort(-np.abs(kernel[..., channel]).sum(axis=(0, 1)), kind="stable")[:8]
        top = float(np.abs(kernel[..., channel]).max())
        thumbnails.grid(
            [heat.colours(kernel[:, :, number, channel], top) for number in strongest],
            [f"on map {number}" for number in strongest],
            cell=72,
        )
        return
    st.markdown(
        f"Each value is a weighted sum of {side} × {side} values of *{source}*, with these weights:"
    )
    thumbnails.show(
        heat.colours(kernel[:, :, 0, channel]),
        alt=f"Filter {channel} of {layer.name}",
        caption=f"Filter {channel}",
        width=120,
    )
    st.button(
        "Follow it step by step",
        key="network_follow",
        icon=":material/footprint:",
        on_click=state.put,
        args=(
            {"view": "steps", "layer": None, "channel": None, "op": None, "filter": str(channel)},
        ),
    )


def _arrows(
    back: str,
    back_to: str | None,
    order: Sequence[T],
    position: int,
    target: Callable[[T], tuple[str, int | None]],
) -> None:
    """Draw buttons back to the whole and to the neighbours.

    Args:
        back: the label of the button back.
        back_to: the layer that it leads to; None for all layers.
        order: the whole.
        position: of what is shown now.
        target: layer and channel of an entry of `order`.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            back,
            key="network_back",
            icon=":material/arrow_back:",
            on_click=open_map,
            args=(back_to,),
        )
        for label, icon, step in (
            ("Previous", ":material/chevron_left:", -1),
            ("Next", ":material/chevron_right:", 1),
        ):
            exists = 0 <= position + step < len(order)
            st.button(
                label,
                key=f"network_{label.lower()}",
                icon=icon,
                disabled=not exists,
                on_click=open_map,
                args=target(order[position + step]) if exists else (),
            )
        st.caption(f"{position + 1:,} of {len(order):,}")


STYLE = """
[data-testid="stLayoutWrapper"]:has(> .st-key-network_answer) { flex: 1 1 19rem !important; min-width: min(19rem, 100%); }
[data-testid="stLayoutWrapper"]:has(> .st-key-network_choice) { min-width: min(24rem, 100%); }
.st-key-network_closeup .atelier-grid { max-width: 46rem; }
"""
