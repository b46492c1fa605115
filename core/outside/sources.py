"""Pictures from outside the data set, with their right answers: folders of files, photographs,
drawings made by program.

One idea: a picture is named, says which answers are right for it, and is opened only when its turn
comes. Every source keeps a part apart, by name or by seed, so that what was learnt from is never
what is measured.

Nothing is prepared or answered here: see `core.pictures.preparation` and `core.outside.report`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core import pictures
from core.errors import UnreadablePicture
from core.labels import CLASS_NAMES
from core.outside import generated

PARTS = ("learn", "tune", "held-out")
SHARES = ((0, 7), (7, 8), (8, 10))  # of ten photographs: which belong to each part
# Folders of the Clothing dataset (Alexey Grigorev and contributors, CC0 1.0) and what Fashion-MNIST
# calls their contents. Shoes are not told apart there; shorts, skirts and hats are none of the ten
# classes.
PHOTOGRAPHS = {
    "t-shirt": (0,),
    "pants": (1,),
    "longsleeve": (2,),
    "dress": (3,),
    "outwear": (4,),
    "shirt": (6,),
    "shoes": (5, 7, 9),
    "shorts": (),
    "skirt": (),
    "hat": (),
}
_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")


@dataclass(frozen=True)
class Outside:
    """One picture from outside.

    Attributes:
        name: of the file, or which drawing it is; the same name gives the same picture.
        accepted: the labels 0..9 that are right answers; none where it shows none of the ten.
        open: returns the picture, of any size and mode.
    """

    name: str
    accepted: tuple[int, ...]
    open: Callable[[], Image.Image]


def folder(path: str | Path) -> list[Outside]:
    """The pictures of a folder laid out as `<class index>_<name>/<file>`; `none_<name>` holds what
    is none of the ten.

    Raises:
        UnreadablePicture: if there is no such folder, or nothing in it is laid out like that.
    """
    found = []
    for place in _folders(path):
        match = re.fullmatch(r"(?:([0-9])|none)(?:_.*)?", place.name)
        if match:
            found += _files(place, (int(match[1]),) if match[1] else ())
    if not found:
        raise UnreadablePicture(
            f"{path} holds no folders such as 0_{CLASS_NAMES[0].replace('/', '-')} or none_hats with pictures in them."
        )
    return found


def photographs(path: str | Path, part: str) -> list[Outside]:
    """Photographs of clothes in folders named as in `PHOTOGRAPHS`.

    Args:
        part: "learn" for seven tenths of them, "tune" for one tenth, on which a threshold is found,
            "held-out" for the two tenths that are measured; a file's name decides.

    Raises:
        UnreadablePicture: if there is no such folder, or it has none of those folders.
        ValueError: for another part.
    """
    first, end = SHARES[_number(part)]
    found = [
        one
        for place in _folders(path)
        if place.name in PHOTOGRAPHS
        for one in _files(place, PHOTOGRAPHS[place.name])
        if first <= zlib.crc32(one.name.encode()) % 10 < end
    ]
    if not found:
        raise UnreadablePicture(
            f"{path} holds no photographs in folders named {', '.join(PHOTOGRAPHS)}."
        )
    return found


def drawn(kind: str, part: str, count: int) -> list[Outside]:
    """Sketches, icons or scribbles made by program, classes in turn; the parts share no seed.

    Args:
        kind: "sketches", "icons", or "scribbles", which show none of the ten.
        count: how many; fewer are the first of more.

    Raises:
        ValueError: for another kind or part.
    """
    which, apart = generated.KINDS.index(kind), _number(part)

    def one(position: int) -> Outside:
        label = position % len(CLASS_NAMES)
        return Outside(
            f"{kind}/{part}/{position}",
            () if kind == "scribbles" else (label,),
            lambda: generated.draw(kind, label, np.random.default_rng([which, apart, position])),
        )

    return [one(position) for position in range(count)]


def _number(part: str) -> int:
    if part not in PARTS:
        raise ValueError(f"a part is one of {', '.join(PARTS)}; received {part!r}")
    return PARTS.index(part)


def _folders(path: str | Path) -> list[Path]:
    try:
        return sorted(place for place in Path(path).expanduser().iterdir() if place.is_dir())
    except OSError as error:
        raise UnreadablePicture(
            f"{path} cannot be opened as a folder ({error.strerror}). Name a folder of pictures."
        ) from error


def _files(place: Path, accepted: tuple[int, ...]) -> list[Outside]:
    def one(file: Path) -> Outside:
        return Outside(
            f"{place.name}/{file.name}",
            accepted,
            lambda: pictures.read(file.read_bytes(), file.name),
        )

    return [one(file) for file in sorted(place.iterdir()) if file.suffix.lower() in _SUFFIXES]
