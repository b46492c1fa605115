"""Classical baselines: the split they learn from, what they score, and the process that computes
them.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from core.data import fashion_mnist
from core.errors import InvalidSpec, RunDamaged, RunNotFound
from core.experiments import baseline_process, baselines, records, summary
from core.experiments.baselines import METHODS, Fit, FitResult
from core.specs.spec import TrainSpec
from tests.core.engine.test_engine import until

SPEC = TrainSpec(name="sample", data="offline-sample", validation="last", validation_fraction=0.2)


@pytest.fixture
def few_pictures(monkeypatch):
    """Every method learns from 300 pictures."""
    monkeypatch.setattr(
        baseline_process,
        "METHODS",
        {name: dataclasses.replace(method, pictures=300) for name, method in METHODS.items()},
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("components", [0, 12])
def test_every_method_learns_with_and_without_principal_components(
    method, components, few_pictures
):
    result = baseline_process.compute(
        Fit(method, components), fashion_mnist.load("offline-sample"), SPEC
    )
    assert result.pictures == 300 and len(result.f1) == 10
    assert (
        0.3 < result.test_accuracy <= 1
        and 0.3 < result.validation_accuracy <= 1
        and not result.problem
    )


def test_a_baseline_learns_from_the_split_of_its_spec_and_is_judged_as_scikit_learn_judges():
    data = fashion_mnist.load("offline-sample")
    grey = data.train_pixels.reshape(-1, 784) / np.float32(255)
    order = np.random.default_rng(SPEC.seed).permutation(1600)
    model = LogisticRegression(C=0.1, max_iter=200).fit(
        grey[:1600][order], data.train_labels[:1600][order]
    )
    guesses = model.predict(data.test_pixels.reshape(-1, 784) / np.float32(255))
    result = baseline_process.compute(Fit("logistic"), data, SPEC)
    assert result.pictures == 1600 and result.test_accuracy == pytest.approx(
        (guesses == data.test_labels).mean(), abs=0.005
    )
    assert result.validation_accuracy == pytest.approx(
        model.score(grey[1600:], data.train_labels[1600:]), abs=0.005
    )
    assert result.f1 == pytest.approx(f1_score(data.test_labels, guesses, average=None), abs=0.02)


def test_the_explained_variance_agrees_with_the_singular_values():
    pixels = fashion_mnist.load("offline-sample").train_pixels[:900]
    grey = pixels.reshape(900, 784) / 255.0
    squares = np.linalg.svd(grey - grey.mean(axis=0), compute_uv=False) ** 2
    assert baseline_process.explained_variance(pixels)[:20] == pytest.approx(
        (squares / squares.sum())[:20], rel=1e-3
    )


@pytest.mark.parametrize(
    ("methods", "components"),
    [((), (0,)), (("magic",), (0,)), (("forest",), ()), (("forest",), (785,))],
)
def test_what_cannot_be_computed_is_refused_before_anything_is_written(methods, components):
    with pytest.raises(InvalidSpec):
        baselines.create(SPEC, methods, components)
    assert records.record_ids() == []


def test_a_process_computes_what_is_wanted_and_the_results_compare_with_networks():
    """With a real process: one method twice, and a fit that is impossible."""
    created = baselines.create(SPEC.replace(validation="none"), ("neighbours",), (0, 20))
    values = records.read_record(created.id)
    # More than there are grey values.
    values["wanted"].append({"method": "forest", "components": 785})
    records.write_record(created.id, values)
    baselines.start(created.id)
    until(lambda: baselines.read(created.id).done == 3)
    until(lambda: baselines.working() is None)
    computed = baselines.read(created.id)
    assert len(computed.variance) == 784 and sum(computed.variance) == pytest.approx(1, abs=1e-3)
    assert (
        computed.results[2].problem.startswith("It could not be fitted")
        and computed.results[0].validation_accuracy is None
    )
    plain, reduced = summary.of_baselines(computed)
    assert (plain.name, reduced.name) == ("k-nearest neighbours", "k-nearest neighbours, PCA 20")
    assert (
        plain.test_accuracy > 0.3
        and plain.pictures == 2000
        and not plain.network
        and plain.score == plain.test_accuracy
    )
    assert records.list_all() == [] and [other.id for other in baselines.list_all()] == [created.id]


def test_a_stopped_process_keeps_what_it_finished_and_another_continues():
    created = baselines.create(SPEC, ("boosting",), tuple(range(1, 30)))
    baselines.keep(
        dataclasses.replace(
            created,
            results=(FitResult(5, 1.0, 0.5, 0.5, (0.5,) * 10), *created.results[1:]),
            variance=(1.0,),
        )
    )
    baselines.start(created.id)
    other = baselines.create(SPEC, ("forest",), (0,))
    with pytest.raises(baselines.BaselinesBusy):
        baselines.start(other.id)
    assert until(baselines.working).id == created.id
    assert baselines.stop() and baselines.working() is None and not baselines.stop()
    kept = baselines.read(created.id)
    assert kept.results[0] == FitResult(5, 1.0, 0.5, 0.5, (0.5,) * 10) and kept.done < 29


def test_a_record_edited_by_hand_is_reported():
    created = baselines.create(SPEC, ("forest",), (0,))
    records.write_record(f"{created.id}.results", {"results": {"0": {"pictures": 1}}})
    with pytest.raises(RunDamaged, match="compute them again"):
        baselines.read(created.id)
    with pytest.raises(RunNotFound):
        baselines.read("nobody")
    assert baselines.list_all() == []
