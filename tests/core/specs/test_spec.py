"""Specs refuse what no training can start with, and say what is allowed."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from core.errors import InvalidSpec
from core.specs.fields import FIELDS, parse_setting
from core.specs.presets import PRESETS, preset
from core.specs.spec import TrainSpec

NUMBERS = ("int", "float")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name):
    spec = PRESETS[name].spec
    assert TrainSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_every_field_is_described_once():
    assert sorted(field.name for field in FIELDS) == sorted(
        field.name for field in fields(TrainSpec)
    )
    assert all(field.help and field.label for field in FIELDS)
    assert all(field.allowed for field in FIELDS if field.kind == "choice")
    assert all(field.limits[0] < field.limits[1] for field in FIELDS if field.kind in NUMBERS)


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("epochs", 0, "from 1 to 500"),
        ("epochs", 2.5, "whole number"),
        ("epochs", True, "whole number"),
        ("batch", 100_000, "from 1 to 4096"),
        ("learning_rate", float("nan"), "a number from"),
        ("learning_rate", "fast", "a number from"),
        ("optimizer", "adagrad", "adam, adamw, sgd, rmsprop"),
        ("filters", (32, -1), "each must be a whole number from 1 to 1024, not -1"),
        ("filters", tuple(range(1, 12)), "at most 8"),
        ("padding", ("full",), "same, valid"),
        ("flip", "perhaps", "yes or no"),
        ("name", "", "1 to 60"),
        ("name", "a\nb", "1 to 60"),
        ("dropout", (), "at least one"),
        ("dropout", (0.1, 0.2), "one for each"),
        ("erase", 1.1, "from 0 to 1"),
        ("erase", float("inf"), "from 0 to 1"),
        ("epochs", 10**400, "from 1 to 500"),
        ("seed", -1, "from 0"),
    ],
)
def test_a_wrong_value_is_refused_with_the_allowed_ones(name, value, part):
    with pytest.raises(InvalidSpec, match=part):
        TrainSpec().replace(**{name: value})


def test_an_unknown_field_is_refused_with_the_known_ones():
    with pytest.raises(InvalidSpec, match="learning_rate"):
        TrainSpec.from_dict({"lerning_rate": 1})
    with pytest.raises(InvalidSpec, match="JSON object"):
        TrainSpec.from_dict(["epochs"])


def test_a_network_without_filters_is_only_a_cnn():
    assert TrainSpec(filters=()).filters == ()
    with pytest.raises(InvalidSpec, match="at least one"):
        TrainSpec(architecture="resnet", filters=())


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("filters", "32, 64,128", (32, 64, 128)),
        ("filters", "[8]", (8,)),
        ("filters", "", ()),
        ("pool", "yes no", (True, False)),
        ("padding", "valid,same", ("valid", "same")),
        ("learning_rate", "1e-3", 0.001),
        ("flip", "on", True),
        ("epochs", " 3 ", 3),
        ("optimizer", "sgd", "sgd"),
    ],
)
def test_settings_are_read_as_people_type_them(name, text, value):
    assert parse_setting(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"), [("epochs", "three"), ("filters", "a,b"), ("flip", "2"), ("colour", "red")]
)
def test_settings_that_cannot_be_read_say_what_can(name, text):
    with pytest.raises(InvalidSpec):
        parse_setting(name, text)


def test_numpy_values_become_plain_ones():
    numpy = pytest.importorskip("numpy")
    spec = TrainSpec(epochs=numpy.int64(3), learning_rate=numpy.float32(0.5))
    assert type(spec.epochs) is int and type(spec.learning_rate) is float


def test_an_unknown_preset_names_the_known_ones():
    with pytest.raises(InvalidSpec, match="lab3-cnn"):
        preset("resnet-152")


@pytest.mark.parametrize(("pictures", "steps"), [(512, 2), (513, 3), (1, 1), (57_000, 223)])
def test_the_last_batch_of_an_epoch_may_be_smaller(pictures, steps):
    assert TrainSpec(batch=256).steps(pictures) == steps
