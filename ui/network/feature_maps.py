"""What every layer makes of the picture: all layers at a glance, one layer's channels, one channel
closely; and the filters.

A click leads one step deeper, and the address says where one is (`layer`, `channel`). Colours are
those of `heat.py`; within a layer all channels share one scale unless people ask for one each.
"""

from __future__ import annotations

import numpy as np
import streamlit as st
from PIL import Image

from core.explain.activations import Inside
from core.labels import CLASS_NAMES, SIDE
from core.networks.architectures import BORROWED_SIDE, Layer
from ui import state
from ui.components import charts, heat, theme, thumbnails
from ui.network import layer_list
from ui.network.subject import Subject

STRONGEST = 5  # neurons of a dense layer that are named
MOST_MAPS = 256  # of a layer, at once


def show(inside: Inside, shown: Subject | None) -> None:
    """Draw the maps: of all layers, of one, or one of them, as the address says."""
    if shown is None:
        missing()
        return
    layer = _asked_layer(inside)
    if layer is None:
        _overview(inside, shown)
        return
    values = inside.maps(shown.pixels, [layer.name])[layer.name]
    channel = (
        None
        if values.ndim == 1
        else state.read("channel", state.whole_number(0, values.shape[2] - 1, "the channel"), None)
    )
    if channel is None:
        _layer(inside, layer, values, shown)
    else:
        _channel(inside, layer, values[..., channel], channel, shown)


def missing() -> None:
    """Say that a picture is needed first."""
    st.info(
        "Bring a picture first: one of the test set, a drawing, or a file.", icon=":material/info:"
    )


def filters(inside: Inside, shown: Subject | None) -> None:
    """Draw the filters of the first layer, each beside what it makes of the picture; a click opens
    that map.
    """
    found = inside.first_filters()
    if found is None:
        st.info(
            "The first layer of this network has no filters that could be drawn as pictures.",
            icon=":material/info:",
        )
        return
    name, kernel = found
    side, count = kernel.shape[0], kernel.shape[3]
    layer = inside.layer(name)
    top = float(np.abs(kernel).max()) or 1.0
    if layer.kind == "Dense":
        st.markdown(
            f"This network has no convolution. Each of the {count} neurons of **{name}** has a weight for each of the 28 × 28 "
            f"pixels; drawn as a picture, they show where it wants light (warm) and where darkness (blue)."
        )
        thumbnails.grid(
            [heat.colours(kernel[:, :, 0, number], top) for number in range(count)],
            [f"Neuron {number}" for number in range(count)],
            cell=84,
        )
        return
    st.markdown(
        f"**{name}** has {count} filters of {side} × {side} weights. Each slides over the picture and answers where the picture "
        "looks like it: light under its warm weights, dark under its blue ones. Nobody drew them; they are what training made of "
        "random numbers."
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
        f"{heat.WORDS} The brightest colour is a weight of ±{top:.2f}. Choose a filter to see what it finds in the picture."
    )
    if shown is not None:
        values = inside.maps(shown.pixels, [name])[name]
        st.subheader(f"What they find in {shown.name}")
        _gallery(inside, layer, values, "network_found", heat.reach(values))


def open_map(layer: str | None, channel: int | None = None) -> None:
    """Open the maps of a layer, or one of them; all layers where it is None."""
    state.put(
        {"view": "maps", "layer": layer, "channel": None if channel is None else str(channel)}
    )


def _asked_layer(inside: Inside) -> Layer | None:
    name = state.read(
        "layer",
        state.one_of({layer.name: layer.name for layer in inside.layers}, "the layer"),
        None,
    )
    return None if name is None else inside.layer(name)


def _overview(inside: Inside, shown: Subject) -> None:
    st.markdown(
        f"From {shown.name} to ten probabilities, layer by layer. Early maps still look like the garment; later ones are smaller "
        "and say where something is found that no longer looks like anything. Choose a layer to see all of its maps."
    )
    some = layer_list.part(inside.layers)
    maps = inside.maps(shown.pixels, [layer.name for layer in some])
    items = []
    for number, layer in enumerate(some):
        values = maps[layer.name]
        pixels = shown.pixels if layer.kind == "InputLayer" else heat.mosaic(values)
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
        f"{heat.WORDS} Of layers with more than 9 maps, the 9 that answer most. In a row of numbers, every square is a neuron."
    )


