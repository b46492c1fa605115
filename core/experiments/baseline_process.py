"""The process that fits classical methods, one after the other, at the lowest priority.

    python -m core.experiments.baseline_process BASELINES_ID

It computes the fits of a record that have no result yet, and writes the results after each. A fit
that fails (out of memory, too many components for the pictures) leaves a sentence instead of a
result, and the next one begins. Only one such process runs in a home, by a lock that ends with it;
a second one ends at once.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core import evaluation, processes
from core.data import fashion_mnist, splits
from core.experiments import baselines, records
from core.experiments.baselines import METHODS, PIXELS, Baselines, Fit, FitResult
from core.specs.spec import TrainSpec

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

PRIORITY = 19  # the lowest: pages and trainings go first
ALREADY_THERE = 3  # exit status: another process holds the lock
VARIANCE_PICTURES = 10_000  # enough for 784 directions


def compute(fit: Fit, data: fashion_mnist.Dataset, spec: TrainSpec) -> FitResult:
    """Fit one method on a spec's split, and judge it.

    Args:
        data: the data set that the spec names.

    Raises:
        ValueError: if there are more components than pictures.
    """
    training, held_out = splits.split_for(data.train_labels, spec)
    chosen = np.random.default_rng(spec.seed).permutation(training)[: METHODS[fit.method].pictures]
    pixels, labels = _grey(data.train_pixels[chosen]), data.train_labels[chosen]
    began = time.perf_counter()
    model = _pipeline(fit, spec.seed)
    with warnings.catch_warnings():
        # Reaching the iteration limit is part of the settings.
        warnings.simplefilter("ignore")
        model.fit(pixels, labels)
    predictions = model.predict(_grey(data.test_pixels))
    test_accuracy = float((predictions == data.test_labels).mean())
    validation_accuracy = None
    if spec.validation == "test":
        validation_accuracy = test_accuracy
    elif len(held_out):
        validated = model.predict(_grey(data.train_pixels[held_out]))
        validation_accuracy = float((validated == data.train_labels[held_out]).mean())
    rows = evaluation.class_report(data.test_labels, predictions)
    return FitResult(
        len(chosen),
        round(time.perf_counter() - began, 2),
        test_accuracy,
        validation_accuracy,
        tuple(row.f1 for row in rows if row.label is not None),
    )


def explained_variance(pixels: NDArray[np.uint8]) -> tuple[float, ...]:
    """The share of the variance that each principal component of pixels `(n, 28, 28)` explains,
    largest first.
    """
    from sklearn.decomposition import PCA

    analysis = PCA(svd_solver="covariance_eigh").fit(_grey(pixels))
    return tuple(float(share) for share in analysis.explained_variance_ratio_)


def _pipeline(fit: Fit, seed: int) -> Pipeline:
    """The method, after a principal component analysis if the fit has components."""
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
    }[fit.method]()
    if not fit.components:
        return make_pipeline(method)
    return make_pipeline(PCA(fit.components, svd_solver="covariance_eigh"), method)


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pixels `(n, 28, 28)` uint8 as float32 `(n, 784)` in 0..1."""
    return pixels.reshape(len(pixels), PIXELS).astype(np.float32) / np.float32(255)


def work(record: Baselines) -> None:
    """Compute all that has no result yet; ends early if the record is deleted meanwhile."""
    data = fashion_mnist.load(record.spec.data, download=True)
    if not record.variance:
        training, _ = splits.split_for(data.train_labels, record.spec)
        variance = explained_variance(data.train_pixels[training[:VARIANCE_PICTURES]])
        record = replace(record, variance=variance)
        baselines.keep(record)
    for number, fit in enumerate(record.wanted):
        earlier = record.results[number]
        if earlier is not None and not earlier.problem:
            continue
        baselines.write_status(record.id, number)
        try:
            result = compute(fit, data, record.spec)
        except (ValueError, MemoryError) as error:
            reason = str(error).strip() or "out of memory"
            result = FitResult(problem=f"It could not be fitted: {reason}"[:300])
        results = list(record.results)
        results[number] = result
        record = replace(record, results=tuple(results))
        if records.read_record(record.id) is None:
            return
        baselines.keep(record)


def main(arguments: list[str]) -> int:
    """Take the lock, compute and write.

    Returns:
        the exit status: 0, or `ALREADY_THERE`.
    """
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
