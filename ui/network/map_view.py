"""The test set as a map of points: what the network holds for alike lies close together; a click
opens a picture.

PCA is there at once. t-SNE is computed by a process of its own (`core.explain.embedding_map`);
until then this view says how long it has been at it and shows PCA, and everything else on the page
goes on. What a map shows is computed in `core`.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.errors import RunDamaged
from core.explain import embedding_map
from core.explain.embedding_map import Neighbourhoods
from core.labels import CLASS_NAMES
from core.networks.architectures import blueprint, embedding_name
from core.runs import Run
from ui import cache, frame, state
from ui.answers import answer_set
from ui.answers.answer_set import Answers
from ui.components import theme, thumbnails, zoom
from ui.network import subject
from ui.network.subject import Subject

KINDS = {"pca": "PCA", "tsne": "t-SNE"}
COLOURS = {"class": "Class", "right": "Right or wrong"}
POLL_SECONDS = 1.0
HEIGHT = 560  # pixels, always
# Ten colours apart from each other on white and on black.
CLASS_COLOURS = (
    "#4f7be8",
    "#e8862e",
    "#2fa37c",
    "#d64f9c",
    "#9a6be0",
    "#c2a21f",
    "#d9503f",
    "#21a8c4",
    "#8b8f98",
    "#7aa832",
)
WORDS = {
    "pca": "Each point is a test picture, placed by its embedding: the numbers that the last layer decides by. PCA looks at this space of "
    "{} dimensions from the side from which the points lie furthest apart. It is a shadow: what lies on top of each other here may "
    "be far apart in truth.",
    "tsne": "Each point is a test picture. t-SNE moves the points about until those that are neighbours among the {} dimensions of the "
    "embedding are neighbours here. Islands are pictures that the network holds for alike; how far islands lie apart, and how "
    "large they are, means nothing.",
}


def show(run: Run, shown: Subject | None, data_name: str) -> None:
    """Draw the map of a run's test pictures, with the picture in view marked on it.

    Args:
        run: a finished run.
        shown: the picture in view, or None.
        data_name: the data that the run was measured on.
    """
    data = frame.data_for(data_name)
    if data is None:
        return
    found = answer_set.on_test(run)
    if len(found.truth) != len(data.test_labels):
        raise RunDamaged(
            f"{run.name} answered {len(found.truth):,} test pictures, but {data.title} has {len(data.test_labels):,}; someone "
            "may have edited the run. Choose another one."
        )
    with st.container(horizontal=True):
        kind = state.linked(
            "map_kind",
            "network_map_kind",
            {text: text for text in KINDS},
            "the map",
            "pca",
            lambda options: st.segmented_control(
                "Map", options, key="network_map_kind", required=True, format_func=KINDS.get
            ),
        )
        colour = state.linked(
            "colour",
            "network_colour",
            {text: text for text in COLOURS},
            "the colours",
            "class",
            lambda options: st.segmented_control(
                "Colours", options, key="network_colour", required=True, format_func=COLOURS.get
            ),
        )
    points = cache.test_points(run.id, data_name)
    frame.sample_badge(data)
    positions, mark = points.plane.positions, None
    if kind == "tsne":
        how_far = embedding_map.neighbourhoods(points.key, lambda: points.embeddings)
        if how_far.state != "ready":
            _not_yet(points.key, how_far)
        else:
            positions = how_far.positions
            mark = _place_among(points.indices, positions, shown)
    if positions is points.plane.positions and shown is not None:
        mark = points.plane.place(cache.network(run.id).embeddings(shown.pixels[None])[0])
    left, right = st.columns([5, 2], gap="medium")
    with left:
        _chart(found, points.indices, positions, colour, mark, kind)
    with right:
        _beside(found, data, shown)
    dimensions = blueprint(run.spec)
    wide = next(
        layer for layer in dimensions if layer.name == embedding_name(dimensions)
    ).output_shape[0]
    st.caption(
        WORDS[kind if positions is not points.plane.positions else "pca"].format(f"{wide:,}")
    )
    count = (
        f"{len(points.indices):,} of the {len(data.test_labels):,} test pictures"
        if len(points.indices) < len(data.test_labels)
        else f"All {len(data.test_labels):,} test pictures"
    )
    variance = (
        ""
        if positions is not points.plane.positions
        else f" The two axes hold {theme.percent(float(points.plane.shares.sum()), 0)} of the variance."
    )
    absent = (
        " The picture in view is not among them."
        if mark is None and shown is not None and kind == "tsne"
        else ""
    )
    st.caption(
        f"{count}.{absent}{variance} A click on a point opens its picture; a name in the legend hides and shows its points."
    )


def _not_yet(key: str, how_far: Neighbourhoods) -> None:
    """Say how far the t-SNE map is; when it is there the page is drawn anew."""
    if how_far.state == "failed":
        st.warning(
            f"The t-SNE map could not be computed: {how_far.problem}. PCA is shown instead.",
            icon=":material/warning:",
        )
        st.button(
            "Try again",
            key="network_map_again",
            icon=":material/refresh:",
            on_click=embedding_map.try_again,
            args=(key,),
        )
        return
    _waiting(key)


@st.fragment(run_every=POLL_SECONDS)
def _waiting(key: str) -> None:
    now = embedding_map.neighbourhoods(key, lambda: np.zeros((0, 0)))
    if now.state in ("ready", "failed"):
        st.rerun()
    words = (
        "Another map is being computed; this one is next"
        if now.state == "waiting"
        else f"t-SNE is being computed in the background, for {now.seconds:.0f} s so far"
    )
    st.info(
        f"{words}. Until it is there, this is PCA; you can look at something else meanwhile.",
        icon=":material/hourglass_top:",
    )


def _place_among(
    indices: np.ndarray, positions: np.ndarray, shown: Subject | None
) -> np.ndarray | None:
    """Where a test picture lies on a map that only has places for its own pictures."""
    if shown is None or shown.index is None:
        return None
    where = np.flatnonzero(indices == shown.index)
    return positions[where[0]] if len(where) else None


def _chart(
    found: Answers,
    indices: np.ndarray,
    positions: np.ndarray,
    colour: str,
    mark: np.ndarray | None,
    kind: str,
) -> None:
    key = f"network_points_{kind}_{colour}"

    def picked() -> None:
        index = picked_index(st.session_state[key])
        if index is not None:
            subject.open_test_picture(index)

    revision = f"{found.run.id} {kind}"
    made = figure(found, indices, positions, colour, mark)
    ranges = zoom.chosen("network_zoom", "network_points", revision)
    made.update_xaxes(range=ranges.get("x"))
    made.update_yaxes(range=ranges.get("y"))
    with st.container(key="network_points"):
        st.plotly_chart(
            made,
            key=key,
            on_select=picked,
            selection_mode="points",
            width="stretch",
            config={
                "displaylogo": False,
                "doubleClick": "autosize",
                "modeBarButtonsToRemove": ["select2d", "lasso2d", "resetScale2d"],
            },
            alt=f"Map of {len(indices):,} test pictures; the picture above can also be chosen by its class",
        )
    zoom.listen("network_zoom", ["network_points"], revision)


def picked_index(told: dict) -> int | None:
    """The test picture behind a click, or None where nothing is picked."""
    points = told["selection"]["points"]
    data = points[0].get("customdata") if points else None
    if data is None:
        return None
    return int(data["0"] if isinstance(data, dict) else data[0])


def figure(
    found: Answers, indices: np.ndarray, positions: np.ndarray, colour: str, mark: np.ndarray | None
):
    """The map as a `plotly.graph_objects.Figure`.

    Args:
        found: the run's answers on the test pictures.
        indices: int `(n,)`, which of them are on the map.
        positions: float `(n, 2)`.
        colour: "class" or "right".
        mark: `(2,)`, where the picture in view lies; None marks nothing.
    """
    import plotly.graph_objects as go

    truth, guess = found.truth[indices], found.guess[indices]
    hover = [
        CLASS_NAMES[one] if one == other else f"{CLASS_NAMES[one]}, taken for {CLASS_NAMES[other]}"
        for one, other in zip(truth, guess, strict=True)
    ]
    colours = theme.palette()
    groups = (
        [
            (name, truth == label, CLASS_COLOURS[label], 5, 0.75)
            for label, name in enumerate(CLASS_NAMES)
        ]
        if colour == "class"
        else [
            ("Right", truth == guess, colours.muted, 4, 0.45),
            ("Wrong", truth != guess, colours.worse, 7, 0.95),
        ]
    )
    traces = []
    for name, of_group, shade, size, opacity in groups:
        which = np.flatnonzero(of_group)
        marker = {"color": shade, "size": size, "opacity": opacity}
        traces.append(
            go.Scatter(
                x=positions[which, 0],
                y=positions[which, 1],
                mode="markers",
                name=name,
                marker=marker,
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": opacity}},
                customdata=[[int(indices[one])] for one in which],
                hovertext=[hover[one] for one in which],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
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
                    "color": colours.accent,
                    "line": {"width": 3},
                },
            )
        )
    made = go.Figure(traces)
    made.update_xaxes(visible=False)
    made.update_yaxes(visible=False, scaleanchor="x")
    made.update_layout(
        height=HEIGHT,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        uirevision="map",
        dragmode="pan",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 0, "yanchor": "top", "itemsizing": "constant"},
    )
    return made


def _beside(found: Answers, data, shown: Subject | None) -> None:
    """The picture in view, so that a click shows its result where the eye is."""
    if shown is None:
        st.caption("Choose a point to open its picture.")
        return
    words = (
        subject.caption(found, shown.index)
        if shown.index is not None
        else f"{shown.name[:1].upper()}{shown.name[1:]}"
    )
    thumbnails.show(shown.pixels, alt=words, caption=words, width=200)
    st.button(
        "Its feature maps",
        key="network_map_maps",
        icon=":material/layers:",
        on_click=state.put,
        args=({"view": "maps"},),
    )
