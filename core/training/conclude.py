"""The end of a training: export the best network, calibrate it, let it answer the test set, and
write the record.

The answers to the test set are only written down here; they are read by `core.evaluation`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from numpy.typing import NDArray

from core import evaluation, inference, runs
from core.data.fashion_mnist import Dataset
from core.explain import embedding_map
from core.inference import Network
from core.labels import CLASSES
from core.networks import architectures, keras_files
from core.outside import auxiliary
from core.runs import DataFacts, Epoch, Phase, Record, Run, Scores, Status
from core.runs.storage import now
from core.specs.spec import TrainSpec
from core.training import estimate
from core.training.batch_log import Divergence
from core.training.checkpoint import Best
from core.training.training_set import TrainingSet

INDEX_PICTURES = 10_000  # training pictures kept for finding neighbours
_BACKEND = keras.backend.backend()


@dataclass(frozen=True)
class Outcome:
    """What the epochs of a training led to.

    `stopped` says that a person ended it early, `divergence` that it ended itself.
    """

    epochs: Sequence[Epoch]
    best: Best
    stopped: bool
    divergence: Divergence | None = None

    @property
    def status_text(self) -> str:
        """How the training ended, in a few words."""
        if self.divergence is not None:
            return self.divergence.status_text
        return f"stopped at epoch {len(self.epochs)}" if self.stopped else "finished"


def conclude(
    run: Run,
    network: keras.Model,
    data: Dataset,
    pictures: TrainingSet,
    outcome: Outcome,
    *,
    enter: Callable[[Phase], None],
    elapsed: Callable[[], float],
) -> Record:
    """Make an unfinished run a finished one; the record is written last.

    Args:
        network: with the weights of the best epoch.
        enter: is told each phase.
        elapsed: wall time of the training in seconds, without interruptions.

    Raises:
        RunNotFound: if the run was deleted meanwhile.
        StorageProblem: if its folder cannot be written.
    """
    enter(Phase.SAVING)
    onnx = _export(run.id, network, run.spec)
    enter(Phase.TESTING)
    plain = Network(onnx, run_id=run.id)
    raw = plain.probabilities(data.test_pixels)
    temperature, threshold, by_kind = _calibrate(plain, onnx, pictures, run.spec)
    # Pages show what the network says at its temperature.
    test = inference.soften(raw, temperature)
    labels = data.test_labels.astype(np.uint8)
    runs.write_arrays(run.id, "test.npz", probabilities=test, labels=labels)
    _write_index(run.id, plain, data)
    embedding_map.keep(run.id, onnx, plain, data)
    done, best = len(outcome.epochs), outcome.best
    record = Record(
        id=run.id,
        spec=run.spec,
        created=run.created,
        finished=now(),
        status=Status.STOPPED if outcome.stopped or outcome.divergence else Status.FINISHED,
        status_text=outcome.status_text,
        dataset=DataFacts(data.name, data.fingerprint),
        parameters=network.count_params(),
        multiply_adds=architectures.multiply_adds(run.spec),
        best_epoch=best.epoch,
        epochs_done=done,
        pictures_trained=len(pictures.pixels) * done,
        seconds=round(elapsed(), 2),
        scores=_scores(raw, test, data.test_labels, best),
        versions={name: version(name) for name in ("keras", _BACKEND, "numpy", "onnxruntime")},
        backend=_BACKEND,
        machine=estimate.machine(),
        temperature=temperature,
        sure_threshold=threshold,
        sure_by_kind=by_kind,
        auxiliary=pictures.auxiliary,
    )
    runs.finish(run.id, record)
    enter(Phase.FINISHED)
    return record


def _export(run_id: str, network: keras.Model, spec: TrainSpec) -> bytes:
    """Save the network, made of Keras's own layers, as `model.keras` and `model.onnx`; returns the
    latter.
    """
    plain = architectures.build(spec)
    plain.set_weights(network.get_weights())
    runs.write(run_id, "model.keras", keras_files.network_bytes(plain))
    onnx = keras_files.onnx_bytes(plain, spec)
    runs.write(run_id, "model.onnx", onnx)
    return onnx


def _calibrate(
    plain: Network, onnx: bytes, pictures: TrainingSet, spec: TrainSpec
) -> tuple[float, float | None, dict[str, float]]:
    """The temperature with which confidence matches accuracy, the confidence from which answers are
    sure, and the same by kind of people's own pictures, all from held-out pictures; 1, None and
    nothing where there are none.
    """
    labels = pictures.validation_labels
    temperature, threshold, by_kind = 1.0, None, {}
    if len(labels) and spec.validation != "test":
        raw = plain.probabilities(pictures.validation_pixels)
        temperature = float(evaluation.fit_temperature(raw, labels))
        threshold = float(evaluation.sure_threshold(inference.soften(raw, temperature), labels))
    if spec.outside:
        calibrated = Network(onnx, run_id=plain.run_id, temperature=temperature)
        by_kind = auxiliary.sure_thresholds(calibrated, pictures.tuning)
    return temperature, threshold, by_kind


def _scores(
    raw: NDArray[np.float32], calibrated: NDArray[np.float32], labels: NDArray[np.int64], best: Best
) -> Scores:
    """The scores of a network from its answers `(n, 10)` to the test set, without and with its
    temperature.
    """
    result = evaluation.evaluate(calibrated, labels)
    return Scores(
        test_accuracy=float(result.accuracy),
        test_loss=float(result.loss),
        test_loss_uncalibrated=float(evaluation.evaluate(raw, labels).loss),
        validation_accuracy=best.val_accuracy,
        validation_loss=best.val_loss,
    )


def _write_index(run_id: str, network: Network, data: Dataset) -> None:
    """Write the embeddings of an equal number of training pictures of every class, as int8 unit
    vectors: a few megabytes.
    """
    each = INDEX_PICTURES // CLASSES
    chosen = np.sort(
        np.concatenate(
            [np.flatnonzero(data.train_labels == label)[:each] for label in range(CLASSES)]
        )
    )
    vectors = network.embeddings(data.train_pixels[chosen])
    vectors = vectors / np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
    runs.write_arrays(
        run_id,
        "index.npz",
        indices=chosen.astype(np.int32),
        embeddings=np.round(vectors * 127).astype(np.int8),
    )
