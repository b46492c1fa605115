"""Borrowed networks: the lists of their layers are Keras's, they stay frozen as long as they should, and what comes out is a run like any.

Their weights here are random: what others published is not downloaded by a test. One run is trained and looked at from all sides.
"""

from __future__ import annotations

import urllib.error
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import backbones, by_hand, card, dataset, estimate, gradient_check, inference, inside, runs, weights
from core.architectures import blueprint, multiply_adds, parameters
from core.cli_train import spec_from
from core.errors import InvalidSpec, WeightsUnavailable
from core.presets import PRESETS
from core.runs import Progress
from core.spec import TrainSpec, parse_setting
from tests.test_classify_page import answer, markup
from ui import charts, classify, frame, layers, run_live

ROOT = Path(__file__).resolve().parent.parent
BORROWED = ("mobilenet_v2", "resnet50_v2")
SMALL = PRESETS["transfer-mobilenet"].spec.replace(name="borrowed", data="offline-sample", enlarge=32, frozen_epochs=1, epochs=2, batch=100,
                                                   validation_fraction=0.5, precision="float32", learning_rate=0.01)


def published(name: str, side: int) -> dict[str, list[np.ndarray]]:
    """What stands for the published weights: random ones of the right shapes, the same each time, with averages of their own."""
    draw, found = np.random.default_rng(side), {}
    for layer in blueprint(SMALL.replace(backbone=name, enlarge=side)):
        if layer.kind == "BatchNormalization":
            count = layer.output_shape[-1]
            found[layer.name] = [draw.uniform(0.8, 1.2, count), draw.normal(0, 0.1, count), draw.normal(0, 0.1, count),
                                 draw.uniform(0.8, 1.2, count)]
    return found


@pytest.fixture(scope="module")
def training():
    """The room of the engine; importing it imports TensorFlow."""
    from core import training

    return training


@pytest.fixture(scope="module")
def borrowed(tmp_path_factory, training):
    """A run that was frozen for an epoch, broken off, and fine-tuned for another: its id, its library, and what was seen on the way."""
    from core import architectures, first_weights, keras_files

    with pytest.MonkeyPatch.context() as patch:
        library = tmp_path_factory.mktemp("borrowed")
        patch.setenv("ATELIER_HOME", str(library))
        patch.setenv("ATELIER_RUNS", str(library / "runs"))
        patch.setattr(first_weights.keras_backbones, "published_weights", published)
        patch.setattr(training, "REPORT_SECONDS", 0.0)
        run_id, seen = runs.create(SMALL), []

        class Killed(BaseException):
            """What SIGKILL does, as far as Python can play it."""

        def die_at_the_change(self, stage, enter=training._Training.enter):
            if stage.name == "fine-tuning":
                raise Killed()
            enter(self, stage)

        with pytest.raises(Killed), pytest.MonkeyPatch.context() as change:
            change.setattr(training._Training, "enter", die_at_the_change)
            training.train(run_id, report=seen.append)
        network = architectures.build(SMALL, to_train=True)
        begun = network.get_weights()
        keras_files.load_weights(network, runs.read_bytes(run_id, "checkpoint.weights.h5"))
        frozen = {layer.name: layer.get_weights() for layer in network.layers if layer.weights}
        patch.setattr(first_weights.keras_backbones, "published_weights", lambda *_: pytest.fail("fetched again to go on"))
        training.train(run_id, report=seen.append)
        begun = {name: arrays for name, arrays in zip(frozen, _grouped(begun, frozen.values()), strict=True)}
        seen_of_it = {"id": run_id, "runs": str(library / "runs"), "seen": seen, "begun": begun, "frozen": frozen}
    return seen_of_it


def _grouped(arrays, like):
    """A flat list of arrays in groups as long as those of `like`."""
    arrays = iter(arrays)
    return [[next(arrays) for _ in group] for group in like]


@pytest.fixture
def run_id(borrowed, monkeypatch) -> str:
    monkeypatch.setenv("ATELIER_RUNS", borrowed["runs"])
    return borrowed["id"]


