"""What a training is asked to do: one frozen, checked `TrainSpec` that JSON can hold.

The same object is behind the form of the Train page, `--set key=value` in the terminal and
`run.json` on disk. What each field means and takes is described in `core.specs.fields`. Nothing
here builds or trains; whether the layers of a network fit together is checked by
`core.networks.architectures.blueprint`.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidSpec
from core.specs.fields import (
    BY_NAME,
    FIELDS,
    Activation,
    Architecture,
    BackboneName,
    DataName,
    Initializer,
    Optimizer,
    Padding,
    PoolPadding,
    Precision,
    Schedule,
    Validation,
    check_value,
    unknown_setting,
)


@dataclass(frozen=True)
class TrainSpec:
    """Everything that decides a training; equal specs on equal data and versions give equal runs.

    `core.specs.fields.FIELDS` has the meaning and the allowed values of each field.

    >>> spec = TrainSpec(filters=(32, 64, 128), epochs=3)
    >>> spec.replace(optimizer="sgd").optimizer
    'sgd'
    >>> TrainSpec.from_dict(spec.to_dict()) == spec
    True
    >>> TrainSpec(epochs=0)
    Traceback (most recent call last):
        ...
    core.errors.InvalidSpec: Epochs (epochs) must be a whole number from 1 to 500, not 0.

    Raises:
        InvalidSpec: naming the field, the allowed values and the value that was given.
    """

    name: str = "custom"
    data: DataName = "fashion-mnist"
    validation: Validation = "stratified"
    validation_fraction: float = 0.1
    folds: int = 5
    fold: int = 1
    shuffle_folds: bool = True
    outside: bool = False
    architecture: Architecture = "cnn"
    backbone: BackboneName = "mobilenet_v2"
    enlarge: int = 96
    filters: tuple[int, ...] = (32, 64)
    blocks: int = 1
    kernel: int = 3
    padding: tuple[Padding, ...] = ("same",)
    pool: tuple[bool, ...] = (True,)
    pool_padding: PoolPadding = "as_block"
    activation: Activation = "relu"
    batch_norm: bool = False
    dense_units: tuple[int, ...] = (128,)
    initializer: Initializer = "glorot_uniform"
    start_from: str = "nothing"
    optimizer: Optimizer = "adam"
    learning_rate: float = 0.001
    schedule: Schedule = "constant"
    restarts: tuple[int, ...] = ()
    warm_up: float = 0.2
    momentum: float = 0.9
    beta_2: float = 0.999
    weight_decay: float = 0.0
    batch: int = 64
    epochs: int = 10
    frozen_epochs: int = 2
    fine_tune_rate: float = 1e-4
    precision: Precision = "float32"
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

    def __post_init__(self) -> None:
        for field in FIELDS:
            object.__setattr__(self, field.name, check_value(field, getattr(self, field.name)))
        if self.architecture in ("swift", "resnet") and not self.filters:
            raise InvalidSpec(
                f"Filters: a {self.architecture} network needs at least one number, such as 32, 64."
            )
        if self.start_from == "imagenet" and self.architecture != "transfer":
            raise InvalidSpec(
                "Weights from: 'imagenet' stands for the weights of a pretrained network. Choose "
                "the architecture 'transfer', or take the weights from 'nothing'."
            )
        if self.fold > self.folds:
            raise InvalidSpec(
                f"Fold (fold) must be a whole number from 1 to {self.folds}, the number of folds, "
                f"not {self.fold}."
            )
        if list(self.restarts) != sorted({epoch for epoch in self.restarts if epoch < self.epochs}):
            raise InvalidSpec(
                f"{BY_NAME['restarts'].label}: give epochs in ascending order, all before the last "
                f"one ({self.epochs}), not {', '.join(map(str, self.restarts))}."
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
                    f"{BY_NAME[name].label}: give one value for all, or one for each of the "
                    f"{count} layers it belongs to, not {given}."
                )

    def steps(self, pictures: int) -> int:
        """Batches in an epoch of so many pictures; the last may be smaller."""
        return -(-pictures // self.batch)

    def replace(self, **changes: Any) -> TrainSpec:
        """A copy with some fields changed, checked like any other.

        Raises:
            InvalidSpec: for an unknown field or a value that is not allowed.
        """
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
    def from_dict(cls, values: object) -> TrainSpec:
        """The spec that `to_dict` described; missing fields take their defaults.

        Raises:
            InvalidSpec: for anything but a dict, an unknown field or a value that is not allowed.
        """
        if not isinstance(values, dict):
            raise InvalidSpec(
                f"A spec is a JSON object of fields and values, not a {type(values).__name__}."
            )
        return cls().replace(**values)
