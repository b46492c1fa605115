"""Runs and classical baselines as comparable figures: a line each, F1 by class, mean and spread.

Everything is read from what a run keeps (`run.json`, `history.csv`, `test.npz`); no network is
asked again. If every epoch was judged on the test set, the best epoch was chosen with the test
labels, so the figure of the last epoch represents the run, as in `core.specs.published`.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from core import evaluation, runs
from core.experiments.baselines import METHODS, Baselines
from core.runs import Epoch, Run


@dataclass(frozen=True)
class Figures:
    """One line of a comparison; accuracies are shares in 0..1, None where there is none.

    Attributes:
        id: a run's id, or that of a baseline (see `baseline_id`).
        data: what it learned from.
        network: False for a baseline.
        leaks: whether its epochs were judged on the test set, so that both validation figures are
            of test pictures.
        best_validation: of the epoch whose weights were kept.
        last_validation: of the last epoch.
        pictures: how many it learned from in an epoch; None if the record does not say.
    """

    id: str
    name: str
    data: str
    network: bool
    leaks: bool
    best_validation: float | None
    last_validation: float | None
    best_epoch: int | None
    epochs: int | None
    test_accuracy: float | None
    parameters: int | None
    seconds: float | None
    pictures: int | None

    @property
    def score(self) -> float | None:
        """What runs are ranked by: the best epoch's validation accuracy; the last epoch's if that
        is on the test set; the test accuracy if nothing was held out.
        """
        ranked = self.last_validation if self.leaks else self.best_validation
        return self.test_accuracy if ranked is None else ranked


def of_run(run: Run, history: Sequence[Epoch] | None = None) -> Figures:
    """A finished run's line.

    Args:
        history: its epochs; read here if not given.

    Raises:
        RunDamaged: if it is not finished, or its history cannot be read.
    """
    record = run.finished_record
    history = runs.history(run.id) if history is None else history
    epochs = record.epochs_done or len(history) or None
    trained = record.pictures_trained
    return Figures(
        run.id,
        run.name,
        record.dataset.name,
        True,
        run.spec.validation == "test",
        record.scores.validation_accuracy,
        history[-1].val_accuracy if history else None,
        record.best_epoch,
        epochs,
        record.scores.test_accuracy,
        record.parameters,
        record.seconds,
        round(trained / epochs) if trained and epochs else None,
    )


def of_baselines(baselines: Baselines) -> list[Figures]:
    """The lines of all baselines that are done."""
    return [
        Figures(
            baseline_id(baselines.id, number),
            fit.title,
            baselines.spec.data,
            False,
            baselines.spec.validation == "test",
            result.validation_accuracy,
            result.validation_accuracy,
            None,
            None,
            result.test_accuracy,
            None,
            result.seconds,
            result.pictures,
        )
        for number, (fit, result) in enumerate(
            zip(baselines.wanted, baselines.results, strict=True)
        )
        if result is not None and not result.problem
    ]


def baseline_id(baselines_id: str, number: int) -> str:
    """The id under which one of some baselines is compared."""
    return f"{baselines_id}.{number}"


def f1_of_run(run_id: str) -> tuple[float, ...]:
    """F1 of each class on the test pictures, in label order, shares in 0..1.

    Raises:
        RunNotFound, RunDamaged: if the predictions cannot be read.
    """
    answers = runs.test_predictions(run_id)
    rows = evaluation.class_report(answers.labels, answers.probabilities.argmax(axis=1))
    return tuple(row.f1 for row in rows if row.label is not None)


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation; the deviation is divided by n, as in NumPy and in the reports.

    >>> spread([1.0, 3.0])
    (2.0, 1.0)

    Args:
        values: at least one.
    """
    return statistics.fmean(values), statistics.pstdev(values)


def size_note() -> str:
    """How many pictures each classical method learns from at most, as a sentence."""
    limits: dict[int, list[str]] = {}
    for method in METHODS.values():
        if method.pictures < 60_000:
            limits.setdefault(method.pictures, []).append(method.title)
    parts = [f"{', '.join(titles)}: {count:,} pictures at most" for count, titles in limits.items()]
    return (
        f"So that each finishes within minutes, some methods learn from a random part of the "
        f"training pictures. {'; '.join(parts)}."
    )
