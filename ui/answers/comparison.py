"""Two runs on the same test pictures: what changed cell by cell, which pictures were repaired,
which newly broken.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import evaluation
from core.labels import CLASS_NAMES
from ui import cache, state
from ui.answers import answer_set, cells
from ui.answers.answer_set import Answers
from ui.answers.filters import ALL, CLASSES, name_of
from ui.components import charts, matrix_image, theme

CHANGES = ("repaired", "broken")


def draw(first: Answers, second: Answers) -> None:
    """The page below its two selectors: from the first run to the second.

    Raises:
        AtelierError: if they were tested on different pictures.
    """
    found = evaluation.compare(*(cache.test_predictions(one.run.id) for one in (first, second)))
    if cells.opened(second):
        return
    changed = {"repaired": found.repaired, "broken": found.broken}
    before, after = (evaluation.confusion(one.truth, one.guess) for one in (first, second))
    facts = st.columns(4)
    facts[0].metric(first.run.name, theme.percent(first.accuracy, 2))
    facts[1].metric(
        second.run.name,
        theme.percent(second.accuracy, 2),
        f"{100 * (second.accuracy - first.accuracy):+.2f} points",
    )
    facts[2].metric("Repaired", f"{len(changed['repaired']):,}", help="Wrong before, right now.")
    facts[3].metric("Newly broken", f"{len(changed['broken']):,}", help="Right before, wrong now.")
    chart, pane = st.columns([3, 2], gap="large")
    with pane:
        cell = _pictures(first, second, changed)
    with chart:
        _difference(first, second, before, found.difference, cell)
    st.subheader("The two matrices")
    for column, one, counts in zip(
        st.columns(2, gap="medium"), (first, second), (before, after), strict=True
    ):
        with column:
            st.caption(f"{one.run.name}: {theme.percent(one.accuracy, 2)} of {one.words}")
            values, shown = answer_set.cell_values(counts, "counts", False)
            charts.matrix(
                values,
                text=shown,
                hover=answer_set.cell_hover(counts),
                key=f"matrix_side_{one is second:d}",
                on_pick=cells.pick,
                current=cell,
                alt=f"Confusion matrix of {one.run.name}",
            )


def _difference(
    first: Answers,
    second: Answers,
    before: np.ndarray,
    change: np.ndarray,
    cell: tuple[int, int] | None,
) -> None:
    """Second minus first; green where that is for the better: more on the diagonal, fewer
    elsewhere.
    """
    better = np.where(np.eye(len(change), dtype=bool), change, -change)
    shown = [[f"{value:+d}" if value else "0" for value in row] for row in change.tolist()]
    hover = [
        [
            f"<b>{CLASS_NAMES[truth]} → {CLASS_NAMES[guess]}</b><br>from {count:,} to {count + change[truth, guess]:,}"
            for guess, count in enumerate(row)
        ]
        for truth, row in enumerate(before.tolist())
    ]
    charts.matrix(
        better.astype(float),
        text=shown,
        hover=hover,
        key="matrix_difference",
        on_pick=cells.pick,
        current=cell,
        difference=True,
        alt=f"Difference of the confusion matrices, {second.run.name} minus {first.run.name}",
    )
    st.caption(
        f"{second.run.name} minus {first.run.name}. Green is for the better, orange for the worse."
    )
    with st.container(horizontal=True):
        st.download_button(
            "PNG",
            lambda: matrix_image.draw(
                better.astype(float),
                shown,
                title=f"{second.run.name} minus {first.run.name}",
                difference=True,
                fallback=f"{second.run.id} minus {first.run.id}",
                facts=f"{second.words} · green is for the better",
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
    first: Answers, second: Answers, changed: dict[str, np.ndarray]
) -> tuple[int, int] | None:
    """The pictures that changed sides, of one cell, one class or all; returns the cell, if it is
    one.
    """
    kind = state.linked(
        "change",
        "matrix_change",
        {text: text for text in CHANGES},
        "the change",
        "repaired",
        lambda options: st.segmented_control(
            "Pictures",
            options,
            key="matrix_change",
            required=True,
            format_func=lambda one: f"{one.capitalize()} {len(changed[one]):,}",
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
    label = "Was taken for" if kind == "repaired" else "Is now taken for"
    guess = state.linked(
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
    if guess not in (ALL, truth):
        positions = positions[wrong.guess[positions] == guess]
    cells.show(
        wrong,
        wrong.surest_first(positions),
        f"{kind.capitalize()}: {len(positions):,}",
        f"No picture that fits was {'repaired' if kind == 'repaired' else 'newly broken'} from {first.run.name} to "
        f"{second.run.name}.",
        key="matrix_changed",
        paired=True,
    )
    return None if ALL in (truth, guess) else (truth, guess)
