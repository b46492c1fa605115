"""Series of trainings: what counts as done, what is resumed, and the table; with tiny stand-ins for
the published presets.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from core import engine, runs
from core.cli.parser import main
from core.errors import InvalidSpec
from core.experiments import series
from core.experiments.series import Trial
from core.settings import ROOT
from core.specs import presets
from core.specs.presets import PRESETS, Preset
from core.specs.published import Published
from core.specs.spec import TrainSpec
from tests.fixtures import interrupted_run, scored_run

# Real trainings on however busy a machine; five minutes are enough for everything else.
pytestmark = pytest.mark.timeout(900)

TINY = TrainSpec(
    name="tiny", data="offline-sample", filters=(), dense_units=(), batch=256, epochs=3, seed=1
)
STAND_INS = {
    "tiny": Preset("tiny", "Tiny", "A stand-in.", TINY, Published("a report", 0.9, 0.3)),
    "tiny-leaking": Preset(
        "tiny-leaking",
        "Tiny, leaking",
        "Another.",
        TINY.replace(name="tiny-leaking", validation="test"),
        Published("another report", 0.8),
    ),
    "own": Preset("own", "Own", "No report.", TINY.replace(name="own", batch=128)),
}


@pytest.fixture
def stand_ins(monkeypatch):
    """Three presets instead of all others, two of them published."""
    monkeypatch.setattr(presets, "PRESETS", STAND_INS)


def objects(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


class FakeEngine:
    """An engine that only writes down what it is asked for."""

    def __init__(self, jobs=()):
        self.asked, self._jobs = [], jobs

    def jobs(self):
        return [engine.Job(run_id, engine.JobState(state), 0) for run_id, state in self._jobs]

    def job(self, run_id):
        return next((job for job in self.jobs() if job.run_id == run_id), None)

    def submit(self, spec):
        self.asked.append(("submit", spec.name))
        return "new"

    def resume(self, run_id):
        self.asked.append(("resume", run_id))


def test_all_published_presets_are_reproduced_unless_some_are_named():
    named = {trial.spec.name for trial in series.reproduction()}
    assert (
        named == {name for name, preset in PRESETS.items() if preset.published} and len(named) == 11
    )
    assert [
        trial.spec for trial in series.reproduction(["notebook-cnn", "lab3-cnn", "notebook-cnn"])
    ] == [PRESETS["notebook-cnn"].spec, PRESETS["lab3-cnn"].spec]
    assert {trial.spec.epochs for trial in series.reproduction(quick=True)} == {2}


@pytest.mark.parametrize("name", ["swift", "nonsense"])
def test_what_has_no_report_is_refused_with_what_has(name):
    with pytest.raises(InvalidSpec, match="lab3-cnn"):
        series.reproduction([name])


def test_a_finished_run_of_the_same_spec_is_enough_whatever_it_is_called():
    assert series.find_finished(Trial(TINY)) is None
    scored_run(TINY.replace(seed=2))
    scored_run(TINY, status="stopped")
    assert series.find_finished(Trial(TINY)) is None
    run_id = scored_run(TINY.replace(name="mine"))
    assert series.find_finished(Trial(TINY)).id == run_id


def test_an_interrupted_run_is_resumed_a_queued_one_joined_and_a_stopping_one_left_alone():
    run_id = interrupted_run()
    trial = Trial(runs.read(run_id).spec)
    for fake, answer, asked in (
        (FakeEngine(), run_id, [("resume", run_id)]),
        (FakeEngine([(run_id, "waiting")]), run_id, []),
        (FakeEngine([(run_id, "stopping")]), "new", [("submit", "small")]),
    ):
        assert series.begin(fake, trial) == answer and fake.asked == asked
    fake = FakeEngine()
    assert series.begin(fake, Trial(TINY)) == "new" and fake.asked == [("submit", "tiny")]


def test_the_table_has_a_line_for_each_published_figure():
    published = Published("a report", 0.80, 0.5, validation_accuracy=0.79)
    trial = Trial(TINY, Preset("tiny", "Tiny", "", TINY.replace(epochs=4), published))
    table = series.markdown([series.compare(trial, runs.read(scored_run(TINY)))])
    assert table.splitlines()[2:] == [
        "| `tiny` | test accuracy | 80.00 % | 81.25 % | +1.25 points | 3 of 4 | 65 |",
        "| `tiny` | test loss | 0.5000 | 0.5200 | +0.0200 | 3 of 4 | 65 |",
        "| `tiny` | validation accuracy, last epoch | 79.00 % | 77.00 % | \N{MINUS SIGN}2.00 points | 3 of 4 | 65 |",
    ]
    bare = Trial(TINY, Preset("tiny", "Tiny", "", TINY, Published("a report")))
    assert "| – | 81.25 % | – | 3 | 65 |" in series.markdown(
        [series.compare(bare, runs.read(scored_run(TINY)))]
    )


def test_reproduce_trains_what_is_missing_once_and_writes_the_table(stand_ins, tmp_path, capsys):
    table = tmp_path / "table.md"
    try:
        assert main(["reproduce", "--quick", "--json", "--table", str(table)]) == 0
        first = objects(capsys.readouterr().out)
        assert [(one["preset"], one["epochs"], one["epochs_published"]) for one in first] == [
            ("tiny", 2, 3),
            ("tiny-leaking", 2, 3),
        ]
        leaking = runs.history(first[1]["run"])
        assert first[1]["figures"][0]["ours"] == leaking[-1].val_accuracy
        assert first[0]["figures"][0]["difference"] == pytest.approx(
            first[0]["test_accuracy"] - 0.9
        )
        written = table.read_text()
        assert written.count("\n") == 5 and "2 of 3" in written
        assert main(["reproduce", "--quick"]) == 0
        out, err = capsys.readouterr()
        assert out == written and err.count("already done: ") == 2
        assert len([run for run in runs.list_runs(finished_only=True) if not run.shipped]) == 2
    finally:
        engine.end_own()


def test_a_table_that_cannot_be_written_is_reported_before_anything_is_trained(
    stand_ins, tmp_path, capsys
):
    assert main(["reproduce", "tiny", "--table", str(tmp_path / "nowhere" / "table.md")]) == 1
    assert "--table" in capsys.readouterr().err
    assert not [run for run in runs.list_runs() if not run.shipped]


def test_ctrl_c_leaves_the_training_to_the_engine_and_the_next_call_joins_it(tmp_path):
    script = tmp_path / "series.py"
    script.write_text(
        "import sys\n"
        "from core.specs import presets\n"
        "from core.specs.published import Published\n"
        "from core.specs.spec import TrainSpec\n"
        "spec = TrainSpec(name='long', data='offline-sample', filters=(), dense_units=(), batch=16, epochs=int(sys.argv[1]))\n"
        "presets.PRESETS = {'long': presets.Preset('long', 'Long', '', spec, Published('a report', 0.9))}\n"
        "from core.cli.parser import main\n"
        "if __name__ == '__main__':\n"
        "    sys.exit(main(['reproduce']))\n"
    )

    def reproduce():
        # A shell lets what it starts in the background ignore Ctrl-C, and so would these tests'
        # children.
        return subprocess.Popen(
            [sys.executable, str(script), "60"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    try:
        first = reproduce()
        for line in first.stderr:
            if line.startswith("epoch 1:"):
                break
        first.send_signal(signal.SIGINT)
        _, err = first.communicate(timeout=60)
        assert first.returncode == 130 and "continues in the engine" in err
        again = reproduce()
        out, err = again.communicate(timeout=250)
        assert again.returncode == 0 and "| 60 |" in out
        [run] = [run for run in runs.list_runs() if not run.shipped]
        assert run.status == "finished" and len(runs.history(run.id)) == 60
    finally:
        engine.end_own()
        if first.poll() is None:
            first.kill()
