"""Experiments and their records on disk: sweeps and cross-validations, and the runs of each.

An experiment is a spec with one or two of its settings varied; a k-fold cross-validation varies the
setting `fold`. Its record holds the spec, the values, and the ids of the runs in the order of the
points. What became of a run is read from the run library, so an experiment is found again after a
reload, in another tab, and after a restart.

The records are in `_experiments`, next to the runs, where no run can have its folder; classical
baselines keep theirs there too (`baselines`). Nothing is queued or trained here; that is done in
`queue`.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import fsspec

from core.errors import InvalidSpec, RunDamaged, RunNotFound
from core.runs.storage import check_id, json_object, new_id, now, open_library, put
from core.specs import presets
from core.specs.fields import BY_NAME, Field, parse_setting
from core.specs.published import Folds, Sweep
from core.specs.spec import TrainSpec
from core.wording import value_text


class Kind(StrEnum):
    """What an experiment is for: to vary settings, or to hold out one fold after the other."""

    SWEEP = "sweep"
    FOLDS = "folds"


SWEEP, FOLDS = Kind
SCHEMA = 1
FOLDER = "_experiments"  # no run's id begins with a "_"
MAX_POINTS = 60
MAX_NAME = 60
NOT_SWEPT = ("name",)


@dataclass(frozen=True)
class Axis:
    """A setting and the values that it takes: at least one, all different."""

    setting: str
    values: tuple[Any, ...]

    @property
    def field(self) -> Field:
        """The description of the setting."""
        return BY_NAME[self.setting]

    @property
    def texts(self) -> tuple[str, ...]:
        """The values as people type them."""
        return tuple(value_text(value) for value in self.values)


@dataclass(frozen=True)
class Experiment:
    """A sweep or a cross-validation; `run_ids` has one for each point, None where there is none."""

    id: str
    kind: Kind
    name: str
    created: str
    base: TrainSpec
    axes: tuple[Axis, ...]
    run_ids: tuple[str | None, ...]

    @property
    def points(self) -> tuple[TrainSpec, ...]:
        """The spec of each training; the first axis changes slowest."""
        return grid(self.base, self.axes)

    @property
    def values(self) -> tuple[tuple[str, ...], ...]:
        """For each point, its value on every axis as text."""
        return tuple(itertools.product(*(axis.texts for axis in self.axes)))

    def with_run(self, point: int, run_id: str | None) -> Experiment:
        """The same experiment with another run for one of its points."""
        return replace(
            self,
            run_ids=tuple(
                run_id if number == point else known for number, known in enumerate(self.run_ids)
            ),
        )


# --- what to vary ---------------------------------------------------------------------------------


def axis(setting: str, values: Iterable[Any]) -> Axis:
    """An axis with checked values, each once.

    >>> axis("batch", ["64", 128, 64])
    Axis(setting='batch', values=(64, 128))

    Raises:
        InvalidSpec: for a setting that does not exist or cannot be varied, a value that is not
            allowed, or no value.
    """
    field = BY_NAME.get(setting)
    if field is None or setting in NOT_SWEPT:
        raise InvalidSpec(f"{setting!r} cannot be varied. Choose one of {', '.join(sweepable())}.")
    checked = dict.fromkeys(parse_setting(setting, value_text(value)) for value in values)
    if not checked:
        raise InvalidSpec(f"{field.label}: give at least one value.")
    return Axis(setting, tuple(checked))


def parse_values(setting: str, text: str) -> Axis:
    """Read the values of an axis as people type them.

    Args:
        setting: a field of `TrainSpec`.
        text: values with commas or spaces between them. If the setting is a list itself, semicolons
            separate its values; without any, every number is a list of its own.

    >>> parse_values("learning_rate", "0.1, 0.01 1e-3").values
    (0.1, 0.01, 0.001)
    >>> parse_values("filters", "32; 32, 64").values
    ((32,), (32, 64))
    >>> parse_values("filters", "32, 64").values
    ((32,), (64,))

    Raises:
        InvalidSpec: as `axis`.
    """
    parts = text.split(";") if ";" in text else re.split(r"[,\s]+", text.strip())
    return axis(setting, [part.strip() for part in parts if part.strip()])


def sweepable() -> tuple[str, ...]:
    """The settings that can be varied."""
    return tuple(name for name in BY_NAME if name not in NOT_SWEPT)


def grid(base: TrainSpec, axes: tuple[Axis, ...]) -> tuple[TrainSpec, ...]:
    """The spec of every combination, each named after its values; the first axis changes slowest.

    Raises:
        InvalidSpec: if two axes vary one setting, there are too many points, or two values do not
            fit together.
    """
    if not 1 <= len(axes) <= 2 or len({axis.setting for axis in axes}) < len(axes):
        raise InvalidSpec("A sweep varies one setting, or two different ones.")
    count = 1
    for axis in axes:
        count *= len(axis.values)
    if count > MAX_POINTS:
        raise InvalidSpec(
            f"These are {count} trainings; a sweep has at most {MAX_POINTS}. Leave out some values."
        )
    points = []
    for values in itertools.product(*(axis.values for axis in axes)):
        changes = {axis.setting: value for axis, value in zip(axes, values, strict=True)}
        suffix = ", ".join(
            f"{BY_NAME[setting].label.lower()} {value_text(value)}"
            for setting, value in changes.items()
        )
        points.append(base.replace(**changes, name=_shortened(f"{base.name}, {suffix}")))
    return tuple(points)


def folds_of(
    base: TrainSpec, folds: int, *, shuffle: bool, seed: int
) -> tuple[TrainSpec, tuple[Axis, ...]]:
    """A k-fold cross-validation as a spec and its axis.

    Args:
        folds: how many.
        shuffle: whether the pictures are shuffled before they are divided into folds.
        seed: of the division and of every training.

    Raises:
        InvalidSpec: for a number of folds or a seed that is not allowed.
    """
    base = base.replace(validation="fold", folds=folds, fold=1, shuffle_folds=shuffle, seed=seed)
    return base, (Axis("fold", tuple(range(1, folds + 1))),)


# --- what was published ---------------------------------------------------------------------------


def published_sweeps() -> tuple[tuple[presets.Preset, Sweep], ...]:
    """Every sweep of a report, with the preset whose settings it varies."""
    return tuple(
        (preset, sweep)
        for preset in presets.PRESETS.values()
        if preset.published
        for sweep in preset.published.sweeps
    )


def published_folds() -> tuple[tuple[presets.Preset, Folds], ...]:
    """Every k-fold cross-validation of a report, with its preset."""
    return tuple(
        (preset, preset.published.folds)
        for preset in presets.PRESETS.values()
        if preset.published and preset.published.folds
    )


def spec_of_folds(preset: presets.Preset, folds: Folds) -> tuple[TrainSpec, tuple[Axis, ...]]:
    """A report's cross-validation, as `folds_of` gives one."""
    return folds_of(
        preset.spec.replace(**folds.changes),
        len(folds.accuracies),
        shuffle=True,
        seed=folds.shuffle_seed,
    )


