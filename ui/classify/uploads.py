"""Pictures that people bring: files and camera shots, each read by itself, so that a bad one does
not cost the others.

Reading a photograph takes a tenth of a second, and a page runs anew at every click. What came of
each file is therefore kept in the visitor's own session, small; the steps are kept for one picture
only, the one that is looked at. What a person chose of a picture belongs to that picture and goes
with it; how pictures are prepared holds for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from core import pictures
from core.errors import UnreadablePicture
from ui import state
from ui.components import thumbnails

MOST_FILES = 40  # at once: more fill the page, and their bytes stay in memory while they are shown


class File(Protocol):
    """What an upload and a camera shot have in common."""

    name: str
    file_id: str

    def getvalue(self) -> bytes:
        """The file's bytes."""


@dataclass(frozen=True)
class PreparationOptions:
    """What the visitor decided about the preparation; the fields are
    `core.pictures.preparation.prepare`'s.
    """

    polarity: str = "auto"
    trim: bool = True
    fill: bool = False
    crop: pictures.Crop | None = None


@dataclass(frozen=True)
class Upload:
    """What came of one file.

    Attributes:
        file: where it came from.
        pixels: uint8 `(28, 28)`; None if it cannot be read.
        blank: nothing was found in it.
        problem: the sentence about a file that cannot be read, else empty.
    """

    file: File
    pixels: np.ndarray | None = None
    blank: bool = False
    problem: str = ""


@dataclass
class UploadState:
    """One visitor's pictures.

    Attributes:
        read: what came of each file.
        crops: by file, the part that is to be read of it, where that is not all.
        closest: the steps of the picture last looked at.
        address: which file that picture was, and the whole of it as a `data:` address.
        chosen: the file to look at.
    """

    read: dict[tuple[str, PreparationOptions], Upload] = field(default_factory=dict)
    crops: dict[str, pictures.Crop] = field(default_factory=dict)
    closest: tuple[tuple[str, PreparationOptions], pictures.Prepared] | None = None
    address: tuple[str, str] = ("", "")
    chosen: str = ""

    def choose(self, file_id: str) -> None:
        """Look at this file closely."""
        self.chosen = file_id

    def crop(self, file_id: str, crop: pictures.Crop | None) -> None:
        """Read this part of a file from now on; None for all of it."""
        self.crops.pop(file_id, None)
        if crop is not None:
            self.crops[file_id] = crop


def desk() -> UploadState:
    """This visitor's `UploadState`."""
    return state.page_state(UploadState)


def read_all(files: Sequence[File], how: PreparationOptions) -> list[Upload]:
    """Bring every file to pixels, or to the sentence that says why not; files that are gone are
    forgotten.

    The first that can be read of those that came after others becomes the one to look at.
    """
    mine = desk()
    before = {file_id for file_id, _ in mine.read}
    mine.crops = {
        file.file_id: mine.crops[file.file_id] for file in files if file.file_id in mine.crops
    }
    keys = [_key(file, how) for file in files]
    mine.read = {
        key: mine.read.get(key) or _read(file, key) for key, file in zip(keys, files, strict=True)
    }
    found = [mine.read[key] for key in keys]
    added = next(
        (one.file.file_id for one in found if one.file.file_id not in before and not one.problem),
        None,
    )
    if before and added:
        mine.choose(added)
    return found


def closely(file: File, how: PreparationOptions) -> pictures.Prepared:
    """The steps of one file that can be read.

    Raises:
        UnreadablePicture: if it cannot.
    """
    mine, key = desk(), _key(file, how)
    if mine.closest is None or mine.closest[0] != key:
        mine.closest = key, _prepare(file, key[1])
    return mine.closest[1]


def whole(file: File) -> str:
    """All of a file that can be read, upright, as a `data:` address.

    Raises:
        UnreadablePicture: if it cannot.
    """
    mine = desk()
    if mine.address[0] != file.file_id:
        mine.address = file.file_id, thumbnails.data_uri(pictures.read(file.getvalue(), file.name))
    return mine.address[1]


def _key(file: File, how: PreparationOptions) -> tuple[str, PreparationOptions]:
    """What a result is kept under: the file, and all that was decided about it."""
    return file.file_id, replace(how, crop=desk().crops.get(file.file_id))


def _read(file: File, key: tuple[str, PreparationOptions]) -> Upload:
    try:
        prepared = _prepare(file, key[1])
    except UnreadablePicture as problem:
        return Upload(file, problem=str(problem))
    # As a rule the one to be looked at: the only one, or the one that was cropped just now.
    desk().closest = key, prepared
    return Upload(file, prepared.pixels, prepared.blank)


def _prepare(file: File, how: PreparationOptions) -> pictures.Prepared:
    image = pictures.read(file.getvalue(), file.name, how.crop)
    return pictures.prepare(
        image, polarity=how.polarity, trim=how.trim, fill=how.fill, crop=how.crop
    )
