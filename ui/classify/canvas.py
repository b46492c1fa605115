"""A sheet to draw on: streamlit-drawable-canvas, with three things added that a quick answer needs.

The canvas waits 200 ms after a stroke before it sends the drawing, shows its tools only while a
mouse hovers over it, and lets fingers draw freehand lines only. The row of buttons below it is a
component of our own that makes up for this from outside, through the canvas's own toolbar: it sends
the drawing as soon as the pen is lifted, always shows undo and redo, and passes a finger on to the
other tools as if it were a mouse. If a later canvas looks different inside, its own toolbar simply
stays visible.

The drawing survives a change of page or mode with everything that can be undone
(`ui.classify.drawing_history`). What it shows is for `core.inference.answer` to say.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.labels import CLASS_NAMES
from ui import state
from ui.classify import guides
from ui.classify.drawing_history import Sheet, unclosed_corners

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
# With wider pens sleeves, straps and heels run together: answers to simulated hands are best
# from 6 to 10.
NARROWEST, WIDEST, USUAL_WIDTH = 4, 20, 10


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


def clear() -> None:
    """Take an empty sheet."""
    _sheet_as_sent().clear()


def undo() -> None:
    """Go back further than the canvas itself remembers."""
    _sheet_as_sent().undo()


def redo() -> None:
    """Go forward again further than the canvas itself remembers."""
    _sheet_as_sent().redo()


def keep_half() -> None:
    """Keep a half-set polygon as lines."""
    sheet = _sheet_as_sent()
    sheet.lines_from_half()
    sheet.asked = st.session_state["classify_sheet_buttons"].kept


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
        persist_state="session",
        label_visibility="collapsed",
    )
    pen = int(st.session_state.get("classify_width", USUAL_WIDTH))
    sheet = _sheet_as_sent()
    key = _key(sheet)
    # This run of the page opens the canvas: later ones must not change what it was opened with.
    if key not in st.session_state:
        sheet.initial = sheet.drawing
    elif (tool, pen) != sheet.tool:
        sheet.lines_from_half()  # the canvas itself would drop them
    sheet.tool = tool, pen
    with st.container(key="classify_sheet", gap="xsmall"):
        st_canvas(
            fill_color="rgba(0, 0, 0, 0)",
            stroke_width=pen,
            stroke_color=INK,
            background_color=PAPER,
            width=SIDE,
            height=SIDE,
            # With the polygon tool it would not send the lines that it is to keep.
            drawing_mode="freedraw" if sheet.keeping else tool,
            initial_drawing=sheet.initial,
            return_image_data=True,
            key=key,
        )
        rgba = sheet.pixels()
        filled = st.session_state.get("classify_fill", True)
        gaps = guides.open_places(rgba) if rgba is not None and filled else ""
        _draw_buttons(sheet, tool, gaps)
    if tool == "polygon":
        st.caption(_about_corners(sheet))
    pen, fill = _draw_settings()
    if gaps:
        st.caption("Orange: the outline is open there, and is closed for the network.")
    return None if rgba is None else Drawing(rgba, pen, fill)


def _draw_settings() -> tuple[int, bool]:
    """The width of the pen in pixels, whether outlines are filled, and which one is traced."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        pen = st.slider(
            "Pen width",
            NARROWEST,
            WIDEST,
            USUAL_WIDTH,
            step=2,
            key="classify_width",
            persist_state="session",
            width=130,
        )
        fill = st.toggle("Fill closed outlines", True, key="classify_fill", persist_state="session")
    st.selectbox(
        "Outline to trace",
        range(len(CLASS_NAMES)),
        index=None,
        format_func=CLASS_NAMES.__getitem__,
        placeholder="Trace an outline: choose a garment",
        label_visibility="collapsed",
        key="classify_traced",
        persist_state="session",
        width=SIDE,
    )
    return int(pen), fill


def _about_corners(sheet: Sheet) -> str:
    """What a click does with the polygon tool."""
    corners = unclosed_corners(sheet.half.drawing) if sheet.half else 0
    if not corners:
        return "Click each corner in turn; a click on the first one closes the shape."
    return (
        f"{corners} corners set: a click on the first one closes the shape, another tool keeps it "
        "as lines."
    )


def _draw_buttons(sheet: Sheet, tool: Tool, gaps: str) -> None:
    """The buttons below the canvas, and what lies over it.

    Args:
        gaps: marks where the outline is open, as `guides.open_places` gives them.
    """
    traced: int | None = st.session_state.get("classify_traced")
    _BUTTONS(
        key="classify_sheet_buttons",
        data={
            "tool": tool,
            "canvas": _key(sheet),
            "between": sheet.between,
            "half": sheet.half is not None,
            "asked": sheet.asked,
            "undoable": bool(sheet.earlier),
            "redoable": bool(sheet.later),
            "outline": "" if traced is None else guides.outline(traced),
            "gaps": gaps,
        },
        on_cleared_change=clear,
        on_undone_change=undo,
        on_redone_change=redo,
        on_kept_change=keep_half,
        height="content",
    )


def _key(sheet: Sheet) -> str:
    return f"classify_canvas_{sheet.number}"


def _sheet_as_sent() -> Sheet:
    """The sheet with what its canvas has sent last."""
    sheet = state.page_state(Sheet)
    sent = st.session_state.get(_key(sheet), {}).get("drawing")
    if sent and sent.get("data"):
        png = base64.b64decode(sent["data"].split(",", 1)[1])
        sheet.take(sent["raw"], png, polygon=sheet.tool[0] == "polygon")
    return sheet


_BUTTONS = st.components.v2.component(
    "atelier_sheet_buttons",
    css=(Path(__file__).parent / "canvas.css").read_text(encoding="utf-8"),
    js=(Path(__file__).parent / "canvas.js").read_text(encoding="utf-8"),
)
