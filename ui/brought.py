"""Pictures that people bring: files and camera shots, each read by itself, so that a bad one does not cost the others.

Reading a photograph takes a tenth of a second, and a page runs anew at every click. What came of each file is therefore kept
in the visitor's own session, small; the steps are kept for one picture only, the one that is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from core import picture
from core.errors import UnreadablePicture
from ui import state

MOST_FILES = 40  # at once: more fill the page, and their bytes stay in memory while they are shown


class File(Protocol):
    """What an upload and a camera shot have in common."""

    name: str
    file_id: str

    def getvalue(self) -> bytes:
        """The file's bytes."""


@dataclass(frozen=True)
class How:
    """What the visitor decided about the preparation; the fields are `core.picture.prepare`'s."""

    polarity: str = "auto"
    trim: bool = True
    fill: bool = False


@dataclass(frozen=True)
class Brought:
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
class Desk:
    """One visitor's pictures: what came of each file, the steps of the one last looked at, and which one that is."""

    read: dict[tuple[str, How], Brought] = field(default_factory=dict)
    closest: tuple[tuple[str, How], picture.Prepared] | None = None
    chosen: str = ""

    def choose(self, file_id: str) -> None:
        """Look at this file closely."""
        self.chosen = file_id


def desk() -> Desk:
    """This visitor's `Desk`."""
    return state.page_state(Desk)


def read_all(files: Sequence[File], how: How) -> list[Brought]:
    """Bring every file to pixels, or to the sentence that says why not; files that are gone are forgotten."""
    mine = desk()
    keys = [(file.file_id, how) for file in files]
    mine.read = {key: mine.read.get(key) or _read(file, how) for key, file in zip(keys, files, strict=True)}
    return [mine.read[key] for key in keys]


def closely(file: File, how: How) -> picture.Prepared:
    """The steps of one file that can be read.

    Raises:
        UnreadablePicture: if it cannot.
    """
    mine, key = desk(), (file.file_id, how)
    if mine.closest is None or mine.closest[0] != key:
        mine.closest = key, _prepare(file, how)
    return mine.closest[1]


def _read(file: File, how: How) -> Brought:
    try:
        prepared = _prepare(file, how)
    except UnreadablePicture as problem:
        return Brought(file, problem=str(problem))
    return Brought(file, prepared.pixels, prepared.blank)


def _prepare(file: File, how: How) -> picture.Prepared:
    return picture.prepare(picture.read(file.getvalue(), file.name), polarity=how.polarity, trim=how.trim, fill=how.fill)
