"""The run library: what a run is, from the asking to the deleting.

A folder begins with `job.json` (what was asked for) and is filled epoch by epoch; `run.json` (the
record) is written last of all, so a folder without it is unfinished and never listed as anything
else. What a person may change later (name, note) lies in `label.json` beside it. How files get
there whole or not at all is in `storage`.

    job.json  history.csv  checkpoint.json  checkpoint.weights.h5  best.weights.h5  split.npz
    epochs/003.npz model.keras  model.onnx  test.npz  index.npz  label.json  outside.json  run.json
"""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from core.errors import AtelierError, InvalidSpec, RunDamaged, RunNotFound, StorageProblem
from core.runs.record import SCHEMA, Epoch, EpochPredictions, Predictions, Record, Run, Status
from core.runs.storage import (
    SHIPPED,
    is_shipped,
    json_object,
    library,
    place,
    put,
    read_arrays,
    read_bytes,
    read_json,
    run_ids,
    shipped_ids,
    write,
    write_json,
)
from core.specs.spec import TrainSpec

_CHAMPION = "champion.json"
MAX_NOTE = 2000


# --- the life of a run ------------------------------------------------------------------------------------------------


def create(spec: TrainSpec) -> str:
    """Begin a run: a folder with its `job.json` and nothing else.

    Returns:
        the new run's id, unique also when two people ask in the same second.

    Raises:
        InvalidSpec: if the network cannot be built.
        StorageProblem: if the folder cannot be written.
    """
    from core.networks.architectures import blueprint

    blueprint(spec)
    slug = re.sub(r"[^a-z0-9]+", "-", spec.name.lower()).strip("-")[:30] or "run"
    run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{slug}-{secrets.token_hex(2)}"
    write_json(
        run_id,
        "job.json",
        {"schema": SCHEMA, "id": run_id, "spec": spec.to_dict(), "created": now()},
    )
    return run_id


def finish(run_id: str, record: Record) -> None:
    """Write `run.json`, which makes the run a finished one, and drop what only resuming needed.

    Raises:
        RunNotFound: if the run was deleted meanwhile.
    """
    if read_json(run_id, "job.json") is None:
        raise RunNotFound(f"The run {run_id} was deleted.")
    write_json(run_id, "run.json", record.to_dict())
    fs, folder = place(run_id)
    for name in ("checkpoint.json", "checkpoint.weights.h5", "best.weights.h5"):
        if fs.exists(f"{folder}/{name}"):
            fs.rm_file(f"{folder}/{name}")


def read(run_id: str) -> Run:
    """One run, finished or not.

    Raises:
        RunNotFound: if there is none with this id.
        RunDamaged: if its files are not what Atelier wrote.
    """
    job, label, record = (
        read_json(run_id, name) for name in ("job.json", "label.json", "run.json")
    )
    if job is None and record is None:
        raise RunNotFound(
            f"There is no run {run_id}; it may have been deleted. Choose another from the list."
        )
    return _as_run(run_id, job or {}, label or {}, record)


def _as_run(
    run_id: str, job: dict[str, Any], label: dict[str, Any], values: dict[str, Any] | None
) -> Run:
    try:
        if values is not None:
            record = Record.from_dict(values)
            spec, created = record.spec, record.created
            status, text = record.status, record.status_text
        else:
            record = None
            spec, created = TrainSpec.from_dict(job["spec"]), str(job["created"])
            done = int((read_json(run_id, "checkpoint.json") or {}).get("epochs_done", 0))
            status = Status.UNFINISHED
            text = (
                f"interrupted after epoch {done}"
                if done
                else "interrupted before the first epoch ended"
            )
    except (KeyError, TypeError, ValueError, AttributeError, InvalidSpec) as error:
        raise RunDamaged(
            f"The record of the run {run_id} is not what Atelier writes ({error}); someone may "
            f"have edited it. Restore it or delete the run."
        ) from error
    name, note = str(label.get("name") or spec.name), str(label.get("note") or "")
    return Run(run_id, name, note, spec, status, text, created, record, is_shipped(run_id))


def _scan() -> tuple[list[Run], list[tuple[str, str]]]:
    runs, damaged = [], []
    for run_id in [*run_ids(), *shipped_ids()]:
        try:
            runs.append(read(run_id))
        except RunNotFound:
            continue  # a folder that is not a run, or one deleted this moment
        except AtelierError as error:
            damaged.append((run_id, str(error)))
    return runs, damaged


def list_runs(*, finished_only: bool = False) -> list[Run]:
    """All runs that can be read, newest first, those that ship last."""
    return [run for run in _scan()[0] if run.finished or not finished_only]


def list_damaged() -> list[tuple[str, str]]:
    """Ids and sentences of the runs whose files are not what Atelier wrote."""
    return _scan()[1]


# --- what a person does with runs -------------------------------------------------------------------------------------


def rename(run_id: str, name: str) -> None:
    """Call a run something else; lists and charts follow, its id stays."""
    name = read(run_id).spec.replace(name=name).name  # the same rule as for a spec's name
    write_json(run_id, "label.json", {**(read_json(run_id, "label.json") or {}), "name": name})


