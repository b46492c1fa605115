"""The list of runs on the Train page, and what can be done with one: open, resume, rename, note,
export, promote, delete.

Every action is one call into the run library or the engine, followed by a fresh list. A refusal is
shown where the action was asked for. Deleting asks once more, and stops the training first if there
is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core import runs
from core.engine import Job
from core.errors import AtelierError
from core.export import archive
from core.runs import Run
from core.wording import duration
from ui import cache, frame, state
from ui.components import run_names
from ui.train import jobs, run_view

LISTED_ROWS = 12  # a longer list scrolls by itself
ROW_HEIGHT = 35  # pixels

Cell = str | float | None


@dataclass
class RunListState:
    """The run that the page showed last: when another one is opened, the list follows."""

    shown: str | None = None


def show(shown: str | None, known_jobs: Sequence[Job]) -> None:
    """Draw the list and its actions in an expander.

    Args:
        shown: the run that the page shows above; the list begins with it.
        known_jobs: the jobs that are running or queued.
    """
    with frame.errors(stop=False):
        known = cache.runs()
        active = {job.run_id for job in known_jobs}
        own = sum(not run.shipped for run in known)
        with st.expander(
            f"All runs ({own} of your own)", icon=":material/folder_open:", key="train_runs"
        ):
            if not own:
                st.caption("Runs that you train are listed here.")
            if not known:
                return
            _show_table([_row(run, run.id in active) for run in known])
            _show_actions(known, active, shown)
            _show_damaged()


def _show_table(rows: Sequence[dict[str, Cell]]) -> None:
    """The list; a cell without a value stays empty, and a click on a heading sorts."""
    st.dataframe(
        {heading: [row[heading] for row in rows] for heading in rows[0]},
        key="train_table",
        hide_index=True,
        column_config={
            "Test accuracy": st.column_config.NumberColumn(format="%.2f %%"),
            "Parameters": st.column_config.NumberColumn(format="localized"),
        },
        placeholder="",
        height="content" if len(rows) <= LISTED_ROWS else ROW_HEIGHT * LISTED_ROWS,
        alt=f"{len(rows)} runs with status and scores",
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
    """One run chosen from the list, and a row of what can be done with it."""
    by_id = {run.id: run for run in known}
    key, last = "train_managed", state.page_state(RunListState)
    if st.session_state.get(key) not in by_id or last.shown != shown:
        st.session_state[key] = shown if shown in by_id else next(iter(by_id))
    last.shown = shown
    try:
        champion = runs.champion().id
    except AtelierError:
        champion = ""  # nothing is promoted, and this copy of the app came without a network
    titles = run_names.titles(known, champion)
    run = by_id[st.selectbox("Run", list(by_id), key=key, format_func=titles.__getitem__)]
    with st.container(horizontal=True):
        if run.id != shown:
            st.button(
                "Open",
                key="train_open",
                icon=":material/visibility:",
                on_click=jobs.open_run,
                args=(run.id,),
            )
        resumable = not run.finished and run.id not in active and run.id != shown
        if resumable and st.button(
            "Resume", key="train_resume_listed", icon=":material/play_circle:"
        ):
            run_view.resume(run.id)
        if run.finished:
            _promote_button(run, run.id == champion)
            st.download_button(
                "Export",
                lambda: archive.export_zip(run.id),
                f"{run.id}.zip",
                "application/zip",
                key="train_export",
                icon=":material/download:",
                on_click="ignore",
                help="Record, curves, networks (Keras and ONNX) and predictions as a zip.",
            )
        if not run.shipped:
            _label_form(run)
            _delete_button(run, run.id in active)


def _promote_button(run: Run, is_champion: bool) -> None:
    if st.button(
        "Make champion",
        key="train_promote",
        icon=":material/trophy:",
        disabled=is_champion,
        help="Classify uses the champion unless you choose another run.",
    ):
        with frame.errors(stop=False):
            runs.promote(run.id)
            cache.forget_runs()
            st.rerun()


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
                runs.rename(run.id, name)
                runs.set_note(run.id, note.strip())
                cache.forget_runs()
                st.rerun()


def _delete_button(run: Run, training: bool) -> None:
    """Ask once more, then delete; a run in training is stopped first."""
    with st.popover("Delete", icon=":material/delete:"):
        st.write(
            f"Delete {run_names.literal(run_names.title(run))} with its network and predictions? "
            "This cannot be undone." + (" Its training will be stopped." if training else "")
        )
        if st.button(
            "Delete for good", key="train_delete", type="primary", icon=":material/delete_forever:"
        ):
            with frame.errors(stop=False):
                if training:
                    cache.engine().stop(run.id)
                runs.delete(run.id)
                forget(run.id)
                st.rerun()


def _show_damaged() -> None:
    """Name folders that are no longer what Atelier wrote, and offer to delete them."""
    for run_id, sentence in cache.damaged_runs():
        st.warning(sentence, icon=":material/broken_image:")
        if st.button(f"Delete {run_id}", key=f"train_delete_{run_id}", icon=":material/delete:"):
            with frame.errors(stop=False):
                runs.delete(run_id)
                forget(run_id)
                st.rerun()


def forget(run_id: str) -> None:
    """After a deletion, have the list read again and no address lead nowhere."""
    cache.forget_runs()
    if st.query_params.get("run") == run_id:
        state.put({"run": None})
