"""Pictures that people made: their freehand drawings, their icons, and more of their photographs.

Each is a folder of the user's own, named in the settings (`core.settings.people_folders`):

- "drawings": strokes as *Quick, Draw!* keeps them, `garments.ndjson` and `none.ndjson` with a
  drawing a line: `{"class": 0..9 or null, "key_id": …, "drawing": [[[x …], [y …]], …]}`, and
  `shoe-28px` with small pictures, white on black, listed in `labels.csv` (`file`, `class`).
- "pictograms": icons, listed in `manifest.csv` (`file`, `class`, `tag`).
- "snapshots": photographs, listed in `manifest.csv` likewise; `shoes-labels.csv` says which kinds
  of shoes the photographs of `core.outside.sources` show.

An empty class stands for none of the ten. Every source is divided as those photographs are: seven
tenths to learn from, one tenth to tune on, two tenths held out, by the name of each picture.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from core import pictures, settings
from core.errors import UnreadablePicture
from core.outside.sources import OutsidePicture, Part, belongs

Source = settings.PeopleSource
SOURCES: tuple[Source, ...] = get_args(Source)
PAPER = 288  # pixels of a drawing, whose strokes span 256
PEN = 6  # pixels: the pen of a drawing that is measured, about as wide as that of the game
UNCLEAR = "unclear"  # marks drawings that people do not recognise either; they are left out
# Photographs of shoes that are none of the ten, but that people would call by one of their names.
DOUBTFUL = "none_other-shoes"
# A source shows some classes ten times as often as others. So each picture is learned in as many
# views as bring its class to the first figure, within the limits of the second.
BALANCE: dict[Source, tuple[int, tuple[int, int]]] = {
    "drawings": (1_000, (2, 8)),
    "pictograms": (400, (2, 30)),
    "snapshots": (900, (3, 12)),
}
NONE_VIEWS: dict[Source, int] = {"drawings": 1, "pictograms": 6, "snapshots": 6}
MOST_NONE = 5_000  # of the views that show none of the ten


@dataclass(frozen=True)
class _Original:
    """A picture of a source: its name, its right answers, and what opens it: as it is, or, with a
    random generator, altered as if somebody had made it once more.
    """

    name: str
    accepted: tuple[int, ...]
    make: Callable[[np.random.Generator | None], Image.Image]


def list_pictures(source: Source, folder: str | Path, part: Part) -> list[OutsidePicture]:
    """The pictures of one source and part, in the order of its files.

    Raises:
        UnreadablePicture: if the folder is not what the module describes.
    """
    return [
        OutsidePicture(one.name, one.accepted, partial(one.make, None))
        for one in _originals(source, folder, part)
    ]


def views(source: Source, folder: str | Path) -> Iterator[tuple[Image.Image, tuple[int, ...]]]:
    """What a network learns from: each picture of the part to learn from in several altered views,
    with its right answers. The same for the same folder.

    Raises:
        UnreadablePicture: as `list_pictures` does.
    """
    learned = _originals(source, folder, "learn")
    counts = Counter(one.accepted for one in learned)
    goal, (least, most) = BALANCE[source]
    left = MOST_NONE
    for number, one in enumerate(learned):
        if one.accepted:
            repeats = min(max(round(goal / counts[one.accepted]), least), most)
        else:
            repeats = min(NONE_VIEWS[source], left)
            left -= repeats
        for view in range(repeats):
            rng = np.random.default_rng([SOURCES.index(source), number, view])
            yield one.make(rng), one.accepted


def shoe_labels(folder: str | Path | None) -> dict[str, tuple[int, ...]]:
    """Which of the three kinds of shoes a photograph shows, by its name in
    `sources.list_photographs`.

    Args:
        folder: of the snapshots. Nothing is known where it is None or has no such list.

    Raises:
        UnreadablePicture: if the list is not what the module describes.
    """
    path = Path(folder).expanduser() / "shoes-labels.csv" if folder else None
    if path is None or not path.is_file():
        return {}
    return {f"shoes/{file}": accepted for file, accepted in _rows(path) if accepted}


def _originals(source: Source, folder: str | Path, part: Part) -> list[_Original]:
    root = Path(folder).expanduser()
    listed = _drawings(root) if source == "drawings" else _listed(source, root)
    found = [one for one in listed if belongs(one.name, part)]
    if not found:
        raise UnreadablePicture(f"The lists in {folder} name no pictures to use.")
    return found


def _listed(source: Source, root: Path) -> Iterator[_Original]:
    make = _photograph if source == "snapshots" else _icon
    for file, accepted in _rows(root / "manifest.csv"):
        if not file.startswith(DOUBTFUL):
            yield _Original(f"{source}/{file}", accepted, partial(make, root / file))


def _drawings(root: Path) -> Iterator[_Original]:
    for name in ("garments.ndjson", "none.ndjson"):
        try:
            lines = (root / name).read_text(encoding="utf-8").splitlines()
            drawings = [json.loads(line) for line in lines]
            for one in drawings:
                if one.get("seen") != UNCLEAR:
                    draw = partial(_draw, one["drawing"])
                    yield _Original(f"drawings/{one['key_id']}", _accepted(one["class"]), draw)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnreadablePicture(
                f"{root / name} cannot be read as people's drawings ({error}). Name a folder with "
                "garments.ndjson and none.ndjson in it."
            ) from error
    if (root / "shoe-28px").is_dir():
        for file, accepted in _rows(root / "shoe-28px" / "labels.csv"):
            small = partial(_small_drawing, root / "shoe-28px" / file)
            yield _Original(f"drawings/shoe-28px/{file}", accepted, small)


def _accepted(label: int | str | None) -> tuple[int, ...]:
    return () if label is None else (int(label),)


def _rows(path: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """File and right answers of every row of a list."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield row["file"], _accepted(row["class"] or None)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadablePicture(
            f"{path} cannot be read as a list of pictures with the columns file and class ({error})."
        ) from error


