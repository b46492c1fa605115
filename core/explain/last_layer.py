"""How a network learns, on one weight of it: forward to the loss, back to the gradient, and down in
steps.

The last dense layer makes ten scores out of the embedding, and softmax makes probabilities of the
scores. There the whole of back-propagation is three lines of arithmetic, and exact: the slope of
the loss at a score is probability minus truth, at a weight that times the number the weight is
multiplied with. All other weights are kept; nothing here changes a network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LastLayer:
    """The last dense layer in front of one picture.

    Attributes:
        inputs: float `(d,)`, the embedding of the picture.
        weights: float `(d, 10)`.
        bias: float `(10,)`.
        truth: the class 0..9 that the loss is about.
    """

    inputs: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    truth: int

    @property
    def scores(self) -> np.ndarray:
        """Weighted sums and bias, `(10,)`: one a neuron."""
        return self.inputs.astype(np.float64) @ self.weights + self.bias

    @property
    def probabilities(self) -> np.ndarray:
        """Softmax of the scores, `(10,)`."""
        return _softmax(self.scores)

    @property
    def loss(self) -> float:
        """Cross-entropy, in nats: minus the logarithm of the true class's probability."""
        return float(_loss(self.scores, self.truth))

    @property
    def score_slopes(self) -> np.ndarray:
        """Slope of the loss at every score, `(10,)`: probability minus 1 for the truth, minus 0 for
        the others.
        """
        return self.probabilities - np.eye(len(self.bias))[self.truth]

    @property
    def weight_slopes(self) -> np.ndarray:
        """Slope of the loss at every weight, `(d, 10)`: the chain rule's product of score's slope
        and input.
        """
        return np.outer(self.inputs.astype(np.float64), self.score_slopes)

    @property
    def input_slopes(self) -> np.ndarray:
        """Slope of the loss at every number of the embedding, `(d,)`: what is handed on to the
        layer before.
        """
        return self.weights.astype(np.float64) @ self.score_slopes

    def loss_with(self, place: int, neuron: int, values: np.ndarray) -> np.ndarray:
        """The loss if one weight had other values and all else stayed.

        Args:
            place, neuron: which weight, `[place, neuron]`.
            values: float `(k,)`.

        Returns:
            float `(k,)`, in nats.
        """
        return _loss(self._scores_with(place, neuron, np.asarray(values, np.float64)), self.truth)

    def slope_with(self, place: int, neuron: int, value: float) -> float:
        """The slope of that loss at one value."""
        probability = _softmax(self._scores_with(place, neuron, np.array([value], np.float64)))[
            0, neuron
        ]
        return float((probability - (neuron == self.truth)) * self.inputs[place])

    def descend(self, place: int, neuron: int, start: float, rate: float, steps: int) -> np.ndarray:
        """Gradient descent on one weight: each step goes against the slope, times the learning
        rate.

        Returns:
            float `(steps + 1,)`, the weight at the start and after each step.
        """
        walked = [start]
        for _ in range(steps):
            walked.append(walked[-1] - rate * self.slope_with(place, neuron, walked[-1]))
        return np.array(walked)

    def _scores_with(self, place: int, neuron: int, values: np.ndarray) -> np.ndarray:
        scores = np.repeat(self.scores[None], len(values), axis=0)
        scores[:, neuron] += (values - float(self.weights[place, neuron])) * float(
            self.inputs[place]
        )
        return scores


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _loss(scores: np.ndarray, truth: int) -> np.ndarray:
    top = scores.max(axis=-1, keepdims=True)
    return np.log(np.exp(scores - top).sum(axis=-1)) + top[..., 0] - scores[..., truth]
