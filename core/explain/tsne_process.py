"""The process that computes a t-SNE map at low priority: embeddings in one file, positions in
another, nothing else.

    python -m core.explain.tsne_process EMBEDDINGS.npy POSITIONS.npz

A process and not a thread, because scikit-learn would keep the app's processors busy and stay in
its memory. The positions are written whole or not at all, and the embeddings removed after use.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

PRIORITY = 19  # the lowest: pages and trainings go first
PERPLEXITY = 30.0  # neighbours that count, scikit-learn's default
# Before t-SNE, by PCA, as its authors do: noise goes, and neighbours are found faster.
DIMENSIONS = 50


def positions(embeddings: np.ndarray) -> np.ndarray:
    """The t-SNE map of embeddings `(n, d)`, as float32 `(n, 2)`; the same every time.

    Source: van der Maaten and Hinton, Visualizing data using t-SNE, JMLR 9, 2008.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    values = np.asarray(embeddings, np.float32)
    if min(values.shape) > DIMENSIONS:
        values = PCA(DIMENSIONS, random_state=0).fit_transform(values)
    perplexity = min(PERPLEXITY, (len(values) - 1) / 3)
    init = "pca" if values.shape[1] > 1 else "random"
    return (
        TSNE(2, perplexity=perplexity, init=init, random_state=0)
        .fit_transform(values)
        .astype(np.float32)
    )


def main(arguments: list[str]) -> int:
    """Read, compute, write."""
    if hasattr(os, "nice"):
        os.nice(PRIORITY)
    given, wanted = map(Path, arguments)
    embeddings = np.load(given, allow_pickle=False)
    given.unlink(missing_ok=True)
    began = time.perf_counter()
    found = positions(embeddings)
    part = wanted.with_name(f"{wanted.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        np.savez(file, positions=found, seconds=time.perf_counter() - began)
    os.replace(part, wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
