"""The learning-rate range test next to the form: one click, a curve, and a rate to take over.

What is trained and suggested is in `core.training.range_test`.
"""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from core.specs.spec import TrainSpec
from core.training import range_test
from core.training.range_test import RangeTest
from ui import cache, frame
from ui.components import curves, engine_wait
from ui.train import form


def show(spec: TrainSpec) -> None:
    """Draw the button, or the test that runs, or its curve."""
    key = range_test.question(spec)
    with st.expander("Find a learning rate", icon=":material/speed:", key="train_rate_panel"):
        known = cache.range_tests()
        calculation = known.get(key)
        if calculation is None:
            st.caption(
                "Trains some hundred batches while the learning rate rises, and looks where the "
                "loss falls and where it explodes. Nothing of it is kept."
            )
            if st.button("Test learning rates", key="train_rates", icon=":material/play_arrow:"):
                with frame.errors(stop=False):
                    cache.keep(known, key, cache.engine().test_rates(spec))
                    st.rerun()
        elif not calculation.done:
            engine_wait.wait(
                known,
                key,
                "The engine tries the rates one after the other, after the trainings in the queue.",
                "train_rates_stop",
            )
        else:
            with frame.errors(stop=False):
                _show_result(calculation.result())
            st.button(
                "Test again",
                key="train_rates_again",
                icon=":material/refresh:",
                on_click=cache.forget,
                args=(known, key),
            )


def _show_result(test: RangeTest) -> None:
    st.plotly_chart(
        _figure(test),
        key="train_rates_chart",
        config=curves.CONFIG,
        alt=f"Loss while the learning rate rises; suggested: {test.suggested or 'none'}",
    )
    if test.suggested is None:
        st.warning(
            "No rate made the loss fall within these batches, so none is suggested.",
            icon=":material/trending_flat:",
        )
        return
    st.caption(
        f"A tenth of the rate at which the smoothed loss was lowest, a rule of thumb. "
        f"{len(test.rates)} batches in {test.seconds:.0f} s."
    )
    st.button(
        f"Use {test.suggested:g}",
        key="train_rates_use",
        type="primary",
        icon=":material/check:",
        on_click=form.set_learning_rate,
        args=(test.suggested,),
    )


def _figure(test: RangeTest) -> go.Figure:
    """Raw and smoothed loss over the rate, the suggestion marked."""
    drawn = go.Figure()
    for values, width, opacity in ((test.losses, 1, 0.35), (test.smoothed, 2.5, 1.0)):
        drawn.add_trace(
            go.Scatter(
                x=list(test.rates),
                y=list(values),
                mode="lines",
                opacity=opacity,
                line={"color": curves.TRAINING, "width": width},
                hovertemplate="rate %{x:.2g}: %{y:.3f}<extra></extra>",
            )
        )
    if test.suggested is not None:
        drawn.add_vline(x=test.suggested, line={"color": curves.VALIDATION, "dash": "dash"})
    if test.smoothed:
        drawn.update_yaxes(range=[0, 1.6 * max(test.smoothed[0], min(test.smoothed))])
    drawn.update_layout(height=240, margin={"l": 48, "r": 12, "t": 12, "b": 44}, showlegend=False)
    drawn.update_xaxes(type="log", title="Learning rate", showgrid=False, tickformat="~g", dtick=1)
    drawn.update_yaxes(title="Loss of a batch", zeroline=False)
    return drawn
