"""The list of runs on the Train page, and what can be done with one: open, resume, rename, note,
export, promote, delete.

Every action is one call into the run library or the engine, followed by a fresh list. A refusal is
shown where the action was asked for. Deleting moves a run to the bin, and stops its training first
if there is one; after it no run is chosen, so that a second click deletes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from core import runs, wording
from core.engine import Job
from core.errors import AtelierError, RunNotFound
from core.export import archive
from core.runs import Run, bin
from core.wording import duration
from ui import cache, frame, state
from ui.components import confirm, run_names, theme, undo
from ui.train import continue_run, jobs

LISTED_ROWS = 12  # a longer list scrolls by itself
ROW_HEIGHT = 35  # pixels
CHOSEN = "train_managed"  # key of the selector of the run that the actions are about

Cell = str | float | None


@dataclass
class RunListState:
    """What the list was drawn for.

    Attributes:
        shown: the run that the page showed last: when another one is opened, the list follows.
        listed: ids of the runs in the table, in their order.
        table: counts the tables; a new one has no row chosen.
    """

    shown: str | None = None
    listed: list[str] = field(default_factory=list)
    table: int = 0


def show(shown: str | None, known_jobs: Sequence[Job]) -> None:
    """Draw the list and its actions in an expander.

    Args:
        shown: the run that the page shows above; the list begins with it.
        known_jobs: the jobs that are running or queued.
    """
    with frame.errors(stop=False):
        known = cache.runs()
        if shown is not None and all(run.id != shown for run in known):
            cache.forget_runs()  # it may have been made this moment
            known = cache.runs()
        active = {job.run_id for job in known_jobs}
        own = sum(not run.shipped for run in known)
        with st.expander(
            f"All runs ({own} of your own)", icon=":material/folder_open:", key="train_runs"
        ):
            if not own:
                st.caption("Runs that you train are listed here.")
            if known:
                _show_table(known, active)
                _show_actions(known, active, shown)
            _show_damaged()
        _show_bin()


def _show_table(known: Sequence[Run], active: set[str]) -> None:
    """The list; a click on a row chooses its run, a click on a heading sorts.

    A cell without a value stays empty.
    """
    rows = [_row(run, run.id in active) for run in known]
    ids = [run.id for run in known]
    last = state.page_state(RunListState)
    if last.listed != ids:
        last.listed, last.table = ids, last.table + 1  # a row chosen by its place is another now
    key = f"train_table_{last.table}"

    def choose() -> None:
        chosen = st.session_state[key].selection.rows
        st.session_state[CHOSEN] = ids[chosen[0]] if chosen else None

    st.dataframe(
        {heading: [row[heading] for row in rows] for heading in rows[0]},
        key=key,
        hide_index=True,
        on_select=choose,
        selection_mode="single-row",
        column_config={
            "Test accuracy": st.column_config.NumberColumn(format="%.2f %%"),
            "Parameters": st.column_config.NumberColumn(format="localized"),
        },
        placeholder="",
        height="content" if len(rows) <= LISTED_ROWS else ROW_HEIGHT * LISTED_ROWS,
        alt=f"{len(rows)} runs with status and scores; the selector below chooses the same runs",
    )


def _row(run: Run, active: bool) -> dict[str, Cell]:
    """One row of the list; None and empty texts become empty cells."""
    status = "ships with Atelier" if run.shipped else run.status_text
    return {
        "Name": run.name,
        "Status": "training" if active else status,
        "Test accuracy": None if run.test_accuracy is None else 100 * run.test_accuracy,
        "Best epoch": run.best_epoch,
        "Parameters": run.parameters,
        "Time": duration(run.seconds) if run.seconds else "",
        "Started": run.created[:16].replace("T", " "),
        "Note": run.note,
    }


def _show_actions(known: Sequence[Run], active: set[str], shown: str | None) -> None:
    """What can be done with the chosen run: every action at its place, whether possible or not."""
    by_id = {run.id: run for run in known}
    last = state.page_state(RunListState)
    if last.shown != shown or CHOSEN not in st.session_state:
        st.session_state[CHOSEN] = shown if shown in by_id else None
    elif st.session_state[CHOSEN] not in by_id:
        st.session_state[CHOSEN] = None  # deleted; the next click must not meet another run
    last.shown = shown
    try:
        champion = runs.champion().id
    except AtelierError:
        champion = ""  # nothing is promoted, and this copy of the app came without a network
    titles = run_names.titles(known, champion)
    chosen = st.selectbox(
        "Run",
        list(by_id),
        key=CHOSEN,
        format_func=titles.__getitem__,
        index=None,
        placeholder="Click a row, or choose a run here",
    )
    if chosen is None:
        return
    run = by_id[chosen]
    with st.container(horizontal=True):
        st.button(
            "Open",
            key=f"train_open_{run.id}",
            icon=":material/visibility:",
            on_click=jobs.open_run,
            args=(run.id,),
            disabled=run.id == shown,
        )
        if st.button(
            "Resume",
            key=f"train_resume_{run.id}",
            icon=":material/play_circle:",
            disabled=run.finished or run.id in active or run.id == shown,
        ):
            continue_run.resume(run.id)
        _export_button(run)
        _label_form(run)
        _promote_button(run, champion)
        _delete_button(run, run.id in active, champion)


def _export_button(run: Run) -> None:
    st.download_button(
        "Export",
        lambda: archive.export_zip(run.id),
        f"{run.id}.zip",
        "application/zip",
        key=f"train_export_{run.id}",
        icon=":material/download:",
        on_click="ignore",
        disabled=not run.finished,
        help="Record, curves, networks (Keras and ONNX) and predictions as a zip.",
    )


def _promote_button(run: Run, champion: str) -> None:
    """Make the run the champion; one that is worse than the present champion only if confirmed."""
    pressed = st.button(
        "Make champion",
        key=f"train_promote_{run.id}",
        icon=":material/trophy:",
        disabled=run.id == champion or not run.finished,
        help="Classify uses the champion unless you choose another run.",
    )
    if not pressed:
        return
    present = runs.read(champion) if champion else None
    was = None if present is None else present.test_accuracy
    will_be = run.test_accuracy
    if present and was is not None and will_be is not None and will_be < was:
        confirm.ask(
            "Make champion",
            f"{wording.literal(run.name)} classifies {theme.percent(will_be, 2)} of the test "
            f"pictures correctly; the present champion, {wording.literal(present.name)}, "
            f"{theme.percent(was, 2)}. Classify would answer with the weaker network.",
            "Make it the champion all the same",
            key=f"train_promote_{run.id}",
            on_confirm=lambda: promote(run),
        )
        return
    with frame.errors(stop=False):
        promote(run)
        st.rerun()


def promote(run: Run) -> None:
    """Make the run the champion and offer to undo it.

    Raises:
        RunDamaged, StorageProblem: if it cannot become the champion.
    """
    offer = undo.latest()
    before = runs.promoted()

    def undone() -> None:
        runs.restore_champion(before)
        cache.forget_runs()

    runs.promote(run.id)
    offer.fill(f"{run.name} is the champion now: Classify answers with it.", undone)
    cache.forget_runs()


def _label_form(run: Run) -> None:
    """Name and note; the keys carry the run, so that text typed for one never lands on another."""
    with (
        st.popover("Rename or note", icon=":material/edit:"),
        st.form(f"train_label_{run.id}", border=False),
    ):
        name = st.text_input("Name", run.name, max_chars=60, key=f"train_name_{run.id}")
        note = st.text_area("Note", run.note, max_chars=runs.MAX_NOTE, key=f"train_note_{run.id}")
        if st.form_submit_button("Save", type="primary"):
            with frame.errors(stop=False):
                offer = undo.latest()
                _label(run.id, name, note.strip())
                offer.fill(
                    f"Name and note of {run.name} changed.",
                    lambda: _label(run.id, run.name, run.note),
                )
                st.rerun()


def _label(run_id: str, name: str, note: str) -> None:
    runs.rename(run_id, name)
    runs.set_note(run_id, note)
    cache.forget_runs()


def _delete_button(run: Run, training: bool, champion: str) -> None:
    """Move the run to the bin; a run in training is stopped first."""
    pressed = st.button(
        "Delete",
        key=f"train_delete_{run.id}",
        icon=":material/delete:",
        disabled=run.shipped,
        help="It ships with Atelier and stays."
        if run.shipped
        else f"It stays in the bin for {bin.DAYS} days."
        + (" Its training is stopped." if training else "")
        + (
            " Classify then answers with the network that ships with Atelier."
            * (run.id == champion)
        ),
    )
    if pressed:
        with frame.errors(stop=False):
            if training:
                cache.engine().stop(run.id)
            delete(run.id, run.name)
            st.rerun()


def delete(run_id: str, name: str) -> None:
    """Move a run to the bin and offer to undo it.

    Raises:
        StorageProblem: if it cannot be moved.
    """
    offer = undo.latest()
    named = st.query_params.get("run") == run_id

    def undone() -> None:
        runs.restore(run_id)
        cache.forget_runs()
        if named:
            state.put({"run": run_id})

    with contextlib.suppress(RunNotFound):  # the first of two hasty clicks has deleted it
        runs.delete(run_id)
        offer.fill(f"{name} was moved to the bin.", undone)
    forget(run_id)


def _show_damaged() -> None:
    """Name folders that are no longer what Atelier wrote, and offer to delete them."""
    for run_id, sentence in cache.damaged_runs():
        st.warning(sentence, icon=":material/broken_image:")
        if st.button(f"Delete {run_id}", key=f"train_delete_{run_id}", icon=":material/delete:"):
            with frame.errors(stop=False):
                delete(run_id, run_id)
                st.rerun()


def _show_bin() -> None:
    """What is in the bin, and the way out of it."""
    binned = bin.listing()
    if not binned:
        return
    with st.expander(f"Bin ({len(binned)})", icon=":material/delete_sweep:", key="train_bin"):
        st.caption(f"Deleted runs stay here for {bin.DAYS} days.")
        for run in binned:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f"{wording.literal(run.name)}  \n"
                    f":small[{run.id}, deleted {run.deleted:%Y-%m-%d %H:%M} UTC]",
                    width="stretch",
                )
                st.button(
                    "Restore",
                    key=f"train_restore_{run.id}",
                    icon=":material/restore_from_trash:",
                    on_click=restore,
                    args=(run.id,),
                )
        confirm.button(
            "Empty the bin",
            f"Delete {len(binned)} run{'s' * (len(binned) != 1)} for good? This cannot be undone.",
            "Delete for good",
            key="train_empty_bin",
            icon=":material/delete_forever:",
            on_confirm=bin.empty,
        )


def restore(run_id: str) -> None:
    """Bring a run back from the bin; a refusal is shown at the top of the page."""
    with frame.errors(stop=False):
        runs.restore(run_id)
        cache.forget_runs()


def forget(run_id: str) -> None:
    """After a deletion, have the list read again and no address lead nowhere."""
    cache.forget_runs()
    if st.query_params.get("run") == run_id:
        state.put({"run": None})
