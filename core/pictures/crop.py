"""The part of a picture that a person chose, as shares of its width and height.

Shares instead of pixels: the same box fits the reduced picture that a page shows and the full one
in the file, from which the part is cut, so that a small garment in a large photograph keeps its
detail.

Where the box comes from is not asked here; a garment is not looked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image

# Of width and of height: a click with an unsteady hand is smaller, and no garment that one could
# make out.
LEAST = 0.03


@dataclass(frozen=True)
class Crop:
    """A box in an upright picture: 0 is its left or top edge, 1 its right or bottom edge.

    Raises:
        ValueError: with a full sentence, if the box leaves the picture or is narrower or lower than
            `LEAST`.
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
        # The smallest box that a page lets somebody drag may come back with the last digit rounded
        # down.
        if min(self.right - self.left, self.bottom - self.top) < LEAST - 1e-6:
            raise ValueError(
                f"A crop needs its right edge at least {LEAST} to the right of its left one, and its bottom at least {LEAST} "
                f"below its top; received {_text(edges)}."
            )

    def cut(self, image: Image.Image) -> Image.Image:
        """What is inside; every pixel that the box touches, and so at least one."""
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

    Raises:
        ValueError: with a full sentence, for anything else.
    """
    try:
        edges = [float(part) for part in text.split(",")]
    except ValueError:
        edges = []
    if len(edges) != 4:
        raise ValueError(
            f"A crop is four shares of width and height, LEFT,TOP,RIGHT,BOTTOM, such as 0,0,0.5,1 for the left half; "
            f"received {text[:60]!r}."
        )
    return Crop(*edges)


def _text(edges: tuple[float, ...]) -> str:
    return ",".join(f"{edge:g}" for edge in edges)
