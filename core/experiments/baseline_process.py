"""The process that fits classical methods, one after the other, at the lowest priority.

    python -m core.experiments.baseline_process BASELINES_ID

It computes what the record asks for and has no result yet, and writes the results after each fit. A
fit that fails (out of memory, too many components for the pictures) becomes a sentence in its
place, and the next one begins. One such process runs in a home, by a lock that ends with it; a
second one ends at once.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from dataclasses import replace

import numpy as np

from core import evaluation, processes
from core.data import fashion_mnist, splits
from core.experiments import baselines, records
from core.experiments.baselines import METHODS, PIXELS, Baselines, Result, Fit
from core.specs.spec import TrainSpec

PRIORITY = 19  # the lowest: pages and trainings go first
ALREADY_THERE = 3
VARIANCE_PICTURES = 10_000  # enough for 784 directions


def compute(wanted: Fit, data: fashion_mnist.Dataset, spec: TrainSpec) -> Result:
    """Fit one method on a spec's split, and judge it.

    Args:
        data: what the spec names.

    Raises:
        ValueError: if there are more components than pictures.
    """
    learn, kept = splits.split_for(data.train_labels, spec)
    chosen = np.random.default_rng(spec.seed).permutation(learn)[: METHODS[wanted.method].pictures]
    train, labels = _grey(data.train_pixels[chosen]), data.train_labels[chosen]
    began = time.perf_counter()
    model = _pipeline(wanted, spec.seed)
    with warnings.catch_warnings():
        # An iteration limit that was reached is part of the setting.
        warnings.simplefilter("ignore")
        model.fit(train, labels)
    guesses = model.predict(_grey(data.test_pixels))
    validation = None
    if spec.validation == "test":
        validation = float((guesses == data.test_labels).mean())
    elif len(kept):
        validation = float(
            (model.predict(_grey(data.train_pixels[kept])) == data.train_labels[kept]).mean()
        )
    rows = evaluation.class_report(data.test_labels, guesses)
    return Result(
        len(chosen),
        round(time.perf_counter() - began, 2),
        float((guesses == data.test_labels).mean()),
        validation,
        tuple(row.f1 for row in rows if row.label is not None),
    )


def explained_variance(pixels: np.ndarray) -> tuple[float, ...]:
    """The share of the variance that each principal component of pixels `(n, 28, 28)` holds,
    largest first.
    """
    from sklearn.decomposition import PCA

    return tuple(
        PCA(svd_solver="covariance_eigh")
        .fit(_grey(pixels))
        .explained_variance_ratio_.astype(float)
        .tolist()
    )


def _pipeline(wanted: Fit, seed: int):
    """The method, behind its principal components where it wants some."""
    from sklearn.decomposition import PCA
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC, LinearSVC

    method = {
        "logistic": lambda: LogisticRegression(C=0.1, max_iter=200),
        "neighbours": lambda: KNeighborsClassifier(5, algorithm="brute"),
        "linear-svm": lambda: LinearSVC(C=0.01, max_iter=500, random_state=seed),
        "rbf-svm": lambda: SVC(C=10, gamma="scale", cache_size=500),
        "forest": lambda: RandomForestClassifier(100, random_state=seed),
        "boosting": lambda: HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.2, early_stopping=False, random_state=seed
        ),
    }[wanted.method]()
    if not wanted.components:
        return make_pipeline(method)
    return make_pipeline(PCA(wanted.components, svd_solver="covariance_eigh"), method)


def _grey(pixels: np.ndarray) -> np.ndarray:
    """Pixels `(n, 28, 28)` uint8 as float32 `(n, 784)` in 0..1."""
    return pixels.reshape(len(pixels), PIXELS).astype(np.float32) / 255


def work(found: Baselines) -> None:
    """Compute all that has no result yet."""
    data = fashion_mnist.load(found.spec.data, download=True)
    if not found.variance:
        learn, _ = splits.split_for(data.train_labels, found.spec)
        found = replace(
            found, variance=explained_variance(data.train_pixels[learn[:VARIANCE_PICTURES]])
        )
        baselines.keep(found)
    for place, wanted in enumerate(found.wanted):
        if found.results[place] is not None and not found.results[place].problem:
            continue
        baselines.write_status(found.id, place)
        try:
            result = compute(wanted, data, found.spec)
        except (ValueError, MemoryError) as error:
            result = Result(
                problem=f"It could not be fitted: {str(error).strip() or 'out of memory'}"[:300]
            )
        found = replace(
            found,
            results=tuple(result if at == place else held for at, held in enumerate(found.results)),
        )
        if records.read_record(found.id) is None:
            return  # deleted meanwhile
        baselines.keep(found)


def main(arguments: list[str]) -> int:
    """Take the lock, compute, write."""
    if hasattr(os, "nice"):
        os.nice(PRIORITY)
    with baselines.lock_file().open("a+b") as lock:
        if not processes.take(lock):
            return ALREADY_THERE
        baselines.write_status(arguments[0], -1)
        work(baselines.read(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
