"""The run library: runs from the moment they are asked for until they are deleted.

A folder begins with `job.json` (what was asked for) and fills up epoch by epoch; `run.json` (the
record) is written last of all, so a folder without it is an unfinished run and never listed as
anything else. What people may change later (name and note) is in `label.json`. How a file is
written whole or not at all is in `storage`.

    job.json  history.csv  checkpoint.json  checkpoint.weights.h5  best.weights.h5  split.npz
    epochs/003.npz  epochs/003.filters.npz  model.keras  model.onnx  test.npz  index.npz
    plane.npz  label.json  run.json
    batches.npz (loss and accuracy by batch)
    outside.json (once it was measured on pictures from outside)
    diverged.json (why it ended, where its loss exploded)
    stopped.json (the record that the run had before it was resumed)
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import AtelierError, InvalidSpec, RunDamaged, RunNotFound
from core.runs import bin
from core.runs.record import (
    SCHEMA,
    BatchCurve,
    Epoch,
    EpochPredictions,
    Predictions,
    Record,
    Run,
    Status,
)
from core.runs.storage import (
    SHIPPED,
    is_shipped,
    json_object,
    locate,
    new_id,
    now,
    open_library,
    put,
    read_arrays,
    read_bytes,
    read_json,
    remove,
    run_ids,
    shipped_ids,
    write,
    write_arrays,
    write_json,
)
from core.specs.spec import TrainSpec

MAX_NOTE = 2000  # characters
_CHAMPION = "champion.json"


class DamagedRun(NamedTuple):
    """A folder whose files are not what Atelier wrote, and the sentence that says so."""

    id: str
    sentence: str


class Scan(NamedTuple):
    """The library at one moment: runs that can be read, newest first and shipped ones last, and
    those that cannot.
    """

    runs: list[Run]
    damaged: list[DamagedRun]


# --- the life of a run ----------------------------------------------------------------------------


def create(spec: TrainSpec) -> str:
    """Begin a run: a folder with its `job.json` and nothing else.

    Returns:
        the new run's id, unique even if two people ask in the same second.

    Raises:
        InvalidSpec: if the network cannot be built.
        StorageProblem: if the folder cannot be written.
    """
    from core.networks.architectures import blueprint

    blueprint(spec)
    run_id = new_id(spec.name, "run")
    write_json(
        run_id,
        "job.json",
        {"schema": SCHEMA, "id": run_id, "spec": spec.to_dict(), "created": now()},
    )
    return run_id


def finish(run_id: str, record: Record) -> None:
    """Write `run.json`, which makes the run a finished one. Its checkpoint stays, so that it can be
    trained on (`continuation`).

    Raises:
        RunNotFound: if the run was deleted meanwhile.
    """
    if read_json(run_id, "job.json") is None:
        raise RunNotFound(f"The run {run_id} was deleted.")
    write_json(run_id, "run.json", record.to_dict())


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
        if bin.contains(run_id):
            raise RunNotFound(
                f"The run {run_id} was deleted and is in the bin. Restore it under All runs on the "
                f"Train page, or with `python -m core runs restore {run_id}`."
            )
        raise RunNotFound(
            f"There is no run {run_id}; it may have been deleted. Choose another from the list."
        )
    try:
        return _as_run(run_id, job or {}, label or {}, record)
    except (KeyError, TypeError, ValueError, AttributeError, InvalidSpec) as error:
        raise RunDamaged(
            f"The record of the run {run_id} is not what Atelier writes ({error}); someone may "
            f"have edited it. Restore it or delete the run."
        ) from error


def _as_run(
    run_id: str, job: Mapping[str, Any], label: Mapping[str, Any], values: Mapping[str, Any] | None
) -> Run:
    record = None if values is None else Record.from_dict(values)
    if record is not None:
        spec, created = record.spec, record.created
        status, status_text = record.status, record.status_text
    else:
        spec, created = TrainSpec.from_dict(job["spec"]), str(job["created"])
        checkpoint = read_json(run_id, "checkpoint.json") or {}
        epochs = int(checkpoint.get("epochs_done", 0))
        status = Status.UNFINISHED
        if divergence(run_id) is not None:
            status_text = "diverged in its first epoch"
        elif epochs:
            status_text = f"interrupted after epoch {epochs}"
        else:
            status_text = "interrupted before the first epoch ended"
    return Run(
        run_id,
        str(label.get("name") or spec.name),
        str(label.get("note") or ""),
        spec,
        status,
        status_text,
        created,
        record,
        is_shipped(run_id),
    )


def scan() -> Scan:
    """Read the whole library once."""
    runs, damaged = [], []
    for run_id in [*run_ids(), *shipped_ids()]:
        try:
            runs.append(read(run_id))
        except RunNotFound:
            continue  # a folder that is not a run, or one deleted at this moment
        except AtelierError as error:
            damaged.append(DamagedRun(run_id, str(error)))
    return Scan(runs, damaged)


def list_runs(*, finished_only: bool = False) -> list[Run]:
    """All runs that can be read, newest first and shipped ones last; see `scan` for the others."""
    return [run for run in scan().runs if run.finished or not finished_only]


def list_damaged() -> list[DamagedRun]:
    """The runs that cannot be read; to get both lists in one reading, call `scan`."""
    return scan().damaged


# --- what people do with runs ---------------------------------------------------------------------


def free_name(name: str) -> str:
    """This name, or the first of "name 2", "name 3" … that no run has yet, so that two trainings of
    one preset can be told apart.
    """
    taken = {run.name for run in list_runs()}
    # Shortened, for a name has at most 60 characters.
    others = (f"{name[:55]} {number}" for number in itertools.count(2))
    return next(one for one in itertools.chain([name], others) if one not in taken)


def rename(run_id: str, name: str) -> None:
    """Give a run another name in lists and charts; its id stays.

    Raises:
        InvalidSpec: if that cannot be a name.
        StorageProblem: if it cannot be written.
    """
    name = read(run_id).spec.replace(name=name).name  # the same rule as for a spec's name
    write_json(run_id, "label.json", {**(read_json(run_id, "label.json") or {}), "name": name})


def set_note(run_id: str, text: str) -> None:
    """Keep a remark with a run, of at most `MAX_NOTE` characters.

    Raises:
        InvalidSpec: if it is longer.
        StorageProblem: if it cannot be written.
    """
    read(run_id)
    if len(text) > MAX_NOTE:
        raise InvalidSpec(
            f"A note has at most {MAX_NOTE:,} characters; received {len(text):,}. Shorten it."
        )
    write_json(run_id, "label.json", {**(read_json(run_id, "label.json") or {}), "note": text})


def promote(run_id: str) -> None:
    """Make a finished run the champion, whose network answers unless another is chosen.

    Raises:
        RunDamaged: if it is not finished.
        StorageProblem: if the library cannot be written.
    """
    if not read(run_id).finished:
        raise RunDamaged(
            f"The run {run_id} is not finished, so it has no network yet. Resume it first."
        )
    fs, root = open_library()
    put(fs, f"{root}/{_CHAMPION}", json.dumps({"run": run_id}).encode())


def promoted() -> str | None:
    """The id that was promoted last, whether or not that run still exists; None if none was."""
    fs, root = open_library()
    try:
        values = json_object(fs.cat_file(f"{root}/{_CHAMPION}"), "champion", _CHAMPION)
    except (FileNotFoundError, RunDamaged):
        return None
    return str(values.get("run"))


def restore_champion(run_id: str | None) -> None:
    """Undo a promotion: the champion is again what `promoted` returned before it.

    Raises:
        RunNotFound, RunDamaged, StorageProblem: as `promote` does.
    """
    if run_id is not None:
        promote(run_id)
        return
    fs, root = open_library()
    if fs.exists(f"{root}/{_CHAMPION}"):
        fs.rm_file(f"{root}/{_CHAMPION}")


def champion() -> Run:
    """The promoted run; the first shipped one if none is promoted or the promoted one is gone.

    Raises:
        RunNotFound: if this copy of Atelier came without a network, too.
    """
    chosen = promoted()
    try:
        if chosen is not None and (run := read(chosen)).finished:
            return run
    except (RunNotFound, RunDamaged):
        pass
    return read(SHIPPED)


# --- what a training left -------------------------------------------------------------------------


def history(run_id: str) -> list[Epoch]:
    """The epochs so far; empty while the first is being trained.

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
            f"history.csv of the run {run_id} cannot be read ({error}). Restore it or delete the "
            f"run."
        ) from error


