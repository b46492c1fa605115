"""Trainings with a name: a spec, a sentence about it, and what was published for it where something was."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.errors import InvalidSpec
from core.spec import TrainSpec


@dataclass(frozen=True)
class Preset:
    """A named `TrainSpec`.

    `published` holds the figures of the report it comes from: `test_accuracy` and `test_loss` as fractions and nats, and
    `source`; empty where the preset is Atelier's own.
    """

    name: str
    title: str
    sentence: str
    spec: TrainSpec
    published: dict = field(default_factory=dict)


_ALL = (
    Preset(
        "swift", "Swift", "A good small network in a few minutes: strided stem, normalised blocks, one-cycle learning rate.",
        TrainSpec(name="swift", architecture="swift", filters=(24, 48, 96), batch_norm=True, dense_units=(), dropout=(0.0,),
                  block_dropout=(0.1,), optimizer="adamw", learning_rate=0.01, schedule="one_cycle", weight_decay=0.01,
                  batch=256, epochs=8, label_smoothing=0.05, flip=True, initializer="he_normal"),
    ),
    Preset(
        "lab3-cnn", "Lab 3 CNN", "Three blocks of convolution, LeakyReLU and pooling with a dense layer, as a student's lab "
        "report describes it; it begins to overfit after about six epochs.",
        TrainSpec(name="lab3-cnn", architecture="cnn", filters=(32, 64, 128), activation="leaky_relu", dense_units=(128,),
                  dropout=(0.3,), optimizer="adam", learning_rate=0.001, batch=64, epochs=20, validation="last",
                  validation_fraction=0.2),
        {"test_accuracy": 0.9153, "test_loss": 0.4094,
         "source": "Kulubecioglu, Laboratory Work 3: Convolutional Neural Network, Kyiv Polytechnic, 2024"},
    ),
    Preset(
        "champion", "Champion", "A residual network for accuracy: longer training with mirrored, shifted and partly erased "
        "pictures.",
        TrainSpec(name="champion", architecture="resnet", filters=(32, 64, 128), blocks=1, batch_norm=True, dense_units=(),
                  optimizer="adamw", learning_rate=0.006, schedule="one_cycle", weight_decay=0.05, batch=128, epochs=60,
                  validation_fraction=0.05, label_smoothing=0.1, flip=True, shift=2, erase=0.35, initializer="he_normal",
                  average_weights=True, precision="bfloat16"),
    ),
)
PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ALL}


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        InvalidSpec: naming the presets there are.
    """
    if name not in PRESETS:
        raise InvalidSpec(f"There is no preset called {name!r}; the presets are {', '.join(PRESETS)}.")
    return PRESETS[name]
