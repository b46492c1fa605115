"""The part of a picture that a person chose, as shares of its width and height.

With shares instead of pixels, the same box fits the reduced picture that a page shows and the full
one in the file. The part is cut from the full one, so that a small garment in a large photograph
keeps its detail.

Nothing is searched for here: the box comes from a page or from the command line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image

# Of width and of height: a click with an unsteady hand is smaller, and a garment of that size could
# not be recognised.
LEAST = 0.03


@dataclass(frozen=True)
class Crop:
    """A box in an upright picture: 0 is its left or top edge, 1 its right or bottom edge.

    Raises:
        ValueError: with a full sentence, if the box leaves the picture or is smaller than `LEAST`.
    """

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        edges = (self.left, self.top, self.right, self.bottom)
        if not all(math.isfinite(edge) and 0 <= edge <= 1 for edge in edges):
            raise ValueError(
                f"A crop is four shares of width and height from 0 to 1; received {_text(edges)}."
            )
        # The smallest box that a page offers may arrive with its last digit rounded down.
        if min(self.right - self.left, self.bottom - self.top) < LEAST - 1e-6:
            raise ValueError(
                f"A crop needs its right edge at least {LEAST} to the right of its left one, and "
                f"its bottom at least {LEAST} below its top; received {_text(edges)}."
            )

    def cut(self, image: Image.Image) -> Image.Image:
        """The part inside the box: every pixel that it touches, so at least one."""
        width, height = image.size
        left, top = min(int(self.left * width), width - 1), min(int(self.top * height), height - 1)
        return image.crop(
            (
                left,
                top,
                max(left + 1, math.ceil(self.right * width - 1e-6)),
                max(top + 1, math.ceil(self.bottom * height - 1e-6)),
            )
        )


def parse(text: str) -> Crop:
    """A crop as people type it, "LEFT,TOP,RIGHT,BOTTOM" in shares of width and height.

    >>> parse("0, 0.1, 0.5, 1")
    Crop(left=0.0, top=0.1, right=0.5, bottom=1.0)
    >>> parse("0,0,2,1")
    Traceback (most recent call last):
        ...
    ValueError: A crop is four shares of width and height from 0 to 1; received 0,0,2,1.

    Raises:
        ValueError: with a full sentence, for anything else.
    """
    try:
        edges = [float(part) for part in text.split(",")]
    except ValueError:
        edges = []
    if len(edges) != 4:
        raise ValueError(
            "A crop is four shares of width and height, LEFT,TOP,RIGHT,BOTTOM, such as 0,0,0.5,1 "
            f"for the left half; received {text[:60]!r}."
        )
    return Crop(*edges)


def _text(edges: tuple[float, ...]) -> str:
    return ",".join(f"{edge:g}" for edge in edges)
