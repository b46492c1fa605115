"""One experiment on the page: how far it is, its points as they come, stop and go on, and what came
of it.

A fragment asks engine and library every other second while something is to come, so that each
finished training appears at once; nothing is remembered here, and a reload, another tab or another
computer sees the same.

What is drawn for a sweep and for a cross-validation is in `sweep_result` and `folds_result`.
"""

from __future__ import annotations

import streamlit as st

from core.errors import EngineUnavailable
from core.experiments import queue, records
from core.experiments.queue import BROKEN, DONE, RUNNING, PointState
from core.experiments.records import FOLDS, Experiment
from core.networks import architectures
from ui import cache, frame, state
from ui.components import run_names, words
from ui.experiments import cross_validation, sweep
from ui.train import jobs

SECONDS = 2.0


def show(experiment: Experiment) -> None:
    """Draw an experiment, following it while something is still to come."""
    st.subheader(run_names.literal(experiment.name), anchor=False)
    st.caption(_described(experiment))
    if experiment.base.data == "offline-sample":
        frame.sample_badge(cache.dataset("offline-sample"))
    if any(one.alive for one in _states(experiment)):
        _followed(experiment.id)
    else:
        _body(experiment, following=False)


@st.fragment(run_every=SECONDS)
def _followed(experiment_id: str) -> None:
    with frame.errors(stop=False):
        _body(records.read(experiment_id), following=True)
    # Streamlit's running man would come and go with every look. Last, so that all else has the
    # place it will have afterwards.
    st.html("<style>[data-testid='stStatusWidget'] { visibility: hidden; }</style>")


def _body(experiment: Experiment, *, following: bool) -> None:
    found = _states(experiment, tell=True)
    if following and not any(one.alive for one in found):
        cache.forget_runs()
        st.rerun()
    _progress(experiment, found)
    _acts(experiment, found)
    (cross_validation if experiment.kind == FOLDS else sweep).draw(experiment, found)


def _states(experiment: Experiment, *, tell: bool = False) -> list[PointState]:
    """How far the points are; where an engine does not answer, what the library knows, and a
    sentence.
    """
    try:
        return queue.states(experiment, jobs.engine_if_any())
    except EngineUnavailable as problem:
        if tell:
            st.error(str(problem), icon=":material/error:")
        return queue.states(experiment)


def _progress(experiment: Experiment, found: list[PointState]) -> None:
    done = sum(one.state == DONE for one in found)
    running = [one for one in found if one.state == RUNNING]
    share = (done + sum(jobs.shares(one.job.progress)[0] for one in running)) / len(found)
    words = f"{done} of {len(found)} done"
    if running:
        words += f" · {run_names.literal(running[0].run.name)}: {jobs.state_text(running[0].job)}"
        words += f" · {len(running) - 1} more beside it" if len(running) > 1 else ""
    st.progress(min(share, 1.0), words)
    for one in found:
        if one.state == BROKEN and one.problem:
            st.warning(
                f"{run_names.literal(one.run.name)}: {one.problem}", icon=":material/warning:"
            )


def _acts(experiment: Experiment, found: list[PointState]) -> None:
    """Stop, go on, forget."""
    alive = any(one.alive for one in found)
    lacking = sum(one.state != DONE for one in found)
    with st.container(horizontal=True):
        if alive:
            stopping = all(one.job.state == "stopping" for one in found if one.alive)
            if st.button(
                "Stopping …" if stopping else "Stop",
                key="experiments_stop",
                icon=":material/stop_circle:",
                disabled=stopping,
                help="What is done stays; the training at work keeps what it learnt; the others leave the line.",
            ):
                with frame.errors(stop=False):
                    queue.stop(cache.engine(), experiment)
                    cache.forget_runs()
                    st.rerun(scope="fragment")
            return
        words = (
            "Train all"
            if lacking == len(found)
            else "Train the last one"
            if lacking == 1
            else f"Train the other {lacking}"
        )
        if lacking and st.button(
            words,
            key="experiments_go_on",
            type="primary",
            icon=":material/play_circle:",
            help="What is done is not trained again; what was cut off goes on from its last epoch; what was "
            "stopped, by you, begins anew.",
        ):
            go_on(experiment)
        if st.button(
            "Delete",
            key="experiments_delete",
            icon=":material/delete:",
            help="Takes the experiment off the list. Its runs stay, and so can be compared and used.",
        ):
            records.delete(experiment.id)
            state.put({"experiment": None})
            st.toast("The experiment is off the list; its runs stay.", icon=":material/delete:")
            st.rerun()


def go_on(experiment: Experiment) -> None:
    """Put what is not done into the line, and show it."""
    with frame.errors(stop=False), st.spinner("Putting the trainings into the line …"):
        queue.begin(cache.engine(), experiment)
        cache.forget_runs()
        state.put({"experiment": experiment.id})
        st.rerun()


def _described(experiment: Experiment) -> str:
    """What is varied and what stays, in one line."""
    spec = experiment.base
    varied = [one.setting for one in experiment.axes]
    facts = [
        f"{one.field.label}: {('; ' if any(',' in text for text in one.texts) else ', ').join(one.texts)}"
        for one in experiment.axes
        if experiment.kind != FOLDS
    ]
    if experiment.kind == FOLDS:
        facts.append(
            f"{spec.folds} folds, {'shuffled' if spec.shuffle_folds else 'in order'}, seed {spec.seed}"
        )
    facts.append(f"around {run_names.literal(spec.name)}")
    for name, text in (
        ("optimizer", words.word(spec.optimizer)),
        ("learning_rate", f"learning rate {spec.learning_rate:g}"),
        ("batch", f"batch {spec.batch}"),
        ("epochs", f"{spec.epochs} epoch{'s' * (spec.epochs != 1)}"),
        ("seed", f"seed {spec.seed}"),
    ):
        if name not in varied and not (name == "seed" and experiment.kind == FOLDS):
            facts.append(text)
    if experiment.kind == FOLDS:
        facts.append(f"{architectures.parameters(spec):,} parameters")
    return " · ".join([*facts, experiment.created[:16].replace("T", " ")])
