"""Two runs on the same test pictures: what changed cell by cell, which pictures were repaired and
which are newly broken.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import evaluation, wording
from ui import cache, state
from ui.answers import answer_set, cells, matrix_grid
from ui.answers.answer_set import Answers
from ui.answers.filters import ALL, CLASSES, name_of
from ui.answers.matrix_grid import Frame
from ui.components import matrix_image, theme

Change = Literal["repaired", "broken"]
CHANGES: dict[str, Change] = {"repaired": "repaired", "broken": "broken"}
Counts = NDArray[np.int64]


def show(first: Answers, second: Answers) -> None:
    """Draw the page below its two selectors: from the first run to the second.

    Raises:
        AtelierError: if they were tested on different pictures.
    """
    comparison = evaluation.compare(
        cache.test_predictions(first.run.id), cache.test_predictions(second.run.id)
    )
    if cells.show_opened(second):
        return
    changed: dict[Change, NDArray[np.int64]] = {
        "repaired": comparison.repaired,
        "broken": comparison.broken,
    }
    before = evaluation.confusion(first.truth, first.prediction)
    after = evaluation.confusion(second.truth, second.prediction)
    _metrics(first, second, comparison)
    with st.container(key="matrix_layout"):
        chart, pane = st.columns([3, 2], gap="large")
    with pane, st.container(key="matrix_pane"):
        cell = _pictures(first, second, changed)
    with chart:
        _difference(first, second, before, comparison.difference, cell)
    st.header("The two matrices")
    for side, column, answers, counts in zip(
        (0, 1), st.columns(2, gap="medium"), (first, second), (before, after), strict=True
    ):
        with column:
            st.caption(
                f"{wording.literal(answers.run.name)}: {theme.percent(answers.accuracy, 2)} of {answers.words}"
            )
            values, texts = answer_set.cell_values(counts, "counts", False)
            matrix_grid.draw(
                [Frame(counts, values, texts)],
                key=f"matrix_side_{side}",
                label=f"Confusion matrix of {answers.run.name}",
                on_pick=cells.pick,
                current=cell,
            )


def _metrics(first: Answers, second: Answers, comparison: evaluation.Comparison) -> None:
    metrics = st.columns(4)
    metrics[0].metric(wording.literal(first.run.name), theme.percent(first.accuracy, 2))
    metrics[1].metric(
        wording.literal(second.run.name),
        theme.percent(second.accuracy, 2),
        f"{100 * (second.accuracy - first.accuracy):+.2f} points",
    )
    metrics[2].metric(
        "Repaired", f"{len(comparison.repaired):,}", help="Wrong before, correct now."
    )
    metrics[3].metric(
        "Newly broken", f"{len(comparison.broken):,}", help="Correct before, wrong now."
    )


def _difference(
    first: Answers,
    second: Answers,
    before: Counts,
    change: Counts,
    cell: tuple[int, int] | None,
) -> None:
    """Draw second minus first; green where that is an improvement: more on the diagonal, fewer
    elsewhere.
    """
    better = np.where(np.eye(len(change), dtype=bool), change, -change).astype(np.float64)
    texts = [[f"{value:+d}" if value else "0" for value in row] for row in change.tolist()]
    sentences = [
        [
            f"{answer_set.cell_name(truth, prediction)}: from {count:,} to "
            f"{count + change[truth, prediction]:,}"
            for prediction, count in enumerate(row)
        ]
        for truth, row in enumerate(before.tolist())
    ]
    title = f"{second.run.name} minus {first.run.name}"
    matrix_grid.draw(
        [Frame(change, better, texts)],
        key="matrix_difference",
        label=f"Difference of the confusion matrices, {title}",
        on_pick=cells.pick,
        current=cell,
        difference=True,
        sentences=sentences,
    )
    st.caption(f"{title}. Green: better, orange: worse.")
    with st.container(horizontal=True):
        st.download_button(
            "PNG",
            lambda: matrix_image.draw(
                better,
                texts,
                title=title,
                difference=True,
                fallback=f"{second.run.id} minus {first.run.id}",
                facts=f"{second.words} · green: better, orange: worse",
            ),
            key="matrix_difference_png",
            file_name=f"{second.run.id}-difference.png",
            mime="image/png",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "CSV",
            lambda: evaluation.confusion_csv(change),
            key="matrix_difference_csv",
            mime="text/csv",
            file_name=f"{second.run.id}-difference.csv",
            icon=":material/download:",
            on_click="ignore",
        )


def _pictures(
    first: Answers, second: Answers, changed: dict[Change, NDArray[np.int64]]
) -> tuple[int, int] | None:
    """Draw the pictures that changed, of one cell, one class or all; returns the cell, if it is
    one.
    """
    kind = state.linked(
        "change",
        "matrix_change",
        CHANGES,
        "the change",
        "repaired",
        lambda options: st.segmented_control(
            "Pictures",
            options,
            key="matrix_change",
            required=True,
            format_func=lambda change: f"{change.capitalize()} {len(changed[change]):,}",
        ),
    )
    truth = state.linked(
        "truth",
        "matrix_changed_truth",
        CLASSES,
        "the truth",
        ALL,
        lambda options: st.selectbox(
            "Truth", options, key="matrix_changed_truth", format_func=name_of
        ),
    )
    wrong = first if kind == "repaired" else second
    label = "Was mistaken for" if kind == "repaired" else "Is now mistaken for"
    prediction = state.linked(
        "prediction",
        "matrix_changed_prediction",
        CLASSES,
        "the prediction",
        ALL,
        lambda options: st.selectbox(
            label, options, key="matrix_changed_prediction", format_func=name_of
        ),
    )
    positions = changed[kind]
    if truth != ALL:
        positions = positions[wrong.truth[positions] == truth]
    if prediction not in (ALL, truth):
        positions = positions[wrong.prediction[positions] == prediction]
    cells.show(
        wrong,
        wrong.most_confident_first(positions),
        f"{kind.capitalize()}: {len(positions):,}",
        f"No picture that matches was {'repaired' if kind == 'repaired' else 'newly broken'} "
        f"from {wording.literal(first.run.name)} to {wording.literal(second.run.name)}.",
        key="matrix_changed",
        paired=True,
    )
    return None if ALL in (truth, prediction) else (truth, prediction)
