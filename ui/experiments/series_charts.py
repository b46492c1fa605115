"""The figures of the Experiments page: a score along a setting, over two settings, curves over each
other, F1, variance.

Each keeps its size and its axes while points arrive, so that nothing jumps. Values of a setting
stand at equal distances, in the order in which they were given: learning rates span five powers of
ten, and words have no distances at all.

It reads nothing; whoever calls it brings the numbers.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from core.labels import CLASS_NAMES
from ui.components import curves
from ui.components.theme import palette

HEIGHT = 330  # pixels
# Pixels of a line; letters that a mark takes, and that a narrow line holds.
LEGEND_LINE, LEGEND_MARK, LEGEND_LETTERS = 20, 8, 40
NAME_LETTERS = 34  # of a name in a legend
GRID_ROW = 46  # pixels of one value in a figure over two settings
MANY = (
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
DASHES = ("solid", "dash", "dot")  # after each round of the colours
CONFIG = {"displaylogo": False, "displayModeBar": False}


def along(
    label: str,
    values: Sequence[str],
    ours: Sequence[float | None],
    *,
    title: str,
    unit: str,
    published: dict[str, float] | None = None,
) -> go.Figure:
    """A figure along one setting, with a report's beside it.

    Args:
        label: the setting's name.
        values: its values as text, in order.
        ours: what came of each, None where nothing did yet.
        unit: what stands behind the numbers, such as ` %`.
        published: by value, what a report gives.
    """
    drawn = go.Figure()
    if published:
        drawn.add_trace(
            go.Scatter(
                x=list(published),
                y=list(published.values()),
                name="Published",
                mode="lines+markers",
                line={"color": curves.QUIET, "width": 1.5, "dash": "dash"},
                marker={"size": 7, "symbol": "diamond"},
                hovertemplate=f"%{{y:.2f}}{unit}<extra>Published</extra>",
            )
        )
    drawn.add_trace(
        go.Scatter(
            x=list(values),
            y=list(ours),
            name="Here",
            mode="lines+markers",
            connectgaps=False,
            line={"color": curves.TRAINING, "width": 2.5},
            marker={"size": 9},
            hovertemplate=f"%{{y:.2f}}{unit}<extra>Here</extra>",
        )
    )
    order = list(dict.fromkeys([*values, *(published or {})]))
    _arrange(drawn, title, legend=bool(published))
    drawn.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=order,
        range=[-0.4, len(order) - 0.6],
        showgrid=False,
        title={"text": label, "standoff": 4},
    )
    drawn.update_yaxes(ticksuffix=unit, zeroline=False)
    if all(value is None for value in ours) and not published:
        _nothing_yet(drawn)
    return drawn


def over(
    labels: tuple[str, str],
    values: tuple[Sequence[str], Sequence[str]],
    ours: Sequence[Sequence[float | None]],
    *,
    title: str,
    unit: str,
    more_is_better: bool,
) -> go.Figure:
    """A figure over two settings: the first runs down, the second to the right; None leaves a cell
    empty.
    """
    colours = palette()
    high = colours.high if more_is_better else colours.muted
    flat = [value for row in ours for value in row if value is not None]
    text = [
        [
            "" if value is None else f"{value:.2f}" if unit == " %" else f"{value:,.0f}"
            for value in row
        ]
        for row in ours
    ]
    drawn = go.Figure(
        go.Heatmap(
            z=ours,
            x=list(values[1]),
            y=list(values[0]),
            text=text,
            texttemplate="%{text}",
            xgap=2,
            ygap=2,
            showscale=False,
            colorscale=[[0, colours.low], [1, high]],
            zmin=min(flat, default=0),
            zmax=max(flat, default=1) + 1e-9,
            hovertemplate=f"{html.escape(labels[0])} %{{y}}, {html.escape(labels[1])} %{{x}}: %{{z:.2f}}{unit}<extra></extra>",
        )
    )
    _arrange(drawn, title, legend=False)
    drawn.update_layout(
        height=120 + GRID_ROW * max(3, len(values[0])), margin={"l": 110, "r": 12, "t": 46, "b": 58}
    )
    drawn.update_xaxes(type="category", title={"text": labels[1], "standoff": 4}, showgrid=False)
    drawn.update_yaxes(
        type="category",
        title={"text": labels[0], "standoff": 4},
        showgrid=False,
        autorange="reversed",
    )
    if not flat:
        _nothing_yet(drawn)
    return drawn


def bars(
    label: str, values: Sequence[str], seconds: Sequence[float | None], *, title: str
) -> go.Figure:
    """Seconds along one setting."""
    drawn = go.Figure(
        go.Bar(
            x=list(values),
            y=list(seconds),
            marker={"color": curves.TRAINING},
            hovertemplate="%{y:,.0f} s<extra></extra>",
        )
    )
    _arrange(drawn, title, legend=False)
    drawn.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(values),
        range=[-0.6, len(values) - 0.4],
        title={"text": label, "standoff": 4},
    )
    drawn.update_yaxes(ticksuffix=" s", rangemode="tozero")
    if all(value is None for value in seconds):
        _nothing_yet(drawn)
    return drawn


def overlaid(
    runs: Sequence[tuple[str, Sequence[dict]]],
    metric: str,
    *,
    epochs: int | None = None,
    level: tuple[str, float] | None = None,
) -> go.Figure:
    """Curves of any number of runs over each other: validation, or training where a run has no
    validation.

    Args:
        runs: name and history rows of each.
        metric: "loss" (nats) or "accuracy" (share in 0..1).
        epochs: the last epoch to expect.
        level: words and accuracy in 0..1 of a published figure, drawn as a level line.
    """
    drawn, scale = go.Figure(), 100.0 if metric == "accuracy" else 1.0
    for number, (name, rows) in enumerate(runs):
        key = (
            f"val_{metric}" if any(row.get(f"val_{metric}") is not None for row in rows) else metric
        )
        heights = [None if row.get(key) is None else scale * row[key] for row in rows]
        short = _short(name)
        drawn.add_trace(
            go.Scatter(
                x=[row["epoch"] for row in rows],
                y=heights,
                name=short,
                mode="lines+markers" if len(rows) <= curves.POINTS_UNTIL else "lines",
                line={
                    "color": MANY[number % len(MANY)],
                    "width": 2,
                    "dash": DASHES[number // len(MANY) % len(DASHES)],
                },
                marker={"size": 5},
                hovertemplate=f"%{{y:.2f}}{' %' if metric == 'accuracy' else ''}<extra>{short}</extra>",
            )
        )
    last = max([2, epochs or 0, *(rows[-1]["epoch"] for _, rows in runs if rows)])
    _arrange(
        drawn, f"{'Accuracy' if metric == 'accuracy' else 'Loss'} after each epoch", legend=True
    )
    margin = max(0.25, 0.02 * last)
    # Every entry gets as much room.
    widest = max((min(len(name), NAME_LETTERS) for name, _ in runs), default=0) + LEGEND_MARK
    below = LEGEND_LINE * min(30, 1 + -(-len(runs) // max(1, LEGEND_LETTERS // widest)))
    drawn.update_layout(
        hovermode="closest",
        height=HEIGHT + below,
        legend={"traceorder": "normal"},
        margin={"l": 56, "r": 12, "t": 46, "b": 40 + below},
    )
    drawn.update_xaxes(
        range=[1 - margin, last + margin],
        showgrid=False,
        tickformat="d",
        dtick=1 if last <= 12 else None,
        nticks=10,
    )
    drawn.update_yaxes(ticksuffix=" %" if metric == "accuracy" else "", zeroline=False)
    if level is not None and metric == "accuracy":
        drawn.add_hline(
            y=100 * level[1], line={"color": curves.QUIET, "width": 1.5, "dash": "dash"}
        )
        drawn.add_annotation(
            x=0,
            xref="x domain",
            y=100 * level[1],
            text=level[0],
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            font={"color": curves.QUIET, "size": 12},
        )
    if not any(rows for _, rows in runs):
        _nothing_yet(drawn)
    return drawn


def f1(runs: Sequence[tuple[str, Sequence[float]]]) -> go.Figure:
    """F1 of each class, a mark for each run; shares in 0..1 in label order."""
    drawn = go.Figure()
    for number, (name, shares) in enumerate(runs):
        short = _short(name)
        drawn.add_trace(
            go.Scatter(
                x=[100 * share for share in shares],
                y=list(CLASS_NAMES),
                name=short,
                mode="markers",
                marker={
                    "color": MANY[number % len(MANY)],
                    "size": 10,
                    "symbol": number // len(MANY) % 20,
                },
                hovertemplate=f"%{{y}}: %{{x:.1f}} %<extra>{short}</extra>",
            )
        )
    _arrange(drawn, "F1 of each class", legend=True)
    shown = 20 * min(len(runs), 30)
    drawn.update_layout(
        height=HEIGHT + 60 + shown,
        margin={"l": 100, "r": 12, "t": 46, "b": 52 + shown},
        legend={"traceorder": "normal"},
    )
    drawn.update_xaxes(ticksuffix=" %", zeroline=False)
    drawn.update_yaxes(autorange="reversed", showgrid=True)
    return drawn


def variance(shares: Sequence[float], components: Sequence[int]) -> go.Figure:
    """How much of the variance the first principal components hold together, with the chosen
    numbers marked.
    """
    total, sums = 0.0, []
    for share in shares:
        total += share
        sums.append(100 * total)
    drawn = go.Figure(
        go.Scatter(
            x=list(range(1, len(sums) + 1)),
            y=sums,
            mode="lines",
            line={"color": curves.TRAINING, "width": 2.5},
            hovertemplate="%{x} components: %{y:.1f} %<extra></extra>",
            showlegend=False,
        )
    )
    for number in components:
        drawn.add_trace(
            go.Scatter(
                x=[number],
                y=[sums[number - 1]],
                mode="markers+text",
                showlegend=False,
                hoverinfo="skip",
                text=[f"{number}: {sums[number - 1]:.1f} %"],
                textposition="bottom right",
                marker={"color": curves.VALIDATION, "size": 11},
            )
        )
    _arrange(drawn, "Explained variance, added up", legend=False)
    drawn.update_xaxes(
        type="log",
        title={"text": "Components", "standoff": 4},
        tickvals=[1, 2, 5, 10, 20, 50, 100, 200, 500],
    )
    drawn.update_yaxes(ticksuffix=" %", range=[0, 103])
    return drawn


def gradients(pairs: Sequence[tuple[float, float, bool]]) -> go.Figure:
    """Each checked weight: its gradient by back-propagation to the right, the central difference
    upwards, and whether they agree.
    """
    drawn = go.Figure()
    ends = [value for pair in pairs for value in pair[:2]]
    if ends:
        drawn.add_trace(
            go.Scatter(
                x=[min(ends), max(ends)],
                y=[min(ends), max(ends)],
                mode="lines",
                name="Equal",
                line={"color": curves.QUIET, "width": 1, "dash": "dot"},
                hoverinfo="skip",
            )
        )
    for agrees, name, colour in (
        (True, "Agree", curves.TRAINING),
        (False, "Disagree with this step", curves.VALIDATION),
    ):
        kept = [pair for pair in pairs if pair[2] is agrees]
        if kept:
            drawn.add_trace(
                go.Scatter(
                    x=[pair[0] for pair in kept],
                    y=[pair[1] for pair in kept],
                    mode="markers",
                    name=name,
                    marker={"color": colour, "size": 7, "opacity": 0.75},
                    hovertemplate="%{x:.4g}, %{y:.4g}<extra></extra>",
                )
            )
    _arrange(drawn, "Gradient of each checked weight", legend=True)
    # The legend stands in three lines.
    drawn.update_layout(height=HEIGHT + 60, margin={"l": 64, "r": 12, "t": 46, "b": 124})
    drawn.update_xaxes(title={"text": "Back-propagation", "standoff": 4}, zeroline=False)
    drawn.update_yaxes(title={"text": "Central difference", "standoff": 0}, zeroline=False)
    return drawn


def show(drawn: go.Figure, *, key: str, alt: str) -> None:
    """Put a figure on the page."""
    st.plotly_chart(drawn, key=key, width="stretch", config=CONFIG, alt=alt)


def _arrange(drawn: go.Figure, title: str, *, legend: bool) -> None:
    drawn.update_layout(
        title={
            "text": title,
            "x": 0,
            "xref": "paper",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 6},
            "font": {"size": 15},
        },
        height=HEIGHT,
        margin={"l": 64, "r": 12, "t": 46, "b": 76 if legend else 58},
        showlegend=legend,
        dragmode=False,
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "bgcolor": "rgba(0,0,0,0)",
        },
    )
    drawn.update_xaxes(automargin=False, fixedrange=True)
    drawn.update_yaxes(automargin=False, fixedrange=True)


def _short(name: str) -> str:
    """A name for a legend; a long one loses its middle, since names of a series differ at the end."""
    if len(name) > NAME_LETTERS:
        half = NAME_LETTERS // 2
        name = f"{name[: half - 1].rstrip()}…{name[-half:].lstrip()}"
    return html.escape(name)


def _nothing_yet(drawn: go.Figure) -> None:
    if drawn.layout.yaxis.type != "category":
        drawn.update_yaxes(range=[0, 1], showticklabels=False)
    drawn.add_annotation(
        x=0.5,
        xref="paper",
        y=0.5,
        yref="paper",
        showarrow=False,
        text="The first point appears when it is done.",
        font={"color": curves.QUIET, "size": 13},
    )
