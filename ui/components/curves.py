"""Learning curves: a run's history as two charts, loss and accuracy, and as one sentence.

Two charts rather than one with two panels: side by side on a desk, one below the other on a phone.
Each keeps its size and its margins from the first epoch to the last, so that nothing jumps, and
`zoom.py` carries a zoom over to the next epoch. The colours are bright enough for a dark page and
dark enough for a white one (3:1 against both).

No run is read here; callers pass the epochs.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import plotly.graph_objects as go
import streamlit as st

from core.runs import Epoch
from ui.components import zoom
from ui.components.theme import percent

Metric = Literal["loss", "accuracy"]
METRICS: tuple[Metric, ...] = ("loss", "accuracy")
TRAINING = "#6470d9"
VALIDATION = "#d9722e"
QUIET = "#868b94"
# One colour for each overlaid run; more runs are refused.
EARLIER = ("#0d9488", "#a855f7", "#db2777", "#6a9a10", "#0891b2")
HEIGHT = 310  # pixels
# Fixed: automatic margins move the plot when a label grows.
MARGIN = {"l": 56, "r": 12, "t": 46, "b": 58}
LEGEND_LINE = 20  # pixels of height that each overlaid run adds, since a phone stacks the legend
POINTS_UNTIL = 40  # epochs up to which each one gets a dot

# Only what `zoom.py` understands: a double click shows everything, and no button goes back to an
# earlier zoom.
CONFIG = {
    "displaylogo": False,
    "doubleClick": "autosize",
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "resetScale2d", "zoomIn2d", "zoomOut2d"],
}


class Overlay(NamedTuple):
    """An earlier run to compare with: its name as people know it, and its epochs."""

    name: str
    history: Sequence[Epoch]


class Level(NamedTuple):
    """A published figure, drawn as a level line: a share in 0..1 for accuracy, nats for loss.

    `words` stand before the figure at its line.
    """

    value: float
    words: str = "published"


def figure(
    history: Sequence[Epoch],
    metric: Metric,
    *,
    epochs: int | None = None,
    best_epoch: int | None = None,
    overlays: Sequence[Overlay] = (),
    level: Level | None = None,
    revision: str = "",
    ranges: zoom.Ranges | None = None,
) -> go.Figure:
    """Draw one metric of a run, training against validation.

    Args:
        history: the epochs so far, in order; may be empty. A value that is None or not finite
            leaves a gap.
        metric: the loss in nats, or the accuracy as a share in 0..1.
        epochs: the last epoch to expect while the run is being trained, so that the axis does not
            grow; None fits the history.
        best_epoch: the epoch whose weights were kept, marked; None marks nothing.
        overlays: at most five earlier runs; their validation curve is drawn, or training where
            there was no validation.
        level: a figure to compare with.
        revision: whatever identifies the run; a zoom lives as long as it stays the same.
        ranges: what of "x" and "y" (in percent for accuracy) a visitor has zoomed into.

    Raises:
        ValueError: for more overlays than there are colours.
    """
    if len(overlays) > len(EARLIER):
        raise ValueError(f"at most {len(EARLIER)} runs can be overlaid, not {len(overlays)}")
    drawn = go.Figure()
    for overlay, colour in zip(overlays, EARLIER, strict=False):
        validated = _has(overlay.history, metric, True)
        name = _legend_name(overlay.name)
        drawn.add_trace(
            _curve(overlay.history, metric, validated, name, colour, width=1.5, dash="dot")
        )
    if _has(history, metric, False):
        drawn.add_trace(_curve(history, metric, False, "Training", TRAINING))
    if _has(history, metric, True):
        drawn.add_trace(_curve(history, metric, True, "Validation", VALIDATION))
    last = _last_epoch(history, overlays, epochs)
    _mark_best(drawn, history, metric, best_epoch, last)
    if level is not None:
        _mark_level(drawn, metric, level)
    _arrange(drawn, metric, last, revision, len(overlays))
    if not history and not overlays:
        _say_empty(drawn)
    for axis, limits in (ranges or {}).items():
        drawn.update_layout({f"{axis}axis": {"range": list(limits)}})
    return drawn


def sentence(history: Sequence[Epoch], best_epoch: int | None = None) -> str:
    """Say in words what the two charts show, for those who cannot see them."""
    if not history:
        return "No epoch has been finished yet."
    count = len(history)
    facts = [f"{count} epoch{'s' if count > 1 else ''}"]
    for validation, name in ((False, "training accuracy"), (True, "validation accuracy")):
        first, last = (_value(history[end], "accuracy", validation) for end in (0, -1))
        if first is not None and last is not None:
            change = f"from {percent(first)} to {percent(last)}" if count > 1 else percent(last)
            facts.append(f"{name} {change}")
    best = _find_epoch(history, best_epoch)
    if best is not None and count > 1:
        value = _value(best, "accuracy", True)
        facts.append(
            f"best epoch {best_epoch}" + (f" with {percent(value)}" if value is not None else "")
        )
    return ", ".join(facts) + "."


def show(
    history: Sequence[Epoch],
    *,
    key: str,
    epochs: int | None = None,
    best_epoch: int | None = None,
    overlays: Sequence[Overlay] = (),
    levels: Mapping[Metric, Level] | None = None,
    revision: str = "",
) -> None:
    """Put loss and accuracy side by side on the page, one below the other where it is narrow.

    Args:
        key: prefix of the charts' keys, carrying the page.
        levels: figures to compare with, by metric.
        history, epochs, best_epoch, overlays, revision: as in `figure`.
    """
    words = sentence(history, best_epoch)
    for column, metric in zip(st.columns(2), METRICS, strict=True):
        drawn = figure(
            history,
            metric,
            epochs=epochs,
            best_epoch=best_epoch,
            overlays=overlays,
            level=(levels or {}).get(metric),
            revision=revision,
            ranges=zoom.chosen(f"{key}_zoom", f"{key}_{metric}", revision),
        )
        column.plotly_chart(
            drawn,
            key=f"{key}_{metric}",
            config=CONFIG,
            alt=f"{metric.capitalize()} after every epoch: {words}",
        )
    zoom.listen(f"{key}_zoom", [f"{key}_{metric}" for metric in METRICS], revision)


def _curve(
    history: Sequence[Epoch],
    metric: Metric,
    validation: bool,
    name: str,
    colour: str,
    *,
    width: float = 2.5,
    dash: str = "solid",
) -> go.Scatter:
    """One curve, with dots as long as there are few enough of them to be told apart."""
    shown = "%{y:.2f} %" if metric == "accuracy" else "%{y:.4f}"
    values = (_value(epoch, metric, validation) for epoch in history)
    return go.Scatter(
        x=[epoch.epoch for epoch in history],
        y=[None if value is None else value * _scale(metric) for value in values],
        name=name,
        mode="lines+markers" if len(history) <= POINTS_UNTIL else "lines",
        line={"color": colour, "width": width, "dash": dash},
        marker={"color": colour, "size": 5},
        hovertemplate=f"{shown}<extra>{name}</extra>",
    )


def _mark_best(
    drawn: go.Figure, history: Sequence[Epoch], metric: Metric, best_epoch: int | None, last: int
) -> None:
    """A ring around the best epoch's point, and its number above the plot."""
    best = _find_epoch(history, best_epoch)
    if best is None:
        return
    value = _value(best, metric, True)
    value = _value(best, metric, False) if value is None else value
    drawn.add_vline(x=best.epoch, line={"color": QUIET, "width": 1, "dash": "dot"})
    # At the end of the axis the words would leave the chart.
    side = "right" if best.epoch > 0.85 * last else "center"
    drawn.add_annotation(
        x=best.epoch,
        y=1,
        yref="y domain",
        text=f"best: epoch {best.epoch}",
        showarrow=False,
        xanchor=side,
        yanchor="bottom",
        font={"color": QUIET, "size": 12},
    )
    if value is not None:
        drawn.add_trace(
            go.Scatter(
                x=[best.epoch],
                y=[value * _scale(metric)],
                mode="markers",
                showlegend=False,
                hoverinfo="skip",
                marker={
                    "symbol": "circle-open",
                    "size": 13,
                    "color": VALIDATION,
                    "line": {"width": 2.5, "color": VALIDATION},
                },
            )
        )


