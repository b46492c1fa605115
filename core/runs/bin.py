"""The bin of the run library: deleted runs, which can be restored for `DAYS` days.

A deleted run's folder moves to `.bin/<id>` inside the library, a name that no run can have, and
gets a `deleted.json` with the moment. A folder there without that file is what an interrupted move
left behind, and counts for nothing.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import fsspec
from fsspec.implementations.local import LocalFileSystem

from core.errors import RunNotFound, StorageProblem
from core.runs.storage import check_id, is_shipped, json_object, locate, open_library, put

DAYS = 30
_FOLDER = ".bin"
_MOMENT = "deleted.json"


class BinnedRun(NamedTuple):
    """A deleted run that can still be restored.

    Attributes:
        id: its id, under which it comes back.
        name: what it was called.
        deleted: when, in UTC.
    """

    id: str
    name: str
    deleted: datetime


def _place(run_id: str) -> tuple[fsspec.AbstractFileSystem, str]:
    fs, root = open_library()
    return fs, f"{root}/{_FOLDER}/{check_id(run_id)}"


def delete(run_id: str, now: datetime | None = None) -> None:
    """Move a run to the bin, damaged ones included; what is older than `DAYS` days leaves it.

    Raises:
        RunNotFound: if there is no such run.
        StorageProblem: if it is a shipped one, or cannot be moved.
    """
    fs, folder = locate(run_id)
    if is_shipped(run_id):
        raise StorageProblem(
            "The network that ships with Atelier cannot be deleted; promote another run if it "
            "should not be the champion."
        )
    if not fs.exists(folder):
        raise RunNotFound(f"There is no run {run_id}; it may have been deleted already.")
    moment = now or datetime.now(UTC)
    _, target = _place(run_id)
    with_name = {"deleted": moment.isoformat(timespec="seconds"), "name": _name(fs, folder, run_id)}

    def move() -> None:
        if fs.exists(target):
            fs.rm(target, recursive=True)  # left by an interrupted move
        _move(fs, folder, target)
        put(fs, f"{target}/{_MOMENT}", json.dumps(with_name).encode())

    _guard(run_id, "deleted", move)
    empty(before=moment - timedelta(days=DAYS))


def restore(run_id: str) -> None:
    """Bring a run back from the bin, as it was.

    Raises:
        RunNotFound: if it is not in the bin.
        StorageProblem: if a run of this id exists, or it cannot be moved.
    """
    fs, place = _place(run_id)
    if not fs.exists(f"{place}/{_MOMENT}"):
        raise RunNotFound(f"The run {run_id} is not in the bin; it may have been restored already.")
    _, folder = locate(run_id)
    if fs.exists(folder):
        raise StorageProblem(f"There is a run {run_id} already. Delete it first.")

    def move() -> None:
        _move(fs, place, folder)
        fs.rm_file(f"{folder}/{_MOMENT}")

    _guard(run_id, "restored", move)


def contains(run_id: str) -> bool:
    """Whether a run is in the bin."""
    fs, place = _place(run_id)
    return bool(fs.exists(f"{place}/{_MOMENT}"))


def listing() -> list[BinnedRun]:
    """The runs in the bin, the one deleted last first."""
    fs, root = open_library()
    try:
        paths = [str(path).rstrip("/") for path in fs.ls(f"{root}/{_FOLDER}", detail=False)]
    except FileNotFoundError:
        return []
    found = []
    for path in paths:
        run_id = path.rsplit("/", 1)[-1]
        try:
            values = json_object(fs.cat_file(f"{path}/{_MOMENT}"), run_id, _MOMENT)
            deleted = datetime.fromisoformat(str(values["deleted"]))
        except (FileNotFoundError, NotADirectoryError, KeyError, ValueError):
            continue  # a move that was interrupted, or a file of somebody else's
        found.append(BinnedRun(run_id, str(values.get("name") or run_id), deleted))
    return sorted(found, key=lambda run: run.deleted, reverse=True)


def empty(before: datetime | None = None) -> list[str]:
    """Delete the runs in the bin for good.

    Args:
        before: only those that were deleted before this moment (aware of its time zone); all where
            it is None.

    Returns:
        their ids.

    Raises:
        StorageProblem: if one cannot be deleted.
    """
    gone = []
    for run in listing():
        if before is not None and run.deleted >= before:
            continue
        fs, place = _place(run.id)
        _guard(run.id, "deleted", functools.partial(fs.rm, place, recursive=True))
        gone.append(run.id)
    return gone


def _name(fs: fsspec.AbstractFileSystem, folder: str, run_id: str) -> str:
    """What the run is called, as far as its files can be read."""
    for file, path in (("label.json", ("name",)), ("job.json", ("spec", "name"))):
        try:
            value: object = json.loads(fs.cat_file(f"{folder}/{file}"))
        except (FileNotFoundError, ValueError):
            continue
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value:
            return str(value)
    return run_id


def _move(fs: fsspec.AbstractFileSystem, source: str, target: str) -> None:
    """Move a folder; on a disk at once, elsewhere copied whole before the first file goes."""
    fs.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
    if isinstance(fs, LocalFileSystem):
        fs.mv(source, target, recursive=True)
        return
    for path in fs.find(source):
        copy = target + str(path)[len(source) :]
        fs.makedirs(copy.rsplit("/", 1)[0], exist_ok=True)
        fs.cp_file(path, copy)
    # These first: an interrupted deletion leaves nothing that looks like a run.
    for name in ("run.json", "job.json"):
        if fs.exists(f"{source}/{name}"):
            fs.rm_file(f"{source}/{name}")
    fs.rm(source, recursive=True)


def _guard(run_id: str, verb: str, act: Callable[[], object]) -> None:
    try:
        act()
    except FileNotFoundError:
        pass  # another tab was faster
    except OSError as error:
        raise StorageProblem(
            f"The run {run_id} could not be {verb} ({error.strerror or error}). "
            f"Check the folder's permissions."
        ) from error
