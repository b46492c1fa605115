"""The network drawn as connected boxes; each opens what its last layer makes of the picture.

Boxes, skip connections and branches come from the layers themselves (`core.networks.blocks`). Where
a picture is in view, every box shows the strongest maps of it. Between blocks there is a single
connection, so a row of blocks may break anywhere; a block too wide for a phone scrolls by itself.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import wording
from core.explain.activations import Inside
from core.networks import blocks
from core.networks.architectures import blueprint
from core.networks.blocks import Block, Fork, Part, Unit
from core.networks.layers import Layer, LayerKind
from core.runs import Run
from ui import state
from ui.components import heat, thumbnails
from ui.components.words import word
from ui.network import feature_maps, layer_list
from ui.network.subject import Subject

MAPS = 4  # of each box
TILE = 40  # pixels: larger maps are thinned out before they are drawn

Values = Mapping[str, NDArray[np.float32]]  # by the layer's name

TREATMENTS: dict[LayerKind, str] = {
    "BatchNormalization": "norm",
    "MaxPooling2D": "max pooling",
    "Dropout": "dropout",
    "Rescaling": "rescaling",
    "Flatten": "flattening",
    "GlobalAveragePooling2D": "global average",
    "ZeroPadding2D": "padding",
    "UpSampling2D": "enlarging",
    "InputLayer": "picture",
}


def show(run: Run, inside: Inside | None, subject: Subject | None) -> None:
    """Draw the network of a run.

    Args:
        inside: the network; None where it cannot be looked into, which leaves out the pictures.
        subject: the picture in view, or None.
    """
    layers = blueprint(run.spec)
    drawn = blocks.blocks(layers)
    maps = inside.maps(subject.pixels, _linked(drawn)) if inside and subject else {}
    names = {layer.name for layer in layers}

    def opened() -> None:
        message = st.session_state["network_diagram"].opened
        name = message.get("layer") if isinstance(message, dict) else None
        if name in names:
            feature_maps.open_map(name)

    st.markdown(
        f"The network from left to right, with what each part makes of "
        f"{wording.literal(subject.name)}. Click a box "
        "to see all of its feature maps."
        if maps and subject
        else "The network from left to right. Click a box to see its feature maps."
    )
    _DIAGRAM(
        key="network_diagram",
        on_opened_change=opened,
        height="content",
        data={
            "html": markup(drawn, _pictures(maps, subject)),
            "label": f"The network of {run.name}: {len(drawn)} connected blocks",
        },
    )
    if maps:
        st.caption(f"{heat.WORDS} A box shows its {MAPS} strongest maps.")


def markup(drawn: Sequence[Block], pictures: Mapping[str, str]) -> str:
    """The blocks as HTML.

    Args:
        drawn: the blocks, in order.
        pictures: by layer, the address of what it makes of the picture; may lack any.
    """
    total = Counter(title(block) for block in drawn)
    count: Counter[str] = Counter()
    items = []
    for block in drawn:
        name = title(block)
        if name:
            count[name] += 1
            number = f" {count[name]}" if total[name] > 1 else ""
            name = f'<p class="name">{html.escape(name + number)}</p>'
        inner = "".join(_part(part, pictures) for part in block.parts)
        kind = "block" if name else "block lone"
        items.append(
            f'<li class="{kind}"><div class="frame">{name}<div class="way">{inner}</div></div></li>'
        )
    return f"<ol>{''.join(items)}</ol>"


def title(block: Block) -> str:
    """What kind of block it is; empty for one that is a single box."""
    kinds = {layer.kind for unit in blocks.units(block.parts) for layer in unit.layers}
    fork = next((part for part in block.parts if isinstance(part, Fork)), None)
    if fork and fork.merge.kind == "Add":
        return "Inverted residual block" if "DepthwiseConv2D" in kinds else "Residual block"
    if fork:
        return "Entrance" if block.parts[0].last.kind == "UpSampling2D" else "Branches"
    return "Separable block" if len(block.parts) > 1 else ""


def describe(unit: Unit) -> tuple[str, str, str]:
    """What a box says: what prepares its weighted sum, the sum, and what treats it.

    A box without a weighted sum says what it does instead.
    """
    head = unit.head
    if head is None:
        first, *others = [_treatment(layer) for layer in unit.layers]
        return "", first[:1].upper() + first[1:], " · ".join(others)
    at = unit.layers.index(head)
    before, after = (
        [_treatment(layer) for layer in layers]
        for layers in (unit.layers[:at], unit.layers[at + 1 :])
    )
    if head.kind == "Dense":
        return " · ".join(before), f"Dense, {head.options['units']}", " · ".join(after)
    side, stride = head.options["kernel_size"], head.options["strides"]
    depthwise = head.kind == "DepthwiseConv2D"
    settings = ["one filter per channel" if depthwise else f"{head.options['filters']} filters"]
    settings += [f"stride {stride}"] if stride > 1 else []
    name = f"{'Depthwise' if depthwise else 'Convolution'} {side} × {side}"
    return " · ".join(before), name, " · ".join([*settings, *after])


def _treatment(layer: Layer) -> str:
    """A layer without a weighted sum in a word or two."""
    if layer.kind == "Activation":
        return word(layer.options["activation"]).replace("Softmax", "softmax")
    if layer.kind == "ReLU":
        return f"ReLU up to {layer.options['max_value']:g}"
    return TREATMENTS.get(layer.kind, layer.kind)


def _linked(drawn: Sequence[Block]) -> list[str]:
    """The layers that a box or a meeting point opens."""
    return [name for block in drawn for part in block.parts for name in _links(part)]


def _links(part: Part) -> list[str]:
    if isinstance(part, Unit):
        return [part.last.name]
    inner = [name for branch in part.branches for each in branch for name in _links(each)]
    return [*inner, part.merge.name]


def _pictures(maps: Values, subject: Subject | None) -> dict[str, str]:
    found = {}
    for name, values in maps.items():
        if values.ndim == 3:
            step = -(-max(values.shape[:2]) // TILE)
            values = values[::step, ::step]
        grey = (
            subject is not None and values.shape == (*subject.pixels.shape, 1) and name == "picture"
        )
        pixels = subject.pixels if grey and subject else heat.mosaic(values, MAPS)
        found[name] = thumbnails.data_uri(pixels)
    return found


def _part(part: Part, pictures: Mapping[str, str]) -> str:
    if isinstance(part, Unit):
        return _box(part, pictures)
    ways = []
    for branch in part.branches:
        if branch:
            inner = "".join(_part(each, pictures) for each in branch)
            ways.append(f'<div class="branch"><div class="way">{inner}</div></div>')
        else:
            words = "skip connection" if part.merge.kind == "Add" else "as it is"
            ways.append(f'<div class="branch skip"><span>{words}</span></div>')
    added = part.merge.kind == "Add"
    says = f"{part.merge.name}: the ways meet and are {'added' if added else 'stacked'}"
    return (
        f'<div class="fork"><div class="branches">{"".join(ways)}</div>'
        f"{_link(part.merge, 'merge plus' if added else 'merge', '+' if added else 'stack', says)}</div>"
    )


def _box(unit: Unit, pictures: Mapping[str, str]) -> str:
    before, name, after = describe(unit)
    source, shape = pictures.get(unit.last.name), layer_list.shape(unit.last)
    inner = f'<img src="{source}" alt="">' if source else ""
    inner += f"<span>{html.escape(before)}</span>" if before else ""
    inner += f"<b>{html.escape(name)}</b>"
    inner += f"<span>{html.escape(after)}</span>" if after else ""
    inner += f"<small>{shape}</small>"
    says = ", ".join(text for text in (before, name, after, f"output {shape}") if text)
    names = ", ".join(layer.name for layer in unit.layers)
    return _link(unit.last, "unit", inner, f"{says}; its layers: {names}")


def _link(layer: Layer, kind: str, inner: str, says: str) -> str:
    address = html.escape(state.link({"view": "maps", "layer": layer.name}), quote=True)
    says, name = html.escape(says, quote=True), html.escape(layer.name, quote=True)
    # A box is called what is written in it; a sign needs words.
    label = "" if kind == "unit" else f' aria-label="{says}"'
    return (
        f'<a class="{kind}" data-layer="{name}" href="{address}" title="{says}"{label}>{inner}</a>'
    )


_DIAGRAM = st.components.v2.component(
    "atelier_diagram",
    css=(Path(__file__).parent / "diagram.css").read_text(encoding="utf-8"),
    js=(Path(__file__).parent / "diagram.js").read_text(encoding="utf-8"),
)
