"""The gradient check on a page: asked of the engine, waited for without holding anything up, shown
weight by weight.

The question is in the address and the answer in the app's cache, so a reload shows it again. What
is calculated, and how it is judged, is in `core.training.gradient_check`.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.specs import presets
from core.training.gradient_check import GradientCheck
from ui import cache, frame, state
from ui.components import engine_wait
from ui.experiments import series_charts

STEPS = {"0.1": 0.1, "0.01": 0.01, "0.001": 0.001, "0.0001": 0.0001, "1e-05": 1e-5, "1e-06": 1e-6}
WEIGHTS, MOST_WEIGHTS = 10, 200  # checked in each array: by default, and at most


def show() -> None:
    """Draw the form, and the result of the check that the address names."""
    data = frame.data_or_stop()
    st.markdown(
        "Back-propagation computes the slope of the loss for all weights at once, by the chain "
        "rule. Here, individual weights are nudged in both directions, and the change of the "
        "loss is compared with it: **(E(w + ε) − E(w − ε)) / 2ε**, on ten pictures, one of each "
        "class, in 64-bit floating point."
    )
    name, step, weights = _form()
    check = (name, data.name, step, weights)
    known = cache.gradient_checks()
    calculation = known.get(check)
    if calculation is None:
        if st.button(
            "Check", key="experiments_gradient_start", type="primary", icon=":material/play_arrow:"
        ):
            with frame.errors(stop=False):
                spec = presets.preset(name).spec.replace(data=data.name)
                started = cache.engine().check_gradient(spec, epsilon=step, weights=weights)
                cache.keep(known, check, started)
                st.rerun()
        st.caption(
            "It runs after the queued runs, and takes seconds for a small network and "
            "minutes for a large one."
        )
    elif not calculation.done:
        engine_wait.wait(
            known,
            check,
            "The engine is moving the weights one by one. You can do something else in the meantime.",
            "experiments_gradient_stop",
        )
    else:
        with frame.errors(stop=False):
            _result(calculation.result())
        st.button(
            "Check again",
            key="experiments_gradient_again",
            icon=":material/refresh:",
            on_click=cache.forget,
            args=(known, check),
        )


def _form() -> tuple[str, float, int]:
    """Draw the selectors; returns preset, step and weights of each array."""
    left, middle, right = st.columns([2, 1, 1], vertical_alignment="bottom")
    with left:
        name = state.linked(
            "preset",
            "experiments_gradient_preset",
            {name: name for name in presets.PRESETS},
            "the preset",
            "project-mlp",
            lambda options: st.selectbox(
                "Network",
                options,
                key="experiments_gradient_preset",
                format_func=lambda name: presets.PRESETS[name].title,
            ),
        )
    with middle:
        step = state.linked(
            "step",
            "experiments_gradient_step",
            STEPS,
            "the step",
            0.01,
            lambda options: st.selectbox(
                "Step ε",
                options,
                key="experiments_gradient_step",
                format_func=lambda step: f"{step:g}",
            ),
        )
    with right:
        key = "experiments_gradient_weights"
        parse = state.whole_number(1, MOST_WEIGHTS, "the weights of each array")
        state.follow("weights", key, parse, WEIGHTS)
        weights = st.number_input(
            "Weights per array",
            key=key,
            min_value=1,
            max_value=MOST_WEIGHTS,
            step=1,
            help="Chosen at random; each costs two passes through the network.",
        )
        state.publish("weights", key, None if weights == WEIGHTS else str(weights))
    return name, step, int(weights)


def _result(check: GradientCheck) -> None:
    if check.wrong:
        st.error(check.sentence(), icon=":material/error:")
    else:
        st.success(check.sentence(), icon=":material/check_circle:")
    st.caption(
        f"Mean loss of the ten pictures: {check.loss:.4f}. Step {check.epsilon:g}, then a tenth of "
        "it, and so on, where the two disagree: a smaller step no longer crosses a kink of ReLU "
        "or pooling; a wrong gradient stays wrong. Errors are relative, |a − b| / (|a| + |b|): "
        "where both slopes are zero except for rounding, that can be anything up to 1, and they "
        "agree all the same."
    )
    left, right = st.columns([2, 3])
    with left:
        pairs = [
            (slope, difference, step == check.epsilon and agrees)
            for tensor in check.tensors
            for slope, difference, step, agrees in zip(
                tensor.backpropagated, tensor.differences, tensor.steps, tensor.agrees, strict=True
            )
        ]
        series_charts.show(
            series_charts.gradients(pairs),
            key="experiments_gradient_chart",
            alt=f"Gradients of {check.checked} weights computed both ways; the table has the errors",
        )
    rows = [
        {
            "Weights": tensor.name,
            "Shape": " × ".join(map(str, tensor.shape)),
            "Checked": len(tensor.positions),
            "Error, median": f"{np.median(tensor.errors):.1e}",
            "Error, largest": f"{tensor.errors.max():.1e}",
            "Smallest step": f"{min(tensor.steps):.0e}",
            "Largest error at that step": f"{tensor.settled_errors.max():.1e}",
            "Wrong": tensor.agrees.count(False),
        }
        for tensor in check.tensors
    ]
    right.dataframe(
        rows,
        key="experiments_gradient_table",
        hide_index=True,
        height="content",
        alt=f"Relative errors of {len(rows)} arrays of weights",
    )