def sweep_report(experiment: Experiment) -> tuple[presets.Preset, Sweep] | None:
    """The preset whose report published this sweep, with its figures; None if there is none."""
    if experiment.kind is not Kind.SWEEP or len(experiment.axes) != 1:
        return None
    varied = experiment.axes[0].setting
    free = {"name": "same", "seed": 0, varied: getattr(TrainSpec(), varied)}
    for preset, sweep in published_sweeps():
        if sweep.setting == varied and _same(preset.spec, experiment.base, free):
            return preset, sweep
    return None


def folds_report(experiment: Experiment) -> tuple[presets.Preset, Folds] | None:
    """The preset whose report published this cross-validation, with its figures; None if there is
    none.
    """
    if experiment.kind is not Kind.FOLDS:
        return None
    for preset, folds in published_folds():
        if _same(spec_of_folds(preset, folds)[0], experiment.base, {"name": "same"}):
            return preset, folds
    return None


def _same(first: TrainSpec, second: TrainSpec, free: Mapping[str, Any]) -> bool:
    """Whether two specs agree in all settings but those in `free`."""
    return first.replace(**free) == second.replace(**free)


# --- records --------------------------------------------------------------------------------------


def create(kind: Kind, name: str, base: TrainSpec, axes: tuple[Axis, ...]) -> Experiment:
    """Write the record of a new experiment; nothing is queued yet.

    Raises:
        InvalidSpec: if one of its networks cannot be built; then nothing is written.
        StorageProblem: if the record cannot be written.
    """
    from core.networks.architectures import blueprint

    points = grid(base, axes)
    for spec in points:
        blueprint(spec)
    created = Experiment(
        new_id(name, kind),
        kind,
        _shortened(name.strip() or kind),
        now(),
        base,
        axes,
        (None,) * len(points),
    )
    save(created)
    return created


