"""Train the network of a run, from wherever it is, to the record of a finished run.

`train` is what the engine runs: it reads the run's spec, goes on from the checkpoint if there is
one, and writes everything through `runs`, the record last. It knows nothing of the engine: it calls
`report` with progress and asks `should_stop` between batches. Every call to Keras is one that its
other backends know too; `KERAS_BACKEND` chooses.

It does not judge: predictions of the test set are written down here, and read by `evaluation`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib.metadata import version

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from core import evaluation, inference, runs, settings
from core.data import fashion_mnist, splits
from core.errors import NothingLearnt, RunNotFound
from core.labels import CLASSES
from core.networks import architectures, backbones, keras_files
from core.networks.backbones import Stage
from core.outside import auxiliary
from core.runs import Progress
from core.specs.spec import TrainSpec
from core.training import estimate, initial_weights, optimiser
from core.training.batches import Batches

_BACKEND = keras.backend.backend()
REPORT_SECONDS = 0.5
INDEX_PICTURES = 10_000  # training pictures kept for finding neighbours
ANSWER_BATCH = 500


def train(
    run_id: str,
    *,
    report: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> dict:
    """Train a run to its end, or until asked to stop, and write its record.

    Args:
        run_id: an unfinished run; if it has a checkpoint, the epochs before it are not trained
            again.
        report: is called with a `Progress` at most twice a second and at every change of phase.
        should_stop: is asked between batches; once it says yes, the best epoch so far becomes the
            run's network. Asked to stop in the first epoch, what was learnt until then does.

    Returns:
        the record, as `run.json` holds it.

    Raises:
        RunNotFound: if the run was deleted, also while it trains; or the one that it starts from.
        InvalidSpec, WeightsUnavailable: if the weights that it starts from do not fit, or are not
        to be had. DataUnavailable, DataDamaged: if its data are not to be had.
        StorageProblem: if its folder cannot be written.
    """
    run = runs.read(run_id)
    if run.finished:
        return run.record
    return _Training(
        run_id, run.spec, report or (lambda progress: None), should_stop or (lambda: False)
    ).run()


class _Training:
    """One training from load to record.

    State that a checkpoint restores: `rows`, `best`, weights, optimiser, seconds.
    """

    def __init__(
        self,
        run_id: str,
        spec: TrainSpec,
        report: Callable[[Progress], None],
        should_stop: Callable[[], bool],
    ):
        self.run_id, self.spec, self.report, self.should_stop = run_id, spec, report, should_stop
        self.started = time.time()
        self.rows: list[dict] = []
        self.best: dict = {}
        self.seconds_before = 0.0
        self.stopped = False
        self.stage: Stage | None = None
        self.lessons: dict[str, int] = {}
        self.tuning: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.phase("loading")

    def phase(self, name: str, **values) -> None:
        elapsed = self.seconds_before + time.time() - self.started
        self.report(
            Progress(
                self.run_id,
                name,
                **{
                    "epoch": len(self.rows),
                    "epochs": self.spec.epochs,
                    "stage": self.stage.name if self.stage else "",
                    **values,
                },
                elapsed_seconds=elapsed,
                started=self.started,
            )
        )

    def run(self) -> dict:
        keras.utils.set_random_seed(self.spec.seed)
        self.data = fashion_mnist.load(self.spec.data, download=True)
        self.choose_pictures()
        self.steps = self.spec.steps(len(self.train_pixels))
        self.network = architectures.build(self.spec, to_train=True)
        if not self.restore():
            if self.spec.start_from != "nothing":
                self.phase("weights")
            initial_weights.begin(self.network, self.spec)
            if len(self.validation_labels):
                runs.write_arrays(
                    self.run_id,
                    "split.npz",
                    indices=self.validation_indices.astype(np.int32),
                    labels=self.validation_labels.astype(np.uint8),
                )
        while not (self.stopped or len(self.rows) >= self.spec.epochs or self.patience_is_over()):
            done = len(self.rows)
            self.enter(backbones.stage_of(self.spec, done + 1))
            batches = Batches(self.train_pixels, self.train_targets, self.spec, epochs_done=done)
            try:
                self.network.fit(
                    batches,
                    epochs=self.stage.last,
                    initial_epoch=done,
                    shuffle=False,
                    verbose=0,
                    callbacks=[_Recorder(self)],
                )
            finally:
                batches.release()
        self.phase("testing")
        return self.conclude()

    def choose_pictures(self) -> None:
        data, spec = self.data, self.spec
        self.train_indices, kept = splits.split_for(data.train_labels, spec)
        self.train_pixels = data.train_pixels[self.train_indices]
        self.train_targets = keras.utils.to_categorical(
            data.train_labels[self.train_indices], CLASSES
        )
        if spec.outside:
            more = auxiliary.lessons(
                data, self.train_indices, settings.photographs_folder(), progress=self.prepared
            )
            self.lessons = more.kinds
            self.train_pixels = np.concatenate([self.train_pixels, more.pixels])
            self.train_targets = np.concatenate([self.train_targets, more.targets])
            self.tuning = auxiliary.to_tune_on(settings.photographs_folder())
        if spec.validation == "test":
            kept, pixels, labels = (
                np.arange(len(data.test_labels)),
                data.test_pixels,
                data.test_labels,
            )
        else:
            pixels, labels = data.train_pixels[kept], data.train_labels[kept]
        self.validation_x, self.validation_labels, self.validation_indices = (
            as_input(pixels),
            labels,
            kept,
        )

    def prepared(self, words: str) -> None:
        """Say how far the pictures from outside are, which takes minutes the first time.

        Raises:
            NothingLearnt: if asked to stop meanwhile.
        """
        self.phase("preparing", stage=words)
        if self.should_stop():
            raise NothingLearnt(
                "Stopped while pictures from outside were prepared, so nothing is learnt yet. Kinds that were "
                "finished are kept; resume the run to go on with the next."
            )

    def restore(self) -> bool:
        """Go on from the checkpoint; False where there is none."""
        state, weights = (
            runs.read_json(self.run_id, "checkpoint.json"),
            runs.read_bytes(self.run_id, "checkpoint.weights.h5"),
        )
        if state is None or weights is None:
            return False
        self.load(weights, state["epochs_done"])
        self.rows, self.best, self.seconds_before = state["rows"], state["best"], state["seconds"]
        return True

    def enter(self, stage: Stage) -> None:
        """Let those layers learn that do in this stage, at its rate, with an optimiser that has
        seen nothing yet.
        """
        if stage == self.stage:
            return
        self.stage = stage
        architectures.freeze(self.network, self.spec, stage.frozen)
        spec = self.spec.replace(
            learning_rate=stage.learning_rate, epochs=stage.last - stage.first + 1
        )
        optimiser.compile_network(self.network, spec, self.steps)

    def load(self, weights: bytes, epoch: int) -> None:
        """Make network and optimiser what they were after an epoch; which arrays an optimiser has
        depends on the stage.
        """
        self.enter(backbones.stage_of(self.spec, epoch))
        # Else there is nothing to load its moments into.
        self.network.optimizer.build(self.network.trainable_variables)
        keras_files.load_weights(self.network, weights)

    def patience_is_over(self) -> bool:
        patience = self.spec.early_stopping
        return bool(
            patience
            and self.rows
            and self.validation_labels.size
            and len(self.rows) - self.best["epoch"] >= patience
        )

    def end_epoch(self, loss: float, accuracy: float, seconds: float, rate: float) -> None:
        """Judge the epoch on the validation pictures, and write all that a resumed training needs,
        the pointer to it last.
        """
        number = len(self.rows) + 1
        row = {
            "epoch": number,
            "loss": loss,
            "accuracy": accuracy,
            "val_loss": None,
            "val_accuracy": None,
            "seconds": round(seconds, 3),
            "learning_rate": rate,
        }
        weights = keras_files.weights_bytes(self.network)
        with optimiser.averaged(self.network, self.spec):
            if len(self.validation_labels):
                self.phase("validating", epoch=number)
                probabilities = self.network.predict(
                    self.validation_x, batch_size=ANSWER_BATCH, verbose=0
                )
                result = evaluation.evaluate(probabilities, self.validation_labels)
                row["val_loss"], row["val_accuracy"] = float(result.loss), float(result.accuracy)
                runs.write_arrays(
                    self.run_id,
                    f"epochs/{number:03d}.npz",
                    prediction=probabilities.argmax(1).astype(np.uint8),
                    confidence=probabilities.max(1).astype(np.float16),
                )
            score = self.score(row)
            if self.is_best(row, score):
                self.best = {
                    "epoch": number,
                    "val_accuracy": row["val_accuracy"],
                    "val_loss": row["val_loss"],
                    "score": score,
                }
                runs.write(self.run_id, "best.weights.h5", keras_files.weights_bytes(self.network))
        self.rows.append(row)
        runs.write_history(self.run_id, self.rows)
        runs.write(self.run_id, "checkpoint.weights.h5", weights)
        runs.write_json(
            self.run_id,
            "checkpoint.json",
            {
                "epochs_done": number,
                "rows": self.rows,
                "best": self.best,
                "seconds": self.seconds_before + time.time() - self.started,
            },
        )

    def best_weights(self) -> bytes:
        """What the best epoch left.

        Raises:
            RunNotFound: if it is gone, and the run with it.
        """
        weights = runs.read_bytes(self.run_id, "best.weights.h5")
        if weights is None:
            raise RunNotFound("The run's weights are gone; it was deleted while it trained.")
        return weights

    def score(self, row: dict) -> float | None:
        """What the best epoch is chosen by: the validation accuracy, and as much the accuracy
        outside where that is learnt too.
        """
        if row["val_accuracy"] is None or not self.tuning:
            return row["val_accuracy"]
        answers = {
            kind: self.network.predict(as_input(pixels), batch_size=ANSWER_BATCH, verbose=0)
            for kind, (pixels, _) in self.tuning.items()
        }
        return (row["val_accuracy"] + auxiliary.accuracy(answers, self.tuning)) / 2

    def is_best(self, row: dict, score: float | None) -> bool:
        """The higher score, then the lower loss; without validation pictures the later epoch."""
        if not self.best or score is None:
            return True
        return (score, -row["val_loss"]) > (
            self.best.get("score", self.best["val_accuracy"]),
            -self.best["val_loss"],
        )

    def conclude(self) -> dict:
        """Export the best epoch's network and write down what it answers; the record goes last."""
        self.load(self.best_weights(), self.best["epoch"])
        self.phase("saving")
        plain = architectures.build(self.spec)
        plain.set_weights(self.network.get_weights())
        runs.write(self.run_id, "model.keras", keras_files.network_bytes(plain))
        onnx = keras_files.onnx_bytes(plain, self.spec)
        runs.write(self.run_id, "model.onnx", onnx)
        self.phase("testing")
        answers = inference.Network(onnx, run_id=self.run_id)
        raw = answers.probabilities(self.data.test_pixels)
        judged = self.validation_labels.size and self.spec.validation != "test"
        temperature, threshold = (
            _confidence(answers, self.validation_x, self.validation_labels)
            if judged
            else (1.0, None)
        )
        if self.spec.outside:
            honest = inference.Network(onnx, run_id=self.run_id, temperature=temperature)
            threshold = max(threshold or 0.0, auxiliary.sure_threshold(honest, self.tuning))
        # What every page shows is what the network says with its temperature.
        test = inference.soften(raw, temperature)
        result = evaluation.evaluate(test, self.data.test_labels)
        runs.write_arrays(
            self.run_id,
            "test.npz",
            probabilities=test.astype(np.float32),
            labels=self.data.test_labels.astype(np.uint8),
        )
        self.write_index(answers)
        done = len(self.rows)
        record = {
            "status": "stopped" if self.stopped else "finished",
            "status_text": f"stopped at epoch {done}" if self.stopped else "finished",
            "dataset": {"name": self.data.name, "fingerprint": self.data.fingerprint},
            "parameters": self.network.count_params(),
            "multiply_adds": architectures.multiply_adds(self.spec),
            "best_epoch": self.best["epoch"],
            "epochs_done": done,
            "pictures_trained": len(self.train_pixels) * done,
            "seconds": round(self.seconds_before + time.time() - self.started, 2),
            "versions": {
                name: version(name) for name in ("keras", _BACKEND, "numpy", "onnxruntime")
            },
            "backend": _BACKEND,
            "machine": estimate.machine(),
            "scores": {
                "test_accuracy": float(result.accuracy),
                "test_loss": float(result.loss),
                "test_loss_uncalibrated": float(
                    evaluation.evaluate(raw, self.data.test_labels).loss
                ),
                "validation_accuracy": self.best["val_accuracy"],
                "validation_loss": self.best["val_loss"],
            },
            "temperature": temperature,
            "sure_threshold": threshold,
            "outside": self.lessons,
        }
        record = runs.finish(self.run_id, record)
        self.phase("finished")
        return record

    def write_index(self, answers: inference.Network) -> None:
        """Embeddings of an equal number of training pictures of every class, as int8 unit vectors:
        a few megabytes.
        """
        labels = self.data.train_labels
        each = INDEX_PICTURES // CLASSES
        chosen = np.sort(
            np.concatenate([np.flatnonzero(labels == label)[:each] for label in range(CLASSES)])
        )
        vectors = answers.embeddings(self.data.train_pixels[chosen])
        vectors = vectors / np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
        runs.write_arrays(
            self.run_id,
            "index.npz",
            indices=chosen.astype(np.int32),
            embeddings=np.round(vectors * 127).astype(np.int8),
        )


