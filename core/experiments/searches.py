"""Searches: settings and ranges, and which trial comes next, by Optuna.

A trial is an ordinary run. Optuna's journal in `searches`, in Atelier's home, holds what is asked
for and every trial with the id of its run; what became of a run is read from the run library. So
`advance` can be called again after any interruption, by any process, and continues. Trials are
judged by their validation pictures alone.

Optuna is imported when a search is opened, not before. Nothing here waits or prints.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import runs, settings
from core.engine import Engine, EngineRefused
from core.errors import InvalidSpec, RunNotFound
from core.experiments import records, series
from core.runs import Run, Status
from core.runs.storage import check_id, new_id
from core.specs.fields import BY_NAME, check_value, parse_setting
from core.specs.spec import TrainSpec
from core.wording import value_text

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial, TrialState

MAX_TRIALS = 1000
RUN, PRUNED, PROBLEM = "run", "pruned", "problem"  # what the journal holds of a trial
ASKED = "asked"  # and of the search


class Sampler(StrEnum):
    """How the next trial is chosen."""

    TPE = "tpe"
    RANDOM = "random"


@dataclass(frozen=True)
class Range:
    """A setting and where it is searched: between two numbers, or among choices.

    Attributes:
        setting: a field of `TrainSpec`.
        low, high: the ends, if there are no choices.
        log: whether equal ratios are equally likely.
        choices: at least two texts as people type them, or none.
    """

    setting: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[str, ...] = ()

    @property
    def distribution(self) -> BaseDistribution:
        """The same for Optuna."""
        from optuna import distributions

        field = BY_NAME[self.setting]
        if self.choices:
            return distributions.CategoricalDistribution(self.choices)
        if field.kind == "float":
            return distributions.FloatDistribution(self.low, self.high, log=self.log)
        return distributions.IntDistribution(
            int(self.low), int(self.high), log=self.log, step=1 if self.log else field.step
        )


@dataclass(frozen=True)
class Search:
    """What is asked for: a budget is a number of trials, or minutes of training of all trials
    together, or both.
    """

    id: str
    base: TrainSpec
    ranges: tuple[Range, ...]
    sampler: Sampler
    trials: int
    minutes: float | None


@dataclass(frozen=True)
class SearchTrial:
    """A trial: its values as text, its run, and the best validation accuracy, 0..1, so far.

    `state` is running, complete, pruned or fail; `problem` says why it failed.
    """

    number: int
    values: dict[str, str]
    state: str
    run_id: str | None
    accuracy: float | None
    problem: str


# --- what to search -------------------------------------------------------------------------------


def searchable() -> tuple[str, ...]:
    """The settings that can be searched: not those that decide which pictures judge a trial, nor
    the seed, whose luck would be mistaken for a better setting.
    """
    return tuple(
        name for name in records.sweepable() if BY_NAME[name].group != "Data" and name != "seed"
    )


def parse_range(text: str) -> Range:
    """Read a range as people type it.

    >>> parse_range("learning_rate=0.001:0.1:log")
    Range(setting='learning_rate', low=0.001, high=0.1, log=True, choices=())
    >>> parse_range("optimizer=adam,sgd").choices
    ('adam', 'sgd')

    Raises:
        InvalidSpec: for a setting that cannot be searched, or a range that makes no sense.
    """
    setting, equals, rest = (part.strip() for part in text.partition("="))
    if not equals:
        raise InvalidSpec(
            f"--range takes a setting and where to search it, such as "
            f"learning_rate=0.001:0.1:log or optimizer=adam,sgd; received {text!r}."
        )
    if setting not in searchable():
        raise InvalidSpec(
            f"{setting!r} cannot be searched. Choose one of {', '.join(searchable())}."
        )
    if ":" not in rest:
        choices = records.parse_values(setting, rest).texts
        if len(choices) < 2:
            raise InvalidSpec(f"{BY_NAME[setting].label}: give at least two values to choose from.")
        return Range(setting, choices=choices)
    return _interval(setting, rest)


def _interval(setting: str, text: str) -> Range:
    field = BY_NAME[setting]
    ends = re.fullmatch(r"([^:]+):([^:]+?)(:log|:linear)?", text)
    if ends is None:
        raise InvalidSpec(
            f"{field.label}: a range is LOW:HIGH, or LOW:HIGH:log; received {text!r}."
        )
    if field.many or field.kind not in ("int", "float"):
        raise InvalidSpec(
            f"{field.label} has no range from one number to another. List its values with "
            f"{'semicolons' if field.many else 'commas'} between them."
        )
    low, high = (float(str(parse_setting(setting, end))) for end in ends.groups()[:2])
    if low >= high:
        raise InvalidSpec(
            f"{field.label}: the range begins at {low:g} and ends at {high:g}. Put the lower "
            f"number first."
        )
    log = ends[3] == ":log"
    if log and low <= 0:
        raise InvalidSpec(f"{field.label}: a logarithmic range begins above 0, not at {low:g}.")
    if log and field.step > 1:
        raise InvalidSpec(
            f"{field.label} goes in steps of {field.step}, so its range is not logarithmic. "
            f"Leave out :log, or list its values."
        )
    return Range(setting, low, high, log)


def create(
    base: TrainSpec,
    ranges: Sequence[Range],
    *,
    trials: int,
    minutes: float | None = None,
    sampler: Sampler = Sampler.TPE,
) -> Search:
    """Write down a new search; nothing is queued yet.

    Raises:
        InvalidSpec: without a range, with two of one setting, for a budget out of bounds, or a spec
            that has no validation pictures of its own.
    """
    from optuna import create_study

    if not ranges:
        raise InvalidSpec("Give at least one --range, such as learning_rate=0.001:0.1:log.")
    if len({one.setting for one in ranges}) < len(ranges):
        raise InvalidSpec("A setting has more than one range. Leave all but one of them out.")
    if not 1 <= trials <= MAX_TRIALS:
        raise InvalidSpec(f"A search has 1 to {MAX_TRIALS} trials, not {trials}.")
    if minutes is not None and not 0 < minutes < float("inf"):
        raise InvalidSpec(f"The minutes of a search are more than 0, not {minutes:g}.")
    if base.validation in ("test", "none"):
        raise InvalidSpec(
            f"A search compares trials by validation pictures, and “{base.name}” holds none out of "
            f"the training pictures. Add --set validation=stratified."
        )
    search = Search(new_id(base.name, "search"), base, tuple(ranges), sampler, trials, minutes)
    _path(search.id).parent.mkdir(parents=True, exist_ok=True)
    study = create_study(storage=_storage(search.id), study_name=search.id, direction="maximize")
    study.set_user_attr(ASKED, json.dumps(_plain(search)))
    return search


def read(search_id: str) -> Search:
    """A search.

    Raises:
        RunNotFound: if there is none with this id.
    """
    values = json.loads(_study(search_id).user_attrs[ASKED])
    return Search(
        search_id,
        TrainSpec.from_dict(values["base"]),
        tuple(Range(**{**one, "choices": tuple(one["choices"])}) for one in values["ranges"]),
        Sampler(values["sampler"]),
        values["trials"],
        values["minutes"],
    )


def _plain(search: Search) -> dict[str, Any]:
    return {
        "base": search.base.to_dict(),
        "ranges": [dict(vars(one)) for one in search.ranges],
        "sampler": search.sampler.value,
        "trials": search.trials,
        "minutes": search.minutes,
    }


def trials_of(search: Search) -> list[SearchTrial]:
    """Its trials in the order in which they began."""
    return [
        SearchTrial(
            trial.number + 1,
            {name: value_text(value) for name, value in trial.params.items()},
            trial.state.name.lower(),
            trial.user_attrs.get(RUN),
            max(trial.intermediate_values.values(), default=None),
            trial.user_attrs.get(PROBLEM, ""),
        )
        for trial in _study(search.id).get_trials(deepcopy=False)
    ]


def best_of(trials: Sequence[SearchTrial]) -> SearchTrial | None:
    """The complete trial with the best validation accuracy, the first of equals; None if none is
    complete.
    """
    complete = [one for one in trials if one.state == "complete" and one.accuracy is not None]
    return max(complete, key=lambda one: (one.accuracy or 0.0, -one.number), default=None)


# --- the loop's step ------------------------------------------------------------------------------


def advance(engine: Engine, search: Search) -> bool:
    """Take in what the trials' runs have learned, end the hopeless ones, begin new ones.

    A trial is ended early, through the engine's ordinary stop, if after an epoch its validation
    accuracy is below the median of the trials before it.

    Returns:
        whether anything is left to wait for.

    Raises:
        EngineUnavailable, StorageProblem: as the engine does; calling again continues.
    """
    jobs = {job.run_id for job in engine.jobs()}  # before the runs are read: a job may end between
    study = _study(search.id, search)
    for trial in _running(study):
        _take_in(engine, study, search, trial, jobs)
    workers = max(1, engine.status().workers)
    while len(_running(study)) < workers and _budget_left(study, search):
        study = _study(search.id, search)  # so that the sampler's seed is that of this trial
        study.ask({one.setting: one.distribution for one in search.ranges})
        _begin(engine, study, search, _running(study)[-1])
    return bool(_running(study)) or _budget_left(study, search)


def stop(engine: Engine, search: Search) -> int:
    """Stop the trials that train; what they have learned is kept, and `resume` continues them.

    Returns:
        how many were stopped.
    """
    stopped = 0
    for trial in _running(_study(search.id)):
        with contextlib.suppress(EngineRefused):  # it has just ended, or never began
            engine.stop(trial.user_attrs.get(RUN, search.id))
            stopped += 1
    return stopped


def resume(engine: Engine, search: Search) -> None:
    """Continue the trials that `stop` or an interruption has cut short.

    Raises:
        EngineUnavailable, StorageProblem: as the engine does.
    """
    study = _study(search.id)
    for trial in _running(study):
        if not trial.user_attrs.get(PRUNED):
            _begin(engine, study, search, trial)


def _begin(engine: Engine, study: Study, search: Search, trial: FrozenTrial) -> None:
    """See that a trial has a run that is finished or in the queue."""
    try:
        wanted = series.Trial(_spec(search, trial))
        known = runs.list_runs()
        finished = series.find_finished(wanted, known)
        run_id = finished.id if finished else series.begin(engine, wanted, known)
    except InvalidSpec as refusal:
        _fail(study, trial, str(refusal))
        return
    _keep(study, trial, RUN, run_id)


def _spec(search: Search, trial: FrozenTrial) -> TrainSpec:
    """The spec of a trial.

    Raises:
        InvalidSpec: if its values do not fit together, or not all had been written.
    """
    changes = {}
    for one in search.ranges:
        if one.setting not in trial.params:
            raise InvalidSpec("It was interrupted before its values were chosen.")
        value = trial.params[one.setting]
        field = BY_NAME[one.setting]
        changes[one.setting] = (
            parse_setting(one.setting, value) if one.choices else check_value(field, value)
        )
    return search.base.replace(**changes, name=f"trial {trial.number + 1}, {search.base.name}"[:60])


def _take_in(
    engine: Engine, study: Study, search: Search, trial: FrozenTrial, jobs: set[str]
) -> None:
    """Report a trial's epochs, and conclude it if its run has ended."""
    from optuna.trial import Trial, TrialState

    run_id = trial.user_attrs.get(RUN)
    if run_id is None:
        _begin(engine, study, search, trial)
        return
    try:
        run, history = runs.read(run_id), runs.history(run_id)
    except RunNotFound:
        _fail(study, trial, "Its run was deleted.")
        return
    open_trial = Trial(study, trial._trial_id)
    pruned = bool(trial.user_attrs.get(PRUNED))
    for epoch in history:
        if epoch.val_accuracy is None or epoch.epoch in trial.intermediate_values:
            continue
        open_trial.report(epoch.val_accuracy, epoch.epoch)
        if not pruned and run_id in jobs and open_trial.should_prune():
            with contextlib.suppress(EngineRefused):  # it has just ended
                engine.stop(run_id)
                pruned = True
                _keep(study, trial, PRUNED, True)
    if run_id in jobs:
        return
    if run.finished:
        short = pruned and run.status is not Status.FINISHED
        _conclude(study, trial, run, TrialState.PRUNED if short else TrialState.COMPLETE)
    elif (failure := engine.failure(run_id)) is not None:
        _fail(study, trial, failure)
    else:
        engine.resume(run_id)  # the engine was ended meanwhile


