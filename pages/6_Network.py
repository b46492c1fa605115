"""Network: look inside a trained network, layer by layer, with a picture of your own or of the test
set.
"""

from __future__ import annotations

from typing import Literal

import streamlit as st

from core.errors import RunDamaged
from core.explain.activations import Inside
from ui import cache, frame, state
from ui.classify import result
from ui.network import (
    arithmetic,
    diagram,
    feature_maps,
    layer_list,
    learning,
    map_view,
    subject,
)

View = Literal["layers", "filters", "maps", "steps", "map", "learning"]
VIEWS: dict[View, str] = {
    "layers": "Layers",
    "filters": "Filters",
    "maps": "Feature maps",
    "steps": "Step by step",
    "map": "Map of the test set",
    "learning": "How it learns",
}


def open_network(run_id: str) -> Inside | None:
    """The network to look inside, or None after saying why that is not possible."""
    try:
        return cache.inside(run_id)
    except RunDamaged as problem:
        st.info(
            f"{problem} Filters and feature maps are not available.",
            icon=":material/visibility_off:",
        )
        return None


frame.begin(
    "Network",
    "Look inside: what every layer makes of a picture, why it has the size it has, and how it "
    "learned.",
    icon=":material/account_tree:",
    steady=("picture",),
)
st.html(f"<style>{result.style()}{feature_maps.STYLE}{subject.STYLE}</style>")
with frame.errors():
    run = frame.choose_run("Network", "network_run")
    if run is None:
        st.stop()
    above = st.container()
    view = state.linked(
        "view",
        "network_view",
        {str(name): name for name in VIEWS},
        "the view",
        "layers",
        lambda options: st.segmented_control(
            "View",
            options,
            key="network_view",
            required=True,
            format_func=VIEWS.__getitem__,
            label_visibility="collapsed",
        ),
    )
    with above:
        picture = subject.choose(run, run.data_name, view)
    inside = open_network(run.id)
    if view == "layers":
        diagram.show(run, inside, picture)
        layer_list.show(run)
    elif view == "map":
        map_view.show(run, picture, run.data_name)
    elif view == "learning":
        learning.show(run, inside, picture)
    elif view == "filters" and inside is not None:
        feature_maps.show_filters(inside, picture)
    elif view != "filters" and picture is None:
        feature_maps.ask_for_picture()
    elif view == "steps" and picture is not None:
        arithmetic.show(inside, picture)
    elif view == "maps" and inside is not None:
        feature_maps.show(inside, picture)
