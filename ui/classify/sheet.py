"""The sheet with the answer that follows every stroke, on Home and on Classify.

Both pages show the same sheet: a drawing begun on one goes on on the other.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core import pictures
from core.inference import answer
from ui.classify import canvas, result
from ui.classify.result import Contender


@st.fragment
def show(contenders: list[Contender], *, briefly: bool = False) -> None:
    """Draw the sheet, and the answer next to it, or above it in a narrow window.

    Args:
        contenders: one or two networks that answer.
        briefly: leave out options, preparation and reasons.
    """
    with st.container(key="classify_row", horizontal=True, gap="medium"):
        left, right = st.container(width=canvas.WIDTH), st.container(key="classify_answer")
    with left:
        drawn = canvas.draw_sheet()
    if drawn is None:
        with right:
            result.draw_placeholder(
                "Nothing yet",
                "Draw the outline of a T-shirt: neck, sleeves, sides, hem. A closed outline is "
                "filled for you, and the answer follows every stroke.",
            )
        return
    options = replace(result.chosen_options(), fill=drawn.fill, pen=drawn.pen)
    question = answer.prepare(pictures.from_canvas(drawn.rgba), options)
    with right:
        predictions = result.draw_answers(
            contenders,
            question.pixels,
            blank=question.prepared.blank,
            doubt=question.doubt,
            kind=question.prepared.kind,
        )
    result.draw_bars_below(predictions)
    result.draw_remarks(question.prepared)
    if briefly:
        return
    result.draw_options(fill=False)
    result.draw_steps(question.prepared)
    result.draw_reasons(contenders, question.pixels, predictions)
