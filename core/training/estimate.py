"""How long a training takes: before it begins, judged by earlier ones on this machine, and while it
runs, by what its own batches took.

Work is counted in multiply-adds, so that a run of another network is a measure too. Runs of other
machines are not used.
"""

from __future__ import annotations

import hashlib
import math
import os
import platform
from dataclasses import dataclass

from core import runs
from core.networks import backbones
from core.networks.architectures import multiply_adds
from core.outside import auxiliary
from core.runs import Machine, Phase, Record, Run
from core.specs.spec import TrainSpec

TELLING_PICTURES = 30_000  # a shorter training is mostly what comes before and after it
# Multiply-adds a second and core, a backward pass counted as two forward: 16e9 to 70e9 were
# measured, by machine and network.
USUAL_RATE = 30e9
# A backward pass is two forward ones, so predicting is a third of training.
PREDICTION_SHARE = 1 / 3
TRUSTED_SHARE = 0.1  # of an epoch's batches must be measured before the pace is told
ENDING_PICTURES = 20_000  # predicted after the last epoch: the test set, and training pictures
ENDING_SECONDS = 3.0  # for writing the network, measured at 2 to 4


@dataclass
class Pace:
    """How quickly a training goes, measured while it runs.

    Attributes:
        steps: batches per epoch.
        held_out: validation pictures, judged after every epoch.
        epochs_done: finished epochs, validated.
        validation_seconds: what the last validation took; None before the first.
    """

    spec: TrainSpec
    steps: int
    held_out: int
    epochs_done: int = 0
    validation_seconds: float | None = None
    _batch_seconds: float | None = None  # of a batch in which everything learns

    def measure_batches(self, epoch: int, seconds: float, count: int) -> None:
        """Note the mean time of the last so many batches, once they are enough to judge by."""
        if count >= TRUSTED_SHARE * self.steps:
            self._batch_seconds = seconds / backbones.effort(self.spec, epoch, epoch)

    def remaining(self, epoch: int, batch: int) -> float | None:
        """Seconds from this batch to the finished record, validations and test included; None while
        too little was measured to tell.

        Args:
            epoch, batch: counted from 1; `batch` is done.
        """
        if self._batch_seconds is None:
            return None
        this = backbones.effort(self.spec, epoch, epoch)
        later = backbones.effort(self.spec, epoch + 1, self.spec.epochs)
        batches = self.steps * later + (self.steps - batch) * this
        return (
            self._batch_seconds * batches
            + self._validation() * (self.spec.epochs - epoch + 1)
            + self._ending()
        )

    def after_epochs(self, phase: Phase) -> float | None:
        """The same where no batch is being trained."""
        if phase in (Phase.TESTING, Phase.SAVING):
            return None if self._batch_seconds is None else self._ending()
        if phase is Phase.VALIDATING:
            return self.remaining(self.epochs_done + 1, self.steps)
        return None

    def _validation(self) -> float:
        if self.validation_seconds is not None:
            return self.validation_seconds
        return self._prediction(self.held_out)

    def _ending(self) -> float:
        return self._prediction(ENDING_PICTURES) + ENDING_SECONDS

    def _prediction(self, pictures: int) -> float:
        return PREDICTION_SHARE * (self._batch_seconds or 0.0) * pictures / self.spec.batch


def estimate_seconds(spec: TrainSpec) -> tuple[float, str]:
    """How long a training will take on this machine, and what the estimate is based on.

    Scaled by multiply-adds from the finished run here whose network is closest in size; without
    one, from a rate that is slow for a desktop and quick for an old laptop.

    Returns:
        seconds, and a clause such as `estimated from your run “swift”`.
    """
    work = multiply_adds(spec)
    # Counted in epochs in which everything learns: a frozen epoch is less work than that.
    pictures = trained_pictures(spec) * backbones.effort(spec, 1, spec.epochs)
    measures = _runs_of_this_machine()
    if not measures:
        rate = USUAL_RATE * min(os.cpu_count() or 1, 8)
        basis = f"a rough guess for {os.cpu_count()} cores, until a first run here has been timed"
        return 3 * work * pictures / rate, basis

    def distance(measure: tuple[Run, Record]) -> tuple[bool, float]:
        run, record = measure
        other = run.spec.architecture != spec.architecture
        return other, abs(math.log(record.multiply_adds / max(work, 1)))

    run, record = min(measures, key=distance)
    done = record.epochs_done
    seen = (record.pictures_trained or 0) * backbones.effort(run.spec, 1, done) / done
    # What comes before and after the epochs, and the validations, does not grow with the epochs.
    trained = sum(epoch.seconds for epoch in runs.history(run.id)) or record.seconds
    per_picture = trained / seen * work / record.multiply_adds
    around = max(0.0, record.seconds - trained)
    return per_picture * pictures + around, f"estimated from your run “{run.name}”"


def trained_pictures(spec: TrainSpec) -> int:
    """How many pictures an epoch of this spec trains on, not counting auxiliary photographs, whose
    number is not known in advance.
    """
    total = 60_000 if spec.data == "fashion-mnist" else 2_000
    held_out = {"test": 0.0, "none": 0.0, "fold": 1 / spec.folds}.get(
        spec.validation, spec.validation_fraction
    )
    return round(total * (1 - held_out)) + (sum(auxiliary.COUNTS.values()) if spec.outside else 0)


def machine() -> Machine:
    """This machine; its name is a hash, since records are shared."""
    return Machine(
        hashlib.sha256(platform.node().encode()).hexdigest()[:12],
        os.cpu_count(),
        f"{platform.system()} {platform.machine()}",
    )


def _runs_of_this_machine() -> list[tuple[Run, Record]]:
    """Finished runs of some length that were trained here."""
    here = machine().name
    return [
        (run, run.record)
        for run in runs.list_runs(finished_only=True)
        if run.record is not None
        and not run.shipped
        and run.record.machine.name == here
        and (run.record.pictures_trained or 0) >= TELLING_PICTURES
        and run.record.multiply_adds
    ]
