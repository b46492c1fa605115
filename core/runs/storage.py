"""The files of the run library: one folder per run, every file written whole or not at all.

The library is any fsspec address (`settings.runs_address`); the network that ships lies in
`assets/shipped` in the same form and is read-only. What the files mean is the business of `runs`;
that an id never becomes a path unchecked, of this module.
"""

from __future__ import annotations

import io
import json
import os
import re
import secrets
import zipfile

import fsspec
import numpy as np
from fsspec.implementations.local import LocalFileSystem

from core import settings
from core.errors import RunDamaged, RunNotFound, StorageProblem

SHIPPED = "shipped"  # what Classify uses at first; others that ship are called shipped-<name>
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


def check_id(run_id: str) -> str:
    """Return the id if it can be one; nothing else ever becomes part of a path.

    Raises:
        RunNotFound: for anything but lower-case letters, digits and hyphens.
    """
    if not isinstance(run_id, str) or not _ID.fullmatch(run_id):
        raise RunNotFound(
            f"{str(run_id)[:80]!r} cannot be a run's id (lower-case letters, digits and hyphens). "
            f"Choose a run from the list."
        )
    return run_id


def is_shipped(run_id: str) -> bool:
    """Whether a run lies in `assets` and is read-only."""
    return run_id == SHIPPED or run_id.startswith(f"{SHIPPED}-")


def shipped_ids() -> list[str]:
    """Ids of the networks that ship, the first choice first."""
    return sorted(place.name for place in settings.ASSETS.glob(f"{SHIPPED}*") if place.is_dir())


def library() -> tuple[fsspec.AbstractFileSystem, str]:
    """File system and root folder of the library."""
    return fsspec.core.url_to_fs(settings.runs_address())


def place(run_id: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """File system and folder of a run; the networks that ship have their own place."""
    if is_shipped(check_id(run_id)):
        return LocalFileSystem(), str(settings.ASSETS / run_id)
    fs, root = library()
    return fs, f"{root.rstrip('/')}/{run_id}"


def put(fs: fsspec.AbstractFileSystem, path: str, data: bytes) -> None:
    """Write a file whole or not at all."""
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
            f"{path} could not be written ({error.strerror or error}). Free some space or choose another folder "
            f"with ATELIER_RUNS; the run goes on from its last epoch once it is resumed."
        ) from error


def write(run_id: str, name: str, data: bytes) -> None:
    """Write one file of a run's folder, whole or not at all.

    Raises:
        StorageProblem: if the disk is full or the folder read-only.
        RunNotFound: if the run was deleted meanwhile, so that a deleted run does not come back to
            life.
    """
    fs, folder = place(run_id)
    if is_shipped(run_id):
        raise StorageProblem(
            "The network that ships with Atelier is read-only. Train one of your own and promote it instead."
        )
    if name != "job.json" and not fs.exists(f"{folder}/job.json"):
        raise RunNotFound(f"The run {run_id} was deleted.")
    put(fs, f"{folder}/{name}", data)


def write_arrays(run_id: str, name: str, **arrays: np.ndarray) -> None:
    """Write arrays as one compressed `.npz` file of a run's folder."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write(run_id, name, buffer.getvalue())


def write_json(run_id: str, name: str, values: dict) -> None:
    """Write one JSON file of a run's folder."""
    write(run_id, name, json.dumps(values, indent=1).encode())


def read_bytes(run_id: str, name: str) -> bytes | None:
    """One file of a run's folder, or None where there is none."""
    fs, folder = place(run_id)
    try:
        return fs.cat_file(f"{folder}/{name}")
    except FileNotFoundError:
        return None


def read_json(run_id: str, name: str) -> dict | None:
    """One JSON object of a run's folder, or None where there is none.

    Raises:
        RunDamaged: if the file is something else.
    """
    return json_object(read_bytes(run_id, name), run_id, name)


def json_object(raw: bytes | None, run_id: str, name: str) -> dict | None:
    """Parse one JSON object; `run_id` and `name` are for the sentence if it is something else."""
    if raw is None:
        return None
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


def read_arrays(run_id: str, name: str, *keys: str) -> tuple[np.ndarray, ...]:
    """Arrays of one `.npz` file of a run's folder.

    Raises:
        RunDamaged: if the file is missing or something else.
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


def version(run_id: str) -> str:
    """A text that changes whenever a file of the run changes: the key for caches."""
    fs, folder = place(run_id)
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


def run_ids() -> list[str]:
    """Ids of the folders that could be runs, newest first, those that ship left out."""
    fs, root = library()
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
