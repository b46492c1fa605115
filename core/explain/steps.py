"""The arithmetic of a network in steps that can be followed by hand: sizes, one window of a
convolution, one of a pooling.

Every number here is one that the network itself computes: the tests hold a convolution made of
these steps against the layer's own feature map. Made for pages that explain; networks answer
through `inference` and `inside`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.networks.architectures import Layer

# Filters drawn up by people long before networks learnt theirs; 3 x 3, for brightness in 0..1.
CLASSIC = {
    "Vertical edges": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    "Horizontal edges": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "Outline": ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1)),
    "Blur": ((1 / 9,) * 3,) * 3,
    "Sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
}


@dataclass(frozen=True)
class Size:
    """How a convolution or pooling gets from one side to the other.

    Attributes:
        pooling: whether it is a pooling.
        width: side of its input, W.
        field: side of its window, F.
        padding: zeros added to one axis, both ends together: 2P. Odd where one end gets one more.
        stride: step from window to window, S.
        out: side of its output.
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
        return f"{'⌊' if self._rounds else ''}({top})/{self.stride}{'⌋' if self._rounds else ''} + 1 = {self.out}"

    @property
    def latex(self) -> str:
        """The formula in letters, and below it with its numbers, as LaTeX: two lines fit a phone."""
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
        said = f"W: side of the input, {self.width}. F: side of the {kind}, {self.field}. S: stride, {self.stride}."
        if self._counts:
            said += f" P: zeros added at each edge, {self.padding / 2:g}."
        if self._counts and self.padding % 2:
            said += " The number of added rows is odd: the one more goes below, and to the right."
        if self._rounds:
            said += " Where the division leaves a rest, the edge that fills no window is left out."
        return said

    @property
    def _counts(self) -> bool:
        return self.padding > 0 or not self.pooling

    @property
    def _rounds(self) -> bool:
        return (self.width - self.field + self.padding) % self.stride > 0

    def _padded(self, times: str) -> str:
        return str(self.padding) if self.padding % 2 else f"2{times}{self.padding // 2}"


def size(layer: Layer, source: Layer | None) -> Size | None:
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
    return Size(
        pooling, width, field, zeros(width, field, stride, layer.options["padding"])[1], stride, out
    )


def zeros(width: int, field: int, stride: int, padding: str) -> tuple[int, int]:
    """How many zeros `same` or `valid` add to one axis: before it, and altogether."""
    if padding == "valid":
        return 0, 0
    total = max((-(-width // stride) - 1) * stride + field - width, 0)
    return total // 2, total


@dataclass(frozen=True)
class Step:
    """One window of a convolution or pooling, and what becomes of it.

    Attributes:
        row, column: the place in the output.
        top, left: the window's corner in the padded input.
        window: float `(F, F)`, the values in it.
        value: the output at that place. Of a convolution: the sum of window times weights, plus
            bias.
    """

    row: int
    column: int
    top: int
    left: int
    window: np.ndarray
    value: float


@dataclass(frozen=True)
class Walk:
    """A window on its way over one channel of a picture.

    Attributes:
        padded: float `(H, W)`, the input with the zeros around it.
        before: how many of the zeros lie above and to the left.
        inner: side of the input without them.
        weights: float `(F, F)`, or None for max pooling, where the largest value goes on.
        bias: is added to every sum.
        stride: from window to window.
        output: float `(h, w)`, all windows' values.
        field: side of the window.
    """

    padded: np.ndarray
    before: int
    inner: int
    weights: np.ndarray | None
    bias: float
    stride: int
    output: np.ndarray
    field: int

    def step(self, number: int) -> Step:
        """The window of that number, counted from 0, row by row."""
        row, column = divmod(int(number), self.output.shape[1])
        top, left = row * self.stride, column * self.stride
        window = self.padded[top : top + self.field, left : left + self.field]
        return Step(row, column, top, left, window, float(self.output[row, column]))


def convolve(
    values: np.ndarray,
    weights: np.ndarray,
    *,
    bias: float = 0.0,
    stride: int = 1,
    padding: str = "same",
) -> Walk:
    """Lay a filter over a picture of one channel, window by window (without turning it round, as
    all networks do).

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
    values: np.ndarray, *, field: int = 2, stride: int | None = None, padding: str = "valid"
) -> Walk:
    """Keep the largest value of every window.

    Args:
        values: float `(h, w)`.
        field: side of the window.
        stride: pixels from window to window; None: windows lie side by side.
        padding: `same` or `valid`; what is added never is the largest.
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
    values: np.ndarray, field: int, stride: int, padding: str, empty: float = 0.0
) -> tuple[np.ndarray, int]:
    rows, columns = (zeros(side, field, stride, padding) for side in values.shape)
    around = [(before, total - before) for before, total in (rows, columns)]
    return np.pad(np.asarray(values, np.float64), around, constant_values=empty), columns[0]


def _windows(padded: np.ndarray, field: int, stride: int) -> np.ndarray:
    """All windows, `(h, w, F, F)`."""
    return np.lib.stride_tricks.sliding_window_view(padded, (field, field))[::stride, ::stride]
