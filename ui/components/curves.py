"""Learning curves: a run's history as two charts, loss and accuracy, and as one sentence. Where
batches were written down, training is drawn by batch, smoothed, with the raw line behind it.

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

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core.runs import BatchCurve, Epoch
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
RATE_HEIGHT = 150
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


class Batches(NamedTuple):
    """Training by batch, and how it is drawn.

    `smoothing` is how many batches the smoothed line's weights go back, 0 for none; `logarithmic`
    draws the loss on a logarithmic axis.
    """

    curve: BatchCurve
    smoothing: int = 0
    logarithmic: bool = False


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
    batches: Batches | None = None,
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
        batches: draw training by batch instead of by epoch.

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
    if batches is not None:
        drawn.add_traces(_batch_lines(batches, metric))
    elif _has(history, metric, False):
        drawn.add_trace(_curve(history, metric, False, "Training", TRAINING))
    if _has(history, metric, True):
        drawn.add_trace(_curve(history, metric, True, "Validation", VALIDATION))
    last = _last_epoch(history, overlays, epochs, shortest=2 if batches is None else 1)
    _mark_best(drawn, history, metric, best_epoch, last)
    logarithmic = batches is not None and batches.logarithmic and metric == "loss"
    if level is not None:
        _mark_level(drawn, metric, level, logarithmic)
    _arrange(drawn, metric, last, revision, len(overlays))
    if batches is not None:
        _arrange_batches(drawn, metric, last, logarithmic)
    if not history and not overlays and batches is None:
        _say_empty(drawn)
    for axis, limits in (ranges or {}).items():
        drawn.update_layout({f"{axis}axis": {"range": list(limits)}})
    return drawn


def smooth(curve: BatchCurve, metric: Metric, batches: int) -> NDArray[np.float64]:
    """A curve's exponentially weighted means, whose weights fall to 1/e over so many batches.

    Weights go by batches and not by points, so that the line stays where it is when points are
    joined. The first values are means of what there is, not drawn towards zero.

    Args:
        metric: the loss, or the accuracy as a share in 0..1.
        batches: 0 leaves the values as they are.

    Returns:
        `(n,)`, as many values as the curve has points.
    """
    values = curve.loss if metric == "loss" else curve.accuracy
    if batches <= 0:
        return values
    counts = np.diff(curve.step, prepend=0)
    kept = np.exp(-counts / batches)
    smoothed = np.empty(len(values))
    total = weight = 0.0
    for place, (value, keep) in enumerate(zip(values, kept, strict=True)):
        total, weight = total * keep + value * (1 - keep), weight * keep + (1 - keep)
        smoothed[place] = total / weight
    return smoothed


def rate_figure(
    curve: BatchCurve, *, epochs: int, revision: str = "", ranges: zoom.Ranges | None = None
) -> go.Figure:
    """Draw the learning rate over the epochs; `epochs`, `revision` and `ranges` as in `figure`."""
    drawn = go.Figure(
        go.Scatter(
            x=_epochs_of(curve),
            y=curve.learning_rate.astype(np.float32),
            name="Learning rate",
            mode="lines",
            line={"color": EARLIER[0], "width": 2},
            hovertemplate="%{y:.3g}<extra></extra>",
        )
    )
    drawn.update_layout(
        title={"text": "Learning rate", "x": 0, "xref": "paper", "font": {"size": 15}},
        height=RATE_HEIGHT,
        margin={**MARGIN, "b": 28},
        hovermode="x unified",
        uirevision=f"{revision}:rate",
        showlegend=False,
    )
    drawn.update_yaxes(automargin=False, zeroline=False, rangemode="tozero", nticks=4)
    drawn.update_xaxes(automargin=False, showgrid=False, zeroline=False)
    _arrange_epochs(drawn, max(1, epochs))
    for axis, limits in (ranges or {}).items():
        drawn.update_layout({f"{axis}axis": {"range": list(limits)}})
    return drawn


def sentence(
    history: Sequence[Epoch],
    best_epoch: int | None = None,
    batches: BatchCurve | None = None,
) -> str:
    """Say in words what the two charts show, for those who cannot see them."""
    if not history and batches is not None:
        return (
            f"{int(batches.step[-1]):,} batches of the first epoch: loss {batches.loss[-1]:.3f}, "
            f"accuracy {percent(float(batches.accuracy[-1]))}."
        )
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
    batches: Batches | None = None,
    rate: bool = False,
) -> None:
    """Put loss and accuracy side by side on the page, one below the other where it is narrow.

    Args:
        key: prefix of the charts' keys, carrying the page.
        levels: figures to compare with, by metric.
        history, epochs, best_epoch, overlays, revision, batches: as in `figure`.
        rate: whether the learning rate is drawn below, where batches are there.
    """
    words = sentence(history, best_epoch, batches.curve if batches else None)
    if batches is not None and batches.logarithmic:
        revision += ":log"
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
            batches=batches,
        )
        column.plotly_chart(
            drawn,
            key=f"{key}_{metric}",
            config=CONFIG,
            alt=f"{metric.capitalize()} after every epoch: {words}",
        )
    charts = [f"{key}_{metric}" for metric in METRICS]
    if rate and batches is not None:
        rates = batches.curve.learning_rate
        st.plotly_chart(
            rate_figure(
                batches.curve,
                epochs=_last_epoch(history, overlays, epochs, shortest=1),
                revision=revision,
                ranges=zoom.chosen(f"{key}_zoom", f"{key}_rate", revision),
            ),
            key=f"{key}_rate",
            config=CONFIG,
            alt=f"Learning rate: at most {rates.max():.3g}, now {rates[-1]:.3g}.",
        )
        charts.append(f"{key}_rate")
    zoom.listen(f"{key}_zoom", charts, revision)


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


def _batch_lines(batches: Batches, metric: Metric) -> list[go.Scatter]:
    """The raw line, faint, and the smoothed one over it."""
    curve = batches.curve
    x, scale = _epochs_of(curve), _scale(metric)
    raw = smooth(curve, metric, 0) * scale
    lines = []
    if batches.smoothing:
        lines.append(
            go.Scatter(
                x=x,
                y=raw.astype(np.float32),
                mode="lines",
                line={"color": TRAINING, "width": 1},
                opacity=0.35,
                showlegend=False,
                hoverinfo="skip",
            )
        )
    shown = "%{y:.2f} %" if metric == "accuracy" else "%{y:.4f}"
    lines.append(
        go.Scatter(
            x=x,
            y=(smooth(curve, metric, batches.smoothing) * scale).astype(np.float32),
            name="Training, by batch",
            mode="lines" if len(x) > 1 else "lines+markers",
            line={"color": TRAINING, "width": 2.5},
            marker={"color": TRAINING, "size": 5},
            hovertemplate=f"{shown}<extra>Training</extra>",
        )
    )
    return lines


def _epochs_of(curve: BatchCurve) -> NDArray[np.float32]:
    """Where the points lie on the axis of epochs: an epoch's last batch at its number."""
    return (curve.step / curve.steps_per_epoch).astype(np.float32)


