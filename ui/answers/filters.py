"""The filters of the mistakes: true class, what it was taken for, confidence and order, all in step
with the address.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import evaluation
from core.labels import CLASS_NAMES
from ui import state
from ui.answers.answer_set import Answers

ALL = -1  # as a choice of class; Streamlit takes None for "nothing chosen"
CLASSES = {"all": ALL, **{str(label): label for label in range(10)}}
ORDERS = {  # address: (label, what evaluation sorts by, largest first)
    "confidence": ("Surest first", "confidence", True),
    "doubt": ("Least sure first", "confidence", False),
    "loss": ("Largest loss first", "loss", True),
    "loss-up": ("Smallest loss first", "loss", False),
    "margin": ("Widest margin first", "margin", True),
    "margin-up": ("Narrowest margin first", "margin", False),
}


def mistakes(found: Answers, *, visible: bool) -> np.ndarray:
    """Draw the filters and return what they leave.

    Args:
        found: the run's answers on the test pictures.
        visible: False draws nothing and follows the address, while one picture is open.

    Returns:
        the indices of the mistakes that fit, in the chosen order.
    """
    wrong = found.guess != found.truth
    truth = _true_class(np.bincount(found.truth[wrong], minlength=10), visible)
    here = wrong if truth == ALL else wrong & (found.truth == truth)
    left, middle, right = st.columns(3, gap="medium") if visible else (None, None, None)
    prediction = _taken_for(np.bincount(found.guess[here], minlength=10), left)
    confidence = _confidence(middle)
    _, by, descending = ORDERS[_order(right)]
    return evaluation.find_mistakes(
        found.probabilities,
        found.truth,
        truth=None if truth == ALL else {truth},
        prediction=None if prediction == ALL else {prediction},
        confidence=confidence,
        sort=by,
        descending=descending,
    )


def _true_class(counts: np.ndarray, visible: bool) -> int:
    return state.linked(
        "truth",
        "mistakes_truth",
        CLASSES,
        "the true class",
        ALL,
        (
            visible
            and (
                lambda options: st.pills(
                    "True class",
                    options,
                    key="mistakes_truth",
                    required=True,
                    format_func=lambda label: _counted(label, counts),
                )
            )
        )
        or None,
    )


def _taken_for(counts: np.ndarray, column) -> int:
    return state.linked(
        "prediction",
        "mistakes_prediction",
        CLASSES,
        "the predicted class",
        ALL,
        column
        and (
            lambda options: column.selectbox(
                "Taken for",
                options,
                key="mistakes_prediction",
                format_func=lambda label: _counted(label, counts),
            )
        ),
    )


def _order(column) -> str:
    return state.linked(
        "sort",
        "mistakes_sort",
        {text: text for text in ORDERS},
        "the order",
        "confidence",
        column
        and (
            lambda options: column.selectbox(
                "Order", options, key="mistakes_sort", format_func=lambda text: ORDERS[text][0]
            )
        ),
    )


def _confidence(column) -> tuple[float, float]:
    """Lowest and highest confidence, 0..1; the address says `50-90`, in percent."""

    def parse(text: str) -> tuple[int, int]:
        low, dash, high = text.partition("-")
        numbers = [
            int(part)
            for part in (low, high)
            if part.isascii() and part.isdigit() and len(part) <= 3
        ]
        if not dash or len(numbers) != 2 or not numbers[0] <= numbers[1] <= 100:
            raise ValueError(
                f"The address asks for the confidence “{text[:40]}”; it can be 0-100, 80-100 and the like."
            )
        return numbers[0], numbers[1]

    if column is None:
        low, high = state.read("confidence", parse, (0, 100))
    else:
        state.follow("confidence", "mistakes_confidence", parse, (0, 100))
        low, high = column.slider("Confidence", 0, 100, key="mistakes_confidence", format="%d %%")
        state.publish(
            "confidence",
            "mistakes_confidence",
            None if (low, high) == (0, 100) else f"{low}-{high}",
        )
    return low / 100, high / 100


def name_of(label: int) -> str:
    """A class's name, or the word for all of them."""
    return "All classes" if label == ALL else CLASS_NAMES[label]


def _counted(label: int, counts: np.ndarray) -> str:
    return f"{'All' if label == ALL else CLASS_NAMES[label]} · {int(counts.sum() if label == ALL else counts[label]):,}"
