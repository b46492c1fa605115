"""Which training pictures a network learns from, and which are held out to validate it.

The test set is left alone here; "test" as a kind of validation only means that nothing is held out.
"""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidSpec
from core.specs.fields import Validation
from core.specs.spec import TrainSpec

Positions = NDArray[np.int64]


def split_for(labels: NDArray[np.integer], spec: TrainSpec) -> tuple[Positions, Positions]:
    """The split that a spec asks for; see `split`."""
    return split(
        labels,
        spec.validation,
        spec.validation_fraction,
        spec.seed,
        folds=spec.folds,
        fold=spec.fold,
        shuffle=spec.shuffle_folds,
    )


def split(
    labels: NDArray[np.integer],
    method: Validation,
    fraction: float,
    seed: int,
    *,
    folds: int = 5,
    fold: int = 1,
    shuffle: bool = True,
) -> tuple[Positions, Positions]:
    """Split the training pictures into those to learn from and those to validate on.

    >>> train, validation = split(np.zeros(10, int), "last", 0.2, seed=0)
    >>> train.tolist(), validation.tolist()
    ([0, 1, 2, 3, 4, 5, 6, 7], [8, 9])

    Args:
        labels: `(n,)`, of the training pictures; only "stratified" looks at the values.
        method: "last" keeps the order and takes the end, as Keras does; "random" and "stratified"
            shuffle as scikit-learn's `train_test_split` does; "fold" takes one of the folds of its
            `KFold`; "none" and "test" hold out nothing.
        fraction: share to validate on, between 0 and 1; ignored for "fold", "none" and "test".
        seed: of the shuffle.
        folds: for "fold": into how many parts.
        fold: for "fold": which part is held out, counted from 1.
        shuffle: for "fold": whether at random.

    Returns:
        the positions in `labels` to learn from, and those to validate on; every position is in one
        of the two.

    Raises:
        InvalidSpec: unknown method, a fold that does not exist, or a share that leaves one side
            empty.
    """
    if method not in get_args(Validation):
        raise InvalidSpec(
            f"There is no validation split {method!r}. Choose one of: "
            f"{', '.join(get_args(Validation))}."
        )
    everything = np.arange(len(labels), dtype=np.int64)
    if method in ("none", "test"):
        return everything, everything[:0]
    if method == "fold":
        return _fold(everything, folds, fold, seed if shuffle else None)
    kept = math.floor(len(labels) * (1.0 - fraction)) if 0 < fraction < 1 else 0
    if not 0 < kept < len(labels):
        raise InvalidSpec(
            f"A validation share of {fraction} leaves nothing on one side of {len(labels):,} "
            "pictures. Choose a share between 0 and 1, such as 0.1."
        )
    if method == "last":
        return everything[:kept], everything[kept:]
    return _drawn(everything, fraction, seed, labels if method == "stratified" else None)


def _drawn(
    everything: Positions, fraction: float, seed: int, strata: NDArray[np.integer] | None
) -> tuple[Positions, Positions]:
    """Positions drawn at random; with `strata`, the same share of each of its values."""
    from sklearn.model_selection import train_test_split  # slow to import, and pages do not need it

    try:
        train, validation = train_test_split(
            everything, test_size=fraction, random_state=seed, stratify=strata
        )
    except ValueError as error:
        raise InvalidSpec(
            f"{len(everything):,} pictures cannot be split by class with a validation share of "
            f"{fraction}: {error} Choose another share, or the random split."
        ) from error
    return train, validation


def _fold(
    everything: Positions, folds: int, fold: int, seed: int | None
) -> tuple[Positions, Positions]:
    """All folds but one, and that one, as scikit-learn's `KFold` cuts them.

    Without a seed the pictures stay in their order.
    """
    from sklearn.model_selection import KFold  # slow to import, as above

    if not 2 <= folds <= len(everything) or not 1 <= fold <= folds:
        raise InvalidSpec(
            f"There is no fold {fold} of {folds} among {len(everything):,} pictures. Choose at "
            "least two folds, and one of them."
        )
    parts = KFold(folds, shuffle=seed is not None, random_state=seed).split(everything)
    train, validation = list(parts)[fold - 1]
    return train, validation
