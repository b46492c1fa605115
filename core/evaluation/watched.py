"""Which validation pictures a training is watched by: some easy, some hard, the same ones from its
first epoch to its last.

How hard they are is judged by another network's answers, not by the training's own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MORE_HARD = 4  # besides an easy and a hard one of each class
CANDIDATES = 500  # validation pictures that the judging network answers


class Watched(NamedTuple):
    """Positions among the validation pictures, int64 `(n,)`, and whether each is a hard one."""

    positions: NDArray[np.int64]
    hard: NDArray[np.bool_]


def candidates(count: int) -> NDArray[np.int64]:
    """Positions, evenly spread over so many validation pictures, that are worth judging."""
    spread = np.linspace(0, count - 1, min(count, CANDIDATES)) if count else np.zeros(0)
    return np.unique(spread.astype(np.int64))


def choose(probabilities: NDArray[np.floating], labels: NDArray[np.integer]) -> Watched:
    """Choose two dozen pictures: of each class the easiest and the hardest, and four hard ones.

    Args:
        probabilities: `(n, 10)`, what the judging network says.
        labels: `(n,)`, the truth.

    Returns:
        positions among the `n`, sorted by class, the easy one before the hard ones; fewer where a
        class has no two pictures.
    """
    labels = np.asarray(labels)
    of_truth = np.asarray(probabilities)[np.arange(len(labels)), labels]
    order = np.argsort(of_truth, kind="stable")
    easy, hard = [], []
    for label in np.unique(labels):
        of_class = order[labels[order] == label]
        easy.append(int(of_class[-1]))
        if len(of_class) > 1:
            hard.append(int(of_class[0]))
    taken = {*easy, *hard}
    hard += [int(place) for place in order if int(place) not in taken][:MORE_HARD]
    chosen = sorted(
        [(int(labels[place]), False, place) for place in easy]
        + [(int(labels[place]), True, place) for place in hard]
    )
    return Watched(
        np.array([place for _, _, place in chosen], np.int64),
        np.array([is_hard for _, is_hard, _ in chosen], bool),
    )
