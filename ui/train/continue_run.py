"""Train a run on: Resume for one that was interrupted or stopped, and more epochs for one that is
complete.

What continuing means is decided in `core.runs.continuation`.
"""

from __future__ import annotations

import streamlit as st

from core.runs import Run, continuation
from core.specs.spec import TrainSpec
from core.training import estimate
from ui import cache, frame
from ui.components.words import about
from ui.train import jobs

MORE_EPOCHS = 4
MOST_EPOCHS = 100  # at once


def offer(run: Run) -> None:
    """Draw how a finished run can be trained on; nothing where it cannot."""
    resumable, extendable = continuation.is_resumable(run), continuation.is_extendable(run)
    if not (resumable or extendable):
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="train_continue"):
        if resumable:
            resume_button(run.id, _left(run))
        if extendable:
            _more_epochs(run)


def resume_button(run_id: str, help: str | None = None) -> None:
    """Draw the button that sends a run back to the engine."""
    if st.button(
        "Resume", key="train_resume", type="primary", icon=":material/play_circle:", help=help
    ):
        resume(run_id)


def resume(run_id: str) -> None:
    """Send a run back to the engine and show it."""
    with frame.errors(stop=False):
        cache.engine().resume(run_id)
        _show(run_id)


def _left(run: Run) -> str:
    left = run.spec.epochs - run.finished_record.epochs_done
    return f"Train the {left} epoch{'s' * (left != 1)} that it still has, from where it was."


def _more_epochs(run: Run) -> None:
    """A number of epochs, what they would do and take, and the button that trains them."""
    with st.popover("Train more epochs", icon=":material/add_circle:"):
        more = int(
            st.number_input("More epochs", 1, MOST_EPOCHS, MORE_EPOCHS, key=f"train_more_{run.id}")
        )
        spec = continuation.extended(run.spec.replace(name=run.name), more)
        left = spec.epochs - run.finished_record.epochs_done
        seconds = estimate.estimate_seconds(spec)[0] * left / spec.epochs
        st.caption(f"{_schedule(run.spec, spec)} Expected time: {about(seconds)}.")
        st.caption("A copy of this run is trained; the run itself stays as it is.")
        if st.button(
            f"Train {more} more epoch{'s' * (more != 1)}",
            key=f"train_extend_{run.id}",
            type="primary",
            icon=":material/play_arrow:",
        ):
            with frame.errors(stop=False):
                _show(cache.engine().extend(run.id, more))


def _schedule(spec: TrainSpec, longer: TrainSpec) -> str:
    """What the learning rate does in the added epochs."""
    if spec.schedule == "constant":
        return f"The learning rate stays at {spec.learning_rate:g}."
    return (
        f"The learning rate falls to zero at the end of epoch {spec.epochs}. In epoch "
        f"{spec.epochs + 1} it starts the same schedule again, now over {longer.epochs - spec.epochs} "
        f"epochs, so the accuracy usually drops before it rises above where it was."
    )


def _show(run_id: str) -> None:
    cache.forget_runs()
    jobs.open_run(run_id)
    st.rerun()
