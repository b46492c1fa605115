"""A network as blocks that are connected: which layers belong together, where ways part and meet.

A list of layers says only which layer reads which. A person wants to see convolutions with what
follows them, residual blocks with their skip connections, and branches side by side. All of that is
read off the layers' inputs, so it holds for Atelier's own networks and for pretrained ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.networks.layers import Layer, LayerKind

# The layers that compute a weighted sum; each opens a unit of its own.
_HEADS: set[LayerKind] = {"Conv2D", "DepthwiseConv2D", "Dense"}
# What belongs to the weighted sum before it.
_TRAILING: set[LayerKind] = {"BatchNormalization", "Activation", "ReLU", "MaxPooling2D", "Dropout"}
_END = ""  # the name of what reads the last layer


@dataclass(frozen=True)
class Unit:
    """Layers one after another that are drawn as one box, with at most one weighted sum.

    Attributes:
        layers: in the order of the forward pass, at least one.
    """

    layers: tuple[Layer, ...]

    @property
    def head(self) -> Layer | None:
        """The convolution or dense layer in it, if there is one."""
        return next((layer for layer in self.layers if layer.kind in _HEADS), None)

    @property
    def last(self) -> Layer:
        """The layer whose output the unit hands on."""
        return self.layers[-1]


@dataclass(frozen=True)
class Fork:
    """Ways that part after one layer and meet in another.

    Attributes:
        branches: what lies on each way; an empty one is a skip connection.
        merge: the layer in which they meet.
    """

    branches: tuple[tuple[Unit | Fork, ...], ...]
    merge: Layer

    @property
    def last(self) -> Layer:
        """The layer whose output the fork hands on."""
        return self.merge


Part = Unit | Fork


@dataclass(frozen=True)
class Block:
    """Parts that belong together, one after another; a single connection leads in and out.

    Attributes:
        parts: at least one.
    """

    parts: tuple[Part, ...]

    @property
    def last(self) -> Layer:
        """The layer whose output the block hands on."""
        return self.parts[-1].last


def blocks(layers: Sequence[Layer]) -> tuple[Block, ...]:
    """The blocks of a network, in the order of the forward pass.

    Args:
        layers: as `architectures.blueprint` gives them, the input first.

    Raises:
        ValueError: if ways cross each other in a manner that branches side by side cannot show.
    """
    first, rest = layers[0], layers[1:]
    readers: dict[str, list[str]] = {layer.name: [] for layer in layers}
    for layer in rest:
        for name in layer.inputs:
            readers[name].append(layer.name)
    readers[layers[-1].name].append(_END)
    return tuple(_grouped([Unit((first,)), *_series(rest, first.name, _END, readers)]))


def units(parts: Sequence[Part]) -> Iterator[Unit]:
    """All units of parts, in order, those on branches included."""
    for part in parts:
        if isinstance(part, Unit):
            yield part
        else:
            for branch in part.branches:
                yield from units(branch)


def connections(parts: Sequence[Part], source: str) -> Iterator[tuple[str, str]]:
    """The connections between layers that a drawing of these parts shows, as (from, to).

    Args:
        source: the layer that leads into the first part; empty for none.
    """
    for part in parts:
        if isinstance(part, Unit):
            for layer in part.layers:
                if source:
                    yield source, layer.name
                source = layer.name
            continue
        for branch in part.branches:
            yield from connections(branch, source)
            yield branch[-1].last.name if branch else source, part.merge.name
        source = part.merge.name


def _series(
    layers: Sequence[Layer], entry: str, end: str, readers: Mapping[str, Sequence[str]]
) -> list[Part]:
    """What lies between two layers, one part after another.

    Args:
        layers: those between them, in the order of the forward pass.
        entry, end: the two.
        readers: by layer, which layers read it, once for each time that they do.
    """
    parts: list[Part] = []
    chain: list[Layer] = []
    here, rest = entry, list(layers)
    while True:
        order = [here, *(layer.name for layer in rest), end]
        meeting = _meeting(order, readers)
        ways = [name for name in readers[here] if name in order]
        if meeting == 1 and len(ways) == 1:
            if not rest:
                return parts + _units(chain)
            chain.append(rest.pop(0))
            here = chain[-1].name
            continue
        if meeting == len(order) - 1:
            raise ValueError(
                f"the ways that part after {here} never meet before {end or 'the end'}"
            )
        between, merge = rest[: meeting - 1], rest[meeting - 1]
        skips = tuple(() for name in ways if name == merge.name)
        branches = []
        for branch in _separate(between, readers):
            own = {layer.name for layer in branch}
            # Of the ways that part here, a branch has only its own.
            within = {**readers, here: [name for name in readers[here] if name in own]}
            branches.append(tuple(_series(branch, here, merge.name, within)))
        parts += [*_units(chain), Fork((*skips, *sorted(branches, key=len)), merge)]
        chain, here, rest = [], merge.name, rest[meeting:]


def _meeting(order: Sequence[str], readers: Mapping[str, Sequence[str]]) -> int:
    """The position of the first layer after `order[0]` that every way passes through."""
    place = {name: number for number, name in enumerate(order)}
    farthest = number = 0
    while True:
        farthest = max(
            [farthest, *(place[name] for name in readers[order[number]] if name in place)]
        )
        number += 1
        if number >= farthest:
            return farthest


def _separate(
    layers: Sequence[Layer], readers: Mapping[str, Sequence[str]]
) -> list[tuple[Layer, ...]]:
    """Layers divided into groups that are not connected with each other."""
    group = {layer.name: number for number, layer in enumerate(layers)}
    for layer in layers:
        for reader in readers[layer.name]:
            if reader in group and group[reader] != group[layer.name]:
                old, new = group[reader], group[layer.name]
                group = {name: new if each == old else each for name, each in group.items()}
    return [
        tuple(layer for layer in layers if group[layer.name] == number)
        for number in dict.fromkeys(group.values())
    ]


def _units(chain: Sequence[Layer]) -> list[Part]:
    """A chain of layers as units: what prepares a weighted sum, the sum, and what treats it."""
    found: list[list[Layer]] = []
    headed = True
    for layer in chain:
        head = layer.kind in _HEADS
        kinds = {each.kind for each in found[-1]} if found else set()
        # Without a weighted sum before it, a normalisation prepares the next one.
        prepares = layer.kind == "BatchNormalization" and "MaxPooling2D" in kinds and not headed
        averages = layer.kind == "GlobalAveragePooling2D"
        treats = layer.kind in _TRAILING and not prepares
        if not found or averages or prepares or (headed and not treats):
            found.append([])
            headed = False
        found[-1].append(layer)
        headed = headed or head
    return [Unit(tuple(group)) for group in found]


def _grouped(parts: Sequence[Part]) -> Iterator[Block]:
    """Parts as blocks: a fork with what prepares it, a separable convolution as one."""
    waiting: list[Part] = []
    for number, part in enumerate(parts):
        after = parts[number + 1] if number + 1 < len(parts) else None
        waiting.append(part)
        first = number == 0
        prepares = isinstance(after, Fork) and isinstance(part, Unit) and part.head is None
        if not first and (prepares or _mixes(part, after, waiting)):
            continue
        yield Block(tuple(waiting))
        waiting = []


def _mixes(part: Part, after: Part | None, waiting: Sequence[Part]) -> bool:
    """Whether the next part belongs to the same separable block: a 1 x 1 convolution that widens,
    a depthwise one, and a 1 x 1 convolution that mixes its channels.
    """
    if not isinstance(part, Unit) or not isinstance(after, Unit) or not part.head or not after.head:
        return False
    if after.head.kind == "DepthwiseConv2D":
        return _pointwise(part.head) and len(waiting) == 1
    return part.head.kind == "DepthwiseConv2D" and _pointwise(after.head)


def _pointwise(layer: Layer) -> bool:
    return layer.kind == "Conv2D" and layer.options["kernel_size"] == 1
