"""The arithmetic of a network in steps that can be followed by hand: output sizes, one window of a
convolution, one of a pooling.

Every number here is one that the network itself computes: the tests compare a convolution made of
these steps with the layer's own feature map. This is for pages that explain; networks answer
through `core.inference` and `core.explain.activations`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.networks.layers import Layer
from core.specs.fields import Padding

Floats = NDArray[np.floating]

# Filters designed by people long before networks learned theirs; 3 x 3, for brightness in 0..1.
CLASSIC = {
    "Vertical edges": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    "Horizontal edges": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "Outline": ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),
    "Blur": ((1 / 9,) * 3,) * 3,
    "Sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
}


@dataclass(frozen=True)
class Size:
    """How the output size of a convolution or pooling follows from its input size.

    Attributes:
        pooling: whether it is a pooling.
        width: side of its input, W.
        field: side of its window, F.
        padding: zeros added to one axis, both ends together: 2P. Odd where one end gets one more.
        stride: step from window to window, S.
        out: side of its output.

    Example:
        >>> Size(pooling=False, width=28, field=3, padding=2, stride=1, out=28).text
        '(28 − 3 + 2·1)/1 + 1 = 28'
    """

    pooling: bool
    width: int
    field: int
    padding: int
    stride: int
    out: int

    @property
    def text(self) -> str:
        """The formula with its numbers on one line, as in `(28 − 3 + 2·1)/1 + 1 = 28`."""
        top = f"{self.width} − {self.field}" + (f" + {self._padded('·')}" if self._counts else "")
        quotient = f"({top})/{self.stride}"
        return f"{f'⌊{quotient}⌋' if self._rounds else quotient} + 1 = {self.out}"

    @property
    def latex(self) -> str:
        """The formula in letters, and below it in numbers, as LaTeX: two lines fit a phone."""
        letters = "W - F" if not self._counts else "W - F + 2P"
        top = f"{self.width} - {self.field}" + (
            f" + {self._padded(chr(92) + 'cdot ')}" if self._counts else ""
        )
        left, right = (r"\left\lfloor", r"\right\rfloor") if self._rounds else ("", "")
        return (
            rf"\begin{{aligned}}W_\text{{out}} &= {left}\frac{{{letters}}}{{S}}{right} + 1 \\[0.6em] "
            rf"&= {left}\frac{{{top}}}{{{self.stride}}}{right} + 1 = {self.out}\end{{aligned}}"
        )

    @property
    def words(self) -> str:
        """What the letters stand for, and what is unusual about the numbers."""
        kind = "pooling window" if self.pooling else "filter"
        sentences = [
            f"W: side of the input, {self.width}. F: side of the {kind}, {self.field}. "
            f"S: stride, {self.stride}."
        ]
        if self._counts:
            sentences.append(f"P: zeros added at each edge, {self.padding / 2:g}.")
        if self._counts and self.padding % 2:
            sentences.append(
                "An odd number of rows is added: the extra one below, and to the right."
            )
        if self._rounds:
            sentences.append(
                "The division is rounded down: an edge too narrow for a window is lost."
            )
        return " ".join(sentences)

    @property
    def _counts(self) -> bool:
        return self.padding > 0 or not self.pooling

    @property
    def _rounds(self) -> bool:
        return (self.width - self.field + self.padding) % self.stride > 0

    def _padded(self, times: str) -> str:
        return str(self.padding) if self.padding % 2 else f"2{times}{self.padding // 2}"


def size_of(layer: Layer, source: Layer | None) -> Size | None:
    """The size formula of a layer with its numbers; None for layers that have none.

    Args:
        layer: any layer of a blueprint.
        source: the layer that it reads.
    """
    if source is None or layer.kind not in ("Conv2D", "DepthwiseConv2D", "MaxPooling2D"):
        return None
    pooling = layer.kind == "MaxPooling2D"
    field = layer.options["pool_size"] if pooling else layer.options["kernel_size"]
    stride = layer.options.get("strides", field)
    width, out = source.output_shape[1], layer.output_shape[1]
    _, added = count_zeros(width, field, stride, padding_of(layer))
    return Size(pooling, width, field, added, stride, out)


def padding_of(layer: Layer) -> Padding:
    """How a convolution or a pooling treats the edge."""
    padding = layer.options["padding"]
    if not isinstance(padding, str):
        raise TypeError(f"{layer.kind} adds zeros by their widths, not as `same` or `valid`")
    return padding


def count_zeros(width: int, field: int, stride: int, padding: Padding) -> tuple[int, int]:
    """How many zeros `same` or `valid` add to one axis: at its start, and in total.

    >>> count_zeros(28, 3, 1, "same")
    (1, 2)
    >>> count_zeros(28, 3, 2, "same")
    (0, 1)
    """
    if padding == "valid":
        return 0, 0
    total = max((-(-width // stride) - 1) * stride + field - width, 0)
    return total // 2, total


@dataclass(frozen=True)
class Step:
    """One window of a convolution or pooling, and the output computed from it.

    Attributes:
        row, column: the position in the output.
        top, left: the window's corner in the padded input.
        window: float `(F, F)`, the values in it.
        value: the output at that position. Of a convolution: the sum of window times weights, plus
            bias.
    """

    row: int
    column: int
    top: int
    left: int
    window: Floats
    value: float


@dataclass(frozen=True)
class Walk:
    """A window on its way over one channel of a picture.

    Attributes:
        padded: float `(H, W)`, the input with the zeros around it.
        before: how many of the zeros lie above and to the left.
        inner: side of the input without them.
        weights: float `(F, F)`, or None for max pooling, which keeps the largest value.
        bias: is added to every sum.
        stride: from window to window.
        output: float `(h, w)`, the values of all windows.
        field: side of the window.
    """

    padded: Floats
    before: int
    inner: int
    weights: Floats | None
    bias: float
    stride: int
    output: Floats
    field: int

    def step(self, number: int) -> Step:
        """The window of that number, counted from 0, row by row."""
        row, column = divmod(int(number), self.output.shape[1])
        top, left = row * self.stride, column * self.stride
        window = self.padded[top : top + self.field, left : left + self.field]
        return Step(row, column, top, left, window, float(self.output[row, column]))


def convolve(
    values: Floats,
    weights: Floats,
    *,
    bias: float = 0.0,
    stride: int = 1,
    padding: Padding = "same",
) -> Walk:
    """Slide a filter over a picture of one channel, window by window (not flipped, as in all
    networks).

    Args:
        values: float `(h, w)`.
        weights: float `(F, F)`.
        bias: added to every sum.
        stride: pixels from window to window.
        padding: `same` or `valid`.
    """
    field = len(weights)
    padded, before = _pad(values, field, stride, padding)
    output = np.einsum("hwij,ij->hw", _windows(padded, field, stride), weights) + bias
    return Walk(
        padded,
        before,
        values.shape[1],
        np.asarray(weights, np.float64),
        bias,
        stride,
        output,
        field,
    )


def pool(
    values: Floats, *, field: int = 2, stride: int | None = None, padding: Padding = "valid"
) -> Walk:
    """Keep the largest value of every window.

    Args:
        values: float `(h, w)`.
        field: side of the window.
        stride: pixels from window to window; None: windows lie side by side.
        padding: `same` or `valid`; what is added is never the largest.
    """
    stride = stride or field
    padded, before = _pad(values, field, stride, padding, empty=-np.inf)
    return Walk(
        padded,
        before,
        values.shape[1],
        None,
        0.0,
        stride,
        _windows(padded, field, stride).max(axis=(2, 3)),
        field,
    )


def _pad(
    values: Floats, field: int, stride: int, padding: Padding, empty: float = 0.0
) -> tuple[Floats, int]:
    rows, columns = (count_zeros(side, field, stride, padding) for side in values.shape)
    around = [(before, total - before) for before, total in (rows, columns)]
    return np.pad(np.asarray(values, np.float64), around, constant_values=empty), columns[0]


def _windows(padded: Floats, field: int, stride: int) -> Floats:
    """All windows, `(h, w, F, F)`."""
    return np.lib.stride_tricks.sliding_window_view(padded, (field, field))[::stride, ::stride]
