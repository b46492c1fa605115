"""How a network learns, told with the network and picture in view: forward, back, down the slope,
and when to stop.

Every number is calculated from the run's own weights, record and history; nothing is invented for
the telling.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import evaluation, runs
from core.explain.activations import Inside
from core.explain.last_layer import LastLayer
from core.labels import CLASS_NAMES
from core.networks import architectures, backbones
from core.runs import Run
from core.specs.spec import TrainSpec
from core.wording import value_text
from ui import state
from ui.components import curves, theme
from ui.network import neuron
from ui.network.subject import Subject

TOPICS = {
    "neuron": "Neuron",
    "activation": "Activation",
    "passes": "Forward and back",
    "descent": "Gradient descent",
    "overfitting": "Overfitting",
}
STEPS = 12  # of gradient descent, as many as can be told apart
# In units of the step that would be just right at the start.
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
# How much louder or quieter the weight is made, in scores, so that there is a way to go.
START = 3.0


def show(run: Run, inside: Inside | None, shown: Subject | None) -> None:
    """Draw the choice of a topic, and the topic."""
    topic = state.linked(
        "topic",
        "network_topic",
        {text: text for text in TOPICS},
        "the topic",
        "neuron",
        lambda options: st.segmented_control(
            "Topic",
            options,
            key="network_topic",
            required=True,
            format_func=TOPICS.get,
            label_visibility="collapsed",
        ),
    )
    if topic == "overfitting":
        overfitting(run)
        return
    if inside is None:
        st.info("This needs the run's saved network.", icon=":material/info:")
        return
    if shown is None:
        st.info(
            "Bring a picture first: one of the test set, a drawing, or a file.",
            icon=":material/info:",
        )
        return
    last_ones = [architectures.embedding_name(inside.layers), "probabilities"]
    maps = inside.maps(shown.pixels, None if topic == "activation" else last_ones)
    guess = int(maps["probabilities"].argmax())
    weights, bias = inside.weights["scores"]
    last = LastLayer(
        maps[architectures.embedding_name(inside.layers)],
        weights,
        bias,
        guess if shown.truth is None else shown.truth,
    )
    if topic == "neuron":
        neuron.weighted_sum(last, guess)
    elif topic == "activation":
        neuron.activation(inside, maps)
    elif topic == "passes":
        passes(last, shown, run)
    else:
        descent(last, shown)


def passes(last: LastLayer, shown: Subject, run: Run) -> None:
    """Forward to the loss, and back to the slopes of the last layer."""
    name = CLASS_NAMES[last.truth]
    whose = (
        f"the truth, **{name}**"
        if shown.truth is not None
        else f"**{name}**, taken for the truth, since nobody has told it"
    )
    st.markdown(
        f"**Forward**: the picture goes through all layers, and ten scores come out. Softmax makes probabilities p of them. The "
        f"**loss** says how wrong they are: minus the logarithm of the probability of {whose}."
    )
    truth = float(last.probabilities[last.truth])
    st.latex(rf"L = -\ln p_\text{{truth}} = -\ln {_decimal(truth)} = {_decimal(last.loss)}")
    st.markdown(
        "**Back**: how would the loss change if a score were a little higher? That slope is simply probability minus truth (1 for "
        "the true class, 0 for the others):"
    )
    rows = [
        {
            "Class": f"**{CLASS_NAMES[label]}**" if label == last.truth else CLASS_NAMES[label],
            "Score z": f"{last.scores[label]:.3f}",
            "Probability p": f"{last.probabilities[label]:.4f}",
            "Truth": str(int(label == last.truth)),
            "Slope p − truth": f"{last.score_slopes[label]:+.4f}".replace("-", "−"),
        }
        for label in range(len(CLASS_NAMES))
    ]
    st.table(
        rows,
        border="horizontal",
        hide_index=True,
        alt="Scores, probabilities and slopes of the ten classes",
    )
    st.caption("These are the probabilities that training works with. " + _said_above(run, shown))
    place, label = largest(last)
    st.markdown(
        "The **chain rule** carries it on. A weight's slope is the slope of its neuron's score times the number that the weight "
        f"was multiplied with. The steepest of all {last.weights.size:,} weights of this layer leads from input {place:,} to "
        f"*{CLASS_NAMES[label]}*:"
    )
    st.latex(
        rf"\frac{{\partial L}}{{\partial w}} = ({_decimal(last.score_slopes[label])}) \cdot {_decimal(last.inputs[place])} = "
        rf"{_decimal(last.weight_slopes[place, label])}"
    )
    handed = last.input_slopes
    st.markdown(
        f"In the same way each of the {len(handed):,} inputs gets a slope: its weights times the slopes of the ten scores, added "
        f"up (the largest here is {_signed(handed[np.abs(handed).argmax()])}). It is handed to the layer before, which does the "
        "same, and so on back to the first filter. That is **back-propagation**. While a network trains, it happens once for every "
        "batch of pictures; here nothing is changed."
    )


def _said_above(run: Run, shown: Subject) -> str:
    """Why the answer at the head of the page has other figures."""
    ways = (
        ""
        if shown.truth is not None
        else " and averages those of the picture and of its mirror image"
    )
    return (
        f"The answer at the head of the page divides the scores by {run.record.get('temperature') or 1.0:.2f} first, the run's "
        f"temperature{ways}, so that what is said to be 90 % sure is right nine times in ten."
    )


def descent(last: LastLayer, shown: Subject) -> None:
    """Gradient descent on one weight, with a learning rate to try."""
    place, label = largest(last)
    reach = START / max(abs(float(last.inputs[place])), 1e-6)
    kept = float(last.weights[place, label])
    # The direction in which the loss rises.
    away = 1 if last.weight_slopes[place, label] >= 0 else -1
    start = kept + away * reach
    st.markdown(
        f"**Gradient descent** changes every weight a little against its slope: *w* becomes *w* − rate × slope, again and again. "
        f"Below is one weight of this network, from input {place:,} to *{CLASS_NAMES[label]}*, and the loss on {shown.name} if "
        f"only that weight were another. It is set to {_signed(start)} instead of {_signed(kept)}, and walks back down."
    )
    unit = 1 / max(abs(last.slope_with(place, label, start)) / reach, 1e-9)
    factor = st.select_slider(
        "Learning rate", RATES, 0.3, key="network_rate", format_func=lambda one: f"{one * unit:.3g}"
    )
    walked = last.descend(place, label, start, factor * unit, STEPS)
    _slope(last, place, label, start, kept, walked)
    losses = last.loss_with(place, label, walked)
    st.markdown(verdict(losses))
    st.caption(
        "A real training does this for all weights at once, with the slope averaged over a batch of pictures, so no single "
        "picture's loss falls to zero. Adam and its relatives give every weight a rate of its own; a schedule lowers "
        "it towards the end."
    )


def verdict(losses: np.ndarray) -> str:
    """What a walk shows, in a sentence."""
    first, end = f"{losses[0]:.3f}", f"{losses[-1]:.3f}"
    if losses[-1] > losses[0]:
        return f"The steps are too long: the loss went from {first} to {end}, **up**."
    if (np.diff(losses) > 1e-9).any():
        return f"The steps jump over the valley and back: from {first} to {end} after {len(losses) - 1} steps, but not straight."
    if losses[0] - losses[-1] < 0.25 * losses[0]:
        return f"The steps are short: after {len(losses) - 1} of them the loss has only come from {first} to {end}."
    return (
        f"After {len(losses) - 1} steps the loss has come from {first} down to {end}. Where the slope is flat, steps grow short by "
        "themselves."
    )


def overfitting(run: Run) -> None:
    """What overfitting is, whether this run shows it, and what this run does against it."""
    st.markdown(
        "**Overfitting**: a network with many parameters can learn its training pictures by heart instead of what makes a garment. "
        "Then the loss on the training pictures keeps falling, while that on pictures it was never shown, the validation pictures, "
        "rises again. What counts is the second."
    )
    rows = runs.history(run.id)
    if rows:
        left, right = st.columns(2, gap="medium")
        for column, metric in zip((left, right), curves.METRICS, strict=True):
            with column:
                st.plotly_chart(
                    curves.figure(rows, metric, best_epoch=run.best_epoch),
                    key=f"network_{metric}",
                    width="stretch",
                    config={"displayModeBar": False},
                )
        st.markdown(" ".join(evaluation.observe(rows, run.record)))
    st.subheader("What helps, and what this run does")
    st.table(
        [
            {"Remedy": name, "What it does": what, "This run": ours}
            for name, what, ours in remedies(run.spec)
        ],
        border="horizontal",
        hide_index=True,
        alt="Remedies against overfitting and the settings of this run",
    )


def _mixes(spec: TrainSpec) -> bool:
    """Whether its normalisations look at the batch while it trains."""
    normalised = any(layer.kind == "BatchNormalization" for layer in architectures.blueprint(spec))
    return normalised and not backbones.keeps_averages(spec)


def remedies(spec: TrainSpec) -> list[tuple[str, str, str]]:
    """Remedy, what it does, and the run's setting."""
    altered = [
        words
        for words, used in (
            ("mirrored", spec.flip),
            (f"moved by up to {spec.shift} px", spec.shift),
            (f"turned by up to {spec.rotate:g}°", spec.rotate),
            (f"{100 * spec.erase:g} % partly erased", spec.erase),
        )
        if used
    ]
    dropped = [
        value_text(values)
        for values in (spec.block_dropout, spec.dropout if spec.dense_units else (0.0,))
        if any(values)
    ]
    penalties = [f"{name} {value:g}" for name, value in (("L1", spec.l1), ("L2", spec.l2)) if value]
    decay = spec.weight_decay if spec.optimizer in ("adamw", "sgd") else 0.0
    return [
        (
            "More pictures",
            "By altering those there are: each epoch shows others.",
            ", ".join(altered) or "no",
        ),
        (
            "Dropout",
            "Switches neurons off at random, so that none relies on another.",
            " and ".join(dropped) or "no",
        ),
        (
            "Weight penalties",
            "Large weights cost: the network stays simple.",
            ", ".join(penalties + ([f"weight decay {decay:g}"] if decay else [])) or "no",
        ),
        (
            "Batch normalisation",
            "Mixes the statistics of a batch into every answer: a little noise.",
            "yes" if _mixes(spec) else "no",
        ),
        (
            "Label smoothing",
            "Never asks for complete certainty.",
            f"{spec.label_smoothing:g}" if spec.label_smoothing else "no",
        ),
        (
            "Averaged weights",
            "Keeps the average of many steps instead of the last one.",
            "yes" if spec.average_weights else "no",
        ),
        (
            "Early stopping",
            "Ends when the validation pictures gain no more.",
            f"after {spec.early_stopping} epochs"
            if spec.early_stopping
            else "no"
            if spec.validation == "none"
            else "no; best epoch kept",
        ),
        (
            "A smaller network",
            "Fewer parameters can learn less by heart.",
            f"{architectures.parameters(spec):,} parameters",
        ),
    ]