def write_history(run_id: str, epochs: Sequence[Epoch]) -> None:
    """Replace `history.csv` by these epochs, at least one."""
    rows = [epoch.to_dict() for epoch in epochs]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write(run_id, "history.csv", text.getvalue().encode())


def batch_curve(run_id: str) -> BatchCurve | None:
    """Loss and accuracy by batch, so far; None before the first batch, and for runs of earlier
    versions.

    Raises:
        RunDamaged: if the file is not what Atelier wrote.
    """
    if read_bytes(run_id, "batches.npz") is None:
        return None
    steps, step, *values = read_arrays(
        run_id, "batches.npz", "steps_per_epoch", "step", "loss", "accuracy", "learning_rate"
    )
    loss, accuracy, rate = (array.astype(np.float64) for array in values)
    return BatchCurve(int(steps), step.astype(np.int64), loss, accuracy, rate)


def write_batch_curve(run_id: str, curve: BatchCurve) -> None:
    """Replace `batches.npz`, 10 KB at most; raises as `storage.write` does."""
    write_arrays(
        run_id,
        "batches.npz",
        steps_per_epoch=np.asarray(curve.steps_per_epoch, np.int32),
        step=curve.step.astype(np.int32),
        loss=curve.loss.astype(np.float32),
        accuracy=curve.accuracy.astype(np.float32),
        learning_rate=curve.learning_rate.astype(np.float32),
    )


