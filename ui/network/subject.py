"""The picture that the Network page looks at, from the test set, the sheet or a file, and what the
network says about it.

Sheet and uploads are those of the Classify page, so what was drawn there is here too, and is
answered in the same way.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import pictures
from core.data import fashion_mnist
from core.inference import answer
from core.inference.answer import Prediction, PreparationOptions
from core.labels import CLASS_NAMES
from core.pictures import Kind
from core.runs import Run
from ui import cache, frame, state
from ui.answers import test_set_picture
from ui.answers.answer_set import Answers
from ui.classify import canvas, result, uploads
from ui.classify.result import Contender
from ui.classify.uploads import Refusal
from ui.components import theme, thumbnails

Source = Literal["test", "draw", "upload"]
SOURCES: dict[Source, str] = {"test": "Test picture", "draw": "Draw", "upload": "Upload"}
WIDTH = 180  # CSS pixels of a picture that is not drawn here


@dataclass(frozen=True)
class Subject:
    """The picture in view.

    Attributes:
        pixels: uint8 `(28, 28)`.
        name: what it is called in sentences.
        truth: its label; None for people's own pictures.
        index: its position in the test set, if it is from there.
        doubt: why no network can be sure of it; empty where there is no such reason.
        kind: what the picture turned out to be; None for one of the data set.
    """

    pixels: NDArray[np.uint8]
    name: str
    truth: int | None = None
    index: int | None = None
    doubt: str = ""
    kind: Kind | None = None


@dataclass
class Fold:
    """Whether picture and answer are reduced to one line.

    Attributes:
        opened: as someone asked for; None until then.
        view: the view that was last drawn; choosing another one folds.
    """

    opened: bool | None = None
    view: str = ""

    def look(self, view: str) -> None:
        """Take note of the view that is drawn."""
        if self.view and view != self.view:
            self.opened = False
        self.view = view


def choose(run: Run, data_name: str, view: str) -> Subject | None:
    """Draw the choice of a picture, the picture, and the answer next to it; or one line of them.

    What is folded is hidden, not left out: a drawing or a file stays where it is.

    Args:
        run: the finished run that answers.
        data_name: the data whose test pictures are offered.
        view: the view below; choosing another one folds.

    Returns:
        the picture; None while there is none.
    """
    line, body = st.container(key="network_line"), st.container(key="network_subject")
    with body:
        subject, source, predictions = _choose(run, data_name)
    fold = state.page_state(Fold)
    fold.look(view)
    if subject is None or not predictions:
        return subject
    opened = source != "test" if fold.opened is None else fold.opened
    with line:
        _draw_line(subject, predictions[0], source, opened=opened)
        if not opened:
            st.html("<style>.st-key-network_subject { display: none; }</style>")
    return subject


def _draw_line(subject: Subject, prediction: Prediction, source: Source, *, opened: bool) -> None:
    """Draw the switch between one line and everything, and the line."""

    def turn() -> None:
        state.page_state(Fold).opened = not opened

    with st.container(horizontal=True, vertical_alignment="center"):
        if not opened:
            st.html(_summary(subject, prediction), width="content")
            if source == "test":
                st.button(
                    "Another picture",
                    key="network_other",
                    icon=":material/casino:",
                    on_click=state.put,
                    args=({"picture": None},),
                )
        st.button(
            "Reduce to one line" if opened else "Change picture",
            key="network_fold",
            icon=":material/unfold_less:" if opened else ":material/unfold_more:",
            on_click=turn,
        )


def _summary(subject: Subject, prediction: Prediction) -> str:
    """Picture and answer in one line, as HTML."""
    name = f"{subject.name[:1].upper()}{subject.name[1:]}"
    if subject.truth is not None:
        name += f": {CLASS_NAMES[subject.truth]}"
    says = "Not sure"
    if prediction.sure:
        says = f"{CLASS_NAMES[prediction.label]}, {theme.percent(prediction.confidence)} confidence"
    return (
        f'<div class="network-line"><img src="{thumbnails.data_uri(subject.pixels)}" '
        f'alt="{html.escape(subject.name, quote=True)}"><span>{html.escape(name)}<br>'
        f"<small>The network: {says}</small></span></div>"
    )


def _choose(run: Run, data_name: str) -> tuple[Subject | None, Source, list[Prediction]]:
    """Draw everything; returns the picture, where it is from, and what the network says."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        source = _choose_source(data_name)
    with row, st.container(key="network_choice"):
        subject = _from_test_set(data_name) if source == "test" else None
    with st.container(horizontal=True, gap="medium"):
        left = st.container(width=canvas.WIDTH if source != "test" else WIDTH + 40)
        right = st.container(key="network_answer")
    with left:
        if source == "draw":
            subject = _from_sheet()
        elif source == "upload":
            subject = _from_file()
        elif subject is not None:
            _draw_test_picture(subject)
    predictions: list[Prediction] = []
    with right, frame.errors(stop=False):
        if subject is None:
            result.draw_placeholder(
                "Nothing yet", "Choose or draw a picture to see what every layer makes of it."
            )
        else:
            predictions = result.draw_answers(
                [Contender(run, cache.network(run.id))],
                subject.pixels,
                truth=subject.truth,
                doubt=subject.doubt,
                kind=subject.kind,
            )
    return subject, source, predictions


