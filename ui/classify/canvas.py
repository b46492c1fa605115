"""A sheet to draw on: streamlit-drawable-canvas, with three things added that a quick answer needs.

The canvas waits 200 ms after a stroke before it sends the drawing, shows its tools only while a
mouse hovers over it, and lets fingers draw freehand lines only. The row of buttons below it is a
component of our own that makes up for this from outside, through the canvas's own toolbar: it sends
the drawing as soon as the pen is lifted, always shows undo and redo, and passes a finger on to the
other tools as if it were a mouse. If a later canvas looks different inside, its own toolbar simply
stays visible.

The drawing survives a change of page or mode. What it shows is for `core.inference.answer` to say.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from ui import state

SIDE = 320  # CSS pixels: fits a phone held upright, and its PNG is about 3 KB a stroke
WIDTH = 360  # CSS pixels of the column around it: the five tools in one row
# In both themes: another colour of the paper would erase the drawing.
PAPER, INK = "#ffffff", "#000000"
Tool = Literal["freedraw", "line", "polygon", "rect", "circle"]
TOOLS: dict[Tool, str] = {
    "freedraw": "Pen",
    "line": "Line",
    "polygon": "Polygon",
    "rect": "Rectangle",
    "circle": "Circle",
}
# A stroke of 14 is 1.2 to 2 pixels wide once the drawing is 28 pixels large; thinner ones vanish.
NARROWEST, WIDEST, USUAL_WIDTH = 6, 40, 14


class CanvasObject(TypedDict, total=False):
    """One thing drawn, as Fabric.js describes it; only what is read here."""

    type: str
    path: list[list[str | float]]


class CanvasDrawing(TypedDict, total=False):
    """A whole drawing as Fabric.js describes it; only what is read here."""

    objects: list[CanvasObject]


@dataclass(frozen=True)
class Drawing:
    """What is on the sheet now.

    Attributes:
        rgba: uint8 `(320, 320, 4)`, dark ink on white paper, as of the last stroke.
        pen: width of the strokes in pixels.
        fill: whether closed outlines are to be filled.
    """

    rgba: NDArray[np.uint8]
    pen: int
    fill: bool


@dataclass
class Sheet:
    """What one visitor has on the sheet.

    Attributes:
        number: counts the sheets; a new one is a new canvas.
        initial: the drawing that this canvas was opened with, as the canvas itself writes drawings;
            None for an empty one.
        drawing: what is on it now, in the same form.
        png: the same as a picture, `SIDE` x `SIDE`; None before the first stroke.
    """

    number: int = 0
    initial: CanvasDrawing | None = None
    drawing: CanvasDrawing | None = None
    png: bytes | None = None


def clear() -> None:
    """Take a new sheet."""
    sheet = state.page_state(Sheet)
    sheet.number += 1
    sheet.initial = sheet.drawing = sheet.png = None


def draw_sheet() -> Drawing | None:
    """Draw the tools, the sheet and its buttons; best in a fragment, since every stroke reruns it.

    Returns:
        what is drawn; None for an empty sheet.
    """
    from streamlit_drawable_canvas import st_canvas

    tool = st.segmented_control(
        "Tool",
        list(TOOLS),
        format_func=TOOLS.__getitem__,
        key="classify_tool",
        default="freedraw",
        required=True,
        label_visibility="collapsed",
    )
    sheet = state.page_state(Sheet)
    key = f"classify_canvas_{sheet.number}"
    # This run of the page opens the canvas: later ones must not change what it was opened with.
    if key not in st.session_state:
        sheet.initial = sheet.drawing
    with st.container(key="classify_sheet", gap="xsmall"):
        result = st_canvas(
            fill_color="rgba(0, 0, 0, 0)",
            stroke_width=st.session_state.get("classify_width", USUAL_WIDTH),
            stroke_color=INK,
            background_color=PAPER,
            width=SIDE,
            height=SIDE,
            drawing_mode=tool,
            initial_drawing=sheet.initial,
            return_image_data=True,
            key=key,
        )
        if result.image_bytes is not None:
            sheet.drawing, sheet.png = result.json_data, result.image_bytes
        _BUTTONS(
            key="classify_sheet_buttons",
            data={"tool": tool, "canvas": key, "unclosed": _unclosed_corners(sheet.drawing)},
            on_cleared_change=clear,
            height="content",
        )
    if tool == "polygon":
        st.caption("Click each corner in turn; a click on the first one closes the shape.")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        pen = st.slider(
            "Pen width", NARROWEST, WIDEST, USUAL_WIDTH, step=2, key="classify_width", width=130
        )
        fill = st.toggle("Fill closed outlines", True, key="classify_fill")
    rgba = read_pixels(sheet)
    return None if rgba is None else Drawing(rgba, pen, fill)


def read_pixels(sheet: Sheet) -> NDArray[np.uint8] | None:
    """What is on the sheet as uint8 `(320, 320, 4)`, or None for an empty one."""
    if sheet.png is None or not (sheet.drawing or {}).get("objects"):
        return None
    return np.asarray(Image.open(io.BytesIO(sheet.png)).convert("RGBA"))


def _unclosed_corners(drawing: CanvasDrawing | None) -> int:
    """How many corners the last thing drawn has if it is a polygon in the making, as the canvas's
    undo brings them back: a path of straight lines, which no pen draws. 0 for anything else.
    """
    objects = (drawing or {}).get("objects")
    if not objects or objects[-1].get("type") != "Path":
        return 0
    path = objects[-1].get("path", [])
    return len(path) if all(command[0] in ("M", "L") for command in path) else 0


_BUTTONS = st.components.v2.component(
    "atelier_sheet_buttons",
    css=(Path(__file__).parent / "canvas.css").read_text(encoding="utf-8"),
    js=(Path(__file__).parent / "canvas.js").read_text(encoding="utf-8"),
)
