"""Pretrained networks: their layers are Keras's, they stay frozen as long as they should, and
training them gives a run like any other.

Their weights are random here, as no test downloads the published ones. One run is trained and
looked at from all sides.
"""

from __future__ import annotations

import json
import urllib.error

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import inference, runs
from core.cli.train import spec_from
from core.data import fashion_mnist
from core.errors import InvalidSpec, WeightsUnavailable
from core.explain import activations, steps
from core.export import card
from core.labels import CLASS_NAMES
from core.networks import backbones
from core.networks.architectures import blueprint, multiply_adds, parameters
from core.runs import Phase, Progress, weights
from core.settings import ROOT
from core.specs.fields import parse_setting
from core.specs.presets import PRESETS
from core.specs.spec import TrainSpec
from core.training import estimate, gradient_check
from tests.ui.classify.test_classify_page import answer, markup
from ui import frame
from ui.classify import result
from ui.components import theme
from ui.network import layer_list
from ui.train import jobs

# Real trainings on however busy a machine; five minutes are enough for everything else.
pytestmark = pytest.mark.timeout(900)

PRETRAINED = ("mobilenet_v2", "resnet50_v2")
SMALL = PRESETS["transfer-mobilenet"].spec.replace(
    name="pretrained",
    data="offline-sample",
    enlarge=32,
    frozen_epochs=1,
    epochs=2,
    batch=100,
    validation_fraction=0.5,
    precision="float32",
    learning_rate=0.01,
)


def published(name: str, side: int) -> dict[str, list[np.ndarray]]:
    """A stand-in for the published weights: random, repeatable averages of the right shapes."""
    draw, arrays = np.random.default_rng(side), {}
    for layer in blueprint(SMALL.replace(backbone=name, enlarge=side)):
        if layer.kind == "BatchNormalization":
            count = layer.output_shape[-1]
            arrays[layer.name] = [
                draw.uniform(0.8, 1.2, count),
                draw.normal(0, 0.1, count),
                draw.normal(0, 0.1, count),
                draw.uniform(0.8, 1.2, count),
            ]
    return arrays


@pytest.fixture(scope="module")
def training():
    """The module that trains; importing it imports TensorFlow."""
    from core.training import trainer

    return trainer


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory, training):
    """A run that was frozen for an epoch, killed, resumed and fine-tuned for another.

    Gives its id, its library, what it reported, and its weights before and after the frozen epoch.
    """
    from core.networks import architectures, keras_files
    from core.training import callback, initial_weights

    with pytest.MonkeyPatch.context() as patch:
        library = tmp_path_factory.mktemp("pretrained")
        patch.setenv("ATELIER_HOME", str(library))
        patch.setenv("ATELIER_RUNS", str(library / "runs"))
        patch.setattr(initial_weights.keras_backbones, "published_weights", published)
        patch.setattr(callback, "REPORT_SECONDS", 0.0)
        run_id, seen = runs.create(SMALL), []

        class Killed(BaseException):
            """What SIGKILL does, as far as Python can imitate it."""

        def die_at_the_change(self, stage, enter=training._Training.enter):
            if stage.name == "fine-tuning":
                raise Killed()
            enter(self, stage)

        with pytest.MonkeyPatch.context() as change:
            change.setattr(training._Training, "enter", die_at_the_change)
            with pytest.raises(Killed):
                training.train(run_id, report=seen.append)
        network = architectures.build(SMALL, to_train=True)
        first = network.get_weights()
        keras_files.load_weights(network, runs.read_bytes(run_id, "checkpoint.weights.h5"))
        frozen = {layer.name: layer.get_weights() for layer in network.layers if layer.weights}
        patch.setattr(
            initial_weights.keras_backbones,
            "published_weights",
            lambda *_: pytest.fail("downloaded again to resume"),
        )
        training.train(run_id, report=seen.append)
    return {
        "id": run_id,
        "runs": str(library / "runs"),
        "seen": seen,
        "first": dict(zip(frozen, _grouped(first, frozen.values()), strict=True)),
        "frozen": frozen,
    }


def _grouped(arrays, like):
    """A flat list of arrays in groups as long as those of `like`."""
    arrays = iter(arrays)
    return [[next(arrays) for _ in group] for group in like]


@pytest.fixture
def run_id(pretrained, monkeypatch) -> str:
    monkeypatch.setenv("ATELIER_RUNS", pretrained["runs"])
    return pretrained["id"]


