"""`python -m core search`: look for better settings, trial by trial, on the engine.

The terminal asks for the next trial, so the search goes on while it is open; Ctrl-C stops the
trials and keeps what they have learned, and `--resume` continues, also after a crash.

Which trial comes next is decided in `core.experiments.searches`.
"""

from __future__ import annotations

import argparse
import dataclasses
import time

from core import engine, processes, settings
from core.cli import terminal
from core.cli.train import LOST_SECONDS, POLL_SECONDS, fetch_data, spec_from
from core.errors import EngineUnavailable, InvalidSpec
from core.experiments import searches
from core.experiments.searches import Sampler, Search, SearchTrial

TRIALS = 20  # if the command does not say how many
KEPT = ("preset", "set", "epochs", "seed", "name", "range", "trials", "minutes", "sampler")


def search(arguments: argparse.Namespace) -> int:
    """Begin or resume a search, follow it to its end, print its trials."""
    asked = _resumed(arguments) if arguments.resume else _new(arguments)
    if settings.engine_address() is None:
        fetch_data(asked.base.data)
    lock_path = settings.home() / "searches" / f"{asked.id}.lock"
    with lock_path.open("a+b") as lock:
        if not processes.take(lock):
            raise InvalidSpec(
                f"The search {asked.id} goes on in another terminal. Stop it there with Ctrl-C "
                f"before you resume it here."
            )
        terminal.remark(f"Search {asked.id}. Ctrl-C stops it and keeps what was learned.")
        try:
            _follow(asked, as_json=arguments.json)
        except KeyboardInterrupt:
            searches.stop(engine.connect(start=False), asked)
            terminal.remark(f"Stopped. `python -m core search --resume {asked.id}` continues.")
            raise
    if not arguments.json:
        _print(asked)
    return 0


def _new(arguments: argparse.Namespace) -> Search:
    return searches.create(
        spec_from(arguments),
        [searches.parse_range(text) for text in arguments.range],
        trials=arguments.trials or TRIALS,
        minutes=arguments.minutes,
        sampler=Sampler(arguments.sampler or Sampler.TPE),
    )


def _resumed(arguments: argparse.Namespace) -> Search:
    if any(getattr(arguments, name) for name in KEPT):
        raise InvalidSpec(
            "A resumed search keeps its settings, ranges and budget. Leave out everything but "
            "--resume, or begin a new search."
        )
    return searches.read(arguments.resume)


def _follow(asked: Search, *, as_json: bool) -> None:
    """Advance a search to its end, even if the engine is away for a while; say each trial once."""
    said = {one.number for one in searches.trials_of(asked) if one.state != "running"}
    searches.resume(engine.connect(), asked)
    lost_since = 0.0
    going = True
    while going:
        try:
            going = searches.advance(engine.connect(), asked)
            lost_since = 0.0
        except EngineUnavailable:
            lost_since = lost_since or time.monotonic()
            if time.monotonic() - lost_since > LOST_SECONDS:
                raise
        for one in searches.trials_of(asked):
            if one.state != "running" and one.number not in said:
                said.add(one.number)
                _say(one, as_json=as_json)
        if going:
            time.sleep(POLL_SECONDS)


def _say(one: SearchTrial, *, as_json: bool) -> None:
    if as_json:
        terminal.emit(dataclasses.asdict(one))
        return
    values = ", ".join(f"{name} {value}" for name, value in one.values.items())
    reached = f", {terminal.percent(one.accuracy)}" if one.accuracy is not None else ""
    terminal.remark(f"trial {one.number}: {values}: {one.state}{reached} {one.problem}".rstrip())


def _print(asked: Search) -> None:
    trials = searches.trials_of(asked)
    names = [one.setting for one in asked.ranges]
    terminal.table(
        ("trial", *names, "state", "validation", "run"),
        [
            (
                one.number,
                *(one.values.get(name) for name in names),
                one.state,
                terminal.percent(one.accuracy),
                one.run_id,
            )
            for one in trials
        ],
    )
    best = searches.best_of(trials)
    if best is not None:
        print(
            f"Best: trial {best.number}, {terminal.percent(best.accuracy)} of the validation "
            f"pictures correct, run {best.run_id}."
        )
