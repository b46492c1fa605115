"""Experiments: vary settings, cross-validate, compare runs with each other and with classical
methods, check the gradient.
"""

from __future__ import annotations

from typing import Literal

import streamlit as st

from core.experiments.records import FOLDS, SWEEP, Kind
from ui import frame, state
from ui.experiments import classical, gradient_panel, progress, run_table, setup

View = Literal["sweep", "folds", "compare", "baselines", "gradient"]
VIEWS: dict[View, str] = {
    "sweep": "Sweep",
    "folds": "K-fold",
    "compare": "Compare runs",
    "baselines": "Classical methods",
    "gradient": "Gradient check",
}
SENTENCES: dict[View, str] = {
    "sweep": "Train the same network with different values of one setting, or of two, and see what "
    "they change.",
    "folds": "Train k times, each time holding out a different fold and evaluating on it: how "
    "much do results depend on the split?",
    "compare": "All finished runs and classical baselines in one table.",
    "baselines": "How well methods without a neural network do on the same pictures.",
    "gradient": "Does back-propagation compute the true slope of the loss?",
}


def show_experiment(kind: Kind) -> None:
    """Draw a sweep or cross-validation that was started, or the form of a new one."""
    chosen = setup.choose(kind)
    if chosen is not None:
        progress.show(chosen)
    elif kind == SWEEP:
        setup.show_sweep_form()
    else:
        setup.show_folds_form()


frame.begin(
    "Experiments",
    "Vary a setting, cross-validate, compare: find out what makes a difference.",
    icon=":material/science:",
)
with frame.errors():
    view = state.linked(
        "view",
        "experiments_view",
        {name: name for name in VIEWS},
        "the view",
        "sweep",
        lambda options: st.segmented_control(
            "View",
            options,
            key="experiments_view",
            required=True,
            format_func=VIEWS.__getitem__,
            label_visibility="collapsed",
        ),
    )
    st.caption(SENTENCES[view])
    if view == "sweep":
        show_experiment(SWEEP)
    elif view == "folds":
        show_experiment(FOLDS)
    elif view == "compare":
        run_table.show()
    elif view == "baselines":
        classical.show()
    else:
        gradient_panel.show()
