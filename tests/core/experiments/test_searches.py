"""Searches: ranges as people type them, the journal, and the loop on an engine that is played."""

from __future__ import annotations

import dataclasses

import pytest

from core import engine, runs
from core.cli.parser import main
from core.errors import InvalidSpec, RunNotFound
from core.experiments import searches
from core.experiments.searches import Sampler
from core.runs import Epoch
from core.specs.spec import TrainSpec
from tests.fixtures import scored_run

BASE = TrainSpec(
    name="tiny", data="offline-sample", filters=(), dense_units=(), batch=256, epochs=3
)
RATES = searches.parse_range("learning_rate=0.001:0.1:log")


class PlayedEngine:
    """An engine whose trainings are what a test writes."""

    def __init__(self, workers: int = 1):
        self.workers, self.training, self.asked, self.failures = workers, [], [], {}

    def status(self):
        return engine.EngineStatus("here", self.workers, len(self.training), 0, True)

    def jobs(self):
        return [engine.Job(run_id, engine.JobState.RUNNING, 0) for run_id in self.training]

    def submit(self, spec):
        self.training.append(runs.create(spec))
        return self.training[-1]

    def resume(self, run_id):
        self.asked.append(("resume", run_id))
        self.training.append(run_id)

    def stop(self, run_id):
        self.asked.append(("stop", run_id))
        return "stopping"

    def failure(self, run_id):
        return self.failures.get(run_id)

    def learn(self, accuracies, *, end: str = ""):
        """The first training has these validation accuracies so far, and perhaps ends."""
        run_id = self.training[0]
        rows = [
            Epoch(number, 0.5, 0.8, 0.5, accuracy, 60.0, 0.01)
            for number, accuracy in enumerate(accuracies, 1)
        ]
        runs.write_history(run_id, rows)
        if end:
            ended = scored_run(runs.read(run_id).spec, rows, end)
            runs.finish(run_id, dataclasses.replace(runs.read(ended).finished_record, id=run_id))
            runs.delete(ended)
            self.training.remove(run_id)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("learning_rate", "--range takes a setting"),
        ("wings=1:2", "'wings' cannot be searched. Choose one of"),
        ("seed=1:9", "'seed' cannot be searched"),
        ("validation=last,test", "'validation' cannot be searched"),
        ("learning_rate=0.1:0.001", "Put the lower number first"),
        ("learning_rate=0.001:0.1:cubic", "a range is LOW:HIGH"),
        ("weight_decay=0:0.1:log", "begins above 0"),
        ("optimizer=adam:sgd", "List its values with commas"),
        ("filters=16:32", "List its values with semicolons"),
        ("optimizer=adam", "at least two values"),
        ("batch=0:64", "must be"),
    ],
)
def test_a_bad_range_is_refused_in_a_sentence(text, sentence):
    with pytest.raises(InvalidSpec, match=sentence):
        searches.parse_range(text)


def test_a_search_needs_a_range_a_budget_and_validation_pictures():
    for changes, sentence in (
        ({"ranges": []}, "at least one --range"),
        ({"ranges": [RATES, RATES]}, "more than one range"),
        ({"trials": 0}, "1 to 1000 trials, not 0"),
        ({"minutes": -1.0}, "more than 0, not -1"),
        ({"base": BASE.replace(validation="test")}, "holds none out"),
    ):
        values = {"base": BASE, "ranges": [RATES], "trials": 3} | changes
        with pytest.raises(InvalidSpec, match=sentence):
            searches.create(**values)
    with pytest.raises(RunNotFound, match="There is no search"):
        searches.read("20260101-000000-gone-0000")


@pytest.mark.parametrize("sampler", list(Sampler))
def test_trials_are_runs_and_the_best_is_chosen_by_validation(sampler):
    search = searches.create(BASE, [RATES], trials=3, sampler=sampler)
    assert searches.read(search.id) == search
    played = PlayedEngine()
    for best in (0.7, 0.9, 0.8):
        assert searches.advance(played, search)
        assert len(played.training) == 1
        played.learn([0.5, 0.6, best], end="finished")
    assert not searches.advance(played, search) and not played.training
    trials = searches.trials_of(search)
    assert [one.state for one in trials] == ["complete"] * 3
    assert searches.best_of(trials) == trials[1]
    rates = [runs.read(one.run_id).spec.learning_rate for one in trials]
    assert len(set(rates)) == 3 and all(0.001 <= rate <= 0.1 for rate in rates)


def test_as_many_trials_as_workers_run_at_the_same_time():
    played = PlayedEngine(workers=3)
    searches.advance(played, searches.create(BASE, [RATES], trials=5))
    assert len(played.training) == 3


def test_a_trial_below_the_median_is_stopped_and_keeps_what_it_learned():
    search = searches.create(BASE, [RATES], trials=6)
    played = PlayedEngine()
    for _ in range(4):
        searches.advance(played, search)
        played.learn([0.6, 0.7, 0.8], end="finished")
    searches.advance(played, search)
    hopeless = played.training[0]
    played.learn([0.3, 0.3])
    searches.advance(played, search)
    searches.advance(played, search)
    assert played.asked == [("stop", hopeless)]
    played.learn([0.3, 0.3], end="stopped")
    searches.advance(played, search)
    pruned = searches.trials_of(search)[4]
    assert (pruned.state, pruned.accuracy, pruned.run_id) == ("pruned", 0.3, hopeless)


def test_a_stopped_search_resumes_its_trial_and_a_lost_engine_costs_none():
    search = searches.create(BASE, [RATES], trials=1)
    played = PlayedEngine()
    searches.advance(played, search)
    run_id = played.training[0]
    assert searches.stop(played, search) == 1
    fresh = PlayedEngine()  # as after a restart
    searches.resume(fresh, searches.read(search.id))
    assert fresh.asked == [("resume", run_id)]
    lost = PlayedEngine()
    assert searches.advance(lost, search) and lost.asked == [("resume", run_id)]
    lost.learn([0.5], end="finished")
    assert not searches.advance(lost, search)
    assert [one.run_id for one in searches.trials_of(search)] == [run_id]


def test_a_failed_trial_says_why_and_the_next_one_begins():
    search = searches.create(BASE, [RATES], trials=2)
    played = PlayedEngine()
    searches.advance(played, search)
    failed = played.training.pop()
    played.failures[failed] = "It ran out of memory."
    assert searches.advance(played, search) and len(played.training) == 1
    first = searches.trials_of(search)[0]
    assert (first.state, first.problem) == ("fail", "It ran out of memory.")
    assert searches.best_of(searches.trials_of(search)) is None


def test_minutes_are_those_of_training():
    search = searches.create(BASE, [RATES], trials=9, minutes=5)
    played = PlayedEngine()
    for _ in range(2):
        assert searches.advance(played, search)
        played.learn([0.5, 0.6, 0.7], end="finished")  # three minutes
    assert not searches.advance(played, search)
    assert len(searches.trials_of(search)) == 2


def test_the_terminal_refuses_in_a_sentence(capsys):
    assert main(["search"]) == 1
    assert "at least one --range" in capsys.readouterr().err
    assert main(["search", "--range", "batch=64:32"]) == 1
    assert "Put the lower number first" in capsys.readouterr().err
    for more in (["--range", "batch=32:64"], ["--epochs", "3"], ["--trials", "9"]):
        assert main(["search", "--resume", "x", *more]) == 1
        assert "keeps its settings" in capsys.readouterr().err
