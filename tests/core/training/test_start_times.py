"""How long the steps before the first batch usually take."""

from __future__ import annotations

from core import settings
from core.training import start_times
from core.training.start_times import Step


def test_the_usual_time_is_the_median_of_the_last_five():
    for seconds in (100.0, 1.0, 2.0, 3.0, 4.0, 50.0):
        start_times.note(Step.DATA, seconds)
    assert start_times.usual(Step.DATA) == 3.0 and start_times.usual(Step.IMPORT) is None


def test_a_file_that_is_no_figure_counts_for_nothing():
    start_times.note(Step.IMPORT, 2.0)
    (settings.home() / "start-times" / "import.json").write_text("soon")
    assert start_times.usual(Step.IMPORT) is None
    start_times.note(Step.IMPORT, 3.0)
    assert start_times.usual(Step.IMPORT) == 3.0


def test_a_home_that_cannot_be_written_is_no_failure(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "file"))
    start_times.note(Step.DATA, 1.0)
    assert start_times.usual(Step.DATA) is None
