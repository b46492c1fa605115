"""Confusion matrix: who is taken for whom, the pictures behind every cell, epoch by epoch, one run
against another.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import evaluation, runs
from core.runs import Run
from ui import frame, state
from ui.answers import answer_set, cells, comparison
from ui.answers.answer_set import SHARES, Answers
from ui.components import charts, matrix_image, theme

SETS = {"test": "Test pictures", "validation": "Validation, epoch by epoch"}


def answered(run: Run, row) -> Answers:
    """The set that the visitor chose: the test pictures, or the validation pictures after one of
    the epochs.
    """
    epochs = runs.validation_epochs(run.id)
    if not epochs:
        return answer_set.on_test(run)
    measured = state.linked(
        "on",
        "matrix_on",
        {text: text for text in SETS},
        "the pictures",
        "test",
        lambda options: row.segmented_control(
            "Measured on", options, key="matrix_on", required=True, format_func=SETS.get
        ),
    )
    if measured == "test":
        return answer_set.on_test(run)
    best = run.best_epoch if run.best_epoch in epochs else epochs[-1]
    epoch = best
    if len(epochs) > 1:
        epoch = state.linked(
            "epoch",
            "matrix_epoch",
            {str(one): one for one in epochs},
            "the epoch",
            best,
            lambda options: st.select_slider(
                "Epoch",
                options,
                key="matrix_epoch",
                help=(
                    f"What the network answered after each epoch. The weights of epoch {best} were kept."
                ),
            ),
        )
    return answer_set.on_validation(run, epoch)


def look(row) -> tuple[str, bool]:
    """How the cells are counted, and whether the diagonal is left out."""
    share = state.linked(
        "share",
        "matrix_share",
        {text: text for text in SHARES},
        "the cells",
        "counts",
        lambda options: row.segmented_control(
            "Cells", options, key="matrix_share", required=True, format_func=SHARES.get
        ),
    )
    hidden = state.linked(
        "diagonal",
        "matrix_hide",
        {"shown": False, "hidden": True},
        "the diagonal",
        False,
        lambda _: row.toggle("Hide the diagonal", key="matrix_hide"),
    )
    return share, hidden


def matrix(
    found: Answers, counts: np.ndarray, share: str, hidden: bool, cell: tuple[int, int]
) -> None:
    """The clickable matrix with its downloads."""
    values, shown = answer_set.cell_values(counts, share, hidden)
    charts.matrix(
        values,
        text=shown,
        hover=answer_set.cell_hover(counts),
        key="matrix_chart",
        on_pick=cells.pick,
        current=cell,
        alt=f"Confusion matrix of {found.run.name} on {found.words}; the selectors beside it open the same cells",
    )
    unit = SHARES[share] + ("" if share == "counts" else " in %")
    with st.container(horizontal=True):
        st.download_button(
            "PNG",
            lambda: matrix_image.draw(
                values,
                shown,
                title=found.run.name,
                fallback=found.run.id,
                facts=f"{unit} · {found.words} · accuracy {theme.percent(found.accuracy)}",
            ),
            key="matrix_png",
            file_name=f"{found.run.id}-matrix.png",
            mime="image/png",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "CSV",
            lambda: evaluation.confusion_csv(counts),
            key="matrix_csv",
            icon=":material/download:",
            file_name=f"{found.run.id}-matrix.csv",
            mime="text/csv",
            on_click="ignore",
            help="The counts; row = truth, column = prediction.",
        )


def tables(found: Answers, counts: np.ndarray) -> None:
    """Per class and per pair."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Class by class")
        cells.report(found)
    with right:
        st.subheader("Most confused pairs")
        cells.pairs(counts)


frame.begin(
    "Confusion matrix",
    "Who is taken for whom. Choose a cell to see its pictures.",
    icon=":material/grid_on:",
)
with frame.errors():
    left, right = st.columns(2, gap="medium")
    with left:
        run = frame.choose_run("Run", "matrix_run")
    if run is None:
        st.stop()
    with right:
        other = frame.choose_run("Compare with", "matrix_compare", param="compare", optional=True)
    if other is not None and other.id != run.id:
        comparison.draw(answer_set.on_test(run), answer_set.on_test(other))
        st.stop()
    if other is not None:
        st.info(
            "A run compared with itself shows no difference; choose another one.",
            icon=":material/info:",
        )
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    found = answered(run, row)
    if cells.opened(found):
        st.stop()
    share, hidden = look(row)
    st.caption(f"{run.name} on {found.words}: {theme.percent(found.accuracy, 2)} right.")
    counts = evaluation.confusion(found.truth, found.guess)
    chart, pane = st.columns([3, 2], gap="large")
    with pane:
        cell = cells.pane(found, counts)
    with chart:
        matrix(found, counts, share, hidden, cell)
    tables(found, counts)
