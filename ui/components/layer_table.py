"""The layers of a network as a table."""

from __future__ import annotations

import streamlit as st

from core.networks import architectures
from core.specs.spec import TrainSpec

LONG_TABLE, TABLE_HEIGHT = 60, 560  # layers, pixels: a longer table scrolls by itself


def layer_table(spec: TrainSpec) -> None:
    """Draw every layer with its settings, output shape and parameters.

    The first row is the picture itself, which does not count as a layer.
    """
    layers = architectures.blueprint(spec)
    rows = [
        {
            "Layer": f"{layer.kind} :small[:gray[{layer.detail}]]" if layer.detail else layer.kind,
            # Unbroken where the table is narrow.
            "Output": "\u00a0×\u00a0".join(map(str, layer.output_shape)),
            "Parameters": f"{layer.parameters:,}" if layer.parameters else "–",
        }
        for layer in layers
    ]
    long = len(rows) > LONG_TABLE
    st.markdown(
        f"**{len(rows) - 1} layers**" + (" :small[:gray[the table scrolls]]" if long else "")
    )
    with st.container(height=TABLE_HEIGHT if long else "content", border=False):
        st.table(
            rows,
            border="horizontal",
            hide_index=True,
            hide_header=False,
            alt=f"The {len(rows) - 1} layers of the network with their output shapes and parameters",
        )
