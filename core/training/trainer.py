"""Train the network of a run, from wherever it is, to the record of a finished run.

`train` is what the engine runs: it reads the run's spec, resumes from the checkpoint if there is
one, trains epoch by epoch, and hands over to `core.training.conclude`. It knows nothing of the
engine: it calls `report` with progress and asks `should_stop` between batches. It calls only what
all backends of Keras have; `KERAS_BACKEND` chooses one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from numpy.typing import NDArray

from core import evaluation, runs
from core.data import fashion_mnist
from core.errors import Diverged, NothingLearned
from core.networks import architectures, backbones, keras_files
from core.networks.backbones import Stage
from core.outside import auxiliary
from core.runs import Epoch, Phase, Progress, Record, Run
from core.training import (
    checkpoint,
    estimate,
    initial_weights,
    optimiser,
    start_times,
    training_set,
)
from core.training.batch_log import BatchLog, Divergence
from core.training.batches import Batches, as_input
from core.training.callback import BatchEnd, EpochEnd, FollowFit
from core.training.checkpoint import Best
from core.training.conclude import Outcome, conclude
from core.training.start_times import Step
from core.training.training_set import TrainingSet

ANSWER_BATCH = 500
MOST_FILTERS = 64  # of the first layer that are kept after each epoch
_STEPS = {Phase.LOADING: Step.DATA, Phase.BUILDING: Step.NETWORK}


def train(
    run_id: str,
    *,
    report: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Record:
    """Train a run to its end, or until asked to stop, and write its record.

    Args:
        run_id: an unfinished run; if it has a checkpoint, the epochs before that are not trained
            again.
        report: is called with a `Progress` at most twice a second and at every change of phase.
        should_stop: is asked between batches; once it says yes, the best epoch so far becomes the
            run's network. If that is in the first epoch, what was learned until then does.

    Raises:
        RunNotFound: if the run was deleted, also while it trains; or the one that it starts from.
        InvalidSpec, WeightsUnavailable: if its initial weights do not fit, or are not available.
        DataUnavailable, DataDamaged: if its data are not available.
        NothingLearned: if asked to stop before the first batch.
        Diverged: if its loss exploded before the first epoch ended. Later, the best epoch before
            that becomes the run's network.
        StorageProblem: if its folder cannot be written.
    """
    run = runs.read(run_id)
    if run.record is not None:
        return run.record
    runs.set_divergence(run_id, None)
    progress = _Reporter(run, report or (lambda progress: None))
    stop = should_stop or (lambda: False)

    def prepared(words: str) -> None:
        progress.enter(Phase.PREPARING, stage=words)
        if stop():
            raise NothingLearned(
                "Stopped while auxiliary pictures were prepared, so nothing has been learned yet. "
                "Finished kinds are kept; resume the run to continue with the next."
            )

    keras.utils.set_random_seed(run.spec.seed)
    data = fashion_mnist.load(run.spec.data, download=True)
    pictures = training_set.choose(data, run.spec, prepared)
    progress.enter(Phase.BUILDING, stage="")
    training = _Training(run, pictures, progress, stop)
    outcome = training.run_epochs()
    progress.enter(Phase.TESTING)
    return conclude(
        run,
        training.best_network(outcome.best),
        data,
        pictures,
        outcome,
        enter=progress.enter,
        elapsed=progress.elapsed,
    )


class _Reporter:
    """Turns what a training does into `Progress`, with the time it took so far.

    Attributes:
        seconds_before: wall time of the training before it was interrupted.
        epochs_done: finished epochs.
        stage: of the weights that learn, empty unless a pretrained network is trained.
        pace: tells how long the rest will take; None until the pictures are there.
    """

    def __init__(self, run: Run, report: Callable[[Progress], None]) -> None:
        self._run_id, self._epochs, self._report = run.id, run.spec.epochs, report
        self._started = time.time()
        self.seconds_before = 0.0
        self.epochs_done = 0
        self.stage = ""
        self.pace: estimate.Pace | None = None
        self._step: tuple[Step, float] | None = None
        self.enter(Phase.LOADING)

    def elapsed(self) -> float:
        """Wall time of the training in seconds, without interruptions."""
        return self.seconds_before + time.time() - self._started

    def enter(self, phase: Phase, *, epoch: int | None = None, stage: str | None = None) -> None:
        """Say what the training does now."""
        self._note_step(_STEPS.get(phase))
        self._report(
            Progress(
                self._run_id,
                phase,
                self.epochs_done if epoch is None else epoch,
                self._epochs,
                elapsed_seconds=self.elapsed(),
                remaining_seconds=self.pace.after_epochs(phase) if self.pace else None,
                started=self._started,
                stage=self.stage if stage is None else stage,
            )
        )

    def _note_step(self, step: Step | None) -> None:
        """Remember what a step before the first batch took; one with auxiliary pictures or weights
        to fetch is not the usual one.
        """
        now = time.monotonic()
        if self._step is not None and step is not self._step[0]:
            start_times.note(self._step[0], now - self._step[1])
            self._step = None
        if step is not None and self._step is None:
            self._step = step, now

    def first_batch_ended(self) -> None:
        """The training is under way."""
        self._note_step(None)

    def batch_ended(self, batch: BatchEnd, batches: int) -> None:
        """Say how far an epoch is."""
        assert self.pace is not None, "batches come after the pictures"
        self._report(
            Progress(
                self._run_id,
                Phase.TRAINING,
                batch.epoch,
                self._epochs,
                batch.batch,
                batches,
                batch.loss,
                batch.accuracy,
                self.elapsed(),
                self.pace.remaining(batch.epoch, batch.batch),
                self._started,
                self.stage,
            )
        )


class _Training:
    """The epochs of one training. A checkpoint restores epochs, best epoch, weights, optimiser and
    time.
    """

    def __init__(
        self,
        run: Run,
        pictures: TrainingSet,
        progress: _Reporter,
        should_stop: Callable[[], bool],
    ) -> None:
        self.run_id, self.spec, self.pictures = run.id, run.spec, pictures
        self.progress, self.should_stop = progress, should_stop
        self.validation_input = as_input(pictures.validation_pixels)
        self.steps = run.spec.steps(len(pictures.pixels))
        progress.pace = self.pace = estimate.Pace(
            run.spec, self.steps, len(pictures.validation_labels)
        )
        self.network = architectures.build(run.spec, to_train=True)
        self.epochs: list[Epoch] = []
        self.best: Best | None = None
        self.stage: Stage | None = None
        self.stopped = False
        self.divergence: Divergence | None = None

    def run_epochs(self) -> Outcome:
        """Train until the spec's last epoch, the end of patience, or a stop."""
        if not self._restore():
            self._begin()
        self.log = BatchLog(
            self.run_id, len(self.pictures.pixels), self.spec.batch, len(self.epochs)
        )
        while not (
            self.stopped
            or self.divergence
            or len(self.epochs) >= self.spec.epochs
            or self._patience_is_over()
        ):
            done = len(self.epochs)
            stage = backbones.stage_of(self.spec, done + 1)
            self.enter(stage)
            batches = Batches(
                self.pictures.pixels, self.pictures.targets, self.spec, epochs_done=done
            )
            try:
                self.network.fit(
                    batches,
                    epochs=stage.last,
                    initial_epoch=done,
                    shuffle=False,
                    verbose=0,
                    callbacks=[FollowFit(self)],
                )
            finally:
                batches.release()
        if self.divergence is not None:
            sentence = self.divergence.sentence(self.spec, self.best.epoch if self.best else None)
            runs.set_divergence(self.run_id, sentence)
            if self.best is None:
                raise Diverged(sentence)
        assert self.best is not None, "a training ends after its first epoch at the earliest"
        return Outcome(self.epochs, self.best, self.stopped, self.divergence)

    def best_network(self, best: Best) -> keras.Model:
        """The network with the weights of its best epoch."""
        self._load(checkpoint.load_best_weights(self.run_id), best.epoch)
        return self.network

    def batch_seen(self, epoch: int, batch: int, loss: float, accuracy: float) -> bool:
        """Write a batch down; says whether the training has diverged with it."""
        self.progress.first_batch_ended()
        self.divergence = self.log.add(epoch, batch, loss, accuracy)
        if self.divergence is None:
            now = (epoch - 1) * self.steps + batch
            self.log.write_if_due(lambda step: optimiser.rates(self.network, now - step))
        return self.divergence is not None

    def batch_ended(self, batch: BatchEnd) -> bool:
        """Report progress; says whether the training was asked to stop."""
        self.pace.measure_batches(batch.epoch, batch.seconds_per_batch, batch.measured)
        self.progress.batch_ended(batch, self.steps)
        if self.should_stop():
            self.stopped = True
        return self.stopped

    def epoch_ended(self, epoch: EpochEnd) -> bool:
        """Judge and keep an epoch; says whether it was the last of this fit."""
        if self.divergence or (self.stopped and self.epochs):
            return True  # a part of an epoch: what was learned is in the epochs before it
        self._keep(epoch)
        if self.divergence or self._patience_is_over():
            return True
        if not self.stopped and self.should_stop() and len(self.epochs) < self.spec.epochs:
            self.stopped = True
        return self.stopped

    def _restore(self) -> bool:
        """Resume from the checkpoint; False where there is none."""
        saved = checkpoint.load(self.run_id)
        if saved is None:
            return False
        self._load(saved.weights, len(saved.epochs))
        self.epochs, self.best = list(saved.epochs), saved.best
        self.progress.epochs_done = len(saved.epochs)
        self.progress.seconds_before = saved.seconds
        return True

    def _begin(self) -> None:
        """Set the initial weights, and write down which pictures are for validation."""
        if self.spec.start_from != "nothing":
            self.progress.enter(Phase.WEIGHTS)
        initial_weights.apply(self.network, self.spec)
        if len(self.pictures.validation_labels):
            runs.write_arrays(
                self.run_id,
                "split.npz",
                indices=self.pictures.validation_indices.astype(np.int32),
                labels=self.pictures.validation_labels.astype(np.uint8),
            )

    def enter(self, stage: Stage) -> None:
        """Let the layers learn that learn in this stage, at its rate, with a new optimiser."""
        if stage == self.stage:
            return
        self.stage, self.progress.stage = stage, stage.name
        architectures.freeze(self.network, self.spec, stage.frozen)
        spec = self.spec.replace(
            learning_rate=stage.learning_rate, epochs=stage.last - stage.first + 1, restarts=()
        )
        optimiser.compile_network(self.network, spec, self.steps)

    def _load(self, weights: bytes, epoch: int) -> None:
        """Make network and optimiser what they were after an epoch; which arrays an optimiser has
        depends on the stage.
        """
        self.enter(backbones.stage_of(self.spec, epoch))
        # Else there would be nothing to load its moments into.
        self.network.optimizer.build(self.network.trainable_variables)
        keras_files.load_weights(self.network, weights)

    def _patience_is_over(self) -> bool:
        patience = self.spec.early_stopping
        if not patience or self.best is None or not len(self.pictures.validation_labels):
            return False
        return len(self.epochs) - self.best.epoch >= patience

    def _keep(self, epoch: EpochEnd) -> None:
        """Judge an epoch on the validation pictures, and write a checkpoint."""
        number = len(self.epochs) + 1
        # The last batch may have ruined weights that had a loss before it.
        if not all(np.isfinite(values).all() for values in self.network.get_weights()):
            self._diverge(number, "its weights were infinite or not numbers any more")
            return
        weights = keras_files.weights_bytes(self.network)
        with optimiser.Averaged(self.network, self.spec):
            loss, accuracy = self._validate(number)
            if self.divergence is not None:
                return
            best = Best(number, accuracy, loss, self._score(accuracy))
            if best.beats(self.best):
                self.best = best
                checkpoint.save_best_weights(self.run_id, keras_files.weights_bytes(self.network))
        last = number * self.steps
        self.log.write(lambda step: optimiser.rates(self.network, last - step))
        self.epochs.append(
            Epoch(
                number,
                epoch.loss,
                epoch.accuracy,
                loss,
                accuracy,
                round(epoch.seconds, 3),
                epoch.learning_rate,
            )
        )
        self.progress.epochs_done = number
        checkpoint.save(
            self.run_id, self.epochs, self.best or best, self.progress.elapsed(), weights
        )

    def _diverge(self, epoch: int, reason: str) -> None:
        """Note that the training diverged with the last batch of an epoch."""
        self.divergence = Divergence(epoch, self.steps, reason)

    def _validate(self, number: int) -> tuple[float | None, float | None]:
        """Loss and accuracy on the validation pictures, None without any; the predictions are
        written down.
        """
        labels = self.pictures.validation_labels
        if not len(labels):
            return None, None
        self.pace.epochs_done = number - 1
        self.progress.enter(Phase.VALIDATING, epoch=number)
        began = time.perf_counter()
        probabilities = self._predict(self.validation_input)
        self.pace.validation_seconds = time.perf_counter() - began
        if not np.isfinite(probabilities).all():
            self._diverge(number, "its answers to the validation pictures were no numbers any more")
            return None, None
        runs.write_arrays(
            self.run_id,
            f"epochs/{number:03d}.npz",
            prediction=probabilities.argmax(1).astype(np.uint8),
            confidence=probabilities.max(1).astype(np.float16),
        )
        filters = architectures.first_filters(self.network)
        if filters is not None:
            runs.write_arrays(
                self.run_id,
                f"epochs/{number:03d}.filters.npz",
                filters=filters[..., :MOST_FILTERS].astype(np.float16),
            )
        result = evaluation.evaluate(probabilities, labels)
        return float(result.loss), float(result.accuracy)

    def _score(self, val_accuracy: float | None) -> float | None:
        """What the best epoch is chosen by: the validation accuracy, and just as much the accuracy
        on tuning pictures where auxiliary pictures are learned too.
        """
        if val_accuracy is None or not self.pictures.tuning:
            return val_accuracy
        answers = {
            kind: self._predict(as_input(pixels))
            for kind, (pixels, _, _) in self.pictures.tuning.items()
        }
        return (val_accuracy + auxiliary.accuracy(answers, self.pictures.tuning)) / 2

    def _predict(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities `(n, 10)` at temperature 1."""
        return np.asarray(self.network.predict(inputs, batch_size=ANSWER_BATCH, verbose=0))
