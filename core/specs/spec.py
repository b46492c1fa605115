"""What a training is asked to do: one frozen, checked, JSON-able `TrainSpec`, and the presets that
carry names.

The same object is behind the form of the Train page, `--set key=value` in the terminal and
`run.json` on disk. `FIELDS` describes every field once (group, label, help, allowed values);
checking, parsing and forms are all drawn from it. Nothing here builds or trains; whether a
network's layers fit together is for `architectures.blueprint` to say.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidSpec
from core.specs.fields import BY_NAME, FIELDS, check_value, unknown_setting


@dataclass(frozen=True)
class TrainSpec:
    """Everything that decides a training; equal specs on equal data and versions give equal runs.

    See `FIELDS` for meaning and allowed values of each field.

    Raises:
        InvalidSpec: naming the field, the allowed values and what came.
    """

    name: str = "custom"
    data: str = "fashion-mnist"
    validation: str = "stratified"
    validation_fraction: float = 0.1
    folds: int = 5
    fold: int = 1
    shuffle_folds: bool = True
    outside: bool = False
    architecture: str = "cnn"
    backbone: str = "mobilenet_v2"
    enlarge: int = 96
    filters: tuple[int, ...] = (32, 64)
    blocks: int = 1
    kernel: int = 3
    padding: tuple[str, ...] = ("same",)
    pool: tuple[bool, ...] = (True,)
    pool_padding: str = "as_block"
    activation: str = "relu"
    batch_norm: bool = False
    dense_units: tuple[int, ...] = (128,)
    initializer: str = "glorot_uniform"
    start_from: str = "nothing"
    optimizer: str = "adam"
    learning_rate: float = 0.001
    schedule: str = "constant"
    warm_up: float = 0.2
    momentum: float = 0.9
    beta_2: float = 0.999
    weight_decay: float = 0.0
    batch: int = 64
    epochs: int = 10
    frozen_epochs: int = 2
    fine_tune_rate: float = 1e-4
    precision: str = "float32"
    seed: int = 0
    dropout: tuple[float, ...] = (0.0,)
    block_dropout: tuple[float, ...] = (0.0,)
    l1: float = 0.0
    l2: float = 0.0
    label_smoothing: float = 0.0
    early_stopping: int = 0
    average_weights: bool = False
    flip: bool = False
    shift: int = 0
    rotate: float = 0.0
    erase: float = 0.0

    def __post_init__(self):
        for field in FIELDS:
            object.__setattr__(self, field.name, check_value(field, getattr(self, field.name)))
        if self.architecture in ("swift", "resnet") and not self.filters:
            raise InvalidSpec(
                f"Filters: a {self.architecture} network needs at least one number, such as 32, 64."
            )
        if self.start_from == "imagenet" and self.architecture != "transfer":
            raise InvalidSpec(
                "Weights from: 'imagenet' are the weights of a borrowed network. Choose the architecture transfer, or start "
                "from 'nothing'."
            )
        if self.fold > self.folds:
            raise InvalidSpec(
                f"Fold (fold) must be a whole number from 1 to {self.folds}, the number of folds; received {self.fold}."
            )
        for name, count in (
            ("padding", len(self.filters)),
            ("pool", len(self.filters)),
            ("block_dropout", len(self.filters)),
            ("dropout", len(self.dense_units)),
        ):
            given = len(getattr(self, name))
            if given not in (1, count):
                raise InvalidSpec(
                    f"{BY_NAME[name].label}: give one value for all, or one for each of the {count} layers it "
                    f"belongs to; received {given}."
                )

    def each(self, name: str, count: int) -> tuple:
        """The values of a "one for all, or one per layer" field, as `count` values."""
        values = getattr(self, name)
        return tuple(values) * count if len(values) == 1 else tuple(values)

    def steps(self, pictures: int) -> int:
        """Batches in an epoch of so many pictures; the last may be smaller."""
        return -(-pictures // self.batch)

    def replace(self, **changes: Any) -> TrainSpec:
        """A copy with some fields changed, checked like any other."""
        unknown = sorted(set(changes) - set(BY_NAME))
        if unknown:
            raise unknown_setting(unknown[0])
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, in the order of the fields."""
        plain = {field.name: getattr(self, field.name) for field in FIELDS}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in plain.items()
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainSpec:
        """The spec that `to_dict` described; fields that are missing take their defaults.

        Raises:
            InvalidSpec: for an unknown field or a value that is not allowed.
        """
        if not isinstance(values, dict):
            raise InvalidSpec(
                f"A spec is a JSON object of fields and values; received {type(values).__name__}."
            )
        return cls().replace(**values)
