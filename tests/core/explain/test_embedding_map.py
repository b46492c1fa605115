"""The map of the test set: PCA agrees with scikit-learn, t-SNE is computed once by a process of its
own and keeps neighbours together.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.decomposition import PCA

from core import settings
from core.explain import embedding_map

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


def test_t_sne_keeps_neighbours_together_and_is_computed_once(embeddings):
    key, folder = embedding_map.key_of(embeddings), settings.home() / "maps"
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
    assert embedding_map.key_of(embeddings + 1) != key


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
