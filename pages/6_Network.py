"""Network: look inside a trained network, layer by layer, with a picture of your own or of the test
set.
"""

from __future__ import annotations

import streamlit as st

from core.errors import RunDamaged
from ui import cache, frame, state
from ui.classify import result
from ui.network import arithmetic, feature_maps, layer_list, learning, map_view, subject

VIEWS = {
    "layers": "Layers",
    "filters": "Filters",
    "maps": "Feature maps",
    "steps": "Step by step",
    "map": "Map of the test set",
    "learning": "How it learns",
}


def opened(run_id: str):
    """The network to look inside, or None after saying why it cannot be looked into."""
    try:
        return cache.inside(run_id)
    except RunDamaged as problem:
        st.info(
            f"{problem} Filters and feature maps are left out.", icon=":material/visibility_off:"
        )
        return None


frame.begin(
    "Network",
    "Look inside: what every layer makes of a picture, why it has the size it has, and how it learnt.",
    icon=":material/account_tree:",
)
st.html(f"<style>{result.style()}{arithmetic.STYLE}{feature_maps.STYLE}</style>")
with frame.errors():
    run = frame.choose_run("Network", "network_run")
    if run is None:
        st.stop()
    data_name = str((run.record.get("dataset") or {}).get("name") or run.spec.data)
    shown = subject.choose(run, data_name)
    view = state.linked(
        "view",
        "network_view",
        {text: text for text in VIEWS},
        "the view",
        "layers",
        lambda options: st.segmented_control(
            "View",
            options,
            key="network_view",
            required=True,
            format_func=VIEWS.get,
            label_visibility="collapsed",
        ),
    )
    inside = opened(run.id)
    if view == "layers":
        layer_list.show(run, inside is not None)
    elif view == "map":
        map_view.show(run, shown, data_name)
    elif view == "learning":
        learning.show(run, inside, shown)
    elif view == "steps" and shown is not None:
        arithmetic.show(inside, shown)
    elif shown is None and view != "filters":
        feature_maps.missing()
    elif inside is not None:
        {"filters": feature_maps.filters, "maps": feature_maps.show}[view](inside, shown)
