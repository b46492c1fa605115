"""The forms of a new sweep or cross-validation: a published one with one click, or one's own, from
a preset or the settings of the Train form.

They start an experiment and show it; `progress` follows it. A double click starts one experiment.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import wording
from core.errors import AtelierError, InvalidSpec, RunDamaged, RunNotFound
from core.experiments import queue, records
from core.experiments.records import FOLDS, SWEEP, Axis, Experiment, Kind
from core.specs import presets
from core.specs.fields import BY_NAME, Field, allowed_text
from core.specs.spec import TrainSpec
from core.wording import value_text
from ui import frame, state
from ui.components import confirm, words
from ui.experiments import progress
from ui.train import form

NEW = "new"
TRAIN_FORM = "the settings of the Train page"
DOUBLE_CLICK_SECONDS = 3.0
FIRST = {1: "learning_rate", 2: None}  # what is varied at first
SUGGESTED = {
    "learning_rate": "0.01, 0.001, 0.0001",
    "filters": "16; 32; 32, 64",
    "dense_units": "32; 64; 128",
    "batch": "64, 128, 256",
    "epochs": "2, 4, 8",
    "seed": "0, 1, 2, 3, 4",
    "dropout": "0, 0.2, 0.4",
    "kernel": "3, 5",
}
SAMPLE_NOTE = "The report's figures are for Fashion-MNIST, which is not on this machine."


@dataclass
class LastStart:
    """The last experiment that this visitor started."""

    what: tuple[Kind, TrainSpec, tuple[Axis, ...]] | None = None
    experiment_id: str = ""
    when: float = 0.0


def choose(kind: Kind) -> Experiment | None:
    """Let people choose one of the experiments of a kind, in step with the address; None for a new
    one.
    """
    known = {experiment.id: experiment for experiment in records.list_all(kind)}
    key = f"experiments_{kind}"

    def parse(text: str) -> str:
        if text in known:
            return text
        try:
            records.read(text)
        except (RunNotFound, RunDamaged) as problem:
            raise ValueError(str(problem)) from problem
        return NEW  # of the other kind

    def title(experiment_id: str) -> str:
        if experiment_id not in known:
            return "A new one"
        experiment = known[experiment_id]
        created = experiment.created[:16].replace("T", " ")
        return f"{experiment.name} · {created} · {experiment_id[-4:]}"

    state.follow("experiment", key, parse, NEW, valid=lambda value: value == NEW or value in known)
    if known:
        st.selectbox("Experiment", [NEW, *known], key=key, format_func=title)
    chosen = st.session_state[key]
    state.publish("experiment", key, None if chosen == NEW else chosen)
    return known.get(chosen)


def show_sweep_form() -> None:
    """Draw the form of a new sweep."""
    data = frame.data_or_stop()
    with st.container(border=True):
        st.markdown("**Repeat a published experiment**")
        _published_sweeps(data.is_sample)
    with st.container(border=True):
        st.markdown("**Your own**")
        base = _base(SWEEP, data.is_sample)
        axes, problems = [], []
        for number in (1, 2):
            try:
                axis = _axis(number)
                axes += [axis] if axis else []
            except InvalidSpec as refusal:
                problems.append(str(refusal))
        _offer(SWEEP, base, tuple(axes), problems)


def show_folds_form() -> None:
    """Draw the form of a new cross-validation."""
    data = frame.data_or_stop()
    with st.container(border=True):
        st.markdown("**Repeat a published experiment**")
        _published_folds(data.is_sample)
    with st.container(border=True):
        st.markdown("**Your own**")
        base = _base(FOLDS, data.is_sample)
        left, middle, right = st.columns(3, vertical_alignment="bottom")
        count = left.number_input(
            "Folds",
            key="experiments_fold_count",
            value=5,
            step=1,
            min_value=2,
            max_value=20,
            persist_state="session",
        )
        seed = middle.number_input(
            "Seed",
            key="experiments_fold_seed",
            value=1,
            step=1,
            min_value=0,
            persist_state="session",
            help="Used to split the folds and for every run.",
        )
        shuffle = right.toggle(
            "Shuffle",
            key="experiments_fold_shuffle",
            value=True,
            persist_state="session",
            help="Off: the folds are cut in the order of the pictures.",
        )
        base, axes = records.folds_of(base, int(count), shuffle=shuffle, seed=int(seed))
        _offer(FOLDS, base, axes, [])


def start(kind: Kind, name: str, base: TrainSpec, axes: tuple[Axis, ...]) -> None:
    """Write the record, queue its trainings, and show it."""
    last, what = state.page_state(LastStart), (kind, base, axes)
    if last.what == what and time.monotonic() - last.when < DOUBLE_CLICK_SECONDS:
        state.put({"experiment": last.experiment_id})
        st.rerun()
    with frame.errors(stop=False):
        created = records.create(kind, name, base, axes)
        last.what, last.experiment_id, last.when = what, created.id, time.monotonic()
        progress.begin(created)


def _question(points: Sequence[TrainSpec]) -> str:
    """What one click is about to start."""
    return f"Start {_amount(points)}?"


def _amount(points: Sequence[TrainSpec]) -> str:
    """How many trainings, and how long they take."""
    return (
        f"{len(points)} training{'s' * (len(points) > 1)}, "
        f"{words.about(queue.estimate_seconds(points))} one after the other; "
        "runs you already have are reused"
    )


def _published_sweeps(sample: bool) -> None:
    published = records.published_sweeps()
    specs: list[TrainSpec] = []
    with st.container(horizontal=True):
        for preset, sweep in published:
            axis = records.axis(sweep.setting, sweep.values)
            points = records.grid(preset.spec, (axis,))
            specs += points
            confirm.button(
                f"{axis.field.label}: {', '.join(axis.texts)}",
                _question(points),
                "Start",
                key=f"experiments_report_{sweep.setting}",
                icon=":material/science:",
                disabled=sample,
                help=SAMPLE_NOTE if sample else None,
                on_confirm=functools.partial(
                    start,
                    SWEEP,
                    f"{preset.title}: {axis.field.label.lower()}",
                    preset.spec,
                    (axis,),
                ),
            )
    different = len({spec.replace(name="same") for spec in specs})
    sources = dict.fromkeys(preset.published.source for preset, _ in published if preset.published)
    st.caption(
        f"{', '.join(sources)}. Every epoch is judged on the test set, as in the report; choosing "
        "the best epoch on it makes a network look better than it is. All "
        f"{len(published)} together: {different} different runs, "
        f"{words.about(queue.estimate_seconds(specs))} on this machine."
    )


def _published_folds(sample: bool) -> None:
    for preset, published in records.published_folds():
        base, axes = records.spec_of_folds(preset, published)
        count = len(published.accuracies)
        source = f" ({preset.published.source})" if preset.published else ""
        confirm.button(
            f"{preset.title}: {count} folds",
            _question(records.grid(base, axes)),
            "Start",
            key=f"experiments_folds_{preset.name}",
            icon=":material/science:",
            disabled=sample,
            help=SAMPLE_NOTE if sample else None,
            on_confirm=functools.partial(
                start, FOLDS, f"{preset.title}, {count} folds", base, axes
            ),
        )
        st.caption(
            f"Shuffled with seed {published.shuffle_seed}, {base.epochs} epochs, learning rate "
            f"{base.learning_rate:g}; published: {published.mean_percent:.2f} ± "
            f"{published.deviation_percent:.2f} %{source}."
        )


def choose_base(
    column: DeltaGenerator, label: str, key: str, sample: bool, *, help: str
) -> TrainSpec:
    """Draw a selector of presets, and of the settings in the form of the Train page if it was
    filled.

    Args:
        column: where it is drawn.
        sample: the real data are missing, so the spec is to learn from the offline sample.
    """
    filled = form.read_if_filled()
    chosen = column.selectbox(
        label,
        [*presets.PRESETS, *([TRAIN_FORM] if filled else [])],
        key=key,
        persist_state="session",
        help=help,
        format_func=lambda name: (
            presets.PRESETS[name].title if name in presets.PRESETS else name.capitalize()
        ),
    )
    base = filled if filled and chosen == TRAIN_FORM else presets.PRESETS[chosen].spec
    return base.replace(data="offline-sample") if sample else base


def _base(kind: Kind, sample: bool) -> TrainSpec:
    """Draw the choice of the spec to start from, and of another number of epochs."""
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    base = choose_base(
        left,
        "Start from",
        f"experiments_{kind}_base",
        sample,
        help="To start from anything else, fill the form of the Train page; its settings are then "
        "offered here.",
    )
    epochs = right.number_input(
        "Epochs",
        key=f"experiments_{kind}_epochs",
        value=None,
        step=1,
        min_value=1,
        max_value=500,
        placeholder=str(base.epochs),
        persist_state="session",
        help="Left empty: uses the number in the settings.",
    )
    return base.replace(epochs=int(epochs) if epochs else base.epochs)


def _axis(number: int) -> Axis | None:
    """Draw a selector of a setting and its values; returns them as far as they are given.

    Raises:
        InvalidSpec: if a value is not allowed.
    """
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    options, first = list(records.sweepable()), FIRST[number]
    setting = left.selectbox(
        "Vary" if number == 1 else "And",
        options,
        key=f"experiments_setting_{number}",
        persist_state="session",
        format_func=lambda name: BY_NAME[name].label,
        placeholder="Nothing else",
        index=options.index(first) if first else None,
    )
    if setting is None:
        return None
    field = BY_NAME[setting]
    key = f"experiments_values_{number}_{setting}"
    if field.kind in ("choice", "flag") and not field.many:
        allowed = list(field.allowed) if field.kind == "choice" else [True, False]
        chosen = right.multiselect(
            "Values",
            allowed,
            key=key,
            default=allowed[:2],
            help=field.help,
            persist_state="session",
            format_func=lambda value: (
                words.word(value) if isinstance(value, str) else "Yes" if value else "No"
            ),
        )
        return records.axis(setting, chosen)
    typed = right.text_input(
        "Values",
        key=key,
        value=SUGGESTED.get(setting, value_text(getattr(TrainSpec(), setting))),
        help=_help(field),
        persist_state="session",
    )
    return records.parse_values(setting, typed)


def _help(field: Field) -> str:
    several = (
        " Separate values with semicolons, e.g. 32; 32, 64; without one, each number is its own "
        "value."
        if field.many
        else ""
    )
    return f"{field.help} Each is {allowed_text(field)}.{several}"


def _offer(kind: Kind, base: TrainSpec, axes: tuple[Axis, ...], problems: Sequence[str]) -> None:
    """Draw what the experiment would be and the button that starts it, or what prevents it."""
    points: tuple[TrainSpec, ...] = ()
    note, problems = "", list(problems)
    if not problems:
        try:
            points = records.grid(base, axes)
            note = f"{_amount(points)}."
        except AtelierError as refusal:
            points = ()
            problems.append(str(refusal))
    for problem in problems:
        st.error(wording.sentence(problem), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Start",
            key=f"experiments_{kind}_start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not points,
        )
        if points:
            st.markdown(f":small[:gray[{note}]]", width="content")
    if points and base.validation == "test":
        st.warning(
            "These settings judge every epoch on the test set, so the choice of the best epoch "
            "has seen it.",
            icon=":material/visibility:",
        )
    if pressed:
        varied = (
            f"{base.folds} folds"
            if kind == FOLDS
            else " and ".join(axis.field.label.lower() for axis in axes)
        )
        start(kind, f"{base.name}: {varied}", base, axes)
