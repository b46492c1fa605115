"""The form of the Train page: a preset to start from, every field of a `TrainSpec`, and what the
training would be.

The form is drawn from `core.specs.fields.FIELDS`, so a new field appears here by itself. Decimal
numbers and lists are typed as text and read by `parse_setting`, which also reads `--set` in a
terminal: what people type stays as they typed it, and a sentence says what is wrong with it. Values
last for the whole session, also while another page is open.

The form submits nothing: it returns a spec, or None together with sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypedDict

import streamlit as st

from core import wording
from core.errors import InvalidSpec
from core.networks import architectures
from core.specs.fields import FIELDS, Field, parse_setting
from core.specs.presets import PRESETS, Preset, matching
from core.specs.spec import TrainSpec
from core.training import estimate
from core.wording import value_text
from ui.components.theme import percent
from ui.components.words import about, word

FIRST_PRESET = "swift"
GROUPS = tuple(dict.fromkeys(field.group for field in FIELDS))
ICONS = {
    "Data": ":material/database:",
    "Network": ":material/layers:",
    "Optimiser": ":material/tune:",
    "Regularisation": ":material/compress:",
    "Augmentation": ":material/flip:",
}


def show(*, sample_only: bool) -> tuple[TrainSpec | None, list[str]]:
    """Draw every field, grouped, and read what they hold.

    Args:
        sample_only: the real data are missing, so that only the offline sample can be trained on.

    Returns:
        the spec and no sentences, or None and one sentence for everything that is wrong with what
        was typed.
    """
    if _key("preset") not in st.session_state:
        fill(FIRST_PRESET)
    name = st.selectbox(
        "Start from",
        list(PRESETS),
        format_func=lambda name: PRESETS[name].title,
        key=_key("preset"),
        on_change=_fill_chosen,
        persist_state="session",
        help="A preset fills in every setting below. You can then change any of them.",
    )
    preset = PRESETS[name]
    st.caption(preset.sentence + _published_text(preset))
    if sample_only:
        st.session_state[_key("data")] = "offline-sample"

    typed = {field.name: st.session_state.get(_key(field.name)) for field in FIELDS}
    _grid((field for field in FIELDS if field.basic), typed, sample_only)
    for group in GROUPS:
        others = [field for field in FIELDS if field.group == group and not field.basic]
        if others:
            with st.expander(
                _group_label(group, others, preset),
                icon=ICONS.get(group),
                key=_key(f"group_{group.lower()}"),
            ):
                _grid(others, typed, sample_only)
    return read()


def read() -> tuple[TrainSpec | None, list[str]]:
    """The spec that the form holds now, and what is wrong with it; one of the two is empty."""
    values, wrong = {}, []
    for field in FIELDS:
        typed = st.session_state.get(_key(field.name))
        try:
            values[field.name] = parse_setting(field.name, value_text(typed))
        except InvalidSpec as refusal:
            wrong.append(str(refusal))
    if wrong:
        return None, wrong
    try:
        spec = TrainSpec().replace(**values)
        architectures.blueprint(spec)  # whether the layers fit together
    except InvalidSpec as refusal:
        return None, [str(refusal)]
    return spec, []


def read_if_filled() -> TrainSpec | None:
    """The spec in this visitor's form; None where it was never opened, or is wrong."""
    return read()[0] if _key("preset") in st.session_state else None


def fill(start: str | TrainSpec) -> None:
    """Put every value of a preset (by name) or of a spec into the form."""
    if isinstance(start, str):
        spec = PRESETS[start].spec
        st.session_state[_key("preset")] = start
    else:
        spec = start
        if _key("preset") not in st.session_state:  # else the form would look as if never filled
            preset = matching(spec)
            st.session_state[_key("preset")] = preset.name if preset else FIRST_PRESET
    for field in FIELDS:
        st.session_state[_key(field.name)] = _widget_value(field, spec)


def set_learning_rate(rate: float) -> None:
    """Put a learning rate into the form; for a button's `on_click`."""
    st.session_state[_key("learning_rate")] = value_text(rate)


def show_summary(spec: TrainSpec) -> None:
    """What the training would be: size, work and time, before anything is trained."""
    seconds, basis = estimate.estimate_seconds(spec)
    left, right = st.columns(2)
    left.metric(
        "Parameters",
        f"{architectures.parameters(spec):,}",
        help=f"{architectures.multiply_adds(spec) / 1e6:.2f} million multiply-adds per picture.",
    )
    right.metric(
        "Expected time",
        about(seconds),
        help="Based on earlier runs on this machine, or a rough guess if there are none.",
    )
    pictures = estimate.trained_pictures(spec)
    st.caption(
        f"{pictures:,} training pictures, {spec.steps(pictures):,} steps per epoch. "
        f"{wording.literal(basis[0].upper() + basis[1:])}."
    )


def list_changes(spec: TrainSpec, preset: Preset) -> list[str]:
    """Where a spec differs from a preset, as in `Epochs 8 → 2`; the name does not count."""
    changes = []
    for field in FIELDS:
        before, after = getattr(preset.spec, field.name), getattr(spec, field.name)
        if field.name != "name" and before != after:
            changes.append(f"{field.label} {value_text(before)} → {value_text(after)}")
    return changes


