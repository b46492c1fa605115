"""The learning-rate range test: train a few batches while the rate rises, and see where the loss
falls and where it explodes.

Source: Smith, Cyclical learning rates, arXiv 1506.01186, section 3.3; with a rate that rises
exponentially instead of in a straight line, since good rates of different networks lie orders of
magnitude apart. This module says what is tried and what is suggested, without Keras;
`core.training.range_fit` trains the batches on the engine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.specs.spec import TrainSpec

LOWEST, HIGHEST = 1e-6, 10.0
STEPS = 120
SMOOTHING = 4.0  # batches that the smoothed loss goes back
EXPLODED = 4.0  # times the lowest smoothed loss: there the test ends
# The rate at which the loss was lowest is on the brink; the rule of thumb is a tenth of it.
SAFETY = 10.0
FALLEN = 0.9  # of the first loss: where it never falls below, no rate is suggested


@dataclass(frozen=True)
class RangeTest:
    """Losses in nats of the batches at each rate; `suggested` is None where no loss fell."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    suggested: float | None
    seconds: float


def rates() -> NDArray[np.float64]:
    """The rates that are tried, in order."""
    return np.geomspace(LOWEST, HIGHEST, STEPS)


def question(spec: TrainSpec) -> TrainSpec:
    """What of a spec the test depends on: specs with equal questions have the same answer."""
    return spec.replace(
        name="range test",
        learning_rate=LOWEST,
        schedule="constant",
        restarts=(),
        average_weights=False,
    )


def smooth(losses: ArrayLike) -> NDArray[np.float64]:
    """Exponentially weighted means over the last `SMOOTHING` batches, of what there is."""
    keep = float(np.exp(-1 / SMOOTHING))
    total = weight = 0.0
    means = []
    for loss in np.asarray(losses, np.float64):
        total, weight = total * keep + loss * (1 - keep), weight * keep + (1 - keep)
        means.append(total / weight)
    return np.array(means)


def is_over(losses: ArrayLike) -> bool:
    """Whether the loss has exploded, so that higher rates need not be tried."""
    every = np.asarray(losses, np.float64)
    if not np.isfinite(every[-1]):
        return True
    smoothed = smooth(every)
    return bool(smoothed[-1] > EXPLODED * smoothed.min())


def judge(tried: ArrayLike, losses: ArrayLike, seconds: float) -> RangeTest:
    """Smooth the losses and suggest a rate.

    Args:
        tried: the rates, rising.
        losses: of their batches; what is not finite, at the end, is left out.
        seconds: that the test took.
    """
    every = np.asarray(losses, np.float64)
    finite = np.isfinite(every)
    kept, used = every[finite], np.asarray(tried, np.float64)[: len(every)][finite]
    smoothed = smooth(kept)
    suggested = None
    if len(kept) and smoothed.min() < FALLEN * smoothed[0]:
        suggested = float(f"{used[smoothed.argmin()] / SAFETY:.1g}")
    return RangeTest(
        tuple(used.tolist()), tuple(kept.tolist()), tuple(smoothed.tolist()), suggested, seconds
    )
