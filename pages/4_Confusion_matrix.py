"""Confusion matrix: which class is mistaken for which, the pictures behind every cell, epoch by
epoch, one run compared with another.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core import evaluation, runs, wording
from core.runs import Run
from ui import frame, state
from ui.answers import answer_set, cells, comparison, matrix_grid
from ui.answers.answer_set import SHARES, Answers, Share
from ui.answers.matrix_grid import Frame
from ui.components import matrix_image, theme

Pictures = Literal["test", "validation"]
SETS: dict[Pictures, str] = {"test": "Test pictures", "validation": "Validation, epoch by epoch"}


def choose_pictures(run: Run, row: DeltaGenerator) -> tuple[Answers, list[int]]:
    """Let the visitor choose the test pictures, or the validation pictures after an epoch.

    Returns:
        the answers, and the epochs to choose from; none for the test pictures.
    """
    epochs = runs.validation_epochs(run.id)
    if not epochs:
        return answer_set.on_test(run), []
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
        return answer_set.on_test(run), []
    best = run.best_epoch if run.best_epoch in epochs else epochs[-1]
    names = {str(number): number for number in epochs}
    epoch = state.linked("epoch", "matrix_epoch", names, "the epoch", best, None)
    state.pin("epoch", str(best))
    spread = np.linspace(0, len(epochs) - 1, min(len(epochs), matrix_grid.MOST_FRAMES))
    played = {epochs[int(position)] for position in spread} | {best, epoch}
    return answer_set.on_validation(run, epoch), sorted(played)


def choose_cells(row: DeltaGenerator, below: DeltaGenerator) -> tuple[Share, bool, bool, bool]:
    """Let the visitor choose how cells are counted, whether colours are logarithmic, whether
    classes are sorted, and whether the diagonal is left out.
    """
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

    def toggle(param: str, key: str, off: str, on: str, what: str, label: str) -> bool:
        names = {off: False, on: True}
        return state.linked(param, key, names, what, False, lambda _: below.toggle(label, key=key))

    logarithmic = toggle("scale", "matrix_log", "linear", "log", "the scale", "Logarithmic colours")
    sort = toggle("order", "matrix_sort", "labels", "similarity", "the order", "Sort by similarity")
    hidden = toggle(
        "diagonal", "matrix_hide", "shown", "hidden", "the diagonal", "Hide the diagonal"
    )
    return share, logarithmic, sort, hidden


def show_matrix(
    answers: Answers,
    counts: NDArray[np.int64],
    epochs: list[int],
    choices: tuple[Share, bool, bool, bool],
    cell: tuple[int, int],
) -> None:
    """Draw the matrix with its downloads."""
    share, logarithmic, sort, hidden = choices
    order = evaluation.similarity_order(counts) if sort else list(range(len(counts)))
    frames, now = matrix_frames(answers, counts, epochs, share, hidden)
    values, texts = answer_set.cell_values(counts, share, hidden)

    def pick(truth: int, prediction: int, frame: int) -> None:
        epoch = {"epoch": str(epochs[frame])} if epochs else {}
        state.put({"truth": str(truth), "prediction": str(prediction), **epoch})

    matrix_grid.draw(
        frames,
        key="matrix_chart",
        label=f"Confusion matrix of {answers.run.name} on {answers.words}",
        on_pick=pick,
        on_rest=lambda frame: state.put({"epoch": str(epochs[frame])}) if epochs else None,
        current=cell,
        frame=now,
        order=order,
        logarithmic=logarithmic,
    )
    if counts[cell]:
        cells.jump(int(counts[cell]))
    unit = SHARES[share] + ("" if share == "counts" else " in %")
    with st.container(horizontal=True):
        st.download_button(
            "PNG",
            lambda: matrix_image.draw(
                values,
                texts,
                title=answers.run.name,
                fallback=answers.run.id,
                logarithmic=logarithmic,
                order=order,
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


def matrix_frames(
    answers: Answers, counts: NDArray[np.int64], epochs: list[int], share: Share, hidden: bool
) -> tuple[list[Frame], int]:
    """The matrix after each of these epochs, and which of them is in view; one for the test
    pictures.
    """
    if not epochs:
        return [Frame(counts, *answer_set.cell_values(counts, share, hidden))], 0
    frames, now = [], 0
    for number, epoch in enumerate(epochs):
        after = answer_set.on_validation(answers.run, epoch)
        found = evaluation.confusion(after.truth, after.prediction)
        title = f"Epoch {epoch}: {theme.percent(after.accuracy)}"
        frames.append(Frame(found, *answer_set.cell_values(found, share, hidden), title))
        if after.words == answers.words:
            now = number
    return frames, now


def show_tables(answers: Answers, counts: NDArray[np.int64]) -> None:
    """Draw the report of each class and the most frequent mistakes."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.header("Class by class")
        cells.show_report(answers)
    with right:
        st.header("Most confused pairs")
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
    answers, epochs = choose_pictures(run, row)
    if cells.show_opened(answers):
        st.stop()
    with st.container(key="matrix_layout"):
        chart, pane = st.columns([3, 2], gap="large")
    above, facts = chart.container(), chart.container()
    below = chart.container(horizontal=True, gap="medium")
    choices = choose_cells(row, below)
    facts.caption(
        f"{wording.literal(run.name)}: accuracy {theme.percent(answers.accuracy, 2)} on {answers.words}."
    )
    counts = evaluation.confusion(answers.truth, answers.prediction)
    with pane, st.container(key="matrix_pane"):
        cell = cells.pane(answers, counts)
    with above:
        show_matrix(answers, counts, epochs, choices, cell)
    show_tables(answers, counts)
