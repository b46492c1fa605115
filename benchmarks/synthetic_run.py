"""A finished run that nobody trained: benchmarks fill a library with them, tests need one whose
predictions they know.

It leaves the files that a training leaves, in the same order, with the predictions it is given.
What is not given follows from them, so the record agrees with the rest unless a caller asks for
something else.
"""

from __future__ import annotations

import numpy as np

from core import evaluation, runs
from core.data.fashion_mnist import Dataset
from core.networks import architectures
from core.specs.spec import TrainSpec
from core.training import estimate

UNKNOWN = "unknown"  # the fingerprint of data that were not read


def history(epochs: int, *, validated: bool = True) -> list[dict]:
    """Epochs whose losses fall and whose accuracies rise; without `validated` the `val_` values are
    None.
    """
    return [
        {
            "epoch": epoch,
            "loss": 1 / epoch,
            "accuracy": 1 - 0.5 / epoch,
            "val_loss": 1.1 / epoch if validated else None,
            "val_accuracy": 0.9 - 0.4 / epoch if validated else None,
            "seconds": 1.0,
            "learning_rate": 0.001,
        }
        for epoch in range(1, epochs + 1)
    ]


def write_run(
    spec: TrainSpec,
    probabilities: np.ndarray,
    labels: np.ndarray,
    *,
    network: bytes | None = None,
    data: Dataset | None = None,
    rows: list[dict] | None = None,
    files: dict[str, bytes | dict[str, np.ndarray]] | None = None,
    **record,
) -> str:
    """Write a finished run into the library.

    Args:
        spec: what it claims to have been trained with.
        probabilities: its answers to the test pictures, `(n, 10)`.
        labels: their classes, `(n,)`, 0..9.
        network: becomes `model.onnx`; None leaves that file out.
        data: the data set it claims to have learned; by default the one that `spec` names, with an
            unknown fingerprint.
        rows: its history, as `runs.history` returns it; by default `spec.epochs` epochs of
            `history`.
        files: further files of its folder by name, as bytes or as the arrays of an `.npz`.
        record: values of `run.json` in place of those that follow from the above; of `scores`, the
            ones given are replaced.

    Returns:
        the new run's id.
    """
    run_id = runs.create(spec)
    rows = history(spec.epochs, validated=spec.validation != "none") if rows is None else rows
    runs.write_history(run_id, rows)
    probabilities, labels = np.asarray(probabilities, np.float32), np.asarray(labels, np.uint8)
    written = {"test.npz": {"probabilities": probabilities, "labels": labels}, **(files or {})}
    if network is not None:
        written["model.onnx"] = network
    for name, content in written.items():
        if isinstance(content, bytes):
            runs.write(run_id, name, content)
        else:
            runs.write_arrays(run_id, name, **content)
    best = max(rows, key=lambda row: (row["val_accuracy"] or 0.0, row["epoch"]))
    judged = evaluation.evaluate(probabilities, labels)
    scores = {
        "test_accuracy": float(judged.accuracy),
        "test_loss": float(judged.loss),
        "test_loss_uncalibrated": float(judged.loss),
        "validation_accuracy": best["val_accuracy"],
        "validation_loss": best["val_loss"],
        **record.pop("scores", {}),
    }
    runs.finish(
        run_id,
        {
            "status": "finished",
            "status_text": "finished",
            "dataset": {
                "name": data.name if data else spec.data,
                "fingerprint": data.fingerprint if data else UNKNOWN,
            },
            "parameters": architectures.parameters(spec),
            "multiply_adds": architectures.multiply_adds(spec),
            "best_epoch": best["epoch"],
            "epochs_done": len(rows),
            "pictures_trained": estimate.trained_pictures(spec) * len(rows),
            "seconds": sum(row["seconds"] for row in rows),
            "versions": {},
            "machine": estimate.machine(),
            "temperature": 1.0,
            "sure_threshold": 0.5,
            "outside": {},
            **record,
            "scores": scores,
        },
    )
    return run_id
