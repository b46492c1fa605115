"""What is known of a run: its record, epochs, progress and predictions, as frozen objects.

Each `from_dict` reads what `to_dict` wrote, and what earlier versions of Atelier wrote: a value
that they did not record yet gets its default here and nowhere else. Which file holds what is in
`library`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import RunDamaged
from core.specs.spec import TrainSpec

SCHEMA = 1


class Status(StrEnum):
    """How far a run got. A stopped run has a network too: that of its best epoch."""

    FINISHED = "finished"
    STOPPED = "stopped"
    UNFINISHED = "unfinished"


class Phase(StrEnum):
    """What a training is doing at the moment, in the usual order."""

    LOADING = "loading"
    PREPARING = "preparing"
    BUILDING = "building"
    WEIGHTS = "weights"
    TRAINING = "training"
    VALIDATING = "validating"
    TESTING = "testing"
    SAVING = "saving"
    FINISHED = "finished"


@dataclass(frozen=True)
class Epoch:
    """One epoch of a training.

    Attributes:
        epoch: counted from 1.
        loss: mean cross-entropy of the training pictures in nats, without penalties, measured
            while the weights were changing.
        accuracy: share of them predicted correctly, 0..1, measured in the same way.
        val_loss: on the validation pictures after the epoch; None where none were held out.
        val_accuracy: as `val_loss`.
        seconds: wall time of the training steps, without the validation.
        learning_rate: at the end of the epoch; None in records of earlier versions.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float | None = None
    val_accuracy: float | None = None
    seconds: float = 0.0
    learning_rate: float | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Epoch:
        """The epoch that `to_dict` described, or a row of `history.csv`, where "" means None.

        Raises:
            KeyError, TypeError, ValueError: if these values do not describe an epoch.
        """
        return cls(
            int(values["epoch"]),
            float(values["loss"]),
            float(values["accuracy"]),
            _number(values.get("val_loss")),
            _number(values.get("val_accuracy")),
            _number(values.get("seconds")) or 0.0,
            _number(values.get("learning_rate")),
        )

    def to_dict(self) -> dict[str, float | int | None]:
        """Plain values, in the order of the columns of `history.csv`."""
        return asdict(self)


@dataclass(frozen=True)
class Scores:
    """How well a run's network does with the weights that were kept.

    Losses are cross-entropies in nats, accuracies are shares in 0..1; the validation figures are
    None where no pictures were held out. `test_loss_uncalibrated` is the loss at temperature 1.
    """

    test_accuracy: float
    test_loss: float | None = None
    test_loss_uncalibrated: float | None = None
    validation_accuracy: float | None = None
    validation_loss: float | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Scores:
        """The scores that `to_dict` described.

        Raises:
            KeyError, TypeError, ValueError: if these values do not describe scores.
        """
        others = {field.name: _number(values.get(field.name)) for field in fields(cls)[1:]}
        return cls(float(values["test_accuracy"]), **others)

    def to_dict(self) -> dict[str, float | None]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class DataFacts:
    """The data set a run learned from: its name, and a fingerprint of its contents."""

    name: str
    fingerprint: str = ""


@dataclass(frozen=True)
class Machine:
    """Where a run was trained: a hash of the host name, the number of processors, the system."""

    name: str = ""
    cpus: int | None = None
    system: str = ""


