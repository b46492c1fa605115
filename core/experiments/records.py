"""What an experiment is, and its record on disk: a sweep or a k-fold, and the runs that do it.

One idea: an experiment is a spec with one or two of its settings varied. A k-fold cross-validation
is one, too: it varies the setting `fold`. So the record holds a spec, the values, and the ids of
the runs, in the order of the points; what became of a run is read from the run library, and the
same experiment is found after a reload, in another tab, and after a restart.

The records lie in `_experiments` beside the runs, where no run can have its folder. Nothing is
trained or submitted here; that is `experiment_line`'s. Classical baselines keep their own records
in the same place (`baselines`).
"""

from __future__ import annotations

import itertools
import re
import secrets
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from core.errors import InvalidSpec, RunDamaged, RunNotFound
from core.runs.storage import check_id, json_object, library, put
from core.specs import presets
from core.specs.fields import BY_NAME, Field, parse_setting
from core.specs.published import Folds, Sweep
from core.specs.spec import TrainSpec

SCHEMA = 1
SWEEP, FOLDS = "sweep", "folds"
FOLDER = "_experiments"  # no run's id begins so
MAX_POINTS = 60
MAX_NAME = 60
NOT_SWEPT = ("name",)


@dataclass(frozen=True)
class Axis:
    """A setting and the values that it takes, at least one, all different."""

    setting: str
    values: tuple[Any, ...]

    @property
    def field(self) -> Field:
        return BY_NAME[self.setting]

    @property
    def texts(self) -> tuple[str, ...]:
        """The values as people type them."""
        return tuple(value_text(value) for value in self.values)


@dataclass(frozen=True)
class Experiment:
    """A sweep or k-fold. `run_ids` are as many as `points`, None for one that was never begun."""

    id: str
    kind: str  # SWEEP or FOLDS
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
    def places(self) -> tuple[tuple[str, ...], ...]:
        """Of each point, its value on every axis as text."""
        return tuple(itertools.product(*(axis.texts for axis in self.axes)))

    def with_run(self, point: int, run_id: str | None) -> Experiment:
        """The same with another run for a point."""
        return replace(
            self,
            run_ids=tuple(
                run_id if place == point else held for place, held in enumerate(self.run_ids)
            ),
        )


# --- what to vary -----------------------------------------------------------------------------------------------------


def axis(setting: str, values: tuple | list) -> Axis:
    """An axis with its values checked, equal ones once.

    Raises:
        InvalidSpec: for a setting that there is not or that cannot be varied, a value that is not
            allowed, or no value.
    """
    field = BY_NAME.get(setting)
    if field is None or setting in NOT_SWEPT:
        raise InvalidSpec(
            f"{setting!r} is no setting that can be varied. Choose one of {', '.join(sweepable())}."
        )
    checked = dict.fromkeys(parse_setting(setting, value_text(value)) for value in values)
    if not checked:
        raise InvalidSpec(f"{field.label}: give at least one value.")
    return Axis(setting, tuple(checked))


