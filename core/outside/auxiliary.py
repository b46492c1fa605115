"""What a training learns beside the data set, so that it can read what people bring: pictures made
of the data's own, drawn ones, photographs, and pictures of nothing it knows.

One idea: they all come through `core.pictures.preparation`, as a visitor's picture does, and so
teach what that leaves of a garment. Each has a target of ten probabilities: one for a class; equal
shares where several are right or where none is, so that a network learns to be unsure there.

They are made once and kept: preparing tens of thousands of pictures takes minutes. Nothing held out
(see `core.outside.sources`) and no test picture is among them.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from fsspec.implementations.local import LocalFileSystem
from PIL import Image, ImageEnhance, ImageOps

from core import evaluation, settings
from core import pictures as picture
from core.data.fashion_mnist import Dataset
from core.labels import CLASS_NAMES
from core.outside import generated, sources
from core.runs import storage

if TYPE_CHECKING:
    from core.inference import Network

# How many of each; the photographs are few, so each is learnt in several views. Chosen by what two
# cores prepare in minutes.
COUNTS = {
    "traced sketches": 6_000,
    "traced icons": 4_000,
    "composed": 3_000,
    "sketches": 5_000,
    "icons": 3_500,
    "scribbles": 1_500,
}
VIEWS = 6  # of each photograph: itself and five altered ones
# Pictures of a kind that are made again to see whether the kept ones are still what would be made.
PROBE = 8
TUNED_ON = 300  # drawings of each kind on which the threshold is found
# A little above the nine in ten that is promised: the threshold is found on few pictures.
SURE_PRECISION = 0.93
UNKNOWN = np.full(len(CLASS_NAMES), 1 / len(CLASS_NAMES), np.float32)


@dataclass(frozen=True)
class Lessons:
    """Prepared pictures with their targets.

    Attributes:
        pixels: uint8 `(n, 28, 28)`.
        targets: float32 `(n, 10)`, rows summing to 1.
        kinds: how many of each kind, in their order.
    """

    pixels: np.ndarray
    targets: np.ndarray
    kinds: dict[str, int]


def lessons(
    data: Dataset,
    indices: np.ndarray,
    photographs: str | Path | None,
    *,
    progress: Callable[[str], None] = lambda words: None,
    counts: dict[str, int] | None = None,
) -> Lessons:
    """All lessons beside the data set; from the folder of kept ones where they were made before.

    Args:
        data: its training pictures are traced and composed.
        indices: which of them may be: those that are trained on.
        photographs: a folder as `outside.photographs` reads it, or None to do without.
        progress: is told what is being made.
        counts: how many of each kind, instead of `COUNTS`.

    Raises:
        UnreadablePicture: if the folder of photographs is none.
        StorageProblem: if they cannot be kept.
    """
    theirs = f"{data.fingerprint} {hashlib.sha256(np.ascontiguousarray(indices)).hexdigest()}"
    found = {}
    for name, count in (COUNTS if counts is None else counts).items():
        made = (
            partial(_composed, data, indices, count)
            if name == "composed"
            else partial(_drawn, name, count, data, indices)
        )
        found[name] = _kept(
            name,
            f"{count} {theirs if name.startswith(('traced', 'composed')) else ''}",
            made,
            progress,
        )
    if photographs:
        count = len(sources.photographs(photographs, "learn"))
        found["photographs"] = _kept(
            "photographs", f"{count} {VIEWS}", partial(_photographs, photographs), progress
        )
    pixels, targets = (
        np.concatenate([part[position] for part in found.values()]) for position in (0, 1)
    )
    return Lessons(pixels, targets, {name: len(part[0]) for name, part in found.items()})


def _kept(
    name: str, size: str, make: Callable[[], Iterator], progress: Callable[[str], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and targets of one kind, read from disk or made and written there.

    Its file is named after its size and its first pictures: if these come out otherwise, it was
    made by other rules.
    """
    first = list(islice(_prepared(make()), PROBE))
    mark = hashlib.sha256(
        size.encode() + b"".join(pixels.tobytes() + target.tobytes() for pixels, target in first)
    ).hexdigest()[:12]
    place = settings.home() / "lessons" / f"{name.replace(' ', '-')}-{mark}.npz"
    if place.is_file():
        with np.load(place) as file:
            return file["pixels"], file["targets"]
    pixels, targets = [], []
    for number, (picture_, target) in enumerate(_prepared(make())):
        if number % 100 == 0:
            progress(f"{name}: {number:,} prepared")
        pixels.append(picture_)
        targets.append(target)
    found = (
        np.array(pixels, np.uint8).reshape(-1, 28, 28),
        np.array(targets, np.float32).reshape(-1, len(CLASS_NAMES)),
    )
    packed = io.BytesIO()
    np.savez_compressed(packed, pixels=found[0], targets=found[1])
    storage.put(LocalFileSystem(), str(place), packed.getvalue())
    return found


