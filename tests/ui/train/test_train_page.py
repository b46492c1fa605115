"""The Train page as a visitor meets it: the form, a run in training, a finished one, an interrupted
one, the list.
"""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import engine, runs, wording
from core.networks import architectures
from core.runs import Epoch, Phase, Progress
from core.settings import ROOT
from core.specs.fields import FIELDS
from core.specs.presets import PRESETS
from core.specs.spec import TrainSpec
from core.wording import value_text
from tests import fixtures
from ui.train import jobs, start

SMALL = TrainSpec(
    name="small", data="offline-sample", filters=(4,), dense_units=(), batch=256, epochs=2
)
HISTORY = [
    Epoch(epoch, 1 / epoch, 0.5 + 0.1 * epoch, 1.1 / epoch, 0.5 + 0.09 * epoch, 1.0, 0.001)
    for epoch in (1, 2, 3)
]


@pytest.fixture(autouse=True)
def fresh_caches():
    """What one test put into the shared caches is nothing to the next."""
    st.cache_resource.clear()
    st.cache_data.clear()


def opened_cold(page: str, **address: str) -> AppTest:
    """A page, opened cold under an address such as `run=...`."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    app.switch_page(page)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def opened(**address: str) -> AppTest:
    """The page Train, opened cold."""
    return opened_cold("pages/2_Train.py", **address)


def with_sample(**address: str) -> AppTest:
    """The page with the form, on the offline sample."""
    app = opened(new="1", **address)
    app.button(key="frame_sample").click().run()
    assert not app.exception, app.exception
    return app


def finished_run(
    spec: TrainSpec = SMALL, status: str = "finished", accuracy: float = 0.8125
) -> str:
    return fixtures.finished_run(
        spec,
        np.full((400, 10), 0.1),
        rows=HISTORY,
        status=status,
        seconds=65.0,
        status_text="finished" if status == "finished" else f"stopped at epoch {len(HISTORY)}",
        scores={"test_accuracy": accuracy, "test_loss": 0.52, "test_loss_uncalibrated": 0.52},
    )


def interrupted_run() -> str:
    run_id = runs.create(SMALL)
    history = HISTORY[:2]
    runs.write_history(run_id, history)
    runs.write_json(
        run_id,
        "checkpoint.json",
        {
            "epochs_done": 2,
            "rows": [epoch.to_dict() for epoch in history],
            "best": {"epoch": 2},
            "seconds": 2.0,
        },
    )
    return run_id


def said(elements) -> str:
    """What people read; a no-break space counts as a space."""
    return "\n".join(str(element.value) for element in elements).replace("\N{NO-BREAK SPACE}", " ")


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value.replace("\N{NO-BREAK SPACE}", " ") for metric in app.metric}


# --- the form -------------------------------------------------------------------------------------


def test_without_data_the_page_offers_download_and_sample_and_still_lists_the_runs():
    finished_run()
    app = opened(new="1")
    assert len(app.warning) == 1
    assert app.button(key="frame_sample").label == "Use the offline sample"
    assert "train_start" not in [button.key for button in app.button]
    assert len(app.selectbox(key="train_managed").options) >= 1


def test_on_the_sample_the_data_cannot_be_chosen_and_are_labelled():
    app = with_sample()
    assert app.selectbox(key="train_data").value == "offline-sample"
    assert app.selectbox(key="train_data").disabled
    assert "Offline sample" in str(app.main)


def test_every_field_of_a_spec_has_an_input_with_its_help():
    app = with_sample()
    inputs = {
        widget.key: widget
        for kind in (app.text_input, app.number_input, app.selectbox, app.toggle)
        for widget in kind
    }
    for field in FIELDS:
        assert inputs[f"train_{field.name}"].label == field.label
        assert field.help in inputs[f"train_{field.name}"].help


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_the_whole_form_and_reads_back_as_it_was(name, fashion_mnist):
    app = opened(new="1")
    app.selectbox(key="train_preset").select(name).run()
    assert not app.exception
    spec = PRESETS[name].spec
    for field in FIELDS:
        shown, value = app.session_state[f"train_{field.name}"], getattr(spec, field.name)
        assert shown == (value_text(value) if field.is_typed else value)
    assert metrics(app)["Parameters"] == f"{architectures.parameters(spec):,}"
    assert not app.button(key="train_start").disabled
    assert "Changed" not in said(app.caption)


def test_the_layer_table_is_there_before_training_and_follows_the_form():
    app = with_sample()
    app.selectbox(key="train_architecture").select("cnn").run()
    app.text_input(key="train_filters").input("8, 16").run()
    app.text_input(key="train_dense_units").input("").run()
    table = app.table[0].value
    spec = PRESETS["swift"].spec.replace(
        architecture="cnn", filters=(8, 16), dense_units=(), data="offline-sample"
    )
    layers = architectures.blueprint(spec)
    assert len(table) == len(layers)
    assert list(table["Parameters"]) == [
        f"{layer.parameters:,}" if layer.parameters else "–" for layer in layers
    ]
    assert table["Output"].iloc[-1] == "10"
    before = ", ".join(map(str, PRESETS["swift"].spec.filters))
    assert f"Filters {before} → 8, 16" in said(app.caption)


def test_a_wrong_value_is_refused_with_the_allowed_ones_and_stays_as_typed():
    app = with_sample()
    app.text_input(key="train_learning_rate").input("fast").run()
    app.number_input(key="train_epochs").set_value(9999).run()
    errors = said(app.error)
    assert "Learning rate" in errors and "1e-07" in errors and '"fast"' in errors
    assert "Epochs" in errors and "500" in errors
    assert app.text_input(key="train_learning_rate").value == "fast"
    assert app.number_input(key="train_epochs").value == 9999
    assert app.button(key="train_start").disabled
    app.text_input(key="train_learning_rate").input("0.01").run()
    app.number_input(key="train_epochs").set_value(5).run()
    assert not app.error and not app.button(key="train_start").disabled


def test_layers_that_do_not_fit_are_refused_before_training():
    app = with_sample()
    app.selectbox(key="train_architecture").select("cnn").run()
    app.text_input(key="train_filters").input("8, 8, 8, 8").run()
    app.text_input(key="train_padding").input("valid").run()
    assert "cannot shrink further" in said(app.error)
    assert app.button(key="train_start").disabled


def test_validating_on_the_test_set_is_called_a_leak():
    app = with_sample()
    app.selectbox(key="train_validation").select("test").run()
    assert "test accuracy will look better than it is" in said(app.warning)


def test_a_field_without_effect_is_disabled_and_says_why():
    app = with_sample()
    assert app.number_input(key="train_blocks").disabled
    assert "Only a ResNet" in app.number_input(key="train_blocks").help
    app.selectbox(key="train_architecture").select("resnet").run()
    assert not app.number_input(key="train_blocks").disabled


def test_an_engine_that_cannot_be_reached_gives_a_sentence_and_leaves_no_run(monkeypatch):
    monkeypatch.setenv("ATELIER_ENGINE", "tcp://127.0.0.1:9")
    app = with_sample()
    app.button(key="train_start").click().run()
    assert "127.0.0.1:9" in said(app.error) and "ATELIER_ENGINE" in said(app.error)
    assert [run.id for run in runs.list_runs() if not run.shipped] == []
    assert app.button(key="train_start").label == "Train"


def test_a_double_click_starts_one_run_and_two_visitors_start_two(monkeypatch):
    asked = []
    fake = SimpleNamespace(submit=lambda spec: asked.append(spec) or f"run-{len(asked)}")
    monkeypatch.setattr(start.cache, "engine", lambda: fake)
    monkeypatch.setattr(start.cache, "forget_runs", lambda: None)
    monkeypatch.setattr(start.jobs, "open_run", lambda run_id: None)
    visitors = [start.StartState(), start.StartState()]
    for visitor in (0, 0, 1):
        monkeypatch.setattr(
            start.state, "page_state", lambda kind, visitor=visitor: visitors[visitor]
        )
        start.start(SMALL)
    assert [visitor.run_id for visitor in visitors] == ["run-1", "run-2"]


# --- runs -----------------------------------------------------------------------------------------


def test_a_finished_run_shows_its_scores_what_its_curves_say_and_where_to_go():
    run_id = finished_run()
    app = opened(run=run_id)
    shown = metrics(app)
    assert (
        shown["Test accuracy"],
        shown["Test loss"],
        shown["Best epoch"],
        shown["Training time"],
    ) == ("81.25 %", "0.520", "3 of 3", "1 min 5 s")
    assert any("insights" in text.value for text in app.markdown)
    links = {link.proto.label: link.proto.query_string for link in app.main.get("page_link")}
    assert links["See its mistakes"] == links["See its confusion matrix"] == f"run={run_id}"
    assert "train_start" not in [button.key for button in app.button]


def test_a_stopped_run_says_at_which_epoch():
    app = opened(run=finished_run(status="stopped"))
    assert "stopped at epoch 3" in said(app.info)


def test_a_run_that_diverged_says_where_and_offers_a_lower_rate():
    run_id = runs.create(SMALL.replace(learning_rate=0.5))
    runs.set_divergence(run_id, "The training diverged: in epoch 1, batch 3, it was so.")
    app = opened(run=run_id)
    assert "epoch 1, batch 3" in said(app.error)
    assert "train_resume" not in [button.key for button in app.button]
    app.button(key="train_lower").click().run()
    assert dict(app.query_params) == {"new": "1"}
    app.button(key="frame_sample").click().run()
    assert app.text_input(key="train_learning_rate").value == "0.05"


def test_an_interrupted_run_says_so_and_can_be_resumed():
    app = opened(run=interrupted_run())
    assert "interrupted after epoch 2" in said(app.warning)
    assert app.button(key="train_resume").label == "Resume"


@pytest.mark.parametrize("address", ["20200101-000000-gone-0000", "../../etc", "CON"])
def test_an_address_without_a_run_gives_a_sentence_and_a_way_forward(address):
    app = opened(run=address)
    assert len(app.warning) == 1 and "Choose" in said(app.warning)
    app.button(key="train_new").click().run()
    assert dict(app.query_params) == {"new": "1"}


def test_a_run_deleted_in_another_tab_gives_a_sentence():
    run_id = finished_run()
    app = opened(run=run_id)
    runs.delete(run_id)
    app.run()
    assert not app.exception
    assert f"The run {run_id} was deleted and is in the bin" in said(app.warning)


def test_a_record_edited_by_hand_gives_a_sentence_and_can_be_deleted():
    run_id = finished_run()
    runs.write(run_id, "run.json", b"{ not json")
    app = opened(run=run_id)
    assert run_id in said(app.error)
    app.button(key=f"train_delete_{run_id}").click().run()
    assert not app.exception
    assert runs.list_damaged() == []


def test_settings_of_a_run_can_be_copied_into_the_form():
    app = with_sample()
    app.query_params.clear()
    app.query_params["run"] = finished_run(SMALL.replace(epochs=7, learning_rate=0.02))
    app.run()
    app.button(key="train_copy").click().run()
    assert app.number_input(key="train_epochs").value == 7
    assert app.text_input(key="train_learning_rate").value == "0.02"


def test_an_earlier_run_is_overlaid_on_demand_and_forgotten_when_deleted():
    first, second = (
        finished_run(SMALL.replace(name="first")),
        finished_run(SMALL.replace(name="second")),
    )
    app = opened(run=second)
    app.multiselect(key="train_overlay").select(first).run()
    assert "first" in app.main.get("plotly_chart")[0].proto.spec
    runs.delete(first)
    st.cache_resource.clear()
    app.run()
    assert not app.exception
    assert "first" not in app.main.get("plotly_chart")[0].proto.spec


def test_a_published_figure_appears_only_with_the_curves_of_its_preset():
    preset = PRESETS["lab3-cnn"]
    app = opened(run=finished_run(preset.spec.replace(name="mine", seed=3, epochs=2)))
    assert preset.published.source in said(app.caption)
    app = opened(run=finished_run(preset.spec.replace(batch=32)))
    assert preset.published.source not in said(app.caption)


# --- the list -------------------------------------------------------------------------------------


def test_a_run_can_be_renamed_and_noted():
    run_id = finished_run()
    app = opened(run=run_id)
    app.text_input(key=f"train_name_{run_id}").input("Better name")
    app.text_area(key=f"train_note_{run_id}").input("from the lecture")
    next(button for button in app.button if button.label == "Save").click().run()
    assert not app.exception
    assert (runs.read(run_id).name, runs.read(run_id).note) == ("Better name", "from the lecture")
    assert "Better name" in said(app.header)


def test_an_empty_name_is_refused_with_a_sentence():
    run_id = finished_run()
    app = opened(run=run_id)
    app.text_input(key=f"train_name_{run_id}").input(" ")
    next(button for button in app.button if button.label == "Save").click().run()
    assert "1 to 60 characters" in said(app.error)
    assert runs.read(run_id).name == "small"


def undo_offered(app) -> str:
    return next(button.key for button in app.button if (button.key or "").startswith("undo_use_"))


def test_a_run_can_be_made_champion_and_back():
    before, run_id = finished_run(), finished_run()
    runs.promote(before)
    app = opened(run=run_id)
    app.button(key=f"train_promote_{run_id}").click().run()
    assert not app.exception and runs.champion().id == run_id
    assert app.button(key=f"train_promote_{run_id}").disabled
    app.button(key=undo_offered(app)).click().run()
    assert not app.exception and runs.champion().id == before


def test_a_weaker_champion_is_confirmed_first():
    before, run_id = finished_run(), finished_run(accuracy=0.1)
    runs.promote(before)
    app = opened(run=run_id)
    app.button(key=f"train_promote_{run_id}").click().run()
    assert runs.champion().id == before
    assert "10.00 %" in said(app.markdown).replace("\N{NO-BREAK SPACE}", " ")
    app.button(key=f"train_promote_{run_id}_cancel").click().run()
    assert runs.champion().id == before


def test_a_deleted_run_can_be_brought_back_and_a_second_click_deletes_nothing():
    other, run_id = finished_run(), finished_run()
    app = opened(run=run_id)
    app.button(key=f"train_delete_{run_id}").click().run()
    assert not app.exception
    assert [run.id for run in runs.list_runs() if not run.shipped] == [other]
    assert "run" not in app.query_params
    assert app.selectbox(key="train_managed").value is None
    assert not [
        button for button in app.button if (button.key or "").startswith("train_delete_")
    ], "nothing is left to click where Delete was"
    app.button(key=undo_offered(app)).click().run()
    assert not app.exception and runs.read(run_id).finished
    assert app.query_params["run"] in (run_id, [run_id])


def test_a_run_is_restored_from_the_bin():
    run_id = finished_run()
    runs.delete(run_id)
    app = opened(new="1")
    app.button(key=f"train_restore_{run_id}").click().run()
    assert not app.exception and runs.read(run_id).finished


def test_the_bin_is_emptied_only_when_confirmed():
    run_id = finished_run()
    runs.delete(run_id)
    app = opened(new="1")
    app.button(key="train_empty_bin").click().run()
    assert [run.id for run in runs.bin.listing()] == [run_id]
    assert "cannot be undone" in said(app.markdown)


def test_a_new_name_can_be_undone():
    run_id = finished_run()
    app = opened(run=run_id)
    app.text_input(key=f"train_name_{run_id}").input("Better name")
    next(button for button in app.button if button.label == "Save").click().run()
    app.button(key=undo_offered(app)).click().run()
    assert not app.exception and runs.read(run_id).name == "small"


def test_two_runs_with_one_name_are_told_apart_where_one_could_delete_the_wrong_one():
    first, second = finished_run(), finished_run()
    app = opened(run=second)
    options = app.selectbox(key="train_managed").options
    assert len(set(options)) == len(options) >= 2
    app.selectbox(key="train_managed").set_value(first).run()
    app.button(key=f"train_delete_{first}").click().run()
    left = [run.id for run in runs.list_runs() if not run.shipped]
    assert left == [second]
    assert app.query_params["run"] == second


def test_a_name_full_of_marks_is_shown_as_it_was_typed():
    assert wording.literal("a *b* [c](d) :red[e]") == r"a \*b\* \[c\]\(d\) \:red\[e\]"


# --- a run in training ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "place", "progress", "words"),
    [
        ("waiting", 1, None, "Queued, next"),
        ("waiting", 3, None, "Queued, number 3"),
        ("running", 0, None, "Starting"),
        ("running", 0, Progress("r", Phase.LOADING, epochs=8), "Loading the data"),
        (
            "running",
            0,
            Progress("r", Phase.PREPARING, stage="icons: 100 prepared"),
            "Preparing auxiliary data (icons: 100 prepared)",
        ),
        ("running", 0, Progress("r", Phase.TRAINING, 3, 8, 10, 40), "Epoch 3 of 8"),
        (
            "running",
            0,
            Progress("r", Phase.VALIDATING, 3, 8),
            "Epoch 3 of 8, checking on the validation pictures",
        ),
        ("stopping", 0, Progress("r", Phase.TRAINING, 3, 8, 10, 40), "Stopping · Epoch 3 of 8"),
    ],
)
def test_the_state_of_a_job_in_words(state, place, progress, words):
    assert jobs.state_text(engine.Job("r", state, place, progress)) == words


def test_progress_never_goes_back_from_one_batch_to_the_next():
    course = [
        Progress("r", Phase.LOADING, 0, 2),
        Progress("r", Phase.PREPARING, 0, 2),
        Progress("r", Phase.TRAINING, 1, 2, 1, 4),
        Progress("r", Phase.TRAINING, 1, 2, 4, 4),
        Progress("r", Phase.VALIDATING, 1, 2),
        Progress("r", Phase.TRAINING, 2, 2, 2, 4),
        Progress("r", Phase.VALIDATING, 2, 2),
        Progress("r", Phase.TESTING, 2, 2),
        Progress("r", Phase.SAVING, 2, 2),
    ]
    shares = [jobs.shares(progress)[0] for progress in course]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    assert shares[2] == 0.125


def test_pressing_train_trains_a_network_and_the_page_finds_it_again_cold():
    """With a real engine: the run appears in the address, is followed, found by a page opened anew,
    and ends with a score.
    """
    app = with_sample()
    app.text_input(key="train_filters").input("4, 4").run()
    app.number_input(key="train_epochs").set_value(2).run()
    try:
        app.button(key="train_start").click().run()
        assert not app.exception and not app.error, said(app.error)
        run_id = app.query_params["run"]
        assert "Elapsed" in metrics(app) or "Test accuracy" in metrics(app)
        again = opened(run=run_id)
        assert "Elapsed" in metrics(again) or "Test accuracy" in metrics(again)
        deadline = time.monotonic() + 240
        while "Test accuracy" not in metrics(app) and time.monotonic() < deadline:
            time.sleep(1)
            app.run()
            assert not app.exception
        run = runs.read(run_id)
        assert run.status == "finished"
        assert metrics(app)["Test accuracy"] == f"{100 * run.test_accuracy:.2f} %"
        assert len(runs.history(run_id)) == 2
    finally:
        engine.end_own()


def test_a_run_opened_from_the_list_is_in_the_address():
    run_id = finished_run()
    app = opened(new="1")
    app.selectbox(key="train_managed").set_value(run_id).run()
    app.button(key=f"train_open_{run_id}").click().run()
    assert not app.exception and app.query_params["run"] in (run_id, [run_id])