def parse_values(setting: str, text: str) -> Axis:
    """Read the values of an axis as a person types them.

    Args:
        setting: a field of `TrainSpec`.
        text: `0.1, 0.01, 0.001`; where a setting is a list itself, a semicolon parts the values, as
            in `32; 32, 64`, and without one every number is a list of its own.

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
    for one in axes:
        count *= len(one.values)
    if count > MAX_POINTS:
        raise InvalidSpec(
            f"These are {count} trainings; a sweep has at most {MAX_POINTS}. Leave out some values."
        )
    made = []
    for values in itertools.product(*(axis.values for axis in axes)):
        changes = {axis.setting: value for axis, value in zip(axes, values, strict=True)}
        told = ", ".join(
            f"{BY_NAME[setting].label.lower()} {value_text(value)}"
            for setting, value in changes.items()
        )
        made.append(base.replace(**changes, name=_fitting(f"{base.name}, {told}")))
    return tuple(made)


def value_text(value: Any) -> str:
    """A value as a person types it; `spec.parse_setting` reads it back."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, list)):
        return ", ".join(value_text(single) for single in value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def folds_of(
    base: TrainSpec, folds: int, *, shuffle: bool, seed: int
) -> tuple[TrainSpec, tuple[Axis, ...]]:
    """A k-fold cross-validation as a spec and its axis. The seed is that of the cut and of every
    training.

    Raises:
        InvalidSpec: for a number of folds or a seed that is not allowed.
    """
    base = base.replace(validation="fold", folds=folds, fold=1, shuffle_folds=shuffle, seed=seed)
    return base, (Axis("fold", tuple(range(1, folds + 1))),)


# --- what was published -----------------------------------------------------------------------------------------------


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


def report_of(experiment: Experiment) -> tuple[presets.Preset, Sweep | Folds] | None:
    """The report that did this experiment, with its figures; None where none did."""
    if experiment.kind == FOLDS:
        same = {"name": "same"}
        return next(
            (
                (preset, folds)
                for preset, folds in published_folds()
                if spec_of_folds(preset, folds)[0].replace(**same)
                == experiment.base.replace(**same)
            ),
            None,
        )
    if len(experiment.axes) != 1:
        return None
    varied = experiment.axes[0].setting
    free = {"name": "same", "seed": 0, varied: getattr(TrainSpec(), varied)}
    return next(
        (
            (preset, sweep)
            for preset, sweep in published_sweeps()
            if sweep.setting == varied
            and preset.spec.replace(**free) == experiment.base.replace(**free)
        ),
        None,
    )


# --- records ----------------------------------------------------------------------------------------------------------


def create(kind: str, name: str, base: TrainSpec, axes: tuple[Axis, ...]) -> Experiment:
    """Write the record of a new experiment; nothing is trained yet.

    Raises:
        InvalidSpec: if a training of it cannot be built; then nothing is written.
        StorageProblem: if the record cannot be written.
    """
    from core.networks.architectures import blueprint

    points = grid(base, axes)
    for spec in points:
        blueprint(spec)
    created = datetime.fromtimestamp(time.time(), UTC)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:30] or kind
    made = Experiment(
        f"{created:%Y%m%d-%H%M%S}-{slug}-{secrets.token_hex(2)}",
        kind,
        _fitting(name.strip() or kind),
        created.isoformat(timespec="seconds"),
        base,
        axes,
        (None,) * len(points),
    )
    save(made)
    return made


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
                {"setting": one.setting, "values": list(one.texts)} for one in experiment.axes
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
    if values is None or values.get("kind") not in (SWEEP, FOLDS):
        raise RunNotFound(
            f"There is no experiment {experiment_id}; it may have been deleted. Choose another from the list."
        )
    try:
        base = TrainSpec.from_dict(values["base"])
        axes = tuple(axis(str(one["setting"]), one["values"]) for one in values["axes"])
        held = tuple(None if run_id is None else check_id(run_id) for run_id in values["runs"])
        if len(held) != len(grid(base, axes)):
            raise ValueError(f"{len(held)} runs")
        return Experiment(
            experiment_id,
            values["kind"],
            str(values["name"]),
            str(values["created"]),
            base,
            axes,
            held,
        )
    except (KeyError, TypeError, ValueError, AttributeError, InvalidSpec, RunNotFound) as error:
        raise RunDamaged(
            f"The record of the experiment {experiment_id} is not what Atelier writes ({error}); someone may have edited "
            "it. Restore it or delete the experiment; its runs stay."
        ) from error


def list_all(*kinds: str) -> list[Experiment]:
    """All experiments that can be read, newest first; only those of `kinds` if any are named."""
    found = []
    for experiment_id in record_ids():
        try:
            found.append(read(experiment_id))
        except (RunNotFound, RunDamaged):
            # Baselines, one deleted in this moment, or one that its own address will tell about.
            continue
    return [one for one in found if not kinds or one.kind in kinds]


def delete(experiment_id: str) -> None:
    """Delete the record; the runs stay."""
    for name in (experiment_id, f"{experiment_id}.results"):
        fs, path = _place(name)
        if fs.exists(path):
            fs.rm_file(path)


def record_ids() -> list[str]:
    """Ids of the records there are, newest first."""
    fs, root = library()
    try:
        names = [
            name.rsplit("/", 1)[-1] for name in fs.ls(f"{root.rstrip('/')}/{FOLDER}", detail=False)
        ]
    except FileNotFoundError:
        return []
    return sorted(
        (name[:-5] for name in names if re.fullmatch(r"[a-z0-9][a-z0-9-]*\.json", name)),
        reverse=True,
    )


def read_record(name: str) -> dict | None:
    """A record as JSON holds it, None where there is none.

    Raises:
        RunDamaged: if the file is something else.
    """
    fs, path = _place(name)
    try:
        return json_object(fs.cat_file(path), name, "The record")
    except FileNotFoundError:
        return None


def write_record(name: str, values: dict) -> None:
    """Write a record, whole or not at all."""
    import json

    fs, path = _place(name)
    put(fs, path, json.dumps(values, indent=1).encode())


def _place(name: str):
    """File system and path of a record; `<id>.results` stands beside `<id>`."""
    check_id(name.removesuffix(".results"))
    fs, root = library()
    return fs, f"{root.rstrip('/')}/{FOLDER}/{name}.json"


def _fitting(name: str) -> str:
    return name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…"
