"""The list of runs on the Train page, and what can be done with one: open, resume, rename, note,
export, promote, delete.

Every act is one call into the run library or the engine, followed by a fresh list. A refusal is
shown where it was asked for. Deleting asks twice, and stops the training first if the run is still
in the making.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core import runs as library
from core.errors import AtelierError
from core.export import archive
from ui import cache, frame, state
from ui.components import run_names, words
from ui.train import jobs as run_live
from ui.train import run_view

LISTED_ROWS = 12  # then the list scrolls in itself


@dataclass
class RunListState:
    """The run that the page showed last: when another one is opened, the list follows."""

    shown: str | None = None


def show(shown: str | None, jobs: list) -> None:
    """Draw list and acts in an expander.

    Args:
        shown: the run that the page shows above; the list begins with it.
        jobs: what is being trained or waits (`run_live.jobs`).
    """
    with frame.errors(stop=False):
        known = cache.runs()
        alive = {job.run_id for job in jobs}
        own = sum(not run.shipped for run in known)
        with st.expander(
            f"All runs ({own} of your own)", icon=":material/folder_open:", key="train_runs"
        ):
            if not own:
                st.caption("Runs that you train are listed here.")
            if not known:
                return
            _table([_row(run, run.id in alive) for run in known])
            _acts(known, alive, shown)
            _damaged()


def _table(rows: list[dict]) -> None:
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
        height="content" if len(rows) <= LISTED_ROWS else 35 * LISTED_ROWS,
        alt=f"{len(rows)} runs with status and scores",
    )


def _row(run: library.Run, training: bool) -> dict:
    """One line of the list; None and empty texts become empty cells."""
    accuracy = None if run.test_accuracy is None else 100 * run.test_accuracy
    return {
        "Name": run.name,
        "Status": "training"
        if training
        else "ships with Atelier"
        if run.shipped
        else run.status_text,
        "Test accuracy": accuracy,
        "Best epoch": run.best_epoch,
        "Parameters": run.parameters,
        "Time": words.duration(run.seconds) if run.seconds else "",
        "Begun": run.created[:16].replace("T", " "),
        "Note": run.note,
    }


def _acts(known: list[library.Run], alive: set[str], shown: str | None) -> None:
    """One run chosen from the list, and a row of what can be done with it."""
    names = {run.id: run for run in known}
    key, listed = "train_managed", state.page_state(RunListState)
    if st.session_state.get(key) not in names or listed.shown != shown:
        st.session_state[key] = shown if shown in names else next(iter(names))
    listed.shown = shown
    try:
        champion = library.champion().id
    except AtelierError:
        champion = ""  # nothing is promoted, and this copy of the app came without a network
    called = run_names.titles(known, champion)
    chosen = names[
        st.selectbox("Run", list(names), key=key, format_func=lambda one: called.get(one, one))
    ]
    with st.container(horizontal=True):
        if chosen.id != shown:
            st.button(
                "Open",
                key="train_open",
                icon=":material/visibility:",
                on_click=run_live.open_run,
                args=(chosen.id,),
            )
        if not chosen.finished and chosen.id not in alive and chosen.id != shown:
            if st.button("Resume", key="train_resume_listed", icon=":material/play_circle:"):
                run_view.resume(chosen.id)
        if chosen.finished:
            _promote(chosen, chosen.id == champion)
            st.download_button(
                "Export",
                lambda: archive.export_zip(chosen.id),
                f"{chosen.id}.zip",
                "application/zip",
                key="train_export",
                icon=":material/download:",
                on_click="ignore",
                help="Record, curves, networks (Keras and ONNX) and predictions as a zip.",
            )
        if not chosen.shipped:
            _label(chosen)
            _delete(chosen, chosen.id in alive)


def _promote(run: library.Run, is_champion: bool) -> None:
    if st.button(
        "Make champion",
        key="train_promote",
        icon=":material/trophy:",
        disabled=is_champion,
        help="Classify uses the champion unless told otherwise.",
    ):
        with frame.errors(stop=False):
            library.promote(run.id)
            cache.forget_runs()
            st.rerun()


def _label(run: library.Run) -> None:
    """Name and note; the keys carry the run, so that what was typed for one never lands on another."""
    with (
        st.popover("Rename or note", icon=":material/edit:"),
        st.form(f"train_label_{run.id}", border=False),
    ):
        name = st.text_input("Name", run.name, max_chars=60, key=f"train_name_{run.id}")
        note = st.text_area(
            "Note", run.note, max_chars=library.MAX_NOTE, key=f"train_note_{run.id}"
        )
        if st.form_submit_button("Save", type="primary"):
            with frame.errors(stop=False):
                library.rename(run.id, name)
                library.set_note(run.id, note.strip())
                cache.forget_runs()
                st.rerun()


def _delete(run: library.Run, training: bool) -> None:
    with st.popover("Delete", icon=":material/delete:"):
        st.write(
            f"Delete {run_names.literal(run_names.title(run))} with its network and predictions? This cannot be undone."
            + (" Its training will be stopped." if training else "")
        )
        if st.button(
            "Delete for good", key="train_delete", type="primary", icon=":material/delete_forever:"
        ):
            with frame.errors(stop=False):
                if training:
                    cache.engine().stop(run.id)
                library.delete(run.id)
                forget(run.id)
                st.rerun()


def _damaged() -> None:
    """Folders that no longer are what Atelier wrote: said, and deleted on demand."""
    for run_id, sentence in library.list_damaged():
        st.warning(sentence, icon=":material/broken_image:")
        if st.button(f"Delete {run_id}", key=f"train_delete_{run_id}", icon=":material/delete:"):
            with frame.errors(stop=False):
                library.delete(run_id)
                forget(run_id)
                st.rerun()


def forget(run_id: str) -> None:
    """After a deletion: a fresh list, and no address that leads nowhere."""
    cache.forget_runs()
    if st.query_params.get("run") == run_id:
        state.put({"run": None})
