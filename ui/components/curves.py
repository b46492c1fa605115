"""Learning curves: a run's history as two figures, loss and accuracy, and as one sentence.

Two figures rather than one with two panels: side by side on a desk, one below the other on a phone.
Each keeps its size and its margins from the first epoch to the last, so that nothing jumps, and
`zoom.py` carries a zoom over to the next epoch. The colours are bright enough for a dark page and
dark enough for a white one (3:1 against both).

It does not read runs; whoever calls it brings the rows.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go
import streamlit as st

from ui.components import zoom
from ui.components.theme import percent

METRICS = ("loss", "accuracy")
TRAINING = "#6470d9"
VALIDATION = "#d9722e"
QUIET = "#868b94"
# One colour an overlaid run; more are refused.
EARLIER = ("#0d9488", "#a855f7", "#db2777", "#6a9a10", "#0891b2")
HEIGHT = 310  # pixels
# Fixed: automatic margins move the plot when a label grows.
MARGIN = {"l": 56, "r": 12, "t": 46, "b": 58}
LEGEND_LINE = 20  # pixels of height that each overlaid run adds, since a phone stacks the legend
POINTS_UNTIL = 40  # epochs up to which each one gets a dot

# Only what the listener understands: a double click shows everything, and no button goes back to a
# zoom drawn before.
CONFIG = {
    "displaylogo": False,
    "doubleClick": "autosize",
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "resetScale2d", "zoomIn2d", "zoomOut2d"],
}

Row = Mapping[str, Any]


class Overlay(NamedTuple):
    """An earlier run to compare with: its name as people know it, and its history rows."""

    name: str
    rows: Sequence[Row]


class Published(NamedTuple):
    """What someone else reported for the same network; a share in 0..1 for accuracy, nats for loss,
    None if unknown.

    `words` stand before the figure at its line.
    """

    accuracy: float | None = None
    loss: float | None = None
    words: str = "published"


def figure(
    rows: Sequence[Row],
    metric: str,
    *,
    epochs: int | None = None,
    best_epoch: int | None = None,
    overlays: Sequence[Overlay] = (),
    published: float | None = None,
    words: str = "published",
    revision: str = "",
    ranges: zoom.Ranges | None = None,
) -> go.Figure:
    """Draw one metric of a run, training against validation.

    Args:
        rows: history in epoch order, with the keys `epoch` (from 1), `metric` and `val_` +
            `metric`; may be empty. A value that is missing, None or not finite leaves a gap.
        metric: "loss" (nats) or "accuracy" (share in 0..1).
        epochs: the last epoch to expect while the run is going on, so that the axis does not grow;
            None fits the rows.
        best_epoch: the epoch whose weights were kept, marked; None marks nothing.
        overlays: at most five earlier runs; their validation curve is drawn, or training where
            there was no validation.
        published: a figure to compare with, drawn as a level line.
        words: what the line is called.
        revision: whatever stands for the run; a zoom lives as long as it stays the same.
        ranges: what of "x" and "y" (in percent for accuracy) a visitor has zoomed into.

    Raises:
        ValueError: another metric, or more overlays than there are colours.
    """
    if metric not in METRICS:
        raise ValueError(f"metric is 'loss' or 'accuracy', not {metric!r}")
    if len(overlays) > len(EARLIER):
        raise ValueError(
            f"at most {len(EARLIER)} runs can be laid over each other, not {len(overlays)}"
        )

    drawn = go.Figure()
    for overlay, colour in zip(overlays, EARLIER, strict=False):
        key = f"val_{metric}" if _has(overlay.rows, f"val_{metric}") else metric
        drawn.add_trace(
            _line(overlay.rows, key, metric, _short(overlay.name), colour, width=1.5, dash="dot")
        )
    if _has(rows, metric):
        drawn.add_trace(_line(rows, metric, metric, "Training", TRAINING))
    if _has(rows, f"val_{metric}"):
        drawn.add_trace(_line(rows, f"val_{metric}", metric, "Validation", VALIDATION))
    last = _last_epoch(rows, overlays, epochs)
    _mark_best(drawn, rows, metric, best_epoch, last)
    if published is not None:
        text = (
            f"{words} {percent(published)}" if metric == "accuracy" else f"{words} {published:.3f}"
        )
        published *= _scale(metric)
        drawn.add_hline(y=published, line={"color": QUIET, "width": 1.5, "dash": "dash"})
        # On the side where curves of this metric are farthest from a good result.
        x, side = (0, "left") if metric == "accuracy" else (1, "right")
        drawn.add_annotation(
            x=x,
            xref="x domain",
            y=published,
            text=text,
            showarrow=False,
            xanchor=side,
            yanchor="bottom",
            font={"color": QUIET, "size": 12},
        )
    _arrange(drawn, metric, last, revision, len(overlays))
    if not rows and not overlays:
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
    for axis, limits in (ranges or {}).items():
        drawn.update_layout({f"{axis}axis": {"range": list(limits)}})
    return drawn


def sentence(rows: Sequence[Row], best_epoch: int | None = None) -> str:
    """Say in words what the two figures show; their text for those who cannot see them."""
    if not rows:
        return "No epoch has been finished yet."
    last = rows[-1]
    count = len(rows)
    said = [f"{count} epoch{'s' if count > 1 else ''}"]
    for key, name in (("accuracy", "training accuracy"), ("val_accuracy", "validation accuracy")):
        first_value, last_value = _value(rows[0], key), _value(last, key)
        if first_value is None or last_value is None:
            continue
        way = (
            f"from {percent(first_value)} to {percent(last_value)}"
            if count > 1
            else percent(last_value)
        )
        said.append(f"{name} {way}")
    best = next((row for row in rows if row.get("epoch") == best_epoch), None)
    if best is not None and count > 1:
        value = _value(best, "val_accuracy")
        said.append(
            f"best epoch {best_epoch}" + (f" with {percent(value)}" if value is not None else "")
        )
    return ", ".join(said) + "."


def show(
    rows: Sequence[Row],
    *,
    key: str,
    epochs: int | None = None,
    best_epoch: int | None = None,
    overlays: Sequence[Overlay] = (),
    published: Published | None = None,
    revision: str = "",
) -> None:
    """Put loss and accuracy side by side on the page (below each other where it is narrow);
    arguments as in `figure`.
    """
    published = published or Published()
    told = sentence(rows, best_epoch)
    for column, metric, level in zip(
        st.columns(2), METRICS, (published.loss, published.accuracy), strict=True
    ):
        drawn = figure(
            rows,
            metric,
            epochs=epochs,
            best_epoch=best_epoch,
            overlays=overlays,
            published=level,
            words=published.words,
            revision=revision,
            ranges=zoom.chosen(f"{key}_zoom", f"{key}_{metric}", revision),
        )
        column.plotly_chart(
            drawn,
            key=f"{key}_{metric}",
            config=CONFIG,
            alt=f"{metric.capitalize()} after every epoch: {told}",
        )
    zoom.listen(f"{key}_zoom", [f"{key}_{metric}" for metric in METRICS], revision)


def _line(
    rows: Sequence[Row],
    key: str,
    metric: str,
    name: str,
    colour: str,
    *,
    width: float = 2.5,
    dash: str = "solid",
) -> go.Scatter:
    """One curve; dots as long as there are few enough to tell apart (and always for a lone point)."""
    shown = "%{y:.2f} %" if metric == "accuracy" else "%{y:.4f}"
    return go.Scatter(
        x=[row["epoch"] for row in rows],
        y=_heights(rows, key, metric),
        name=name,
        mode="lines+markers" if len(rows) <= POINTS_UNTIL else "lines",
        line={"color": colour, "width": width, "dash": dash},
        marker={"color": colour, "size": 5},
        hovertemplate=f"{shown}<extra>{name}</extra>",
    )


def _mark_best(
    drawn: go.Figure, rows: Sequence[Row], metric: str, best_epoch: int | None, last: int
) -> None:
    """A ring around the best epoch's point, and its number above the plot."""
    best = next((row for row in rows if row.get("epoch") == best_epoch), None)
    if best is None:
        return
    value = _value(best, f"val_{metric}")
    value = _value(best, metric) if value is None else value
    drawn.add_vline(x=best_epoch, line={"color": QUIET, "width": 1, "dash": "dot"})
    # At the end of the axis the words would leave the figure.
    side = "right" if best_epoch > 0.85 * last else "center"
    drawn.add_annotation(
        x=best_epoch,
        y=1,
        yref="y domain",
        text=f"best: epoch {best_epoch}",
        showarrow=False,
        xanchor=side,
        yanchor="bottom",
        font={"color": QUIET, "size": 12},
    )
    if value is not None:
        drawn.add_trace(
            go.Scatter(
                x=[best_epoch],
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


def _arrange(drawn: go.Figure, metric: str, last: int, revision: str, overlaid: int) -> None:
    """Axes, legend and title that stay where they are while the rows grow."""
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
    # Room at both ends, so that the first and the last dot are whole; whole epochs as ticks only.
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


def _last_epoch(rows: Sequence[Row], overlays: Sequence[Overlay], epochs: int | None) -> int:
    """Where the epoch axis ends; at least 2, so that a single epoch stands on an axis and not on a
    point.
    """
    ends = [run[-1]["epoch"] for run in (rows, *(overlay.rows for overlay in overlays)) if run]
    return max([2, epochs or 0, *ends])


def _value(row: Row, key: str) -> float | None:
    """A number that can be drawn, or None."""
    value = row.get(key)
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _scale(metric: str) -> float:
    """Accuracy is drawn in percent, loss as it is."""
    return 100.0 if metric == "accuracy" else 1.0


def _heights(rows: Sequence[Row], key: str, metric: str) -> list[float | None]:
    values = (_value(row, key) for row in rows)
    return [None if value is None else value * _scale(metric) for value in values]


def _has(rows: Sequence[Row], key: str) -> bool:
    return any(_value(row, key) is not None for row in rows)


def _short(name: str, length: int = 24) -> str:
    """A name that fits into a legend; Plotly reads tags in it, so they are made harmless."""
    return html.escape(name if len(name) <= length else name[: length - 1] + "…")
