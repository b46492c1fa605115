"""The picture that the Network page looks at: of the test set, drawn, or a file; and what the
network says of it.

Sheet and files are those of the Classify page, so what was drawn there is here too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import pictures as picture
from core.data import fashion_mnist
from core.labels import CLASS_NAMES
from core.pictures import scribble
from ui import cache, frame, state
from ui.answers import test_set_picture
from ui.answers.answer_set import Answers
from ui.classify import canvas, result, uploads
from ui.classify.result import Contender
from ui.components import thumbnails

SOURCES = {"test": "Test picture", "draw": "Draw", "upload": "Upload"}
KINDS = ["png", "jpg", "jpeg", "webp", "bmp", "gif"]
WIDTH = 180  # CSS pixels of a picture that is not drawn here


@dataclass(frozen=True)
class Subject:
    """The picture in view.

    Attributes:
        pixels: uint8 `(28, 28)`.
        name: what it is called in sentences.
        truth: its class, where somebody knows it.
        index: its position in the test set, if it is from there.
        doubt: why no network can be sure of it; empty where there is no such reason.
    """

    pixels: np.ndarray
    name: str
    truth: int | None = None
    index: int | None = None
    doubt: str = ""


def choose(run, data_name: str) -> Subject | None:
    """Draw the choice of a picture, the picture, and the answer beside it.

    Args:
        run: the finished run that answers.
        data_name: the data whose test pictures are offered.

    Returns:
        the picture; None while there is none.
    """
    default = (
        "test" if data_name == "offline-sample" or fashion_mnist.status().available else "draw"
    )
    row = st.container(horizontal=True, vertical_alignment="bottom")
    source = state.linked(
        "source",
        "network_source",
        {text: text for text in SOURCES},
        "the picture's source",
        default,
        lambda options: row.segmented_control(
            "Picture", options, key="network_source", required=True, format_func=SOURCES.get
        ),
    )
    if source != "test":
        state.put({"picture": None, "class": None})
    with row, st.container(key="network_choice"):
        shown = _of_the_test_set(data_name) if source == "test" else None
    with st.container(horizontal=True, gap="medium"):
        left = st.container(width=canvas.WIDTH if source != "test" else WIDTH + 40)
        right = st.container(key="network_answer")
    with left:
        if source != "test":
            shown = _drawn() if source == "draw" else _file()
        elif shown is not None:
            thumbnails.show(
                shown.pixels,
                alt=f"{shown.name}: {CLASS_NAMES[shown.truth]}",
                width=WIDTH,
                caption=f"Test picture {shown.index:,}. The truth: {CLASS_NAMES[shown.truth]}.",
            )
    with right, frame.errors(stop=False):
        if shown is None:
            result.nothing(
                "Nothing yet", "Bring a picture, and every layer shows what it makes of it."
            )
        else:
            result.answers(
                [Contender(run, cache.network(run.id))],
                shown.pixels,
                truth=shown.truth,
                doubt=shown.doubt,
            )
    return shown


def open_test_picture(index: int) -> None:
    """Look at this picture of the test set from now on; where it can be opened, the test set is the
    default source.
    """
    state.put({"source": None, "class": None, "picture": str(index)})


def caption(found: Answers, index: int) -> str:
    """A test picture in a few words: what it is, and what it was taken for."""
    truth, guess = CLASS_NAMES[found.truth[index]], CLASS_NAMES[found.guess[index]]
    return f"Test picture {index:,}: {truth}" + ("" if truth == guess else f", taken for {guess}")


def _of_the_test_set(data_name: str) -> Subject | None:
    data = frame.data_for(data_name)
    if data is None:
        return None
    frame.sample_badge(data)
    index = test_set_picture.choose(data, "network")
    truth = int(data.test_labels[index])
    return Subject(data.test_pixels[index], f"test picture {index:,}", truth, index)


def _drawn() -> Subject | None:
    drawn = canvas.sheet()
    if drawn is None:
        return None
    prepared = picture.prepare(picture.from_canvas(drawn.rgba), fill=drawn.fill)
    return (
        None
        if prepared.blank
        else Subject(prepared.pixels, "your drawing", doubt=scribble.doubt(drawn.rgba, drawn.pen))
    )


def _file() -> Subject | None:
    file = st.file_uploader("A picture of one garment", KINDS, key="network_file")
    if file is None:
        return None
    found = uploads.read_all([file], uploads.PreparationOptions(fill=True))[0]
    if found.problem:
        st.error(found.problem, icon=":material/broken_image:")
        return None
    thumbnails.show(
        found.pixels,
        alt=f"{file.name} as the network sees it",
        caption=f"{file.name}, as the network sees it.",
        width=WIDTH,
    )
    return None if found.blank else Subject(found.pixels, f"“{file.name}”")
