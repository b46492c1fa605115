"""One picture, one answer: how a picture that somebody brings is prepared and put to a network.

One idea: whoever answers a picture and whoever measures such answers ask here, so that what is
measured is what people get.

The page draws the steps between and lets people change them; it calls `core.pictures.preparation`
itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from core import pictures
from core.errors import UnreadablePicture

if TYPE_CHECKING:
    from core.inference.network import Network


@dataclass(frozen=True)
class Prediction:
    """What a network says of one picture.

    Attributes:
        pixels: uint8 `(28, 28)`, what it saw; None where nobody kept it.
        prediction: the likeliest class, 0..9.
        probabilities: float32 `(10,)`, summing to 1.
        sure: whether the network is confident enough to say so without a question mark.
        warnings: sentences for the person who brought the picture.
    """

    pixels: np.ndarray | None
    prediction: int
    probabilities: np.ndarray
    sure: bool
    warnings: tuple[str, ...] = ()

    @property
    def confidence(self) -> float:
        """The largest probability, 0..1."""
        return float(self.probabilities[self.prediction])


def prepare(
    image: Image.Image,
    *,
    polarity: str = "auto",
    trim: bool = True,
    fill: bool = True,
    crop: pictures.Crop | None = None,
) -> pictures.Prepared:
    """Prepare a picture as it is answered where nobody says otherwise; see `picture.prepare`."""
    return pictures.prepare(image, polarity=polarity, trim=trim, fill=fill, crop=crop)


def ask(
    network: Network,
    image: Image.Image,
    *,
    polarity: str = "auto",
    trim: bool = True,
    fill: bool = True,
    crop: pictures.Crop | None = None,
) -> Prediction:
    """Prepare a picture and let a network answer.

    Args:
        image: of any size and mode, best from `picture.read`.
        polarity, trim, fill, crop: see `picture.prepare`.

    Raises:
        UnreadablePicture: if nothing stands out in it; there is nothing to answer then.
    """
    prepared = prepare(image, polarity=polarity, trim=trim, fill=fill, crop=crop)
    if prepared.blank:
        raise UnreadablePicture(" ".join(prepared.warnings))
    probabilities = network.both_ways(prepared.pixels[None])
    return Prediction(
        prepared.pixels,
        int(probabilities[0].argmax()),
        probabilities[0],
        bool(network.sure(probabilities)[0]),
        prepared.warnings,
    )