def _conclude(study: Study, trial: FrozenTrial, run: Run, state: TrialState) -> None:
    from optuna.trial import TrialState

    if state is TrialState.PRUNED:
        study.tell(trial.number, state=state)
    elif run.validation_accuracy is None:
        _fail(study, trial, "Its run has no validation accuracy.")
    else:
        study.tell(trial.number, run.validation_accuracy)


def _fail(study: Study, trial: FrozenTrial, problem: str) -> None:
    from optuna.trial import TrialState

    _keep(study, trial, PROBLEM, problem)
    study.tell(trial.number, state=TrialState.FAIL)


def _keep(study: Study, trial: FrozenTrial, name: str, value: Any) -> None:
    """Write something about a trial into the journal."""
    study._storage.set_trial_user_attr(trial._trial_id, name, value)


def _running(study: Study) -> list[FrozenTrial]:
    return [trial for trial in study.get_trials(deepcopy=False) if not trial.state.is_finished()]


def _budget_left(study: Study, search: Search) -> bool:
    """Whether another trial may begin."""
    trials = study.get_trials(deepcopy=False)
    if len(trials) >= search.trials:
        return False
    if search.minutes is None:
        return True
    seconds = 0.0
    for run_id in {trial.user_attrs.get(RUN) for trial in trials} - {None}:
        with contextlib.suppress(RunNotFound):
            seconds += sum(epoch.seconds for epoch in runs.history(str(run_id)))
    return seconds < 60 * search.minutes


# --- the journal ----------------------------------------------------------------------------------


def _path(search_id: str) -> Path:
    return settings.home() / "searches" / f"{check_id(search_id)}.journal"


def _storage(search_id: str) -> Any:
    from optuna import logging
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    logging.set_verbosity(logging.WARNING)
    return JournalStorage(JournalFileBackend(str(_path(search_id))))


def _study(search_id: str, search: Search | None = None) -> Study:
    """The journal as Optuna's study; with the search, also ready to choose and to end trials."""
    if not _path(search_id).is_file():
        raise RunNotFound(
            f"There is no search {search_id}. Begin one with `python -m core search --range …`."
        )
    import optuna

    study = optuna.load_study(study_name=search_id, storage=_storage(search_id))
    if search is not None:
        # A seed for each trial: one for all would choose the same values again after a restart.
        seed = search.base.seed + len(study.get_trials(deepcopy=False))
        study.sampler = (
            optuna.samplers.RandomSampler(seed=seed)
            if search.sampler is Sampler.RANDOM
            else optuna.samplers.TPESampler(seed=seed)
        )
        study.pruner = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1)
    return study
