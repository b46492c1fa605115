"""All that a network can say about one picture of the data: probabilities, heat map, neighbours.

The parts are computed by `core.explain.attribution`; nothing is kept or drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.data.fashion_mnist import Dataset
from core.explain import attribution
from core.inference import Network
from core.runs import Run

Split = Literal["test", "training"]  # the part of the data that a picture belongs to


@dataclass(frozen=True)
class CloserLook:
    """What a network says about one picture of the data.

    Attributes:
        probabilities: float32 `(10,)`, summing to 1.
        heat: float32 `(28, 28)`, how much the answer rests on each pixel; see
            `attribution.occlusions`.
        truth_heat: the same for the picture's label: what speaks for it.
        neighbour_pixels: uint8 `(k, 28, 28)`, the most similar training pictures, closest first.
        neighbour_labels: int64 `(k,)`.
        neighbour_indices: int64 `(k,)`, their positions in the training split.
        neighbour_similarities: float32 `(k,)`, cosines, at most 1.
    """

    probabilities: NDArray[np.float32]
    heat: NDArray[np.float32]
    truth_heat: NDArray[np.float32]
    neighbour_pixels: NDArray[np.uint8]
    neighbour_labels: NDArray[np.int64]
    neighbour_indices: NDArray[np.int64]
    neighbour_similarities: NDArray[np.float32]


def look_closer(
    network: Network, run: Run, dataset: Dataset, split: Split, index: int, neighbours: int = 8
) -> CloserLook:
    """Ask a network about one picture.

    Args:
        network: the run's network.
        run: a finished run.
        dataset: the data that the picture belongs to.
        split: the part of it.
        index: the picture's position there. A training picture is not its own neighbour.
        neighbours: how many neighbours.

    Raises:
        RunDamaged: if the run's index of training pictures cannot be read.
    """
    test = split == "test"
    pixels = (dataset.test_pixels if test else dataset.train_pixels)[index]
    truth = int((dataset.test_labels if test else dataset.train_labels)[index])
    answer = network.answer(pixels[None])
    probabilities = answer.probabilities[0]
    heat, truth_heat = attribution.occlusions(network, pixels, [int(probabilities.argmax()), truth])
    itself = 1 if split == "training" else 0
    indices, similarities = attribution.neighbours(
        network, run, dataset, answer.embedding[0], neighbours + itself
    )
    if split == "training":
        others = np.flatnonzero(indices != index)[:neighbours]
        indices, similarities = indices[others], similarities[others]
    return CloserLook(
        probabilities,
        heat,
        truth_heat,
        dataset.train_pixels[indices],
        dataset.train_labels[indices],
        indices,
        similarities,
    )
