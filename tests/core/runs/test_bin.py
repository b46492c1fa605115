"""The bin: deleted runs come back as they were, or go for good after their days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core import runs, settings
from core.errors import RunNotFound, StorageProblem
from core.runs import bin
from tests.fixtures import finished_run

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def files(run_id: str) -> dict[str, bytes]:
    folder = Path(settings.runs_address()) / run_id
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_a_restored_run_is_as_it_was():
    run_id = finished_run()
    runs.rename(run_id, "kept")
    before = files(run_id)
    runs.delete(run_id)
    assert run_id not in [run.id for run in runs.list_runs()] and runs.list_damaged() == []
    assert [(run.id, run.name) for run in bin.listing()] == [(run_id, "kept")]
    with pytest.raises(RunNotFound, match="in the bin"):
        runs.read(run_id)
    runs.restore(run_id)
    assert files(run_id) == before
    assert bin.listing() == []
    with pytest.raises(RunNotFound, match="not in the bin"):
        runs.restore(run_id)


def test_a_champion_is_the_champion_again_once_it_is_restored():
    run_id = finished_run()
    runs.promote(run_id)
    runs.delete(run_id)
    runs.restore(run_id)
    assert runs.champion().id == run_id


def test_after_thirty_days_a_run_leaves_the_bin_with_the_next_deletion():
    old, recent, newest = finished_run(), finished_run(), finished_run()
    bin.delete(old, NOON)
    bin.delete(recent, NOON + timedelta(days=29))
    assert {run.id for run in bin.listing()} == {old, recent}
    bin.delete(newest, NOON + timedelta(days=30, seconds=1))
    assert [run.id for run in bin.listing()] == [newest, recent]


def test_emptying_the_bin_leaves_runs_and_strange_files_alone():
    kept, gone = finished_run(), finished_run()
    runs.delete(gone)
    (Path(settings.runs_address()) / ".bin" / "half").mkdir()
    (Path(settings.runs_address()) / ".bin" / "note.txt").write_text("mine")
    assert bin.empty() == [gone]
    assert bin.empty() == []
    assert runs.read(kept).finished
    assert (Path(settings.runs_address()) / ".bin" / "note.txt").exists()


def test_a_damaged_run_can_be_deleted_and_restored():
    run_id = finished_run()
    runs.write(run_id, "run.json", b"{ not json")
    runs.write(run_id, "job.json", b"[]")
    runs.delete(run_id)
    assert [run.name for run in bin.listing()] == [run_id]
    runs.restore(run_id)
    assert [run.id for run in runs.list_damaged()] == [run_id]


def test_a_run_does_not_replace_another_when_it_is_restored():
    run_id = finished_run()
    runs.delete(run_id)
    (Path(settings.runs_address()) / run_id).mkdir()
    with pytest.raises(StorageProblem, match="already"):
        runs.restore(run_id)
    assert bin.contains(run_id)


def test_the_bin_works_where_the_library_is_no_folder(monkeypatch):
    monkeypatch.setenv("ATELIER_RUNS", "memory://bin-test")
    run_id = finished_run()
    runs.delete(run_id)
    assert [run.id for run in bin.listing()] == [run_id]
    with pytest.raises(RunNotFound):
        runs.read(run_id)
    runs.restore(run_id)
    assert runs.read(run_id).finished and runs.test_predictions(run_id).labels.size


def test_an_undone_promotion_leaves_the_champion_of_before():
    first, second = finished_run(), finished_run()
    assert runs.promoted() is None
    runs.promote(first)
    before = runs.promoted()
    runs.promote(second)
    runs.restore_champion(before)
    assert runs.champion().id == first
    runs.restore_champion(None)
    assert runs.promoted() is None
    runs.restore_champion(None)
