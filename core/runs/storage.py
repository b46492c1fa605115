"""The files of the run library: one folder for each run, every file written whole or not at all.

The library is any fsspec address (`settings.runs_address`); shipped runs lie in `assets` in the
same form and are read-only. Here no id becomes a path unchecked, and nobody needs to know what the
files mean: that is in `library`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import secrets
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import fsspec
import numpy as np
from fsspec.implementations.local import LocalFileSystem
from numpy.typing import NDArray

from core import settings
from core.errors import RunDamaged, RunNotFound, StorageProblem

SHIPPED = "shipped"  # the first champion; other shipped runs are called shipped-<name>
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


# --- ids and times --------------------------------------------------------------------------------


def check_id(run_id: str) -> str:
    """Return the id if it is well formed; nothing else ever becomes part of a path.

    >>> check_id("20260101-120000-swift-1a2b")
    '20260101-120000-swift-1a2b'
    >>> check_id("../etc")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    core.errors.RunNotFound: '../etc' cannot be a run's id ...

    Raises:
        RunNotFound: for anything but lower-case letters, digits and hyphens.
    """
    if not _ID.fullmatch(str(run_id)):
        raise RunNotFound(
            f"{str(run_id)[:80]!r} cannot be a run's id (lower-case letters, digits and hyphens). "
            f"Choose a run from the list."
        )
    return run_id


def new_id(text: str, fallback: str, kind: str = "") -> str:
    """An id that sorts by time, and is unique even if two people ask in the same second.

    Args:
        text: what it is about; what can be part of an id is kept.
        fallback: stands in where nothing of `text` can be.
        kind: what it is the id of, where that is not a run.

    >>> new_id("Adam, 10 epochs", "run")  # doctest: +ELLIPSIS
    '2...-...-adam-10-epochs-...'
    >>> new_id("¿?", "split", "baselines")  # doctest: +ELLIPSIS
    '2...-...-baselines-split-...'
    """
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:30] or fallback
    parts = (f"{datetime.now(UTC):%Y%m%d-%H%M%S}", kind, slug, secrets.token_hex(2))
    return "-".join(part for part in parts if part)


def now() -> str:
    """This moment as records keep it: UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def is_shipped(run_id: str) -> bool:
    """Whether a run lies in `assets` and is read-only."""
    return run_id == SHIPPED or run_id.startswith(f"{SHIPPED}-")


def shipped_ids() -> list[str]:
    """Ids of the shipped runs, the first choice first."""
    return sorted(path.name for path in settings.ASSETS.glob(f"{SHIPPED}*") if path.is_dir())


def run_ids() -> list[str]:
    """Ids of the folders that could be runs, newest first, without the shipped ones."""
    fs, root = open_library()
    try:
        entries = fs.ls(root, detail=True)
    except FileNotFoundError:
        return []
    names = (
        entry["name"].rstrip("/").rsplit("/", 1)[-1]
        for entry in entries
        if entry["type"] == "directory"
    )
    return sorted(
        (name for name in names if _ID.fullmatch(name) and not is_shipped(name)), reverse=True
    )


# --- folders --------------------------------------------------------------------------------------


def open_library() -> tuple[fsspec.AbstractFileSystem, str]:
    """File system and root folder of the library."""
    fs, root = fsspec.core.url_to_fs(settings.runs_address())
    return fs, str(root).rstrip("/")


