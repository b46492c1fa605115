"""What the chosen augmentation makes of pictures, before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.labels import CLASS_NAMES
from core.specs.spec import TrainSpec
from core.training import augmentation
from ui import cache, state
from ui.components import thumbnails

PICTURES, COLUMNS = 8, 4


@dataclass
class Draw:
    """How often this visitor asked for another draw; part of its seed."""

    number: int = 0


def show(spec: TrainSpec) -> None:
    """Draw the same eight pictures as they are and as the settings alter them; nothing where they
    alter none.
    """
    if not (spec.flip or spec.rotate or spec.shift or spec.erase):
        return
    draw = state.page_state(Draw)
    data = cache.dataset(spec.data)
    chosen = [int(np.flatnonzero(data.train_labels == label)[0]) for label in range(PICTURES)]
    pixels = data.train_pixels[chosen]
    altered = augmentation.augment(pixels, spec, np.random.default_rng((spec.seed, draw.number)))
    with st.expander("Augmented pictures", icon=":material/flip:", key="train_preview"):
        for row in (range(COLUMNS), range(COLUMNS, PICTURES)):
            for pictures, what in ((pixels, "as it is"), (altered, "altered")):
                names = [f"{CLASS_NAMES[label]}, {what}" for label in row]
                thumbnails.grid(pictures[row], [""] * COLUMNS, names, columns=COLUMNS)
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Again", key="train_preview_again", icon=":material/casino:"):
                draw.number += 1
                st.rerun()
            st.caption("Each training picture, and below it the same as one epoch might see it.")
