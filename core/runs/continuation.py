"""Train a run on: resume one that was stopped, or add epochs to one that is complete.

A run keeps its checkpoint when it ends, so both continue with the weights, the moments of the
optimiser and the epochs that it had. Resuming makes the same run an unfinished one again; adding
epochs makes a copy and leaves the original as it is. Which learning rate the added epochs get is
said by the spec, so training the copy's spec from the beginning gives the same network.
"""

from __future__ import annotations

import json
import re

from core.errors import RunDamaged
from core.runs.library import create, divergence, read, validation_epochs
from core.runs.record import Run, Status
from core.runs.storage import read_bytes, read_json, remove, write
from core.specs.fields import MAX_NAME
from core.specs.spec import TrainSpec

_STOPPED = "stopped.json"  # what run.json was before the run was resumed
_COPIED = (
    "history.csv",
    "split.npz",
    "batches.npz",
    "best.weights.h5",
    "checkpoint.weights.h5",
    "checkpoint.json",  # last: it refers to the others
)


def is_resumable(run: Run) -> bool:
    """Whether a run that was stopped can be trained to the end of its epochs."""
    return (
        run.record is not None
        and run.status is Status.STOPPED
        and run.record.epochs_done < run.spec.epochs
        and _can_continue(run)
    )


def is_extendable(run: Run) -> bool:
    """Whether epochs can be added: not to one that ended because it no longer improved, where its
    patience would end it again at once.
    """
    return (
        run.record is not None
        and (run.status is Status.STOPPED or run.record.epochs_done >= run.spec.epochs)
        and _can_continue(run)
    )


def reopen(run_id: str) -> None:
    """Make a stopped run an unfinished one, which continues after its last epoch.

    Raises:
        RunNotFound, RunDamaged: if it cannot be read, or cannot be resumed.
        StorageProblem: if its folder cannot be written.
    """
    run = read(run_id)
    if not is_resumable(run):
        raise RunDamaged(
            f"“{run.name}” is complete ({run.status_text}), so there is nothing to resume. "
            f"Add epochs to it, or train a new run with its settings."
        )
    _rename(run_id, "run.json", _STOPPED)


def close(run_id: str) -> bool:
    """Undo `reopen` for a run that has not been trained further; returns whether it was one.

    Raises:
        StorageProblem: if its folder cannot be written.
    """
    stopped, checkpoint = read_json(run_id, _STOPPED), read_json(run_id, "checkpoint.json")
    if stopped is None or checkpoint is None or read_json(run_id, "run.json") is not None:
        return False
    if int(stopped.get("epochs_done", 0)) != int(checkpoint["epochs_done"]):
        return False
    _rename(run_id, _STOPPED, "run.json")
    return True


def extended(spec: TrainSpec, more: int) -> TrainSpec:
    """The spec of a training with so many more epochs.

    A constant learning rate simply continues; any other schedule has come to its end and restarts.

    >>> longer = extended(TrainSpec(name="swift", schedule="cosine", epochs=8), 4)
    >>> longer.name, longer.epochs, longer.restarts
    ('swift, 12 epochs', 12, (8,))

    Raises:
        InvalidSpec: if that makes too many epochs.
    """
    epochs = spec.epochs + more
    ending = f", {epochs} epochs"
    name = re.sub(r", \d+ epochs$", "", spec.name)[: MAX_NAME - len(ending)] + ending
    restarts = spec.restarts
    if spec.schedule != "constant":
        restarts = (*restarts, spec.epochs)
    return spec.replace(name=name, epochs=epochs, restarts=restarts)


def extend(run_id: str, more: int) -> str:
    """Copy a run, to be trained for so many more epochs than it was meant to have.

    Returns:
        the id of the copy, an unfinished run that continues after the original's last epoch.

    Raises:
        RunNotFound, RunDamaged: if it cannot be read, or epochs cannot be added to it.
        InvalidSpec: if that makes too many epochs.
        StorageProblem: if the copy cannot be written.
    """
    run = read(run_id)
    if not is_extendable(run):
        raise RunDamaged(
            f"Epochs cannot be added to “{run.name}” ({run.status_text}). Train a new run with its "
            f"settings and more epochs."
        )
    copy = create(extended(run.spec.replace(name=run.name), more))
    epochs = [
        f"epochs/{epoch:03d}{kind}"
        for epoch in validation_epochs(run_id)
        for kind in (".npz", ".filters.npz")
    ]
    for name in (*epochs, *_COPIED):
        data = read_bytes(run_id, name)
        if data is not None:
            write(copy, name, data)
    return copy


def _can_continue(run: Run) -> bool:
    """Whether it has a checkpoint, which shipped runs and those of earlier versions have not; one
    that diverged would do so again.
    """
    return (
        not run.shipped
        and read_json(run.id, "checkpoint.json") is not None
        and divergence(run.id) is None
    )


def _rename(run_id: str, name: str, other: str) -> None:
    """Written before the old one goes, so that an interruption loses nothing."""
    write(run_id, other, json.dumps(read_json(run_id, name)).encode())
    remove(run_id, name)
