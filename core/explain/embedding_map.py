"""The test pictures as a map: pictures that a network holds for alike lie close together.

The embedding of a picture has dozens or hundreds of numbers; a map has two. PCA, the two directions
in which the embeddings differ most, is one decomposition and there at once. t-SNE, which keeps
neighbours together, takes seconds to minutes: a process of its own computes it at low priority
(`embedding_process`), one at a time, and leaves it in a file, so that it is computed once for
everybody. The file's name is made of the embeddings themselves: another network or other pictures
never find an old map.

Distances between groups on a t-SNE map mean nothing, and neither map is the space itself: they are
for looking.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import processes, settings
from core.data.fashion_mnist import Dataset
from core.errors import StorageProblem
from core.explain import tsne_process
from core.inference import Network

# Of the test pictures: t-SNE of all 10,000 takes minutes, and as many points hide each other.
SAMPLE = 2000
KEPT = 40  # maps on disk, 25 KB each; the oldest go


@dataclass(frozen=True)
class Plane:
    """The plane in which embeddings differ most.

    Attributes:
        positions: float32 `(n, 2)`.
        shares: float `(2,)`, how much of all variance lies along each axis, 0..1.
        mean: float `(d,)`, and
        axes: float `(2, d)`: where a new embedding lies is `(embedding - mean) @ axes.T`.
    """

    positions: np.ndarray
    shares: np.ndarray
    mean: np.ndarray
    axes: np.ndarray

    def place(self, embedding: np.ndarray) -> np.ndarray:
        """Where an embedding `(d,)` lies on the map, `(2,)`."""
        return (np.asarray(embedding, np.float64) - self.mean) @ self.axes.T


@dataclass(frozen=True)
class MappedPictures:
    """Test pictures as a network sees them.

    Attributes:
        indices: int64 `(n,)`, positions in the test split.
        embeddings: float32 `(n, d)`.
        plane: their map by PCA.
        key: the name of their map by t-SNE; see `key_of`.
    """

    indices: NDArray[np.int64]
    embeddings: NDArray[np.float32]
    plane: Plane
    key: str


@dataclass(frozen=True)
class Neighbourhoods:
    """How far the t-SNE map is.

    Attributes:
        state: "ready", "running", "waiting" (another map is being computed) or "failed".
        positions: float32 `(n, 2)` when ready, else None.
        seconds: how long it has been running, or how long it took.
        problem: what went wrong, as the process said it.
    """

    state: str
    positions: np.ndarray | None = None
    seconds: float = 0.0
    problem: str = ""


def chosen(count: int, at_most: int = SAMPLE) -> np.ndarray:
    """Positions of the pictures on the map, evenly spread over the test set; int64, in order."""
    return (
        np.arange(count)
        if count <= at_most
        else np.linspace(0, count - 1, at_most).astype(np.int64)
    )


def pca(embeddings: np.ndarray) -> Plane:
    """The two directions of largest variance, by singular value decomposition.

    Args:
        embeddings: float `(n, d)`, at least two.
    """
    values = np.asarray(embeddings, np.float64)
    mean = values.mean(axis=0)
    # Of the d x d matrix of covariances: quicker than of n x d, and as exact as a map needs.
    spread, directions = np.linalg.eigh((values - mean).T @ (values - mean))
    if len(spread) < 2:  # an embedding of one number
        spread, directions = np.append(0.0, spread), np.pad(directions, ((0, 0), (1, 0)))
    axes = directions[:, [-1, -2]].T
    # A direction has no sign of its own; the largest number of each is made positive, so that a map
    # is never mirrored.
    axes = axes * np.sign(
        np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1) + 1e-30
    )
    return Plane(
        ((values - mean) @ axes.T).astype(np.float32),
        spread[[-1, -2]] / max(spread.sum(), 1e-30),
        mean,
        axes,
    )


def map_test_pictures(network: Network, dataset: Dataset) -> MappedPictures:
    """Place up to 2,000 test pictures, evenly spread over the test set: a second or two."""
    indices = chosen(len(dataset.test_labels))
    embeddings = network.embeddings(dataset.test_pixels[indices])
    return MappedPictures(indices, embeddings, pca(embeddings), key_of(embeddings))


def key_of(embeddings: np.ndarray) -> str:
    """The name under which the t-SNE map of these embeddings is kept."""
    return hashlib.sha256(np.ascontiguousarray(embeddings, np.float32).tobytes()).hexdigest()[:24]


def neighbourhoods(key: str, embeddings: Callable[[], np.ndarray]) -> Neighbourhoods:
    """The t-SNE map, or how far it is; the first who asks starts it. Cheap to ask again and again.

    Args:
        key: `key_of` the embeddings.
        embeddings: gives them, float `(n, d)`; called only to start.

    Raises:
        StorageProblem: if the folder for maps cannot be written to.
    """
    done = _folder() / f"{key}.npz"
    with _LOCK:
        found = _read(done)
        if found is not None:
            _jobs.pop(key, None)
            return found
        job = _jobs.get(key)
        if job is not None:
            return _look_after(key, job)
        if any(job.process.poll() is None for job in _jobs.values()):
            return Neighbourhoods("waiting")
        _jobs[key] = _start(key, embeddings())
        return Neighbourhoods("running")


def try_again(key: str) -> None:
    """Forget that a map failed, so that asking for it starts it anew."""
    with _LOCK:
        job = _jobs.get(key)
        if job is not None and job.process.poll() is not None:
            del _jobs[key]


@dataclass
class _Job:
    process: subprocess.Popen
    began: float


_LOCK = threading.Lock()
_jobs: dict[str, _Job] = {}  # of this app's process; what is finished is on disk


def _folder() -> Path:
    return settings.home() / "maps"


def _start(key: str, embeddings: np.ndarray) -> _Job:
    given = _folder() / f"{key}.input.npy"
    try:
        _folder().mkdir(parents=True, exist_ok=True)
        for old in sorted(_folder().glob("*.npz"), key=lambda path: path.stat().st_mtime)[
            : -KEPT + 1
        ]:
            old.unlink(missing_ok=True)
        np.save(given, np.asarray(embeddings, np.float32))
    except OSError as error:
        raise StorageProblem(
            f"The map cannot be kept in {_folder()} ({error.strerror or error}). Free some space, or name another folder "
            "with ATELIER_HOME."
        ) from error
    process = subprocess.Popen(
        [sys.executable, "-m", tsne_process.__name__, str(given), str(_folder() / f"{key}.npz")],
        cwd=settings.ROOT,
        env={**os.environ, **processes.ONE_CORE},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    return _Job(process, time.monotonic())


def _look_after(key: str, job: _Job) -> Neighbourhoods:
    seconds = time.monotonic() - job.began
    if job.process.poll() is None:
        return Neighbourhoods("running", seconds=seconds)
    found = _read(_folder() / f"{key}.npz")  # it may have ended between the two looks
    if found is not None:
        return found
    lines = (
        (job.process.stderr.read() if job.process.stderr and not job.process.stderr.closed else "")
        .strip()
        .splitlines()
    )
    return Neighbourhoods(
        "failed",
        seconds=seconds,
        problem=lines[-1] if lines else f"it ended with status {job.process.returncode}",
    )


def _read(path: Path) -> Neighbourhoods | None:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return Neighbourhoods("ready", archive["positions"], float(archive["seconds"]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None  # not there, or cut short: computed anew
