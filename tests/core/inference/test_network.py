"""What a network file answers, and what is refused as one."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import numpy as np
import pytest
from onnx import TensorProto

from core import inference, runs
from core.errors import RunDamaged, RunNotFound
from core.inference import Network, soften
from core.specs.spec import TrainSpec
from tests.fixtures import finished_run
from tests.small_networks import answers, echo_network, patterns, template_network

RANDOM = np.random.default_rng(1)


def pictures(n: int) -> np.ndarray:
    return RANDOM.integers(0, 256, (n, 28, 28), dtype=np.uint8)


def test_answers_are_those_of_the_arithmetic_by_hand():
    pixels = pictures(9)
    answer = Network(template_network()).answer(pixels)
    probabilities, embedding = answers(pixels, patterns())
    np.testing.assert_allclose(answer.probabilities, probabilities, atol=1e-5)
    np.testing.assert_allclose(answer.embedding, embedding, atol=1e-5)
    np.testing.assert_allclose(answer.features[..., 0].reshape(9, 49), embedding, atol=1e-5)
    assert {part.dtype for part in (answer.probabilities, answer.embedding, answer.features)} == {
        np.dtype(np.float32)
    }


@pytest.mark.parametrize("n", [0, 1, inference.BATCH, inference.BATCH + 1, 3 * inference.BATCH - 1])
def test_any_number_of_pictures_is_answered_in_order(n):
    pixels, network = pictures(n), Network(template_network())
    probabilities, embedding = answers(pixels, patterns())
    np.testing.assert_allclose(
        network.probabilities(pixels), probabilities.reshape(n, 10), atol=1e-5
    )
    np.testing.assert_allclose(network.embeddings(pixels), embedding.reshape(n, 49), atol=1e-5)
    assert network.answer(pixels).features.shape == (n, 7, 7, 1)


@pytest.mark.parametrize(
    "names",
    [
        ("probabilities", "embedding", "features"),
        ("embedding", "features", "more", "probabilities"),
    ],
)
def test_outputs_are_found_by_name_wherever_they_stand(names):
    pixels = pictures(3)
    answer = Network(template_network(names=names, input_name="input")).answer(pixels)
    np.testing.assert_allclose(answer.probabilities, answers(pixels, patterns())[0], atol=1e-5)
    assert answer.embedding.shape == (3, 49) and answer.features.shape == (3, 7, 7, 1)


def test_many_visitors_at_once_get_their_own_answers():
    network, agree = Network(template_network()), []
    several = [pictures(7) for _ in range(12)]

    def ask(pixels):
        for _ in range(20):
            given, expected = network.probabilities(pixels), answers(pixels, patterns())[0]
            agree.append(np.allclose(given, expected, atol=1e-5))

    visitors = [threading.Thread(target=ask, args=(pixels,)) for pixels in several]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert len(agree) == 12 * 20 and all(agree)


def test_temperature_divides_the_scores():
    pixels = pictures(6)
    _, embedding = answers(pixels, patterns())
    scores = embedding @ patterns() / 2.5
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        Network(template_network(), temperature=2.5).probabilities(pixels), expected, atol=1e-5
    )
    np.testing.assert_allclose(
        Network(template_network(), temperature=2.5).answer(pixels).probabilities,
        expected,
        atol=1e-5,
    )


def test_softening_keeps_the_order_and_survives_zeros():
    hard = np.array(
        [[1.0, 0.0, 0, 0, 0, 0, 0, 0, 0, 0], [0.6, 0.3, 0.1, 0, 0, 0, 0, 0, 0, 0]], np.float32
    )
    for temperature in (0.2, 3.0):
        softened = soften(hard, temperature)
        assert np.isfinite(softened).all() and softened.dtype == np.float32
        np.testing.assert_allclose(softened.sum(axis=1), 1, atol=1e-6)
        assert (np.diff(softened[1, :3]) < 0).all()
    assert soften(hard, 3.0)[1, 0] < 0.6 < soften(hard, 0.2)[1, 0]
    np.testing.assert_array_equal(soften(hard, 1.0), hard)


def test_a_picture_and_its_mirror_image_get_the_same_answer_both_ways():
    network = Network(template_network())
    asked = pictures(5)
    mirrored = asked[:, :, ::-1]
    assert not np.allclose(network.probabilities(asked), network.probabilities(mirrored))
    np.testing.assert_allclose(network.both_ways(asked), network.both_ways(mirrored), atol=1e-6)
    np.testing.assert_allclose(
        network.both_ways(asked),
        (network.probabilities(asked) + network.probabilities(mirrored)) / 2,
        atol=1e-6,
    )


def test_sure_begins_at_the_threshold():
    low = np.array([[0.49] + [0.51 / 9] * 9, [0.51] + [0.49 / 9] * 9])
    assert Network(template_network(), sure_threshold=0.1).sure(low).tolist() == [False, True]
    network = Network(template_network(), sure_threshold=0.9)
    probabilities = np.array(
        [[0.9, 0.1] + [0] * 8, [0.89, 0.11] + [0] * 8, [0, 1] + [0] * 8], np.float32
    )
    assert network.sure(probabilities).tolist() == [True, False, True]
    assert (
        Network(template_network(), sure_threshold=1.01).sure(probabilities).tolist() == [False] * 3
    )


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((28, 28), np.uint8),
        np.zeros((1, 28, 28, 1), np.uint8),
        np.zeros((1, 27, 28), np.uint8),
        np.zeros((1, 28, 28), np.float32),
    ],
)
def test_pixels_of_another_shape_or_type_are_refused(pixels):
    with pytest.raises(ValueError, match=r"\(n, 28, 28\) of type uint8"):
        Network(template_network()).probabilities(pixels)


@pytest.mark.parametrize(
    ("onnx", "sentence"),
    [
        (b"", "a file in ONNX format; these 0 bytes"),
        (b"not a network at all", "a file in ONNX format; these 20 bytes"),
        (template_network()[:900], "a file in ONNX format; these 900 bytes"),
        (template_network(names=("probabilities", "features")), "embedding cannot be found"),
        (
            template_network(names=("scores_of_someone_else",)),
            "probabilities, embedding, features cannot be found",
        ),
        (template_network(patterns()[:, :3]), "gives 10 probabilities that sum to 1"),
        (template_network(last="Exp"), "gives 10 probabilities that sum to 1"),
        (
            template_network(patterns() * np.float32(np.nan)),
            "gives finite numbers as probabilities",
        ),
        (echo_network(("n", 32, 32, 1)), "28 x 28 x 1"),
        (echo_network(("n", 28, 28, 3)), "28 x 28 x 1"),
        (echo_network((1, 28, 28, 1)), "any number of them"),
        (echo_network(("n", 784)), "28 x 28 x 1"),
        (template_network(input_type=TensorProto.DOUBLE), "one float input"),
        (
            echo_network(("n", 28, 28, 1)),
            "gives finite numbers as probabilities; these are float32 (2, 28, 28, 1)",
        ),
    ],
    ids=[
        "empty",
        "text",
        "cut short",
        "an output missing",
        "all outputs missing",
        "three classes",
        "no softmax",
        "not numbers",
        "other side",
        "colours",
        "one picture only",
        "flat",
        "doubles",
        "an echo",
    ],
)
def test_a_file_that_is_not_such_a_network_is_named_with_the_remedy(onnx, sentence):
    with pytest.raises(RunDamaged) as caught:
        Network(onnx, run_id="my-run")
    assert sentence in str(caught.value)
    assert "the run my-run" in str(caught.value) and "Restore model.onnx" in str(caught.value)


def test_a_run_brings_its_temperature_and_threshold():
    network = inference.load(finished_run(temperature=1.5, sure_threshold=0.66))
    assert (network.temperature, network.sure_threshold) == (1.5, 0.66)
    pixels = pictures(2)
    np.testing.assert_allclose(
        network.probabilities(pixels), soften(answers(pixels, patterns())[0], 1.5), atol=1e-5
    )


def test_a_run_without_validation_gets_the_usual_threshold():
    network = inference.load(finished_run(temperature=1.0, sure_threshold=None))
    assert (network.temperature, network.sure_threshold) == (1.0, inference.SURE)


@pytest.mark.parametrize("value", ["warm", 0, -1.0, True, [1]])
def test_a_temperature_edited_by_hand_is_named(value):
    with pytest.raises(RunDamaged, match=r"temperature should be a number above 0"):
        inference.load(finished_run(temperature=value))


def test_a_run_that_is_not_there_or_has_no_network_is_named():
    with pytest.raises(RunNotFound):
        inference.load("nobody")
    with pytest.raises(RunNotFound):
        inference.load("../../etc/passwd")
    unfinished = runs.create(TrainSpec(name="not begun"))
    with pytest.raises(RunDamaged, match="no network"):
        inference.load(unfinished)


def test_answering_needs_neither_tensorflow_nor_scikit_learn(tmp_path):
    (tmp_path / "small.onnx").write_bytes(template_network())
    code = (
        "import json, sys, numpy as np\n"
        "from core import evaluation, inference\nfrom core.explain import attribution\n"
        f"n = inference.Network(open({str(tmp_path / 'small.onnx')!r}, 'rb').read())\n"
        "p = n.probabilities(np.zeros((30, 28, 28), np.uint8))\n"
        "labels = np.arange(30) % 10\n"
        "evaluation.evaluate(p, labels), evaluation.fit_temperature(p, labels), evaluation.sure_threshold(p, labels)\n"
        "attribution.occlusion(n, np.full((28, 28), 9, np.uint8), 3)\n"
        "print(json.dumps([m for m in ('tensorflow', 'keras', 'sklearn', 'scipy', 'streamlit') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
