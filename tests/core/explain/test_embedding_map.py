"""The map of the test set: PCA agrees with scikit-learn, t-SNE is computed once by a process of its
own and keeps neighbours together.
"""

from __future__ import annotations

import dataclasses
import os
import time

import numpy as np
import pytest
from sklearn.decomposition import PCA

from core import inference, runs, settings
from core.data import fashion_mnist
from core.explain import embedding_map
from core.runs import storage
from tests.conftest import REAL_DATA
from tests.fixtures import finished_run

CLUSTERS = 4


@pytest.fixture
def embeddings() -> np.ndarray:
    """Sixty points in four groups far apart, in 12 dimensions."""
    draw = np.random.default_rng(0)
    centres = draw.normal(0, 10, (CLUSTERS, 12))
    return (centres[np.arange(60) % CLUSTERS] + draw.normal(0, 0.5, (60, 12))).astype(np.float32)


def wait(key: str, embeddings: np.ndarray) -> embedding_map.Neighbourhoods:
    """Ask until the process has ended, as the page does."""
    while True:
        now = embedding_map.neighbourhoods(key, lambda: embeddings)
        if now.state in ("ready", "failed"):
            return now
        time.sleep(0.1)


def test_pca_agrees_with_scikit_learn(embeddings):
    plane, trusted = embedding_map.pca(embeddings), PCA(2).fit(embeddings)
    expected = trusted.transform(embeddings)
    for axis in range(2):  # the sign of a direction is arbitrary
        assert np.allclose(plane.positions[:, axis], expected[:, axis], atol=1e-3) or np.allclose(
            plane.positions[:, axis], -expected[:, axis], atol=1e-3
        )
    np.testing.assert_allclose(plane.shares, trusted.explained_variance_ratio_, atol=1e-6)
    np.testing.assert_allclose(plane.project(embeddings[7]), plane.positions[7], atol=1e-3)


def test_an_embedding_of_one_number_and_one_of_equal_numbers_have_a_map():
    assert embedding_map.pca(np.arange(6.0)[:, None]).positions.shape == (6, 2)
    assert np.isfinite(embedding_map.pca(np.ones((6, 3))).positions).all()


def test_the_pictures_on_the_map_are_spread_evenly():
    chosen = embedding_map.choose_pictures(10_000)
    assert len(chosen) == embedding_map.SAMPLE == len(set(chosen.tolist()))
    assert chosen[0] == 0 and chosen[-1] == 9_999
    assert embedding_map.choose_pictures(400).tolist() == list(range(400))


class Watched:
    """A network that counts how often it is asked for embeddings."""

    def __init__(self, run_id: str) -> None:
        self.network, self.asked = inference.load(run_id), 0

    def embeddings(self, pixels: np.ndarray) -> np.ndarray:
        self.asked += 1
        return self.network.embeddings(pixels)


def test_a_map_is_computed_once_for_a_network_and_its_data():
    data = fashion_mnist.load("offline-sample")
    run_id = finished_run()
    network = Watched(run_id)
    first = embedding_map.map_test_pictures(run_id, network, data)
    second = embedding_map.map_test_pictures(run_id, network, data)
    assert network.asked == 1 and first.key == second.key
    for name in ("positions", "shares", "mean", "axes"):
        assert np.array_equal(getattr(first.plane, name), getattr(second.plane, name))
    expected = network.network.embeddings(data.test_pixels[first.indices])
    np.testing.assert_allclose(
        second.plane.positions, embedding_map.pca(expected).positions, atol=1e-4
    )
    other = dataclasses.replace(data, fingerprint="0" * 16)
    assert embedding_map.map_test_pictures(run_id, network, other).key != first.key
    assert network.asked == 2


def test_a_map_among_the_files_of_a_run_is_used_unless_its_network_was_replaced():
    data = fashion_mnist.load("offline-sample")
    run_id = finished_run()
    network = Watched(run_id)
    embedding_map.keep(run_id, runs.onnx_bytes(run_id), network, data)
    embedding_map.map_test_pictures(run_id, network, data)
    assert network.asked == 1 and not (settings.home() / "maps").exists()
    runs.write(run_id, embedding_map.FILE, b"PK cut short")
    embedding_map.map_test_pictures(run_id, network, data)
    assert network.asked == 2
    runs.write(run_id, "model.onnx", runs.onnx_bytes(runs.SHIPPED))
    replaced = Watched(run_id)
    embedding_map.map_test_pictures(run_id, replaced, data)
    assert replaced.asked == 1


@pytest.mark.skipif(not REAL_DATA, reason="needs the real data")
@pytest.mark.parametrize("run_id", storage.shipped_ids())
def test_the_included_networks_bring_their_maps(run_id, monkeypatch):
    monkeypatch.setenv("ATELIER_DATA", os.path.abspath(REAL_DATA))
    data = fashion_mnist.load("fashion-mnist")
    network = Watched(run_id)
    points = embedding_map.map_test_pictures(run_id, network, data)
    assert network.asked == 0
    few = network.network.embeddings(data.test_pixels[points.indices[:50]])
    mapped = np.stack([points.plane.project(each) for each in few])
    np.testing.assert_allclose(mapped, points.plane.positions[:50], atol=1e-3)


def test_t_sne_keeps_neighbours_together_and_is_computed_once(embeddings):
    key, folder = "sixty", settings.home() / "maps"
    folder.mkdir(parents=True)
    (folder / f"{key}.npz").write_bytes(b"PK cut short when the disk was full: computed again")
    first = embedding_map.neighbourhoods(key, lambda: embeddings)
    assert first.state == "running" and first.positions is None
    done = wait(key, embeddings)
    assert done.state == "ready", done.problem
    assert done.positions.shape == (60, 2) and np.isfinite(done.positions).all()
    far = np.linalg.norm(done.positions[:, None] - done.positions[None], axis=2)
    np.fill_diagonal(far, np.inf)
    assert (far.argmin(axis=1) % CLUSTERS == np.arange(60) % CLUSTERS).all()

    def refuse() -> np.ndarray:
        raise AssertionError("The map is ready: the embeddings are not needed.")

    again = embedding_map.neighbourhoods(key, refuse)
    assert again.state == "ready" and np.array_equal(again.positions, done.positions)
    assert sorted(path.suffix for path in folder.iterdir()) == [".npz"]


def test_one_map_is_computed_at_a_time_and_a_failure_says_why(embeddings):
    broken = np.full((60, 12), np.nan, np.float32)
    first = embedding_map.neighbourhoods("broken", lambda: broken)
    second = embedding_map.neighbourhoods("second", lambda: embeddings)
    assert (first.state, second.state) == ("running", "waiting")
    failed = wait("broken", broken)
    assert failed.state == "failed" and "NaN" in failed.problem
    # Until someone asks for another try.
    assert embedding_map.neighbourhoods("broken", lambda: embeddings).state == "failed"
    embedding_map.try_again("broken")
    assert wait("broken", embeddings).state == "ready"
