"""Misclassified: a run's mistakes on the test pictures, filtered, sorted, a page at a time, each to
be opened.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import evaluation
from ui import frame, state
from ui.answers import answer_set, filters
from ui.answers.answer_set import Answers
from ui.answers.closeup import closeup
from ui.components import thumbnails

A_PAGE = 48  # divides into rows of 2, 3, 4, 6 and 8
VIEWS = {"all": "All mistakes", "classes": "One of every class"}


def why_empty(found: Answers) -> str:
    """One sentence on an empty view."""
    wrong = int((found.guess != found.truth).sum())
    if not wrong:
        return f"{found.run.name} made no mistake on its {found.words}."
    return (
        f"None of the {wrong:,} mistakes of {found.run.name} fits these filters together. Choose all classes, or a wider "
        "range of confidence."
    )


def gallery(found: Answers, indices: np.ndarray, cell: int = 104) -> None:
    """These mistakes as pictures that open, where the data are here."""
    data = frame.data_for(found.data_name)
    if data is not None:
        frame.sample_badge(data)
        thumbnails.gallery(
            answer_set.items(found, data, indices),
            "mistakes_gallery",
            lambda index: state.put({"picture": str(index)}),
            cell=cell,
        )


def all_mistakes(found: Answers, came_for: dict[str, str]) -> None:
    """The filtered mistakes, a page at a time, and as a file; another choice than the address came
    for begins at page 1.
    """
    indices = filters.mistakes(found, visible=True)
    if state.without("page") != came_for:
        state.put({"page": None})
    if not len(indices):
        st.info(why_empty(found), icon=":material/filter_alt_off:")
        return
    pages = -(-len(indices) // A_PAGE)
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
            f"{len(indices):,} mistakes of {found.run.name}"
            + (f" · page {page} of {pages}" if pages > 1 else "")
        )
        st.download_button(
            "CSV",
            lambda: evaluation.mistakes_csv(indices, found.probabilities, found.truth),
            key="mistakes_csv",
            file_name=f"{found.run.id}-mistakes.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="These mistakes, one a line, with their ten probabilities.",
        )
    gallery(found, indices[(page - 1) * A_PAGE : page * A_PAGE])
    if pages > 1:
        st.pagination(pages, key="mistakes_page")
    state.publish("page", "mistakes_page", None if page == 1 else str(page))


frame.begin(
    "Misclassified",
    "What a network got wrong on pictures it had never seen. Open one to see why.",
    icon=":material/rule:",
)
with frame.errors():
    came_for = state.without("page")
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
    with left:
        run = frame.choose_run("Run", "mistakes_run")
    if run is None:
        st.stop()
    found = answer_set.on_test(run)
    picture = state.read(
        "picture", state.whole_number(0, len(found.truth) - 1, "the picture"), None
    )
    if picture is not None:
        closeup(
            run,
            found.data_name,
            "test",
            picture,
            truth=int(found.truth[picture]),
            key="mistakes",
            order=filters.mistakes(found, visible=False),
            probabilities=found.probabilities[picture],
        )
        st.stop()
    view = state.linked(
        "view",
        "mistakes_view",
        {text: text for text in VIEWS},
        "the view",
        "all",
        lambda options: right.segmented_control(
            "View",
            options,
            key="mistakes_view",
            required=True,
            format_func=VIEWS.get,
            label_visibility="collapsed",
        ),
    )
    if view == "all":
        all_mistakes(found, came_for)
    else:
        st.caption("For each true class, the mistake it was surest of.")
        first = evaluation.one_of_every_class(found.probabilities, found.truth)
        gallery(found, np.array(list(first.values()), np.int64), cell=150)
