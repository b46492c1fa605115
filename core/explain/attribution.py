"""Two answers to "why?": which parts of a picture the answer rests on, and which training pictures
the network finds most similar.

Both need only what every network provides: probabilities of altered pictures, and embeddings. So
they work for any architecture, without gradients and without the training framework.

Neither proves a cause. Occlusion shows what the answer would lose if a patch were background;
neighbours show what lies close in the network's own space.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core import runs
from core.data.fashion_mnist import Dataset
from core.inference import Network
from core.labels import SIDE

# A collar or a heel is about six pixels wide; steps of half a patch hide most pixels four times.
PATCH, STRIDE = 6, 3
HALVED = float(np.log(2))  # nats: odds that fall to a half. A map whose peak is lower stays pale
SAMPLE = 2000  # training pictures embedded for a run that has no index of its own
KEPT = 4_000_000  # numbers kept of one network's embeddings: 16 MB


def occlusion(network: Network, pixels: NDArray[np.uint8], label: int) -> NDArray[np.float32]:
    """The map of `occlusions` for one class, float32 `(28, 28)`."""
    heat: NDArray[np.float32] = occlusions(network, pixels, [label])[0]
    return heat


def occlusions(
    network: Network, pixels: NDArray[np.uint8], labels: Sequence[int]
) -> NDArray[np.float32]:
    """Map what an answer rests on, by hiding one patch after another.

    A black patch moves over the picture, and the fall of the label's log-odds is shared among the
    pixels that were hidden, averaged over all patches that hid them. Log-odds still move where a
    confidence of 0.999 hardly does.

    Args:
        network: answers 101 pictures in one call.
        pixels: uint8 `(28, 28)`, bright garment on black.
        labels: the `k` classes 0..9 to be explained, such as the prediction and the truth.

    Returns:
        float32 `(k, 28, 28)` in 0..1. 0: hiding the pixel changes nothing or helps. 1: the pixel
        that matters most, provided that the odds fall at least to a half there; otherwise the peak
        stays below 1 in proportion.

    Sources: Zeiler and Fergus, arXiv 1311.2901, section 4.2 (the patch); Zintgraf et al., arXiv
        1702.04595 (log-odds).
    """
    pixels = np.asarray(pixels)
    corners = range(1 - PATCH // 2, SIDE, STRIDE)  # the outer patches reach over the edge
    hidden = np.zeros((len(corners) ** 2, SIDE, SIDE), bool)
    for number, (top, left) in enumerate((top, left) for top in corners for left in corners):
        hidden[number, max(0, top) : top + PATCH, max(0, left) : left + PATCH] = True
    variants = np.where(hidden, np.uint8(0), pixels)
    probabilities = network.probabilities(np.concatenate([pixels[None], variants]))
    heats = []
    for label in labels:
        odds = _log_odds(probabilities, label)
        falls = odds[0] - odds[1:]
        fall = np.tensordot(falls, hidden.astype(np.float64), axes=1) / hidden.sum(axis=0)
        fall = np.maximum(fall, 0)
        heats.append(fall / max(float(fall.max()), HALVED))
    return np.array(heats, np.float32)


def nearest(
    embedding: NDArray[np.floating], index_embeddings: NDArray[np.floating], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the `k` most similar vectors by exact search.

    Args:
        embedding: float `(d,)`.
        index_embeddings: float `(m, d)`, of any length.
        k: how many; fewer come back if `m` is smaller.

    Returns:
        positions int64 `(k,)` and cosine similarities float32 `(k,)`, most similar first, equal
        ones by position. A vector of zeros is similar to nothing (0).

    Raises:
        ValueError: if the widths differ.

    Example:
        Only directions count, so (2, 0) is as close to (1, 0) as can be:

        >>> positions, similarities = nearest(
        ...     np.array([1.0, 0.0]), np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]]), k=2
        ... )
        >>> positions
        array([1, 2])
        >>> similarities.round(2)
        array([1.  , 0.71], dtype=float32)
    """
    vector = np.asarray(embedding, np.float32)
    index = np.asarray(index_embeddings, np.float32)
    if vector.ndim != 1 or index.ndim != 2 or index.shape[1] != len(vector):
        raise ValueError(
            f"Expected embeddings (d,) and (m, d), received {vector.shape} and {index.shape}."
        )
    lengths = np.sqrt(np.einsum("md,md->m", index, index)) * np.linalg.norm(vector)
    similarity = index @ vector / np.maximum(lengths, 1e-12)
    order = np.argsort(-similarity, kind="stable")[: max(0, k)]
    return order, np.clip(similarity[order], -1, 1)


def neighbours(
    network: Network,
    run: runs.Run,
    dataset: Dataset,
    embedding: NDArray[np.floating],
    k: int = 8,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The training pictures that the network finds most similar.

    The run's own index is searched if it was made from this dataset; otherwise up to 2,000 training
    pictures, evenly spread, are embedded once and remembered as long as the network is.

    Args:
        network: the run's network.
        run: a finished run.
        dataset: the data to show pictures from.
        embedding: float `(d,)`, the network's embedding of the picture in question.
        k: how many.

    Returns:
        positions in the training split int64 `(k,)` and cosine similarities float32 `(k,)`, most
        similar first.

    Raises:
        RunDamaged: if the run's index cannot be read.
    """
    indices, vectors = _searchable(network, run, dataset)
    positions, similarities = nearest(embedding, vectors, k)
    return indices[positions], similarities


# Indices into the training split, int64 `(m,)`, and their embeddings, float32 `(m, d)`.
_Index = tuple[NDArray[np.int64], NDArray[np.float32]]

# With the fingerprint of the data. Kept as long as the network is, and no longer: what limits the
# number of open networks limits this too.
_indices: weakref.WeakKeyDictionary[Network, tuple[str, _Index]] = weakref.WeakKeyDictionary()


def _searchable(network: Network, run: runs.Run, dataset: Dataset) -> _Index:
    """The index to search, read or computed when it is first needed."""
    kept = _indices.get(network)
    if kept is None or kept[0] != dataset.fingerprint:
        positions, vectors = _own_index(run, dataset) or _sample(network, dataset)
        thin = _evenly(len(positions), KEPT // max(1, vectors.shape[1]))
        index = positions[thin], np.ascontiguousarray(vectors[thin])
        kept = _indices[network] = dataset.fingerprint, index
    return kept[1]


def _own_index(run: runs.Run, dataset: Dataset) -> _Index | None:
    if run.record is None or run.record.dataset.fingerprint != dataset.fingerprint:
        return None
    index = runs.index(run.id)
    if index is None or not len(index[0]) or index[0].max() >= len(dataset.train_labels):
        return None
    return index


def _sample(network: Network, dataset: Dataset) -> _Index:
    positions = _evenly(len(dataset.train_pixels), SAMPLE)
    return positions, network.embeddings(dataset.train_pixels[positions])


def _evenly(n: int, at_most: int) -> NDArray[np.int64]:
    """Up to `at_most` positions out of `n`, evenly spread, in order."""
    return np.arange(n) if n <= at_most else np.linspace(0, n - 1, max(1, at_most)).astype(np.int64)


def _log_odds(probabilities: NDArray[np.floating], label: int) -> NDArray[np.float64]:
    """Log-odds of a label, `(n,)`; the rest is summed, since 1 - p would lose all digits where p is
    almost 1.
    """
    values = np.asarray(probabilities, np.float64)
    rest = np.delete(values, label, axis=1).sum(axis=1)
    odds: NDArray[np.float64] = np.log(np.maximum(values[:, label], 1e-30)) - np.log(
        np.maximum(rest, 1e-30)
    )
    return odds
