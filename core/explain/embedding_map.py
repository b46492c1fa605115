"""The test pictures as a map on which pictures that look similar to the network lie close together.

The embedding of a picture has dozens or hundreds of numbers; a map has two. PCA, the two directions
in which the embeddings differ most, is one decomposition and available at once. t-SNE, which keeps
neighbours together, takes seconds to minutes: a separate process (`tsne_process`) computes it at
low priority, one map at a time, and leaves it in a file, so that each map is computed only once.
The file is named after a hash of network and data: another network or other pictures never find an
old map.

Distances between groups on a t-SNE map mean nothing, and neither map is the space itself: they are
for looking.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import processes, runs, settings
from core.data.fashion_mnist import Dataset
from core.errors import StorageProblem
from core.explain import tsne_process
from core.inference import Network
from core.labels import SIDE

# Of the test pictures: t-SNE of all 10,000 takes minutes, and as many points hide each other.
SAMPLE = 2000
QUALITY = 60  # of WebP: pictures are shown at three times their size
FILE = "plane.npz"  # the map by PCA, among a run's files
KEPT = 40  # maps on disk, 25 KB each; the oldest go


@dataclass(frozen=True)
class Plane:
    """The plane in which embeddings differ most.

    Attributes:
        positions: float32 `(n, 2)`.
        shares: float `(2,)`, how much of all variance lies along each axis, 0..1.
        mean: float `(d,)`, of all embeddings.
        axes: float `(2, d)`: a new embedding lies at `(embedding - mean) @ axes.T`.
    """

    positions: NDArray[np.float32]
    shares: NDArray[np.float64]
    mean: NDArray[np.float64]
    axes: NDArray[np.float64]

    def project(self, embedding: NDArray[np.floating]) -> NDArray[np.float64]:
        """Where an embedding `(d,)` lies on the map, `(2,)`."""
        position: NDArray[np.float64] = (embedding - self.mean) @ self.axes.T
        return position


@dataclass(frozen=True)
class MappedPictures:
    """Test pictures as a network sees them.

    Attributes:
        indices: int64 `(n,)`, positions in the test split.
        plane: their map by PCA.
        key: the name of their map by t-SNE; see `key_of`.
    """

    indices: NDArray[np.int64]
    plane: Plane
    key: str


class State(StrEnum):
    """How far a t-SNE map is; `WAITING` while another map is being computed."""

    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    FAILED = "failed"


@dataclass(frozen=True)
class Neighbourhoods:
    """A t-SNE map, or how far it is.

    Attributes:
        state: how far it is.
        positions: float32 `(n, 2)` when ready, else None.
        seconds: how long it has been running, or how long it took.
        problem: why it failed, as the process reported it.
    """

    state: State
    positions: NDArray[np.float32] | None = None
    seconds: float = 0.0
    problem: str = ""


def choose_pictures(count: int, at_most: int = SAMPLE) -> NDArray[np.int64]:
    """Positions of the pictures on the map, evenly spread over the test set; int64, in order."""
    if count <= at_most:
        return np.arange(count)
    return np.linspace(0, count - 1, at_most).astype(np.int64)


def columns_of(count: int) -> int:
    """How many pictures stand side by side on a sheet of that many."""
    return max(1, math.ceil(math.sqrt(count)))


def sheet(dataset: Dataset) -> bytes:
    """The pictures on a map as one WebP, row by row: 0.3 MB for 2,000."""
    pixels = dataset.test_pixels[choose_pictures(len(dataset.test_labels))]
    columns = columns_of(len(pixels))
    rows = -(-len(pixels) // columns)
    tiles = np.zeros((rows * columns, SIDE, SIDE), np.uint8)
    tiles[: len(pixels)] = pixels
    image = tiles.reshape(rows, columns, SIDE, SIDE).swapaxes(1, 2).reshape(rows * SIDE, -1)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=QUALITY, method=2)
    return buffer.getvalue()


def pca(embeddings: NDArray[np.floating]) -> Plane:
    """The two directions of largest variance, by singular value decomposition.

    Args:
        embeddings: float `(n, d)`, at least two.
    """
    values = np.asarray(embeddings, np.float64)
    mean = values.mean(axis=0)
    # Of the d x d matrix of covariances: faster than of n x d, and as exact as a map needs.
    spread, directions = np.linalg.eigh((values - mean).T @ (values - mean))
    if len(spread) < 2:  # an embedding of one number
        spread, directions = np.append(0.0, spread), np.pad(directions, ((0, 0), (1, 0)))
    axes = directions[:, [-1, -2]].T
    # The sign of a direction is arbitrary; the largest number of each is made positive, so that a
    # map is never mirrored.
    axes = axes * np.sign(
        np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1) + 1e-30
    )
    return Plane(
        ((values - mean) @ axes.T).astype(np.float32),
        spread[[-1, -2]] / max(spread.sum(), 1e-30),
        mean,
        axes,
    )


def map_test_pictures(run_id: str, network: Network, dataset: Dataset) -> MappedPictures:
    """Up to 2,000 test pictures, evenly spread over the test set, on a run's map by PCA.

    A finished training leaves its map among the run's files. Where there is none, it is computed, a
    second or more for a large network, and kept with the maps by t-SNE.

    Args:
        run_id: a run with a network.
        network: its own.
        dataset: the test pictures are its own.

    Raises:
        RunNotFound, RunDamaged: if the run or its files cannot be read.
    """
    key = key_of(runs.onnx_bytes(run_id), dataset)
    file = _folder() / f"{key}.plane.npz"
    kept = _unpack(runs.read_bytes(run_id, FILE), key)
    if kept is None and file.exists():
        kept = _unpack(file.read_bytes(), key)
    if kept is None:
        kept = _compute(key, network, dataset)
        # Where it cannot be kept, the map is there all the same.
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            processes.write_whole(file, _pack(kept))
    return kept


def keep(run_id: str, onnx: bytes, network: Network, dataset: Dataset) -> None:
    """Leave the map by PCA among a run's files.

    Raises:
        RunNotFound, StorageProblem: as `runs.write` does.
    """
    runs.write(run_id, FILE, _pack(_compute(key_of(onnx, dataset), network, dataset)))


def key_of(onnx: bytes, dataset: Dataset) -> str:
    """The name under which the maps of a network and a data set are kept.

    Another network or other pictures never find an old map.
    """
    digest = hashlib.sha256(onnx)
    digest.update(f"{dataset.fingerprint} {SAMPLE}".encode())
    return digest.hexdigest()[:24]


def _compute(key: str, network: Network, dataset: Dataset) -> MappedPictures:
    indices = choose_pictures(len(dataset.test_labels))
    return MappedPictures(indices, pca(network.embeddings(dataset.test_pixels[indices])), key)


def _pack(points: MappedPictures) -> bytes:
    buffer, plane = io.BytesIO(), points.plane
    np.savez_compressed(
        buffer,
        key=np.array(points.key),
        indices=points.indices,
        positions=plane.positions,
        shares=plane.shares,
        mean=plane.mean,
        axes=plane.axes,
    )
    return buffer.getvalue()


def _unpack(packed: bytes | None, key: str) -> MappedPictures | None:
    """A map as it was kept; None where there is none, or that of another network or other data."""
    if packed is None:
        return None
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as kept:
            if str(kept["key"]) != key:
                return None
            plane = Plane(kept["positions"], kept["shares"], kept["mean"], kept["axes"])
            return MappedPictures(kept["indices"].astype(np.int64), plane, key)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # cut short: it is computed again


def neighbourhoods(key: str, embeddings: Callable[[], NDArray[np.floating]]) -> Neighbourhoods:
    """The t-SNE map, or how far it is; the first call starts it. Cheap to call again and again.

    Args:
        key: `key_of` the embeddings.
        embeddings: returns them, float `(n, d)`; called only to start, for it may take seconds.

    Raises:
        StorageProblem: if the folder for maps cannot be written to.
    """
    with _LOCK:
        known = _known(key)
    if known is not None:
        return known
    values = embeddings()  # seconds, for which nobody else is to wait
    with _LOCK:
        known = _known(key)
        if known is None:
            _jobs[key] = _start(key, values)
        return known or Neighbourhoods(State.RUNNING)


def _known(key: str) -> Neighbourhoods | None:
    """The map, how far it is, or that another one is running; None where it may be started."""
    known = _look_up(key)
    if known is None and any(job.process.poll() is None for job in _jobs.values()):
        return Neighbourhoods(State.WAITING)
    return known


def try_again(key: str) -> None:
    """Forget that a map failed, so that the next call of `neighbourhoods` starts it again."""
    with _LOCK:
        job = _jobs.get(key)
        if job is not None and job.process.poll() is not None:
            del _jobs[key]


@dataclass
class _Job:
    process: subprocess.Popen[str]
    began: float


_LOCK = threading.Lock()
_jobs: dict[str, _Job] = {}  # of this app's process; what is finished is on disk


def _look_up(key: str) -> Neighbourhoods | None:
    """The map if it is ready, or how far its job is; None where it was never started."""
    ready = _read(_folder() / f"{key}.npz")
    if ready is not None:
        _jobs.pop(key, None)
        return ready
    job = _jobs.get(key)
    return None if job is None else _check(key, job)


def _folder() -> Path:
    return settings.home() / "maps"


def _start(key: str, embeddings: NDArray[np.floating]) -> _Job:
    source = _folder() / f"{key}.input.npy"
    try:
        _folder().mkdir(parents=True, exist_ok=True)
        for old in sorted(_folder().glob("*.npz"), key=lambda path: path.stat().st_mtime)[
            : -KEPT + 1
        ]:
            old.unlink(missing_ok=True)
        np.save(source, np.asarray(embeddings, np.float32))
    except OSError as error:
        raise StorageProblem(
            f"The map cannot be kept in {_folder()} ({error.strerror or error}). Free some space, "
            "or name another folder in ATELIER_HOME."
        ) from error
    process = subprocess.Popen(
        [sys.executable, "-m", tsne_process.__name__, str(source), str(_folder() / f"{key}.npz")],
        cwd=settings.ROOT,
        env={**os.environ, **processes.ONE_CORE},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    return _Job(process, time.monotonic())


def _check(key: str, job: _Job) -> Neighbourhoods:
    seconds = time.monotonic() - job.began
    if job.process.poll() is None:
        return Neighbourhoods(State.RUNNING, seconds=seconds)
    ready = _read(_folder() / f"{key}.npz")  # it may have ended between the two looks
    if ready is not None:
        return ready
    stderr = job.process.stderr
    lines = stderr.read().strip().splitlines() if stderr and not stderr.closed else []
    return Neighbourhoods(
        State.FAILED,
        seconds=seconds,
        problem=lines[-1] if lines else f"it ended with status {job.process.returncode}",
    )


def _read(path: Path) -> Neighbourhoods | None:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return Neighbourhoods(State.READY, archive["positions"], float(archive["seconds"]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None  # not there, or cut short: it is computed again
