"""From a finished form to a queued job: the button, what stands below it, and which run the address
means.

A click that arrives twice starts one run; two tabs that press at the same time start two, one
queued behind the other.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core import runs, wording
from core.engine import Job, JobState
from core.specs.spec import TrainSpec
from ui import cache, frame, state
from ui.components import layer_table
from ui.train import form, jobs, preview, rate_panel

DOUBLE_CLICK_SECONDS = 3.0


@dataclass
class StartState:
    """The last run that this visitor started."""

    spec: TrainSpec | None = None
    run_id: str = ""
    when: float = 0.0


def find_run(known: Sequence[Job]) -> str | None:
    """The run to show: the one in the address, else the one in training, unless the form was asked
    for.

    Args:
        known: the jobs that are running or queued.
    """
    named = st.query_params.get("run")
    if named or st.query_params.get("new"):
        return named
    training = next((job.run_id for job in known if job.state != JobState.WAITING), None)
    if training:
        state.put({"run": training})
    return training


def offer(spec: TrainSpec | None, wrong: Sequence[str]) -> None:
    """Draw the button, and the size, time and layers of the training or what is wrong with it.

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
            st.error(wording.sentence(sentence), icon=":material/error:")
        if spec is None:
            return
        changes = form.list_changes(spec, form.chosen_preset())
        if changes:
            st.caption("Changed: " + ", ".join(changes) + ".")
        if spec.validation == "test":
            st.warning(
                "The best epoch is chosen on the test pictures, "
                "so the test accuracy will look better than it is.",
                icon=":material/visibility:",
            )
        form.show_summary(spec)
    if pressed:
        with frame.errors(stop=False), st.spinner("Handing over to the engine …"):
            start(spec)
            st.rerun()
    with frame.errors(stop=False):
        preview.show(spec)
    rate_panel.show(spec)
    layer_table.layer_table(spec)


def start(spec: TrainSpec) -> None:
    """Send a training to the engine and show it; a quick second click counts as the first."""
    last = state.page_state(StartState)
    if last.spec != spec or time.monotonic() - last.when > DOUBLE_CLICK_SECONDS:
        last.run_id = cache.engine().submit(spec.replace(name=runs.free_name(spec.name)))
        last.spec, last.when = spec, time.monotonic()
        cache.forget_runs()
    jobs.open_run(last.run_id)
