"""What is known of a run: its record, its progress, its answers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from core.specs.spec import TrainSpec


@dataclass(frozen=True)
class Run:
    """A run as lists and pages know it.

    `record` is `run.json`, empty while the run is unfinished.
    """

    id: str
    name: str
    note: str
    spec: TrainSpec
    status: str  # "finished", "stopped" or "unfinished"
    status_text: str
    created: str
    record: dict = field(default_factory=dict)
    shipped: bool = False

    @property
    def finished(self) -> bool:
        """Whether it has a network that answers; a run stopped early has one too."""
        return self.status != "unfinished"

    def _score(self, key: str) -> float | None:
        return self.record.get("scores", {}).get(key)

    @property
    def test_accuracy(self) -> float | None:
        """Share of the test pictures it gets right, 0..1."""
        return self._score("test_accuracy")

    @property
    def test_loss(self) -> float | None:
        """Cross-entropy on the test pictures, in nats."""
        return self._score("test_loss")

    @property
    def best_epoch(self) -> int | None:
        """The epoch whose weights were kept, counted from 1."""
        return self.record.get("best_epoch")

    @property
    def parameters(self) -> int | None:
        return self.record.get("parameters")

    @property
    def seconds(self) -> float | None:
        """Wall time of the training, interruptions not counted."""
        return self.record.get("seconds")


@dataclass(frozen=True)
class Progress:
    """Where a job is; small enough to be sent twice a second."""

    run_id: str
    # Then "preparing", "weights", "training", "validating", "testing", "saving", "finished".
    phase: str = "loading"
    epoch: int = 0
    epochs: int = 0
    batch: int = 0
    batches: int = 0
    loss: float | None = None
    accuracy: float | None = None
    elapsed_seconds: float = 0.0
    remaining_seconds: float | None = None
    started: float = 0.0
    # Of a borrowed network: "frozen" or "fine-tuning"; while preparing, what and how much of it.
    stage: str = ""

    def to_dict(self) -> dict:
        return dict(self.__dict__)

    @classmethod
    def from_dict(cls, values: dict) -> Progress:
        return cls(**values)


@dataclass(frozen=True)
class Predictions:
    """Probabilities `(n, 10)` float32 and labels `(n,)` int64 of the test split of `dataset`, in
    its order.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    dataset: str


@dataclass(frozen=True)
class EpochPredictions:
    """What one epoch answered on the validation pictures: `(n,)` each.

    `indices` point into the training split, or into the test split where the spec validates there.
    """

    prediction: np.ndarray
    confidence: np.ndarray
    labels: np.ndarray
    indices: np.ndarray