# --- the lists of layers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BORROWED)
def test_the_list_of_layers_is_what_the_installed_keras_has(name):
    from core import keras_backbones

    assert [{"options": {}, **layer} for layer in plain(keras_backbones.describe(name))] == list(backbones.get(name).layers)


def plain(described):
    """As JSON holds it."""
    import json

    return json.loads(json.dumps(described))


@pytest.mark.parametrize(("name", "side"), [("mobilenet_v2", 96), ("resnet50_v2", 64)])
def test_a_borrowed_network_answers_as_keras_does_with_the_same_weights(name, side):
    import keras

    from core import architectures, keras_backbones

    spec = SMALL.replace(backbone=name, enlarge=side)
    theirs, ours = keras_backbones.application(name, side), architectures.build(spec)
    for layer, arrays in published(name, side).items():
        theirs.get_layer(layer).set_weights(arrays)
    for layer in theirs.layers:
        if layer.weights:
            ours.get_layer(layer.name).set_weights(layer.get_weights())
    shapes = {layer.name: layer.output_shape for layer in blueprint(spec)}
    assert all(tuple(layer.output.shape[1:]) == shapes[layer.name] for layer in theirs.layers[1:] if layer.name in shapes)
    assert theirs.count_params() + (ours.get_layer("scores").count_params()) == parameters(spec)
    picture = dataset.load("offline-sample").test_pixels[:2, ..., None].astype(np.float32)
    last = theirs.layers[-1].name
    given, answer = keras.Model(ours.input, [ours.get_layer("three_channels").output, ours.get_layer(last).output])(picture)
    assert given.shape == (2, side, side, 3) and np.asarray(given).min() >= -1 and np.asarray(given).max() <= 1
    np.testing.assert_allclose(np.asarray(theirs(given)), np.asarray(answer), rtol=1e-4, atol=1e-4)


def test_work_grows_with_the_side_and_an_epoch_that_is_frozen_is_less_of_it():
    large = SMALL.replace(enlarge=96)
    assert multiply_adds(large) > 8 * multiply_adds(SMALL)
    assert estimate.estimate_seconds(SMALL.replace(frozen_epochs=0))[0] > 1.4 * estimate.estimate_seconds(SMALL)[0]


@pytest.mark.parametrize(("frozen", "epochs", "found"), [
    (2, 5, [("frozen", 1, 2, 0.01), ("fine-tuning", 3, 5, 1e-4)]), (0, 3, [("fine-tuning", 1, 3, 1e-4)]), (9, 3, [("frozen", 1, 3, 0.01)])])
def test_the_stages_of_a_training(frozen, epochs, found):
    spec = SMALL.replace(frozen_epochs=frozen, epochs=epochs)
    assert [(stage.name, stage.first, stage.last, stage.learning_rate) for stage in backbones.stages(spec)] == found
    assert backbones.stages(TrainSpec(epochs=4)) == (backbones.Stage("", 1, 4, 0.001),)


# --- a training -------------------------------------------------------------------------------------------------------


def test_it_stays_as_it_was_while_frozen_and_learns_after_that(borrowed, run_id):
    frozen, after = borrowed["frozen"], weights.read(run_id)
    given = published("mobilenet_v2", 32)
    for name, arrays in frozen.items():
        same = all(np.allclose(one, other) for one, other in zip(arrays, given.get(name, borrowed["begun"][name]), strict=True))
        assert same == (name != "scores"), name
    changed = [name for name in frozen if not np.array_equal(frozen[name][0], after[name][0])]
    assert len(changed) > 60 and "Conv1" in changed and "scores" in changed


def test_normalisations_keep_the_averages_that_they_came_with(borrowed, run_id):
    after = weights.read(run_id)
    for name, arrays in published("mobilenet_v2", 32).items():
        np.testing.assert_allclose(after[name][2:], arrays[2:], rtol=1e-5)


def test_epochs_are_counted_on_across_the_change_and_rates_and_words_follow_the_stage(borrowed, run_id):
    rows = runs.history(run_id)
    assert [row["epoch"] for row in rows] == [1, 2] and runs.validation_epochs(run_id) == [1, 2]
    assert rows[0]["learning_rate"] < 0.01 and rows[1]["learning_rate"] < 1e-4  # at the end of each cosine
    said = [(step.epoch, step.stage) for step in borrowed["seen"] if step.phase == "training"]
    assert set(said) == {(1, "frozen"), (2, "fine-tuning")}
    assert any(step.phase == "weights" for step in borrowed["seen"])


