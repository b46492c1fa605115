"""From a finished form to a job in line: the button, what stands beside it, and which run the
address means.

A click that arrives twice starts one run; two tabs that press at once start two, one behind the
other.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from core.specs.spec import TrainSpec
from ui import cache, frame, state
from ui.components import layer_table
from ui.train import form
from ui.train import jobs as run_live

DOUBLE_CLICK_SECONDS = 3.0


@dataclass
class StartState:
    """The last run that this visitor started."""

    spec: TrainSpec | None = None
    run_id: str = ""
    when: float = 0.0


def run_in_address(jobs: list) -> str | None:
    """The run to show: the one in the address, else the one that is being trained, unless the form
    was asked for.

    Args:
        jobs: what is being trained or waits (`run_live.jobs`).
    """
    named = st.query_params.get("run")
    if named or st.query_params.get("new"):
        return named
    training = next((job.run_id for job in jobs if job.state != "waiting"), None)
    if training:
        state.put({"run": training})
    return training


def offer(spec: TrainSpec | None, wrong: list[str]) -> None:
    """The button, with what the training would be: size, time and layers; or what keeps it from
    starting.

    Args:
        spec: what the form holds, or None.
        wrong: a sentence for everything that is wrong with it.
    """
    with st.container(border=True):
        pressed = st.button(
            "Train",
            key="train_start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=spec is None,
            width="stretch",
        )
        for sentence in wrong:
            st.error(sentence, icon=":material/error:")
        if spec is None:
            return
        differences = form.changes(spec, form.chosen_preset())
        if differences:
            st.caption("Changed: " + ", ".join(differences) + ".")
        if spec.validation == "test":
            st.warning(
                "The best epoch is chosen on the test pictures, so the test accuracy will look better than it is.",
                icon=":material/visibility:",
            )
        form.summary(spec)
    if pressed:
        with frame.errors(stop=False):
            start(spec)
            st.rerun()
    layer_table.layer_table(spec)


def start(spec: TrainSpec) -> None:
    """Send a training to the engine and show it; a second click within a moment is taken for the
    first one.
    """
    last = state.page_state(StartState)
    if last.spec != spec or time.monotonic() - last.when > DOUBLE_CLICK_SECONDS:
        last.run_id = cache.engine().submit(spec)
        last.spec, last.when = spec, time.monotonic()
        cache.forget_runs()
    run_live.open_run(last.run_id)
