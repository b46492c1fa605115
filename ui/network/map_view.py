"""The test set as a map of points: pictures that look similar to the network lie close together; a
click opens a picture.

PCA is available at once. t-SNE is computed by a process of its own (`core.explain.embedding_map`);
until then this view says how long it has been running and shows PCA, and everything else on the
page keeps working.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

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
from ui.components import theme, thumbnails, zoom
from ui.network.subject import Subject, caption, open_test_picture

if TYPE_CHECKING:  # it takes a tenth of a second
    import plotly.graph_objects as go

Kind = Literal["pca", "tsne"]
Colour = Literal["class", "right"]
KINDS: dict[Kind, str] = {"pca": "PCA", "tsne": "t-SNE"}
COLOURS: dict[Colour, str] = {"class": "Class", "right": "Correct or wrong"}
POLL_SECONDS = 1.0
HEIGHT = 560  # pixels, always
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
    positions = _neighbourhoods(points) if wanted == "tsne" else None
    if positions is not None:
        kind: Kind = "tsne"
        mark = _find_on_map(points.indices, positions, subject)
    else:
        kind, positions, mark = "pca", points.plane.positions, None
        if subject is not None:
            embedding = cache.network(run.id).embeddings(subject.pixels[None])[0]
            mark = points.plane.project(embedding)
    left, right = st.columns([5, 2], gap="medium")
    with left:
        _chart(answers, points.indices, positions, colour, mark, kind)
    with right:
        _subject(answers, subject)
    st.caption(WORDS[kind].format(f"{points.embeddings.shape[1]:,}"))
    shown = len(points.indices)
    sentences = [
        f"{shown:,} of the {count:,} test pictures."
        if shown < count
        else f"All {count:,} test pictures."
    ]
    if mark is None and subject is not None:
        sentences.append("The picture in view is not among them.")
    if kind == "pca":
        share = theme.percent(float(points.plane.shares.sum()), 0)
        sentences.append(f"The two axes explain {share} of the variance.")
    sentences.append(
        "Click a point to open its picture, or a name in the legend to hide or show its points."
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


def _neighbourhoods(points: MappedPictures) -> Positions | None:
    """The t-SNE map; None while it is not ready, after saying so."""
    now = embedding_map.neighbourhoods(points.key, lambda: points.embeddings)
    if now.positions is None:
        _explain_missing(points, now)
    return now.positions


def _explain_missing(points: MappedPictures, now: Neighbourhoods) -> None:
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
    _wait(points)


@st.fragment(run_every=POLL_SECONDS)
def _wait(points: MappedPictures) -> None:
    now = embedding_map.neighbourhoods(points.key, lambda: points.embeddings)
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


def _chart(
    answers: Answers,
    indices: NDArray[np.int64],
    positions: Positions,
    colour: Colour,
    mark: Positions | None,
    kind: Kind,
) -> None:
    key = f"network_points_{kind}_{colour}"

    def picked() -> None:
        index = picked_index(st.session_state[key])
        if index is not None:
            open_test_picture(index)

    revision = f"{answers.run.id} {kind}"
    chart = figure(answers, indices, positions, colour, mark)
    ranges = zoom.chosen("network_zoom", "network_points", revision)
    chart.update_xaxes(range=ranges.get("x"))
    chart.update_yaxes(range=ranges.get("y"))
    with st.container(key="network_points"):
        st.plotly_chart(
            chart,
            key=key,
            on_select=picked,
            selection_mode="points",
            width="stretch",
            config={
                "displaylogo": False,
                "doubleClick": "autosize",
                "modeBarButtonsToRemove": ["select2d", "lasso2d", "resetScale2d"],
            },
            alt=f"Map of {len(indices):,} test pictures; the picture above can also be chosen by "
            "its class",
        )
    zoom.listen("network_zoom", ["network_points"], revision)


def picked_index(event: Mapping[str, Any]) -> int | None:
    """The test picture behind a click, or None where nothing is picked."""
    points = event["selection"]["points"]
    data = points[0].get("customdata") if points else None
    if data is None:
        return None
    return int(data["0"] if isinstance(data, dict) else data[0])


def figure(
    answers: Answers,
    indices: NDArray[np.int64],
    positions: Positions,
    colour: Colour,
    mark: Positions | None,
) -> go.Figure:
    """The map.

    Args:
        answers: the run's predictions on the test pictures.
        indices: int `(n,)`, which of them are on the map.
        positions: float `(n, 2)`.
        colour: what the colours stand for.
        mark: `(2,)`, where the picture in view lies; None marks nothing.
    """
    import plotly.graph_objects as go

    traces = _traces(answers, indices, positions, colour)
    if mark is not None:
        traces.append(
            go.Scatter(
                x=[float(mark[0])],
                y=[float(mark[1])],
                mode="markers",
                name="In view",
                hoverinfo="skip",
                marker={
                    "symbol": "circle-open",
                    "size": 20,
                    "color": theme.palette().accent,
                    "line": {"width": 3},
                },
            )
        )
    chart = go.Figure(traces)
    chart.update_xaxes(visible=False)
    chart.update_yaxes(visible=False, scaleanchor="x")
    chart.update_layout(
        height=HEIGHT,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        uirevision="map",
        dragmode="pan",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 0, "yanchor": "top", "itemsizing": "constant"},
    )
    return chart


def _traces(
    answers: Answers, indices: NDArray[np.int64], positions: Positions, colour: Colour
) -> list[go.Scatter]:
    """The points, a trace for each class, or one for the correct and one for the wrong ones."""
    import plotly.graph_objects as go

    truth, prediction = answers.truth[indices], answers.prediction[indices]
    hover = [
        CLASS_NAMES[label]
        if label == guess
        else f"{CLASS_NAMES[label]}, mistaken for {CLASS_NAMES[guess]}"
        for label, guess in zip(truth, prediction, strict=True)
    ]
    colours = theme.palette()
    groups = (
        [
            (name, truth == label, theme.TEN_COLOURS[label], 5, 0.75)
            for label, name in enumerate(CLASS_NAMES)
        ]
        if colour == "class"
        else [
            ("Correct", truth == prediction, colours.muted, 4, 0.45),
            ("Wrong", truth != prediction, colours.worse, 7, 0.95),
        ]
    )
    traces = []
    for name, members, shade, size, opacity in groups:
        which = np.flatnonzero(members)
        traces.append(
            go.Scatter(
                x=positions[which, 0],
                y=positions[which, 1],
                mode="markers",
                name=name,
                marker={"color": shade, "size": size, "opacity": opacity},
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": opacity}},
                customdata=[[int(indices[number])] for number in which],
                hovertext=[hover[number] for number in which],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
    return traces


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
