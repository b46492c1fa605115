"""Jobs as the Train page shows them: the queue, one job's progress, and the button that stops it.

Fragments poll the engine and redraw only themselves; they keep the same parts in the same places
from the first batch to the last. Whether a run is being trained is asked of the engine, never
remembered here, so a reload, another tab or another computer sees the same.

Curves are in `run_curves.py`; what comes after the last epoch is in `run_view.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core import engine, runs, settings, wording
from core.engine import Engine, Job, JobState
from core.errors import AtelierError, EngineUnavailable, RunNotFound
from core.runs import Phase, Progress, bin
from core.wording import duration
from ui import cache, frame, state
from ui.components import charts, undo
from ui.components.theme import percent

PROGRESS_SECONDS = 1.0
QUEUE_SECONDS = 2.0
# Of a pretrained network.
STAGES = {"frozen": "only the new last layers learn", "fine-tuning": "all layers learn, slowly"}
PHASES = {
    Phase.LOADING: "Loading the data",
    Phase.PREPARING: "Preparing auxiliary data",
    Phase.BUILDING: "Building the network",
    Phase.WEIGHTS: "Fetching the initial weights",
    Phase.TESTING: "Evaluating on the test pictures",
    Phase.SAVING: "Saving the network",
    Phase.FINISHED: "Done",
}


@dataclass
class JobWatch:
    """What was last known of a job, so that figures do not vanish between two epochs.

    `started` tells one training of a run from the next after Resume.
    """

    run_id: str = ""
    started: float | None = None
    loss: float | None = None
    accuracy: float | None = None
    remaining: float | None = None


def find_engine() -> Engine | None:
    """The engine, if there is one to ask; looking at a page starts none.

    Raises:
        EngineUnavailable: if `ATELIER_ENGINE` names one that does not answer.
    """
    try:
        return engine.connect(start=False)
    except EngineUnavailable:
        if settings.engine_address():
            raise
        return None  # none has been started, or it was killed; the next training starts one


def list_jobs() -> list[Job]:
    """All jobs, those in training first; none where no engine runs or answers."""
    try:
        found = find_engine()
        return found.jobs() if found else []
    except EngineUnavailable:
        return []


def open_run(run_id: str | None) -> None:
    """Show this run at the next run of the page; None shows the form."""
    state.put({"run": run_id, "new": None if run_id else "1"})


def show_others(known: Sequence[Job], shown: str | None) -> None:
    """Draw links to the other jobs; nothing where there are none.

    Args:
        known: what `list_jobs` returned.
        shown: the run that the page shows already.
    """
    if any(job.run_id != shown for job in known):
        _show_others(shown)


@st.fragment(run_every=QUEUE_SECONDS)
def _show_others(shown: str | None) -> None:
    others = [job for job in list_jobs() if job.run_id != shown]
    with st.container(border=bool(others), gap="xsmall"):
        for job in others:
            # A button: a link from a page to itself would leave the address as it is, and a reload
            # would show the form.
            if st.button(
                f"{wording.literal(_name(job.run_id))}: {state_text(job)}",
                key=f"train_line_{job.run_id}",
                type="tertiary",
                icon=":material/monitoring:",
            ):
                open_run(job.run_id)
                st.rerun()


@st.fragment(run_every=PROGRESS_SECONDS)
def show_progress(run_id: str) -> None:
    """Draw the progress of a job, and the button that stops it."""
    try:
        found = find_engine()
        job = found.job(run_id) if found else None
    except EngineUnavailable as problem:
        st.error(
            wording.sentence(str(problem)), icon=":material/error:"
        )  # and look again in a second
        return
    if found is None or job is None:
        cache.forget_runs()
        st.rerun()  # finished, stopped, interrupted or deleted: the library knows
    progress = job.progress
    watch = _update_watch(run_id, progress)
    whole, epoch = shares(progress)
    st.progress(whole, state_text(job))
    st.progress(epoch, _batch_text(progress))
    charts.figures(
        ("Elapsed", duration(progress.elapsed_seconds) if progress else "–", None),
        (
            "Remaining",
            "–" if watch.remaining is None else duration(watch.remaining),
            "Told once a tenth of the first epoch has been timed; validations and test included.",
        ),
        (
            "Training loss",
            "–" if watch.loss is None else f"{watch.loss:.3f}",
            "Mean over the epoch so far.",
        ),
        (
            "Training accuracy",
            "–" if watch.accuracy is None else percent(watch.accuracy),
            "Mean over the epoch so far.",
        ),
    )
    _stop_button(found, job)


def _stop_button(found: Engine, job: Job) -> None:
    waiting, stopping = job.state == JobState.WAITING, job.state == JobState.STOPPING
    label = "Remove from the queue" if waiting and job.progress is None else "Stop"
    if st.button(
        "Stopping …" if stopping else label,
        key="train_stop",
        icon=":material/stop_circle:",
        disabled=stopping,
        help=None if waiting else "The best epoch so far is kept. You can resume it afterwards.",
    ):
        offer = undo.latest()
        with frame.errors(stop=False):
            if found.stop(job.run_id) == "cancelled":
                _offer_to_queue_again(offer, job.run_id)
                st.rerun()
            st.rerun(scope="fragment")


def _offer_to_queue_again(offer: undo.Offer, run_id: str) -> None:
    """After a job was removed from the queue: a run that had learned nothing is in the bin now."""
    binned = next((run for run in bin.listing() if run.id == run_id), None)
    name = binned.name if binned else _name(run_id)

    def queue_again() -> None:
        with contextlib.suppress(RunNotFound):  # it is not in the bin
            runs.restore(run_id)
        cache.engine().resume(run_id)
        cache.forget_runs()
        open_run(run_id)

    offer.fill(f"{name} was removed from the queue.", queue_again)
    cache.forget_runs()
    if binned:
        open_run(None)


def _update_watch(run_id: str, progress: Progress | None) -> JobWatch:
    """Take over what the job reports now; what it does not report stays as it was."""
    watch = state.page_state(JobWatch)
    started = progress.started if progress else None
    if (watch.run_id, watch.started) != (run_id, started):
        watch.run_id, watch.started = run_id, started
        watch.loss = watch.accuracy = watch.remaining = None
    if progress is not None:
        if progress.loss is not None:
            watch.loss = progress.loss
        if progress.accuracy is not None:
            watch.accuracy = progress.accuracy
        if progress.remaining_seconds is not None:
            watch.remaining = progress.remaining_seconds
    return watch


def shares(progress: Progress | None) -> tuple[float, float]:
    """How much of the whole training and of its epoch is done, 0..1."""
    beginning = (Phase.LOADING, Phase.PREPARING, Phase.BUILDING, Phase.WEIGHTS)
    if progress is None or progress.phase in beginning or not progress.epochs:
        return 0.0, 0.0
    if progress.phase != Phase.TRAINING:
        return min(progress.epoch / progress.epochs, 1.0), 1.0
    epoch = progress.batch / progress.batches if progress.batches else 0.0
    return min(max(progress.epoch - 1 + epoch, 0) / progress.epochs, 1.0), min(epoch, 1.0)


def _batch_text(progress: Progress | None) -> str:
    if progress is not None and progress.batches:
        return f"Batch {progress.batch:,} of {progress.batches:,}"
    return "Waiting for the first batch" if shares(progress)[1] == 0 else "Epoch finished"


def state_text(job: Job) -> str:
    """A job's state in a few words."""
    progress = job.progress
    if job.state == JobState.WAITING:
        if progress is not None:
            done = max(progress.epoch - 1, 0)
            return f"Its worker was lost; training resumes after epoch {done} on the next free one"
        return "Queued, next" if job.place <= 1 else f"Queued, number {job.place}"
    if progress is None:
        return "Starting"
    if progress.phase in (Phase.TRAINING, Phase.VALIDATING):
        words = f"Epoch {progress.epoch} of {progress.epochs}"
        words += f", {STAGES[progress.stage]}" if progress.stage in STAGES else ""
        if progress.phase == Phase.VALIDATING:
            words += ", checking on the validation pictures"
    else:
        words = PHASES[progress.phase]
        words += f" ({progress.stage})" if progress.phase == Phase.PREPARING else ""
    return f"Stopping · {words}" if job.state == JobState.STOPPING else words


def _name(run_id: str) -> str:
    try:
        return runs.read(run_id).name
    except AtelierError:
        return run_id
