"""One experiment on the page: how far it is, its trainings as they finish, buttons to stop and to
continue it, and its results.

A fragment asks engine and library every other second while something is still to come, so that each
finished training appears at once; nothing is remembered here, and a reload, another tab or another
computer sees the same.

The results are drawn by `sweep` and `cross_validation`.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import wording
from core.engine import JobState
from core.errors import EngineUnavailable
from core.experiments import queue, records
from core.experiments.queue import BROKEN, DONE, PointState
from core.experiments.records import FOLDS, Experiment
from core.networks import architectures
from ui import cache, frame, state
from ui.components import theme, undo, words
from ui.experiments import cross_validation, sweep
from ui.train import jobs

SECONDS = 2.0


def show(experiment: Experiment) -> None:
    """Draw an experiment, following it while something is still to come."""
    st.header(wording.literal(experiment.name), anchor=False)
    st.caption(_description(experiment))
    if experiment.base.data == "offline-sample":
        frame.sample_badge(cache.dataset("offline-sample"))
    if any(point.alive for point in _states(experiment)):
        _follow(experiment.id)
    else:
        _body(experiment, following=False)


@st.fragment(run_every=SECONDS)
def _follow(experiment_id: str) -> None:
    with frame.errors(stop=False):
        _body(records.read(experiment_id), following=True)
    theme.hide_status()  # last, so that everything else has the position it will have afterwards


def _body(experiment: Experiment, *, following: bool) -> None:
    points = _states(experiment, report=True)
    if following and not any(point.alive for point in points):
        cache.forget_runs()
        st.rerun()
    _progress(points)
    with st.container(horizontal=True):
        if any(point.alive for point in points):
            _stop_button(experiment, points)
        else:
            _buttons(experiment, points)
    if experiment.kind == FOLDS:
        cross_validation.show(experiment, points)
    else:
        sweep.show(experiment, points)


def _states(experiment: Experiment, *, report: bool = False) -> list[PointState]:
    """How far the trainings are; where an engine does not answer, what the library knows.

    Args:
        report: then also show a sentence.
    """
    try:
        return queue.states(experiment, jobs.find_engine())
    except EngineUnavailable as problem:
        if report:
            st.error(wording.sentence(str(problem)), icon=":material/error:")
        return queue.states(experiment)


def _progress(points: Sequence[PointState]) -> None:
    done = sum(point.state == DONE for point in points)
    running = [
        (point.run, point.job)
        for point in points
        if point.state == queue.RUNNING and point.run and point.job
    ]
    share = (done + sum(jobs.shares(job.progress)[0] for _, job in running)) / len(points)
    text = f"{done} of {len(points)} done"
    if running:
        run, job = running[0]
        text += f" · {wording.literal(run.name)}: {jobs.state_text(job)}"
        text += f" · {len(running) - 1} more at the same time" if len(running) > 1 else ""
    st.progress(min(share, 1.0), text)
    for point in points:
        if point.state == BROKEN and point.problem and point.run:
            st.warning(
                f"{wording.literal(point.run.name)}: {wording.sentence(point.problem)}",
                icon=":material/warning:",
            )


def _stop_button(experiment: Experiment, points: Sequence[PointState]) -> None:
    stopping = all(
        point.job.state == JobState.STOPPING for point in points if point.alive and point.job
    )
    if st.button(
        "Stopping …" if stopping else "Stop",
        key="experiments_stop",
        icon=":material/stop_circle:",
        disabled=stopping,
        help="Finished runs are kept. The current run keeps its progress; queued runs are removed.",
    ):
        with frame.errors(stop=False):
            engine = jobs.find_engine()
            if engine is not None:  # it may have ended by itself: then nothing is left to stop
                queue.stop(engine, experiment)
            cache.forget_runs()
            st.rerun(scope="fragment")


def _buttons(experiment: Experiment, points: Sequence[PointState]) -> None:
    """Draw buttons to train what is not done, and to delete the experiment."""
    left = sum(point.state != DONE for point in points)
    label = f"Train the remaining {left}"
    if left == len(points):
        label = "Train all"
    elif left == 1:
        label = "Train the last one"
    if left and st.button(
        label,
        key="experiments_go_on",
        type="primary",
        icon=":material/play_circle:",
        help="Finished runs are kept; runs that were interrupted or stopped resume from their "
        "last epoch.",
    ):
        begin(experiment)
    if st.button(
        "Delete",
        key="experiments_delete",
        icon=":material/delete:",
        help="Removes the experiment from the list. Its runs stay and can be compared and used.",
    ):
        offer = undo.latest()
        records.delete(experiment.id)
        offer.fill(
            "The experiment was deleted; its runs are kept.", lambda: records.save(experiment)
        )
        state.put({"experiment": None})
        st.rerun()


def begin(experiment: Experiment) -> None:
    """Queue the trainings that are not done, and show the experiment."""
    with frame.errors(stop=False), st.spinner("Queueing runs …"):
        queue.begin(cache.engine(), experiment)
        cache.forget_runs()
        state.put({"experiment": experiment.id})
        st.rerun()


def _description(experiment: Experiment) -> str:
    """What is varied and what stays the same, in one line."""
    spec = experiment.base
    varied = [axis.setting for axis in experiment.axes]
    if experiment.kind == FOLDS:
        order = "shuffled" if spec.shuffle_folds else "in order"
        facts = [f"{spec.folds} folds, {order}, seed {spec.seed}"]
    else:
        facts = [f"{axis.field.label}: {_listed(axis.texts)}" for axis in experiment.axes]
    facts.append(f"based on {wording.literal(spec.name)}")
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


def _listed(texts: Sequence[str]) -> str:
    """Values in a row; a semicolon separates those that are lists themselves."""
    return ("; " if any("," in text for text in texts) else ", ").join(texts)