# The lists of layers


@pytest.mark.parametrize("name", PRETRAINED)
def test_the_list_of_layers_is_what_the_installed_keras_has(name):
    from core.networks import keras_backbones

    described = json.loads(json.dumps(keras_backbones.describe(name)))  # as JSON holds it
    assert [{"options": {}, **layer} for layer in described] == list(backbones.get(name).layers)


@pytest.mark.parametrize(("name", "side"), [("mobilenet_v2", 96), ("resnet50_v2", 64)])
def test_a_pretrained_network_answers_as_keras_does_with_the_same_weights(name, side):
    import keras

    from core.networks import architectures, keras_backbones

    spec = SMALL.replace(backbone=name, enlarge=side)
    theirs, ours = keras_backbones.application(name, side), architectures.build(spec)
    for layer, arrays in published(name, side).items():
        theirs.get_layer(layer).set_weights(arrays)
    for layer in theirs.layers:
        if layer.weights:
            ours.get_layer(layer.name).set_weights(layer.get_weights())
    shapes = {layer.name: layer.output_shape for layer in blueprint(spec)}
    assert all(
        tuple(layer.output.shape[1:]) == shapes[layer.name]
        for layer in theirs.layers[1:]
        if layer.name in shapes
    )
    assert theirs.count_params() + (ours.get_layer("scores").count_params()) == parameters(spec)
    picture = fashion_mnist.load("offline-sample").test_pixels[:2, ..., None].astype(np.float32)
    last = theirs.layers[-1].name
    given, answer = keras.Model(
        ours.input, [ours.get_layer("three_channels").output, ours.get_layer(last).output]
    )(picture)
    assert (
        given.shape == (2, side, side, 3)
        and np.asarray(given).min() >= -1
        and np.asarray(given).max() <= 1
    )
    np.testing.assert_allclose(np.asarray(theirs(given)), np.asarray(answer), rtol=1e-4, atol=1e-4)


def test_work_grows_with_the_side_and_a_frozen_epoch_is_less_of_it():
    large = SMALL.replace(enlarge=96)
    assert multiply_adds(large) > 8 * multiply_adds(SMALL)
    assert (
        estimate.estimate_seconds(SMALL.replace(frozen_epochs=0))[0]
        > 1.4 * estimate.estimate_seconds(SMALL)[0]
    )


@pytest.mark.parametrize(
    ("frozen", "epochs", "expected"),
    [
        (2, 5, [("frozen", 1, 2, 0.01), ("fine-tuning", 3, 5, 1e-4)]),
        (0, 3, [("fine-tuning", 1, 3, 1e-4)]),
        (9, 3, [("frozen", 1, 3, 0.01)]),
    ],
)
def test_the_stages_of_a_training(frozen, epochs, expected):
    spec = SMALL.replace(frozen_epochs=frozen, epochs=epochs)
    assert [
        (stage.name, stage.first, stage.last, stage.learning_rate)
        for stage in backbones.stages(spec)
    ] == expected
    assert backbones.stages(TrainSpec(epochs=4)) == (backbones.Stage("", 1, 4, 0.001),)


# A training


def test_it_stays_as_it_was_while_frozen_and_learns_after_that(pretrained, run_id):
    frozen, after = pretrained["frozen"], weights.read(run_id)
    given = published("mobilenet_v2", 32)
    for name, arrays in frozen.items():
        same = all(
            np.allclose(one, other)
            for one, other in zip(arrays, given.get(name, pretrained["first"][name]), strict=True)
        )
        assert same == (name != "scores"), name
    changed = [name for name in frozen if not np.array_equal(frozen[name][0], after[name][0])]
    assert len(changed) > 60 and "Conv1" in changed and "scores" in changed


def test_normalisations_keep_their_pretrained_averages(pretrained, run_id):
    after = weights.read(run_id)
    for name, arrays in published("mobilenet_v2", 32).items():
        np.testing.assert_allclose(after[name][2:], arrays[2:], rtol=1e-5)


def test_epochs_are_counted_across_the_change_and_rates_and_words_follow_the_stage(
    pretrained, run_id
):
    epochs = runs.history(run_id)
    assert [epoch.epoch for epoch in epochs] == [1, 2] and runs.validation_epochs(run_id) == [1, 2]
    # At the end of each cosine.
    assert epochs[0].learning_rate < 0.01 and epochs[1].learning_rate < 1e-4
    stages = [(step.epoch, step.stage) for step in pretrained["seen"] if step.phase == "training"]
    assert set(stages) == {(1, "frozen"), (2, "fine-tuning")}
    assert any(step.phase == "weights" for step in pretrained["seen"])