def _arrange_batches(drawn: go.Figure, metric: Metric, last: int, logarithmic: bool) -> None:
    """What is different where training is drawn by batch: the axis begins before the first."""
    drawn.update_layout(
        title_text=f"{metric.capitalize()} by batch, validation after each epoch",
        yaxis_type="log" if logarithmic else "linear",
    )
    _arrange_epochs(drawn, last)


def _arrange_epochs(drawn: go.Figure, last: int) -> None:
    margin = 0.02 * last
    drawn.update_xaxes(
        range=[-margin, last + margin],
        tickformat="~g",
        hoverformat=".2f",
        dtick=1 if last <= 12 else None,
        nticks=10,
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


def _mark_level(drawn: go.Figure, metric: Metric, level: Level, logarithmic: bool) -> None:
    """A dashed line at a published figure, with its words and value."""
    height = level.value * _scale(metric)
    value = percent(level.value) if metric == "accuracy" else f"{level.value:.3f}"
    drawn.add_hline(y=height, line={"color": QUIET, "width": 1.5, "dash": "dash"})
    # On the side where curves of this metric are farthest from a good result.
    x, side = (0, "left") if metric == "accuracy" else (1, "right")
    drawn.add_annotation(
        x=x,
        xref="x domain",
        y=math.log10(height) if logarithmic else height,  # Plotly asks so of words, not of lines
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
        text="The curves begin with the first batch.",
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


def _last_epoch(
    history: Sequence[Epoch], overlays: Sequence[Overlay], epochs: int | None, *, shortest: int
) -> int:
    """Where the epoch axis ends; at 2 at least where there are only epochs, so that a single one
    has an axis around it.
    """
    histories = (history, *(overlay.history for overlay in overlays))
    return max([shortest, epochs or 0, *(epochs[-1].epoch for epochs in histories if epochs)])


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