def largest(last: LastLayer) -> tuple[int, int]:
    """The weight `(input, neuron)` with the steepest slope."""
    slopes = np.abs(last.weight_slopes)
    place, neuron_number = np.unravel_index(int(slopes.argmax()), slopes.shape)
    return int(place), int(neuron_number)


def _slope(
    last: LastLayer, place: int, label: int, start: float, kept: float, walked: np.ndarray
) -> None:
    import plotly.graph_objects as go

    span = abs(start - kept)
    # What jumps further is drawn at the edge.
    near = np.clip(walked, min(start, kept) - 2 * span, max(start, kept) + 2 * span)
    low, high = min(near.min(), kept) - 0.3 * span, max(near.max(), kept) + 0.3 * span
    values = np.linspace(low, high, 161)
    inside_view = np.clip(walked, low, high)
    colours = theme.palette()
    figure = go.Figure(
        [
            go.Scatter(
                x=values,
                y=last.loss_with(place, label, values),
                mode="lines",
                name="Loss",
                line={"color": colours.muted, "width": 2},
            ),
            go.Scatter(
                x=inside_view,
                y=last.loss_with(place, label, inside_view),
                mode="lines+markers",
                name="Steps",
                line={"color": curves.VALIDATION, "width": 1},
                marker={"size": 9, "color": curves.VALIDATION},
                hovertext=[
                    f"Step {number}: w = {value:.4g}" for number, value in enumerate(walked)
                ],
                hoverinfo="text",
            ),
            go.Scatter(
                x=[kept],
                y=last.loss_with(place, label, np.array([kept])),
                mode="markers",
                name="As trained",
                marker={"symbol": "diamond", "size": 13, "color": curves.TRAINING},
            ),
        ]
    )
    figure.update_xaxes(title="The weight", fixedrange=True, range=[low, high])
    figure.update_yaxes(title="Loss", fixedrange=True, rangemode="tozero")
    figure.update_layout(
        height=340,
        margin={"l": 52, "r": 8, "t": 30, "b": 46},
        dragmode=False,
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    st.plotly_chart(
        figure,
        key="network_descent",
        width="stretch",
        config={"displayModeBar": False},
        alt="The loss over one weight, with the steps of gradient descent",
    )


def _decimal(value: float) -> str:
    """A number for LaTeX: four significant digits, small ones as powers of ten."""
    value = float(value)
    if value and abs(value) < 1e-3:
        digits, power = f"{value:.1e}".split("e")
        return rf"{digits} \cdot 10^{{{int(power)}}}"
    return f"{value:.4g}"


def _signed(value: float) -> str:
    return f"{float(value):.3g}".replace("-", "−")
