"""The run library: half-written runs are never listed as finished, and what people ask for happens
completely or not at all.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import runs, settings
from core.errors import InvalidSpec, RunDamaged, RunNotFound, StorageProblem
from core.export import archive
from core.networks.architectures import multiply_adds
from core.runs import Epoch, library, storage
from core.specs.spec import TrainSpec
from core.training import estimate
from tests.fixtures import finished_run, history

SPEC = TrainSpec(name="small", filters=(4,), dense_units=(), epochs=2, data="offline-sample")


def finished(name: str = "small", accuracy: float = 0.9) -> str:
    """A finished run with three test pictures and this test accuracy."""
    return finished_run(
        SPEC.replace(name=name),
        network=b"onnx",
        rows=history(1, validated=False),
        scores={"test_accuracy": accuracy},
    )


def folder(run_id: str) -> Path:
    return Path(settings.runs_address()) / run_id


def test_a_new_run_is_unfinished_and_listed_as_such():
    run_id = runs.create(SPEC)
    run = runs.read(run_id)
    assert (run.status, run.finished, run.name, run.spec) == ("unfinished", False, "small", SPEC)
    assert run.status_text == "interrupted before the first epoch ended"
    assert run_id in [run.id for run in runs.list_runs()]
    assert run_id not in [run.id for run in runs.list_runs(finished_only=True)]


def test_a_run_is_finished_only_once_its_record_is_there():
    run_id = finished()
    assert runs.read(run_id).finished and runs.read(run_id).test_accuracy == 0.9
    (folder(run_id) / "run.json").unlink()
    assert not runs.read(run_id).finished


def test_runs_created_in_the_same_second_have_different_ids():
    assert len({runs.create(SPEC) for _ in range(20)}) == 20


def test_a_network_that_cannot_be_built_leaves_no_folder():
    with pytest.raises(InvalidSpec):
        runs.create(SPEC.replace(filters=(4,) * 6, padding=("valid",)))
    assert not Path(settings.runs_address()).exists()


@pytest.mark.parametrize(
    "name", ["../etc", "a/b", "", "A", "x" * 81, ".hidden", "a\x00", None, "-a"]
)
def test_a_malformed_id_never_becomes_a_path(name):
    with pytest.raises(RunNotFound):
        runs.read(name)


def test_a_missing_run_says_so():
    with pytest.raises(RunNotFound, match="deleted"):
        runs.read("nothing-here")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"spec": {"epochs": 0}}',
        '{"status": "finished"}',
        '{"spec": 3, "created": 1}',
    ],
)
def test_a_record_edited_by_hand_is_reported_and_does_not_hide_the_others(text):
    bad, good = finished("bad"), finished("good")
    (folder(bad) / "run.json").write_text(text)
    with pytest.raises(RunDamaged):
        runs.read(bad)
    assert good in [run.id for run in runs.list_runs()] and bad not in [
        run.id for run in runs.list_runs()
    ]
    assert [damaged.id for damaged in runs.list_damaged()] == [bad]


def test_one_scan_reads_the_good_runs_and_the_damaged_ones_once(monkeypatch):
    bad, good = finished("bad"), finished("good")
    (folder(bad) / "run.json").write_text("{")
    listings = []
    monkeypatch.setattr(library, "run_ids", lambda: listings.append(1) or storage.run_ids())
    scan = runs.scan()
    assert [run.id for run in scan.runs if not run.shipped] == [good]
    assert [damaged.id for damaged in scan.damaged] == [bad] and len(listings) == 1


@pytest.mark.parametrize(
    "key", ["dataset", "scores", "best_epoch", "seconds", "status", "spec", "created"]
)
def test_a_record_without_one_of_its_keys_is_damaged(key):
    run_id = finished()
    record = json.loads((folder(run_id) / "run.json").read_text())
    del record[key]
    (folder(run_id) / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunDamaged):
        runs.read(run_id)


def test_damaged_predictions_and_history_are_reported():
    run_id = finished()
    (folder(run_id) / "test.npz").write_bytes(b"PK nonsense")
    with pytest.raises(RunDamaged, match=r"test\.npz"):
        runs.test_predictions(run_id)
    (folder(run_id) / "history.csv").write_text("epoch,loss\nx,y\n")
    with pytest.raises(RunDamaged, match=r"history\.csv"):
        runs.history(run_id)


def test_a_name_and_a_note_change_and_the_record_does_not():
    run_id = finished()
    before = (folder(run_id) / "run.json").read_bytes()
    runs.rename(run_id, "  My best  ")
    runs.set_note(run_id, "two lines\nof remarks")
    run = runs.read(run_id)
    assert (run.name, run.note) == ("My best", "two lines\nof remarks")
    assert (folder(run_id) / "run.json").read_bytes() == before
    with pytest.raises(InvalidSpec):
        runs.rename(run_id, "")
    with pytest.raises(InvalidSpec, match="2,000"):
        runs.set_note(run_id, "x" * 2001)


def test_a_deleted_run_is_gone_and_a_second_tab_hears_of_it():
    run_id = finished()
    runs.delete(run_id)
    assert not folder(run_id).exists()
    for function in (runs.read, runs.delete, runs.test_predictions, runs.onnx_bytes):
        with pytest.raises(RunNotFound):
            function(run_id)


def test_a_deleted_run_does_not_come_back_by_being_written_to():
    run_id = runs.create(SPEC)
    runs.delete(run_id)
    with pytest.raises(RunNotFound, match="deleted"):
        runs.write(run_id, "history.csv", b"x")
    assert not folder(run_id).exists()


def test_a_write_that_fails_leaves_the_old_file_and_a_sentence(monkeypatch):
    run_id = finished()
    before = (folder(run_id) / "history.csv").read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(StorageProblem, match="No space left"):
            runs.write(run_id, "history.csv", b"half")
    assert (folder(run_id) / "history.csv").read_bytes() == before
    assert not list(folder(run_id).glob("*.part"))


def test_a_promoted_run_is_the_champion_until_it_is_deleted(shipped):
    assert runs.champion().id == runs.SHIPPED
    run_id = finished()
    runs.promote(run_id)
    assert runs.champion().id == run_id
    runs.delete(run_id)
    assert runs.champion().id == runs.SHIPPED


def test_an_unfinished_run_is_not_promoted_or_exported():
    run_id = runs.create(SPEC)
    for function in (runs.promote, archive.export_zip, runs.test_predictions, runs.onnx_bytes):
        with pytest.raises(RunDamaged):
            function(run_id)


def test_every_network_that_ships_is_listed_and_can_be_chosen(shipped):
    ours = [run for run in runs.list_runs(finished_only=True) if run.shipped]
    assert [run.id for run in ours] == storage.shipped_ids() and ours[0].id == runs.SHIPPED
    for run in ours[1:]:
        runs.promote(run.id)
        assert runs.champion().id == run.id


def test_the_shipped_network_is_read_only(shipped):
    for function in (
        runs.delete,
        lambda run_id: runs.rename(run_id, "mine"),
        lambda run_id: runs.set_note(run_id, "x"),
    ):
        with pytest.raises(StorageProblem, match="ships with Atelier"):
            function(runs.SHIPPED)


@pytest.fixture
def shipped():
    if not (settings.ASSETS / runs.SHIPPED / "run.json").exists():
        pytest.fail("assets/shipped has no network")


def test_history_has_numbers_and_none_where_nothing_was_held_out():
    (epoch,) = runs.history(finished())
    assert epoch.epoch == 1 and epoch.loss == 1.0 and epoch.val_accuracy is None
    assert runs.history(runs.create(SPEC)) == []


def test_the_version_changes_with_the_folder():
    run_id = finished()
    before = runs.version(run_id)
    assert before == runs.version(run_id)
    runs.set_note(run_id, "changed")
    assert runs.version(run_id) != before
    assert runs.version("gone") == "none"


def test_an_index_is_read_as_unit_vectors():
    run_id = finished()
    assert runs.index(run_id) is None
    runs.write_arrays(
        run_id,
        "index.npz",
        indices=np.array([5, 7], np.int32),
        embeddings=np.array([[127, 0], [90, 90]], np.int8),
    )
    indices, vectors = runs.index(run_id)
    assert indices.tolist() == [5, 7]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_an_estimate_is_based_on_the_most_similar_run_of_this_machine():
    seconds, basis = estimate.estimate_seconds(SPEC)
    assert seconds > 0 and "guess" in basis
    measured("short", pictures=1900)
    assert estimate.estimate_seconds(SPEC) == (seconds, basis), (
        "a run of a few steps is all beginning and end"
    )
    measured("long", pictures=10 * SPEC.epochs * estimate.trained_pictures(SPEC))
    seconds, basis = estimate.estimate_seconds(SPEC)
    assert seconds == pytest.approx(1.0 + 3.5) and "long" in basis


def measured(name: str, *, pictures: int) -> None:
    """A run of this machine that trained for 35 seconds and took another for all the rest."""
    run_id = finished(name)
    runs.write_history(run_id, [Epoch(1, 0.5, 0.8, seconds=35.0)])
    record = replace(
        runs.read(run_id).finished_record,
        pictures_trained=pictures,
        multiply_adds=multiply_adds(SPEC),
        seconds=36.0,
    )
    runs.finish(run_id, record)


def test_a_library_behind_another_file_system_works_the_same(monkeypatch):
    monkeypatch.setenv("ATELIER_RUNS", "memory://library")
    run_id = finished()
    assert runs.read(run_id).finished and [
        run.id for run in runs.list_runs() if not run.shipped
    ] == [run_id]
    runs.delete(run_id)
    assert [run for run in runs.list_runs() if not run.shipped] == []


def test_a_second_run_of_the_same_name_gets_a_number():
    assert runs.free_name("swift") == "swift"
    runs.create(SPEC.replace(name="swift"))
    assert runs.free_name("swift") == "swift 2"
    runs.create(SPEC.replace(name="swift 2"))
    assert runs.free_name("swift") == "swift 3"
    long = "x" * 60
    runs.create(SPEC.replace(name=long))
    assert runs.free_name(long) == "x" * 55 + " 2"