def test_the_exported_network_answers_like_keras_and_like_its_rebuilt_inside(
    pretrained, run_id, tmp_path
):
    from core.networks import keras_files

    pixels = fashion_mnist.load("offline-sample").test_pixels[:20]
    network = inference.load(run_id)
    keras_model = keras_files.network_from(runs.read_bytes(run_id, "model.keras"))
    raw = inference.Network(runs.onnx_bytes(run_id)).probabilities(pixels)
    np.testing.assert_allclose(
        raw, keras_model.predict(pixels[..., None].astype(np.float32), verbose=0), atol=1e-4
    )
    opened = activations.load(run_id, network)
    assert activations.difference(opened, network) < 1e-3 and opened.framed
    some = opened.maps(pixels[0], ["block_3_depthwise", "dropout_1"])
    assert list(some) == ["block_3_depthwise", "dropout_1"] and some["block_3_depthwise"].shape == (
        4,
        4,
        144,
    )
    indices, vectors = runs.index(run_id)
    assert vectors.shape == (len(indices), 1280)
    assert "Sandler" in card.card(runs.read(run_id), runs.test_predictions(run_id))


@pytest.mark.parametrize("name", PRETRAINED)
def test_every_layer_shows_what_keras_computes(name, tmp_path):
    from tests.core.explain.test_activations import PICTURE, keras_twin

    spec = SMALL.replace(backbone=name)
    saved, expected = keras_twin(spec, tmp_path / "model.keras")
    opened = activations.Inside(spec, weights.parse(saved, "twin"))
    found = opened.maps(PICTURE)
    for layer, values in expected.items():
        size = max(1, np.abs(values).max())
        np.testing.assert_allclose(found[layer] / size, values / size, atol=1e-3, err_msg=layer)
    first, kernel = opened.first_filters()
    conv = opened.layer(first)
    walk = steps.convolve(
        found[conv.inputs[0]][..., 0],
        kernel[:, :, 0, 3],
        stride=2,
        padding=conv.options["padding"],
        bias=float(opened.weights[first][1][3]) if conv.options["use_bias"] else 0.0,
    )
    np.testing.assert_allclose(
        walk.output, found[first][..., 3], atol=1e-3 * max(1, np.abs(walk.output).max())
    )
    for pool in (layer for layer in opened.layers if layer.kind == "MaxPooling2D"):
        walk = steps.pool(
            found[pool.inputs[0]][..., 5],
            field=pool.options["pool_size"],
            stride=pool.options["strides"],
        )
        np.testing.assert_array_equal(walk.output.astype(np.float32), found[pool.name][..., 5])


def test_another_training_can_start_from_the_run_even_with_larger_pictures(run_id, training):
    from core.networks import architectures
    from core.training import initial_weights

    spec = SMALL.replace(start_from=run_id, enlarge=64)
    network = architectures.build(spec, to_train=True)
    initial_weights.apply(network, spec)
    np.testing.assert_array_equal(
        network.get_layer("Conv1").get_weights()[0], weights.read(run_id)["Conv1"][0]
    )


# Without a network


