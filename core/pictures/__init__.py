"""From any picture to the 28 x 28 pixels that networks know."""

from core.pictures.crop import Crop
from core.pictures.image_files import read
from core.pictures.preparation import (
    KINDS,
    POLARITIES,
    Kind,
    Polarity,
    Prepared,
    Step,
    from_canvas,
    prepare,
)

__all__ = [
    "KINDS",
    "POLARITIES",
    "Crop",
    "Kind",
    "Polarity",
    "Prepared",
    "Step",
    "from_canvas",
    "prepare",
    "read",
]
