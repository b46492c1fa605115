"""Runs and classical baselines as figures that can be laid beside each other: a line each, F1 by
class, mean and deviation.

One idea: everything is read from what a run keeps (`run.json`, `history.csv`, `test.npz`), nothing
is asked of a network again. Where every epoch was judged on the test set, the best epoch was chosen
with the answers, so the last one's figure stands for the run, as in `published`.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from core import evaluation, runs
from core.experiments.baselines import METHODS, Baselines
from core.runs import Run


@dataclass(frozen=True)
class Figures:
    """One line of a comparison; accuracies as shares in 0..1, None where there is none.

    Attributes:
        id: a run's id, or that of a baseline (see `baseline_id`).
        leaks: its epochs were judged on the test set, so both validation figures are of test
        pictures. best_validation, last_validation: of the epoch that was kept, and of the last one.
        pictures: how many pictures it learnt from in an epoch; None where the record does not say.
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
        """What networks are ranked by: the best epoch's validation accuracy; the last epoch's where
        that is on the test set; the test accuracy where nothing was kept back.
        """
        ranked = self.last_validation if self.leaks else self.best_validation
        return self.test_accuracy if ranked is None else ranked


def of_run(run: Run, history: Sequence[dict] | None = None) -> Figures:
    """A finished run's line.

    Args:
        history: its epochs; read here if not given.

    Raises:
        RunDamaged: if its history cannot be read.
    """
    rows = runs.history(run.id) if history is None else history
    epochs = run.record.get("epochs_done") or len(rows) or None
    trained = run.record.get("pictures_trained")
    return Figures(
        run.id,
        run.name,
        run.record["dataset"]["name"],
        True,
        run.spec.validation == "test",
        run.record["scores"].get("validation_accuracy"),
        rows[-1].get("val_accuracy") if rows else None,
        run.best_epoch,
        epochs,
        run.test_accuracy,
        run.parameters,
        run.seconds,
        round(trained / epochs) if trained and epochs else None,
    )


def of_baselines(found: Baselines) -> list[Figures]:
    """The lines of all baselines that are done."""
    return [
        Figures(
            baseline_id(found.id, place),
            wanted.title,
            found.spec.data,
            False,
            found.spec.validation == "test",
            result.validation_accuracy,
            result.validation_accuracy,
            None,
            None,
            result.test_accuracy,
            None,
            result.seconds,
            result.pictures,
        )
        for place, (wanted, result) in enumerate(zip(found.wanted, found.results, strict=True))
        if result is not None and not result.problem
    ]


def baseline_id(baselines_id: str, place: int) -> str:
    """The id under which one of some baselines is compared."""
    return f"{baselines_id}.{place}"


def f1_of_run(run_id: str) -> tuple[float, ...]:
    """F1 of each class on the test pictures, in label order, shares in 0..1.

    Raises:
        RunNotFound, RunDamaged: if the answers cannot be read.
    """
    found = runs.test_predictions(run_id)
    rows = evaluation.class_report(found.labels, found.probabilities.argmax(axis=1))
    return tuple(row.f1 for row in rows if row.label is not None)


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation; the deviation is that of the values themselves (divided by n),
    as NumPy's and the reports'.

    Args:
        values: at least one.
    """
    return statistics.fmean(values), statistics.pstdev(values)


def size_note() -> str:
    """From how many pictures each classical method learns at most, as a sentence."""
    limits: dict[int, list[str]] = {}
    for method in METHODS.values():
        if method.pictures < 60_000:
            limits.setdefault(method.pictures, []).append(method.title)
    told = [f"{', '.join(titles)}: {count:,} pictures at most" for count, titles in limits.items()]
    return f"So that each ends within minutes, some learn from a random part. {'; '.join(told)}."