def _mark_level(drawn: go.Figure, metric: Metric, level: Level) -> None:
    """A dashed line at a published figure, with its words and value."""
    height = level.value * _scale(metric)
    value = percent(level.value) if metric == "accuracy" else f"{level.value:.3f}"
    drawn.add_hline(y=height, line={"color": QUIET, "width": 1.5, "dash": "dash"})
    # On the side where curves of this metric are farthest from a good result.
    x, side = (0, "left") if metric == "accuracy" else (1, "right")
    drawn.add_annotation(
        x=x,
        xref="x domain",
        y=height,
        text=f"{level.words} {value}",
        showarrow=False,
        xanchor=side,
        yanchor="bottom",
        font={"color": QUIET, "size": 12},
    )


def _say_empty(drawn: go.Figure) -> None:
    """What an empty chart says."""
    drawn.update_yaxes(range=[0, 1], showticklabels=False)
    drawn.add_annotation(
        x=0.5,
        xref="x domain",
        y=0.5,
        yref="y domain",
        showarrow=False,
        text="The first point appears after the first epoch.",
        font={"color": QUIET, "size": 13},
    )


def _arrange(drawn: go.Figure, metric: Metric, last: int, revision: str, overlaid: int) -> None:
    """Axes, legend and title that stay where they are while the history grows."""
    drawn.update_layout(
        title={
            "text": f"{metric.capitalize()} after each epoch",
            "x": 0,
            "xref": "paper",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 6},
            "font": {"size": 15},
        },
        height=HEIGHT + LEGEND_LINE * overlaid,
        margin={**MARGIN, "b": MARGIN["b"] + LEGEND_LINE * overlaid},
        hovermode="x unified",
        uirevision=f"{revision}:{metric}",
        showlegend=True,
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "bgcolor": "rgba(0,0,0,0)",
            "traceorder": "reversed",
            "itemclick": False,
            "itemdoubleclick": False,
        },
    )
    # Space at both ends, so that the first and the last dot are whole; whole epochs as ticks only.
    margin = max(0.25, 0.02 * last)
    drawn.update_xaxes(
        title=None,
        range=[1 - margin, last + margin],
        automargin=False,
        showgrid=False,
        zeroline=False,
        tickformat="d",
        dtick=1 if last <= 12 else None,
        nticks=10,
    )
    drawn.update_yaxes(
        automargin=False,
        zeroline=False,
        rangemode="normal",
        ticksuffix=" %" if metric == "accuracy" else "",
    )


