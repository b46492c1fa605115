"""Every setting of a training: what it means, what it takes, and how its text is read.

`FIELDS` describes each field of a `TrainSpec` once. The form on the Train page, `--set key=value`,
spec files and all checks are drawn from it. Conditions that join several fields are checked in
`core.specs.spec`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from core.errors import InvalidSpec

DataName = Literal["fashion-mnist", "offline-sample"]
Validation = Literal["last", "random", "stratified", "fold", "test", "none"]
Architecture = Literal["cnn", "swift", "resnet", "transfer"]
BackboneName = Literal["mobilenet_v2", "resnet50_v2"]
Padding = Literal["same", "valid"]
PoolPadding = Literal["as_block", "same", "valid"]
Activation = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "linear"]
Initializer = Literal[
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "random_normal",
    "standard_normal",
]
Optimizer = Literal["adam", "adamw", "sgd", "rmsprop"]
Schedule = Literal["constant", "cosine", "one_cycle"]
Precision = Literal["float32", "bfloat16", "auto"]

Group = Literal["Data", "Network", "Optimiser", "Regularisation", "Augmentation"]
FieldKind = Literal["text", "choice", "flag", "int", "float"]
Scalar = str | bool | int | float
Value = Scalar | tuple[Scalar, ...]

MAX_BLOCKS = 8
MAX_NAME = 60  # characters
_FLAGS = {
    "yes": True,
    "true": True,
    "on": True,
    "1": True,
    "no": False,
    "false": False,
    "off": False,
    "0": False,
}


@dataclass(frozen=True)
class Field:
    """How one field of a `TrainSpec` is shown, parsed and checked.

    Attributes:
        name: of the attribute, and of the key in files and on the command line.
        group: the part of the form that it belongs to.
        label: what people see instead of the name.
        help: one or two sentences about it.
        kind: of one value.
        many: whether the value is a tuple: one entry for all layers, or one for each.
        allowed: the values of a choice.
        limits: the lowest and the highest number.
        step: a whole number is a multiple of it.
        basic: whether the form shows it without unfolding its group.
    """

    name: str
    group: Group
    label: str
    help: str
    kind: FieldKind
    many: bool = False
    allowed: tuple[str, ...] = ()
    limits: tuple[float, float] = (0.0, 0.0)
    step: int = 1
    basic: bool = False

    @property
    def is_typed(self) -> bool:
        """Whether people type the value as text, rather than pick it or step through it."""
        return self.many or self.kind in ("text", "float")


FIELDS: tuple[Field, ...] = (
    Field(
        "name",
        "Data",
        "Name",
        "What the run is called in lists and charts.",
        "text",
        basic=True,
    ),
    Field(
        "data",
        "Data",
        "Data",
        "What to learn from: Fashion-MNIST, or the computer-generated garments of the offline "
        "sample.",
        "choice",
        allowed=get_args(DataName),
        basic=True,
    ),
    Field(
        "validation",
        "Data",
        "Validation pictures",
        "Which training pictures are held out to check the network after each epoch. last: the "
        "last ones; random: a random share; stratified: a random share with the classes in equal "
        "parts; fold: one fold of a k-fold cross-validation. test checks on the test set, so that "
        "the best epoch is chosen on the test labels; none trains on everything and keeps "
        "the last epoch.",
        "choice",
        allowed=get_args(Validation),
    ),
    Field(
        "validation_fraction",
        "Data",
        "Validation share",
        "Share of the training pictures to hold out.",
        "float",
        limits=(0.01, 0.5),
    ),
    Field(
        "folds",
        "Data",
        "Folds",
        "For cross-validation: how many parts the training pictures are divided into.",
        "int",
        limits=(2, 20),
    ),
    Field(
        "fold",
        "Data",
        "Fold",
        "For cross-validation: which of the folds to hold out, counting from 1.",
        "int",
        limits=(1, 20),
    ),
    Field(
        "shuffle_folds",
        "Data",
        "Shuffle before folding",
        "Divide the pictures into folds at random, by the seed, instead of in their order.",
        "flag",
    ),
    Field(
        "outside",
        "Data",
        "Auxiliary data",
        "Also learn from computer-generated sketches and icons and, where ATELIER_PHOTOS names a "
        "folder of them, from photographs, all prepared as an upload is; and from scribbles, "
        "so that it learns not to be sure of them. Preparing them takes minutes the first time.",
        "flag",
    ),
    Field(
        "architecture",
        "Network",
        "Architecture",
        "cnn: blocks of convolution and pooling, then dense layers. swift: a strided stem and "
        "narrow normalised blocks, made for speed. resnet: residual blocks, made for accuracy. "
        "transfer: a large network pretrained on photographs, with new last layers.",
        "choice",
        allowed=get_args(Architecture),
        basic=True,
    ),
    Field(
        "backbone",
        "Network",
        "Pretrained network",
        "Only for transfer: which network of keras.applications to build on, without its last "
        "layer.",
        "choice",
        allowed=get_args(BackboneName),
    ),
    Field(
        "enlarge",
        "Network",
        "Enlarge to",
        "Only for transfer: the width and height, in pixels, to which pictures are enlarged for "
        "the pretrained network. Cost grows with the square of this.",
        "int",
        limits=(32, 224),
        step=32,
    ),
    Field(
        "filters",
        "Network",
        "Filters",
        "Filters of each convolutional block, first to last. Leave empty for a multilayer "
        "perceptron without convolution.",
        "int",
        many=True,
        limits=(1, 1024),
        basic=True,
    ),
    Field(
        "blocks",
        "Network",
        "Residual blocks per stage",
        "Only for resnet: how many residual blocks follow one another at each size.",
        "int",
        limits=(1, 8),
    ),
    Field(
        "kernel",
        "Network",
        "Kernel size",
        "Side of the square that a convolution looks at, in pixels.",
        "int",
        limits=(1, 7),
    ),
    Field(
        "padding",
        "Network",
        "Padding",
        "same: zeros around the picture keep its size; valid: no zeros, so each convolution trims "
        "the edges.",
        "choice",
        many=True,
        allowed=get_args(Padding),
    ),
    Field(
        "pool",
        "Network",
        "Pooling",
        "Whether 2 × 2 max pooling, which halves width and height, follows the block.",
        "flag",
        many=True,
    ),
    Field(
        "pool_padding",
        "Network",
        "Pooling at the edge",
        "Where a side is odd: same keeps the edge (7 becomes 4), valid drops it (7 becomes 3), "
        "as_block pads as the block's convolution does.",
        "choice",
        allowed=get_args(PoolPadding),
    ),
    Field(
        "activation",
        "Network",
        "Activation",
        "The non-linear function after each convolution and hidden dense layer.",
        "choice",
        allowed=get_args(Activation),
    ),
    Field(
        "batch_norm",
        "Network",
        "Batch normalisation",
        "Normalise after each convolution: training is steadier and usually faster.",
        "flag",
    ),
    Field(
        "dense_units",
        "Network",
        "Dense units",
        "Neurons of each dense layer before the ten outputs. Leave empty for none.",
        "int",
        many=True,
        limits=(1, 4096),
        basic=True,
    ),
    Field(
        "initializer",
        "Network",
        "Initialiser",
        "The distribution that random initial weights are drawn from. random_normal has a "
        "standard deviation of 0.05, standard_normal of 1.",
        "choice",
        allowed=get_args(Initializer),
    ),
    Field(
        "start_from",
        "Network",
        "Weights from",
        "nothing: random initial weights. The id of a finished run of the same network: its "
        "weights. imagenet, only for transfer: the published weights, which Keras downloads.",
        "text",
    ),
    Field(
        "optimizer",
        "Optimiser",
        "Optimiser",
        "How the weights follow the gradient.",
        "choice",
        allowed=get_args(Optimizer),
        basic=True,
    ),
    Field(
        "learning_rate",
        "Optimiser",
        "Learning rate",
        "Step size; the highest one where a schedule changes it.",
        "float",
        limits=(1e-7, 1000.0),
        basic=True,
    ),
    Field(
        "schedule",
        "Optimiser",
        "Schedule",
        "How the learning rate changes. constant: not at all; cosine: it falls to zero along half "
        "a cosine wave; one_cycle: it rises, then falls to zero in a straight line.",
        "choice",
        allowed=get_args(Schedule),
    ),
    Field(
        "restarts",
        "Optimiser",
        "Restart the schedule after",
        "For cosine and one_cycle: the epochs after which the learning rate goes through the "
        "schedule again with a new optimiser, such as 8. Leave empty for one pass. Adding epochs "
        "to a finished run does this.",
        "int",
        many=True,
        limits=(1, 499),
    ),
    Field(
        "warm_up",
        "Optimiser",
        "Warm-up",
        "For one_cycle: share of the steps during which the learning rate rises.",
        "float",
        limits=(0.0, 0.9),
    ),
    Field(
        "momentum",
        "Optimiser",
        "Momentum",
        "For SGD: how much of the previous step is carried over to the next.",
        "float",
        limits=(0.0, 0.999),
    ),
    Field(
        "beta_2",
        "Optimiser",
        "Beta 2",
        "For Adam and AdamW: how much of the running mean of squared gradients is kept at each "
        "step. Short runs do better with a lower value.",
        "float",
        limits=(0.5, 0.9999),
    ),
    Field(
        "weight_decay",
        "Optimiser",
        "Weight decay",
        "For AdamW and SGD: share of each weight that is removed per step, times the learning "
        "rate.",
        "float",
        limits=(0.0, 1.0),
    ),
    Field(
        "batch",
        "Optimiser",
        "Batch size",
        "Pictures per optimisation step.",
        "int",
        limits=(1, 4096),
        basic=True,
    ),
    Field(
        "epochs",
        "Optimiser",
        "Epochs",
        "How many times the network sees each training picture.",
        "int",
        limits=(1, 500),
        basic=True,
    ),
    Field(
        "frozen_epochs",
        "Optimiser",
        "Frozen epochs",
        "Only for transfer: keep the pretrained network frozen for this many epochs first, so "
        "that only the new last layers learn. After that everything learns.",
        "int",
        limits=(0, 500),
    ),
    Field(
        "fine_tune_rate",
        "Optimiser",
        "Fine-tuning rate",
        "Only for transfer: the learning rate once everything learns. Keep it small, so that the "
        "pretrained weights are not spoiled.",
        "float",
        limits=(1e-7, 10.0),
    ),
    Field(
        "precision",
        "Optimiser",
        "Precision",
        "float32; bfloat16: convolutions use 16-bit numbers, up to twice as fast on processors "
        "made for them, slower on others; auto: bfloat16 where the processor supports it. Weights "
        "and whatever is saved stay float32.",
        "choice",
        allowed=get_args(Precision),
    ),
    Field(
        "seed",
        "Optimiser",
        "Seed",
        "Fixes initial weights, order of the pictures, dropout and augmentation.",
        "int",
        limits=(0, 2**31 - 1),
    ),
    Field(
        "dropout",
        "Regularisation",
        "Dropout (dense)",
        "Share of neurons switched off at random after each dense layer while training.",
        "float",
        many=True,
        limits=(0.0, 0.95),
    ),
    Field(
        "block_dropout",
        "Regularisation",
        "Dropout (blocks)",
        "Share of activations switched off at random after each convolutional block, or after the "
        "pretrained network, while training.",
        "float",
        many=True,
        limits=(0.0, 0.95),
    ),
    Field(
        "l1",
        "Regularisation",
        "L1",
        "Penalty on the sum of the absolute weights.",
        "float",
        limits=(0.0, 1.0),
    ),
    Field(
        "l2",
        "Regularisation",
        "L2",
        "Penalty on the sum of the squared weights.",
        "float",
        limits=(0.0, 1.0),
    ),
    Field(
        "label_smoothing",
        "Regularisation",
        "Label smoothing",
        "Share of the probability taken from the true class and spread evenly over all ten.",
        "float",
        limits=(0.0, 0.5),
    ),
    Field(
        "early_stopping",
        "Regularisation",
        "Early stopping",
        "Stop after this many epochs without a better validation accuracy; 0 never stops early.",
        "int",
        limits=(0, 500),
    ),
    Field(
        "average_weights",
        "Regularisation",
        "Average the weights",
        "Check and keep a running average of the weights instead of the latest ones.",
        "flag",
    ),
    Field("flip", "Augmentation", "Flip", "Mirror half of the pictures left to right.", "flag"),
    Field(
        "shift",
        "Augmentation",
        "Shift",
        "Move each picture by up to this many pixels.",
        "int",
        limits=(0, 8),
    ),
    Field(
        "rotate",
        "Augmentation",
        "Rotate",
        "Turn each picture by up to this many degrees.",
        "float",
        limits=(0.0, 45.0),
    ),
    Field(
        "erase",
        "Augmentation",
        "Erase",
        "Share of the pictures in which a random rectangle is replaced with noise.",
        "float",
        limits=(0.0, 1.0),
    ),
)
BY_NAME = {field.name: field for field in FIELDS}


def parse_setting(name: str, text: str) -> Value:
    """Read the value of one field as a person types it.

    >>> parse_setting("filters", "32, 64, 128")
    (32, 64, 128)
    >>> parse_setting("learning_rate", "1e-3"), parse_setting("flip", "yes")
    (0.001, True)
    >>> parse_setting("epochs", "many")
    Traceback (most recent call last):
        ...
    core.errors.InvalidSpec: Epochs (epochs) must be a whole number from 1 to 500, not "many".

    Args:
        name: a field of `TrainSpec`.
        text: `0.01`, `yes`, `32, 64, 128`, `same, valid`; an empty text is an empty list where
            lists may be empty.

    Returns:
        the checked value.

    Raises:
        InvalidSpec: naming the allowed values.
    """
    field = BY_NAME.get(name)
    if field is None:
        raise unknown_setting(name)
    text = text.strip()
    if not field.many:
        return check_value(field, _parse_scalar(field, text))
    parts = text.strip("[]()").replace(";", ",").replace(" ", ",").split(",")
    return check_value(
        field, tuple(_parse_scalar(field, part.strip("'\"")) for part in parts if part)
    )


def allowed_text(field: Field) -> str:
    """What one value of a field may be, as the end of a sentence."""
    if field.kind == "choice":
        return "one of " + ", ".join(field.allowed)
    if field.kind == "flag":
        return "yes or no"
    if field.kind == "text":
        return f"a name of 1 to {MAX_NAME} characters"
    low, high = field.limits
    whole = "whole " if field.kind == "int" else ""
    steps = f" in steps of {field.step}" if field.step > 1 else ""
    return f"a {whole}number from {low:g} to {high:.10g}{steps}"


def unknown_setting(name: str) -> InvalidSpec:
    """The refusal of a field that no spec has, naming those that there are."""
    return InvalidSpec(
        f"There is no setting called {name!r}; the settings are {', '.join(BY_NAME)}."
    )


def check_value(field: Field, value: object) -> Value:
    """The value as plain Python, in the type that the field has.

    A field of many values takes a single one, too, or any iterable of them. NumPy's scalars, which
    widgets and sweeps use, become Python's.

    Raises:
        InvalidSpec: naming the allowed values.
    """
    if not field.many:
        return _check_scalar(field, value)
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        value = (value,)
    values = tuple(value)
    if len(values) > MAX_BLOCKS:
        raise InvalidSpec(
            f"{field.label} ({field.name}) takes at most {MAX_BLOCKS} values, not {len(values)}."
        )
    if not values and field.kind != "int":
        raise InvalidSpec(
            f"{field.label} ({field.name}) needs at least one value: {allowed_text(field)}."
        )
    return tuple(_check_scalar(field, entry) for entry in values)


def _refusal(field: Field, value: object) -> InvalidSpec:
    each = ": each must be" if field.many else " must be"
    shown = json.dumps(value, default=str)
    return InvalidSpec(
        f"{field.label} ({field.name}){each} {allowed_text(field)}, not {shown[:80]}."
    )


def _parse_scalar(field: Field, text: str) -> Scalar:
    if field.kind == "flag":
        if text.lower() not in _FLAGS:
            raise _refusal(field, text)
        return _FLAGS[text.lower()]
    if field.kind in ("int", "float"):
        try:
            return int(text) if field.kind == "int" else float(text)
        except ValueError:
            raise _refusal(field, text) from None
    return text


def _check_scalar(field: Field, value: object) -> Scalar:
    if hasattr(value, "item"):  # a NumPy scalar
        value = value.item()
    if field.kind == "text":
        if isinstance(value, str) and value.isprintable() and 1 <= len(value.strip()) <= MAX_NAME:
            return value.strip()
    elif field.kind == "choice":
        if isinstance(value, str) and value in field.allowed:
            return value
    elif field.kind == "flag":
        if isinstance(value, bool):
            return value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        low, high = field.limits  # finite, so that NaN and the infinities fail, too
        if low <= value <= high and (field.kind == "float" or not value % field.step):
            return int(value) if field.kind == "int" else float(value)
    raise _refusal(field, value)
