"""The filters of the mistakes: true class, prediction, confidence and order, in step with the
address.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core import evaluation
from core.evaluation import Sort
from core.labels import CLASS_NAMES
from ui import state
from ui.answers.answer_set import FullAnswers

ALL = -1  # as a choice of class; Streamlit takes None for "nothing chosen"
CLASSES = {"all": ALL, **{str(label): label for label in range(10)}}


class Order(NamedTuple):
    """An order of mistakes: what it is called, and how they are sorted."""

    label: str
    sort: Sort
    descending: bool


ORDERS = {  # by the text of the address
    "confidence": Order("Most confident first", Sort.CONFIDENCE, True),
    "doubt": Order("Least confident first", Sort.CONFIDENCE, False),
    "loss": Order("Largest loss first", Sort.LOSS, True),
    "loss-up": Order("Smallest loss first", Sort.LOSS, False),
    "margin": Order("Widest margin first", Sort.MARGIN, True),
    "margin-up": Order("Narrowest margin first", Sort.MARGIN, False),
}


def mistakes(answers: FullAnswers, *, visible: bool) -> NDArray[np.int64]:
    """Draw the filters and return the mistakes that match them.

    Args:
        answers: the run's predictions on the test pictures.
        visible: False draws nothing and follows the address, while one picture is open.

    Returns:
        the indices of the mistakes that match, in the chosen order.
    """
    wrong = answers.prediction != answers.truth
    truth = _true_class(np.bincount(answers.truth[wrong], minlength=10), visible)
    of_class = wrong if truth == ALL else wrong & (answers.truth == truth)
    left, middle, right = st.columns(3, gap="medium") if visible else (None, None, None)
    prediction = _prediction(np.bincount(answers.prediction[of_class], minlength=10), left)
    confidence = _confidence(middle)
    order = ORDERS[_order(right)]
    return evaluation.find_mistakes(
        answers.probabilities,
        answers.truth,
        truth=None if truth == ALL else {truth},
        prediction=None if prediction == ALL else {prediction},
        confidence=confidence,
        sort=order.sort,
        descending=order.descending,
    )


def _true_class(counts: NDArray[np.int64], visible: bool) -> int:
    def draw(options: list[int]) -> int | None:
        return st.pills(
            "True class",
            options,
            key="mistakes_truth",
            required=True,
            format_func=lambda label: _counted(label, counts),
        )

    return state.linked(
        "truth", "mistakes_truth", CLASSES, "the true class", ALL, draw if visible else None
    )


def _prediction(counts: NDArray[np.int64], column: DeltaGenerator | None) -> int:
    key = "mistakes_prediction"
    return state.linked(
        "prediction",
        key,
        CLASSES,
        "the predicted class",
        ALL,
        None
        if column is None
        else lambda options: column.selectbox(
            "Mistaken for", options, key=key, format_func=lambda label: _counted(label, counts)
        ),
    )


def _order(column: DeltaGenerator | None) -> str:
    return state.linked(
        "sort",
        "mistakes_sort",
        {text: text for text in ORDERS},
        "the order",
        "confidence",
        None
        if column is None
        else lambda options: column.selectbox(
            "Order", options, key="mistakes_sort", format_func=lambda text: ORDERS[text].label
        ),
    )


def _confidence(column: DeltaGenerator | None) -> tuple[float, float]:
    """Lowest and highest confidence, 0..1; the address says `50-90`, in percent."""
    if column is None:
        low, high = state.read("confidence", _parse_range, (0, 100))
    else:
        key = "mistakes_confidence"
        low, high = state.follow("confidence", key, _parse_range, (0, 100))
        column.slider("Confidence", 0, 100, key=key, format="%d %%")
        text = None if (low, high) == (0, 100) else f"{low}-{high}"
        state.publish("confidence", key, text)
    return low / 100, high / 100


def _parse_range(text: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    numbers = [
        int(part) for part in (low, high) if part.isascii() and part.isdigit() and len(part) <= 3
    ]
    if not dash or len(numbers) != 2 or not numbers[0] <= numbers[1] <= 100:
        raise ValueError(
            f"This link asks for the confidence “{text[:40]}”; it can be a range such as 0-100 or "
            "80-100."
        )
    return numbers[0], numbers[1]


def name_of(label: int) -> str:
    """A class's name, or the words for all of them."""
    return "All classes" if label == ALL else CLASS_NAMES[label]


def _counted(label: int, counts: NDArray[np.int64]) -> str:
    if label == ALL:
        return f"All · {int(counts.sum()):,}"
    return f"{CLASS_NAMES[label]} · {int(counts[label]):,}"
