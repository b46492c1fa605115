"""Sweeps and cross-validations as records: what is varied, what was published for it, what is found
again on disk.
"""

from __future__ import annotations

import json

import pytest

from core import runs, settings
from core.errors import InvalidSpec, RunDamaged, RunNotFound
from core.experiments import records
from core.experiments.records import FOLDS, SWEEP, Axis
from core.specs.presets import PRESETS
from core.specs.spec import TrainSpec

BASE = TrainSpec(
    name="small", data="offline-sample", filters=(4,), dense_units=(8,), batch=256, epochs=2
)


@pytest.mark.parametrize(
    ("setting", "text", "values"),
    [
        ("learning_rate", "0.1, 0.01 1e-3,0.1", (0.1, 0.01, 0.001)),
        ("filters", "8, 16, 32", ((8,), (16,), (32,))),
        ("filters", "32; 32, 64; ", ((32,), (32, 64))),
        ("optimizer", "adam, sgd", ("adam", "sgd")),
        ("batch_norm", "yes no", (True, False)),
        ("seed", "3", (3,)),
    ],
)
def test_values_are_read_as_people_type_them(setting, text, values):
    assert records.parse_values(setting, text).values == values


@pytest.mark.parametrize(
    ("setting", "text", "sentence"),
    [
        ("batch", "0", "from 1 to 4096"),
        ("batch", " ", "at least one value"),
        ("name", "a, b", "cannot be varied"),
        ("colour", "red", "cannot be varied"),
        ("optimizer", "adma", "one of adam"),
    ],
)
def test_values_that_are_not_allowed_are_refused_with_those_that_are(setting, text, sentence):
    with pytest.raises(InvalidSpec, match=sentence):
        records.parse_values(setting, text)


def test_a_sweep_over_two_settings_is_every_combination_named_after_its_values():
    axes = (Axis("batch", (64, 128)), Axis("epochs", (1, 2, 3)))
    points = records.grid(BASE, axes)
    assert [(spec.batch, spec.epochs) for spec in points] == [
        (64, 1),
        (64, 2),
        (64, 3),
        (128, 1),
        (128, 2),
        (128, 3),
    ]
    assert points[0].name == "small, batch size 64, epochs 1" and {
        spec.filters for spec in points
    } == {(4,)}


@pytest.mark.parametrize(
    "axes", [(), (Axis("batch", (1,)),) * 2, (Axis("seed", tuple(range(61))),)]
)
def test_nothing_to_vary_the_same_twice_or_too_much_is_refused(axes):
    with pytest.raises(InvalidSpec):
        records.grid(BASE, axes)


def test_the_longest_name_still_fits_a_run():
    (spec,) = records.grid(BASE.replace(name="x" * 60), (Axis("epochs", (1,)),))
    assert len(spec.name) == 60


def test_an_experiment_is_found_again_as_it_was_and_its_runs_stay_when_it_goes():
    axes = (Axis("filters", ((4,), (4, 8))), Axis("batch_norm", (True, False)))
    created = records.create(SWEEP, "Mine", BASE, axes)
    run_id = runs.create(BASE)
    records.save(created.with_run(2, run_id))
    (listed,) = records.list_all()
    assert listed == created.with_run(2, run_id) and listed.run_ids == (None, None, run_id, None)
    assert listed.values == (("4", "yes"), ("4", "no"), ("4, 8", "yes"), ("4, 8", "no"))
    assert [run.id for run in runs.list_runs() if not run.shipped] == [run_id], (
        "the records are no runs"
    )
    records.delete(created.id)
    assert records.list_all() == [] and runs.read(run_id).id == run_id
    with pytest.raises(RunNotFound):
        records.read(created.id)


def test_an_experiment_with_a_network_that_cannot_be_built_is_not_recorded():
    with pytest.raises(InvalidSpec):
        records.create(
            SWEEP, "x", BASE.replace(padding=("valid",)), (Axis("filters", ((4,), (4,) * 8)),)
        )
    assert records.record_ids() == []


def test_a_record_edited_by_hand_is_reported_and_does_not_hide_the_others(own_folders):
    good, bad = (
        records.create(SWEEP, name, BASE, (Axis("epochs", (1, 2)),)) for name in ("good", "bad")
    )
    path = own_folders / "runs" / "_experiments" / f"{bad.id}.json"
    assert settings.runs_address() == str(own_folders / "runs")
    values = json.loads(path.read_text())
    for changes in (
        {"runs": [None]},
        {"axes": [{"setting": "epochs", "values": ["none"]}]},
        {"runs": ["../x", None]},
        {"base": []},
    ):
        path.write_text(json.dumps(values | changes))
        with pytest.raises(RunDamaged, match="its runs stay"):
            records.read(bad.id)
    path.write_text("{")
    assert [experiment.id for experiment in records.list_all()] == [good.id]
    with pytest.raises(RunNotFound):
        records.read("../../etc/passwd")


# --- what was published ---------------------------------------------------------------------------


def test_the_sweeps_of_a_report_are_those_that_it_prints():
    published = {
        sweep.setting: (preset.name, sweep.values, sweep.errors_percent)
        for preset, sweep in records.published_sweeps()
    }
    assert list(published) == ["filters", "dense_units", "epochs", "learning_rate", "dropout"]
    assert published["dense_units"] == (
        "lab-sgd-cnn",
        (16, 64, 128, 256, 512),
        (10.80, 10.13, 9.91, 9.84, 8.93),
    )


@pytest.mark.parametrize(
    "setting", ["filters", "dense_units", "epochs", "learning_rate", "dropout"]
)
def test_a_sweep_of_a_report_is_recognised_with_another_seed_and_other_values(setting):
    preset, sweep = next(both for both in records.published_sweeps() if both[1].setting == setting)
    axis = records.axis(setting, sweep.values)
    created = records.create(SWEEP, "report", preset.spec.replace(seed=5), (axis,))
    assert records.sweep_report(created) == (preset, sweep)
    fewer = records.create(SWEEP, "fewer", preset.spec, (records.axis(setting, sweep.values[:2]),))
    assert records.sweep_report(fewer) == (preset, sweep)
    other = records.create(SWEEP, "other", preset.spec.replace(batch=512), (axis,))
    assert records.sweep_report(other) is None


def test_the_cross_validation_of_the_report_has_its_folds_epochs_and_rate():
    ((preset, folds),) = records.published_folds()
    base, axes = records.spec_of_folds(preset, folds)
    points = records.grid(base, axes)
    assert [
        (spec.validation, spec.folds, spec.fold, spec.shuffle_folds, spec.seed) for spec in points
    ] == [("fold", 5, fold, True, 1) for fold in range(1, 6)]
    assert {(spec.epochs, spec.learning_rate, spec.batch) for spec in points} == {(5, 0.001, 32)}
    assert (
        points[0].replace(name="lab-sgd-cnn", validation="test", seed=0, learning_rate=0.01)
        == PRESETS["lab-sgd-cnn"].spec
    )
    assert records.folds_report(records.create(FOLDS, "k", base, axes)) == (preset, folds)
    assert records.folds_report(records.create(FOLDS, "k", base.replace(epochs=6), axes)) is None
