"""The charts of the Experiments page: a score along one setting or over two, overlaid curves, F1,
explained variance, gradients.

Each keeps its size and its axes while points arrive, so that nothing jumps. The values of a setting
are equally spaced, or on a logarithmic axis where they span powers of ten; the caller orders them.

Nothing is read here; the caller passes the numbers.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st

from core.labels import CLASS_NAMES
from core.runs import Epoch
from ui.components import curves
from ui.components.curves import Level, Metric, Overlay
from ui.components.theme import TEN_COLOURS, palette

HEIGHT = 330  # pixels
# Pixels of a line; letters that a mark takes, and that a narrow line holds.
LEGEND_LINE, LEGEND_MARK, LEGEND_LETTERS = 20, 8, 40
NAME_LETTERS = 34  # of a name in a legend
GRID_ROW = 46  # pixels of one value in a chart over two settings
DASHES = ("solid", "dash", "dot")  # after each round of the colours
CONFIG = {"displaylogo": False, "displayModeBar": False}


def along(
    label: str,
    values: Sequence[str],
    ours: Sequence[float | None],
    *,
    title: str,
    unit: str,
    published: Mapping[str, float] | None = None,
    sizes: Sequence[float] | None = None,
) -> go.Figure:
    """A chart along one setting, together with a report's figures.

    Args:
        label: the setting's name.
        values: its values as text, in order.
        ours: the result for each value, None where there is none yet.
        unit: what follows the numbers, such as ` %`.
        published: by value, what a report gives.
        sizes: the values as positive numbers, where the axis is to be logarithmic.
    """
    figure = go.Figure()
    places: dict[str, Any] = dict(zip(values, sizes or values, strict=True))
    if published:
        figure.add_trace(
            go.Scatter(
                x=[places.get(text, text) for text in published],
                y=list(published.values()),
                name="Published",
                mode="lines+markers",
                line={"color": curves.QUIET, "width": 1.5, "dash": "dash"},
                marker={"size": 7, "symbol": "diamond"},
                hovertemplate=f"%{{y:.2f}}{unit}<extra>Published</extra>",
            )
        )
    figure.add_trace(
        go.Scatter(
            x=list(places.values()),
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
    _arrange(figure, title, legend=bool(published))
    if sizes:
        figure.update_xaxes(type="log", tickvals=list(sizes), ticktext=list(values))
    else:
        figure.update_xaxes(type="category", categoryorder="array", categoryarray=order)
        figure.update_xaxes(range=[-0.4, len(order) - 0.6])
    figure.update_xaxes(showgrid=False, title={"text": label, "standoff": 4})
    figure.update_yaxes(ticksuffix=unit, zeroline=False)
    if all(value is None for value in ours) and not published:
        _nothing_yet(figure)
    return figure


def over(
    labels: tuple[str, str],
    values: tuple[Sequence[str], Sequence[str]],
    ours: Sequence[Sequence[float | None]],
    *,
    title: str,
    unit: str,
    more_is_better: bool,
) -> go.Figure:
    """A chart over two settings: the first runs down, the second to the right; None leaves a cell
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
    figure = go.Figure(
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
    _arrange(figure, title, legend=False)
    figure.update_layout(
        height=120 + GRID_ROW * max(3, len(values[0])), margin={"l": 110, "r": 12, "t": 46, "b": 58}
    )
    figure.update_xaxes(type="category", title={"text": labels[1], "standoff": 4}, showgrid=False)
    figure.update_yaxes(
        type="category",
        title={"text": labels[0], "standoff": 4},
        showgrid=False,
        autorange="reversed",
    )
    if not flat:
        _nothing_yet(figure)
    return figure


def bars(
    label: str, values: Sequence[str], seconds: Sequence[float | None], *, title: str
) -> go.Figure:
    """A bar chart of seconds along one setting."""
    figure = go.Figure(
        go.Bar(
            x=list(values),
            y=list(seconds),
            marker={"color": curves.TRAINING},
            hovertemplate="%{y:,.0f} s<extra></extra>",
        )
    )
    _arrange(figure, title, legend=False)
    figure.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(values),
        range=[-0.6, len(values) - 0.4],
        title={"text": label, "standoff": 4},
    )
    figure.update_yaxes(ticksuffix=" s", rangemode="tozero")
    if all(value is None for value in seconds):
        _nothing_yet(figure)
    return figure