def test_the_exported_network_answers_like_keras_and_like_its_rebuilt_inside(borrowed, run_id, tmp_path):
    from core import keras_files

    pixels = dataset.load("offline-sample").test_pixels[:20]
    network = inference.load(run_id)
    keras_model = keras_files.network_from(runs.read_bytes(run_id, "model.keras"))
    raw = inference.Network(runs.onnx_bytes(run_id)).probabilities(pixels)
    np.testing.assert_allclose(raw, keras_model.predict(pixels[..., None].astype(np.float32), verbose=0), atol=1e-4)
    opened = inside.load(run_id, network)
    assert inside.difference(opened, network) < 1e-3 and opened.framed
    some = opened.maps(pixels[0], ["block_3_depthwise", "dropout_1"])
    assert list(some) == ["block_3_depthwise", "dropout_1"] and some["block_3_depthwise"].shape == (4, 4, 144)
    indices, vectors = runs.index(run_id)
    assert vectors.shape == (len(indices), 1280)
    assert "Sandler" in card.card(runs.read(run_id), runs.test_predictions(run_id))


@pytest.mark.parametrize("name", BORROWED)
def test_every_layer_shows_what_keras_computes(name, tmp_path):
    from tests.test_inside import PICTURE, keras_twin

    spec = SMALL.replace(backbone=name)
    saved, expected = keras_twin(spec, tmp_path / "model.keras")
    opened = inside.Inside(spec, weights.parse(saved, "twin"))
    found = opened.maps(PICTURE)
    for layer, values in expected.items():
        size = max(1, np.abs(values).max())
        np.testing.assert_allclose(found[layer] / size, values / size, atol=1e-3, err_msg=layer)
    first, kernel = opened.first_filters()
    conv = opened.layer(first)
    walk = by_hand.convolve(found[conv.inputs[0]][..., 0], kernel[:, :, 0, 3], stride=2, padding=conv.options["padding"],
                            bias=float(opened.weights[first][1][3]) if conv.options["use_bias"] else 0.0)
    np.testing.assert_allclose(walk.output, found[first][..., 3], atol=1e-3 * max(1, np.abs(walk.output).max()))
    for pool in (layer for layer in opened.layers if layer.kind == "MaxPooling2D"):
        walk = by_hand.pool(found[pool.inputs[0]][..., 5], field=pool.options["pool_size"], stride=pool.options["strides"])
        np.testing.assert_array_equal(walk.output.astype(np.float32), found[pool.name][..., 5])


def test_another_training_of_it_can_start_from_the_run_also_with_larger_pictures(run_id, training):
    from core import architectures, first_weights

    spec = SMALL.replace(start_from=run_id, enlarge=64)
    network = architectures.build(spec, to_train=True)
    first_weights.begin(network, spec)
    np.testing.assert_array_equal(network.get_layer("Conv1").get_weights()[0], weights.read(run_id)["Conv1"][0])


# --- without a network ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "side", "file"), [
    ("mobilenet_v2", 96, "kernels_1.0_96_no_top.h5"), ("mobilenet_v2", 64, "kernels_1.0_224_no_top.h5"),
    ("resnet50_v2", 64, "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5")])
def test_without_a_network_a_sentence_names_the_file_that_keras_looks_for_and_where_to_put_it(name, side, file, monkeypatch, tmp_path):
    from keras.src.utils import file_utils

    from core import keras_backbones

    asked = []

    def nobody_answers(origin, target, hook):
        asked.append(origin)
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(file_utils, "urlretrieve", nobody_answers)
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(WeightsUnavailable, match="start_from nothing") as refused:
        keras_backbones.published_weights(name, side)
    assert asked == [backbones.weights_address(name, side)] and asked[0].endswith(file)
    assert asked[0] in str(refused.value) and str(tmp_path / "models") in str(refused.value)


