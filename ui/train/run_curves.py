"""The curves of one run on the Train page: live while it trains, with the published figures of its
preset and with earlier runs overlaid.

What a chart looks like is decided in `ui.components.curves`; here the epochs are fetched.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import runs
from core.errors import AtelierError
from core.runs import Epoch, Run
from core.specs import presets
from ui import cache, frame
from ui.components import curves, run_names
from ui.components.curves import Level, Metric, Overlay

CURVES_SECONDS = 2.0
PICKED = "train_overlay"  # key of the picker


def show(
    run: Run,
    history: Sequence[Epoch],
    best_epoch: int | None,
    overlays: Sequence[Overlay],
    epochs: int | None = None,
) -> None:
    """Draw both curves; the arguments are those of `curves.figure`."""
    preset = presets.matching(run.spec)
    published = preset.published if preset else None
    words, accuracy = published.level if published else ("", None)
    levels: dict[Metric, Level] = {}
    if accuracy is not None:
        levels["accuracy"] = Level(accuracy, words)
    if published is not None and published.test_loss is not None:
        levels["loss"] = Level(published.test_loss, words)
    curves.show(
        history,
        key="train_curves",
        epochs=epochs,
        best_epoch=best_epoch,
        overlays=overlays,
        revision=run.id,
        levels=levels,
    )
    if preset is not None and published is not None and accuracy is not None:
        split = "test" if published.test_accuracy is not None else "validation"
        st.caption(
            f"Dashed: the published {split} result after {preset.spec.epochs} epochs "
            f"({published.source})."
        )


def read_overlays(run: Run) -> list[Overlay]:
    """The earlier runs picked below the curves.

    A run that was deleted meanwhile, or that the page itself shows, is removed from the picker too.
    """
    others = {other.id for other in cache.runs()} - {run.id}
    picked = [run_id for run_id in st.session_state.get(PICKED, []) if run_id in others]
    st.session_state[PICKED] = picked
    overlays = []
    for run_id in picked:
        try:
            overlays.append(Overlay(runs.read(run_id).name, runs.history(run_id)))
        except AtelierError:
            continue  # deleted or damaged this very moment
    return overlays


def pick_overlays(run: Run) -> None:
    """Let people choose earlier runs to compare with; drawn below the curves, after
    `read_overlays`.
    """
    names = run_names.titles(other for other in cache.runs() if other.id != run.id)
    if names:
        st.multiselect(
            "Compare with earlier runs",
            list(names),
            format_func=lambda run_id: names.get(run_id, run_id),
            key=PICKED,
            max_selections=len(curves.EARLIER),
            placeholder="None",
            persist_state="session",
        )


@st.fragment(run_every=CURVES_SECONDS)
def follow(run: Run, overlays: Sequence[Overlay]) -> None:
    """Draw the curves of a run in training, again every other second."""
    with frame.errors(stop=False):
        show(run, runs.history(run.id), best_so_far(run.id), overlays, epochs=run.spec.epochs)


def best_so_far(run_id: str) -> int | None:
    """The epoch whose weights are kept at the moment, as the training itself judges it."""
    checkpoint = runs.read_json(run_id, "checkpoint.json")
    if checkpoint is not None:
        epoch = checkpoint.get("best", {}).get("epoch")
    else:
        epoch = (runs.read_json(run_id, "run.json") or {}).get("best_epoch")
    return None if epoch is None else int(epoch)
