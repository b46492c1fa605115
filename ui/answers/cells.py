"""The cells of a confusion matrix: chosen with a click or two selectors, opened as pictures, summed
up in tables.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import evaluation
from core.labels import CLASS_NAMES
from ui import frame, state
from ui.answers import answer_set
from ui.answers.answer_set import Answers
from ui.answers.closeup import closeup
from ui.components import charts, thumbnails, touch

MOST = 60  # pictures of a cell that are shown; a cell on the diagonal has about a thousand
LABELS = {str(label): label for label in range(10)}


def pick(truth: int, prediction: int, frame: int = 0) -> None:
    """Open a cell by its address; the selectors follow. The frame of a matrix that has only one
    says nothing.
    """
    state.put({"truth": str(truth), "prediction": str(prediction)})


def choose(counts: NDArray[np.int64]) -> tuple[int, int]:
    """Draw two selectors for the cell in view, in step with the address and the clicks.

    It begins with the most frequent mistake.
    """
    mistakes = np.where(np.eye(len(counts), dtype=bool), -1, counts)
    truth, prediction = (
        int(label) for label in np.unravel_index(int(mistakes.argmax()), mistakes.shape)
    )
    left, right = st.columns(2)
    with left:
        truth = _label("truth", truth)
    with right:
        prediction = _label("prediction", prediction)
    return truth, prediction


def _label(param: Literal["truth", "prediction"], default: int) -> int:
    key = f"matrix_{param}"
    state.pin(param, str(default))  # another run has another most frequent mistake
    return state.linked(
        param,
        key,
        LABELS,
        f"the {param}",
        default,
        lambda options: st.selectbox(
            param.capitalize(), options, key=key, format_func=CLASS_NAMES.__getitem__
        ),
    )


def pane(answers: Answers, counts: NDArray[np.int64]) -> tuple[int, int]:
    """Draw the selectors and the pictures of the chosen cell; returns the cell."""
    truth, prediction = choose(counts)
    positions = answers.cell(truth, prediction)
    if truth == prediction:
        title = f"{CLASS_NAMES[truth]}, classified correctly"
        fate = "classified correctly"
    else:
        title = f"{CLASS_NAMES[truth]} → {CLASS_NAMES[prediction]}"
        fate = f"mistaken for {CLASS_NAMES[prediction]}"
    show(
        answers,
        positions,
        f"{title}: {len(positions):,}",
        f"No {CLASS_NAMES[truth]} among the {answers.words} was {fate}.",
    )
    return truth, prediction


def show(
    answers: Answers,
    positions: NDArray[np.int64],
    title: str,
    empty: str,
    *,
    key: str = "matrix_gallery",
    paired: bool = False,
) -> None:
    """Draw a scrolling gallery of these pictures, or say why there are none."""
    touch.jump("↑ Back to the matrix", "matrix_layout", key="matrix_return")
    st.markdown(f"**{title}**")
    if not len(positions):
        st.info(empty, icon=":material/filter_alt_off:")
        return
    data = frame.data_for(answers.data_name)
    if data is None:
        return
    frame.sample_badge(data)
    with st.container(height=372, border=False):
        thumbnails.gallery(
            answer_set.items(answers, data, positions[:MOST].tolist(), paired=paired),
            key,
            lambda index: state.put({"picture": str(index)}),
            cell=84,
        )
    if len(positions) > MOST:
        st.caption(f"The {MOST} most confident of {len(positions):,}.")


def jump(count: int) -> None:
    """Draw the link to the pictures where they are below the matrix."""
    words = "1 picture" if count == 1 else f"{count:,} pictures"
    touch.jump(f"Show the {words} ↓", "matrix_pane", key="matrix_jump")


def show_opened(answers: Answers) -> bool:
    """Show the picture that the address asks for, if it asks for one of these."""
    position_of = {int(index): position for position, index in enumerate(answers.indices)}

    def parse(text: str) -> int:
        index = state.whole_number(0, int(answers.indices.max()), "the picture")(text)
        if index not in position_of:
            raise ValueError(f"Picture {index} is not among the {answers.words}.")
        return index

    index = state.read("picture", parse, None)
    if index is None:
        return False
    position = position_of[index]
    truth, prediction = int(answers.truth[position]), int(answers.prediction[position])
    closeup(
        answers.run,
        answers.data_name,
        answers.split,
        index,
        truth=truth,
        order=answers.indices[answers.cell(truth, prediction)].tolist(),
        key="matrix",
        probabilities=answers.probabilities_of(position),
    )
    return True


def show_report(answers: Answers) -> None:
    """Draw a table of precision, recall, F1 and support per class."""
    rows: list[dict[str, str | float]] = [
        {
            "Class": row.name[0].upper() + row.name[1:],
            "Precision": row.precision,
            "Recall": row.recall,
            "F1": row.f1,
            "Pictures": row.support,
        }
        for row in evaluation.class_report(answers.truth, answers.prediction)
    ]
    charts.table(
        rows,
        key="matrix_report",
        shares=("Precision", "Recall", "F1"),
        alt="Precision, recall, F1 and number of pictures of each class",
    )
    st.caption(
        "Precision: of all predictions of this class, the share that is correct. Recall: of all "
        "pictures of this class, the share it found. F1: their harmonic mean."
    )


def show_pairs(counts: NDArray[np.int64], most: int = 6) -> None:
    """Draw the most frequent mistakes as buttons that open their cell."""
    pairs = evaluation.most_confused(counts, most)
    if not pairs:
        st.info("There are no mistakes.", icon=":material/info:")
    for truth, prediction, count in pairs:
        st.button(
            f"{CLASS_NAMES[truth]} → {CLASS_NAMES[prediction]} · {count:,}",
            key=f"matrix_pair_{truth}_{prediction}",
            on_click=pick,
            args=(truth, prediction),
            type="tertiary",
            icon=":material/arrow_outward:",
        )
