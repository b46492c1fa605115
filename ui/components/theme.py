"""Colours of the light and the dark theme."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Palette:
    """Colours for one theme: `low`..`high` for amounts, `worse`..`better` around `low` for
    differences, and for words.
    """

    low: str
    middle: str
    high: str
    worse: str
    better: str
    accent: str
    muted: str


LIGHT = Palette("#f6f7fb", "#a3acdf", "#2f3a9e", "#c2571a", "#1d7a63", "#4651b8", "#8b90a0")
DARK = Palette("#1b1e27", "#353d80", "#5d69e6", "#f09a5b", "#56bfa3", "#8b95f0", "#8f95a5")


def palette() -> Palette:
    """The colours of the theme that this visitor sees."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def percent(share: float, digits: int = 1) -> str:
    """A share as people read it: 0.9237 → `92.4 %`, never broken before the sign."""
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"
