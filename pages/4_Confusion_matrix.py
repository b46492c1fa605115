"""Confusion matrix: which class is mistaken for which, the pictures behind every cell, epoch by
epoch, one run compared with another.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core import evaluation, runs
from core.runs import Run
from ui import frame, state
from ui.answers import answer_set, cells, comparison
from ui.answers.answer_set import SHARES, Answers, Share
from ui.components import charts, matrix_image, theme

Pictures = Literal["test", "validation"]
SETS: dict[Pictures, str] = {"test": "Test pictures", "validation": "Validation, epoch by epoch"}


def choose_pictures(run: Run, row: DeltaGenerator) -> Answers:
    """Let the visitor choose the test pictures, or the validation pictures after an epoch."""
    epochs = runs.validation_epochs(run.id)
    if not epochs:
        return answer_set.on_test(run)
    measured = state.linked(
        "on",
        "matrix_on",
        {name: name for name in SETS},
        "the pictures",
        "test",
        lambda options: row.segmented_control(
            "Measured on", options, key="matrix_on", required=True, format_func=SETS.__getitem__
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
            {str(number): number for number in epochs},
            "the epoch",
            best,
            lambda options: st.select_slider(
                "Epoch",
                options,
                key="matrix_epoch",
                help="What the network predicted after each epoch. The weights of epoch "
                f"{best} were kept.",
            ),
        )
    return answer_set.on_validation(run, epoch)


def choose_cells(row: DeltaGenerator) -> tuple[Share, bool]:
    """Let the visitor choose how cells are counted, and whether the diagonal is left out."""
    share = state.linked(
        "share",
        "matrix_share",
        {name: name for name in SHARES},
        "the cells",
        "counts",
        lambda options: row.segmented_control(
            "Cells", options, key="matrix_share", required=True, format_func=SHARES.__getitem__
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


def show_matrix(
    answers: Answers,
    counts: NDArray[np.int64],
    share: Share,
    hidden: bool,
    cell: tuple[int, int],
) -> None:
    """Draw the clickable matrix with its downloads."""
    values, texts = answer_set.cell_values(counts, share, hidden)
    charts.matrix(
        values,
        text=texts,
        hover=answer_set.cell_hover(counts),
        key="matrix_chart",
        on_pick=cells.pick,
        current=cell,
        alt=f"Confusion matrix of {answers.run.name} on {answers.words}; the selectors next to it "
        "open the same cells",
    )
    unit = SHARES[share] + ("" if share == "counts" else " in %")
    with st.container(horizontal=True):
        st.download_button(
            "PNG",
            lambda: matrix_image.draw(
                values,
                texts,
                title=answers.run.name,
                fallback=answers.run.id,
                facts=f"{unit} · {answers.words} · accuracy {theme.percent(answers.accuracy)}",
            ),
            key="matrix_png",
            file_name=f"{answers.run.id}-matrix.png",
            mime="image/png",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "CSV",
            lambda: evaluation.confusion_csv(counts),
            key="matrix_csv",
            icon=":material/download:",
            file_name=f"{answers.run.id}-matrix.csv",
            mime="text/csv",
            on_click="ignore",
            help="The counts; row = truth, column = prediction.",
        )


def show_tables(answers: Answers, counts: NDArray[np.int64]) -> None:
    """Draw the report of each class and the most frequent mistakes."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Class by class")
        cells.show_report(answers)
    with right:
        st.subheader("Most confused pairs")
        cells.show_pairs(counts)


frame.begin(
    "Confusion matrix",
    "Which class is mistaken for which. Click a cell to see the pictures in it.",
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
        comparison.show(answer_set.on_test(run), answer_set.on_test(other))
        st.stop()
    if other is not None:
        st.info(
            "A run compared with itself shows no difference. Choose another one.",
            icon=":material/info:",
        )
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    answers = choose_pictures(run, row)
    if cells.show_opened(answers):
        st.stop()
    share, hidden = choose_cells(row)
    st.caption(f"{run.name}: accuracy {theme.percent(answers.accuracy, 2)} on {answers.words}.")
    counts = evaluation.confusion(answers.truth, answers.prediction)
    chart, pane = st.columns([3, 2], gap="large")
    with pane:
        cell = cells.pane(answers, counts)
    with chart:
        show_matrix(answers, counts, share, hidden, cell)
    show_tables(answers, counts)
