"""Waiting for a calculation that was asked of the engine, on any page."""

from __future__ import annotations

from typing import Any, TypeVar

import streamlit as st

from core.engine import Calculation

SECONDS = 1.0
K = TypeVar("K")


@st.fragment(run_every=SECONDS)
def wait(known: dict[K, Calculation[Any]], key: K, sentence: str, button: str) -> None:
    """Say what the engine is doing, offer to cancel it, and draw the page again once it is done.

    Args:
        known: all calculations of this kind, as `ui.cache` keeps them.
        key: which of them.
        sentence: what is being done.
        button: the key of the button that cancels.
    """
    calculation = known.get(key)
    if calculation is None or calculation.done:
        st.rerun()
    st.info(sentence, icon=":material/hourglass_top:")
    if st.button("Cancel", key=button, icon=":material/close:"):
        calculation.cancel()
        known.pop(key, None)
        st.rerun()
