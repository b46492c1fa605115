"""What a sweep or a cross-validation is to be: the reports' with one click, one's own from a preset
or the Train form.

It starts an experiment and shows it; following it is `experiment_view`'s. A click that arrives
twice starts one experiment.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import streamlit as st

from core.errors import AtelierError, InvalidSpec, RunDamaged, RunNotFound
from core.experiments import queue, records
from core.experiments.records import FOLDS, SWEEP, Axis, Experiment
from core.specs import presets
from core.specs.fields import BY_NAME, Field, allowed_text
from core.specs.spec import TrainSpec
from ui import frame, state
from ui.components import words
from ui.experiments import progress
from ui.train import form

NEW = "new"
TRAIN_FORM = "what the Train page holds"
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


@dataclass
class Begun:
    """The last experiment that this visitor began."""

    what: tuple = ()
    experiment_id: str = ""
    when: float = 0.0


def choose(kind: str) -> Experiment | None:
    """Let people choose one of the experiments of a kind, in step with the address; None for a new
    one.
    """
    known = {one.id: one for one in records.list_all(kind)}
    key = f"experiments_{kind}"

    def parse(text: str) -> str:
        if text in known:
            return text
        try:
            records.read(text)
        except (RunNotFound, RunDamaged) as problem:
            raise ValueError(str(problem)) from problem
        return NEW  # of the other kind

    state.follow("experiment", key, parse, NEW, valid=lambda one: one == NEW or one in known)
    if known:
        titles = {
            one.id: f"{one.name} · {one.created[:16].replace('T', ' ')} · {one.id[-4:]}"
            for one in known.values()
        }
        st.selectbox(
            "Experiment",
            [NEW, *known],
            key=key,
            format_func=lambda one: titles.get(one, "A new one"),
        )
    chosen = st.session_state[key]
    state.publish("experiment", key, None if chosen == NEW else chosen)
    return known.get(chosen)


def sweep() -> None:
    """The form of a new sweep."""
    data = frame.data_or_stop()
    with st.container(border=True):
        st.markdown("**From a report**, with one click")
        _published_sweeps(data.is_sample)
    with st.container(border=True):
        st.markdown("**Your own**")
        base = _base(SWEEP, data.is_sample)
        axes, wrong = [], []
        for number in (1, 2):
            try:
                axis = _axis(number)
                axes += [axis] if axis else []
            except InvalidSpec as refusal:
                wrong.append(str(refusal))
        _offer(SWEEP, base, tuple(axes), wrong)


def folds() -> None:
    """The form of a new cross-validation."""
    data = frame.data_or_stop()
    with st.container(border=True):
        st.markdown("**From a report**, with one click")
        for preset, published in records.published_folds():
            base, axes = records.spec_of_folds(preset, published)
            if st.button(
                f"{preset.title}: {len(published.accuracies)} folds",
                key=f"experiments_folds_{preset.name}",
                icon=":material/science:",
                disabled=data.is_sample,
                help=_sample_note(data.is_sample),
            ):
                start(FOLDS, f"{preset.title}, {len(published.accuracies)} folds", base, axes)
            st.caption(
                f"Shuffled with seed {published.shuffle_seed}, {base.epochs} epochs, learning rate {base.learning_rate:g}; "
                f"published: {published.mean_percent:.2f} ± {published.deviation_percent:.2f} % ({preset.published.source})."
            )
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
            help="Of the cut, and of every training.",
        )
        shuffle = right.toggle(
            "Shuffle",
            key="experiments_fold_shuffle",
            value=True,
            persist_state="session",
            help="Off: the folds are cut in the order of the pictures.",
        )
        if base is not None:
            base, axes = records.folds_of(base, int(count), shuffle=shuffle, seed=int(seed))
            _offer(FOLDS, base, axes, [])


def start(kind: str, name: str, base: TrainSpec, axes: tuple[Axis, ...]) -> None:
    """Write the record, put its trainings into the line, and show it."""
    last, what = state.page_state(Begun), (kind, base, axes)
    if last.what == what and time.monotonic() - last.when < DOUBLE_CLICK_SECONDS:
        state.put({"experiment": last.experiment_id})
        st.rerun()
    with frame.errors(stop=False):
        made = records.create(kind, name, base, axes)
        last.what, last.experiment_id, last.when = what, made.id, time.monotonic()
        progress.go_on(made)


def _published_sweeps(sample: bool) -> None:
    found = records.published_sweeps()
    with st.container(horizontal=True):
        for preset, sweep_ in found:
            axis = records.axis(sweep_.setting, sweep_.values)
            if st.button(
                f"{axis.field.label}: {', '.join(axis.texts)}",
                key=f"experiments_report_{sweep_.setting}",
                icon=":material/science:",
                disabled=sample,
                help=_sample_note(sample),
            ):
                start(SWEEP, f"{preset.title}: {axis.field.label.lower()}", preset.spec, (axis,))
    specs = [
        spec
        for preset, sweep_ in found
        for spec in records.grid(preset.spec, (records.axis(sweep_.setting, sweep_.values),))
    ]
    different = len({spec.replace(name="same") for spec in specs})
    sources = ", ".join(dict.fromkeys(preset.published.source for preset, _ in found))
    st.caption(
        f"{sources}. Every epoch is judged on the test set, as in the report: chosen by it, a network looks better "
        f"than it is. All {len(found)} together: "
        f"{different} different trainings, {words.about(queue.estimate_seconds(specs))} here."
    )


def _sample_note(sample: bool) -> str | None:
    return (
        "The report's figures are of Fashion-MNIST, which is not on this machine."
        if sample
        else None
    )


def choose_base(place, label: str, key: str, sample: bool, *, help: str) -> TrainSpec:
    """A selector of presets, and of what the form of the Train page holds if it was filled.

    Args:
        place: where it is drawn, such as a column.
        sample: the real data are missing, so that the spec is to learn from the offline sample.
    """
    held = form.held()
    chosen = place.selectbox(
        label,
        [*presets.PRESETS, *([TRAIN_FORM] if held else [])],
        key=key,
        persist_state="session",
        help=help,
        format_func=lambda name: (
            presets.PRESETS[name].title if name in presets.PRESETS else name.capitalize()
        ),
    )
    base = presets.PRESETS[chosen].spec if chosen in presets.PRESETS else held
    return base.replace(data="offline-sample") if sample else base


def _base(kind: str, sample: bool) -> TrainSpec | None:
    """The spec to begin with: a preset, or what the Train form holds, with another number of epochs
    if wanted.
    """
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    base = choose_base(
        left,
        "Start from",
        f"experiments_{kind}_base",
        sample,
        help="To start from anything else, fill the form of the Train page; it is then offered here.",
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
        help="Empty: as many as the settings say.",
    )
    return base.replace(epochs=int(epochs) if epochs else base.epochs)


def _axis(number: int) -> Axis | None:
    """A setting and its values, as far as they are given.

    Raises:
        InvalidSpec: if a value is not allowed.
    """
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    options = list(records.sweepable())
    setting = left.selectbox(
        "Vary" if number == 1 else "And",
        options,
        key=f"experiments_setting_{number}",
        persist_state="session",
        format_func=lambda name: BY_NAME[name].label,
        placeholder="Nothing else",
        index=options.index(FIRST[number]) if FIRST[number] else None,
    )
    if setting is None:
        return None
    field = BY_NAME[setting]
    key = f"experiments_values_{number}_{setting}"
    if field.kind in ("choice", "flag"):
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
        value=SUGGESTED.get(setting, records.value_text(getattr(TrainSpec(), setting))),
        help=_help(field),
        persist_state="session",
    )
    return records.parse_values(setting, typed)


def _help(field: Field) -> str:
    several = (
        " A semicolon parts the values, as in 32; 32, 64; without one every number is a value."
        if field.kind.endswith("s")
        else ""
    )
    return f"{field.help} Each is {allowed_text(field)}.{several}"


def _offer(kind: str, base: TrainSpec | None, axes: tuple[Axis, ...], wrong: list[str]) -> None:
    """What it would be, and the button; or what keeps it from starting."""
    points = ()
    if not wrong:
        try:
            points = records.grid(base, axes)
            seconds = queue.estimate_seconds(points)
        except AtelierError as refusal:
            wrong, points = [str(refusal)], ()
    for sentence in wrong:
        st.error(sentence, icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Start",
            key=f"experiments_{kind}_start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not points,
        )
        if points:
            told = f"{len(points)} training{'s' * (len(points) > 1)}, {words.about(seconds)} one after the other"
            st.markdown(
                f":small[:gray[{told}; what is trained already is not trained again.]]",
                width="content",
            )
    if points and base.validation == "test":
        st.warning(
            "These settings judge every epoch on the test set, which leaks it into the choice of the best.",
            icon=":material/visibility:",
        )
    if pressed:
        told = (
            f"{base.folds} folds"
            if kind == FOLDS
            else " and ".join(axis.field.label.lower() for axis in axes)
        )
        start(kind, f"{base.name}: {told}", base, axes)
