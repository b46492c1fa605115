"""What happens between a click on Train and the first batch, as steps that tick off; and the engine
that gets ready for the click while the form is filled in.
"""

from __future__ import annotations

import threading

import streamlit as st

from core import engine, settings
from core.engine import Job, JobState
from core.errors import AtelierError
from core.runs import Phase
from core.training import start_times
from core.training.start_times import Step
from ui.components.curves import HEIGHT

TITLES = {
    Step.ENGINE: "Start the engine",
    Step.IMPORT: "Import TensorFlow",
    Step.DATA: "Open the data",
    Step.NETWORK: "Build the network and train its first batch",
}
DONE, PRESENT, LATER = (
    ":material/check_circle:",
    ":material/pending:",
    ":material/radio_button_unchecked:",
)


def present_step(job: Job) -> Step | None:
    """The step that a job is at; None where it waits for others, or is past its first batch."""
    if job.state is JobState.WAITING:
        return Step.ENGINE if job.place <= 1 else None
    if job.progress is None:
        return Step.IMPORT
    if job.progress.phase in (Phase.LOADING, Phase.PREPARING):
        return Step.DATA
    if job.progress.phase in (Phase.WEIGHTS, Phase.BUILDING):
        return Step.NETWORK
    return None


def show(job: Job | None) -> None:
    """Draw the steps in the place where the curves will be."""
    present = present_step(job) if job is not None else None
    with st.container(height=HEIGHT, border=False, key="train_steps"):
        if present is None:
            st.caption("The curves begin with the first batch.")
            return
        order = list(Step)
        for step in order:
            place = order.index(step) - order.index(present)
            icon = DONE if place < 0 else PRESENT if place == 0 else LATER
            usual = start_times.usual(step)
            time = "" if usual is None or place < 0 else f", usually {usual:.1f} s here"
            words = f"**{TITLES[step]}**" if place == 0 else TITLES[step]
            state = " (done)" if place < 0 else ""
            st.markdown(f"{icon} {words}{state}{time}")


def warm_up() -> None:
    """Start the engine of this home, whose worker then imports TensorFlow, unless it is there, or
    somebody else's, or not wanted.
    """
    if settings.warm_engine() and settings.engine_address() is None:
        _start_in_background(str(settings.home()))


@st.cache_resource(ttl=60, max_entries=4, show_spinner=False)
def _start_in_background(home: str) -> threading.Thread:
    """Once a minute at most for all visitors; an engine that is there is only asked."""
    thread = threading.Thread(target=_connect, name="atelier-warm-up", daemon=True)
    thread.start()
    return thread


def _connect() -> None:
    try:
        engine.connect()
    except AtelierError:
        return  # a click on Train says why
