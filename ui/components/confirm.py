"""A question before an act that is surprising, expensive or cannot be undone.

The question opens over the page and closes with either answer, so an impatient second click finds
nothing to press.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st

from core import wording
from core.errors import AtelierError


def button(
    label: str,
    question: str,
    confirm: str,
    *,
    key: str,
    icon: str,
    on_confirm: Callable[[], object],
    disabled: bool = False,
    type: Literal["primary", "secondary", "tertiary"] = "secondary",
    help: str | None = None,
) -> None:
    """Draw a button that asks before it acts.

    Args:
        label: of the button; the title of the question, too.
        question: what will happen and whether it can be undone, as Markdown.
        confirm: the label of the answer that acts, a verb.
        key: carries the id of what is acted on, so that no click reaches another.
        icon: a Material icon.
        on_confirm: the act; an `AtelierError` is shown in the question, which then stays open.
        disabled, type, help: as of `st.button`.
    """
    if st.button(label, key=key, icon=icon, disabled=disabled, type=type, help=help):
        ask(label, question, confirm, key=key, on_confirm=on_confirm)


def ask(
    title: str, question: str, confirm: str, *, key: str, on_confirm: Callable[[], object]
) -> None:
    """Open the question at once; arguments as of `button`."""

    @st.dialog(title)
    def show() -> None:
        st.write(question)
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Cancel", key=f"{key}_cancel"):
                st.rerun()
            confirmed = st.button(confirm, key=f"{key}_confirm", type="primary")
        if confirmed:
            try:
                on_confirm()
            except AtelierError as problem:
                st.error(wording.sentence(str(problem)), icon=":material/error:")
            else:
                st.rerun()

    show()
