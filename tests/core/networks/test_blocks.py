"""A network is drawn as it is: the boxes hold every layer once, and the lines are the layers'
connections.
"""

from __future__ import annotations

from collections import Counter

import pytest

from core.networks import blocks
from core.networks.architectures import blueprint
from core.networks.blocks import Block, Fork, Unit
from core.networks.layers import Layer
from core.specs.presets import PRESETS, preset


def layers_of(parts) -> list[str]:
    names = []
    for part in parts:
        if isinstance(part, Unit):
            names += [layer.name for layer in part.layers]
        else:
            names += [name for branch in part.branches for name in layers_of(branch)]
            names.append(part.merge.name)
    return names


def forks(drawn: tuple[Block, ...]) -> list[Fork]:
    return [part for block in drawn for part in block.parts if isinstance(part, Fork)]


@pytest.mark.parametrize("name", PRESETS)
def test_the_drawing_of_every_preset_is_its_network(name):
    layers = blueprint(preset(name).spec)
    parts = [part for block in blocks.blocks(layers) for part in block.parts]
    assert sorted(layers_of(parts)) == sorted(layer.name for layer in layers)
    real = Counter((source, layer.name) for layer in layers for source in layer.inputs)
    assert Counter(blocks.connections(parts, "")) == real


def test_residual_blocks_have_a_skip_connection_or_a_convolution_beside():
    drawn = blocks.blocks(blueprint(preset("champion").spec))
    beside = [[len(branch) for branch in fork.branches] for fork in forks(drawn)]
    assert beside == [[0, 2], [0, 2], [1, 2], [0, 2], [1, 2], [0, 2]]
    narrowing = next(block for block in drawn if block.last.name == "add_3")
    assert [layer.kind for layer in narrowing.parts[0].layers] == [
        "BatchNormalization",
        "Activation",
    ]


def test_a_backbone_has_its_inverted_residual_and_separable_blocks():
    drawn = blocks.blocks(blueprint(preset("transfer-mobilenet").spec))
    added = [fork.merge.name for fork in forks(drawn) if fork.merge.kind == "Add"]
    assert added == [f"block_{number}_add" for number in (2, 4, 5, 7, 8, 9, 11, 12, 14, 15)]
    separable = [
        [unit.head.kind for unit in block.parts]
        for block in drawn
        if len(block.parts) > 1 and all(isinstance(part, Unit) for part in block.parts)
    ]
    mixed = ["Conv2D", "DepthwiseConv2D", "Conv2D"]
    assert separable == [mixed[1:]] + [mixed] * 6
    assert forks(drawn)[0].branches == ((), (), ())  # the same grey picture as three colours


def test_a_pooling_beside_a_branch_is_on_a_way_of_its_own():
    drawn = blocks.blocks(blueprint(preset("transfer-resnet").spec))
    fork = next(fork for fork in forks(drawn) if fork.merge.name == "conv3_block4_out")
    assert [unit.last.kind for unit in fork.branches[0]] == ["MaxPooling2D"]
    assert [unit.head.kind for unit in fork.branches[1]] == ["Conv2D"] * 3


def made(*rows: tuple[str, str, str]) -> tuple[Layer, ...]:
    return tuple(
        Layer(name, kind, tuple(inputs.split()), {"kernel_size": 1}, (1, 1, 1))
        for name, kind, inputs in rows
    )


def test_branches_within_branches_are_found():
    drawn = blocks.blocks(
        made(
            ("picture", "InputLayer", ""),
            ("a", "Conv2D", "picture"),
            ("b", "Conv2D", "a"),
            ("c", "Conv2D", "b"),
            ("inner", "Add", "b c"),
            ("d", "Conv2D", "a"),
            ("outer", "Concatenate", "inner d a"),
        )
    )
    outer = drawn[-1].parts[-1]
    assert outer.merge.name == "outer" and [len(branch) for branch in outer.branches] == [0, 1, 2]
    inner = outer.branches[2][1]
    assert isinstance(inner, Fork) and inner.merge.name == "inner" and inner.branches[0] == ()


def test_ways_that_cross_are_refused():
    crossed = made(
        ("picture", "InputLayer", ""),
        ("a", "Conv2D", "picture"),
        ("b", "Conv2D", "picture"),
        ("c", "Add", "a b"),
        ("d", "Add", "a b"),
        ("end", "Add", "c d"),
    )
    with pytest.raises(ValueError, match="never meet before end"):
        blocks.blocks(crossed)
