"""The four files in which Fashion-MNIST is published: how to recognise, read and download them.

A file is accepted only if its SHA-256 is the official one. A download is written under another
name, checked, and only then renamed, so that a file with the right name is never half written by
us.

Where to look for the files, and how they belong together, is decided in `core.data.fashion_mnist`.
"""

from __future__ import annotations

import hashlib
import math
import os
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from core.errors import DataDamaged, DataUnavailable, StorageProblem

# Zalando's own bucket first, then the copy that Keras uses. The names are the same in both.
SOURCES = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
)

# Called with the name of the current file, the bytes done and those in total.
DownloadProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class DataFile:
    """One official file: its name, its length in bytes and the SHA-256 of its packed bytes."""

    name: str
    size: int
    sha256: str


FILES = (
    DataFile(
        "train-images-idx3-ubyte.gz",
        26_421_880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    DataFile(
        "train-labels-idx1-ubyte.gz",
        29_515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    DataFile(
        "t10k-images-idx3-ubyte.gz",
        4_422_102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    DataFile(
        "t10k-labels-idx1-ubyte.gz",
        5_148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
)

# Unsigned bytes with one and with three dimensions.
_LABELS_MAGIC, _IMAGES_MAGIC = 0x00000801, 0x00000803
_LONGEST = 16 + 100_000 * 28 * 28  # bytes; a small file must not unpack into all of the memory
_CHUNK = 256 * 1024  # bytes
_TIMEOUT = (6, 30)  # seconds to connect, and between two packets
_STALE_SECONDS = 3600

# Files whose hash was right, by (path, size, mtime in ns): hashing 30 MB at every load would be
# noticeable.
_verified: set[tuple[str, int, int]] = set()
_one_download_at_a_time = threading.Lock()


def parse_idx(raw: bytes, *, name: str) -> NDArray[np.uint8]:
    """Read an IDX file of labels or of 28 x 28 pictures.

    Args:
        raw: its bytes, gzipped or plain.
        name: what to call it in an error.

    Returns:
        uint8, `(n,)` for labels and `(n, 28, 28)` for pictures, read-only.

    Raises:
        DataDamaged: naming the file and what is wrong: not gzip, cut short, wrong magic number,
            shape or count.
    """
    data = _gunzip(raw, name) if raw[:2] == b"\x1f\x8b" else raw
    if len(data) < 8:
        raise DataDamaged(f"{name} ends within its header ({len(data)} bytes).")
    magic = int.from_bytes(data[:4], "big")
    if magic not in (_LABELS_MAGIC, _IMAGES_MAGIC):
        raise DataDamaged(
            f"{name} starts with the magic number 0x{magic:08X}; expected 0x{_LABELS_MAGIC:08X} "
            f"(labels) or 0x{_IMAGES_MAGIC:08X} (pictures)."
        )
    header = 8 if magic == _LABELS_MAGIC else 16
    if len(data) < header:
        raise DataDamaged(f"{name} ends within its header ({len(data)} bytes).")
    shape = tuple(int(size) for size in np.frombuffer(data[4:header], dtype=">u4"))
    if shape[1:] not in ((), (28, 28)):
        raise DataDamaged(
            f"{name} holds pictures of {shape[1]} x {shape[2]} pixels; expected 28 x 28."
        )
    expected = header + math.prod(shape)
    if len(data) != expected:
        fault = "ends too early" if len(data) < expected else "is longer than its header says"
        raise DataDamaged(
            f"{name} {fault}: {len(data):,} bytes for {shape[0]:,} entries; expected {expected:,}."
        )
    values = np.frombuffer(data, dtype=np.uint8, offset=header).reshape(shape)
    values.flags.writeable = False
    return values


def missing_in(folder: Path) -> list[str]:
    """Names of the files that a folder lacks: all four if the folder does not exist."""
    return [file.name for file in FILES if not os.path.isfile(folder / file.name)]


def wrong_lengths_in(folder: Path) -> list[str]:
    """Names of the files whose length is not the official one, which shows without reading them."""
    return [file.name for file in FILES if not _has_length(folder / file.name, file.size)]


def damage_in(folder: Path) -> dict[str, str]:
    """What is wrong with the four files: a sentence for each damaged one, by its name."""
    sentences = {file.name: _damage(folder / file.name, file) for file in FILES}
    return {name: sentence for name, sentence in sentences.items() if sentence}


def read(folder: Path) -> list[NDArray[np.uint8]]:
    """Parse the four files, in the order of `FILES`.

    Whether they are the official ones is checked by `damage_in`.

    Raises:
        DataDamaged: naming the file and what is wrong with it.
    """
    paths = [folder / file.name for file in FILES]
    try:
        return [parse_idx(path.read_bytes(), name=str(path)) for path in paths]
    except OSError as error:
        raise DataDamaged(
            f"{error.filename} cannot be read ({error.strerror}). Try again."
        ) from error


def _has_length(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False  # another process has just set it aside


def _damage(path: Path, file: DataFile) -> str | None:
    """What is wrong with a file, in a sentence; None if it is the official one."""
    try:
        facts = path.stat()
        identity = (str(path), facts.st_size, facts.st_mtime_ns)
        if identity in _verified:
            return None
        with path.open("rb") as stream:
            # A little more than it should have, to say what is wrong; never a whole disk image.
            raw = stream.read(file.size + _CHUNK)
    except OSError as error:
        return f"{path} cannot be read ({error.strerror})."
    if hashlib.sha256(raw).hexdigest() == file.sha256:
        _verified.add(identity)
        return None
    if len(raw) == file.size + _CHUNK:
        return f"{path} is longer than the official file, which has {file.size:,} bytes."
    try:
        parse_idx(raw, name=str(path))
    except DataDamaged as error:
        return str(error)
    return f"{path} is not the official file: its SHA-256 differs."


def set_aside(folder: Path, names: list[str]) -> None:
    """Rename files to `*.damaged`, so that they are not read again and nothing is lost.

    Raises:
        StorageProblem: if they cannot be renamed.
    """
    for name in names:
        try:
            os.replace(folder / name, folder / f"{name}.damaged")
        except FileNotFoundError:
            continue  # another process was faster
        except OSError as error:
            raise _storage_problem(folder, error) from error


def fetch(folder: Path, progress: DownloadProgress | None = None) -> None:
    """Download every file that is missing or damaged; the others stay as they are.

    Args:
        folder: created if necessary; a damaged file in it is set aside as `*.damaged`.
        progress: called with the name of the current file, the bytes done and those in total, both
            counted over all four files.

    Raises:
        DataUnavailable: no source delivered a file.
        StorageProblem: the disk is full or the folder cannot be written to.
    """
    total = sum(file.size for file in FILES)
    with _one_download_at_a_time:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _remove_leftovers(folder)
        except OSError as error:
            raise _storage_problem(folder, error) from error
        done, sources = 0, list(SOURCES)
        for file in FILES:
            path = folder / file.name
            if os.path.isfile(path) and _damage(path, file):
                set_aside(folder, [file.name])
            if not os.path.isfile(path):
                _fetch_one(file, folder, sources, _Bar(file, done, total, progress))
            done += file.size
            if progress:
                progress(file.name, done, total)


def _gunzip(raw: bytes, name: str) -> bytes:
    """Unpack a gzip file, and check its own length and CRC."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        data = unpacker.decompress(raw, _LONGEST)
    except zlib.error as error:
        raise DataDamaged(
            f"{name} cannot be unpacked, some of its bytes are wrong ({error})."
        ) from error
    if not unpacker.eof:
        fault = (
            "ends too early" if len(data) < _LONGEST else f"unpacks to more than {_LONGEST:,} bytes"
        )
        raise DataDamaged(f"{name} {fault}.")
    return data


class _Bar:
    """A progress bar for pooch, which hands on what it is told.

    Pooch counts whole chunks, so that the last one may overshoot.
    """

    def __init__(
        self, file: DataFile, before: int, total: int, progress: DownloadProgress | None
    ) -> None:
        self._file, self._before, self._all, self._progress = file, before, total, progress
        self._done = 0
        self.total = 0  # pooch sets it to what the server announces; our own table is more reliable

    def update(self, amount: int) -> None:
        """So many more bytes have arrived."""
        self._done = min(self._done + amount, self._file.size)
        if self._progress:
            self._progress(self._file.name, self._before + self._done, self._all)

    def reset(self) -> None:
        """Start the file again, from another source."""
        self._done = 0

    def close(self) -> None:
        """Nothing to close: the page or the terminal owns the bar."""


def _fetch_one(file: DataFile, folder: Path, sources: list[str], bar: _Bar) -> None:
    """Download a file from the first source that has it; that source is asked first next time."""
    import pooch  # with requests 0.15 s to import, and only a download needs them
    import requests

    pooch.get_logger().setLevel("WARNING")
    failures = []
    for source in tuple(sources):
        bar.reset()
        downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=_CHUNK, timeout=_TIMEOUT)
        try:
            pooch.retrieve(
                source + file.name,
                known_hash=file.sha256,
                fname=file.name,
                path=folder,
                downloader=downloader,
            )
        except requests.RequestException as error:
            failures.append(f"{urlsplit(source).netloc} could not provide it ({_in_words(error)})")
        except ValueError:  # which pooch raises for a hash that differs
            failures.append(
                f"{urlsplit(source).netloc} delivered something else (its SHA-256 differs)"
            )
        except OSError as error:
            raise _storage_problem(folder, error) from error
        else:
            sources.remove(source)
            sources.insert(0, source)
            return
    raise DataUnavailable(
        f"{file.name} could not be downloaded: {'; '.join(failures)}. Connect to the internet and "
        "try again, put the four .gz files into a folder and name that folder in ATELIER_DATA, or "
        "use the offline sample."
    )


def _in_words(error: Exception) -> str:
    """A network error for people; its own text is about sockets and connection pools."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    return (
        "no answer in time"
        if isinstance(error, requests.Timeout)
        else "no connection, or the connection was lost"
    )


def _remove_leftovers(folder: Path) -> None:
    """Delete what a killed download left behind; recent files may belong to a running one."""
    for path in folder.glob("tmp*"):
        if time.time() - path.stat().st_mtime > _STALE_SECONDS:
            path.unlink(missing_ok=True)


def _storage_problem(folder: Path, error: OSError) -> StorageProblem:
    return StorageProblem(
        f"Atelier cannot write to {folder} ({error.strerror or error}). Free some space, make the "
        "folder writable, or choose another one with ATELIER_HOME."
    )
