"""What came of a k-fold cross-validation: the curves of all folds over each other, each fold's
accuracy, mean and deviation.

The figure of a fold is its accuracy after the last epoch on the pictures that were kept back: no
epoch is chosen by them. A report's folds stand beside ours.
"""

from __future__ import annotations

import streamlit as st

from core import runs
from core.errors import AtelierError
from core.experiments import records, summary
from core.experiments.queue import DONE, STOPPED, PointState
from core.experiments.records import Experiment
from ui.experiments import series_charts, sweep
from ui.train import jobs


def draw(experiment: Experiment, found: list[PointState]) -> None:
    """Figures, curves and table.

    Args:
        found: how far each fold is, in order.
    """
    lines = [summary.of_run(one.run) if one.state in (DONE, STOPPED) else None for one in found]
    accuracies = [
        100 * line.last_validation if line and one.state == DONE else None
        for line, one in zip(lines, found, strict=True)
    ]
    done = [value for value in accuracies if value is not None]
    report = records.report_of(experiment)
    folds = report[1] if report else None
    _figures(done, len(found), folds)
    histories = [(f"Fold {place}", _history(one)) for place, one in enumerate(found, 1)]
    level = (
        (f"published mean {folds.mean_percent:.2f} %", folds.mean_percent / 100) if folds else None
    )
    for column, metric in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        with column:
            series_charts.show(
                series_charts.overlaid(
                    histories, metric, epochs=experiment.base.epochs, level=level
                ),
                key=f"experiments_folds_{metric}",
                alt=f"Validation {metric} of every fold after each epoch",
            )
    rows = []
    for place, (one, line) in enumerate(zip(found, lines, strict=True)):
        row = {
            "Fold": place + 1,
            "State": sweep.words_of(one),
            "Kept back, last epoch": accuracies[place],
        }
        if folds:
            row["Published"] = 100 * folds.accuracies[place]
        row |= {
            "Best epoch": line.best_epoch if line else None,
            "Test accuracy": 100 * line.test_accuracy
            if line and line.test_accuracy is not None
            else None,
            "Seconds": line.seconds if line else None,
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
            "Kept back, last epoch": percent,
            "Published": percent,
            "Test accuracy": percent,
            "Seconds": st.column_config.NumberColumn(format="%.0f"),
        },
    )
    if report:
        st.caption(
            f"Published: {report[0].published.source}. Its folds are cut like ours; its first weights and order of pictures are not "
            "known."
        )
    st.caption(
        "Each network learns from all folds but one and is judged on that one. The test set decides nothing here."
    )


def _figures(done: list[float], count: int, folds) -> None:
    """Mean and deviation, ours and the report's."""
    entries = []
    if done:
        mean, deviation = summary.spread(done)
        note = "all folds" if len(done) == count else f"{len(done)} of {count} folds"
        entries = [
            (
                "Mean",
                f"{mean:.2f} %",
                f"Accuracy on the fold kept back, after the last epoch; {note}.",
            ),
            ("Deviation", f"± {deviation:.2f}", "Standard deviation of the folds, in points."),
        ]
    if folds:
        entries += [
            ("Published mean", f"{folds.mean_percent:.2f} %", None),
            ("Published deviation", f"± {folds.deviation_percent:.2f}", None),
        ]
    if entries:
        jobs.figures(*entries)


def _history(one: PointState) -> list[dict]:
    """The epochs so far, also of a fold in the making."""
    if one.run is None:
        return []
    try:
        return runs.history(one.run.id)
    except AtelierError:
        return []  # its run was deleted or damaged in this moment; the table says so
