"""The curves of one run on a page: live while it trains, with the published figure of its preset
and earlier runs over them.

What a figure looks like is in `curves.py`; here the rows are fetched.
"""

from __future__ import annotations

import streamlit as st

from core import runs as library
from core.errors import AtelierError
from core.specs import presets
from ui import cache, frame
from ui.components import curves, run_names

CURVES_SECONDS = 2.0
PICKED = "train_overlay"  # key of the picker


def draw(
    run: library.Run,
    rows: list[dict],
    best: int | None,
    overlays: list[curves.Overlay],
    epochs: int | None = None,
) -> None:
    """Draw both curves; the arguments are those of `curves.figure`."""
    preset = presets.matching(run.spec)
    published = preset.published if preset else None
    words, level = published.level if published else ("", None)
    curves.show(
        rows,
        key="train_curves",
        epochs=epochs,
        best_epoch=best,
        overlays=overlays,
        revision=run.id,
        published=curves.Published(level, published.test_loss, words) if published else None,
    )
    if level is not None:
        asked = "test" if published.test_accuracy is not None else "validation"
        st.caption(
            f"Dashed: the published {asked} result after {preset.spec.epochs} epochs ({published.source})."
        )


def chosen_overlays(run: library.Run) -> list[curves.Overlay]:
    """The earlier runs picked below the curves.

    A run that was deleted meanwhile, or is itself shown, is dropped there too.
    """
    others = {other.id for other in cache.runs()} - {run.id}
    picked = [run_id for run_id in st.session_state.get(PICKED, []) if run_id in others]
    st.session_state[PICKED] = picked
    found = []
    for run_id in picked:
        try:
            found.append(curves.Overlay(library.read(run_id).name, library.history(run_id)))
        except AtelierError:
            continue  # gone or damaged in this very moment
    return found


def overlay_picker(run: library.Run) -> None:
    """Choose earlier runs to compare with; drawn below the curves, after `chosen_overlays` was
    asked.
    """
    names = run_names.titles(other for other in cache.runs() if other.id != run.id)
    if names:
        st.multiselect(
            "Lay earlier runs over it",
            list(names),
            format_func=lambda one: names.get(one, one),
            key=PICKED,
            max_selections=len(curves.EARLIER),
            placeholder="None",
            persist_state="session",
        )


@st.fragment(run_every=CURVES_SECONDS)
def follow(run: library.Run, overlays: list[curves.Overlay]) -> None:
    """The curves of a run in the making, drawn anew every other second."""
    with frame.errors(stop=False):
        draw(run, library.history(run.id), best_so_far(run.id), overlays, epochs=run.spec.epochs)


def best_so_far(run_id: str) -> int | None:
    """The epoch whose weights are kept at the moment, as the training itself judges it."""
    checkpoint = library.read_json(run_id, "checkpoint.json")
    if checkpoint is not None:
        return checkpoint.get("best", {}).get("epoch")
    return (library.read_json(run_id, "run.json") or {}).get("best_epoch")
