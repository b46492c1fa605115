"""Choose a picture of the test set, of any class or of one; the address names it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.data.fashion_mnist import Dataset
from ui import state
from ui.answers.filters import ALL, CLASSES, name_of


def choose(data: Dataset, page: str) -> int:
    """Draw the choice; if the address names no picture, one is picked at random.

    Args:
        data: the test pictures are its own.
        page: prefix of the widgets' keys.

    Returns:
        the picture's position in the test set.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = state.linked(
            "class",
            f"{page}_class",
            CLASSES,
            "the class",
            ALL,
            lambda options: st.selectbox(
                "Class", options, key=f"{page}_class", format_func=name_of, width=240
            ),
        )
        st.button(
            "Another picture",
            key=f"{page}_another",
            icon=":material/casino:",
            on_click=state.put,
            args=({"picture": None},),
        )
    candidates = (
        np.arange(len(data.test_labels))
        if label == ALL
        else np.flatnonzero(data.test_labels == label)
    )
    index = state.read(
        "picture", state.whole_number(0, len(data.test_labels) - 1, "the picture"), None
    )
    if index is None or (label != ALL and data.test_labels[index] != label):
        index = int(np.random.default_rng().choice(candidates))
        state.put({"picture": str(index)})
    return index
