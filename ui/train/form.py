"""The form of the Train page: a preset to start from, every field of a `TrainSpec`, and what it
would become.

The form is drawn from `core.specs.spec.FIELDS`; a new field appears here by itself. Numbers with a
point and lists are typed as text and read by `parse_setting`, the same function that reads `--set`
in a terminal: whatever is typed stays as it was typed, and what is wrong with it is said in a
sentence. Values stay for the whole session, also while another page is open.

It submits nothing: it returns a spec, or None together with sentences.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from core.errors import InvalidSpec
from core.networks import architectures
from core.specs.fields import FIELDS, Field, parse_setting
from core.specs.presets import PRESETS, Preset, matching
from core.specs.spec import TrainSpec
from core.training import estimate
from ui.components.theme import percent
from ui.components.words import about, text_of, word

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
    """Draw the form.

    Args:
        sample_only: the real data are missing, so that only the offline sample can be trained on.

    Returns:
        the spec and no sentences, or None and one sentence for everything that is wrong with what
        was typed.
    """
    if _key("preset") not in st.session_state:
        fill(FIRST_PRESET)
    chosen = st.selectbox(
        "Start from",
        list(PRESETS),
        format_func=lambda name: PRESETS[name].title,
        key=_key("preset"),
        on_change=_preset_chosen,
        persist_state="session",
        help="A preset fills in every setting below; each can then be changed.",
    )
    preset = PRESETS[chosen]
    st.caption(preset.sentence + _published_text(preset))
    if sample_only:
        st.session_state[_key("data")] = "offline-sample"

    typed = {field.name: st.session_state.get(_key(field.name)) for field in FIELDS}
    _grid((field for field in FIELDS if field.basic), typed, sample_only)
    for group in GROUPS:
        rest = [field for field in FIELDS if field.group == group and not field.basic]
        if rest:
            with st.expander(
                _group_label(group, rest, preset),
                icon=ICONS.get(group),
                key=_key(f"group_{group.lower()}"),
            ):
                _grid(rest, typed, sample_only)
    return read()


def read() -> tuple[TrainSpec | None, list[str]]:
    """The spec that the form holds now, and what is wrong with it; one of the two is empty."""
    values, wrong = {}, []
    for field in FIELDS:
        shown = st.session_state.get(_key(field.name))
        try:
            values[field.name] = parse_setting(field.name, text_of(shown))
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


def held() -> TrainSpec | None:
    """The spec that this visitor's form holds; None where it was never opened, or something in it
    is wrong.
    """
    return read()[0] if _key("preset") in st.session_state else None


def fill(start: str | TrainSpec) -> None:
    """Put every value of a preset (by name) or of a spec into the form."""
    spec = PRESETS[start].spec if isinstance(start, str) else start
    if isinstance(start, str):
        st.session_state[_key("preset")] = start
    elif _key("preset") not in st.session_state:  # else the form would take itself for unfilled
        alike = matching(spec)
        st.session_state[_key("preset")] = alike.name if alike else FIRST_PRESET
    for field in FIELDS:
        value = getattr(spec, field.name)
        st.session_state[_key(field.name)] = text_of(value) if _as_text(field) else value


def summary(spec: TrainSpec) -> None:
    """What the spec would become: size, work and time, before anything is trained."""
    seconds, basis = estimate.estimate_seconds(spec)
    left, right = st.columns(2)
    left.metric(
        "Parameters",
        f"{architectures.parameters(spec):,}",
        help=f"{architectures.multiply_adds(spec) / 1e6:.2f} million multiply-adds for one picture.",
    )
    right.metric(
        "Expected time",
        about(seconds),
        help="From what earlier trainings took here; without any, a guess.",
    )
    pictures = estimate.trained_pictures(spec)
    st.caption(
        f"{pictures:,} training pictures, {spec.steps(pictures):,} steps an epoch. Time: {basis}."
    )


def changes(spec: TrainSpec, preset: Preset) -> list[str]:
    """Where a spec differs from a preset, as in `Epochs 8 → 2`; the name is not counted."""
    return [
        f"{field.label} {text_of(getattr(preset.spec, field.name))} → {text_of(getattr(spec, field.name))}"
        for field in FIELDS
        if field.name != "name" and getattr(preset.spec, field.name) != getattr(spec, field.name)
    ]


def settings_of(spec: TrainSpec) -> list[str]:
    """What a spec says, as in `Epochs 8`: the first fields of the form, and all others that were
    changed; not the name.
    """
    plain = TrainSpec()
    return [
        f"{field.label} {text_of(getattr(spec, field.name)) or 'none'}"
        for field in FIELDS
        if field.name != "name"
        and (field.basic or getattr(spec, field.name) != getattr(plain, field.name))
    ]


def chosen_preset() -> Preset:
    """The preset that the form started from."""
    return PRESETS[st.session_state.get(_key("preset"), FIRST_PRESET)]


def _preset_chosen() -> None:
    fill(st.session_state[_key("preset")])


def _grid(fields: Iterable[Field], typed: dict[str, Any], sample_only: bool) -> None:
    """Fields in rows of two; a row is one set of columns, so that labels stay aligned."""
    fields = list(fields)
    for start in range(0, len(fields), 2):
        for column, field in zip(
            st.columns(2, vertical_alignment="bottom"), fields[start : start + 2], strict=False
        ):
            with column:
                _widget(
                    field, idle=_idle(field, typed), locked=sample_only and field.name == "data"
                )


def _widget(field: Field, *, idle: str, locked: bool) -> None:
    """The input of one field; `idle` says why it has no effect now."""
    common = {
        "key": _key(field.name),
        "help": f"{field.help} {idle}".strip(),
        "disabled": bool(idle) or locked,
        "persist_state": "session",
    }
    if field.kind == "flag":
        st.toggle(field.label, **common)
    elif field.kind == "choice":
        st.selectbox(field.label, field.allowed, format_func=word, **common)
    elif field.kind == "int":
        st.number_input(field.label, step=field.step, format="%d", **common)
    else:
        st.text_input(field.label, **common)


def _idle(field: Field, typed: dict[str, Any]) -> str:
    """Why a field changes nothing with the other values as they are, or nothing."""
    architecture, optimizer = typed["architecture"], typed["optimizer"]
    borrowed, headless = architecture == "transfer", not str(typed["dense_units"]).strip()
    reasons = {
        "blocks": (architecture != "resnet", "Only a ResNet has them."),
        **dict.fromkeys(
            ("filters", "kernel", "batch_norm"), (borrowed, "The borrowed network decides it.")
        ),
        **dict.fromkeys(
            ("padding", "pool", "pool_padding"),
            (architecture != "cnn", "Only a CNN leaves this open."),
        ),
        **dict.fromkeys(
            ("backbone", "enlarge", "frozen_epochs", "fine_tune_rate"),
            (not borrowed, "No network is borrowed."),
        ),
        "activation": (borrowed and headless, "The borrowed network decides it."),
        "momentum": (optimizer != "sgd", "Only SGD uses it."),
        "warm_up": (typed["schedule"] != "one_cycle", "Only the schedule one_cycle has one."),
        "beta_2": (optimizer not in ("adam", "adamw"), "Only Adam and AdamW use it."),
        "weight_decay": (optimizer not in ("adamw", "sgd"), "Only AdamW and SGD use it."),
        "dropout": (headless, "There are no dense layers before the outputs."),
        "validation_fraction": (
            typed["validation"] in ("fold", "test", "none"),
            "The folds decide it."
            if typed["validation"] == "fold"
            else "Nothing of the training pictures is kept back.",
        ),
        **dict.fromkeys(
            ("folds", "fold", "shuffle_folds"),
            (typed["validation"] != "fold", "Only where validation is one of k folds."),
        ),
        "early_stopping": (typed["validation"] == "none", "It needs validation pictures."),
    }
    idle, reason = reasons.get(field.name, (False, ""))
    return reason if idle else ""


def _group_label(group: str, fields: list[Field], preset: Preset) -> str:
    """The group's name, and how many of its settings are no longer the preset's: a closed group
    hides none of that.
    """
    changed = 0
    for field in fields:
        usual = getattr(preset.spec, field.name)
        changed += st.session_state.get(_key(field.name)) != (
            text_of(usual) if _as_text(field) else usual
        )
    title = (
        f"More on {group.lower()}"
        if any(field.basic and field.group == group for field in FIELDS)
        else group
    )
    return f"{title} · {changed} changed" if changed else title


def _published_text(preset: Preset) -> str:
    if preset.published is None:
        return ""
    _, accuracy = preset.published.level
    if accuracy is None:
        return f" Published without a figure ({preset.published.source})."
    asked = "test" if preset.published.test_accuracy is not None else "validation"
    return f" Published: {percent(accuracy, 2)} of the {asked} pictures right ({preset.published.source})."


def _as_text(field: Field) -> bool:
    return field.kind not in ("flag", "choice", "int")


def _key(name: str) -> str:
    return f"train_{name}"
