"""The curves of one run on the Train page: live while it trains, with the published figures of its
preset and with earlier runs overlaid.

What a chart looks like is decided in `ui.components.curves`; here the epochs are fetched.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import runs
from core.engine import Job
from core.errors import AtelierError, EngineUnavailable
from core.runs import Epoch, Run
from core.specs import presets
from ui import cache, frame
from ui.components import curves, run_names
from ui.components.curves import Level, Metric, Overlay
from ui.train import first_steps, jobs

CURVES_SECONDS = 1.0
SMOOTHINGS = (0, 5, 10, 20, 50, 100, 200, 500)  # batches
SMOOTHING = 20
PICKED = "train_overlay"  # key of the picker
SMOOTHED, LOGARITHMIC, RATE = "train_smoothing", "train_logarithmic", "train_rate"  # keys


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
    batches = runs.batch_curve(run.id)
    chosen = st.session_state
    curves.show(
        history,
        key="train_curves",
        epochs=epochs,
        best_epoch=best_epoch,
        overlays=overlays,
        revision=run.id,
        levels=levels,
        batches=None
        if batches is None
        else curves.Batches(
            batches, chosen.get(SMOOTHED, SMOOTHING), chosen.get(LOGARITHMIC, False)
        ),
        rate=chosen.get(RATE, False),
    )
    if batches is not None:
        _show_options()
    if preset is not None and published is not None and accuracy is not None:
        split = "test" if published.test_accuracy is not None else "validation"
        st.caption(
            f"Dashed: the published {split} result after {preset.spec.epochs} epochs "
            f"({published.source})."
        )


def _show_options() -> None:
    """How the batches are drawn; below the charts, which read it from the session."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.select_slider(
            "Smoothing",
            SMOOTHINGS,
            SMOOTHING,
            format_func=lambda batches: f"{batches} batches" if batches else "none",
            key=SMOOTHED,
            persist_state="session",
            width=260,
            help="How many batches the means of the strong line go back. The faint line is as measured; "
            "in a long training each of its points is a mean over several batches already.",
        )
        st.toggle("Logarithmic loss", key=LOGARITHMIC, persist_state="session")
        st.toggle("Learning rate", key=RATE, persist_state="session")


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
        history = runs.history(run.id)
        if not history and runs.batch_curve(run.id) is None:
            first_steps.show(_job(run.id))
        else:
            show(run, history, best_so_far(run.id), overlays, epochs=run.spec.epochs)


def _job(run_id: str) -> Job | None:
    """The run's job; None where the engine cannot be asked at this moment."""
    try:
        found = jobs.find_engine()
        return found.job(run_id) if found else None
    except EngineUnavailable:
        return None


def best_so_far(run_id: str) -> int | None:
    """The epoch whose weights are kept at the moment, as the training itself judges it."""
    checkpoint = runs.read_json(run_id, "checkpoint.json")
    if checkpoint is not None:
        epoch = checkpoint.get("best", {}).get("epoch")
    else:
        epoch = (runs.read_json(run_id, "run.json") or {}).get("best_epoch")
    return None if epoch is None else int(epoch)
