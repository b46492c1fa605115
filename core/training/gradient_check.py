"""Whether back-propagation computes the slope of the loss: each weight is moved a little, and the
change of the loss compared with the gradient.

For a weight `w` the central difference is `(E(w + e) - E(w - e)) / 2e`, where `E` is the mean
cross-entropy of ten pictures, one of each class. It costs two forward passes a weight;
back-propagation gets all weights at once, by the chain rule. The two agree up to curvature, which
falls with the square of `e`, unless a kink (ReLU, max pooling) lies between the two points. So a
weight that disagrees is moved by ever smaller steps: a smaller one no longer crosses a kink; a
wrong gradient stays wrong.

Source: the project report behind the presets `project-*`, with e = 0.01. This module says what is
checked and how it is judged, without Keras; `core.training.gradients` calculates it on the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import InvalidSpec
from core.specs.spec import TrainSpec

EPSILON = 1e-2
SMALLEST = 1e-7  # below it the difference of two losses is mostly rounding, also in float64
WEIGHTS = 10  # of each array of weights
TOLERANCE = 1e-4  # relative error up to which two gradients agree
_TINY = 1e-300


class Comparison(NamedTuple):
    """One weight's gradient compared with central differences.

    Attributes:
        difference: with the first step.
        settled: with the largest step tried at which both agree, or the smallest tried where none
            does.
        step: that step.
        agrees: whether both agree there.
    """

    difference: float
    settled: float
    step: float
    agrees: bool


@dataclass(frozen=True)
class TensorCheck:
    """The checked weights of one array; all tuples are in the order of `positions`, which count
    through the flattened array.

    `differences`, `settled`, `steps` and `agrees` are those of the weights' `Comparison`.
    """

    name: str
    shape: tuple[int, ...]
    positions: tuple[int, ...]
    backpropagated: tuple[float, ...]
    differences: tuple[float, ...]
    settled: tuple[float, ...]
    steps: tuple[float, ...]
    agrees: tuple[bool, ...]

    @property
    def errors(self) -> NDArray[np.float64]:
        """Relative error of each weight with the first step."""
        return relative_error(self.backpropagated, self.differences)

    @property
    def settled_errors(self) -> NDArray[np.float64]:
        """The same with the step that each weight settled at."""
        return relative_error(self.backpropagated, self.settled)


@dataclass(frozen=True)
class GradientCheck:
    """A network whose gradient was checked.

    `loss` is its mean cross-entropy on the ten pictures, in nats.
    """

    name: str
    data: str
    epsilon: float
    loss: float
    tensors: tuple[TensorCheck, ...]

    @property
    def checked(self) -> int:
        """How many weights were moved."""
        return sum(len(tensor.positions) for tensor in self.tensors)

    @property
    def at_once(self) -> int:
        """How many agreed with the first step."""
        return sum(
            agrees and step == self.epsilon
            for tensor in self.tensors
            for agrees, step in zip(tensor.agrees, tensor.steps, strict=True)
        )

    @property
    def wrong(self) -> int:
        """How many agreed with no step: there the gradient is not the slope."""
        return sum(not agrees for tensor in self.tensors for agrees in tensor.agrees)

    def sentence(self) -> str:
        """The verdict, for a person."""
        checked = f"{self.checked:,} weights"
        if self.wrong:
            return (
                f"The gradient is wrong: of {checked}, {self.wrong:,} differ from the central "
                "difference, however small the step."
            )
        text = (
            f"Back-propagation is right: all of {checked} agree with the central difference to "
            f"{TOLERANCE:g}"
        )
        later = self.checked - self.at_once
        if not later:
            return f"{text}."
        return (
            f"{text}, {self.at_once:,} with the step {self.epsilon:g} and {later:,} with a smaller "
            "one."
        )


def relative_error(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """`|a - b| / (|a| + |b|)` of each pair, from 0 to 1; 0 where both are 0.

    >>> relative_error([1.0, 0.0], [3.0, 0.0]).tolist()
    [0.5, 0.0]
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    error: NDArray[np.float64] = np.abs(a - b) / np.maximum(np.abs(a) + np.abs(b), _TINY)
    return error


def agree(gradient: float, difference: float, step: float, loss: float) -> bool:
    """Whether a gradient is the slope, up to `TOLERANCE` and the rounding of two losses of about
    this size.
    """
    rounding = 4 * np.finfo(np.float64).eps * max(abs(loss), 1.0) / step
    return bool(
        abs(gradient - difference) <= TOLERANCE * (abs(gradient) + abs(difference)) + rounding
    )


def settle(
    gradient: float, difference_with: Callable[[float], float], epsilon: float, loss: float
) -> Comparison:
    """Compare one weight's gradient with central differences of ever smaller steps, until they
    agree.

    Args:
        difference_with: from a step to the central difference.
        epsilon: the first step; the next is a tenth of it, and so on down to `SMALLEST`.
        loss: about how large the losses are, for their rounding.
    """
    step, first = epsilon, difference_with(epsilon)
    difference = first
    while not agree(gradient, difference, step, loss) and step / 10 >= 0.99 * SMALLEST:
        step /= 10
        difference = difference_with(step)
    return Comparison(first, difference, step, agree(gradient, difference, step, loss))


def deterministic(spec: TrainSpec) -> TrainSpec:
    """The spec without penalties, and without what makes the loss differ between forward passes."""
    return spec.replace(
        dropout=(0.0,),
        block_dropout=(0.0,),
        l1=0.0,
        l2=0.0,
        label_smoothing=0.0,
        precision="float32",
    )


def validate(spec: TrainSpec, *, epsilon: float, weights: int) -> None:
    """Refuse what cannot be checked.

    Raises:
        InvalidSpec: for a step or a number that makes no sense, or a pretrained network.
    """
    if spec.architecture == "transfer":
        raise InvalidSpec(
            "A pretrained network has more than a hundred arrays of weights, and each weight that "
            "is moved costs two passes through all of its layers in 64-bit numbers: hours. Choose "
            "another network; back-propagation is the same."
        )
    if not SMALLEST <= epsilon <= 1:
        raise InvalidSpec(
            f"The step must be a number from {SMALLEST:g} to 1, such as 0.01, not {epsilon:g}."
        )
    if weights < 1:
        raise InvalidSpec(f"At least one weight of each array must be checked, not {weights}.")
