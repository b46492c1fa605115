"""Finished runs that were never trained: benchmarks fill a library with them, and tests need runs
whose predictions they know.

Such a run has the files that a training leaves, with the predictions it is given. What is not given
follows from them, so the record agrees with the rest unless a caller asks for something else, even
for a record that Atelier would not write.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core import evaluation, runs
from core.data.fashion_mnist import Dataset
from core.networks import architectures
from core.runs import Epoch, Status
from core.specs.spec import TrainSpec
from core.training import estimate

UNKNOWN = "unknown"  # the fingerprint of data that were not read


def history(epochs: int, *, validated: bool = True) -> list[Epoch]:
    """Epochs with falling losses and rising accuracies; unless `validated`, none were held out."""
    return [
        Epoch(
            epoch,
            loss=1 / epoch,
            accuracy=1 - 0.5 / epoch,
            val_loss=1.1 / epoch if validated else None,
            val_accuracy=0.9 - 0.4 / epoch if validated else None,
            seconds=1.0,
            learning_rate=0.001,
        )
        for epoch in range(1, epochs + 1)
    ]


def write_run(
    spec: TrainSpec,
    probabilities: ArrayLike,
    labels: ArrayLike,
    *,
    network: bytes | None = None,
    data: Dataset | None = None,
    rows: Sequence[Epoch] | None = None,
    files: Mapping[str, bytes | Mapping[str, NDArray[Any]]] | None = None,
    **record: Any,
) -> str:
    """Write a finished run into the library.

    Args:
        spec: what it claims to have been trained with.
        probabilities: its answers to the test pictures, `(n, 10)`.
        labels: their classes, `(n,)`, 0..9.
        network: becomes `model.onnx`; None leaves that file out.
        data: the data set it claims to have learned from; by default the one that `spec` names,
            with an unknown fingerprint.
        rows: its epochs, at least one; by default `spec.epochs` epochs of `history`.
        files: further files of its folder by name, as bytes or as the arrays of an `.npz`.
        record: values of `run.json` in place of those that follow from the above; of `scores`, only
            the ones given are replaced.

    Returns:
        the new run's id.
    """
    run_id = runs.create(spec)
    epochs = history(spec.epochs, validated=spec.validation != "none") if rows is None else rows
    runs.write_history(run_id, epochs)
    probabilities, labels = np.asarray(probabilities, np.float32), np.asarray(labels, np.uint8)
    _write_files(
        run_id,
        {"test.npz": {"probabilities": probabilities, "labels": labels}},
        {} if network is None else {"model.onnx": network},
        files or {},
    )
    values = _values(run_id, spec, probabilities, labels, epochs)
    if data is not None:
        values["dataset"] = {"name": data.name, "fingerprint": data.fingerprint}
    scores = {**values["scores"], **record.pop("scores", {})}
    # Not `runs.finish`, which takes a `Record`: a test may ask for one that is damaged.
    runs.write_json(run_id, "run.json", {**values, **record, "scores": scores})
    return run_id


def _values(
    run_id: str,
    spec: TrainSpec,
    probabilities: NDArray[np.float32],
    labels: NDArray[np.uint8],
    epochs: Sequence[Epoch],
) -> dict[str, Any]:
    """What `run.json` holds for these predictions and epochs, on data that were not read."""
    best = max(epochs, key=lambda epoch: (epoch.val_accuracy or 0.0, epoch.epoch))
    measured = evaluation.evaluate(probabilities, labels)
    created = runs.read(run_id).created
    return {
        "schema": runs.SCHEMA,
        "id": run_id,
        "spec": spec.to_dict(),
        "created": created,
        "finished": created,
        "status": Status.FINISHED.value,
        "status_text": "finished",
        "dataset": {"name": spec.data, "fingerprint": UNKNOWN},
        "parameters": architectures.parameters(spec),
        "multiply_adds": architectures.multiply_adds(spec),
        "best_epoch": best.epoch,
        "epochs_done": len(epochs),
        "pictures_trained": estimate.trained_pictures(spec) * len(epochs),
        "seconds": sum(epoch.seconds for epoch in epochs),
        "versions": {},
        "backend": "tensorflow",
        "machine": dataclasses.asdict(estimate.machine()),
        "temperature": 1.0,
        "sure_threshold": 0.5,
        "outside": {},
        "scores": {
            "test_accuracy": float(measured.accuracy),
            "test_loss": float(measured.loss),
            "test_loss_uncalibrated": float(measured.loss),
            "validation_accuracy": best.val_accuracy,
            "validation_loss": best.val_loss,
        },
    }


def _write_files(run_id: str, *groups: Mapping[str, bytes | Mapping[str, NDArray[Any]]]) -> None:
    for group in groups:
        for name, content in group.items():
            if isinstance(content, bytes):
                runs.write(run_id, name, content)
            else:
                runs.write_arrays(run_id, name, **content)