def test_a_training_without_a_network_ends_with_that_sentence_and_can_be_resumed(monkeypatch, training):
    from core import first_weights

    def missing(name, side):
        raise WeightsUnavailable("The weights are not here.")

    monkeypatch.setattr(first_weights.keras_backbones, "published_weights", missing)
    run_id = runs.create(SMALL)
    with pytest.raises(WeightsUnavailable):
        training.train(run_id)
    assert runs.read(run_id).status_text == "interrupted before the first epoch ended"


# --- form, terminal and pages -----------------------------------------------------------------------------------------


def test_published_weights_are_for_borrowed_networks_only():
    with pytest.raises(InvalidSpec, match="architecture transfer"):
        TrainSpec(start_from="imagenet")
    with pytest.raises(InvalidSpec, match="in steps of 32"):
        parse_setting("enlarge", "100")


def test_the_gradient_check_says_why_not():
    with pytest.raises(InvalidSpec, match="hours"):
        gradient_check.check(None, SMALL)


def test_settings_come_from_a_terminal_like_any_other():
    from argparse import Namespace

    asked = Namespace(preset="transfer-resnet", epochs=None, seed=None, name=None,
                      set=["enlarge=32", "frozen_epochs=0", "fine_tune_rate=1e-5", "start_from=nothing"])
    spec = spec_from(asked)
    assert (spec.backbone, spec.enlarge, spec.frozen_epochs, spec.fine_tune_rate) == ("resnet50_v2", 32, 0, 1e-5)


def test_the_form_offers_the_settings_of_a_borrowed_network_where_one_is():
    app = opened("pages/2_Train.py", new="1")
    app.button(key="frame_sample").click().run()
    numbers = ("enlarge", "frozen_epochs")
    assert all(app.number_input(key=f"train_{name}").disabled for name in numbers)
    app.selectbox(key="train_preset").select("transfer-mobilenet").run()
    assert not app.exception and not app.error and not app.button(key="train_start").disabled
    assert not any(app.number_input(key=f"train_{name}").disabled for name in numbers)
    assert app.text_input(key="train_filters").disabled and "borrowed network" in app.text_input(key="train_filters").help
    assert len(app.table[0].value) == len(blueprint(PRESETS["transfer-mobilenet"].spec))
    app.selectbox(key="train_architecture").select("cnn").run()
    assert "imagenet" in "".join(error.value for error in app.error)


def test_the_live_view_says_what_learns():
    from types import SimpleNamespace

    job = SimpleNamespace(state="running", place=0, progress=Progress("r", "training", 1, 2, 3, 4, stage="frozen"))
    assert run_live.state_text(job) == "Epoch 1 of 2, only the new layers learn"


def opened(page: str, **address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / frame.HOME), default_timeout=120)
    app.switch_page(page)
    app.query_params.update(address)
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.mark.parametrize("address", [
    {}, {"part": "3", "layer": "block_5_depthwise"}, {"view": "filters"}, {"view": "maps"}, {"view": "maps", "part": "4"},
    {"view": "maps", "layer": "out_relu"}, {"view": "maps", "layer": "block_5_depthwise", "channel": "7"}, {"view": "steps"},
    {"view": "steps", "op": "pooling"}, {"view": "learning"}, {"view": "learning", "topic": "activation"}])
def test_the_network_page_opens_on_every_view_of_it(run_id, address):
    app = opened(frame.NETWORK, run=run_id, picture="3", **address)
    assert not app.error and not app.warning and not [one for one in app.info if "left out" in one.value]
    if not address:
        assert len(app.table[0].value) == layers.PART


def test_a_borrowed_run_answers_and_explains_on_classify(run_id):
    app = opened(frame.CLASSIFY, run=run_id, mode="test")
    app.button(key="frame_sample").click().run()
    app.query_params["picture"] = "3"
    app.session_state["classify_why"] = True
    app.run()
    assert not app.exception and not app.error
    expected = inference.load(run_id).probabilities(dataset.load("offline-sample").test_pixels[3][None])[0]
    (words,) = (" ".join(one) for one in answer(app))
    assert dataset.CLASS_NAMES[expected.argmax()] in words and charts.percent(float(expected.max())) in words
    assert "parts that speak for" in markup(app) and markup(app).count('alt="Training picture') == classify.NEIGHBOURS
