"""Jobs as the Train page sees them: the line, one job's progress, and the way to stop it.

Fragments poll the engine and redraw themselves and nothing else; they keep the same parts in the
same places from the first batch to the last. Whether a run is in the making is asked of the engine,
never remembered here, so a reload, another tab or another computer sees the same.

Curves are in `run_curves.py`; what comes after the last epoch is in `run_panel.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core import runs as library
from core import settings
from core.errors import AtelierError, EngineUnavailable
from ui import cache, frame, state
from ui.components import run_names, words
from ui.components.theme import percent

PROGRESS_SECONDS = 1.0
LINE_SECONDS = 2.0
FIGURE_WIDTH = 168  # pixels
# Of a borrowed network.
STAGES = {"frozen": "only the new layers learn", "fine-tuning": "every layer learns, slowly"}
PHASES = {
    "loading": "Opening the data",
    "preparing": "Preparing pictures from outside",
    "weights": "Fetching the weights to start from",
    "training": "Training",
    "validating": "Judging the epoch on the validation pictures",
    "testing": "Answering the test pictures",
    "saving": "Saving the network",
    "finished": "Done",
}


@dataclass
class JobWatch:
    """What the last look at a job told, so that figures do not vanish while it is between two
    epochs.
    """

    run_id: str = ""
    loss: float | None = None
    accuracy: float | None = None
    remaining: float | None = None


def engine_if_any():
    """The engine, if there is one to be asked; looking at the page alone starts none.

    Raises:
        EngineUnavailable: if `ATELIER_ENGINE` names one that does not answer.
    """
    from core import engine as engine_room  # brings Dask once there is an engine to talk to

    try:
        return engine_room.connect(start=False)
    except EngineUnavailable:
        if settings.engine_address():
            raise
        return None  # none has been started, or it was killed; the next training starts one


def jobs() -> list:
    """All jobs, those that train first; none where no engine runs or answers."""
    try:
        engine = engine_if_any()
        return engine.jobs() if engine else []
    except EngineUnavailable:
        return []


def open_run(run_id: str | None) -> None:
    """Show this run at the next run of the page; None shows the form."""
    state.put({"run": run_id, "new": None if run_id else "1"})


def line_of_jobs(known: list, shown: str | None) -> None:
    """What else is being trained or waits, with links; draws nothing where nothing is.

    Args:
        known: what `jobs` returned.
        shown: the run that the page shows already.
    """
    if any(job.run_id != shown for job in known):
        _line_of_jobs(shown)


@st.fragment(run_every=LINE_SECONDS)
def _line_of_jobs(shown: str | None) -> None:
    others = [job for job in jobs() if job.run_id != shown]
    with st.container(border=bool(others), gap="xsmall"):
        for job in others:
            # A button: a link from a page to itself would leave the address as it is, and a reload
            # would show the form.
            if st.button(
                f"{run_names.literal(_name(job.run_id))}: {state_text(job)}",
                key=f"train_line_{job.run_id}",
                type="tertiary",
                icon=":material/monitoring:",
            ):
                open_run(job.run_id)
                st.rerun()


@st.fragment(run_every=PROGRESS_SECONDS)
def progress(run_id: str) -> None:
    """Where the job is, and the way to stop it."""
    engine, job = None, None
    try:
        engine = engine_if_any()
        job = engine.job(run_id) if engine else None
    except EngineUnavailable as problem:
        st.error(str(problem), icon=":material/error:")  # and look again in a second
        return
    if job is None:
        cache.forget_runs()
        st.rerun()  # finished, stopped, interrupted or deleted: the library knows
    seen = _seen(run_id, job.progress)
    progress = job.progress
    whole, epoch = shares(progress)
    st.progress(whole, state_text(job))
    st.progress(epoch, _batch_text(progress))
    figures(
        ("Elapsed", words.duration(progress.elapsed_seconds) if progress else "–", None),
        ("Remaining", "–" if seen.remaining is None else words.duration(seen.remaining), None),
        (
            "Training loss",
            "–" if seen.loss is None else f"{seen.loss:.3f}",
            "Mean over the epoch so far.",
        ),
        (
            "Training accuracy",
            "–" if seen.accuracy is None else percent(seen.accuracy),
            "Mean over the epoch so far.",
        ),
    )
    _stop_button(job, engine)


def figures(*entries: tuple[str, str, str | None]) -> None:
    """Label, value and help of some figures in a row; two a row on a phone."""
    with st.container(horizontal=True):
        for label, value, told in entries:
            st.metric(label, value, help=told, width=FIGURE_WIDTH)


def _stop_button(job, engine) -> None:
    waiting, stopping = job.state == "waiting", job.state == "stopping"
    label = (
        "Stopping …"
        if stopping
        else "Take out of the line"
        if waiting and job.progress is None
        else "Stop"
    )
    help_text = "The best epoch so far is kept, as a finished run." if not waiting else None
    if st.button(
        label, key="train_stop", icon=":material/stop_circle:", disabled=stopping, help=help_text
    ):
        with frame.errors(stop=False):
            if engine.stop(job.run_id) == "cancelled":
                cache.forget_runs()
                open_run(None)  # it had learnt nothing, so nothing of it is left
                st.toast("Taken out of the line.", icon=":material/stop_circle:")
                st.rerun()
            st.rerun(scope="fragment")


def _seen(run_id: str, progress: library.Progress | None) -> JobWatch:
    """Take over what the job tells now; what it does not tell stays as it was."""
    seen = state.page_state(JobWatch)
    if seen.run_id != run_id:
        seen.run_id, seen.loss, seen.accuracy, seen.remaining = run_id, None, None, None
    if progress is not None:
        seen.loss = seen.loss if progress.loss is None else progress.loss
        seen.accuracy = seen.accuracy if progress.accuracy is None else progress.accuracy
        seen.remaining = (
            seen.remaining if progress.remaining_seconds is None else progress.remaining_seconds
        )
    return seen


def shares(progress: library.Progress | None) -> tuple[float, float]:
    """How much is done of the whole training and of its epoch, 0..1."""
    if (
        progress is None
        or progress.phase in ("loading", "preparing", "weights")
        or not progress.epochs
    ):
        return 0.0, 0.0
    if progress.phase != "training":
        return min(progress.epoch / progress.epochs, 1.0), 1.0
    epoch = progress.batch / progress.batches if progress.batches else 0.0
    return min(max(progress.epoch - 1 + epoch, 0) / progress.epochs, 1.0), min(epoch, 1.0)


def _batch_text(progress: library.Progress | None) -> str:
    if progress is not None and progress.batches:
        return f"Batch {progress.batch:,} of {progress.batches:,}"
    return "No batch yet" if shares(progress)[1] == 0 else "All batches of the epoch"


def state_text(job) -> str:
    """A job's state in a few words."""
    progress = job.progress
    if job.state == "waiting":
        if progress is not None:
            return f"Its worker was lost; it goes on after epoch {max(progress.epoch - 1, 0)} as soon as another one is there"
        return "Waiting, next in line" if job.place <= 1 else f"Waiting, number {job.place} in line"
    if progress is None:
        return "Starting"
    if progress.phase in ("training", "validating"):
        words = f"Epoch {progress.epoch} of {progress.epochs}"
        words += f", {STAGES[progress.stage]}" if progress.stage in STAGES else ""
        words += ", judging on the validation pictures" if progress.phase == "validating" else ""
    else:
        words = PHASES.get(progress.phase, progress.phase)
        words += f" ({progress.stage})" if progress.phase == "preparing" else ""
    return f"Stopping · {words}" if job.state == "stopping" else words


def _name(run_id: str) -> str:
    try:
        return library.read(run_id).name
    except AtelierError:
        return run_id
