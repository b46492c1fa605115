"""How a network learns, explained with the network and picture in view: forward, back, down the
slope, and when to stop.

Every number is calculated from the run's own weights, record and history; none is made up.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import streamlit as st

from core import evaluation, runs, wording
from core.explain.activations import Inside
from core.explain.last_layer import Floats, LastLayer
from core.labels import CLASS_NAMES
from core.networks import architectures, backbones
from core.runs import Run
from core.specs.spec import TrainSpec
from core.wording import value_text
from ui import state
from ui.components import curves, theme
from ui.network import feature_maps, neuron
from ui.network.subject import Subject

Topic = Literal["neuron", "activation", "passes", "descent", "overfitting"]
TOPICS: dict[Topic, str] = {
    "neuron": "Neuron",
    "activation": "Activation",
    "passes": "Forward and back",
    "descent": "Gradient descent",
    "overfitting": "Overfitting",
}
STEPS = 12  # of gradient descent, as many as can be told apart
# In units of the rate whose first step would be just right.
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
START = 3.0  # how far the weight is moved away at first, measured in scores


def show(run: Run, inside: Inside | None, subject: Subject | None) -> None:
    """Draw the choice of a topic, and the topic."""
    topic = state.linked(
        "topic",
        "network_topic",
        {str(name): name for name in TOPICS},
        "the topic",
        "neuron",
        lambda options: st.segmented_control(
            "Topic",
            options,
            key="network_topic",
            required=True,
            format_func=TOPICS.__getitem__,
            label_visibility="collapsed",
        ),
    )
    if topic == "overfitting":
        show_overfitting(run)
        return
    if inside is None:
        st.info("This needs the run's saved network.", icon=":material/info:")
        return
    if subject is None:
        feature_maps.ask_for_picture()
        return
    embedding = architectures.embedding_name(inside.layers)
    names = None if topic == "activation" else [embedding, "probabilities"]
    maps = inside.maps(subject.pixels, names)
    prediction = int(maps["probabilities"].argmax())
    weights, bias = inside.weights["scores"]
    truth = prediction if subject.truth is None else subject.truth
    last = LastLayer(maps[embedding], weights, bias, truth)
    if topic == "neuron":
        neuron.show_weighted_sum(last, prediction)
    elif topic == "activation":
        neuron.show_activation(inside, maps)
    elif topic == "passes":
        show_passes(last, subject, run)
    else:
        show_descent(last, subject)


def show_passes(last: LastLayer, subject: Subject, run: Run) -> None:
    """Draw the forward pass to the loss, and the way back to the slopes of the last layer."""
    name = CLASS_NAMES[last.truth]
    whose = (
        f"the truth, **{name}**"
        if subject.truth is not None
        else f"**{name}**, which we take as the truth here, as the picture has no label"
    )
    st.markdown(
        "**Forward**: the picture passes through all layers, and ten scores come out. Softmax "
        "turns them into probabilities p. The **loss** says how wrong they are: minus the "
        f"logarithm of the probability of {whose}."
    )
    truth = float(last.probabilities[last.truth])
    st.latex(rf"L = -\ln p_\text{{truth}} = -\ln {_decimal(truth)} = {_decimal(last.loss)}")
    st.markdown(
        "**Back**: how would the loss change if a score were a little higher? That slope is simply "
        "probability minus truth (1 for the true class, 0 for the others):"
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
    st.caption(
        f"These are the probabilities that training works with. {_answer_above(run, subject)}"
    )
    row, label = steepest(last)
    st.markdown(
        "The **chain rule** takes it one step further. A weight's slope is the slope of its "
        "neuron's score times the number that the weight was multiplied by. The steepest of all "
        f"{last.weights.size:,} weights of this layer leads from input {row:,} to "
        f"*{CLASS_NAMES[label]}*:"
    )
    st.latex(
        rf"\frac{{\partial L}}{{\partial w}} = ({_decimal(last.score_slopes[label])}) \cdot "
        rf"{_decimal(last.inputs[row])} = {_decimal(last.weight_slopes[row, label])}"
    )
    back = last.input_slopes
    st.markdown(
        f"In the same way, each of the {len(back):,} inputs gets a slope: its weights times the "
        f"slopes of the ten scores, added up (the largest here is "
        f"{_signed(back[np.abs(back).argmax()])}). These are passed back to the layer before, which "
        "does the same, and so on back to the first filter. That is **back-propagation**. During "
        "training it happens once for every batch of pictures; here nothing is changed."
    )


def _answer_above(run: Run, subject: Subject) -> str:
    """Why the answer at the top of the page has other figures."""
    ways = (
        ""
        if subject.truth is not None
        else " and averages the probabilities of the picture and of its mirror image"
    )
    return (
        "The answer at the top of the page divides the scores (logits) by "
        f"{run.finished_record.temperature:.2f}, the run's temperature, before softmax{ways}, so "
        "that answers with 90 % confidence are right about nine times in ten."
    )


def show_descent(last: LastLayer, subject: Subject) -> None:
    """Draw gradient descent on one weight, with a learning rate to try."""
    row, label = steepest(last)
    distance = START / max(abs(float(last.inputs[row])), 1e-6)
    trained = float(last.weights[row, label])
    # The direction in which the loss rises.
    away = 1 if last.weight_slopes[row, label] >= 0 else -1
    start = trained + away * distance
    st.markdown(
        "**Gradient descent** moves every weight a little against its slope: *w* becomes *w* − "
        "rate × slope, again and again. Below is one weight of this network, from input "
        f"{row:,} to *{CLASS_NAMES[label]}*, and the loss on {wording.literal(subject.name)} for other values of "
        f"that weight alone. It starts at {_signed(start)} instead of {_signed(trained)} and walks "
        "back down."
    )
    unit = 1 / max(abs(last.slope_with(row, label, start)) / distance, 1e-9)
    factor = st.select_slider(
        "Learning rate",
        RATES,
        0.3,
        key="network_rate",
        format_func=lambda factor: f"{factor * unit:.3g}",
    )
    walk = last.descend(row, label, start, factor * unit, STEPS)
    _chart_descent(last, row, label, trained, walk)
    st.markdown(describe_walk(last.loss_with(row, label, walk)))
    st.caption(
        "A real training does this for all weights at once, with the slope averaged over a batch "
        "of pictures, so it lowers the average loss, not one picture's. Adam and its relatives "
        "give every weight a rate of its own; a schedule lowers it towards the end."
    )


def describe_walk(losses: Floats) -> str:
    """What a walk shows, in a sentence.

    Args:
        losses: float `(steps + 1,)`, before the first step and after each.
    """
    first, end, count = f"{losses[0]:.3f}", f"{losses[-1]:.3f}", len(losses) - 1
    if losses[-1] > losses[0]:
        return f"The steps are too long: the loss went from {first} to {end}, **up**."
    if (np.diff(losses) > 1e-9).any():
        return (
            f"The steps jump back and forth over the valley: from {first} to {end} after {count} "
            "steps, but not straight down."
        )
    if losses[0] - losses[-1] < 0.25 * losses[0]:
        return (
            f"The steps are short: after {count} of them the loss has only fallen from {first} to "
            f"{end}."
        )
    return (
        f"After {count} steps the loss has fallen from {first} to {end}. Where the slope is flat, "
        "the steps become shorter by themselves."
    )


def show_overfitting(run: Run) -> None:
    """Draw what overfitting is, whether this run shows it, and what this run does against it."""
    st.markdown(
        "**Overfitting**: a network with many parameters can memorise its training pictures "
        "instead of learning what makes a garment. Then the loss on the training pictures keeps "
        "falling, while the loss on pictures it has never seen, the validation pictures, rises "
        "again. The second is the one that counts."
    )
    epochs = runs.history(run.id)
    if epochs:
        for column, metric in zip(st.columns(2, gap="medium"), curves.METRICS, strict=True):
            with column:
                st.plotly_chart(
                    curves.figure(epochs, metric, best_epoch=run.best_epoch),
                    key=f"network_{metric}",
                    width="stretch",
                    config={"displayModeBar": False},
                )
        st.markdown(" ".join(evaluation.observe(epochs, run.record)))
    st.header("What helps, and what this run does")
    st.table(
        [
            {"Remedy": name, "What it does": what, "This run": ours}
            for name, what, ours in list_remedies(run.spec)
        ],
        border="horizontal",
        hide_index=True,
        alt="Remedies against overfitting and the settings of this run",
    )


def _normalises_by_batch(spec: TrainSpec) -> bool:
    """Whether its normalisations use the statistics of the batch while it trains."""
    normalised = any(layer.kind == "BatchNormalization" for layer in architectures.blueprint(spec))
    return normalised and not backbones.keeps_averages(spec)


def _augmentations(spec: TrainSpec) -> list[str]:
    """The random changes to training pictures, in words."""
    return [
        words
        for words, used in (
            ("mirrored", spec.flip),
            (f"moved by up to {spec.shift} px", spec.shift),
            (f"rotated by up to {spec.rotate:g}°", spec.rotate),
            (f"{100 * spec.erase:g} % partly erased", spec.erase),
        )
        if used
    ]


def list_remedies(spec: TrainSpec) -> list[tuple[str, str, str]]:
    """Remedies against overfitting: name, what it does, and the run's setting."""
    dropped = [
        value_text(values)
        for values in (spec.block_dropout, spec.dropout if spec.dense_units else (0.0,))
        if any(values)
    ]
    penalties = [f"{name} {value:g}" for name, value in (("L1", spec.l1), ("L2", spec.l2)) if value]
    if spec.weight_decay and spec.optimizer in ("adamw", "sgd"):
        penalties.append(f"weight decay {spec.weight_decay:g}")
    kept = "no" if spec.validation == "none" else "no; the best epoch is kept"
    return [
        (
            "Augmentation",
            "Random changes to the training pictures: every epoch shows different ones.",
            ", ".join(_augmentations(spec)) or "no",
        ),
        (
            "Dropout",
            "Switches neurons off at random, so that none relies on another.",
            " and ".join(dropped) or "no",
        ),
        (
            "Weight penalties and decay",
            "Large weights are penalised, which keeps the network simpler.",
            ", ".join(penalties) or "no",
        ),
        (
            "Batch normalisation",
            "Normalises with each batch's statistics, which adds a little noise.",
            "yes" if _normalises_by_batch(spec) else "no",
        ),
        (
            "Label smoothing",
            "Never demands complete certainty.",
            f"{spec.label_smoothing:g}" if spec.label_smoothing else "no",
        ),
        (
            "Averaged weights",
            "Keeps the average of many steps instead of the last one.",
            "yes" if spec.average_weights else "no",
        ),
        (
            "Early stopping",
            "Ends when the validation accuracy no longer improves.",
            f"after {spec.early_stopping} epochs" if spec.early_stopping else kept,
        ),
        (
            "A smaller network",
            "Fewer parameters can memorise less.",
            f"{architectures.parameters(spec):,} parameters",
        ),
    ]