def _layer(inside: Inside, layer: Layer, values: np.ndarray, shown: Subject) -> None:
    order = [one.name for one in inside.layers]
    place = order.index(layer.name)
    _arrows("All layers", None, order, place, lambda name: (name, None))
    st.subheader(f"{layer.name} · {layer_list.shape(layer)}")
    st.markdown(layer_list.words(layer))
    if layer.kind != "InputLayer":
        st.caption(
            f"{layer_list.title(layer)}. It reads {' and '.join(f'*{name}*' for name in layer.inputs)}."
        )
    if values.ndim == 1:
        _neurons(layer, values)
        return
    one_each = st.toggle(
        "Each map on a scale of its own",
        key="network_scale",
        help="Weak maps become visible, but can no longer be compared with strong ones.",
    )
    _gallery(inside, layer, values, "network_maps", None if one_each else heat.reach(values))
    st.caption(
        heat.WORDS
        + ("" if one_each else f" The brightest colour is ±{heat.reach(values):.2g} or more.")
    )


def _gallery(inside: Inside, layer: Layer, values: np.ndarray, key: str, top: float | None) -> None:
    """All channels of a layer, clickable; `top` is the amount with the brightest colour, None for
    one of each map's own.
    """
    grey = layer.kind == "InputLayer"
    count = values.shape[2]
    chosen = np.arange(count)
    if count > MOST_MAPS:
        chosen = np.sort(np.argsort(-np.abs(values).sum(axis=(0, 1)), kind="stable")[:MOST_MAPS])
        st.caption(
            f"Of {count:,} maps, the {MOST_MAPS} that answer most; the arrows beside a map lead to all of them."
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


def _neurons(layer: Layer, values: np.ndarray) -> None:
    """A layer that is a row of numbers."""
    if layer.name == "probabilities":
        charts.probability_bars(values)
        st.caption(
            "Before the run's temperature, which makes confidence honest: what the pages show as “sure” comes after it."
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


def _channel(inside: Inside, layer: Layer, values: np.ndarray, channel: int, shown: Subject) -> None:
    count = layer.output_shape[2]
    _arrows(
        f"All maps of {layer.name}",
        layer.name,
        list(range(count)),
        channel,
        lambda number: (layer.name, number),
    )
    st.subheader(f"{layer.name}, map {channel}")
    grey = layer.kind == "InputLayer"
    side, edge = (BORROWED_SIDE, (BORROWED_SIDE - SIDE) // 2) if inside.framed else (SIDE, 0)
    enlarged = np.asarray(
        Image.fromarray(values.astype(np.float32)).resize((side, side), Image.Resampling.NEAREST)
    )
    enlarged = enlarged[edge : edge + SIDE, edge : edge + SIDE]
    figures = [
        shown.pixels,
        values.astype(np.uint8) if grey else heat.colours(values),
        thumbnails.overlay(shown.pixels, enlarged),
    ]
    names = [
        "The picture",
        f"Map {channel}, {values.shape[0]} × {values.shape[1]}",
        "Where it is above zero",
    ]
    with st.container(key="network_closeup"):
        thumbnails.grid(
            figures,
            names,
            [
                f"{shown.name}, enlarged",
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


def _how_it_was_made(inside: Inside, layer: Layer, channel: int) -> None:
    kernel = inside.weights[layer.name][0]
    side, channels = kernel.shape[0], kernel.shape[2]
    source = inside.source(layer)
    if channels > 1:
        st.markdown(
            f"Each value of this map is a weighted sum of {side} × {side} × {channels} = {side * side * channels:,} values of "
            f"*{source.name}*: one {side} × {side} filter for each of its {channels} maps, all answers added up. The filters that "
            "weigh most:"
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
        f"Each value is a weighted sum of {side} × {side} values of *{source.name}*, with these weights:"
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


def _arrows(back: str, back_to: str | None, order: list, place: int, where) -> None:
    """Buttons back to what this is part of, and to its neighbours; `where` turns one of `order`
    into (layer, channel).
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
            exists = 0 <= place + step < len(order)
            st.button(
                label,
                key=f"network_{label.lower()}",
                icon=icon,
                disabled=not exists,
                on_click=open_map,
                args=where(order[place + step]) if exists else (),
            )
        st.caption(f"{place + 1:,} of {len(order):,}")


STYLE = """
[data-testid="stLayoutWrapper"]:has(> .st-key-network_answer) { flex: 1 1 19rem !important; min-width: min(19rem, 100%); }
[data-testid="stLayoutWrapper"]:has(> .st-key-network_choice) { min-width: min(24rem, 100%); }
.st-key-network_closeup .atelier-grid { max-width: 46rem; }
"""