def _last_epoch(history: Sequence[Epoch], overlays: Sequence[Overlay], epochs: int | None) -> int:
    """Where the epoch axis ends; at least 2, so that a single epoch has an axis around it."""
    histories = (history, *(overlay.history for overlay in overlays))
    return max([2, epochs or 0, *(epochs[-1].epoch for epochs in histories if epochs)])


def _find_epoch(history: Sequence[Epoch], number: int | None) -> Epoch | None:
    return next((epoch for epoch in history if epoch.epoch == number), None)


def _value(epoch: Epoch, metric: Metric, validation: bool) -> float | None:
    """A number that can be drawn, or None."""
    values = {
        "loss": (epoch.loss, epoch.val_loss),
        "accuracy": (epoch.accuracy, epoch.val_accuracy),
    }
    value = values[metric][validation]
    return value if value is not None and math.isfinite(value) else None


def _has(history: Sequence[Epoch], metric: Metric, validation: bool) -> bool:
    return any(_value(epoch, metric, validation) is not None for epoch in history)


def _scale(metric: Metric) -> float:
    """Accuracy is drawn in percent, loss as it is."""
    return 100.0 if metric == "accuracy" else 1.0


def _legend_name(name: str, length: int = 24) -> str:
    """A name that fits into a legend, with its tags made harmless, since Plotly reads them."""
    return html.escape(name if len(name) <= length else name[: length - 1] + "…")