def steepest(last: LastLayer) -> tuple[int, int]:
    """The weight `(row, neuron)` with the steepest slope."""
    slopes = np.abs(last.weight_slopes)
    row, column = np.unravel_index(int(slopes.argmax()), slopes.shape)
    return int(row), int(column)


def _chart_descent(last: LastLayer, row: int, label: int, trained: float, walk: Floats) -> None:
    import plotly.graph_objects as go

    start = float(walk[0])
    span = abs(start - trained)
    # What jumps further is drawn at the edge.
    near = np.clip(walk, min(start, trained) - 2 * span, max(start, trained) + 2 * span)
    low, high = min(near.min(), trained) - 0.3 * span, max(near.max(), trained) + 0.3 * span
    values = np.linspace(low, high, 161)
    visible = np.clip(walk, low, high)
    colours = theme.palette()
    figure = go.Figure(
        [
            go.Scatter(
                x=values,
                y=last.loss_with(row, label, values),
                mode="lines",
                name="Loss",
                line={"color": colours.muted, "width": 2},
            ),
            go.Scatter(
                x=visible,
                y=last.loss_with(row, label, visible),
                mode="lines+markers",
                name="Steps",
                line={"color": curves.VALIDATION, "width": 1},
                marker={"size": 9, "color": curves.VALIDATION},
                hovertext=[f"Step {number}: w = {value:.4g}" for number, value in enumerate(walk)],
                hoverinfo="text",
            ),
            go.Scatter(
                x=[trained],
                y=last.loss_with(row, label, np.array([trained])),
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
