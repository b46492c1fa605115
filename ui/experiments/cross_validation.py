"""The results of a k-fold cross-validation: overlaid curves of all folds, accuracies, mean and
deviation.

The figure of a fold is its accuracy after the last epoch on the pictures held out: no epoch is
chosen by them. A report's folds are shown next to ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import runs
from core.errors import AtelierError
from core.experiments import records, summary
from core.experiments.queue import DONE, PointState
from core.experiments.records import Experiment
from core.experiments.summary import Figures
from core.runs import Epoch
from core.specs.published import Folds
from ui.components import charts, curves
from ui.components.curves import Level, Overlay
from ui.experiments import series_charts, sweep


def show(experiment: Experiment, states: Sequence[PointState]) -> None:
    """Draw figures, curves and table.

    Args:
        states: how far each fold is, in order.
    """
    figures = [sweep.figures_of(state) for state in states]
    accuracies = [
        100 * known.last_validation
        if known and known.last_validation is not None and state.state == DONE
        else None
        for known, state in zip(figures, states, strict=True)
    ]
    report = records.folds_report(experiment)
    folds = report[1] if report else None
    _figures([value for value in accuracies if value is not None], len(states), folds)
    histories = [
        Overlay(f"Fold {number}", _history(state)) for number, state in enumerate(states, start=1)
    ]
    level = Level(folds.mean_percent / 100, "published mean") if folds else None
    for column, metric in zip(st.columns(2), curves.METRICS, strict=True):
        with column:
            series_charts.show(
                series_charts.overlaid(
                    histories, metric, epochs=experiment.base.epochs, level=level
                ),
                key=f"experiments_folds_{metric}",
                alt=f"Validation {metric} of every fold after each epoch",
            )
    _table(states, figures, accuracies, folds)
    if report and report[0].published:
        st.caption(
            f"Published: {report[0].published.source}. Its folds are split like ours; its initial "
            "weights and the order of its pictures are not reported."
        )
    st.caption(
        "Each network learns from all folds but one and is judged on that one. "
        "The test set plays no part here."
    )


def _table(
    states: Sequence[PointState],
    figures: Sequence[Figures | None],
    accuracies: Sequence[float | None],
    folds: Folds | None,
) -> None:
    rows = []
    for position, (state, known) in enumerate(zip(states, figures, strict=True)):
        row: dict[str, str | float | None] = {
            "Fold": position + 1,
            "State": sweep.state_text(state),
            "Held out, last epoch": accuracies[position],
        }
        if folds:
            row["Published"] = 100 * folds.accuracies[position]
        row |= {
            "Best epoch": known.best_epoch if known else None,
            "Test accuracy": sweep.in_percent(known.test_accuracy) if known else None,
            "Seconds": known.seconds if known else None,
        }
        rows.append(row)
    percent = st.column_config.NumberColumn(format="%.2f %%")
    st.dataframe(
        {name: [row[name] for row in rows] for name in rows[0]},
        key="experiments_folds",
        hide_index=True,
        height="content",
        placeholder="–",
        alt=f"{len(rows)} folds with their accuracies",
        column_config={
            "Held out, last epoch": percent,
            "Published": percent,
            "Test accuracy": percent,
            "Seconds": st.column_config.NumberColumn(format="%.0f"),
        },
    )


def _figures(done: Sequence[float], count: int, folds: Folds | None) -> None:
    """Draw mean and deviation, ours and the report's."""
    entries: list[tuple[str, str, str | None]] = []
    if done:
        mean, deviation = summary.spread(done)
        note = "all folds" if len(done) == count else f"{len(done)} of {count} folds"
        entries += [
            (
                "Mean",
                f"{mean:.2f} %",
                f"Accuracy on the fold held out, after the last epoch; {note}.",
            ),
            ("Deviation", f"± {deviation:.2f}", "Standard deviation of the folds, in points."),
        ]
    if folds:
        entries += [
            ("Published mean", f"{folds.mean_percent:.2f} %", None),
            ("Published deviation", f"± {folds.deviation_percent:.2f}", None),
        ]
    if entries:
        charts.figures(*entries)


def _history(state: PointState) -> list[Epoch]:
    """The epochs so far, also of a fold that is being trained."""
    if state.run is None:
        return []
    try:
        return runs.history(state.run.id)
    except AtelierError:
        return []  # its run was deleted or damaged a moment ago; the table says so