@pytest.mark.parametrize(
    ("name", "side", "file"),
    [
        ("mobilenet_v2", 96, "kernels_1.0_96_no_top.h5"),
        ("mobilenet_v2", 64, "kernels_1.0_224_no_top.h5"),
        ("resnet50_v2", 64, "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    ],
)
def test_without_a_network_a_sentence_names_the_file_that_keras_looks_for_and_where_to_put_it(
    name, side, file, monkeypatch, tmp_path
):
    from keras.src.utils import file_utils

    from core.networks import keras_backbones

    requested = []

    def nobody_answers(origin, target, hook):
        requested.append(origin)
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(file_utils, "urlretrieve", nobody_answers)
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(WeightsUnavailable, match="start_from nothing") as refused:
        keras_backbones.published_weights(name, side)
    assert requested == [backbones.weights_address(name, side)] and requested[0].endswith(file)
    assert requested[0] in str(refused.value) and str(tmp_path / "models") in str(refused.value)


def test_a_training_without_a_network_ends_with_that_sentence_and_can_be_resumed(
    monkeypatch, training
):
    from core.training import initial_weights

    def missing(name, side):
        raise WeightsUnavailable("The weights are not here.")

    monkeypatch.setattr(initial_weights.keras_backbones, "published_weights", missing)
    run_id = runs.create(SMALL)
    with pytest.raises(WeightsUnavailable):
        training.train(run_id)
    assert runs.read(run_id).status_text == "interrupted before the first epoch ended"


# Form, terminal and pages


def test_published_weights_are_for_pretrained_networks_only():
    with pytest.raises(InvalidSpec, match="architecture 'transfer'"):
        TrainSpec(start_from="imagenet")
    with pytest.raises(InvalidSpec, match="in steps of 32"):
        parse_setting("enlarge", "100")


def test_the_gradient_check_says_why_not():
    with pytest.raises(InvalidSpec, match="hours"):
        gradient_check.validate(SMALL, epsilon=0.01, weights=1)


def test_settings_come_from_a_terminal_like_any_other():
    from argparse import Namespace

    arguments = Namespace(
        preset="transfer-resnet",
        epochs=None,
        seed=None,
        name=None,
        set=["enlarge=32", "frozen_epochs=0", "fine_tune_rate=1e-5", "start_from=nothing"],
    )
    spec = spec_from(arguments)
    assert (spec.backbone, spec.enlarge, spec.frozen_epochs, spec.fine_tune_rate) == (
        "resnet50_v2",
        32,
        0,
        1e-5,
    )


def test_the_form_offers_the_settings_of_a_pretrained_network_where_there_is_one():
    app = opened("pages/2_Train.py", new="1")
    app.button(key="frame_sample").click().run()
    numbers = ("enlarge", "frozen_epochs")
    assert all(app.number_input(key=f"train_{name}").disabled for name in numbers)
    app.selectbox(key="train_preset").select("transfer-mobilenet").run()
    assert not app.exception and not app.error and not app.button(key="train_start").disabled
    assert not any(app.number_input(key=f"train_{name}").disabled for name in numbers)
    assert (
        app.text_input(key="train_filters").disabled
        and "pretrained network" in app.text_input(key="train_filters").help
    )
    assert len(app.table[0].value) == len(blueprint(PRESETS["transfer-mobilenet"].spec))
    app.selectbox(key="train_architecture").select("cnn").run()
    assert "imagenet" in "".join(error.value for error in app.error)


def test_the_live_view_says_what_learns():
    from types import SimpleNamespace

    job = SimpleNamespace(
        state="running", place=0, progress=Progress("r", Phase.TRAINING, 1, 2, 3, 4, stage="frozen")
    )
    assert jobs.state_text(job) == "Epoch 1 of 2, only the new last layers learn"


def opened(page: str, **address: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / frame.HOME), default_timeout=120)
    app.switch_page(page)
    app.query_params.update(address)
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.mark.parametrize(
    "address",
    [
        {},
        {"part": "3", "layer": "block_5_depthwise"},
        {"view": "filters"},
        {"view": "maps"},
        {"view": "maps", "part": "4"},
        {"view": "maps", "layer": "out_relu"},
        {"view": "maps", "layer": "block_5_depthwise", "channel": "7"},
        {"view": "steps"},
        {"view": "steps", "op": "pooling"},
        {"view": "learning"},
        {"view": "learning", "topic": "activation"},
    ],
)
def test_the_network_page_opens_on_every_view_of_it(run_id, address):
    app = opened(frame.NETWORK, run=run_id, picture="3", **address)
    assert (
        not app.error
        and not app.warning
        and not [note for note in app.info if "left out" in note.value]
    )
    if not address:
        assert len(app.table[0].value) == layer_list.PART


def test_a_run_of_a_pretrained_network_answers_and_explains_on_classify(run_id):
    app = opened(frame.CLASSIFY, run=run_id, mode="test")
    app.button(key="frame_sample").click().run()
    app.query_params["picture"] = "3"
    app.session_state["classify_why"] = True
    app.run()
    assert not app.exception and not app.error
    test = fashion_mnist.load("offline-sample").test_pixels
    expected = inference.load(run_id).probabilities(test[3][None])[0]
    (words,) = (" ".join(texts) for texts in answer(app))
    assert CLASS_NAMES[expected.argmax()] in words
    assert theme.percent(float(expected.max())) in words
    assert "parts that count towards" in markup(app)
    assert markup(app).count('alt="Training picture') == result.NEIGHBOURS
