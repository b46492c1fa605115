"""The Experiments page as a visitor meets it: forms, experiments running and finished, comparison,
baselines, gradient check.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import f1_score
from streamlit.testing.v1 import AppTest

from core import engine, runs
from core.experiments import baselines, records
from core.experiments.baselines import FitResult
from core.experiments.records import FOLDS, SWEEP, Axis
from core.specs.presets import PRESETS
from core.specs.spec import TrainSpec
from core.training import gradient_check
from tests import fixtures
from tests.ui.train.test_train_page import (  # noqa: F401 (a fixture for every test)
    HISTORY,
    finished_run,
    fresh_caches,
    metrics,
    opened_cold,
    said,
)
from ui import cache
from ui.components.curves import Overlay
from ui.experiments import run_table, series_charts

BASE = TrainSpec(
    name="tiny", data="offline-sample", filters=(), dense_units=(), batch=256, epochs=2
)


def opened(**address: str) -> AppTest:
    """The page, opened cold under an address."""
    return opened_cold("pages/5_Experiments.py", **address)


def with_sample(**address: str) -> AppTest:
    app = opened(**address)
    app.button(key="frame_sample").click().run()
    assert not app.exception, app.exception
    return app


def keys(elements) -> set[str]:
    return {one.key for one in elements}


def rows_of(app: AppTest, number: int = 0) -> list[dict]:
    return app.dataframe[number].value.to_dict("records")


def progress(app: AppTest) -> str:
    """What the bar says."""
    return app.get("progress")[0].proto.text


def finished_sweep(seeds=(1, 2, 3), *, stopped: int = 0) -> records.Experiment:
    """A sweep over seeds whose trainings are done, except the last `stopped`, which were stopped
    early.
    """
    made = records.create(SWEEP, "seeds", BASE, (Axis("seed", tuple(seeds)),))
    for point, spec in enumerate(made.points):
        status = "stopped" if point >= len(seeds) - stopped else "finished"
        made = made.with_run(point, finished_run(spec, status=status))
    records.save(made)
    return made


# --- forms ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["sweep", "folds", "baselines", "gradient"])
def test_without_data_every_form_offers_download_and_sample(view):
    app = opened(view=view)
    assert app.button(key="frame_sample").label == "Use the offline sample"


def test_on_the_sample_published_experiments_wait_for_the_real_data():
    app = with_sample(view="sweep")
    buttons = [
        button for button in app.button if (button.key or "").startswith("experiments_report_")
    ]
    assert len(buttons) == 5 and all(button.disabled for button in buttons)
    assert not app.button(key="experiments_sweep_start").disabled
    assert "3 trainings" in said(app.markdown)


def test_a_faulty_sweep_is_explained_and_cannot_be_started():
    app = with_sample(view="sweep")
    app.text_input(key="experiments_values_1_learning_rate").input("0.1, fast").run()
    assert app.button(key="experiments_sweep_start").disabled and "Learning rate" in said(app.error)
    app.text_input(key="experiments_values_1_learning_rate").input("0.1, 0.01").run()
    app.selectbox(key="experiments_setting_2").select("optimizer").run()
    assert not app.error and "4 trainings" in said(app.markdown)
    app.selectbox(key="experiments_setting_2").select("learning_rate").run()
    assert "two different ones" in said(app.error)


def test_an_address_with_an_unknown_experiment_gets_a_sentence_and_the_form():
    for param, view in (
        ("experiment", "sweep"),
        ("experiment", "folds"),
        ("baselines", "baselines"),
        ("runs", "compare"),
    ):
        app = opened(**{"view": view, param: "nobody-knows-me"})
        assert "nobody-knows-me" in said(app.warning)


# --- an experiment --------------------------------------------------------------------------------


def test_a_finished_sweep_shows_scores_seconds_and_the_best_which_opens_in_train():
    made = finished_sweep()
    app = opened(view="sweep", experiment=made.id)
    assert said(app.header) == "seeds" and progress(app) == "3 of 3 done"
    table = rows_of(app)
    assert [row["Seed"] for row in table] == ["1", "2", "3"] and {
        row["State"] for row in table
    } == {"Done"}
    assert table[0]["Validation accuracy"] == pytest.approx(77.0) and table[0]["Seconds"] == 65
    assert "Best overall: seed 1" in said(app.markdown) and "77.00 %" in said(app.markdown)
    assert "Over 3 seeds: 77.00 ± 0.00 %" in said(app.caption)
    assert "experiments_go_on" not in keys(app.button)
    app.button(key="experiments_best").click().run()
    assert not app.exception
    app.switch_page("pages/2_Train.py").run()  # as the browser does when it is told to go there
    app.button(key="frame_sample").click().run()
    assert (
        app.number_input(key="train_seed").value == 1
        and app.text_input(key="train_name").value == made.points[0].name
    )


def test_trainings_stopped_or_never_begun_are_listed_and_can_be_trained():
    made = finished_sweep(stopped=2)
    records.save(made.with_run(2, None))
    app = opened(view="sweep", experiment=made.id)
    assert [row["State"] for row in rows_of(app)] == ["Done", "Stopped at epoch 3", "Not trained"]
    assert np.isnan(rows_of(app)[1]["Validation accuracy"]) and "Best so far: seed 1" in said(
        app.markdown
    )
    assert app.button(key="experiments_go_on").label == "Train the remaining 2"
    app.button(key="experiments_delete").click().run()
    assert (
        records.list_all() == [] and len([run for run in runs.list_runs() if not run.shipped]) == 3
    )
    undo = next(key for key in keys(app.button) if (key or "").startswith("undo_use_"))
    app.button(key=undo).click().run()
    assert not app.exception and [kept.id for kept in records.list_all()] == [made.id]


def test_a_sweep_of_rates_is_ordered_by_size_and_says_what_it_found():
    made = records.create(SWEEP, "rates", BASE, (Axis("learning_rate", (0.05, 0.01, 0.001)),))
    for point, (spec, last) in enumerate(zip(made.points, (0.7, 0.8, 0.3), strict=True)):
        rows = [replace(epoch, val_accuracy=last) for epoch in HISTORY]
        made = made.with_run(point, fixtures.scored_run(spec, rows))
    records.save(made)
    app = opened(view="sweep", experiment=made.id)
    assert (
        "A 10 times smaller learning rate (0.001 instead of 0.01) costs 50.0 percentage points"
        in said(app.markdown).replace("\\", "")
    )
    drawn = {
        chart.proto.id.split("-")[-1]: json.loads(chart.proto.spec)
        for chart in app.get("plotly_chart")
    }
    score = drawn["experiments_score"]
    assert score["layout"]["xaxis"]["type"] == "log"
    assert score["layout"]["xaxis"]["ticktext"] == ["0.001", "0.01", "0.05"]
    bars = drawn["experiments_validation_test"]
    assert [bar["name"] for bar in bars["data"]] == ["Validation accuracy", "Test accuracy"]
    assert bars["data"][0]["y"] == pytest.approx([30.0, 80.0, 70.0])
    losses = drawn["experiments_sweep_loss"]
    assert [curve["name"] for curve in losses["data"]] == ["0.05", "0.01", "0.001"]
    assert losses["layout"]["title"]["text"] == "Validation loss after each epoch"


def test_curves_without_validation_are_called_those_of_training():
    bare = [replace(epoch, val_loss=None, val_accuracy=None) for epoch in HISTORY]
    titles = [
        series_charts.overlaid(
            [Overlay(str(number), rows) for number, rows in enumerate(histories)], "loss"
        ).layout.title.text
        for histories in ([HISTORY], [bare], [HISTORY, bare])
    ]
    assert titles == [
        "Validation loss after each epoch",
        "Training loss after each epoch",
        "Validation or training loss after each epoch",
    ]


def test_a_published_sweep_shows_the_reports_figures_and_says_that_they_leak():
    preset = PRESETS["lab-sgd-cnn"]
    made = records.create(SWEEP, "report", preset.spec, (records.axis("dropout", (0.1, 0.2)),))
    made = made.with_run(0, finished_run(made.points[0]))
    records.save(made)
    app = opened(view="sweep", experiment=made.id)
    table = rows_of(app)
    assert [row["Published"] for row in table] == pytest.approx([89.12, 89.52])
    assert table[0]["Test accuracy, last epoch"] == pytest.approx(100 * HISTORY[-1].val_accuracy)
    assert "Zerouale" in said(app.caption) and "looks better than it is" in said(app.caption)


def test_a_sweep_over_two_settings_is_drawn_as_a_grid():
    made = records.create(SWEEP, "two", BASE, (Axis("batch", (64, 128)), Axis("epochs", (1, 2, 3))))
    records.save(made.with_run(4, finished_run(made.points[4])))
    app = opened(view="sweep", experiment=made.id)
    table = rows_of(app)
    assert [(row["Batch size"], row["Epochs"]) for row in table][4] == ("128", "2") and table[4][
        "State"
    ] == "Done"
    drawn = series_charts.over(
        ("Batch size", "Epochs"),
        (("64", "128"), ("1", "2", "3")),
        [[None] * 3, [None, 77.0, None]],
        title="t",
        unit=" %",
        more_is_better=True,
    )
    assert drawn.data[0].text[1] == ["", "77.00", ""]


def test_the_folds_of_the_report_are_shown_next_to_ours_with_mean_and_deviation():
    ((preset, folds),) = records.published_folds()
    made = records.create(FOLDS, "folds", *records.spec_of_folds(preset, folds))
    for point, spec in enumerate(made.points[:2]):
        rows = [replace(epoch, val_accuracy=0.86 + 0.02 * point) for epoch in HISTORY]
        run_id = fixtures.finished_run(spec, np.full((400, 10), 0.1), rows=rows)
        made = made.with_run(point, run_id)
    records.save(made)
    app = opened(view="folds", experiment=made.id)
    found = metrics(app)
    assert (found["Mean"], found["Deviation"]) == ("87.00 %", "± 1.00")
    assert (found["Published mean"], found["Published deviation"]) == ("88.04 %", "± 0.41")
    table = rows_of(app)
    assert [row["Published"] for row in table] == pytest.approx([87.89, 87.39, 88.21, 88.64, 88.07])
    assert [row["State"] for row in table] == ["Done", "Done", *["Not trained"] * 3]


def test_a_sweep_is_started_followed_stopped_and_found_again_cold():
    """With a real engine: three trainings, stopped while the first of them runs."""
    app = with_sample(view="sweep")
    app.selectbox(key="experiments_sweep_base").select("project-mlp").run()
    app.number_input(key="experiments_sweep_epochs").set_value(400).run()
    app.selectbox(key="experiments_setting_1").select("seed").run()
    app.text_input(key="experiments_values_1_seed").input("1, 2, 3").run()
    try:
        app.button(key="experiments_sweep_start").click().run()
        assert not app.exception and not app.error, said(app.error)
        (made,) = records.list_all()
        assert None not in made.run_ids
        again = opened(view="sweep", experiment=made.id)
        assert "experiments_stop" in keys(again.button)
        connection = engine.connect()
        _wait(lambda: runs.history(made.run_ids[0]))
        again.button(key="experiments_stop").click().run()
        _wait(lambda: not connection.jobs())
        cold = opened(view="sweep", experiment=made.id)
        states = [row["State"] for row in rows_of(cold)]
        assert states[0].startswith("Stopped at epoch") and states[1:] == ["Not trained"] * 2
    finally:
        engine.end_own()


def _wait(condition, seconds: float = 240.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


# --- comparison -----------------------------------------------------------------------------------


def test_runs_and_baselines_share_one_table_and_the_chosen_ones_show_their_f1():
    first, second = (
        finished_run(BASE.replace(name="first")),
        finished_run(BASE.replace(name="second", validation="test")),
    )
    made = baselines.create(BASE, ("forest",), (0, 50))
    baselines.keep(replace(made, results=(FitResult(1800, 3.5, 0.7, 0.71, (0.7,) * 10), None)))
    app = opened(view="compare", runs=f"{first},{made.id}.0")
    table = {row["Name"]: row for row in rows_of(app)}
    assert {"first", "second", "Random forest"} <= set(table)
    assert table["first"]["Test accuracy"] == pytest.approx(81.25) and table["first"][
        "Last validation"
    ] == pytest.approx(77.0)
    assert (
        table["Random forest"]["Pictures"] == 1800
        and table["second"]["Judged on"] == "test set (leaks)"
    )
    f1 = app.dataframe[1].value
    assert list(f1.columns) == ["Class", "first", "Random forest"] and f1[
        "Random forest"
    ].tolist() == pytest.approx([70.0] * 10)
    found = runs.test_predictions(first)
    truth = f1_score(
        found.labels,
        found.probabilities.argmax(axis=1),
        average=None,
        labels=range(10),
        zero_division=0,
    )
    assert f1["first"].tolist() == pytest.approx((100 * truth).tolist())
    app.multiselect(key=run_table.KEY).set_value([second]).run()
    assert not app.exception and app.query_params["runs"] in (second, [second])
    assert list(app.dataframe[1].value.columns) == ["Class", "second"]


def test_figures_on_different_data_come_with_a_warning():
    first, second = finished_run(BASE), finished_run(BASE.replace(data="fashion-mnist"))
    assert "their figures cannot be compared" in said(
        opened(view="compare", runs=f"{first},{second}").warning
    )
    assert "cannot be compared" not in said(opened(view="compare", runs=first).warning)


def test_long_names_of_a_series_stay_apart_in_a_legend():
    names = [f"project-mlp, dense units 16, of a long series, fold {fold}" for fold in (1, 2)]
    for drawn in (
        series_charts.overlaid([Overlay(name, HISTORY) for name in names], "loss"),
        series_charts.f1([(name, [0.5] * 10) for name in names]),
    ):
        shown = [trace.name for trace in drawn.data]
        assert len(set(shown)) == 2 and all(
            len(name) <= series_charts.NAME_LETTERS for name in shown
        )


# --- classical methods and gradient check ---------------------------------------------------------


def test_baselines_are_computed_in_the_background_and_shown_with_their_sizes():
    """With a real process."""
    app = with_sample(view="baselines")
    assert "Gradient boosting: 20,000 pictures at most" in said(app.caption)
    app.multiselect(key="experiments_baseline_methods").set_value(["neighbours"]).run()
    app.number_input(key="experiments_baseline_components").set_value(20).run()
    app.button(key="experiments_baseline_start").click().run()
    assert not app.exception and not app.error
    (made,) = baselines.list_all()
    assert made.spec.data == "offline-sample"
    _wait(lambda: baselines.read(made.id).done == 2 and baselines.working() is None)
    app = opened(view="baselines", baselines=made.id)
    plain, reduced = rows_of(app)
    learned = round(2000 * (1 - PRESETS["swift"].spec.validation_fraction))  # of the offline sample
    assert (
        plain["Method"] == "k-nearest neighbours"
        and plain["Pictures"] == learned
        and reduced["Components"] == 20
    )
    assert plain["Test accuracy"] == pytest.approx(
        100 * baselines.read(made.id).results[0].test_accuracy
    )
    assert progress(app) == "2 of 2 done" and "experiments_baseline_go_on" not in keys(app.button)


def test_a_gradient_check_is_put_to_the_engine_and_its_answer_shown(monkeypatch):
    tensor = gradient_check.TensorCheck(
        "dense/kernel",
        (2, 2),
        positions=(0, 3),
        backpropagated=(0.5, -0.25),
        differences=(0.5, -0.3),
        settled=(0.5, -0.25),
        steps=(0.01, 0.001),
        agrees=(True, True),
    )
    answer = gradient_check.GradientCheck("project-mlp", "offline-sample", 0.01, 2.3, (tensor,))
    asked = []
    monkeypatch.setattr(
        cache,
        "engine",
        lambda: SimpleNamespace(
            check_gradient=lambda spec, **values: (
                asked.append({"spec": spec, **values})
                or SimpleNamespace(done=True, result=lambda: answer)
            )
        ),
    )
    app = with_sample(view="gradient")
    app.button(key="experiments_gradient_start").click().run()
    assert (
        not app.exception
        and asked[0]["spec"].data == "offline-sample"
        and asked[0]["epsilon"] == 0.01
    )
    assert "all of 2 weights agree" in said(app.success)
    assert (
        rows_of(app)[0]["Error, largest"] == "9.1e-02"
        and rows_of(app)[0]["Smallest step"] == "1e-03"
    )
    again = with_sample(view="gradient", preset="project-mlp")
    assert "all of 2 weights agree" in said(again.success), "another visitor sees the same answer"
