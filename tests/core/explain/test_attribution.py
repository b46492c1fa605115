"""Where networks written by hand look, and what lies next to a picture."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from core import runs
from core.data import fashion_mnist as dataset
from core.explain import attribution
from core.inference import Network
from tests.fixtures import finished_run
from tests.small_networks import answers, patterns, template_network

GREY = np.full((28, 28), 200, np.uint8)


def looks_at(tile_row: int, tile_column: int, strength: float = 8.0) -> Network:
    """A network for which class 3 is nothing but brightness in one of 7 x 7 tiles."""
    weights = np.zeros((49, 10), np.float32)
    weights[7 * tile_row + tile_column, 3] = strength
    return Network(template_network(weights))


# --- occlusion ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 5), (3, 3), (6, 2), (6, 6)])
def test_the_map_is_brightest_where_the_network_looks(row, column):
    heat = attribution.occlusion(looks_at(row, column), GREY, 3)
    assert (
        heat.shape == (28, 28) and heat.dtype == np.float32 and heat.min() >= 0 and heat.max() == 1
    )
    tile = np.zeros((28, 28), bool)
    tile[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = True
    away = np.abs(
        np.indices((28, 28)) - np.array([4 * row + 1.5, 4 * column + 1.5])[:, None, None]
    ).max(axis=0)
    # The map is as fine as the steps of the patch.
    assert away[heat == 1].max() < 2 + attribution.STRIDE
    assert heat[tile].mean() > 4 * heat[~tile].mean()
    assert heat[away > 2 + attribution.PATCH].max() < 1e-4


def test_hiding_background_changes_nothing():
    pixels = GREY.copy()
    pixels[:, 14:] = 0
    assert attribution.occlusion(looks_at(3, 5), pixels, 3).max() == 0
    assert attribution.occlusion(looks_at(3, 3), np.zeros((28, 28), np.uint8), 3).max() == 0


def test_what_speaks_against_a_class_is_not_shown_as_speaking_for_it():
    assert attribution.occlusion(looks_at(3, 3, strength=-8.0), GREY, 3).max() == 0


def test_a_network_that_hardly_cares_gets_a_pale_map():
    heat = attribution.occlusion(looks_at(3, 3, strength=0.2), GREY, 3)
    assert 0 < heat.max() < 0.3


def test_a_confidence_of_almost_one_still_gets_a_map():
    network = looks_at(3, 3, strength=40.0)
    assert network.probabilities(GREY[None])[0, 3] > 0.999999
    heat = attribution.occlusion(network, GREY, 3)
    assert heat.max() == 1 and heat[12:16, 12:16].mean() > 0.5 and heat[:6].max() < 1e-4


def test_the_map_is_the_mean_fall_of_log_odds_counted_patch_by_patch():
    pixels = np.random.default_rng(3).integers(0, 256, (28, 28), dtype=np.uint8)
    label = int(answers(pixels[None], patterns())[0].argmax())

    def log_odds(picture):
        p = answers(picture[None], patterns())[0][0, label]
        return np.log(p) - np.log1p(-p)

    total, times = np.zeros((28, 28)), np.zeros((28, 28))
    for top in range(-2, 28, 3):
        for left in range(-2, 28, 3):
            place = np.s_[max(0, top) : top + 6, max(0, left) : left + 6]
            picture = pixels.copy()
            picture[place] = 0
            total[place] += log_odds(pixels) - log_odds(picture)
            times[place] += 1
    assert times.min() >= 1
    fall = np.maximum(total / times, 0)
    np.testing.assert_allclose(
        attribution.occlusion(Network(template_network()), pixels, label),
        fall / max(fall.max(), np.log(2)),
        atol=1e-3,
    )


# --- nearest --------------------------------------------------------------------------------------


def test_nearest_agrees_with_scikit_learn():
    from sklearn.neighbors import NearestNeighbors

    random = np.random.default_rng(0)
    index, asked = (
        random.normal(0, 1, (500, 16)).astype(np.float32),
        random.normal(0, 1, 16).astype(np.float32),
    )
    distances, positions = (
        NearestNeighbors(n_neighbors=7, metric="cosine").fit(index).kneighbors(asked[None])
    )
    found, similarities = attribution.nearest(asked, index, 7)
    assert found.tolist() == positions[0].tolist()
    np.testing.assert_allclose(similarities, 1 - distances[0], atol=1e-5)


def test_length_does_not_matter_and_equal_ones_come_by_position():
    index = np.array([[0, 5], [3, 0], [0.1, 0], [0, 0], [-1, 0]])
    positions, similarities = attribution.nearest(np.array([2.0, 0]), index, 9)
    assert positions.tolist() == [1, 2, 0, 3, 4]
    np.testing.assert_allclose(similarities, [1, 1, 0, 0, -1], atol=1e-6)


def test_embeddings_of_other_widths_are_refused():
    with pytest.raises(ValueError, match=r"\(3,\) and \(2, 4\)"):
        attribution.nearest(np.zeros(3), np.zeros((2, 4)), 1)


# --- neighbours -----------------------------------------------------------------------------------


def run_with_index(
    data: dataset.Dataset, *, fingerprint: str | None = None, index: bool = True
) -> runs.Run:
    """A finished run whose index holds every third training picture, as its network embeds them."""
    files = {}
    if index:
        chosen = np.arange(0, len(data.train_labels), 3, dtype=np.int32)
        vectors = answers(data.train_pixels[chosen], patterns())[1]
        vectors = np.round(
            127 * vectors / np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
        ).astype(np.int8)
        files["index.npz"] = {"indices": chosen, "embeddings": vectors}
    return runs.read(
        finished_run(
            files=files, dataset={"name": data.name, "fingerprint": fingerprint or data.fingerprint}
        )
    )


@pytest.fixture(scope="module")
def sample() -> dataset.Dataset:
    return dataset.load("offline-sample")


def test_neighbours_come_from_the_runs_own_index(sample):
    network = Network(template_network())
    for position in (0, 300, 999):
        embedding = network.embeddings(sample.train_pixels[position][None])[0]
        positions, similarities = attribution.neighbours(
            network, run_with_index(sample), sample, embedding, 5
        )
        assert positions[0] == position and similarities[0] > 0.999
        assert (
            (positions % 3 == 0).all()
            and (np.diff(similarities) <= 0).all()
            and len(set(positions.tolist())) == 5
        )


@pytest.mark.parametrize(
    "how", [{"index": False}, {"fingerprint": "0123456789abcdef"}], ids=["no index", "other data"]
)
def test_neighbours_are_embedded_where_the_index_does_not_fit(sample, how):
    network, run = Network(template_network()), run_with_index(sample, **how)
    for position in (1, 1000):
        embedding = network.embeddings(sample.train_pixels[position][None])[0]
        positions, similarities = attribution.neighbours(network, run, sample, embedding, 4)
        assert positions[0] == position and similarities[0] > 0.9999 and len(positions) == 4


def test_the_index_is_read_once_for_each_network(sample, monkeypatch):
    run, reads, read = run_with_index(sample), [], runs.index
    monkeypatch.setattr(runs, "index", lambda run_id: reads.append(run_id) or read(run_id))
    network = Network(template_network())
    for _ in range(3):
        attribution.neighbours(network, run, sample, np.ones(49), 1)
    attribution.neighbours(Network(template_network()), run, sample, np.ones(49), 1)
    assert reads == [run.id, run.id]


def test_what_is_remembered_goes_with_the_network(sample):
    network = Network(template_network())
    attribution.neighbours(network, run_with_index(sample), sample, np.ones(49), 1)
    assert network in attribution._indices
    gc.collect()
    before = len(attribution._indices)
    del network
    gc.collect()
    assert len(attribution._indices) == before - 1


def test_wide_embeddings_are_thinned_out_evenly(sample, monkeypatch):
    monkeypatch.setattr(attribution, "KEPT", 49 * 100)
    network = Network(template_network())
    positions, _ = attribution.neighbours(
        network, run_with_index(sample), sample, np.ones(49), 1000
    )
    assert len(positions) == 100
    assert np.diff(np.sort(positions)).max() <= 24


def test_an_index_that_points_outside_the_data_is_not_followed(sample):
    run = run_with_index(sample)
    runs.write_arrays(
        run.id,
        "index.npz",
        indices=np.array([10**6], np.int32),
        embeddings=np.ones((1, 49), np.int8),
    )
    positions, _ = attribution.neighbours(Network(template_network()), run, sample, np.ones(49), 3)
    assert len(positions) == 3 and positions.max() < len(sample.train_labels)


def test_real_pictures_lie_next_to_themselves(fashion_mnist):
    data = dataset.load("fashion-mnist")
    network = Network(template_network())
    run = run_with_index(data)
    embedding = network.embeddings(data.train_pixels[3000][None])[0]
    positions, similarities = attribution.neighbours(network, run, data, embedding, 8)
    assert positions[0] == 3000 and similarities[0] > 0.999
    assert np.bincount(data.train_labels[positions]).max() >= 4
