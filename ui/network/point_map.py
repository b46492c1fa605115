"""Many pictures as points that can be pointed at, drawn on a canvas.

A component of our own: pointing at a point shows its picture, which travels with all others in one
image, and a swipe across the map scrolls the page. Plotly took a second longer to appear.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.explain import embedding_map
from ui.components import theme


@dataclass(frozen=True)
class Group:
    """Points of one colour, with a switch of their own.

    Attributes:
        name: of the switch.
        colour: as CSS writes it.
        members: int `(m,)`, which points.
        size: radius in CSS pixels.
        opacity: 0..1.
    """

    name: str
    colour: str
    members: NDArray[np.int64]
    size: float = 3.0
    opacity: float = 0.75


def draw(
    positions: NDArray[np.floating],
    groups: Sequence[Group],
    *,
    indices: NDArray[np.int64],
    words: Sequence[str],
    sheet: bytes,
    mark: NDArray[np.floating] | None,
    key: str,
    revision: str,
    label: str,
    on_pick: Callable[[int], None],
) -> None:
    """Draw the map.

    Args:
        positions: float `(n, 2)`.
        groups: every point is a member of one of them.
        indices: int `(n,)`, what `on_pick` is called with.
        words: what each point says.
        sheet: all pictures in the order of the points, as `embedding_map.sheet` makes it.
        mark: `(2,)`, a place with a ring around it; None for none.
        key: the widget's key, carrying its page.
        revision: what the map shows; another one is drawn in full again.
        label: what a screen reader says.
        on_pick: called with the index of a chosen point before the page runs again.
    """
    known, columns = set(indices.tolist()), embedding_map.columns_of(len(indices))

    def picked() -> None:
        message = st.session_state[key].picked
        index = message.get("index") if isinstance(message, dict) else None
        if isinstance(index, int | float) and int(index) in known:
            on_pick(int(index))

    _MAP(
        key=key,
        on_picked_change=picked,
        height="content",
        data={
            "revision": revision,
            "label": label,
            "positions": np.round(positions, 3).tolist(),
            "indices": indices.tolist(),
            "words": list(words),
            "groups": [{**vars(group), "members": group.members.tolist()} for group in groups],
            "mark": None if mark is None else [float(value) for value in mark],
            "ring": theme.palette().accent,
            "sheet": f"data:image/webp;base64,{base64.b64encode(sheet).decode('ascii')}",
            "columns": columns,
            "rows": -(-len(indices) // columns),
        },
    )


_MAP = st.components.v2.component(
    "atelier_point_map",
    css=(Path(__file__).parent / "point_map.css").read_text(encoding="utf-8"),
    js=(Path(__file__).parent / "point_map.js").read_text(encoding="utf-8"),
)