def open_test_picture(index: int) -> None:
    """Look at this picture of the test set from now on; where it can be opened, the test set is the
    default source.
    """
    state.put({"source": None, "class": None, "picture": str(index)})


def caption(answers: Answers, index: int) -> str:
    """A test picture in a few words: its number, its label, and what it was mistaken for."""
    truth, guess = CLASS_NAMES[answers.truth[index]], CLASS_NAMES[answers.prediction[index]]
    mistake = "" if truth == guess else f", mistaken for {guess}"
    return f"Test picture {index:,}: {truth}{mistake}"


def _choose_source(data_name: str) -> Source:
    available = data_name == "offline-sample" or fashion_mnist.status().available
    default: Source = "test" if available else "draw"
    source = state.linked(
        "source",
        "network_source",
        {str(source): source for source in SOURCES},
        "the picture's source",
        default,
        lambda options: st.segmented_control(
            "Picture",
            options,
            key="network_source",
            required=True,
            format_func=SOURCES.__getitem__,
        ),
    )
    if source != "test":
        state.put({"picture": None, "class": None})
    return source


def _from_test_set(data_name: str) -> Subject | None:
    data = frame.data_for(data_name)
    if data is None:
        return None
    frame.sample_badge(data)
    index = test_set_picture.choose(data, "network")
    truth = int(data.test_labels[index])
    return Subject(data.test_pixels[index], f"test picture {index:,}", truth, index)


def _draw_test_picture(subject: Subject) -> None:
    truth = "" if subject.truth is None else CLASS_NAMES[subject.truth]
    name = f"{subject.name[:1].upper()}{subject.name[1:]}"
    thumbnails.show(
        subject.pixels,
        alt=f"{subject.name}: {truth}",
        width=WIDTH,
        caption=f"{name}. Truth: {truth}.",
    )


def _from_sheet() -> Subject | None:
    drawing = canvas.draw_sheet()
    if drawing is None:
        return None
    options = PreparationOptions(fill=drawing.fill, pen=drawing.pen)
    question = answer.prepare(pictures.from_canvas(drawing.rgba), options)
    if question.prepared.blank:
        return None
    kind = question.prepared.kind
    return Subject(question.pixels, "your drawing", doubt=question.doubt, kind=kind)


def _from_file() -> Subject | None:
    file = st.file_uploader("A picture of one garment", uploads.ACCEPTED, key="network_file")
    if file is None:
        return None
    (outcome,) = uploads.read_all([file])
    if isinstance(outcome, Refusal):
        st.error(outcome.problem, icon=":material/broken_image:")
        return None
    thumbnails.show(
        outcome.pixels,
        alt=f"{file.name} as the network sees it",
        caption=f"{file.name}, as the network sees it.",
        width=WIDTH,
    )
    if outcome.blank:
        return None
    return Subject(outcome.pixels, f"“{file.name}”", kind=outcome.kind)


STYLE = """
.network-line { display: flex; align-items: center; gap: 0.75rem; line-height: 1.3; }
.network-line img { width: 3rem; height: 3rem; image-rendering: pixelated; background: #000; border-radius: 4px; }
"""
