"""The cells of a confusion matrix: chosen by click or by two selectors, opened as pictures, summed
up in tables.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import evaluation
from core.labels import CLASS_NAMES
from ui import frame, state
from ui.answers import answer_set
from ui.answers.answer_set import Answers
from ui.answers.closeup import closeup
from ui.components import charts, thumbnails

MOST = 60  # pictures of a cell that are shown; the diagonal has about a thousand
LABELS = {str(label): label for label in range(10)}


def pick(truth: int, prediction: int) -> None:
    """Open a cell; the selectors follow."""
    state.put({"truth": str(truth), "prediction": str(prediction)})


def choose(counts: np.ndarray) -> tuple[int, int]:
    """The cell in view, by two selectors in step with the address and the clicks; at first the most
    frequent mistake.
    """
    off = np.where(np.eye(len(counts), dtype=bool), -1, counts)
    truth, prediction = (int(one) for one in np.unravel_index(int(off.argmax()), off.shape))
    left, right = st.columns(2)
    with left:
        truth = _label("truth", "matrix_truth", "Truth", truth)
    with right:
        prediction = _label("prediction", "matrix_prediction", "Prediction", prediction)
    return truth, prediction


def _label(param: str, key: str, label: str, default: int) -> int:
    state.pin(param, str(default))  # another run, another most frequent mistake
    return state.linked(
        param,
        key,
        LABELS,
        f"the {label.lower()}",
        default,
        lambda options: st.selectbox(label, options, key=key, format_func=CLASS_NAMES.__getitem__),
    )


def pane(found: Answers, counts: np.ndarray) -> tuple[int, int]:
    """The selectors and the pictures of the chosen cell; returns the cell."""
    truth, prediction = choose(counts)
    positions = found.cell(truth, prediction)
    what = (
        f"{CLASS_NAMES[truth]}, named rightly"
        if truth == prediction
        else f"{CLASS_NAMES[truth]} → {CLASS_NAMES[prediction]}"
    )
    show(
        found,
        positions,
        f"{what}: {len(positions):,}",
        f"No {CLASS_NAMES[truth]} among the {found.words} was "
        f"{'named rightly' if truth == prediction else f'taken for {CLASS_NAMES[prediction]}'}.",
    )
    return truth, prediction


def show(
    found: Answers,
    positions: np.ndarray,
    title: str,
    empty: str,
    *,
    key: str = "matrix_gallery",
    paired: bool = False,
) -> None:
    """A scrolling gallery of these pictures, or why there are none."""
    st.markdown(f"**{title}**")
    if not len(positions):
        st.info(empty, icon=":material/filter_alt_off:")
        return
    data = frame.data_for(found.data_name)
    if data is None:
        return
    frame.sample_badge(data)
    with st.container(height=372, border=False):
        thumbnails.gallery(
            answer_set.items(found, data, positions[:MOST], paired=paired),
            key,
            lambda index: state.put({"picture": str(index)}),
            cell=84,
        )
    if len(positions) > MOST:
        st.caption(f"The {MOST} surest of {len(positions):,}.")


def opened(found: Answers) -> bool:
    """Show the picture that the address asks for, if it asks for one of these."""
    places = {int(index): place for place, index in enumerate(found.indices)}

    def parse(text: str) -> int:
        index = state.whole_number(0, int(found.indices.max()), "the picture")(text)
        if index not in places:
            raise ValueError(f"Picture {index} is not among the {found.words}.")
        return index

    index = state.read("picture", parse, None)
    if index is None:
        return False
    place = places[index]
    order = found.indices[found.cell(int(found.truth[place]), int(found.guess[place]))]
    closeup(
        found.run,
        found.data_name,
        found.split,
        index,
        truth=int(found.truth[place]),
        order=order,
        key="matrix",
        probabilities=None if found.probabilities is None else found.probabilities[place],
    )
    return True


def report(found: Answers) -> None:
    """Precision, recall, F1 and support per class."""
    rows = [
        {
            "Class": row.name[0].upper() + row.name[1:],
            "Precision": row.precision,
            "Recall": row.recall,
            "F1": row.f1,
            "Pictures": row.support,
        }
        for row in evaluation.class_report(found.truth, found.guess)
    ]
    charts.table(
        rows,
        key="matrix_report",
        shares=("Precision", "Recall", "F1"),
        alt="Precision, recall, F1 and number of pictures of each class",
    )
    st.caption(
        "Precision: of what was called so, how much is. Recall: of what is so, how much was found. F1: their harmonic "
        "mean."
    )


def pairs(counts: np.ndarray, most: int = 6) -> None:
    """The most frequent mistakes as buttons that open their cell."""
    found = evaluation.most_confused(counts, most)
    if not found:
        st.info("No mistakes, no pairs.", icon=":material/info:")
    for truth, prediction, count in found:
        st.button(
            f"{CLASS_NAMES[truth]} → {CLASS_NAMES[prediction]} · {count:,}",
            key=f"matrix_pair_{truth}_{prediction}",
            on_click=pick,
            args=(truth, prediction),
            type="tertiary",
            icon=":material/arrow_outward:",
        )