def save(experiment: Experiment) -> None:
    """Replace the record, whole or not at all.

    Raises:
        StorageProblem: if it cannot be written.
    """
    write_record(
        experiment.id,
        {
            "schema": SCHEMA,
            "id": experiment.id,
            "kind": experiment.kind,
            "name": experiment.name,
            "created": experiment.created,
            "base": experiment.base.to_dict(),
            "axes": [
                {"setting": axis.setting, "values": list(axis.texts)} for axis in experiment.axes
            ],
            "runs": list(experiment.run_ids),
        },
    )


def read(experiment_id: str) -> Experiment:
    """One experiment.

    Raises:
        RunNotFound: if there is none with this id.
        RunDamaged: if its record is not what Atelier wrote.
    """
    values = read_record(experiment_id)
    if values is None or values.get("kind") not in list(Kind):
        raise RunNotFound(
            f"There is no experiment {experiment_id}; it may have been deleted. Choose another "
            f"from the list."
        )
    try:
        base = TrainSpec.from_dict(values["base"])
        axes = tuple(axis(str(one["setting"]), one["values"]) for one in values["axes"])
        run_ids = tuple(None if run_id is None else check_id(run_id) for run_id in values["runs"])
        if len(run_ids) != len(grid(base, axes)):
            raise ValueError(f"{len(run_ids)} runs")
        return Experiment(
            experiment_id,
            Kind(values["kind"]),
            str(values["name"]),
            str(values["created"]),
            base,
            axes,
            run_ids,
        )
    except (KeyError, TypeError, ValueError, AttributeError, InvalidSpec, RunNotFound) as error:
        raise RunDamaged(
            f"The record of the experiment {experiment_id} is not what Atelier writes ({error}); "
            f"someone may have edited it. Restore it or delete the experiment; its runs stay."
        ) from error


def list_all(*kinds: Kind) -> list[Experiment]:
    """All experiments that can be read, newest first; only those of `kinds` if any are named."""
    experiments = []
    for experiment_id in record_ids():
        try:
            experiments.append(read(experiment_id))
        except (RunNotFound, RunDamaged):
            # Baselines, one deleted at this moment, or one that is reported where it is opened.
            continue
    return [one for one in experiments if not kinds or one.kind in kinds]


def delete(experiment_id: str) -> None:
    """Delete the record of an experiment or of baselines; the runs stay."""
    for name in (experiment_id, f"{experiment_id}.results"):
        fs, path = _locate(name)
        if fs.exists(path):
            fs.rm_file(path)


def record_ids() -> list[str]:
    """Ids of all records, newest first."""
    fs, root = open_library()
    try:
        names = [name.rsplit("/", 1)[-1] for name in fs.ls(f"{root}/{FOLDER}", detail=False)]
    except FileNotFoundError:
        return []
    return sorted(
        (name[:-5] for name in names if re.fullmatch(r"[a-z0-9][a-z0-9-]*\.json", name)),
        reverse=True,
    )


def read_record(name: str) -> dict[str, Any] | None:
    """A record as JSON holds it; None if there is none.

    Args:
        name: an id, or `<id>.results` for what is kept next to it.

    Raises:
        RunDamaged: if the file holds something else.
    """
    fs, path = _locate(name)
    try:
        return json_object(fs.cat_file(path), name, "The record")
    except FileNotFoundError:
        return None


def write_record(name: str, values: Mapping[str, Any]) -> None:
    """Write a record, whole or not at all.

    Raises:
        StorageProblem: if it cannot be written.
    """
    fs, path = _locate(name)
    put(fs, path, json.dumps(values, indent=1).encode())


def _locate(name: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """File system and path of a record."""
    check_id(name.removesuffix(".results"))
    fs, root = open_library()
    return fs, f"{root}/{FOLDER}/{name}.json"


def _shortened(name: str) -> str:
    return name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…"