def set_note(run_id: str, text: str) -> None:
    """Keep a remark with a run, at most 2,000 characters."""
    read(run_id)
    if len(text) > MAX_NOTE:
        raise InvalidSpec(
            f"A note has at most {MAX_NOTE:,} characters; received {len(text):,}. Shorten it."
        )
    write_json(run_id, "label.json", {**(read_json(run_id, "label.json") or {}), "note": text})


def delete(run_id: str) -> None:
    """Delete a run's folder.

    The marker goes first, so that a deletion cut short leaves no run that looks whole.
    """
    fs, folder = place(run_id)
    if is_shipped(run_id):
        raise StorageProblem(
            "The network that ships with Atelier cannot be deleted; promote another run if it "
            "should not be the champion."
        )
    if not fs.exists(folder):
        raise RunNotFound(f"There is no run {run_id}; it may have been deleted already.")
    try:
        for name in ("run.json", "job.json"):
            if fs.exists(f"{folder}/{name}"):
                fs.rm_file(f"{folder}/{name}")
        fs.rm(folder, recursive=True)
    except FileNotFoundError:
        pass  # another tab was quicker
    except OSError as error:
        raise StorageProblem(
            f"The run {run_id} could not be deleted ({error.strerror or error}). "
            f"Check the folder's permissions."
        ) from error


def promote(run_id: str) -> None:
    """Make a finished run the champion: the one that Classify uses unless told otherwise."""
    if not read(run_id).finished:
        raise RunDamaged(
            f"The run {run_id} is not finished, so it has no network yet. Resume it first."
        )
    fs, root = library()
    put(fs, f"{root.rstrip('/')}/{_CHAMPION}", json.dumps({"run": run_id}).encode())


def champion() -> Run:
    """The promoted run, or the shipped network where none is promoted or the promoted one is gone."""
    fs, root = library()
    try:
        promoted = json_object(
            fs.cat_file(f"{root.rstrip('/')}/{_CHAMPION}"), "champion", _CHAMPION
        )
        run = read(str(promoted.get("run")))
        if run.finished:
            return run
    except (FileNotFoundError, RunNotFound, RunDamaged):
        pass
    return read(SHIPPED)


# --- what pages read --------------------------------------------------------------------------------------------------


def history(run_id: str) -> list[Epoch]:
    """The epochs so far, none where nothing was trained yet.

    Raises:
        RunDamaged: if the file is not what Atelier wrote.
    """
    raw = read_bytes(run_id, "history.csv")
    if raw is None:
        return []
    try:
        return [Epoch.from_dict(row) for row in csv.DictReader(io.StringIO(raw.decode()))]
    except (ValueError, TypeError, KeyError) as error:
        raise RunDamaged(
            f"history.csv of the run {run_id} cannot be read ({error}). Restore it or delete the run."
        ) from error


def write_history(run_id: str, epochs: Sequence[Epoch]) -> None:
    """Replace `history.csv` by these epochs (at least one)."""
    rows = [epoch.to_dict() for epoch in epochs]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write(run_id, "history.csv", text.getvalue().encode())


def test_predictions(run_id: str) -> Predictions:
    """What the run answered on the test pictures.

    Raises:
        RunNotFound, RunDamaged
    """
    run = read(run_id)
    if run.record is None:
        raise RunDamaged(
            f"The run {run_id} is not finished, so it has not answered the test pictures yet. Resume it first."
        )
    probabilities, labels = read_arrays(run_id, "test.npz", "probabilities", "labels")
    return Predictions(
        probabilities.astype(np.float32),
        labels.astype(np.int64),
        run.record.dataset.name,
    )


def validation_epochs(run_id: str) -> list[int]:
    """The epochs, counted from 1, whose validation predictions are there."""
    fs, folder = place(run_id)
    try:
        names = [name.rsplit("/", 1)[-1] for name in fs.ls(f"{folder}/epochs", detail=False)]
    except FileNotFoundError:
        return []
    return sorted(int(name[:-4]) for name in names if re.fullmatch(r"\d+\.npz", name))


def validation_predictions(run_id: str, epoch: int) -> EpochPredictions:
    """What the run answered on its validation pictures after an epoch.

    Raises:
        RunNotFound, RunDamaged
    """
    read(run_id)
    prediction, confidence = read_arrays(
        run_id, f"epochs/{int(epoch):03d}.npz", "prediction", "confidence"
    )
    indices, labels = read_arrays(run_id, "split.npz", "indices", "labels")
    return EpochPredictions(
        prediction, confidence.astype(np.float32), labels.astype(np.int64), indices.astype(np.int64)
    )


def onnx_bytes(run_id: str) -> bytes:
    """The network of a finished run, as ONNX."""
    data = read_bytes(run_id, "model.onnx")
    if data is None:
        read(run_id)
        raise RunDamaged(
            f"The run {run_id} has no network (model.onnx). Resume it, or choose another run."
        )
    return data


def index(run_id: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Training pictures for finding neighbours; None where the run has none.

    Returns:
        indices `(m,)` int64 into the training split, and unit embeddings `(m, d)` float32.
    """
    if read_bytes(run_id, "index.npz") is None:
        return None
    indices, embeddings = read_arrays(run_id, "index.npz", "indices", "embeddings")
    vectors = embeddings.astype(np.float32)
    return indices.astype(np.int64), vectors / np.maximum(
        np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9
    )


def now() -> str:
    return datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")