def compared(
    label: str, values: Sequence[str], scores: Mapping[str, Sequence[float | None]]
) -> go.Figure:
    """Bars side by side for each value of a setting, such as validation and test accuracy.

    Args:
        scores: by name, in per cent, one for each value.
    """
    figure = go.Figure(
        [
            go.Bar(
                x=list(values),
                y=list(shares),
                name=name,
                marker={"color": colour},
                text=["" if share is None else f"{share:.1f}" for share in shares],
                textposition="outside",
                cliponaxis=False,
                hovertemplate=f"%{{y:.2f}} %<extra>{name}</extra>",
            )
            for (name, shares), colour in zip(
                scores.items(), (curves.VALIDATION, curves.TRAINING), strict=False
            )
        ]
    )
    _arrange(figure, " and ".join(scores).capitalize(), legend=True)
    figure.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(values),
        range=[-0.6, len(values) - 0.4],
        title={"text": label, "standoff": 4},
    )
    figure.update_yaxes(ticksuffix=" %", range=[0, 108], tickvals=[0, 25, 50, 75, 100])
    if all(share is None for shares in scores.values() for share in shares):
        _nothing_yet(figure)
    return figure


def overlaid(
    runs: Sequence[Overlay],
    metric: Metric,
    *,
    epochs: int | None = None,
    level: Level | None = None,
) -> go.Figure:
    """Overlaid curves of any number of runs: validation, or training where a run has no validation.

    Args:
        runs: name and epochs of each.
        metric: the loss in nats, or the accuracy as a share in 0..1.
        epochs: the last epoch to expect.
        level: a published accuracy, figure as a level line.
    """
    figure = go.Figure(
        [_curve(number, name, history, metric) for number, (name, history) in enumerate(runs)]
    )
    _arrange(figure, f"{_measured(runs, metric)} after each epoch", legend=True)
    last = max([2, epochs or 0, *(history[-1].epoch for _, history in runs if history)])
    margin = max(0.25, 0.02 * last)
    # Every entry gets the same room.
    widest = max((min(len(name), NAME_LETTERS) for name, _ in runs), default=0) + LEGEND_MARK
    below = LEGEND_LINE * min(30, 1 + -(-len(runs) // max(1, LEGEND_LETTERS // widest)))
    figure.update_layout(
        hovermode="closest",
        height=HEIGHT + below,
        legend={"traceorder": "normal"},
        margin={"l": 56, "r": 12, "t": 46, "b": 40 + below},
    )
    figure.update_xaxes(
        range=[1 - margin, last + margin],
        showgrid=False,
        tickformat="d",
        dtick=1 if last <= 12 else None,
        nticks=10,
    )
    figure.update_yaxes(ticksuffix=" %" if metric == "accuracy" else "", zeroline=False)
    if level is not None and metric == "accuracy":
        _draw_level(figure, level)
    if not any(history for _, history in runs):
        _nothing_yet(figure)
    return figure


def _measured(runs: Sequence[Overlay], metric: Metric) -> str:
    """What the curves are of: validation, or training where nothing was held out."""
    field: Literal["val_accuracy", "val_loss"] = (
        "val_accuracy" if metric == "accuracy" else "val_loss"
    )
    held = [any(getattr(epoch, field) is not None for epoch in run.history) for run in runs]
    if all(held) or not held:
        return f"Validation {metric}"
    return f"Validation or training {metric}" if any(held) else f"Training {metric}"


def _curve(number: int, name: str, history: Sequence[Epoch], metric: Metric) -> go.Scatter:
    accuracy = metric == "accuracy"
    training = [epoch.accuracy if accuracy else epoch.loss for epoch in history]
    validation = [epoch.val_accuracy if accuracy else epoch.val_loss for epoch in history]
    values = training if all(value is None for value in validation) else validation
    short = _short(name)
    return go.Scatter(
        x=[epoch.epoch for epoch in history],
        y=[value if value is None or not accuracy else 100 * value for value in values],
        name=short,
        mode="lines+markers" if len(history) <= curves.POINTS_UNTIL else "lines",
        line={
            "color": TEN_COLOURS[number % len(TEN_COLOURS)],
            "width": 2,
            "dash": DASHES[number // len(TEN_COLOURS) % len(DASHES)],
        },
        marker={"size": 5},
        hovertemplate=f"%{{y:.2f}}{' %' if accuracy else ''}<extra>{short}</extra>",
    )


def _draw_level(figure: go.Figure, level: Level) -> None:
    height = 100 * level.value
    figure.add_hline(y=height, line={"color": curves.QUIET, "width": 1.5, "dash": "dash"})
    figure.add_annotation(
        x=0,
        xref="x domain",
        y=height,
        text=f"{level.words} {height:.2f} %",
        showarrow=False,
        xanchor="left",
        yanchor="bottom",
        font={"color": curves.QUIET, "size": 12},
    )


def f1(runs: Sequence[tuple[str, Sequence[float]]]) -> go.Figure:
    """A chart of F1 by class, a mark for each run; shares in 0..1 in label order."""
    figure = go.Figure()
    for number, (name, shares) in enumerate(runs):
        short = _short(name)
        figure.add_trace(
            go.Scatter(
                x=[100 * share for share in shares],
                y=list(CLASS_NAMES),
                name=short,
                mode="markers",
                marker={
                    "color": TEN_COLOURS[number % len(TEN_COLOURS)],
                    "size": 10,
                    "symbol": number // len(TEN_COLOURS) % 20,
                },
                hovertemplate=f"%{{y}}: %{{x:.1f}} %<extra>{short}</extra>",
            )
        )
    _arrange(figure, "F1 of each class", legend=True)
    shown = 20 * min(len(runs), 30)
    figure.update_layout(
        height=HEIGHT + 60 + shown,
        margin={"l": 100, "r": 12, "t": 46, "b": 52 + shown},
        legend={"traceorder": "normal"},
    )
    figure.update_xaxes(ticksuffix=" %", zeroline=False)
    figure.update_yaxes(autorange="reversed", showgrid=True)
    return figure


def variance(shares: Sequence[float], components: Sequence[int]) -> go.Figure:
    """A chart of how much of the variance the first principal components explain together, with the
    chosen numbers marked.
    """
    total, sums = 0.0, []
    for share in shares:
        total += share
        sums.append(100 * total)
    figure = go.Figure(
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
        figure.add_trace(
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
    _arrange(figure, "Cumulative explained variance", legend=False)
    figure.update_xaxes(
        type="log",
        title={"text": "Components", "standoff": 4},
        tickvals=[1, 2, 5, 10, 20, 50, 100, 200, 500],
    )
    figure.update_yaxes(ticksuffix=" %", range=[0, 103])
    return figure


def gradients(pairs: Sequence[tuple[float, float, bool]]) -> go.Figure:
    """A chart of the checked weights: gradient by back-propagation to the right, central difference
    upwards, and whether they agree.
    """
    figure = go.Figure()
    ends = [value for pair in pairs for value in pair[:2]]
    if ends:
        figure.add_trace(
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
            figure.add_trace(
                go.Scatter(
                    x=[pair[0] for pair in kept],
                    y=[pair[1] for pair in kept],
                    mode="markers",
                    name=name,
                    marker={"color": colour, "size": 7, "opacity": 0.75},
                    hovertemplate="%{x:.4g}, %{y:.4g}<extra></extra>",
                )
            )
    _arrange(figure, "Gradient of each checked weight", legend=True)
    # The legend takes three lines.
    figure.update_layout(height=HEIGHT + 60, margin={"l": 64, "r": 12, "t": 46, "b": 124})
    figure.update_xaxes(title={"text": "Back-propagation", "standoff": 4}, zeroline=False)
    figure.update_yaxes(title={"text": "Central difference", "standoff": 0}, zeroline=False)
    return figure


def show_overlaid(overlays: Sequence[Overlay], *, key: str, things: str) -> None:
    """Draw loss and accuracy of several trainings next to each other; `things` names them."""
    for column, metric in zip(st.columns(2), curves.METRICS, strict=True):
        with column:
            show(
                overlaid(overlays, metric),
                key=f"{key}_{metric}",
                alt=f"{metric.capitalize()} of {len(overlays)} {things} after each epoch",
            )


def show(figure: go.Figure, *, key: str, alt: str) -> None:
    """Draw a chart on the page."""
    st.plotly_chart(figure, key=key, width="stretch", config=CONFIG, alt=alt)


def _arrange(figure: go.Figure, title: str, *, legend: bool) -> None:
    figure.update_layout(
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
    figure.update_xaxes(automargin=False, fixedrange=True)
    figure.update_yaxes(automargin=False, fixedrange=True)


def _short(name: str) -> str:
    """A name for a legend; a long one loses its middle, as names in a series differ at the end."""
    if len(name) > NAME_LETTERS:
        half = NAME_LETTERS // 2
        name = f"{name[: half - 1].rstrip()}…{name[-half:].lstrip()}"
    return html.escape(name)


def _nothing_yet(figure: go.Figure) -> None:
    if figure.layout.yaxis.type != "category":
        figure.update_yaxes(range=[0, 1], showticklabels=False)
    figure.add_annotation(
        x=0.5,
        xref="paper",
        y=0.5,
        yref="paper",
        showarrow=False,
        text="The first point appears when its training is done.",
        font={"color": curves.QUIET, "size": 13},
    )
