"""The gradient check on a page: asked of the engine, waited for without holding anything up, shown
weight by weight.

What was asked lies in the address, and the answer in a cache of the app, so a reload shows it
again. What is calculated and how it is judged is in `core/gradient_check.py`.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.specs import presets
from core.training.gradient_check import GradientCheck
from ui import cache, frame, state
from ui.experiments import series_charts

SECONDS = 1.0
STEPS = {"0.1": 0.1, "0.01": 0.01, "0.001": 0.001, "0.0001": 0.0001, "1e-05": 1e-5, "1e-06": 1e-6}
MOST_WEIGHTS = 200


def show() -> None:
    """The form, and what came of the check that the address names."""
    data = frame.data_or_stop()
    st.markdown(
        "Back-propagation gets the slope of the loss for all weights at once, by the chain rule. Here single weights are moved a "
        "little to both sides, and the change of the loss is held against it: **(E(w + ε) − E(w − ε)) / 2ε**, on ten pictures, one "
        "of each class, in 64-bit numbers."
    )
    left, middle, right = st.columns([2, 1, 1], vertical_alignment="bottom")
    with left:
        name = state.linked(
            "preset",
            "experiments_gradient_preset",
            {one: one for one in presets.PRESETS},
            "the preset",
            "project-mlp",
            lambda options: st.selectbox(
                "Network",
                options,
                key="experiments_gradient_preset",
                format_func=lambda one: presets.PRESETS[one].title,
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
                format_func=lambda one: f"{one:g}",
            ),
        )
    with right:
        state.follow(
            "weights",
            "experiments_gradient_weights",
            state.whole_number(1, MOST_WEIGHTS, "the weights of each array"),
            10,
        )
        weights = int(
            st.number_input(
                "Weights of each array",
                key="experiments_gradient_weights",
                min_value=1,
                max_value=MOST_WEIGHTS,
                step=1,
                help="Drawn at random; each costs two passes through the network.",
            )
        )
        state.publish(
            "weights", "experiments_gradient_weights", None if weights == 10 else str(weights)
        )
    spec = presets.preset(name).spec.replace(data=data.name)
    asked = (name, data.name, step, weights)
    found = cache.gradient_checks().get(asked)
    if found is None:
        if st.button(
            "Check", key="experiments_gradient_start", type="primary", icon=":material/play_arrow:"
        ):
            with frame.errors(stop=False):
                cache.keep_gradient_check(
                    asked, cache.engine().check_gradient(spec, epsilon=step, weights=weights)
                )
                st.rerun()
        st.caption(
            "It waits behind the trainings in line, and takes seconds for a small network and minutes for a large one."
        )
    elif not found.done:
        _waiting(asked)
    else:
        with frame.errors(stop=False):
            _result(found.result())
        st.button(
            "Check again",
            key="experiments_gradient_again",
            icon=":material/refresh:",
            on_click=cache.forget_gradient_check,
            args=(asked,),
        )


@st.fragment(run_every=SECONDS)
def _waiting(asked: tuple) -> None:
    found = cache.gradient_checks().get(asked)
    if found is None or found.done:
        st.rerun()
    st.info(
        "The engine moves the weights, one by one. You can look at something else meanwhile.",
        icon=":material/hourglass_top:",
    )
    if st.button("Never mind", key="experiments_gradient_stop", icon=":material/close:"):
        found.cancel()
        cache.forget_gradient_check(asked)
        st.rerun()


def _result(found: GradientCheck) -> None:
    (st.error if found.wrong else st.success)(
        found.sentence(), icon=":material/error:" if found.wrong else ":material/check_circle:"
    )
    st.caption(
        f"Mean loss of the ten pictures: {found.loss:.4f}. Step {found.epsilon:g}, then a tenth of it, and so on, where the two "
        "disagree: a kink of ReLU or pooling between the two points is left behind by a smaller step, a wrong gradient is "
        "not. Errors are relative, |a − b| / (|a| + |b|): where both slopes are zero but for rounding, that may be anything up "
        "to 1, and they agree all the same."
    )
    left, right = st.columns([2, 3])
    with left:
        pairs = [
            (slope, difference, step == found.epsilon and agrees)
            for tensor in found.tensors
            for slope, difference, step, agrees in zip(
                tensor.backpropagated, tensor.differences, tensor.steps, tensor.agrees, strict=True
            )
        ]
        series_charts.show(
            series_charts.gradients(pairs),
            key="experiments_gradient_chart",
            alt=f"Gradients of {found.checked} weights by both ways; the table beside it has the errors",
        )
    rows = [
        {
            "Weights": tensor.name,
            "Shape": " × ".join(map(str, tensor.shape)),
            "Checked": len(tensor.places),
            "Error, median": f"{np.median(tensor.errors):.1e}",
            "Error, largest": f"{tensor.errors.max():.1e}",
            "Smallest step": f"{min(tensor.steps):.0e}",
            "Error then, largest": f"{tensor.settled_errors.max():.1e}",
            "Wrong": tensor.agrees.count(False),
        }
        for tensor in found.tensors
    ]
    right.dataframe(
        rows,
        key="experiments_gradient_table",
        hide_index=True,
        height="content",
        alt=f"Relative errors of {len(rows)} arrays of weights",
    )