def _draw(strokes: list[list[list[float]]], rng: np.random.Generator | None) -> Image.Image:
    """Strokes, the x and the y of each 0..255, with a black pen on white; the generator chooses
    pen, side, slope and proportions.
    """
    lines = [np.array(stroke[:2], float).T for stroke in strokes]
    corners = np.concatenate(lines)
    middle = (corners.min(0) + corners.max(0)) / 2
    width, turned = PEN, np.eye(2)
    if rng is not None:
        width, angle = int(rng.integers(3, 15)), np.radians(rng.normal(0, 8))
        turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        turned = np.diag(rng.uniform(0.8, 1.0, 2) * (rng.choice([-1, 1]), 1)) @ turned
    image = Image.new("L", (PAPER, PAPER), 255)
    pen = ImageDraw.Draw(image)
    for line in lines:
        path = (line - middle) @ turned + PAPER / 2
        pen.line(path.ravel().tolist(), fill=0, width=width, joint="curve")
        for x, y in (path[0], path[-1]):
            pen.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=0)
    return image


def _small_drawing(path: Path, rng: np.random.Generator | None) -> Image.Image:
    """A drawing of 28 pixels, white on black, as if it had been drawn large, black on white."""
    small = ImageOps.invert(pictures.read(path.read_bytes(), path.name).convert("L"))
    large = ImageOps.expand(small.resize((224, 224), Image.Resampling.BICUBIC), 32, 255)
    if rng is None:
        return large
    large = ImageOps.mirror(large) if rng.random() < 0.5 else large
    return large.rotate(float(rng.normal(0, 8)), Image.Resampling.BICUBIC, fillcolor=255)


def _photograph(path: Path, rng: np.random.Generator | None) -> Image.Image:
    image = pictures.read(path.read_bytes(), path.name).convert("RGB")
    return image if rng is None else retake(image, rng)


def retake(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A photograph, "RGB", rotated, cropped a little closer, mirrored and relit, as if it had been
    taken once more.
    """
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    width, height = image.size
    margin = max(width, height) // 3
    wide = Image.fromarray(
        np.pad(np.asarray(image), ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    )
    turned = wide.rotate(float(rng.normal(0, 12)), Image.Resampling.BICUBIC)
    closer = rng.uniform(0.0, 0.08, 4) * np.array([width, height, width, height])
    cut = turned.crop(
        (
            round(float(margin + closer[0])),
            round(float(margin + closer[1])),
            round(float(margin + width - closer[2])),
            round(float(margin + height - closer[3])),
        )
    )
    return ImageEnhance.Contrast(
        ImageEnhance.Brightness(cut).enhance(rng.uniform(0.7, 1.3))
    ).enhance(rng.uniform(0.8, 1.2))


def _icon(path: Path, rng: np.random.Generator | None) -> Image.Image:
    """An icon on white; the generator chooses side, slope, proportions, colours and background."""
    image = pictures.read(path.read_bytes(), path.name).convert("RGBA")
    if rng is None:
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    image = ImageOps.mirror(image) if rng.random() < 0.5 else image
    image = ImageOps.expand(image, image.width // 5, (0, 0, 0, 0))
    image = image.rotate(float(rng.normal(0, 7)), Image.Resampling.BICUBIC)
    wide, high = (
        round(side * share) for side, share in zip(image.size, rng.uniform(0.8, 1, 2), strict=True)
    )
    image = image.resize((wide, high), Image.Resampling.BICUBIC)
    red, green, blue, alpha = image.split()
    bolder = rng.random()
    if bolder < 0.4:  # lines thinner or thicker
        alpha = alpha.filter((ImageFilter.MaxFilter if bolder < 0.25 else ImageFilter.MinFilter)(3))
    paper = (255, 255, 255)
    if max(band.getextrema()[1] for band in (red, green, blue)) == 0:  # one colour: any will do
        ink = rng.integers(0, 160, 3) if rng.random() < 0.5 else np.zeros(3, int)
        if rng.random() < 0.15:  # bright on dark
            ink, paper = 255 - ink // 4, (20, 24, 36)
        red, green, blue = (Image.new("L", image.size, int(level)) for level in ink)
    image = Image.merge("RGBA", (red, green, blue, alpha))
    if paper[0] == 255 and rng.random() < 0.4:
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, paper), image).convert("RGB")
