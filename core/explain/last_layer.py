"""How a network learns, shown on one weight: forward to the loss, back to the gradient, and down
the slope step by step.

The last dense layer turns the embedding into ten scores, and softmax turns the scores into
probabilities. There, all of back-propagation is three lines of arithmetic, and exact: the slope of
the loss at a score is probability minus truth; at a weight, it is that times the number the weight
is multiplied by. All other weights stay as they are; nothing here changes a network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LastLayer:
    """The last dense layer, with one picture as its input.

    Attributes:
        inputs: float `(d,)`, the embedding of the picture.
        weights: float `(d, 10)`.
        bias: float `(10,)`.
        truth: the class 0..9 that the loss is about.
    """

    inputs: NDArray[np.floating]
    weights: NDArray[np.floating]
    bias: NDArray[np.floating]
    truth: int

    @property
    def scores(self) -> Floats:
        """Weighted sums plus bias, `(10,)`: one for each neuron."""
        scores: Floats = self.inputs.astype(np.float64) @ self.weights + self.bias
        return scores

    @property
    def probabilities(self) -> Floats:
        """Softmax of the scores, `(10,)`."""
        return _softmax(self.scores)

    @property
    def loss(self) -> float:
        """Cross-entropy, in nats: minus the logarithm of the true class's probability."""
        return float(_loss(self.scores, self.truth))

    @property
    def score_slopes(self) -> Floats:
        """Slope of the loss at every score, `(10,)`: probability minus 1 for the truth, minus 0 for
        the others.
        """
        slopes: Floats = self.probabilities - np.eye(len(self.bias))[self.truth]
        return slopes

    @property
    def weight_slopes(self) -> Floats:
        """Slope of the loss at every weight, `(d, 10)`: by the chain rule, the score's slope times
        the input.
        """
        return np.outer(self.inputs.astype(np.float64), self.score_slopes)

    @property
    def input_slopes(self) -> Floats:
        """Slope of the loss at every number of the embedding, `(d,)`: what is passed back to the
        layer before.
        """
        slopes: Floats = self.weights.astype(np.float64) @ self.score_slopes
        return slopes

    def loss_with(self, row: int, neuron: int, values: Floats) -> Floats:
        """The loss if one weight had other values and everything else stayed the same.

        Args:
            row, neuron: which weight, `weights[row, neuron]`.
            values: float `(k,)`.

        Returns:
            float `(k,)`, in nats.
        """
        return _loss(self._scores_with(row, neuron, np.asarray(values, np.float64)), self.truth)

    def slope_with(self, row: int, neuron: int, value: float) -> float:
        """The slope of that loss at one value."""
        scores = self._scores_with(row, neuron, np.array([value], np.float64))
        probability = _softmax(scores)[0, neuron]
        return float((probability - (neuron == self.truth)) * self.inputs[row])

    def descend(self, row: int, neuron: int, start: float, rate: float, steps: int) -> Floats:
        """Gradient descent on one weight: each step goes against the slope, times the learning
        rate.

        Returns:
            float `(steps + 1,)`, the weight at the start and after each step.
        """
        values = [start]
        for _ in range(steps):
            values.append(values[-1] - rate * self.slope_with(row, neuron, values[-1]))
        return np.array(values)

    def _scores_with(self, row: int, neuron: int, values: Floats) -> Floats:
        scores = np.repeat(self.scores[None], len(values), axis=0)
        scores[:, neuron] += (values - float(self.weights[row, neuron])) * float(self.inputs[row])
        return scores


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    probabilities: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


def _loss(scores: Floats, truth: int) -> Floats:
    top = scores.max(axis=-1, keepdims=True)
    loss: Floats = np.log(np.exp(scores - top).sum(axis=-1)) + top[..., 0] - scores[..., truth]
    return loss
