"""The process that computes a t-SNE map at low priority: embeddings in from one file, positions out
to another.

    python -m core.explain.tsne_process EMBEDDINGS.npy POSITIONS.npz

A process and not a thread, because scikit-learn would keep the app's processors busy and stay in
its memory. The positions are written whole or not at all, and the embeddings removed after use.
"""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import processes

PRIORITY = 19  # the lowest: pages and trainings go first
PERPLEXITY = 30.0  # neighbours that count, scikit-learn's default
# After PCA and before t-SNE, as its authors do: noise goes, and neighbours are found faster.
DIMENSIONS = 50


def compute(embeddings: NDArray[np.floating]) -> NDArray[np.float32]:
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
    tsne = TSNE(2, perplexity=perplexity, init=init, random_state=0)
    positions: NDArray[np.float32] = tsne.fit_transform(values).astype(np.float32)
    return positions


def main(arguments: list[str]) -> int:
    """Read the embeddings, compute their map, write it."""
    if hasattr(os, "nice"):
        os.nice(PRIORITY)
    source, target = map(Path, arguments)
    embeddings = np.load(source, allow_pickle=False)
    source.unlink(missing_ok=True)
    began = time.perf_counter()
    positions = compute(embeddings)
    packed = io.BytesIO()
    np.savez(packed, positions=positions, seconds=time.perf_counter() - began)
    processes.write_whole(target, packed.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
