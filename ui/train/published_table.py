"""A finished run beside the report that its preset comes from: published, ours, difference.

What is comparable with what is decided in `core/published.py`; the level line in the curves is
drawn by `run_curves.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import runs as library
from core.specs import presets, published
from ui.components.theme import percent


def show(run: library.Run, rows: Sequence[dict]) -> None:
    """Draw the comparison; nothing for a run whose settings are no report's, or whose report gives
    no figures.
    """
    preset = presets.matching(run.spec)
    if preset is None or preset.published is None:
        return
    leaks = run.spec.validation == "test"
    found = published.compare(preset.published, run.record.get("scores", {}), rows, leaks=leaks)
    if not found:
        return
    cells = [[text.replace(" ", "\N{NO-BREAK SPACE}") for text in one.texts()] for one in found]
    st.table(
        [
            {
                "Figure": one.figure.capitalize(),
                "Published": theirs,
                "Here": ours,
                "Difference": difference,
            }
            for one, (theirs, ours, difference) in zip(found, cells, strict=True)
        ],
        border="horizontal",
        hide_index=True,
        hide_header=False,
        alt=f"{len(found)} published figures of {preset.title} beside those of this run",
    )
    st.caption(" ".join(_remarks(run, preset, rows, leaks)))


def _remarks(
    run: library.Run, preset: presets.Preset, rows: Sequence[dict], leaks: bool
) -> list[str]:
    """What a reader must know before the figures mean anything."""
    said = [f"Published: {preset.published.source}."]
    if preset.published.again:
        others = ", ".join(percent(accuracy, 2) for accuracy, _ in preset.published.again)
        said.append(
            f"Trained once more, the report's network got {others} of the test pictures right."
        )
    if len(rows) != preset.spec.epochs:
        said.append(
            f"The report trained {preset.spec.epochs} epochs, this run {len(rows)}, so the difference says little."
        )
    if leaks:
        said.append(
            "As in the report, every epoch was judged on the test set, which leaks it into the choice of the best one; the "
            "figures here are therefore those of the last epoch."
        )
    return said