@dataclass(frozen=True)
class Record:
    """What `run.json` holds: the result of a training, and everything that led to it.

    Attributes:
        created, finished: times in ISO 8601.
        dataset: what it learned from.
        parameters: how many weights the network has.
        multiply_adds: that one picture takes.
        best_epoch: the epoch whose weights were kept, counted from 1.
        pictures_trained: over all epochs, auxiliary ones included; None if it was not recorded.
        seconds: wall time without interruptions.
        versions: of the libraries that trained it.
        backend: of Keras.
        temperature: what the network's scores are divided by, so that confidence matches accuracy.
        sure_threshold: the confidence from which an answer counts as sure; None if there were no
            validation pictures to fit it to.
        sure_by_kind: the same for people's own pictures, by what preparation found them to be;
            empty unless it learned from auxiliary pictures.
        auxiliary: how many auxiliary pictures of each kind it learned from; the key is `outside`
            in the file.
    """

    id: str
    spec: TrainSpec
    created: str
    finished: str
    status: Status
    status_text: str
    dataset: DataFacts
    parameters: int
    multiply_adds: int
    best_epoch: int
    epochs_done: int
    pictures_trained: int | None
    seconds: float
    scores: Scores
    versions: Mapping[str, str] = field(default_factory=dict)
    backend: str = "tensorflow"
    machine: Machine = Machine()
    temperature: float = 1.0
    sure_threshold: float | None = None
    sure_by_kind: Mapping[str, float] = field(default_factory=dict)
    auxiliary: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Record:
        """The record that `to_dict` described, or an older one.

        Raises:
            KeyError, TypeError, ValueError, AttributeError, InvalidSpec: if these values do not
                describe a record.
        """
        spec = TrainSpec.from_dict(values["spec"])
        dataset, machine = values["dataset"], values.get("machine") or {}
        temperature = values.get("temperature")
        threshold = values.get("sure_threshold")
        return cls(
            id=str(values.get("id", "")),
            spec=spec,
            created=str(values["created"]),
            finished=str(values.get("finished", "")),
            status=_ended(values["status"]),
            status_text=str(values["status_text"]),
            dataset=DataFacts(str(dataset["name"]), str(dataset.get("fingerprint", ""))),
            parameters=int(values.get("parameters") or 0),
            multiply_adds=int(values.get("multiply_adds") or 0),
            best_epoch=int(values["best_epoch"]),
            epochs_done=int(values.get("epochs_done") or spec.epochs),
            pictures_trained=_whole(values.get("pictures_trained")),
            seconds=float(values["seconds"]),
            scores=Scores.from_dict(values["scores"]),
            versions={str(name): str(text) for name, text in values.get("versions", {}).items()},
            backend=str(values.get("backend", "tensorflow")),
            machine=Machine(
                str(machine.get("name", "")),
                _whole(machine.get("cpus")),
                str(machine.get("system", "")),
            ),
            temperature=1.0 if temperature is None else _positive("temperature", temperature),
            sure_threshold=None if threshold is None else _positive("sure_threshold", threshold),
            sure_by_kind={
                str(kind): _positive("sure_by_kind", one)
                for kind, one in (values.get("sure_by_kind") or {}).items()
            },
            auxiliary={kind: int(count) for kind, count in (values.get("outside") or {}).items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as `run.json` holds them."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values |= {
            "spec": self.spec.to_dict(),
            "status": self.status.value,
            "dataset": asdict(self.dataset),
            "machine": asdict(self.machine),
            "scores": self.scores.to_dict(),
            "versions": dict(self.versions),
        }
        del values["auxiliary"]
        if not self.sure_by_kind:
            del values["sure_by_kind"]
        return {"schema": SCHEMA, **values, "outside": dict(self.auxiliary)}


@dataclass(frozen=True)
class Run:
    """A run as lists and pages need it.

    Attributes:
        name, note: what a person calls it and remarks about it; both can change.
        status_text: how it ended, or how far it got, for people.
        created: in ISO 8601.
        record: None while the run is unfinished.
        shipped: whether it is included with Atelier and read-only.
    """

    id: str
    name: str
    note: str
    spec: TrainSpec
    status: Status
    status_text: str
    created: str
    record: Record | None = None
    shipped: bool = False

    @property
    def finished(self) -> bool:
        """Whether it has a network; a run that was stopped early has one too."""
        return self.record is not None

    @property
    def finished_record(self) -> Record:
        """The record of a run that has to be finished.

        Raises:
            RunDamaged: if the run is not finished.
        """
        if self.record is None:
            raise RunDamaged(f"The run {self.id} is not finished yet. Resume it first.")
        return self.record

    @property
    def data_name(self) -> str:
        """The data set it learned from, or is to learn from."""
        return self.record.dataset.name if self.record else self.spec.data

    @property
    def test_accuracy(self) -> float | None:
        """Share of the test set that it predicts correctly, 0..1."""
        return self.record.scores.test_accuracy if self.record else None

    @property
    def test_loss(self) -> float | None:
        """Cross-entropy on the test set, in nats."""
        return self.record.scores.test_loss if self.record else None

    @property
    def validation_accuracy(self) -> float | None:
        """Share of the validation pictures predicted correctly, 0..1; None if it had none."""
        return self.record.scores.validation_accuracy if self.record else None

    @property
    def best_epoch(self) -> int | None:
        """The epoch whose weights were kept, counted from 1."""
        return self.record.best_epoch if self.record else None

    @property
    def parameters(self) -> int | None:
        """How many weights its network has."""
        return self.record.parameters if self.record else None

    @property
    def seconds(self) -> float | None:
        """Wall time of the training without interruptions."""
        return self.record.seconds if self.record else None


@dataclass(frozen=True)
class Progress:
    """Where a job is; small enough to be sent twice a second.

    Attributes:
        loss, accuracy: means over the epoch so far, as in `Epoch`.
        remaining_seconds: to the finished record; None until enough was measured to tell.
        started: seconds since 1970.
        stage: "frozen" or "fine-tuning" for a pretrained network; during the preparation, what is
            being prepared and how much of it is done.
    """

    run_id: str
    phase: Phase = Phase.LOADING
    epoch: int = 0
    epochs: int = 0
    batch: int = 0
    batches: int = 0
    loss: float | None = None
    accuracy: float | None = None
    elapsed_seconds: float = 0.0
    remaining_seconds: float | None = None
    started: float = 0.0
    stage: str = ""

    def after(self, seconds: float) -> Progress:
        """The same that many seconds later, while nothing else was reported."""
        remaining = self.remaining_seconds
        return replace(
            self,
            elapsed_seconds=self.elapsed_seconds + seconds,
            remaining_seconds=None if remaining is None else max(0.0, remaining - seconds),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the scheduler's board."""
        return {**asdict(self), "phase": self.phase.value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Progress:
        """The progress that `to_dict` described."""
        return cls(**{**values, "phase": Phase(values["phase"])})


@dataclass(frozen=True)
class BatchCurve:
    """Loss and accuracy of the batches of a run, in a bounded number of points; all are `(n,)`.

    Attributes:
        steps_per_epoch: batches that an epoch has.
        step: the last batch of each point, counted from 1 over all epochs; a point reaches back to
            the one before it.
        loss: mean cross-entropy of its pictures in nats, as in `Epoch`.
        accuracy: share of them predicted correctly, 0..1.
        learning_rate: at its last batch.
    """

    steps_per_epoch: int
    step: NDArray[np.int64]
    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    learning_rate: NDArray[np.float64]


@dataclass(frozen=True)
class Predictions:
    """What a run's network says about the test set of `dataset`, in its order.

    `probabilities` are `(n, 10)` float32, `labels` are `(n,)` int64.
    """

    probabilities: NDArray[np.float32]
    labels: NDArray[np.int64]
    dataset: str


@dataclass(frozen=True)
class EpochPredictions:
    """What the network said about the validation pictures after one epoch; all are `(n,)`.

    `indices` point into the training pictures, or into the test set if the spec validates there.
    """

    prediction: NDArray[np.int64]
    confidence: NDArray[np.float32]
    labels: NDArray[np.int64]
    indices: NDArray[np.int64]


def _number(value: Any) -> float | None:
    return None if value is None or value == "" else float(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _positive(name: str, value: object) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or value <= 0
    ):
        raise ValueError(f"{name} should be a number above 0, not {value!r}")
    return float(value)


def _ended(value: object) -> Status:
    if value not in (Status.FINISHED, Status.STOPPED):
        raise ValueError(f"unknown status {value!r}")
    return Status(str(value))
