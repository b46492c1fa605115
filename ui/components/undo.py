"""A bar at the bottom of the window after an act that can be undone: what was done, Undo, close.

Whoever acts looks up `latest` first and fills it afterwards; `frame.begin` shows the bar on every
page with `show` until it is used, closed, replaced by the next offer, or `LASTS` page runs old.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from ui import state

LASTS = 12  # page runs; most clicks cause one or two


@dataclass
class Offer:
    """The act that this visitor can undo at present.

    A hasty second click ends a page run at its next call of Streamlit. So an offer is looked up
    before the act and filled right after it, without such a call in between: no act goes without
    its Undo.

    Attributes:
        number: counts the offers, so that a late click on an old bar never reaches a new one.
        act: undoes; None where nothing is offered.
        runs_left: how many more page runs show the bar.
    """

    number: int = 0
    sentence: str = ""
    act: Callable[[], object] | None = None
    label: str = "Undo"
    runs_left: int = 0

    def fill(self, sentence: str, act: Callable[[], object], label: str = "Undo") -> None:
        """Say what was just done and offer to undo it, in place of any earlier offer.

        The bar appears when the page runs next: call `st.rerun()` afterwards, not for a fragment
        alone.

        Args:
            sentence: what was done, as plain text; names in it are never read as formatting.
            act: undoes it. It is called at most once, at the beginning of a page run; an
                `AtelierError` is shown on the page. It may fill the offer again, to do the act
                again.
            label: of the button.
        """
        self.number += 1
        self.sentence, self.act, self.label, self.runs_left = sentence, act, label, LASTS


def latest() -> Offer:
    """The visitor's offer, to be filled after an act; look it up before the act."""
    return state.page_state(Offer)


def dismiss() -> None:
    """Withdraw the offer, because what it would undo is no longer as it was left."""
    latest().act = None


def show() -> None:
    """Draw the bar if there is something to undo, and undo it once the button is pressed.

    Raises:
        AtelierError: as the act does.
    """
    kept = latest()
    if kept.act is None:
        return
    kept.runs_left -= 1
    if kept.runs_left < 0:
        kept.act = None
        return
    with st.container(key="undo_bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f"<style>{_STYLE}</style><p role='status'>{html.escape(kept.sentence)}</p>")
        used = st.button(kept.label, key=f"undo_use_{kept.number}", icon=":material/undo:")
        st.button(
            "Close",
            key=f"undo_close_{kept.number}",
            icon=":material/close:",
            type="tertiary",
            on_click=dismiss,
        )
    if used:
        act, kept.act = kept.act, None
        act()
        st.rerun()


# Dark in both themes, so that it stands out and its colours are the same everywhere. The bar may
# come up under the mouse: for a moment it takes no click, or the second of two hasty clicks would
# undo the first.
_STYLE = """
@keyframes atelier-undo-arrives { from, to { pointer-events: none; } }
.st-key-undo_bar { animation: atelier-undo-arrives 1.5s; }
[data-testid="stLayoutWrapper"]:has(> .st-key-undo_bar) { position: fixed; z-index: 999;
  bottom: 1rem; left: 50%; transform: translateX(-50%); width: max-content !important;
  max-width: min(44rem, calc(100vw - 1.5rem)); }
.st-key-undo_bar { flex-wrap: nowrap !important; padding: 0.4rem 0.5rem 0.4rem 1rem;
  border: 1px solid #5b6172; border-radius: 0.6rem; box-shadow: 0 0.3rem 1.2rem rgb(0 0 0 / 0.35);
  background: #23262f; }
.st-key-undo_bar p { margin: 0; color: #ffffff; overflow-wrap: anywhere; }
.st-key-undo_bar button { background: transparent; border-color: #8b90a0; white-space: nowrap; }
.st-key-undo_bar button p, .st-key-undo_bar button span { color: #ffffff; }
.st-key-undo_bar button:hover { background: #3a3f4d; }
"""
