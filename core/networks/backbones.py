"""Networks that others trained on photographs, borrowed: their layers as data, and in which epochs
which layers learn.

One idea: a borrowed network is a list of layers like Atelier's own ones, and lies as a file in
`assets/backbones`. So its size, its work and its inside can be shown without Keras, and
`architectures` builds it flat, layer by layer, without a model in the model. `keras_backbones`
writes these files.

While the new last layers learn from nothing, large gradients would spoil what was borrowed: so it
stays frozen for some epochs, and learns slowly after them. Source: Yosinski et al., How
transferable are features in deep neural networks?, arXiv 1411.1792.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

from core import settings
from core.specs.spec import TrainSpec

FORWARD_SHARE = 1 / 3  # of the work of a step, where nothing goes back through the borrowed network
_WEIGHTS = "https://storage.googleapis.com/tensorflow/keras-applications"


@dataclass(frozen=True)
class Backbone:
    """A borrowed network without its last layer.

    `layers` are dicts with `name`, `kind`, `inputs` (none for what reads the picture) and
    `options`. It reads pictures of three channels in -1..1, whose sides are multiples of 32.
    """

    name: str
    title: str
    source: str
    megabytes: int
    layers: tuple[dict, ...]


@dataclass(frozen=True)
class Stage:
    """Epochs, `first` to `last` counted from 1, in which the same layers learn at one rate.

    `name` is "frozen" where a borrowed network is left as it is, "fine-tuning" where it learns too,
    empty for any other network.
    """

    name: str
    first: int
    last: int
    learning_rate: float

    @property
    def frozen(self) -> bool:
        """Whether only the new layers learn."""
        return self.name == "frozen"


_KNOWN = {
    "mobilenet_v2": ("MobileNetV2", "Sandler et al., MobileNetV2, arXiv 1801.04381", 9),
    "resnet50_v2": (
        "ResNet50V2",
        "He et al., Identity mappings in deep residual networks, arXiv 1603.05027",
        94,
    ),
}


def file(name: str) -> Path:
    """Where the layers of a borrowed network are written down."""
    return settings.ASSETS / "backbones" / f"{name}.json"


@functools.lru_cache
def get(name: str) -> Backbone:
    """The borrowed network of that name, one of those that the field `backbone` of a spec allows."""
    title, source, megabytes = _KNOWN[name]
    described = json.loads(file(name).read_text(encoding="utf-8"))["layers"]
    return Backbone(
        name, title, source, megabytes, tuple({"options": {}, **layer} for layer in described)
    )


def weights_address(name: str, side: int) -> str:
    """Where the weights for pictures of that side are published; Keras takes those of 224 pixels
    for sides without their own.
    """
    if name == "resnet50_v2":
        return f"{_WEIGHTS}/resnet/resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5"
    own = side if side in (96, 128, 160, 192, 224) else 224
    return f"{_WEIGHTS}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{own}_no_top.h5"


def keeps_averages(spec: TrainSpec) -> bool:
    """Whether the normalisations of a borrowed network go on with the averages they came with, also
    while they learn.

    Averages of small batches of other pictures would undo what was borrowed. With fresh weights
    there is nothing to keep.
    """
    return spec.architecture == "transfer" and spec.start_from != "nothing"


def stages(spec: TrainSpec) -> tuple[Stage, ...]:
    """The stages of a training, one after the other; one of all epochs for a network that is not
    borrowed.
    """
    if spec.architecture != "transfer":
        return (Stage("", 1, spec.epochs, spec.learning_rate),)
    frozen = min(spec.frozen_epochs, spec.epochs)
    both = (
        Stage("frozen", 1, frozen, spec.learning_rate),
        Stage("fine-tuning", frozen + 1, spec.epochs, spec.fine_tune_rate),
    )
    return tuple(stage for stage in both if stage.first <= stage.last)


def stage_of(spec: TrainSpec, epoch: int) -> Stage:
    """The stage that an epoch, counted from 1, belongs to; the last one for those after it."""
    every = stages(spec)
    return next((stage for stage in every if epoch <= stage.last), every[-1])


def effort(spec: TrainSpec, first: int, last: int) -> float:
    """How much work the epochs from `first` to `last` are, in epochs in which everything learns; 0
    where there are none.
    """
    return sum(
        FORWARD_SHARE if stage_of(spec, epoch).frozen else 1.0 for epoch in range(first, last + 1)
    )
