"""Classical baselines: the split they learn from, what they score, and the process that computes
them.
"""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from core.data import fashion_mnist
from core.errors import InvalidSpec, RunDamaged, RunNotFound
from core.experiments import baseline_process, baselines, records, summary
from core.experiments.baselines import METHODS, Result, Fit
from core.specs.spec import TrainSpec
from tests.core.engine.test_engine import until

SPEC = TrainSpec(name="sample", data="offline-sample", validation="last", validation_fraction=0.2)


@pytest.fixture
def few_pictures(monkeypatch):
    """Every method learns from 300 pictures."""
    monkeypatch.setattr(
        baseline_process,
        "METHODS",
        {name: dataclasses.replace(one, pictures=300) for name, one in METHODS.items()},
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


def test_the_explained_variance_is_that_of_the_singular_values():
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


def test_a_process_computes_what_is_wanted_and_the_results_stand_beside_the_networks():
    """With a real process: one method twice, and a fit that cannot be."""
    made = baselines.create(SPEC.replace(validation="none"), ("neighbours",), (0, 20))
    path = records._place(made.id)[1]
    values = json.loads(open(path).read())
    # More than there are grey values.
    values["wanted"].append({"method": "forest", "components": 785})
    records.write_record(made.id, values)
    baselines.start(made.id)
    until(lambda: baselines.read(made.id).done == 3)
    until(lambda: baselines.working() is None)
    found = baselines.read(made.id)
    assert len(found.variance) == 784 and sum(found.variance) == pytest.approx(1, abs=1e-3)
    assert (
        found.results[2].problem.startswith("It could not be fitted")
        and found.results[0].validation_accuracy is None
    )
    plain, reduced = summary.of_baselines(found)
    assert (plain.name, reduced.name) == ("k-nearest neighbours", "k-nearest neighbours, PCA 20")
    assert (
        plain.test_accuracy > 0.3
        and plain.pictures == 2000
        and not plain.network
        and plain.score == plain.test_accuracy
    )
    assert records.list_all() == [] and [one.id for one in baselines.list_all()] == [made.id]


def test_a_process_that_is_stopped_keeps_what_it_finished_and_another_goes_on():
    made = baselines.create(SPEC, ("boosting",), tuple(range(1, 30)))
    baselines.keep(
        dataclasses.replace(
            made,
            results=(Result(5, 1.0, 0.5, 0.5, (0.5,) * 10), *made.results[1:]),
            variance=(1.0,),
        )
    )
    baselines.start(made.id)
    other = baselines.create(SPEC, ("forest",), (0,))
    with pytest.raises(baselines.BaselinesBusy):
        baselines.start(other.id)
    assert until(baselines.working).id == made.id
    assert baselines.stop() and baselines.working() is None and not baselines.stop()
    kept = baselines.read(made.id)
    assert kept.results[0] == Result(5, 1.0, 0.5, 0.5, (0.5,) * 10) and kept.done < 29


def test_a_record_that_was_edited_is_told():
    made = baselines.create(SPEC, ("forest",), (0,))
    records.write_record(f"{made.id}.results", {"results": {"0": {"pictures": 1}}})
    with pytest.raises(RunDamaged, match="compute them again"):
        baselines.read(made.id)
    with pytest.raises(RunNotFound):
        baselines.read("nobody")
    assert baselines.list_all() == []
