"""Auxiliary data: pictures that a training learns from in addition to the data set, so that the
network can read people's own pictures.

They are made from pictures of the data set, drawn by the computer, or photographs; some show none
of the ten classes. All are prepared by `core.pictures.preparation`, as a visitor's picture is, so
the network learns from exactly what preparation leaves of a garment. Each has a target of ten
probabilities: 1 for one class, or equal shares where several classes are right or where none is, so
that a network learns to be unsure there.

They are made once and kept: preparing tens of thousands of pictures takes minutes. No held-out
picture (see `core.outside.sources`) and no test picture is among them.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from fsspec.implementations.local import LocalFileSystem
from numpy.typing import NDArray
from PIL import Image

from core import evaluation, pictures, settings
from core.data.fashion_mnist import Dataset
from core.labels import CLASS_NAMES, SIDE
from core.outside import generated, people, sources
from core.runs import storage

if TYPE_CHECKING:
    from core.inference import Network

# How many of each kind; the photographs are few, so each is used in several views. Chosen by what
# two cores prepare in minutes.
COUNTS = {
    "traced sketches": 6_000,
    "traced icons": 4_000,
    "composed": 3_000,
    "sketches": 5_000,
    "icons": 3_500,
    "scribbles": 1_500,
}
VIEWS = 6  # of each photograph: itself and five altered ones
# Pictures of each kind that are made again, to see whether the kept ones still match the code.
PROBE = 8
LEAST_TUNED = 20  # pictures of a kind, for a threshold of its own
TUNED_ON = 300  # drawings of each kind on which the threshold is found
# A little above the nine in ten that is promised: the threshold is found on few pictures.
SURE_PRECISION = 0.93
UNKNOWN = np.full(len(CLASS_NAMES), 1 / len(CLASS_NAMES), np.float32)
FOLDER = (
    "lessons"  # of ATELIER_HOME; earlier versions called the pictures so, and theirs stay valid
)

Label = TypeVar("Label")  # what comes with a picture: its targets, or the labels that are right
Targets = NDArray[np.float32]  # `(10,)` or `(n, 10)`, rows summing to 1


class TuningPictures(NamedTuple):
    """Prepared pictures of one source: pixels uint8 `(n, 28, 28)`, which labels are right, bool
    `(n, 10)`, and what preparation found each to be, `(n,)` of `pictures.KINDS`.
    """

    pixels: NDArray[np.uint8]
    accepted: NDArray[np.bool_]
    kinds: NDArray[np.str_]


Tuning = dict[str, TuningPictures]  # by source


@dataclass(frozen=True)
class AuxiliaryPictures:
    """Prepared pictures with their targets.

    Attributes:
        pixels: uint8 `(n, 28, 28)`.
        targets: float32 `(n, 10)`, rows summing to 1.
        kinds: how many of each kind, in the order of the pictures.
    """

    pixels: NDArray[np.uint8]
    targets: Targets
    kinds: dict[str, int]


def auxiliary_pictures(
    data: Dataset,
    indices: NDArray[np.integer],
    photographs: str | Path | None,
    *,
    folders: Mapping[people.Source, Path] | None = None,
    progress: Callable[[str], None] = lambda words: None,
    counts: dict[str, int] | None = None,
) -> AuxiliaryPictures:
    """Prepare all auxiliary pictures, or read those that were prepared before.

    Args:
        data: its training pictures are traced and composed.
        indices: which of them may be used: those that are trained on.
        photographs: a folder as `sources.list_photographs` reads it, or None to do without.
        folders: of people's pictures, as `core.outside.people` reads them; those that there are.
        progress: is told what is being prepared.
        counts: how many of each kind, instead of `COUNTS`.

    Raises:
        UnreadablePicture: if one of the folders has no such pictures.
        StorageProblem: if the prepared pictures cannot be kept.
    """
    source = (
        f"{data.fingerprint} {hashlib.sha256(np.ascontiguousarray(indices).tobytes()).hexdigest()}"
    )
    parts = {}
    for kind, count in (COUNTS if counts is None else counts).items():
        make = (
            partial(_composed, data, indices, count)
            if kind == "composed"
            else partial(_drawn, kind, count, data, indices)
        )
        from_data = kind.startswith(("traced", "composed"))
        parts[kind] = _read_or_make(kind, f"{count} {source if from_data else ''}", make, progress)
    folders = folders or {}
    if photographs:
        count = len(sources.list_photographs(photographs, "learn"))
        shoes = people.shoe_labels(folders.get("snapshots"))
        size = f"{count} {VIEWS}" + (f" {len(shoes)} shoes" if shoes else "")
        parts["photographs"] = _read_or_make(
            "photographs", size, partial(_photographs, photographs, shoes), progress
        )
    for source, folder in folders.items():
        count = len(people.list_pictures(source, folder, "learn"))
        parts[source] = _read_or_make(
            source, f"{count} {people.BALANCE[source]}", partial(_people, source, folder), progress
        )
    return AuxiliaryPictures(
        np.concatenate([pixels for pixels, _ in parts.values()]),
        np.concatenate([targets for _, targets in parts.values()]),
        {kind: len(pixels) for kind, (pixels, _) in parts.items()},
    )


def _read_or_make(
    kind: str,
    size: str,
    make: Callable[[], Iterator[tuple[Image.Image, Targets]]],
    progress: Callable[[str], None],
) -> tuple[NDArray[np.uint8], Targets]:
    """Pixels and targets of one kind, read from disk or made and written there.

    The file is named after its size and its first pictures: if these come out differently, the
    code that makes them has changed.
    """
    first = list(islice(_prepared(make()), PROBE))
    mark = hashlib.sha256(
        size.encode() + b"".join(one.pixels.tobytes() + target.tobytes() for one, target in first)
    ).hexdigest()[:12]
    path = settings.home() / FOLDER / f"{kind.replace(' ', '-')}-{mark}.npz"
    if path.is_file():
        with np.load(path) as file:
            return file["pixels"], file["targets"]
    all_pixels, all_targets = [], []
    for number, (one, target) in enumerate(_prepared(make())):
        if number % 100 == 0:
            progress(f"{kind}: {number:,} prepared")
        all_pixels.append(one.pixels)
        all_targets.append(target)
    part = (
        np.array(all_pixels, np.uint8).reshape(-1, SIDE, SIDE),
        np.array(all_targets, np.float32).reshape(-1, len(CLASS_NAMES)),
    )
    packed = io.BytesIO()
    np.savez_compressed(packed, pixels=part[0], targets=part[1])
    storage.put(LocalFileSystem(), str(path), packed.getvalue())
    return part


def _prepared(
    images: Iterable[tuple[Image.Image, Label]],
) -> Iterator[tuple[pictures.Prepared, Label]]:
    """Each picture, prepared, with what came with it; pictures in which nothing is found are left
    out.
    """
    for image, label in images:
        prepared = pictures.prepare(image, fill=True)
        if not prepared.blank:
            yield prepared, label


def tuning_pictures(
    photographs: str | Path | None,
    count: int | None = None,
    folders: Mapping[people.Source, Path] | None = None,
) -> Tuning:
    """Pictures that are neither learned from nor measured, by kind; some of each kind show none of
    the ten classes.

    Args:
        photographs, folders: as `auxiliary_pictures` takes them.
        count: computer-generated drawings of each kind, instead of `TUNED_ON`.

    Returns:
        pixels and the labels that are right; no label is right for a picture of none of the ten.
    """
    count = TUNED_ON if count is None else count
    scribbles = sources.list_drawings("scribbles", "tune", count // 4)
    kinds: dict[str, list[sources.OutsidePicture]] = {
        "sketches": sources.list_drawings("sketches", "tune", count) + scribbles,
        "icons": sources.list_drawings("icons", "tune", count) + scribbles,
    }
    folders = folders or {}
    if photographs:
        shoes = people.shoe_labels(folders.get("snapshots"))
        kinds["photographs"] = sources.list_photographs(photographs, "tune", shoes)
    for source, folder in folders.items():
        found = people.list_pictures(source, folder, "tune")
        garments = [one for one in found if one.accepted]
        others = [one for one in found if not one.accepted]
        # In the proportion of the scribbles, or they alone would set the threshold.
        kinds[source] = garments + others[: len(garments) // 4]
    labels = np.arange(len(CLASS_NAMES))
    tuning = {}
    for kind, candidates in kinds.items():
        prepared = list(
            _prepared((one.open(), np.isin(labels, one.accepted)) for one in candidates)
        )
        tuning[kind] = TuningPictures(
            np.array([one.pixels for one, _ in prepared]),
            np.array([accepted for _, accepted in prepared]),
            np.array([one.kind for one, _ in prepared]),
        )
    return tuning


def sure_thresholds(network: Network, tuning: Tuning) -> dict[str, float]:
    """The confidence from which on a network may be sure of people's own pictures, by what
    preparation found them to be (`pictures.KINDS`).

    Args:
        network: at the temperature that is used later.
        tuning: from `tuning_pictures`; being sure of a picture of none of the ten counts as wrong.
            What the computer drew counts only where there are too few pictures by people.
    """
    kinds = np.concatenate([one.kinds for one in tuning.values()])
    probabilities = np.concatenate([network.both_ways(one.pixels) for one in tuning.values()])
    accepted = np.concatenate([one.accepted for one in tuning.values()])
    by_people = np.concatenate(
        [np.full(len(one.kinds), source not in generated.KINDS) for source, one in tuning.items()]
    )
    confidence, correct = probabilities.max(axis=1), _correct(probabilities, accepted)
    thresholds: dict[str, float] = {}
    for kind in pictures.KINDS:
        chosen = by_people & (kinds == kind)
        if chosen.sum() < LEAST_TUNED:
            chosen = kinds == kind
        if chosen.sum() < LEAST_TUNED:
            chosen = np.ones(len(kinds), bool)
        needed = evaluation.sure_from(confidence[chosen], correct[chosen], SURE_PRECISION)
        thresholds[kind] = float(needed)
    return thresholds


def accuracy(probabilities: dict[str, NDArray[np.floating]], tuning: Tuning) -> float:
    """Share of correct answers `(n, 10)` to the garments among tuning pictures: the mean over the
    kinds, 0..1.
    """
    shares = []
    for kind, (_, accepted, _) in tuning.items():
        garments = accepted.any(axis=1)
        shares.append(_correct(probabilities[kind], accepted)[garments].mean())
    return float(np.mean(shares))


def _correct(probabilities: NDArray[np.floating], accepted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether the most probable class of each row is a right one, `(n,)`."""
    correct: NDArray[np.bool_] = accepted[np.arange(len(accepted)), probabilities.argmax(axis=1)]
    return correct


