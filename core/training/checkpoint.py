"""What an interrupted training resumes from: its epochs so far, the best of them, its weights.

`checkpoint.json` is written after everything that it refers to, so that a training killed at any
moment finds the last checkpoint whole. It keeps the format of earlier versions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core import runs
from core.errors import RunNotFound
from core.runs import Epoch

_STATE, _WEIGHTS, _BEST_WEIGHTS = "checkpoint.json", "checkpoint.weights.h5", "best.weights.h5"


@dataclass(frozen=True)
class Best:
    """The best epoch so far.

    Attributes:
        epoch: counted from 1.
        val_accuracy, val_loss: of that epoch; None without validation pictures.
        score: what it was chosen by, 0..1: the validation accuracy, or its mean with the accuracy
            on tuning pictures; None without validation pictures.
    """

    epoch: int
    val_accuracy: float | None = None
    val_loss: float | None = None
    score: float | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Best:
        """The epoch that `to_dict` described; checkpoints older than the score have none."""
        accuracy = values["val_accuracy"]
        return cls(values["epoch"], accuracy, values["val_loss"], values.get("score", accuracy))

    def to_dict(self) -> dict[str, float | int | None]:
        """Plain values, as `checkpoint.json` holds them."""
        return asdict(self)

    def beats(self, other: Best | None) -> bool:
        """Whether it has the higher score, or the same with the lower loss; without validation
        pictures the later epoch is the better one.

        >>> Best(2, 0.9, 0.31, 0.9).beats(Best(1, 0.9, 0.35, 0.9))
        True
        """
        mine, theirs = self._rank(), other._rank() if other else None
        return mine is None or theirs is None or mine > theirs

    def _rank(self) -> tuple[float, float] | None:
        if self.score is None or self.val_loss is None:
            return None
        return self.score, -self.val_loss


@dataclass(frozen=True)
class Checkpoint:
    """Where a training was after its last finished epoch.

    Attributes:
        epochs: all finished epochs, at least one.
        seconds: wall time until then, without interruptions.
        weights: of network and optimiser, as `keras_files.weights_bytes` gives them.
    """

    epochs: tuple[Epoch, ...]
    best: Best
    seconds: float
    weights: bytes


def save_best_weights(run_id: str, weights: bytes) -> None:
    """Keep the weights of the best epoch so far, in place of those of the one before."""
    runs.write(run_id, _BEST_WEIGHTS, weights)


def load_best_weights(run_id: str) -> bytes:
    """The weights of the best epoch.

    Raises:
        RunNotFound: if they are gone, and the run with them.
    """
    weights = runs.read_bytes(run_id, _BEST_WEIGHTS)
    if weights is None:
        raise RunNotFound("The run's weights are gone; it was deleted while it trained.")
    return weights


def save(run_id: str, epochs: Sequence[Epoch], best: Best, seconds: float, weights: bytes) -> None:
    """Write the history and everything that a resumed training needs, the pointer to it last."""
    runs.write_history(run_id, epochs)
    runs.write(run_id, _WEIGHTS, weights)
    state = {
        "epochs_done": len(epochs),
        "rows": [epoch.to_dict() for epoch in epochs],
        "best": best.to_dict(),
        "seconds": seconds,
    }
    runs.write_json(run_id, _STATE, state)


def load(run_id: str) -> Checkpoint | None:
    """The checkpoint of a run; None where no epoch was finished."""
    state, weights = runs.read_json(run_id, _STATE), runs.read_bytes(run_id, _WEIGHTS)
    if state is None or weights is None:
        return None
    epochs = tuple(Epoch.from_dict(values) for values in state["rows"])
    return Checkpoint(epochs, Best.from_dict(state["best"]), state["seconds"], weights)
