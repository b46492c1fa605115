"""A picture that somebody brought, with a box to drag over the part that the network is to read.

One idea: the browser alone moves the box, and tells the page when it rests; so it follows the
mouse, a finger or the arrow keys at once, however long an answer takes. A click or a box of a few
pixels is refused there with a sentence, and what was before stays. What comes back is checked like
anything from a browser: a box that cannot be is none.

The part itself is cut out by `core.pictures.preparation`, from the full picture.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from core.pictures import Crop
from core.pictures.crop import LEAST

_WORDS = {
    "hint": "Drag a box around one garment to have only that read.",
    "cropped": "Only what is in the box is read. Drag it, its corners, or a new one beside it.",
    "refused": "That box is too small to read: press, drag from one corner of the garment to the opposite one, and let go there.",
    "whole": "Whole picture",
    "keys": "Arrow keys make and move a box, with Shift they change its size, Delete removes it.",
}


def choose(
    picture: str,
    src: str,
    name: str,
    crop: Crop | None,
    on_choice: Callable[[str, Crop | None], None],
    *,
    key: str,
) -> None:
    """Draw the picture and its box.

    Args:
        picture: which picture this is; another one begins with its own `crop`.
        src: the picture, upright, as a `data:` address.
        name: what its owner calls it, shown below.
        crop: the box to begin with; None for the whole picture.
        on_choice: called with `picture` and the new box, or None for the whole picture, before the
            page runs again.
        key: the widget's key, carrying its page.
    """

    def chosen() -> None:
        told = st.session_state[key].cropped
        if isinstance(told, dict) and told.get("picture") == picture:
            on_choice(picture, _crop(told.get("box")))

    box = None if crop is None else [crop.left, crop.top, crop.right, crop.bottom]
    _FRAME(
        key=key,
        on_cropped_change=chosen,
        height="content",
        data={
            "picture": picture,
            "src": src,
            "name": name,
            "alt": f"{name}, as you brought it",
            "box": box,
            "least": LEAST,
            **_WORDS,
        },
    )


def _crop(told: Any) -> Crop | None:
    """What a browser tells, as a box; None where it is none."""
    try:
        return Crop(*(float(edge) for edge in told))
    except (TypeError, ValueError):
        return None


_FRAME = st.components.v2.component(
    "atelier_crop",
    css=(Path(__file__).parent / "crop_box.css").read_text(encoding="utf-8"),
    js=(Path(__file__).parent / "crop_box.js").read_text(encoding="utf-8"),
)