class _Recorder(keras.callbacks.Callback):
    """Ties Keras's batches and epochs to a training: progress, stop, and the end of an epoch."""

    def __init__(self, training: _Training):
        super().__init__()
        self.training, self.steps = training, training.steps
        self.fit_began = time.time()
        self.batches_here = 0
        self.reported = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.began = epoch + 1, time.time()

    def on_train_batch_end(self, batch, logs=None):
        self.batches_here += 1
        now = time.time()
        if now - self.reported < REPORT_SECONDS:
            return
        self.reported = now
        training = self.training
        spec, now_one = training.spec, backbones.effort(training.spec, self.epoch, self.epoch)
        later = backbones.effort(spec, self.epoch + 1, spec.epochs) / now_one
        left = later * self.steps + self.steps - batch - 1
        loss, accuracy = _plain(logs)
        training.phase(
            "training",
            epoch=self.epoch,
            batch=batch + 1,
            batches=self.steps,
            loss=loss,
            accuracy=accuracy,
            remaining_seconds=(now - self.fit_began) / self.batches_here * left,
        )
        if training.should_stop():
            training.stopped = self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        training = self.training
        if training.stopped and training.rows:
            return  # a part of an epoch: the epochs before it are what was learnt
        training.end_epoch(
            *_plain(logs), time.time() - self.began, float(self.model.optimizer.learning_rate)
        )
        if training.patience_is_over():
            self.model.stop_training = True
        elif (
            not training.stopped
            and training.should_stop()
            and len(training.rows) < training.spec.epochs
        ):
            training.stopped = self.model.stop_training = True


def as_input(pixels: np.ndarray) -> np.ndarray:
    """Pixels `(n, 28, 28)` uint8 as what networks read: `(n, 28, 28, 1)` float32 in 0..255."""
    return pixels[..., None].astype(np.float32)


def _confidence(
    answers: inference.Network, validation_x: np.ndarray, labels: np.ndarray
) -> tuple[float, float]:
    """The temperature that makes confidence honest, and from which confidence on it is sure, both
    from validation pictures.
    """
    probabilities = answers.probabilities(validation_x[..., 0].astype(np.uint8))
    temperature = float(evaluation.fit_temperature(probabilities, labels))
    return temperature, float(
        evaluation.sure_threshold(inference.soften(probabilities, temperature), labels)
    )


def _plain(logs: dict) -> tuple[float, float]:
    """Cross-entropy and accuracy of Keras's running averages over the epoch."""
    return float(logs.get("cross_entropy", logs["loss"])), float(logs["accuracy"])
