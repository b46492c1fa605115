"""Which training pictures a network learns from, and which are held out to validate it."""

from __future__ import annotations

import math

import numpy as np

from core.errors import InvalidSpec
from core.specs.spec import TrainSpec

SPLITS = ("last", "random", "stratified", "fold", "test", "none")


def split_for(labels: np.ndarray, spec: TrainSpec) -> tuple[np.ndarray, np.ndarray]:
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
    labels: np.ndarray,
    method: str,
    fraction: float,
    seed: int,
    *,
    folds: int = 5,
    fold: int = 1,
    shuffle: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Part the training pictures into those to learn from and those to validate on.

    Args:
        labels: int array `(n,)` of the training split; only "stratified" looks at the values.
        method: "last" keeps the order and takes the end, as Keras does; "random" and "stratified"
            shuffle as scikit-learn's `train_test_split` does; "fold" takes one of the folds of its
            `KFold`; "none" and "test" take nothing away.
        fraction: share to validate on, between 0 and 1; ignored for "fold", "none" and "test".
        seed: of the shuffle. folds, fold, shuffle: only for "fold": into how many parts, which of
        them (from 1), and whether at random.

    Returns:
        Two int64 arrays of positions in `labels`, to learn from and to validate on: disjoint,
            together all.

    Raises:
        InvalidSpec: unknown method, a fold that there is not, or a share that leaves one of the two
            sides empty.
    """
    if method not in SPLITS:
        raise InvalidSpec(
            f"There is no validation split {method!r}. Choose one of: {', '.join(SPLITS)}."
        )
    everything = np.arange(len(labels), dtype=np.int64)
    if method in ("none", "test"):
        return everything, everything[:0]
    if method == "fold":
        return _fold(everything, folds, fold, seed if shuffle else None)
    kept = math.floor(len(labels) * (1.0 - fraction)) if 0 < fraction < 1 else 0
    if not 0 < kept < len(labels):
        raise InvalidSpec(
            f"A validation share of {fraction} leaves nothing on one side of {len(labels):,} pictures. "
            "Choose a share between 0 and 1, such as 0.1."
        )
    if method == "last":
        return everything[:kept], everything[kept:]
    from sklearn.model_selection import train_test_split  # slow to import, and pages do not need it

    strata = labels if method == "stratified" else None
    try:
        train, validation = train_test_split(
            everything, test_size=fraction, random_state=seed, stratify=strata
        )
    except ValueError as error:
        raise InvalidSpec(
            f"{len(labels):,} pictures cannot be split by class with a validation share of {fraction}: {error} "
            "Choose another share, or the random split."
        ) from error
    return train, validation


def _fold(
    everything: np.ndarray, folds: int, fold: int, seed: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """All but one fold, and that fold, as scikit-learn's `KFold` cuts them; no seed: in their
    order.
    """
    from sklearn.model_selection import KFold  # slow to import, as above

    if not 2 <= folds <= len(everything) or not 1 <= fold <= folds:
        raise InvalidSpec(
            f"There is no fold {fold} of {folds} among {len(everything):,} pictures. Choose at least two folds, and one of "
            "them."
        )
    parts = KFold(folds, shuffle=seed is not None, random_state=seed).split(everything)
    return next(both for number, both in enumerate(parts, 1) if number == fold)
