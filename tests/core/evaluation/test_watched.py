"""The two dozen pictures that a training is watched by."""

from __future__ import annotations

import numpy as np

from core.evaluation import watched


def answers(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(10), count).astype(np.float32), rng.integers(0, 10, count)


def test_of_each_class_the_easiest_and_the_hardest_and_the_four_hardest_others():
    probabilities, labels = answers(500)
    chosen = watched.choose(probabilities, labels)
    assert len(set(chosen.positions.tolist())) == 24 and chosen.hard.sum() == 14
    of_truth = probabilities[np.arange(500), labels]
    for label in range(10):
        mine = labels[chosen.positions] == label
        own = of_truth[labels == label]
        assert of_truth[chosen.positions[mine & ~chosen.hard]].tolist() == [own.max()]
        assert own.min() in of_truth[chosen.positions[mine & chosen.hard]]
    assert (np.diff(labels[chosen.positions]) >= 0).all(), "class by class"


def test_few_pictures_give_few_and_none_twice():
    probabilities, _ = answers(3)
    chosen = watched.choose(probabilities, np.array([4, 4, 7]))
    assert sorted(chosen.positions.tolist()) == [0, 1, 2]


def test_candidates_are_spread_over_all_validation_pictures():
    places = watched.candidates(6000)
    assert len(places) == watched.CANDIDATES and (places[0], places[-1]) == (0, 5999)
    assert watched.candidates(7).tolist() == list(range(7)) and watched.candidates(0).size == 0