def list_settings(spec: TrainSpec) -> list[str]:
    """What a spec says, as in `Epochs 8`.

    The basic fields of the form, and all others that are not at their defaults; not the name.
    """
    defaults = TrainSpec()
    return [
        f"{field.label} {value_text(getattr(spec, field.name)) or 'none'}"
        for field in FIELDS
        if field.name != "name"
        and (field.basic or getattr(spec, field.name) != getattr(defaults, field.name))
    ]


def chosen_preset() -> Preset:
    """The preset that the form started from."""
    return PRESETS[st.session_state.get(_key("preset"), FIRST_PRESET)]


def _fill_chosen() -> None:
    fill(st.session_state[_key("preset")])


def _grid(fields: Iterable[Field], typed: Mapping[str, object], sample_only: bool) -> None:
    """Fields in rows of two; each row is one set of columns, so that labels stay aligned."""
    fields = list(fields)
    for start in range(0, len(fields), 2):
        columns = st.columns(2, vertical_alignment="bottom")
        for column, field in zip(columns, fields[start : start + 2], strict=False):
            with column:
                locked = sample_only and field.name == "data"
                _widget(field, idle=_why_idle(field, typed), locked=locked)


class _Common(TypedDict):
    """What all inputs have in common."""

    key: str
    help: str
    disabled: bool
    persist_state: Literal["session"]


def _widget(field: Field, *, idle: str, locked: bool) -> None:
    """The input of one field; `idle` says why it has no effect now."""
    common: _Common = {
        "key": _key(field.name),
        "help": f"{field.help} {idle}".strip(),
        "disabled": bool(idle) or locked,
        "persist_state": "session",
    }
    if field.is_typed:
        st.text_input(field.label, **common)
    elif field.kind == "flag":
        st.toggle(field.label, **common)
    elif field.kind == "choice":
        st.selectbox(field.label, field.allowed, format_func=word, **common)
    else:
        st.number_input(field.label, step=field.step, format="%d", **common)


def _why_idle(field: Field, typed: Mapping[str, object]) -> str:
    """Why a field changes nothing while the other values are as they are; empty if it does."""
    architecture, optimizer = typed["architecture"], typed["optimizer"]
    validation = typed["validation"]
    transfer, headless = architecture == "transfer", not str(typed["dense_units"]).strip()
    reasons = {
        "blocks": (architecture != "resnet", "Only a ResNet has them."),
        **dict.fromkeys(
            ("filters", "kernel", "batch_norm"),
            (transfer, "The pretrained network determines it."),
        ),
        **dict.fromkeys(
            ("padding", "pool", "pool_padding"),
            (architecture != "cnn", "Only a CNN lets you choose it."),
        ),
        **dict.fromkeys(
            ("backbone", "enlarge", "frozen_epochs", "fine_tune_rate"),
            (not transfer, "No pretrained network is used."),
        ),
        "activation": (transfer and headless, "The pretrained network determines it."),
        "momentum": (optimizer != "sgd", "Only SGD uses it."),
        "warm_up": (typed["schedule"] != "one_cycle", "Only the one-cycle schedule has one."),
        "beta_2": (optimizer not in ("adam", "adamw"), "Only Adam and AdamW use it."),
        "weight_decay": (optimizer not in ("adamw", "sgd"), "Only AdamW and SGD use it."),
        "dropout": (headless, "There are no dense layers before the outputs."),
        "validation_fraction": (
            validation in ("fold", "test", "none"),
            "The number of folds determines it."
            if validation == "fold"
            else "No training pictures are held out.",
        ),
        **dict.fromkeys(
            ("folds", "fold", "shuffle_folds"),
            (validation != "fold", "Only used with k-fold validation."),
        ),
        "early_stopping": (validation == "none", "It needs validation pictures."),
    }
    idle, reason = reasons.get(field.name, (False, ""))
    return reason if idle else ""


def _group_label(group: str, fields: list[Field], preset: Preset) -> str:
    """The group's name, and how many of its settings differ from the preset's, so that a closed
    group hides no change.
    """
    changed = sum(
        st.session_state.get(_key(field.name)) != _widget_value(field, preset.spec)
        for field in fields
    )
    has_basic = any(field.basic and field.group == group for field in FIELDS)
    title = f"More {group.lower()} settings" if has_basic else group
    return f"{title} · {changed} changed" if changed else title


def _published_text(preset: Preset) -> str:
    if preset.published is None:
        return ""
    source, (_, accuracy) = preset.published.source, preset.published.level
    if accuracy is None:
        return f" The report gives no accuracy ({source})."
    split = "test" if preset.published.test_accuracy is not None else "validation"
    return f" Published: {percent(accuracy, 2)} {split} accuracy ({source})."


def _widget_value(field: Field, spec: TrainSpec) -> object:
    """What a field's input holds for the value in a spec."""
    value: object = getattr(spec, field.name)
    return value_text(value) if field.is_typed else value


def _key(name: str) -> str:
    return f"train_{name}"
