"""An uploaded picture with a box to drag over the part that the network is to read.

Only the browser moves the box, and it tells the page where it came to rest; so the box follows the
mouse, a finger or the arrow keys at once, however long an answer takes. A click or a box of a few
pixels is refused there with a sentence, and the box before it stays. What the browser sends is
checked like any input: an impossible box means the whole picture.

The part itself is cut out by `core.pictures`, from the full picture.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from core.pictures import Crop
from core.pictures.crop import LEAST

_SENTENCES = {
    "hint": "Drag a box around one garment to classify only that part.",
    "cropped": "Only the box is classified. Drag it or its corners, or draw a new one.",
    "refused": "That box is too small to classify: press at one corner of the garment, drag to the "
    "opposite corner and let go.",
    "whole": "Whole picture",
    "keys": "Arrow keys create and move a box, Shift with arrow keys resizes it, Delete removes it.",
}


def draw(
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
        picture: identifies the picture; another one begins with its own `crop`.
        src: the picture, upright, as a `data:` address.
        name: what its owner calls it, shown below.
        crop: the box to begin with; None for the whole picture.
        on_choice: called with `picture` and the new box, or None for the whole picture, before the
            page runs again.
        key: the widget's key, carrying its page.
    """

    def report_choice() -> None:
        message = st.session_state[key].cropped
        if isinstance(message, dict) and message.get("picture") == picture:
            on_choice(picture, parse_box(message.get("box")))

    _FRAME(
        key=key,
        on_cropped_change=report_choice,
        height="content",
        data={
            "picture": picture,
            "src": src,
            "name": name,
            "alt": f"{name}, as uploaded",
            "box": None if crop is None else [crop.left, crop.top, crop.right, crop.bottom],
            "least": LEAST,
            **_SENTENCES,
        },
    )


def parse_box(value: object) -> Crop | None:
    """The four edges that a browser sends, as a crop; None for anything else."""
    if not isinstance(value, list | tuple):
        return None
    try:
        return Crop(*(float(edge) for edge in value))
    except (TypeError, ValueError):
        return None


_FRAME = st.components.v2.component(
    "atelier_crop",
    css=(Path(__file__).parent / "crop_box.css").read_text(encoding="utf-8"),
    js=(Path(__file__).parent / "crop_box.js").read_text(encoding="utf-8"),
)
