"""A finished run next to the report that its preset comes from: published, here, difference.

What may be compared with what is decided in `core.specs.published`; the level line in the curves is
drawn by `run_curves.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.runs import Epoch, Run
from core.specs import presets, published
from core.specs.published import Published
from ui.components.theme import percent


def show(run: Run, history: Sequence[Epoch]) -> None:
    """Draw the comparison; nothing for a run whose settings are no report's, or whose report gives
    no figures.
    """
    preset = presets.matching(run.spec)
    if preset is None or preset.published is None:
        return
    leaks = run.spec.validation == "test"
    scores = run.finished_record.scores
    comparisons = published.compare(preset.published, scores, history, leaks=leaks)
    if not comparisons:
        return
    rows = []
    for comparison in comparisons:
        theirs, ours, difference = (
            text.replace(" ", "\N{NO-BREAK SPACE}") for text in comparison.texts()
        )
        rows.append(
            {
                "Figure": comparison.figure.capitalize(),
                "Published": theirs,
                "Here": ours,
                "Difference": difference,
            }
        )
    st.table(
        rows,
        border="horizontal",
        hide_index=True,
        hide_header=False,
        alt=f"{len(rows)} published figures of {preset.title} next to those of this run",
    )
    st.caption(" ".join(_remarks(preset.published, preset.spec.epochs, len(history), leaks)))


def _remarks(report: Published, published_epochs: int, epochs: int, leaks: bool) -> list[str]:
    """What a reader must know to understand the figures."""
    remarks = [f"Published: {report.source}."]
    if report.again:
        others = ", ".join(percent(accuracy, 2) for accuracy, _ in report.again)
        remarks.append(f"Trained again, the report's network reached {others} test accuracy.")
    if epochs != published_epochs:
        remarks.append(
            f"The report trained for {published_epochs} epochs, this run for {epochs}, "
            "so the difference says little."
        )
    if leaks:
        remarks.append(
            "As in the report, every epoch was checked on the test set, so choosing the best one "
            "would leak the test labels. The figures here are therefore those of the last epoch."
        )
    return remarks