def locate(run_id: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """File system and folder of a run, whether it is one of the library's or a shipped one."""
    if is_shipped(check_id(run_id)):
        return LocalFileSystem(), str(settings.ASSETS / run_id)
    fs, root = open_library()
    return fs, f"{root}/{run_id}"


def version(run_id: str) -> str:
    """A text that changes whenever a file of the run changes: the key for caches."""
    fs, folder = locate(run_id)
    try:
        entries = fs.ls(folder, detail=True)
    except FileNotFoundError:
        return "none"
    return "|".join(
        sorted(
            f"{entry['name'].rsplit('/', 1)[-1]}:{entry.get('size')}:"
            f"{entry.get('mtime') or entry.get('LastModified')}"
            for entry in entries
        )
    )


# --- writing --------------------------------------------------------------------------------------


def put(fs: fsspec.AbstractFileSystem, path: str, data: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        StorageProblem: if the disk is full or the folder read-only.
    """
    try:
        fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        if not isinstance(fs, LocalFileSystem):
            fs.pipe_file(path, data)
            return
        part = f"{path}.{os.getpid()}.{secrets.token_hex(3)}.part"
        try:
            with open(part, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        finally:
            if os.path.exists(part):
                os.remove(part)
    except OSError as error:
        raise StorageProblem(
            f"{path} could not be written ({error.strerror or error}). Free some space or choose "
            f"another folder with ATELIER_RUNS, then resume the interrupted run; it "
            f"continues after its last finished epoch."
        ) from error


def write(run_id: str, name: str, data: bytes) -> None:
    """Write one file of a run's folder, whole or not at all.

    Raises:
        StorageProblem: if the disk is full or the folder read-only.
        RunNotFound: if the run was deleted meanwhile; so a deleted run never comes back to life.
    """
    fs, folder = locate(run_id)
    if is_shipped(run_id):
        raise StorageProblem(
            "The network that ships with Atelier is read-only. Train one of your own and promote "
            "it instead."
        )
    if name != "job.json" and not fs.exists(f"{folder}/job.json"):
        raise RunNotFound(f"The run {run_id} was deleted.")
    put(fs, f"{folder}/{name}", data)


def write_arrays(run_id: str, name: str, **arrays: NDArray[Any]) -> None:
    """Write arrays as one compressed `.npz` file of a run's folder; raises as `write` does."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write(run_id, name, buffer.getvalue())


def write_json(run_id: str, name: str, values: Mapping[str, Any]) -> None:
    """Write one JSON file of a run's folder; raises as `write` does, and `ValueError` for a number
    that JSON does not have.
    """
    write(run_id, name, json.dumps(values, indent=1, allow_nan=False).encode())


def remove(run_id: str, name: str) -> None:
    """Remove one file of a run's folder; nothing happens where there is none."""
    fs, folder = locate(run_id)
    with contextlib.suppress(FileNotFoundError):
        fs.rm_file(f"{folder}/{name}")


# --- reading --------------------------------------------------------------------------------------


def read_bytes(run_id: str, name: str) -> bytes | None:
    """One file of a run's folder, or None where there is none."""
    fs, folder = locate(run_id)
    try:
        return bytes(fs.cat_file(f"{folder}/{name}"))
    except FileNotFoundError:
        return None


def read_json(run_id: str, name: str) -> dict[str, Any] | None:
    """One JSON object of a run's folder, or None where there is none.

    Raises:
        RunDamaged: if the file holds something else.
    """
    raw = read_bytes(run_id, name)
    return None if raw is None else json_object(raw, run_id, name)


def json_object(raw: bytes, run_id: str, name: str) -> dict[str, Any]:
    """Parse one JSON object; `run_id` and `name` are for the sentence if it is something else.

    Raises:
        RunDamaged: if it is.
    """
    try:
        values = json.loads(raw)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise RunDamaged(
            f"{name} of the run {run_id} is not readable JSON; someone may have edited it. "
            f"Restore it or delete the run."
        )
    return values


def read_arrays(run_id: str, name: str, *keys: str) -> tuple[NDArray[Any], ...]:
    """Arrays of one `.npz` file of a run's folder.

    Raises:
        RunDamaged: if the file is missing or holds something else.
    """
    raw = read_bytes(run_id, name)
    if raw is None:
        raise RunDamaged(
            f"{name} of the run {run_id} is missing. Delete the run or train it again."
        )
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
            return tuple(archive[key] for key in keys)
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise RunDamaged(
            f"{name} of the run {run_id} cannot be read. Delete the run or train it again."
        ) from error
