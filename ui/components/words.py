"""How settings, numbers and times are written for people."""

from __future__ import annotations

from typing import Any

WORDS = {  # what people read instead of the values that files and terminals know
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
    "transfer": "Transfer: a borrowed network",
    "mobilenet_v2": "MobileNetV2",
    "resnet50_v2": "ResNet50V2",
    "stratified": "Random, classes equal",
    "fold": "One of k folds",
    "test": "The test set (leaks)",
    "none": "None",
    "as_block": "As the convolution",
}


def text_of(value: Any) -> str:
    """A value as a person types it; `parse_setting` reads it back."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(text_of(single) for single in value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def about(seconds: float) -> str:
    """An estimate, no more precise than it is: to ten seconds below two minutes, then to minutes."""
    step = 10 if seconds < 120 else 60
    return f"~ {duration(max(step, round(seconds / step) * step))}"


def duration(seconds: float) -> str:
    """Seconds as people say them: `40 s`, `3 min 20 s`, `1 h 5 min`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def word(value: str) -> str:
    """What people read instead of a value that files and terminals know."""
    return WORDS.get(value, value.replace("_", " ").capitalize())