def _prepared(
    made: Iterator[tuple[Image.Image, np.ndarray]],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each picture's pixels with its target; those in which nothing is found teach nothing."""
    for image, target in made:
        prepared = picture.prepare(image, fill=True)
        if not prepared.blank:
            yield prepared.pixels, target


def to_tune_on(
    photographs: str | Path | None, count: int | None = None
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Pictures of the part that is neither learnt from nor measured, by kind, some of none of the
    ten among each.

    Args:
        photographs: as `lessons` takes it.
        count: drawings of each kind, instead of `TUNED_ON`.

    Returns:
        pixels uint8 `(n, 28, 28)`, and which labels are right, bool `(n, 10)`; no label is where it
        is none of the ten.
    """
    count = TUNED_ON if count is None else count
    kinds = {
        kind: sources.drawn(kind, "tune", count) + sources.drawn("scribbles", "tune", count // 4)
        for kind in ("sketches", "icons")
    }
    if photographs:
        kinds["photographs"] = sources.photographs(photographs, "tune")
    found = {}
    for kind, pictures in kinds.items():
        prepared = list(
            _prepared(
                (one.open(), np.isin(np.arange(len(CLASS_NAMES)), one.accepted)) for one in pictures
            )
        )
        found[kind] = (
            np.array([pixels for pixels, _ in prepared]),
            np.array([accepted for _, accepted in prepared]),
        )
    return found


def sure_threshold(network: Network, tuning: dict[str, tuple[np.ndarray, np.ndarray]]) -> float:
    """From which confidence on a network may be sure of pictures from outside: the highest that any
    kind of them asks for.

    Args:
        network: at the temperature that is used later.
        tuning: what `to_tune_on` returned; to be sure of a picture of none of the ten counts as
            wrong.
    """
    return max(
        evaluation.sure_from(
            probabilities.max(axis=1), _right(probabilities, accepted), SURE_PRECISION
        )
        for pixels, accepted in tuning.values()
        for probabilities in [network.both_ways(pixels)]
    )


def accuracy(
    probabilities: dict[str, np.ndarray], tuning: dict[str, tuple[np.ndarray, np.ndarray]]
) -> float:
    """Share of right answers `(n, 10)` to the garments among pictures to tune on: the mean over the
    kinds, 0..1.
    """
    garments = {kind: accepted.any(axis=1) for kind, (_, accepted) in tuning.items()}
    return float(
        np.mean(
            [
                _right(probabilities[kind], tuning[kind][1])[chosen].mean()
                for kind, chosen in garments.items()
            ]
        )
    )


def _right(probabilities: np.ndarray, accepted: np.ndarray) -> np.ndarray:
    """Whether the likeliest class of each row is a right one; bool `(n,)`."""
    return accepted[np.arange(len(accepted)), probabilities.argmax(axis=1)]


def target_of(accepted: tuple[int, ...]) -> np.ndarray:
    """Ten shares, float32: equal among the right answers, or among all where none is."""
    if not accepted:
        return UNKNOWN
    target = np.zeros(len(CLASS_NAMES), np.float32)
    target[list(accepted)] = 1 / len(accepted)
    return target


def _drawn(
    kind: str, count: int, data: Dataset, indices: np.ndarray
) -> Iterator[tuple[Image.Image, np.ndarray]]:
    """Drawings made up, or traced from pictures of the data, as their images with their targets."""
    if not kind.startswith("traced "):
        yield from (
            (one.open(), target_of(one.accepted)) for one in sources.drawn(kind, "learn", count)
        )
        return
    for index, rng in _chosen(indices, count, kind):
        design = generated.trace(data.train_pixels[index], rng)
        yield (
            generated.render(kind.removeprefix("traced "), design, rng),
            target_of((int(data.train_labels[index]),)),
        )


def _composed(
    data: Dataset, indices: np.ndarray, count: int
) -> Iterator[tuple[Image.Image, np.ndarray]]:
    """Garments of the data in some colour on an uneven ground, turned a little, as a photograph
    would show them.
    """
    side = 160
    for index, rng in _chosen(indices, count, "composed"):
        small = Image.fromarray(data.train_pixels[index]).resize(
            (int(side * rng.uniform(0.6, 0.9)),) * 2, Image.Resampling.BICUBIC
        )
        turned = small.rotate(float(rng.normal(0, 8)), Image.Resampling.BICUBIC, expand=True)
        shade = np.zeros((side, side), np.float32)
        edge = min(turned.width, side)
        top, left = (int(rng.integers(0, side - edge + 1)) for _ in range(2))
        shade[top : top + edge, left : left + edge] = (
            np.asarray(turned, np.float32)[:edge, :edge] / 255
        )
        cover = (shade * 6).clip(0, 1)[..., None]
        cloth, ground = rng.uniform(10, 245, 3), rng.uniform(20, 240, 3)
        lamp = Image.fromarray(rng.uniform(0.8, 1.15, (3, 3)).astype(np.float32))
        light = np.asarray(lamp.resize((side, side), Image.Resampling.BICUBIC))
        garment = (
            cloth * (0.55 + 0.6 * (shade if rng.random() < 0.5 else 1 - 0.7 * shade))[..., None]
        )
        floor = (ground + rng.normal(0, rng.uniform(1, 14), (side, side, 1))) * light[..., None]
        yield (
            Image.fromarray((garment * cover + floor * (1 - cover)).clip(0, 255).astype(np.uint8)),
            target_of((int(data.train_labels[index]),)),
        )


def _photographs(path: str | Path) -> Iterator[tuple[Image.Image, np.ndarray]]:
    """Each photograph of the part to learn from, as it is and altered."""
    for number, one in enumerate(sources.photographs(path, "learn")):
        image = one.open().convert("RGB")
        for view in range(VIEWS):
            yield (
                _altered(image, np.random.default_rng([number, view])) if view else image,
                target_of(one.accepted),
            )


def _altered(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Turned, cut a little closer, mirrored, in other light: as if taken once more."""
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    width, height = image.size
    margin = max(width, height) // 3
    wide = Image.fromarray(
        np.pad(np.asarray(image), ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    )
    turned = wide.rotate(float(rng.normal(0, 12)), Image.Resampling.BICUBIC)
    closer = rng.uniform(0.0, 0.08, 4) * np.array([width, height, width, height])
    box = (
        margin + closer[0],
        margin + closer[1],
        margin + width - closer[2],
        margin + height - closer[3],
    )
    cut = turned.crop(tuple(round(float(value)) for value in box))
    return ImageEnhance.Contrast(
        ImageEnhance.Brightness(cut).enhance(rng.uniform(0.7, 1.3))
    ).enhance(rng.uniform(0.8, 1.2))


def _chosen(
    indices: np.ndarray, count: int, kind: str
) -> Iterator[tuple[int, np.random.Generator]]:
    """Training pictures to make something of, each with its own generator; the same for the same
    arguments.
    """
    seed = sum(kind.encode())
    for position, index in enumerate(np.random.default_rng(seed).permutation(indices)[:count]):
        yield int(index), np.random.default_rng([seed, position])
