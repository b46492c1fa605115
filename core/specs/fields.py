"""Every setting of a training: what it means, what it takes, and how its text is read."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidSpec

MAX_BLOCKS = 8


@dataclass(frozen=True)
class Field:
    """How one field of a `TrainSpec` is shown, parsed and checked.

    `kind` is one of `text`, `choice`, `flag`, `int`, `float`, `ints`, `floats`, `flags`, `choices`;
    the plurals are tuples, "one for all blocks, or one per block". `allowed` is a tuple of choices,
    or `(lowest, highest)` for numbers; a whole number is a multiple of `step`.
    """

    name: str
    group: str
    label: str
    help: str
    kind: str
    allowed: tuple = ()
    basic: bool = False
    step: int = 1


FIELDS: tuple[Field, ...] = (
    Field(
        "name",
        "Data",
        "Name",
        "What the run will be called in lists and charts.",
        "text",
        basic=True,
    ),
    Field(
        "data",
        "Data",
        "Data",
        "What to learn from: the real data, or garments drawn by program.",
        "choice",
        ("fashion-mnist", "offline-sample"),
        basic=True,
    ),
    Field(
        "validation",
        "Data",
        "Validation pictures",
        "Which training pictures are kept back to judge each epoch: the last "
        "ones, a random share, a random share with equal classes, or one fold of a k-fold cross-validation. 'test' judges on "
        "the test set, which leaks it into the choice of the best epoch; 'none' trains on everything and keeps the last epoch.",
        "choice",
        ("last", "random", "stratified", "fold", "test", "none"),
    ),
    Field(
        "validation_fraction",
        "Data",
        "Validation share",
        "Share of the training pictures kept back.",
        "float",
        (0.01, 0.5),
    ),
    Field(
        "folds",
        "Data",
        "Folds",
        "For a k-fold cross-validation: into how many parts the training pictures are cut.",
        "int",
        (2, 20),
    ),
    Field("fold", "Data", "Fold", "Which of the folds is kept back, from 1.", "int", (1, 20)),
    Field(
        "shuffle_folds",
        "Data",
        "Shuffle before folding",
        "Cut the pictures into folds at random (by the seed), or in their order.",
        "flag",
    ),
    Field(
        "outside",
        "Data",
        "Pictures from outside",
        "Learn also from garments drawn by program and, where ATELIER_PHOTOS names a folder"
        " with them, from photographs, all prepared as a visitor's picture is; and from scribbles, to be unsure of them. Making them"
        " takes minutes the first time.",
        "flag",
    ),
    Field(
        "architecture",
        "Network",
        "Architecture",
        "cnn: blocks of convolution and pooling, then dense layers. swift: a strided"
        " stem and narrow normalised blocks, made for speed. resnet: residual blocks, made for accuracy. transfer: a large network"
        " that others trained on photographs, with new last layers.",
        "choice",
        ("cnn", "swift", "resnet", "transfer"),
        basic=True,
    ),
    Field(
        "backbone",
        "Network",
        "Borrowed network",
        "Only for transfer: which network of keras.applications is borrowed, without its "
        "last layer.",
        "choice",
        ("mobilenet_v2", "resnet50_v2"),
    ),
    Field(
        "enlarge",
        "Network",
        "Enlarge to",
        "Only for transfer: the side, in pixels, that pictures are enlarged to before the borrowed "
        "network reads them. Work grows with its square.",
        "int",
        (32, 224),
        step=32,
    ),
    Field(
        "filters",
        "Network",
        "Filters",
        "Filters of each convolutional block, first to last. Empty: no convolution, a "
        "multi-layer network.",
        "ints",
        (1, 1024),
        basic=True,
    ),
    Field(
        "blocks",
        "Network",
        "Residual blocks a stage",
        "Only for resnet: how many residual blocks follow each other at one size.",
        "int",
        (1, 8),
    ),
    Field(
        "kernel",
        "Network",
        "Kernel",
        "Side of the square that a convolution looks at, in pixels.",
        "int",
        (1, 7),
    ),
    Field(
        "padding",
        "Network",
        "Padding",
        "same: zeros around the picture keep its size; valid: it shrinks by the kernel.",
        "choices",
        ("same", "valid"),
    ),
    Field(
        "pool",
        "Network",
        "Pooling",
        "Whether 2 x 2 max pooling follows the block: it halves width and height.",
        "flags",
    ),
    Field(
        "pool_padding",
        "Network",
        "Pooling at the edge",
        "Whether pooling keeps the edge of an odd side (same: 7 becomes 4) or "
        "drops it (valid: 7 becomes 3). as_block: as the block's convolution pads.",
        "choice",
        ("as_block", "same", "valid"),
    ),
    Field(
        "activation",
        "Network",
        "Activation",
        "The non-linearity after each convolution and hidden dense layer.",
        "choice",
        ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "linear"),
    ),
    Field(
        "batch_norm",
        "Network",
        "Batch normalisation",
        "Normalise after each convolution: steadier, usually faster learning.",
        "flag",
    ),
    Field(
        "dense_units",
        "Network",
        "Dense units",
        "Neurons of each dense layer before the ten outputs. Empty: none.",
        "ints",
        (1, 4096),
        basic=True,
    ),
    Field(
        "initializer",
        "Network",
        "First weights",
        "The distribution that weights are drawn from before training. random_normal "
        "has a standard deviation of 0.05, standard_normal of 1.",
        "choice",
        (
            "glorot_uniform",
            "glorot_normal",
            "he_uniform",
            "he_normal",
            "random_normal",
            "standard_normal",
        ),
    ),
    Field(
        "start_from",
        "Network",
        "Weights from",
        "The id of a finished run of the same network, whose weights this one begins with;"
        " 'imagenet', for transfer, the published weights, which Keras downloads; 'nothing' begins anew.",
        "text",
    ),
    Field(
        "optimizer",
        "Optimiser",
        "Optimiser",
        "How weights follow the gradient.",
        "choice",
        ("adam", "adamw", "sgd", "rmsprop"),
        basic=True,
    ),
    Field(
        "learning_rate",
        "Optimiser",
        "Learning rate",
        "Step length; the highest one where a schedule changes it.",
        "float",
        (1e-7, 10.0),
        basic=True,
    ),
    Field(
        "schedule",
        "Optimiser",
        "Schedule",
        "constant; cosine: falls to zero along a half cosine; one_cycle: rises, then falls to"
        " zero in a straight line.",
        "choice",
        ("constant", "cosine", "one_cycle"),
    ),
    Field(
        "warm_up",
        "Optimiser",
        "Warm-up",
        "For one_cycle: share of the steps in which the learning rate rises.",
        "float",
        (0.0, 0.9),
    ),
    Field(
        "momentum",
        "Optimiser",
        "Momentum",
        "For SGD: share of the last step that is kept.",
        "float",
        (0.0, 0.999),
    ),
    Field(
        "beta_2",
        "Optimiser",
        "Beta 2",
        "For Adam and AdamW: how much of the running mean of squared gradients is kept at each step."
        " A short training does better with less.",
        "float",
        (0.5, 0.9999),
    ),
    Field(
        "weight_decay",
        "Optimiser",
        "Weight decay",
        "For AdamW and SGD: share of each weight taken away per step, times the learning rate.",
        "float",
        (0.0, 1.0),
    ),
    Field("batch", "Optimiser", "Batch", "Pictures per step.", "int", (1, 4096), basic=True),
    Field(
        "epochs",
        "Optimiser",
        "Epochs",
        "How often every training picture is seen.",
        "int",
        (1, 500),
        basic=True,
    ),
    Field(
        "frozen_epochs",
        "Optimiser",
        "Frozen epochs",
        "Only for transfer: for so many first epochs the borrowed network stays as it is "
        "and only the new last layers learn; then everything does.",
        "int",
        (0, 500),
    ),
    Field(
        "fine_tune_rate",
        "Optimiser",
        "Fine-tuning rate",
        "Only for transfer: the learning rate once everything learns. Small, so that "
        "what was borrowed is not lost.",
        "float",
        (1e-7, 10.0),
    ),
    Field(
        "precision",
        "Optimiser",
        "Precision",
        "float32; bfloat16: convolutions calculate with 16-bit numbers, up to twice as fast "
        "on processors made for it, slower on others; auto: bfloat16 where the processor is. Weights stay float32, and so does what "
        "is saved.",
        "choice",
        ("float32", "bfloat16", "auto"),
    ),
    Field(
        "seed",
        "Optimiser",
        "Seed",
        "Fixes first weights, order, dropout and augmentation.",
        "int",
        (0, 2**31 - 1),
    ),
    Field(
        "dropout",
        "Regularisation",
        "Dropout (dense)",
        "Share of neurons switched off at random after each dense layer.",
        "floats",
        (0.0, 0.95),
    ),
    Field(
        "block_dropout",
        "Regularisation",
        "Dropout (blocks)",
        "The same after each convolutional block, or after the borrowed network.",
        "floats",
        (0.0, 0.95),
    ),
    Field(
        "l1", "Regularisation", "L1", "Penalty on the sum of absolute weights.", "float", (0.0, 1.0)
    ),
    Field(
        "l2", "Regularisation", "L2", "Penalty on the sum of squared weights.", "float", (0.0, 1.0)
    ),
    Field(
        "label_smoothing",
        "Regularisation",
        "Label smoothing",
        "Share of certainty taken from the true class and spread over all ten.",
        "float",
        (0.0, 0.5),
    ),
    Field(
        "early_stopping",
        "Regularisation",
        "Early stopping",
        "Stop after this many epochs without a better validation accuracy; 0 never stops early.",
        "int",
        (0, 500),
    ),
    Field(
        "average_weights",
        "Regularisation",
        "Average the weights",
        "Judge and keep a running average of the weights instead of the last ones.",
        "flag",
    ),
    Field("flip", "Augmentation", "Flip", "Mirror half of the pictures left to right.", "flag"),
    Field(
        "shift",
        "Augmentation",
        "Shift",
        "Move each picture by up to this many pixels.",
        "int",
        (0, 8),
    ),
    Field(
        "rotate",
        "Augmentation",
        "Rotate",
        "Turn each picture by up to this many degrees.",
        "float",
        (0.0, 45.0),
    ),
    Field(
        "erase",
        "Augmentation",
        "Erase",
        "Share of the pictures in which a random rectangle is replaced by noise.",
        "float",
        (0.0, 1.0),
    ),
)
BY_NAME = {field.name: field for field in FIELDS}


def parse_setting(name: str, text: str) -> Any:
    """Read the value of one field as a person types it.

    Args:
        name: a field of `TrainSpec`.
        text: `0.01`, `yes`, `32, 64, 128`, `same, valid`; an empty text is an empty list where
            lists are allowed.

    Returns:
        the checked value.

    Raises:
        InvalidSpec: naming the allowed values.
    """
    field = BY_NAME.get(name)
    if field is None:
        raise unknown_setting(name)
    text = text.strip()
    if field.kind in ("ints", "floats", "flags", "choices"):
        parts = [
            part
            for part in text.strip("[]()").replace(";", ",").replace(" ", ",").split(",")
            if part
        ]
        return check_value(
            field, tuple(_scalar_from_text(field, part.strip("'\"")) for part in parts)
        )
    return check_value(field, _scalar_from_text(field, text))


def allowed_text(field: Field) -> str:
    """What a field takes, as the end of a sentence."""
    if field.kind in ("choice", "choices"):
        return "one of " + ", ".join(field.allowed)
    if field.kind in ("flag", "flags"):
        return "yes or no"
    if field.kind == "text":
        return "a name of 1 to 60 characters"
    low, high = field.allowed
    steps = f" in steps of {field.step}" if field.step > 1 else ""
    return f"a {'whole ' if field.kind.startswith('int') else ''}number from {low:g} to {high:.10g}{steps}"


def unknown_setting(name: str) -> InvalidSpec:
    return InvalidSpec(
        f"There is no setting called {name!r}; the settings are {', '.join(BY_NAME)}."
    )


def _refusal(field: Field, value: Any) -> InvalidSpec:
    shown = json.dumps(value, default=str)
    many = " each" if field.kind.endswith("s") and field.kind != "choice" else ""
    return InvalidSpec(
        f"{field.label} ({field.name}) must be {allowed_text(field)}{many}; received {shown[:80]}."
    )


def _scalar_from_text(field: Field, text: str) -> Any:
    kind = field.kind.rstrip("s")
    if kind == "flag":
        words = {
            "yes": True,
            "true": True,
            "on": True,
            "1": True,
            "no": False,
            "false": False,
            "off": False,
            "0": False,
        }
        if text.lower() not in words:
            raise _refusal(field, text)
        return words[text.lower()]
    if kind in ("int", "float"):
        try:
            return int(text) if kind == "int" else float(text)
        except ValueError:
            raise _refusal(field, text) from None
    return text


def check_value(field: Field, value: Any) -> Any:
    if field.kind in ("ints", "floats", "flags", "choices"):
        if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
            value = (value,)
        values = tuple(value)
        if len(values) > MAX_BLOCKS:
            raise InvalidSpec(
                f"{field.label} ({field.name}) takes at most {MAX_BLOCKS} values; received {len(values)}."
            )
        if not values and field.kind != "ints":
            raise InvalidSpec(
                f"{field.label} ({field.name}) needs at least one value: {allowed_text(field)}."
            )
        return tuple(_checked_scalar(field, single, field.kind.rstrip("s")) for single in values)
    return _checked_scalar(field, value, field.kind)


def _checked_scalar(field: Field, value: Any, kind: str) -> Any:
    if hasattr(value, "item"):  # a NumPy scalar, as widgets and sweeps bring
        value = value.item()
    if kind == "text":
        if (
            not isinstance(value, str)
            or not 1 <= len(value.strip()) <= 60
            or not value.isprintable()
        ):
            raise _refusal(field, value)
        return value.strip()
    if kind == "choice":
        if value not in field.allowed:
            raise _refusal(field, value)
        return value
    if kind == "flag":
        if not isinstance(value, bool):
            raise _refusal(field, value)
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise _refusal(field, value)
    if (kind == "int" and value % field.step) or not field.allowed[0] <= value <= field.allowed[1]:
        raise _refusal(field, value)
    return int(value) if kind == "int" else float(value)
