"""Experiments: vary settings, cross-validate, compare runs with each other and with classical
methods, check the gradient.
"""

from __future__ import annotations

import streamlit as st

from core.experiments.records import FOLDS, SWEEP
from ui import frame, state
from ui.experiments import classical, gradient_panel, progress, run_table, setup

VIEWS = {
    "sweep": "Sweep",
    "folds": "K-fold",
    "compare": "Compare runs",
    "baselines": "Classical methods",
    "gradient": "Gradient check",
}
SENTENCES = {
    "sweep": "Train the same network with different values of one setting, or of two, and see what they change.",
    "folds": "Train k times, each time without another k-th of the pictures, and judge on that k-th: how much depends on the split?",
    "compare": "All finished runs and classical baselines in one table.",
    "baselines": "What methods without a network reach on the same pictures.",
    "gradient": "Is back-propagation the slope of the loss?",
}


def experiment(kind: str) -> None:
    """A sweep or cross-validation that was begun, or the form of a new one."""
    chosen = setup.choose(kind)
    if chosen is not None:
        progress.show(chosen)
    elif kind == SWEEP:
        setup.sweep()
    else:
        setup.folds()


frame.begin(
    "Experiments",
    "Vary a setting, cross-validate, compare: find out what makes a difference.",
    icon=":material/science:",
)
with frame.errors():
    view = state.linked(
        "view",
        "experiments_view",
        {text: text for text in VIEWS},
        "the view",
        "sweep",
        lambda options: st.segmented_control(
            "View",
            options,
            key="experiments_view",
            required=True,
            format_func=VIEWS.get,
            label_visibility="collapsed",
        ),
    )
    st.caption(SENTENCES[view])
    if view in ("sweep", "folds"):
        experiment({"sweep": SWEEP, "folds": FOLDS}[view])
    else:
        {"compare": run_table.show, "baselines": classical.show, "gradient": gradient_panel.show}[
            view
        ]()
