"""Misclassified: a run's mistakes on the test pictures, filtered and sorted, a page at a time; each
of them opens.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core import evaluation, wording
from ui import frame, state
from ui.answers import answer_set, filters
from ui.answers.answer_set import Answers, FullAnswers
from ui.answers.closeup import closeup
from ui.components import thumbnails

PAGE_SIZE = 48  # divides into rows of 2, 3, 4, 6 and 8
View = Literal["all", "classes"]
VIEWS: dict[View, str] = {"all": "All mistakes", "classes": "One of every class"}


def why_empty(answers: Answers) -> str:
    """One sentence on an empty view."""
    wrong = int((answers.prediction != answers.truth).sum())
    if not wrong:
        return f"{wording.literal(answers.run.name)} made no mistakes on its {answers.words}."
    return (
        f"No mistake matches all these filters ({wording.literal(answers.run.name)} made {wrong:,}). "
        "Choose all classes, or a wider range of confidence."
    )


def gallery(answers: Answers, indices: NDArray[np.int64], cell: int = 104) -> None:
    """Draw these mistakes as pictures that open, where the data are available."""
    data = frame.data_for(answers.data_name)
    if data is not None:
        frame.sample_badge(data)
        thumbnails.gallery(
            answer_set.items(answers, data, indices.tolist()),
            "mistakes_gallery",
            lambda index: state.put({"picture": str(index)}),
            cell=cell,
        )


def all_mistakes(answers: FullAnswers, requested: dict[str, str]) -> None:
    """Draw the mistakes that match the filters, a page at a time, and offer them as a file.

    Args:
        requested: the address as it was opened, without its page; a change of filters since then
            begins at page 1.
    """
    indices = filters.mistakes(answers, visible=True)
    if state.without("page") != requested:
        state.put({"page": None})
    if not len(indices):
        st.info(why_empty(answers), icon=":material/filter_alt_off:")
        return
    pages = -(-len(indices) // PAGE_SIZE)
    page = state.follow(
        "page",
        "mistakes_page",
        state.whole_number(1, pages, "the page"),
        1,
        valid=lambda page: page <= pages,
    )
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        st.caption(
            f"{len(indices):,} mistakes of {wording.literal(answers.run.name)}"
            + (f" · page {page} of {pages}" if pages > 1 else "")
        )
        above = st.container(width="content")
        st.download_button(
            "CSV",
            lambda: evaluation.mistakes_csv(indices, answers.probabilities, answers.truth),
            key="mistakes_csv",
            file_name=f"{answers.run.id}-mistakes.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="These mistakes, one per line, with all ten probabilities.",
        )
    gallery(answers, indices[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])
    if pages > 1:
        _pagination(above, page, pages)
    state.publish("page", "mistakes_page", None if page == 1 else str(page))


def _pagination(above: DeltaGenerator, page: int, pages: int) -> None:
    """All pages above the pictures, and the way on below them."""

    def turn(to: int) -> None:
        st.session_state["mistakes_page"] = to

    above.pagination(pages, key="mistakes_page")
    with st.container(horizontal=True, key="mistakes_below"):
        for label, icon, to in (
            ("Previous page", ":material/chevron_left:", page - 1),
            ("Next page", ":material/chevron_right:", page + 1),
        ):
            st.button(label, icon=icon, disabled=not 1 <= to <= pages, on_click=turn, args=(to,))


frame.begin(
    "Misclassified",
    "What a network got wrong on pictures it had never seen. Open one to see why.",
    icon=":material/rule:",
)
with frame.errors():
    requested = state.without("page")
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
    with left:
        run = frame.choose_run("Run", "mistakes_run")
    if run is None:
        st.stop()
    answers = answer_set.on_test(run)
    picture = state.read(
        "picture", state.whole_number(0, len(answers.truth) - 1, "the picture"), None
    )
    if picture is not None:
        closeup(
            run,
            answers.data_name,
            "test",
            picture,
            truth=int(answers.truth[picture]),
            key="mistakes",
            order=filters.mistakes(answers, visible=False).tolist(),
            probabilities=answers.probabilities[picture],
        )
        st.stop()
    view = state.linked(
        "view",
        "mistakes_view",
        {view: view for view in VIEWS},
        "the view",
        "all",
        lambda options: right.segmented_control(
            "View",
            options,
            key="mistakes_view",
            required=True,
            format_func=VIEWS.__getitem__,
            label_visibility="collapsed",
        ),
    )
    if view == "all":
        all_mistakes(answers, requested)
    else:
        st.caption("For each true class, its most confident mistake.")
        first = evaluation.one_of_every_class(answers.probabilities, answers.truth)
        gallery(answers, np.array(list(first.values()), np.int64), cell=150)
