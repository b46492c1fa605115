"""A sheet to draw on: streamlit-drawable-canvas with the three things that it lacks for a quick
answer.

The canvas waits 200 ms after a stroke before it sends the drawing, shows its tools only to a mouse
that hovers, and takes fingers for freehand lines alone. The row of buttons below it is a component
of our own that mends this from outside, through the canvas's own toolbar: it sends at once when the
pen is lifted, shows undo and redo to everybody, and hands a finger on to the other tools as if it
were a mouse. Should a later canvas look different inside, its own toolbar simply stays visible.

What is on the sheet survives a change of page or mode. What the drawing shows is not asked here.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image

from ui import state

SIDE = 320  # CSS pixels: fits a phone held upright, and its PNG is about 3 KB a stroke
WIDTH = 360  # CSS pixels of the column around it: the five tools in one row
# In both themes: changing the paper's colour would erase the drawing.
PAPER, INK = "#ffffff", "#000000"
TOOLS = {
    "freedraw": "Pen",
    "line": "Line",
    "polygon": "Polygon",
    "rect": "Rectangle",
    "circle": "Circle",
}
# A stroke of 14 is 1.2 to 2 pixels wide once the drawing is 28 pixels large; thinner ones vanish.
WIDTHS, USUAL_WIDTH = (6, 40), 14


@dataclass(frozen=True)
class Drawn:
    """What is on the sheet now.

    Attributes:
        rgba: uint8 `(320, 320, 4)`, dark ink on white paper, as of the last stroke.
        pen: width of the strokes in pixels.
        fill: whether closed outlines are to be filled.
    """

    rgba: np.ndarray
    pen: int
    fill: bool


@dataclass
class Sheet:
    """What one visitor has on the sheet.

    Attributes:
        number: counts the sheets; a new one is a new canvas.
        begun: the drawing that this canvas was opened with, as the canvas itself writes drawings;
            None for an empty one.
        drawing: what is on it now, in the same form.
        png: the same as a picture, `SIDE` x `SIDE`; None while nobody has drawn.
    """

    number: int = 0
    begun: dict | None = None
    drawing: dict | None = None
    png: bytes | None = None


def clear() -> None:
    """Take a new sheet."""
    sheet = state.page_state(Sheet)
    sheet.number += 1
    sheet.begun = sheet.drawing = sheet.png = None


def sheet() -> Drawn | None:
    """Draw the tools, the sheet and its buttons; best in a fragment, since every stroke runs it
    anew.

    Returns:
        what is drawn; None for an empty sheet.
    """
    from streamlit_drawable_canvas import st_canvas

    tool = st.segmented_control(
        "Tool",
        list(TOOLS),
        format_func=TOOLS.get,
        key="classify_tool",
        default="freedraw",
        required=True,
        label_visibility="collapsed",
    )
    mine = state.page_state(Sheet)
    key = f"classify_canvas_{mine.number}"
    # The canvas is opened by this run: later ones must not change what it began with.
    if key not in st.session_state:
        mine.begun = mine.drawing
    with st.container(key="classify_sheet", gap="xsmall"):
        result = st_canvas(
            fill_color="rgba(0, 0, 0, 0)",
            stroke_width=st.session_state.get("classify_width", USUAL_WIDTH),
            stroke_color=INK,
            background_color=PAPER,
            width=SIDE,
            height=SIDE,
            drawing_mode=tool,
            initial_drawing=mine.begun,
            return_image_data=True,
            key=key,
        )
        if result.image_bytes is not None:
            mine.drawing, mine.png = result.json_data, result.image_bytes
        _BUTTONS(
            key="classify_sheet_buttons",
            data={"tool": tool, "canvas": key, "unclosed": _unclosed(mine.drawing)},
            on_cleared_change=clear,
            height="content",
        )
    if tool == "polygon":
        st.caption("Set corner after corner; the first one closes the shape.")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        width = st.slider(
            "Pen width", *WIDTHS, USUAL_WIDTH, step=2, key="classify_width", width=130
        )
        fill = st.toggle("Fill closed outlines", True, key="classify_fill")
    rgba = pixels(mine)
    return None if rgba is None else Drawn(rgba, width, fill)


def pixels(sheet: Sheet) -> np.ndarray | None:
    """What is on the sheet as uint8 `(320, 320, 4)`, or None where nothing is."""
    if sheet.png is None or not (sheet.drawing or {}).get("objects"):
        return None
    return np.asarray(Image.open(io.BytesIO(sheet.png)).convert("RGBA"))


def _unclosed(drawing: dict | None) -> int:
    """How many corners the last thing drawn has if it is a polygon in the making, as the canvas's
    undo brings them back: a path of straight lines, which no pen draws. 0 for anything else.
    """
    last = ((drawing or {}).get("objects") or [{}])[-1]
    path = last.get("path", []) if last.get("type") == "Path" else []
    return len(path) if all(command[0] in "ML" for command in path) else 0


_BUTTONS = st.components.v2.component(
    "atelier_sheet_buttons",
    css=(Path(__file__).parent / "canvas.css").read_text(encoding="utf-8"),
    js=(Path(__file__).parent / "canvas.js").read_text(encoding="utf-8"),
)
