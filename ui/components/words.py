"""What settings are called on the pages, and estimates of time in words.

How a number, a share or a time is written is decided in `core.wording`.
"""

from __future__ import annotations

from core import wording

WORDS = {  # what people read instead of the values in files and terminals
    "fashion-mnist": "Fashion-MNIST",
    "offline-sample": "Offline sample",
    "cnn": "CNN",
    "swift": "Swift",
    "resnet": "ResNet",
    "relu": "ReLU",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "adam": "Adam",
    "adamw": "AdamW",
    "sgd": "SGD with momentum",
    "rmsprop": "RMSprop",
    "one_cycle": "One cycle",
    "last": "The last ones",
    "random": "Random",
    "transfer": "Transfer: a pretrained network",
    "mobilenet_v2": "MobileNetV2",
    "resnet50_v2": "ResNet50V2",
    "stratified": "Random, classes balanced",
    "fold": "One of k folds",
    "test": "The test set (leaks)",
    "none": "None",
    "as_block": "Same as the convolution",
}


def word(value: str) -> str:
    """What people read instead of a value in files and terminals."""
    return WORDS.get(value, value.replace("_", " ").capitalize())


def about(seconds: float) -> str:
    """An estimate as precise as it deserves: to ten seconds below two minutes, then to minutes."""
    step = 10 if seconds < 120 else 60
    return f"~ {wording.duration(max(step, round(seconds / step) * step))}"
