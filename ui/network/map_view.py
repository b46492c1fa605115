"""The test set as a map of points: pictures that look similar to the network lie close together; a
click opens a picture.

PCA is available at once. t-SNE is computed by a process of its own (`core.explain.embedding_map`);
until then this view says how long it has been running and shows PCA, and everything else on the
page keeps working.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.errors import RunDamaged
from core.explain import embedding_map
from core.explain.embedding_map import MappedPictures, Neighbourhoods, State
from core.labels import CLASS_NAMES
from core.runs import Run
from ui import cache, frame, state
from ui.answers import answer_set
from ui.answers.answer_set import Answers
from ui.components import theme, thumbnails
from ui.network import point_map
from ui.network.subject import Subject, caption, open_test_picture

Kind = Literal["pca", "tsne"]
Colour = Literal["class", "right"]
KINDS: dict[Kind, str] = {"pca": "PCA", "tsne": "t-SNE"}
COLOURS: dict[Colour, str] = {"class": "Class", "right": "Correct or wrong"}
POLL_SECONDS = 1.0
WORDS: dict[Kind, str] = {
    "pca": "Each point is a test picture, placed by its embedding: the numbers the last layer bases "
    "its decision on. PCA views the {}-dimensional space from the angle that spreads the points "
    "most. It is only a shadow: points that lie on top of each other here may be far apart in the "
    "space itself.",
    "tsne": "Each point is a test picture. t-SNE moves the points about until neighbours among the "
    "{} dimensions of the embedding are neighbours here. Islands are pictures that the network "
    "finds similar; how far apart islands are, and how large, means nothing.",
}

Positions = NDArray[np.floating]  # `(n, 2)`


def show(run: Run, subject: Subject | None, data_name: str) -> None:
    """Draw the map of a run's test pictures, with the picture in view marked on it.

    Args:
        run: a finished run.
        subject: the picture in view, or None.
        data_name: the data that the run was measured on.
    """
    data = frame.data_for(data_name)
    if data is None:
        return
    answers, count = answer_set.on_test(run), len(data.test_labels)
    if len(answers.truth) != count:
        raise RunDamaged(
            f"{run.name} has predictions for {len(answers.truth):,} test pictures, but "
            f"{data.title} has {count:,}; someone may have edited the run. Choose another one."
        )
    wanted, colour = _choose()
    points = cache.test_points(run.id, data_name)
    frame.sample_badge(data)
    positions = _neighbourhoods(run.id, data_name, points) if wanted == "tsne" else None
    if positions is not None:
        kind: Kind = "tsne"
        mark = _find_on_map(points.indices, positions, subject)
    else:
        kind, positions, mark = "pca", points.plane.positions, None
        if subject is not None:
            embedding = cache.network(run.id).embeddings(subject.pixels[None])[0]
            mark = points.plane.project(embedding)
    shown = len(points.indices)
    left, right = st.columns([5, 2], gap="medium")
    with left:
        point_map.draw(
            positions,
            groups(answers, points.indices, colour),
            indices=points.indices,
            words=words(answers, points.indices),
            sheet=cache.picture_sheet(data_name),
            mark=mark,
            key="network_points",
            revision=f"{points.key} {kind}",
            label=f"Map of {shown:,} test pictures. Arrow keys walk from point to point, Enter "
            "opens one; the picture above can also be chosen by its class",
            on_pick=open_test_picture,
        )
    with right:
        _subject(answers, subject)
    st.caption(WORDS[kind].format(f"{len(points.plane.mean):,}"))
    sentences = [f"{shown:,} of the {count:,} test pictures."]
    if shown == count:
        sentences = [f"All {count:,} test pictures."]
    if mark is None and subject is not None:
        sentences.append("The picture in view is not among them.")
    if kind == "pca":
        share = theme.percent(float(points.plane.shares.sum()), 0)
        sentences.append(f"The two axes explain {share} of the variance.")
    sentences.append(
        "Point at a point to see its picture, click or tap to open it; a name hides or shows its points."
    )
    st.caption(" ".join(sentences))


def _choose() -> tuple[Kind, Colour]:
    """Draw the choice of a map and of its colours."""
    with st.container(horizontal=True):
        kind = state.linked(
            "map_kind",
            "network_map_kind",
            {str(kind): kind for kind in KINDS},
            "the map",
            "pca",
            lambda options: st.segmented_control(
                "Map",
                options,
                key="network_map_kind",
                required=True,
                format_func=KINDS.__getitem__,
            ),
        )
        colour = state.linked(
            "colour",
            "network_colour",
            {str(colour): colour for colour in COLOURS},
            "the colours",
            "class",
            lambda options: st.segmented_control(
                "Colours",
                options,
                key="network_colour",
                required=True,
                format_func=COLOURS.__getitem__,
            ),
        )
    return kind, colour


def _neighbourhoods(run_id: str, data_name: str, points: MappedPictures) -> Positions | None:
    """The t-SNE map; None while it is not ready, after saying so."""

    def ask() -> Neighbourhoods:
        return embedding_map.neighbourhoods(
            points.key, lambda: cache.test_embeddings(run_id, data_name, points.key)
        )

    now = ask()
    if now.positions is None:
        _explain_missing(points, now, ask)
    return now.positions


def _explain_missing(
    points: MappedPictures, now: Neighbourhoods, ask: Callable[[], Neighbourhoods]
) -> None:
    """Say how far the t-SNE map is; when it is ready the page is drawn again."""
    if now.state == State.FAILED:
        st.warning(
            f"The t-SNE map could not be computed: {now.problem}. PCA is shown instead.",
            icon=":material/warning:",
        )
        st.button(
            "Try again",
            key="network_map_again",
            icon=":material/refresh:",
            on_click=embedding_map.try_again,
            args=(points.key,),
        )
        return
    _wait(ask)


@st.fragment(run_every=POLL_SECONDS)
def _wait(ask: Callable[[], Neighbourhoods]) -> None:
    now = ask()
    if now.state in (State.READY, State.FAILED):
        st.rerun()
    words = (
        "Another map is being computed; this one is next"
        if now.state == State.WAITING
        else f"t-SNE is being computed in the background ({now.seconds:.0f} s so far)"
    )
    st.info(
        f"{words}. Until it is ready, PCA is shown; you can do something else in the meantime.",
        icon=":material/hourglass_top:",
    )


def _find_on_map(
    indices: NDArray[np.int64], positions: Positions, subject: Subject | None
) -> Positions | None:
    """Where a test picture lies on a map that only has positions for its own pictures."""
    if subject is None or subject.index is None:
        return None
    where = np.flatnonzero(indices == subject.index)
    return positions[where[0]] if len(where) else None


def groups(answers: Answers, indices: NDArray[np.int64], colour: Colour) -> list[point_map.Group]:
    """The points of each colour: one group for each class, or the correct and the wrong ones.

    Args:
        answers: the run's predictions on the test pictures.
        indices: int `(n,)`, which of them are on the map.
        colour: what the colours stand for.
    """
    truth, prediction = answers.truth[indices], answers.prediction[indices]
    if colour == "class":
        return [
            point_map.Group(name, theme.TEN_COLOURS[label], np.flatnonzero(truth == label))
            for label, name in enumerate(CLASS_NAMES)
        ]
    colours, right = theme.palette(), truth == prediction
    return [
        point_map.Group("Correct", colours.muted, np.flatnonzero(right), 2.5, 0.45),
        point_map.Group("Wrong", colours.worse, np.flatnonzero(~right), 4, 0.95),
    ]


def words(answers: Answers, indices: NDArray[np.int64]) -> list[str]:
    """What each point says: its class, and what it was mistaken for."""
    return [
        CLASS_NAMES[label]
        if label == guess
        else f"{CLASS_NAMES[label]}, mistaken for {CLASS_NAMES[guess]}"
        for label, guess in zip(answers.truth[indices], answers.prediction[indices], strict=True)
    ]


def _subject(answers: Answers, subject: Subject | None) -> None:
    """Draw the picture in view, so that a click shows its result where one is looking."""
    if subject is None:
        st.caption("Click a point to open its picture.")
        return
    words = (
        caption(answers, subject.index)
        if subject.index is not None
        else f"{subject.name[:1].upper()}{subject.name[1:]}"
    )
    thumbnails.show(subject.pixels, alt=words, caption=words, width=200)
    st.button(
        "Its feature maps",
        key="network_map_maps",
        icon=":material/layers:",
        on_click=state.put,
        args=({"view": "maps"},),
    )
