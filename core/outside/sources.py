"""Pictures from outside the data set, with their right answers: folders of files, photographs,
computer-generated drawings.

Each picture has a name, says which answers are right for it, and is opened only when its turn
comes. Every source holds a part out, by name or by seed, so that no picture is both learned from
and measured.

Nothing is prepared or answered here: see `core.pictures.preparation` and `core.outside.report`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from PIL import Image

from core import pictures
from core.errors import UnreadablePicture
from core.labels import CLASS_NAMES
from core.outside import generated
from core.outside.generated import Kind
from core.pictures.image_files import SUFFIXES

Part = Literal["learn", "tune", "held-out"]
PARTS: tuple[Part, ...] = get_args(Part)
SHARES = ((0, 7), (7, 8), (8, 10))  # of ten photographs: which belong to each part
# Folders of the Clothing dataset (Alexey Grigorev and contributors, CC0 1.0) and what Fashion-MNIST
# calls their contents. It does not distinguish kinds of shoes; shorts, skirts and hats are none of
# the ten classes.
PHOTOGRAPHS: dict[str, tuple[int, ...]] = {
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


@dataclass(frozen=True)
class OutsidePicture:
    """One picture from outside the data set, not yet opened.

    Attributes:
        name: of the file, or which drawing it is; the same name always means the same picture.
        accepted: the labels 0..9 that are right answers; empty where it shows none of the ten.
        open: returns the picture, of any size and mode.
    """

    name: str
    accepted: tuple[int, ...]
    open: Callable[[], Image.Image]


def list_folder(path: str | Path) -> list[OutsidePicture]:
    """The pictures of a folder laid out as `<class index>_<name>/<file>`; `none_<name>` holds
    pictures of other things.

    Raises:
        UnreadablePicture: if there is no such folder, or nothing in it is laid out like that.
    """
    pictures_found = []
    for folder in _folders(path):
        match = re.fullmatch(r"(?:([0-9])|none)(?:_.*)?", folder.name)
        if match:
            pictures_found += _files(folder, (int(match[1]),) if match[1] else ())
    if not pictures_found:
        raise UnreadablePicture(
            f"{path} has no folders such as 0_{CLASS_NAMES[0].replace('/', '-')} or none_hats with "
            "pictures in them."
        )
    return pictures_found


def belongs(name: str, part: Part) -> bool:
    """Whether the picture of that name is of that part of its source.

    Raises:
        ValueError: for another part.
    """
    first, end = SHARES[_number(part)]
    return first <= zlib.crc32(name.encode()) % 10 < end


def list_photographs(
    path: str | Path, part: Part, shoes: Mapping[str, tuple[int, ...]] | None = None
) -> list[OutsidePicture]:
    """Photographs of clothes in folders named as in `PHOTOGRAPHS`.

    Args:
        shoes: the right answers of those photographs of shoes whose kind is known, by name.
        part: "learn" for seven tenths of them, "tune" for one tenth, on which a threshold is found,
            "held-out" for the two tenths that are measured; a file's name decides which.

    Raises:
        UnreadablePicture: if there is no such folder, or it has none of those folders.
        ValueError: for another part.
    """
    photographs = [
        replace(picture, accepted=(shoes or {}).get(picture.name, picture.accepted))
        for folder in _folders(path)
        if folder.name in PHOTOGRAPHS
        for picture in _files(folder, PHOTOGRAPHS[folder.name])
        if belongs(picture.name, part)
    ]
    if not photographs:
        raise UnreadablePicture(
            f"{path} has no photographs in folders named {', '.join(PHOTOGRAPHS)}."
        )
    return photographs


def list_drawings(kind: Kind, part: Part, count: int) -> list[OutsidePicture]:
    """Computer-generated sketches, icons or scribbles, classes in turn; the parts share no seed.

    Args:
        kind: "sketches", "icons", or "scribbles", which show none of the ten.
        count: how many; a smaller number gives the first of a larger one.

    Raises:
        ValueError: for another kind or part.
    """
    seed = [generated.KINDS.index(kind), _number(part)]

    def drawing(position: int) -> OutsidePicture:
        label = position % len(CLASS_NAMES)
        return OutsidePicture(
            f"{kind}/{part}/{position}",
            () if kind == "scribbles" else (label,),
            lambda: generated.draw(kind, label, np.random.default_rng([*seed, position])),
        )

    return [drawing(position) for position in range(count)]


def _number(part: Part) -> int:
    if part not in PARTS:
        raise ValueError(f"a part is one of {', '.join(PARTS)}; received {part!r}")
    return PARTS.index(part)


def _folders(path: str | Path) -> list[Path]:
    try:
        return sorted(folder for folder in Path(path).expanduser().iterdir() if folder.is_dir())
    except OSError as error:
        raise UnreadablePicture(
            f"{path} cannot be opened as a folder ({error.strerror}). Name a folder of pictures."
        ) from error


def _files(folder: Path, accepted: tuple[int, ...]) -> list[OutsidePicture]:
    def picture(file: Path) -> OutsidePicture:
        return OutsidePicture(
            f"{folder.name}/{file.name}",
            accepted,
            lambda: pictures.read(file.read_bytes(), file.name),
        )

    return [picture(file) for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES]
