"""Choose the pictures of a training: those it learns from, those that judge its epochs, and the
auxiliary ones.

In which order and how augmented they are seen is decided in `core.training.batches`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core import settings
from core.data import splits
from core.data.fashion_mnist import Dataset
from core.labels import CLASSES
from core.outside import auxiliary
from core.outside.auxiliary import Tuning
from core.specs.spec import TrainSpec


@dataclass(frozen=True)
class TrainingSet:
    """The pictures of one training.

    Attributes:
        pixels: uint8 `(n, 28, 28)`, what the weights are fitted to.
        targets: float32 `(n, 10)`, the probability of each class.
        validation_pixels: uint8 `(m, 28, 28)`, what every epoch is judged on; none where `m` is 0.
        validation_labels: int64 `(m,)`.
        validation_indices: int64 `(m,)`, their positions in the training split, or in the test set
            where the spec validates there.
        auxiliary: how many auxiliary pictures of each kind are among the first.
        tuning: outside pictures for choosing the best epoch and the threshold of sure answers, by
            kind; empty unless the spec asks for auxiliary pictures.
    """

    pixels: NDArray[np.uint8]
    targets: NDArray[np.float32]
    validation_pixels: NDArray[np.uint8]
    validation_labels: NDArray[np.int64]
    validation_indices: NDArray[np.int64]
    auxiliary: dict[str, int] = field(default_factory=dict)
    tuning: Tuning = field(default_factory=dict)


def choose(data: Dataset, spec: TrainSpec, progress: Callable[[str], None]) -> TrainingSet:
    """The pictures that a spec asks for.

    Args:
        data: what the spec names.
        progress: is told how far the auxiliary pictures are, which take minutes the first time;
            what it raises ends the choice.

    Raises:
        InvalidSpec: if the spec's split leaves nothing to learn from.
        UnreadablePicture: if a folder of photographs or of people's pictures has none.
        StorageProblem: if the auxiliary pictures cannot be kept.
    """
    learned, held_out = splits.split_for(data.train_labels, spec)
    pixels = data.train_pixels[learned]
    targets = np.eye(CLASSES, dtype=np.float32)[data.train_labels[learned]]
    if spec.validation == "test":
        held_out = np.arange(len(data.test_labels))
        validation = data.test_pixels, data.test_labels
    else:
        validation = data.train_pixels[held_out], data.train_labels[held_out]
    if not spec.outside:
        return TrainingSet(pixels, targets, *validation, held_out)
    photographs, folders = settings.photographs_folder(), settings.people_folders()
    more = auxiliary.auxiliary_pictures(
        data, learned, photographs, folders=folders, progress=progress
    )
    return TrainingSet(
        np.concatenate([pixels, more.pixels]),
        np.concatenate([targets, more.targets]),
        *validation,
        held_out,
        more.kinds,
        auxiliary.tuning_pictures(photographs, folders=folders),
    )
