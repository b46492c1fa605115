"""Uploaded files and camera shots, each read by itself, so that a bad one does not cost the others.

Reading a photograph takes a tenth of a second, and a page reruns at every click. The pixels of each
file are therefore kept in the visitor's own session; its steps are kept only for the picture that
is looked at closely. A crop belongs to its picture and goes with it; the other options apply to all
pictures.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core import pictures
from core.errors import UnreadablePicture
from core.inference import answer
from core.inference.answer import PreparationOptions, Question
from core.pictures import Crop, Kind, image_files
from ui import state

MOST_FILES = 40  # at once: more fill the page, and their bytes stay in memory while they are shown
# What can be read, and what has a sentence that names the remedy, since the uploader's own refusal
# names none. HEIC is not among them, so that iPhones hand over a JPEG.
ACCEPTED = [*image_files.SUFFIXES, ".tif", ".tiff", ".svg", ".pdf", ".psd", ".jp2", ".ico"]


class File(Protocol):
    """What an uploaded file and a camera shot have in common."""

    name: str
    file_id: str

    def getvalue(self) -> bytes:
        """The file's bytes."""


@dataclass(frozen=True)
class Upload:
    """A file that could be read.

    Attributes:
        pixels: uint8 `(28, 28)`, what a network reads of it.
        blank: nothing was found in it.
        kind: what it turned out to be.
    """

    file: File
    pixels: NDArray[np.uint8]
    blank: bool
    kind: Kind


@dataclass(frozen=True)
class Refusal:
    """A file that could not be read, with the sentence that says why."""

    file: File
    problem: str


# The file, and everything that was decided about it.
_Key = tuple[str, PreparationOptions]


@dataclass
class UploadState:
    """One visitor's uploads.

    Attributes:
        read: what became of each file.
        crops: by file, the part of it that is to be read, where that is not all.
        prepared: the picture last looked at closely, with its steps.
        source: which file was last shown as a whole, and that as a `data:` address.
        chosen: the file to look at closely.
    """

    read: dict[_Key, Upload | Refusal] = field(default_factory=dict)
    crops: dict[str, Crop] = field(default_factory=dict)
    prepared: tuple[_Key, Question] | None = None
    source: tuple[str, str] = ("", "")
    chosen: str = ""

    def choose(self, file_id: str) -> None:
        """Look at this file closely."""
        self.chosen = file_id

    def crop(self, file_id: str, crop: Crop | None) -> None:
        """Read this part of a file from now on; None for all of it."""
        self.crops.pop(file_id, None)
        if crop is not None:
            self.crops[file_id] = crop


def upload_state() -> UploadState:
    """This visitor's `UploadState`."""
    return state.page_state(UploadState)


def read_all(
    files: Sequence[File], options: PreparationOptions = answer.DEFAULTS
) -> list[Upload | Refusal]:
    """Prepare every file, or say why it cannot be read; files that are gone are forgotten.

    The first readable one of those added to others becomes the one to look at closely.
    """
    mine = upload_state()
    before = {file_id for file_id, _ in mine.read}
    ids = {file.file_id for file in files}
    mine.crops = {file_id: crop for file_id, crop in mine.crops.items() if file_id in ids}
    keys = [_key(file, options) for file in files]
    mine.read = {
        key: mine.read.get(key) or _read(file, key) for key, file in zip(keys, files, strict=True)
    }
    results = [mine.read[key] for key in keys]
    ids_read = (result.file.file_id for result in results if isinstance(result, Upload))
    added = next((file_id for file_id in ids_read if file_id not in before), None)
    if before and added:
        mine.choose(added)
    return results


def prepare(file: File, options: PreparationOptions) -> Question:
    """A readable file with its steps, for a close look.

    Raises:
        UnreadablePicture: if it cannot be read.
    """
    mine, key = upload_state(), _key(file, options)
    if mine.prepared is None or mine.prepared[0] != key:
        mine.prepared = key, _prepare(file, key[1])
    return mine.prepared[1]


def source_of(file: File) -> str:
    """The whole of a readable file, upright, as a `data:` address.

    Raises:
        UnreadablePicture: if it cannot be read.
    """
    mine = upload_state()
    if mine.source[0] != file.file_id:
        mine.source = file.file_id, webp_uri(pictures.read(file.getvalue(), file.name))
    return mine.source[1]


def webp_uri(image: Image.Image) -> str:
    """A picture in many colours as a `data:` address, some 10 to 50 KB."""
    out = io.BytesIO()
    image.save(out, "WEBP", quality=80, method=0)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def _key(file: File, options: PreparationOptions) -> _Key:
    return file.file_id, replace(options, crop=upload_state().crops.get(file.file_id))


def _read(file: File, key: _Key) -> Upload | Refusal:
    try:
        question = _prepare(file, key[1])
    except UnreadablePicture as problem:
        return Refusal(file, str(problem))
    # Usually the one to be looked at: the only one, or the one that was cropped just now.
    upload_state().prepared = key, question
    prepared = question.prepared
    return Upload(file, prepared.pixels, prepared.blank, prepared.kind)


def _prepare(file: File, options: PreparationOptions) -> Question:
    return answer.prepare(pictures.read(file.getvalue(), file.name, options.crop), options)
