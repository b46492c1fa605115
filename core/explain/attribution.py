"""Two answers to "why?": where the network looked, and which training pictures it holds for
similar.

Both ask only what every network can answer: probabilities of altered pictures, and embeddings. So
they work for any architecture, without gradients and without the training framework.

Neither proves a cause. Occlusion shows what the answer would lose if a patch were background;
neighbours show what lies close in the network's own space.
"""

from __future__ import annotations

import weakref

import numpy as np

from core import runs
from core.data.fashion_mnist import Dataset
from core.inference import Network
from core.labels import SIDE

# A collar or a heel is about six pixels wide; steps of half a patch hide most pixels four times.
PATCH, STRIDE = 6, 3
HALVED = float(np.log(2))  # nats: odds that fall to a half. A map whose peak is lower stays pale
SAMPLE = 2000  # training pictures embedded where a run brings none
KEPT = 4_000_000  # numbers kept of one network's embeddings: 16 MB


def occlusion(network: Network, pixels: np.ndarray, label: int) -> np.ndarray:
    """Map what an answer rests on, by hiding one patch after another.

    A patch of background black moves over the picture, and the fall of the label's log-odds is
    shared among the pixels that were hidden, averaged over all patches that hid them. Log-odds
    still move where a confidence of 0.999 hardly does.

    Args:
        network: who is asked; 101 pictures in one call.
        pixels: uint8 `(28, 28)`, bright garment on black.
        label: the class 0..9 to be explained, usually the prediction.

    Returns:
        float32 `(28, 28)` in 0..1. 0: hiding the place changes nothing or helps. 1: the place that
        matters most, provided that the odds fall at least to a half there; otherwise the peak stays
        below 1 in proportion.

    Sources: Zeiler and Fergus, arXiv 1311.2901, section 4.2 (the patch); Zintgraf et al., arXiv
        1702.04595 (log-odds).
    """
    pixels = np.asarray(pixels)
    corners = range(1 - PATCH // 2, SIDE, STRIDE)  # the outer patches reach over the edge
    hidden = np.zeros((len(corners) ** 2, SIDE, SIDE), bool)
    for number, (top, left) in enumerate((top, left) for top in corners for left in corners):
        hidden[number, max(0, top) : top + PATCH, max(0, left) : left + PATCH] = True
    variants = np.where(hidden, np.uint8(0), pixels)
    odds = _log_odds(network.probabilities(np.concatenate([pixels[None], variants])), label)
    falls = odds[0] - odds[1:]
    fall = np.tensordot(falls, hidden.astype(np.float64), axes=1) / hidden.sum(axis=0)
    fall = np.maximum(fall, 0)
    return (fall / max(float(fall.max()), HALVED)).astype(np.float32)


def nearest(
    embedding: np.ndarray, index_embeddings: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the `k` most similar vectors, exactly.

    Args:
        embedding: float `(d,)`.
        index_embeddings: float `(m, d)`, of any length.
        k: how many; fewer come back if `m` is smaller.

    Returns:
        positions int64 `(k,)` and cosine similarities float32 `(k,)`, most similar first, equal
        ones by position. A vector of zeros is similar to nothing (0).

    Raises:
        ValueError: if the widths differ.
    """
    embedding, index_embeddings = (
        np.asarray(embedding, np.float32),
        np.asarray(index_embeddings, np.float32),
    )
    if (
        embedding.ndim != 1
        or index_embeddings.ndim != 2
        or index_embeddings.shape[1] != len(embedding)
    ):
        raise ValueError(
            f"Expected embeddings (d,) and (m, d), received {embedding.shape} and {index_embeddings.shape}."
        )
    lengths = np.sqrt(np.einsum("md,md->m", index_embeddings, index_embeddings)) * np.linalg.norm(
        embedding
    )
    similarity = index_embeddings @ embedding / np.maximum(lengths, 1e-12)
    order = np.argsort(-similarity, kind="stable")[: max(0, k)]
    return order, np.clip(similarity[order], -1, 1)


def neighbours(
    network: Network, run: runs.Run, dataset: Dataset, embedding: np.ndarray, k: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """The training pictures that the network holds for most similar.

    The run's own index is searched if it was made from this dataset; otherwise up to 2,000 training
    pictures, evenly spread, are embedded once and remembered as long as the network is.

    Args:
        network: the run's network.
        run: a finished run.
        dataset: the data to show pictures from.
        embedding: float `(d,)`, what the network answered for the picture in question.
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


# Kept with the network and not longer: whoever bounds the number of open networks bounds this too.
_vectors: weakref.WeakKeyDictionary[Network, tuple[str, np.ndarray, np.ndarray]] = (
    weakref.WeakKeyDictionary()
)


def _searchable(network: Network, run: runs.Run, dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Indices into the training split and embeddings to search among, read or computed at the first
    question.
    """
    kept = _vectors.get(network)
    if kept is None or kept[0] != dataset.fingerprint:
        indices, vectors = _own_index(run, dataset) or _sample(network, dataset)
        thin = _evenly(len(indices), KEPT // max(1, vectors.shape[1]))
        kept = _vectors[network] = (
            dataset.fingerprint,
            indices[thin],
            np.ascontiguousarray(vectors[thin]),
        )
    return kept[1:]


def _own_index(run: runs.Run, dataset: Dataset) -> tuple[np.ndarray, np.ndarray] | None:
    if (run.record.get("dataset") or {}).get("fingerprint") != dataset.fingerprint:
        return None
    found = runs.index(run.id)
    return (
        None
        if found is None or not len(found[0]) or found[0].max() >= len(dataset.train_labels)
        else found
    )


def _sample(network: Network, dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    indices = _evenly(len(dataset.train_pixels), SAMPLE)
    return indices, network.embeddings(dataset.train_pixels[indices])


def _evenly(n: int, at_most: int) -> np.ndarray:
    """Up to `at_most` positions out of `n`, evenly spread, in order."""
    return np.arange(n) if n <= at_most else np.linspace(0, n - 1, max(1, at_most)).astype(np.int64)


def _log_odds(probabilities: np.ndarray, label: int) -> np.ndarray:
    """Log-odds of a label, `(n,)`; the rest is summed, since 1 - p would lose all digits where p is
    almost 1.
    """
    values = np.asarray(probabilities, np.float64)
    rest = np.delete(values, label, axis=1).sum(axis=1)
    return np.log(np.maximum(values[:, label], 1e-30)) - np.log(np.maximum(rest, 1e-30))