def target_of(accepted: tuple[int, ...]) -> Targets:
    """Ten shares, float32: equal among the right answers, or among all where none is."""
    if not accepted:
        return UNKNOWN
    target = np.zeros(len(CLASS_NAMES), np.float32)
    target[list(accepted)] = 1 / len(accepted)
    return target


def _drawn(
    kind: str, count: int, data: Dataset, indices: NDArray[np.integer]
) -> Iterator[tuple[Image.Image, Targets]]:
    """Images of drawings, invented or traced from pictures of the data, with their targets."""
    style = generated.as_kind(kind.removeprefix("traced "))
    if style == kind:
        for picture in sources.list_drawings(style, "learn", count):
            yield picture.open(), target_of(picture.accepted)
        return
    for index, rng in _choose(indices, count, kind):
        design = generated.trace(data.train_pixels[index], rng)
        image = generated.render(style, design, rng)
        yield image, target_of((int(data.train_labels[index]),))


def _composed(
    data: Dataset, indices: NDArray[np.integer], count: int
) -> Iterator[tuple[Image.Image, Targets]]:
    """Garments of the data in some colour on an uneven background, rotated a little, as a
    photograph would show them.
    """
    side = 160
    for index, rng in _choose(indices, count, "composed"):
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


def _people(source: people.Source, folder: Path) -> Iterator[tuple[Image.Image, Targets]]:
    for image, accepted in people.views(source, folder):
        yield image, target_of(accepted)


def _photographs(
    path: str | Path, shoes: Mapping[str, tuple[int, ...]]
) -> Iterator[tuple[Image.Image, Targets]]:
    """Each photograph of the part to learn from, as it is and altered."""
    for number, picture in enumerate(sources.list_photographs(path, "learn", shoes)):
        image = picture.open().convert("RGB")
        target = target_of(picture.accepted)
        for view in range(VIEWS):
            rng = np.random.default_rng([number, view])
            altered = people.retake(image, rng) if view else image
            yield altered, target


def _choose(
    indices: NDArray[np.integer], count: int, kind: str
) -> Iterator[tuple[int, np.random.Generator]]:
    """Training pictures to work from, each with its own generator; the same for equal arguments."""
    seed = sum(kind.encode())
    for position, index in enumerate(np.random.default_rng(seed).permutation(indices)[:count]):
        yield int(index), np.random.default_rng([seed, position])
