"""Networks that others trained on photographs: their layers as data, and which epochs freeze them.

A pretrained network is a list of layers like Atelier's own, kept as a file in `assets/backbones`.
So its size, its work and its inside can be shown without Keras, and `core.networks.architectures`
builds it flat, layer by layer, instead of as a model within the model. The files are written by
`core.networks.keras_backbones`, which also fetches the weights.

While the new last layers start from random weights, large gradients would spoil the pretrained
ones. So these stay frozen for some epochs, and learn slowly after that. Source: Yosinski et al.,
How transferable are features in deep neural networks?, arXiv 1411.1792.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypedDict

from core import settings
from core.networks.layers import LayerKind, LayerOptions
from core.specs.fields import BackboneName
from core.specs.spec import TrainSpec

# Of the work of a step, where no gradient passes through the pretrained network.
FORWARD_SHARE = 1 / 3
_WEIGHTS = "https://storage.googleapis.com/tensorflow/keras-applications"

StageName = Literal["", "frozen", "fine-tuning"]


class BackboneLayer(TypedDict):
    """A layer of a pretrained network, as its file has it; `inputs` is empty for the first."""

    name: str
    kind: LayerKind
    inputs: list[str]
    options: LayerOptions


@dataclass(frozen=True)
class Backbone:
    """A pretrained network without its last layer.

    It reads pictures of three channels in -1..1, whose sides are multiples of 32.

    Attributes:
        name: by which a spec asks for it.
        title: for people.
        source: the paper.
        megabytes: size of its published weights.
        layers: in an order in which each comes after those that it reads.
    """

    name: BackboneName
    title: str
    source: str
    megabytes: int
    layers: tuple[BackboneLayer, ...]


@dataclass(frozen=True)
class Stage:
    """Epochs in which the same layers learn at the same rate.

    Attributes:
        name: "frozen" while a pretrained network stays as it is, "fine-tuning" once it learns, too;
            empty for any other network.
        first: its first epoch, counted from 1.
        last: its last epoch.
        learning_rate: the highest, where a schedule changes it.
    """

    name: StageName
    first: int
    last: int
    learning_rate: float

    @property
    def frozen(self) -> bool:
        """Whether only the new last layers learn."""
        return self.name == "frozen"


_KNOWN: dict[BackboneName, tuple[str, str, int]] = {
    "mobilenet_v2": ("MobileNetV2", "Sandler et al., MobileNetV2, arXiv 1801.04381", 9),
    "resnet50_v2": (
        "ResNet50V2",
        "He et al., Identity mappings in deep residual networks, arXiv 1603.05027",
        94,
    ),
}


def file(name: BackboneName) -> Path:
    """The file that lists the layers of a pretrained network."""
    return settings.ASSETS / "backbones" / f"{name}.json"


@functools.lru_cache
def get(name: BackboneName) -> Backbone:
    """The pretrained network of that name."""
    title, source, megabytes = _KNOWN[name]
    described = json.loads(file(name).read_text(encoding="utf-8"))["layers"]
    layers = tuple(
        BackboneLayer(
            name=layer["name"],
            kind=layer["kind"],
            inputs=layer["inputs"],
            options=layer.get("options", {}),
        )
        for layer in described
    )
    return Backbone(name, title, source, megabytes, layers)


def weights_address(name: BackboneName, side: int) -> str:
    """Where the weights for pictures of that side are published.

    Keras takes those for 224 pixels where a side has none of its own.
    """
    if name == "resnet50_v2":
        return f"{_WEIGHTS}/resnet/resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5"
    own = side if side in (96, 128, 160, 192, 224) else 224
    stem = f"{_WEIGHTS}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0"
    return f"{stem}_{own}_no_top.h5"


def keeps_averages(spec: TrainSpec) -> bool:
    """Whether a pretrained network normalises by its pretrained averages even while it learns.

    Averages over small batches of other pictures would spoil it. With random initial weights there
    is nothing to keep.
    """
    return spec.architecture == "transfer" and spec.start_from != "nothing"


def stages(spec: TrainSpec) -> tuple[Stage, ...]:
    """The stages of a training, in order; a single one if no pretrained network is involved and the
    schedule never restarts.

    >>> spec = TrainSpec(architecture="transfer", frozen_epochs=2, epochs=5)
    >>> [(stage.name, stage.first, stage.last) for stage in stages(spec)]
    [('frozen', 1, 2), ('fine-tuning', 3, 5)]
    """
    if spec.architecture != "transfer":
        return _restarted(Stage("", 1, spec.epochs, spec.learning_rate), spec)
    frozen = min(spec.frozen_epochs, spec.epochs)
    both = (
        Stage("frozen", 1, frozen, spec.learning_rate),
        Stage("fine-tuning", frozen + 1, spec.epochs, spec.fine_tune_rate),
    )
    return tuple(
        part for stage in both if stage.first <= stage.last for part in _restarted(stage, spec)
    )


def _restarted(stage: Stage, spec: TrainSpec) -> tuple[Stage, ...]:
    """A stage, divided where the schedule restarts; a constant rate has nothing to restart."""
    ends = [] if spec.schedule == "constant" else list(spec.restarts)
    ends = [*(end for end in ends if stage.first <= end < stage.last), stage.last]
    firsts = [stage.first, *(end + 1 for end in ends)]
    return tuple(
        replace(stage, first=first, last=last) for first, last in zip(firsts, ends, strict=False)
    )


def stage_of(spec: TrainSpec, epoch: int) -> Stage:
    """The stage that an epoch, counted from 1, belongs to; the last stage for later epochs."""
    every = stages(spec)
    return next((stage for stage in every if epoch <= stage.last), every[-1])


def effort(spec: TrainSpec, first: int, last: int) -> float:
    """The work of the epochs from `first` to `last`, in epochs in which everything learns.

    It is 0 if there are none.
    """
    return sum(
        FORWARD_SHARE if stage_of(spec, epoch).frozen else 1.0 for epoch in range(first, last + 1)
    )
