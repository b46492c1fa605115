"""Run folders as they were written before: `saved` has one of each kind, and all stay readable.

They were trained with an earlier version on the offline sample (1,048 weights, so that they are
small); the one called older is the finished one without the keys that came later.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core import runs, settings
from core.runs import Status, storage
from core.specs.spec import TrainSpec

SAVED = Path(__file__).parent / "saved"
FINISHED, STOPPED, INTERRUPTED, OLDER = (
    "20261126-013820-finished-f0e5",
    "20261126-013905-stopped-183b",
    "20261126-013916-interrupted-876a",
    "20260301-090000-older-0a1b",
)


@pytest.fixture(autouse=True)
def library() -> Path:
    """A run library with a copy of all saved folders."""
    folder = Path(settings.runs_address())
    shutil.copytree(SAVED, folder)
    return folder


def test_all_saved_runs_are_listed_newest_first_and_none_is_damaged():
    scan = runs.scan()
    assert [run.id for run in scan.runs] == [
        INTERRUPTED,
        STOPPED,
        FINISHED,
        OLDER,
        *storage.shipped_ids(),
    ]
    assert scan.damaged == []


@pytest.mark.parametrize(
    ("run_id", "status", "status_text", "epochs"),
    [
        (FINISHED, Status.FINISHED, "finished", 3),
        (STOPPED, Status.STOPPED, "stopped at epoch 1", 1),
        (INTERRUPTED, Status.UNFINISHED, "interrupted after epoch 2", 2),
        (OLDER, Status.FINISHED, "finished", 3),
    ],
)
def test_a_saved_run_has_its_status_and_its_epochs(run_id, status, status_text, epochs):
    run = runs.read(run_id)
    assert (run.status, run.status_text) == (status, status_text)
    assert run.finished is (status is not Status.UNFINISHED)
    history = runs.history(run_id)
    assert [epoch.epoch for epoch in history] == list(range(1, epochs + 1))
    assert history[0].loss == 2.28007435798645 and history[0].val_accuracy == 0.195


@pytest.mark.parametrize("run_id", [FINISHED, STOPPED])
def test_a_saved_record_is_written_again_exactly_as_it_was(library, run_id):
    before = json.loads((library / run_id / "run.json").read_text())
    before["spec"] = TrainSpec().to_dict() | before["spec"]  # settings that came later
    assert runs.read(run_id).finished_record.to_dict() == before
    lines = (library / run_id / "history.csv").read_text()
    runs.write_history(run_id, runs.history(run_id))
    assert (library / run_id / "history.csv").read_text() == lines


def test_what_a_finished_run_left_is_read():
    record = runs.read(FINISHED).finished_record
    assert (record.best_epoch, record.parameters, record.scores.test_accuracy) == (3, 1048, 0.2775)
    answers = runs.test_predictions(FINISHED)
    assert answers.probabilities.shape == (400, 10) and answers.dataset == "offline-sample"
    right = answers.probabilities.argmax(axis=1) == answers.labels
    assert right.mean() == pytest.approx(record.scores.test_accuracy)
    assert runs.validation_epochs(FINISHED) == [1, 2, 3]
    assert len(runs.validation_predictions(FINISHED, 3).labels) == 200


def test_what_an_older_record_lacks_has_its_default():
    record = runs.read(OLDER).finished_record
    assert (record.temperature, record.sure_threshold, record.backend) == (1.0, None, "tensorflow")
    assert (record.epochs_done, record.pictures_trained, record.auxiliary) == (3, None, {})
    assert (record.machine.name, record.dataset.fingerprint, record.versions) == ("", "", {})
    assert record.scores.test_loss_uncalibrated is None and record.spec.fold == 1
    assert (runs.history(OLDER)[0].seconds, runs.history(OLDER)[0].learning_rate) == (0.0, None)


@pytest.mark.parametrize("run_id", storage.shipped_ids())
def test_a_shipped_run_is_read_like_any_other(run_id):
    run = runs.read(run_id)
    assert run.shipped and run.finished and run.test_accuracy > 0.9
    assert len(runs.test_predictions(run_id).labels) == 10_000


@pytest.mark.slow
def test_a_saved_interrupted_run_is_resumed_after_its_last_epoch(library):
    from core.training import trainer

    before = runs.history(INTERRUPTED)
    trainer.train(INTERRUPTED)
    run = runs.read(INTERRUPTED)
    assert run.status is Status.FINISHED and run.finished_record.epochs_done == 3
    assert runs.history(INTERRUPTED)[:2] == before
    assert run.seconds > 13.7, "the seconds before the interruption count"
    assert (library / INTERRUPTED / "checkpoint.json").exists(), "it may be given more epochs"
