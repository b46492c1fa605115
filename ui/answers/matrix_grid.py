"""The confusion matrix as a grid of cells that mouse, finger and keys can open.

A component of our own: the cells are links that take their colours and numbers from the page, so a
new epoch or scale changes them where they are. The epochs are sent at once and played in the
browser; the page hears of an epoch only where the matrix comes to rest, and of a cell when it is
opened, so either is one entry in the browser's history.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.labels import CLASS_NAMES
from ui import state
from ui.components import matrix_image
from ui.components.theme import palette

# What a class is called where a phone leaves it no more room.
SHORT_NAMES = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Boot",
)
MOST_FRAMES = 100  # epochs that are sent to be played


@dataclass(frozen=True)
class Frame:
    """One state of the matrix: an epoch, or the only one.

    Attributes:
        counts: int `(10, 10)`, row = truth, column = prediction; for the sentence about a cell.
        values: float `(10, 10)`, what the colours show; NaN leaves a cell empty.
        texts: what stands in each cell.
        title: what it is, such as `Epoch 3: 91.2 %`.
    """

    counts: NDArray[np.int64]
    values: NDArray[np.float64]
    texts: Sequence[Sequence[str]]
    title: str = ""


def draw(
    frames: Sequence[Frame],
    *,
    key: str,
    label: str,
    on_pick: Callable[[int, int, int], None],
    on_rest: Callable[[int], None] | None = None,
    current: tuple[int, int] | None = None,
    frame: int = 0,
    order: Sequence[int] = tuple(range(len(CLASS_NAMES))),
    logarithmic: bool = False,
    difference: bool = False,
    sentences: Sequence[Sequence[str]] | None = None,
) -> None:
    """Draw the matrix.

    Args:
        frames: its states; more than one get a slider and can be played. All share one scale.
        key: the widget's key, carrying its page.
        label: what the whole is called by a screen reader.
        on_pick: called with (truth, prediction, frame) of an opened cell before the page runs
            again.
        on_rest: called with the frame at which slider or playing came to rest.
        current: the cell in view, marked.
        frame: which of the frames is in view.
        order: the labels in the order in which they are drawn.
        logarithmic, difference: as in `matrix_image.fills`.
        sentences: what each cell says; None writes it from the counts.
    """

    def picked() -> None:
        message = _whole_numbers(st.session_state[key].picked, ("row", "column", "frame"))
        sides = len(CLASS_NAMES)
        if message and max(message[:2]) < sides and message[2] < len(frames):
            on_pick(message[0], message[1], message[2])

    def rested() -> None:
        message = _whole_numbers(st.session_state[key].rested, ("frame",))
        if message and message[0] < len(frames) and on_rest is not None:
            on_rest(message[0])

    top = matrix_image.top_of([each.values for each in frames], difference)
    _GRID(
        key=key,
        on_picked_change=picked,
        on_rested_change=rested,
        height="content",
        data={
            "key": key,
            "label": label,
            "names": CLASS_NAMES,
            "shorts": SHORT_NAMES,
            "order": [int(each) for each in order],
            "chosen": None if current is None else list(current),
            "frame": frame,
            "href": state.link({"truth": "TRUTH", "prediction": "PREDICTION"}),
            "sentences": sentences,
            "frames": [_frame(each, top, logarithmic, difference) for each in frames],
        },
    )


def short(text: str) -> str:
    """A cell's text where there is room for three letters: `1.2k` for 1234, `88` for 88.3.

    >>> short("1234"), short("+88"), short("88.3"), short("-1500")
    ('1.2k', '+88', '88', '-1.5k')
    """
    if "." in text:
        return "<1" if 0 < float(text) < 0.5 else f"{float(text):.0f}"
    digits = text.lstrip("+-")
    if len(digits) < 4:
        return text
    sign = text[: len(text) - len(digits)]
    return f"{sign}{int(digits) / 1000:.1f}".removesuffix(".0") + "k"


def _frame(frame: Frame, top: float, logarithmic: bool, difference: bool) -> dict[str, object]:
    fills = matrix_image.fills(
        frame.values, top, palette(), logarithmic=logarithmic, difference=difference
    )
    return {
        "counts": frame.counts.tolist(),
        "texts": frame.texts,
        "shorts": [[short(text) for text in row] for row in frame.texts],
        "fills": [["#{:02x}{:02x}{:02x}".format(*fill) for fill in row] for row in fills.tolist()],
        "inks": [[matrix_image.readable_on(fill) for fill in row] for row in fills.tolist()],
        "title": frame.title,
    }


def _whole_numbers(message: object, names: Sequence[str]) -> list[int] | None:
    """The named numbers of a message from the browser, or None where it is not what we sent."""
    if not isinstance(message, dict):
        return None
    numbers = [message.get(name) for name in names]
    whole = [int(number) for number in numbers if isinstance(number, int | float) and number >= 0]
    return whole if len(whole) == len(names) else None


_GRID = st.components.v2.component(
    "atelier_matrix",
    css=(Path(__file__).parent / "matrix_grid.css").read_text(encoding="utf-8"),
    js=(Path(__file__).parent / "matrix_grid.js").read_text(encoding="utf-8"),
)