def divergence(run_id: str) -> str | None:
    """The sentence with which a training ended whose loss exploded; None for all others.

    Raises:
        RunDamaged: if the file is not what Atelier wrote.
    """
    kept = read_json(run_id, "diverged.json")
    return None if kept is None else str(kept.get("sentence"))


def set_divergence(run_id: str, sentence: str | None) -> None:
    """Keep the sentence of `divergence`, or forget it (None) as the training begins again."""
    if sentence is not None:
        write_json(run_id, "diverged.json", {"sentence": sentence})
    else:
        remove(run_id, "diverged.json")


def test_predictions(run_id: str) -> Predictions:
    """What a finished run's network says about the test set.

    Raises:
        RunNotFound: if there is no such run.
        RunDamaged: if it is not finished, or the file cannot be read.
    """
    run = read(run_id)
    if run.record is None:
        raise RunDamaged(
            f"The run {run_id} is not finished, so it has not answered the test pictures yet. "
            f"Resume it first."
        )
    probabilities, labels = read_arrays(run_id, "test.npz", "probabilities", "labels")
    return Predictions(
        probabilities.astype(np.float32), labels.astype(np.int64), run.record.dataset.name
    )


def validation_epochs(run_id: str) -> list[int]:
    """The epochs, counted from 1, whose validation predictions were kept."""
    fs, folder = locate(run_id)
    try:
        names = [name.rsplit("/", 1)[-1] for name in fs.ls(f"{folder}/epochs", detail=False)]
    except FileNotFoundError:
        return []
    return sorted(int(name[:-4]) for name in names if re.fullmatch(r"\d+\.npz", name))


def validation_predictions(run_id: str, epoch: int) -> EpochPredictions:
    """What a run's network said about its validation pictures after an epoch.

    Raises:
        RunNotFound: if there is no such run.
        RunDamaged: if that epoch was not kept, or cannot be read.
    """
    read(run_id)
    prediction, confidence = read_arrays(
        run_id, f"epochs/{int(epoch):03d}.npz", "prediction", "confidence"
    )
    indices, labels = validation_pictures(run_id)
    return EpochPredictions(prediction, confidence.astype(np.float32), labels, indices)


def validation_pictures(run_id: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A run's validation pictures: their positions and their labels, both `(n,)`.

    Raises:
        RunDamaged: if it has none, or they cannot be read.
    """
    indices, labels = read_arrays(run_id, "split.npz", "indices", "labels")
    return indices.astype(np.int64), labels.astype(np.int64)


def epoch_filters(run_id: str, epoch: int) -> NDArray[np.float32] | None:
    """The filters of a network's first layer after an epoch, float32 `(side, side, 1, n)`.

    None where it has none that are pictures, and for runs of earlier versions.

    Raises:
        RunDamaged: if they cannot be read.
    """
    name = f"epochs/{int(epoch):03d}.filters.npz"
    if read_bytes(run_id, name) is None:
        return None
    return read_arrays(run_id, name, "filters")[0].astype(np.float32)


def onnx_bytes(run_id: str) -> bytes:
    """The network of a finished run, as ONNX.

    Raises:
        RunNotFound: if there is no such run.
        RunDamaged: if it has no network.
    """
    data = read_bytes(run_id, "model.onnx")
    if data is None:
        read(run_id)
        raise RunDamaged(
            f"The run {run_id} has no network (model.onnx). Resume it, or choose another run."
        )
    return data


def index(run_id: str) -> tuple[NDArray[np.int64], NDArray[np.float32]] | None:
    """Training pictures to find the most similar ones among; None where the run has no such index.

    Returns:
        indices `(m,)` into the training pictures, and their embeddings `(m, d)` of length 1.

    Raises:
        RunDamaged: if it cannot be read.
    """
    if read_bytes(run_id, "index.npz") is None:
        return None
    indices, embeddings = read_arrays(run_id, "index.npz", "indices", "embeddings")
    vectors = embeddings.astype(np.float32)
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return indices.astype(np.int64), vectors / lengths
