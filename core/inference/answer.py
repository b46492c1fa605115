"""The one way from a picture to an answer: prepare it, put it to a network, say how far the answer
can be relied on.

The pages, `python -m core predict` and the measurements on held-out pictures all ask here, with the
same defaults, so what is measured is what people get. Files and canvases become pictures in
`core.pictures`; how a network computes its probabilities is in `core.inference.network`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import pictures
from core.pictures import scribble

if TYPE_CHECKING:
    from core.inference.network import Network


@dataclass(frozen=True)
class PreparationOptions:
    """How a picture is to be prepared; the defaults are those of every page and command.

    Attributes:
        polarity, trim, crop: as `core.pictures.prepare` takes them.
        fill: whether closed outlines are filled. Photographs stay as they are either way.
        pen: width in pixels of the strokes of a drawing, which is then checked for being a
            scribble; None for pictures that were not drawn here.
    """

    polarity: pictures.Polarity = "auto"
    trim: bool = True
    fill: bool = True
    crop: pictures.Crop | None = None
    pen: float | None = None


DEFAULTS = PreparationOptions()


@dataclass(frozen=True)
class Question:
    """A picture that is ready to be put to networks.

    Attributes:
        prepared: its pixels, the steps that led to them, and remarks for its owner.
        doubt: a sentence on why no answer can be sure, whatever a network says; empty where there
            is no such reason.
    """

    prepared: pictures.Prepared
    doubt: str = ""

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """What networks read: `(28, 28)`, bright garment on black."""
        return self.prepared.pixels


@dataclass(frozen=True)
class Prediction:
    """What a network says about one picture.

    Attributes:
        probabilities: float32 `(10,)`, summing to 1.
        sure: whether the network is confident enough to name one class.
    """

    probabilities: NDArray[np.float32]
    sure: bool

    @property
    def label(self) -> int:
        """The most probable class, 0..9."""
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> float:
        """The largest probability, 0..1."""
        return float(self.probabilities[self.label])


@dataclass(frozen=True)
class Answered:
    """A picture with its answer; `prediction` is None where nothing was found in the picture."""

    question: Question
    prediction: Prediction | None


def ask(network: Network, picture: Image.Image, options: PreparationOptions = DEFAULTS) -> Answered:
    """Prepare a picture and let a network answer.

    Args:
        picture: of any size and mode, best from `pictures.read` or `pictures.from_canvas`.
    """
    question = prepare(picture, options)
    if question.prepared.blank:
        return Answered(question, None)
    prediction = predict(
        network, question.pixels, doubt=question.doubt, kind=question.prepared.kind
    )
    return Answered(question, prediction)


def prepare(picture: Image.Image, options: PreparationOptions = DEFAULTS) -> Question:
    """The first half of `ask`, for a picture that several networks answer.

    Raises:
        ValueError: if the options name no polarity of `pictures.POLARITIES`.
    """
    prepared = pictures.prepare(
        picture,
        polarity=options.polarity,
        trim=options.trim,
        fill=options.fill,
        crop=options.crop,
        pen=options.pen,
    )
    if options.pen is None:
        return Question(prepared)
    return Question(prepared, scribble.doubt(np.asarray(picture.convert("RGBA")), options.pen))


def predict(
    network: Network,
    pixels: NDArray[np.uint8],
    *,
    doubt: str = "",
    kind: pictures.Kind | None = None,
    from_data_set: bool = False,
) -> Prediction:
    """The second half of `ask`: a network's answer to prepared pixels.

    Args:
        pixels: `(28, 28)`, bright garment on black.
        doubt: as `Question` has it.
        kind: what the picture turned out to be; None for a picture of the data set.
        from_data_set: answer as the figures of a run were measured, without the mirror image.
    """
    probabilities = (
        network.probabilities(pixels[None]) if from_data_set else network.both_ways(pixels[None])
    )
    sure = bool(network.sure(probabilities, kind)[0])
    return Prediction(probabilities[0], not doubt and sure)


def predict_all(
    network: Network, pixels: NDArray[np.uint8], kinds: Sequence[pictures.Kind]
) -> list[Prediction]:
    """Answers to any number of prepared pictures `(n, 28, 28)` at once, as `predict` gives them."""
    return [
        Prediction(row, bool(network.sure(row[None], kind)[0]))
        for row, kind in zip(network.both_ways(pixels), kinds, strict=True)
    ]
