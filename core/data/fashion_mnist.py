"""Fashion-MNIST, and the sample drawn by program: found, read whole, and split.

One idea: whoever holds a `Dataset` need not ask again whether it is complete or right. The folder
that the user named (`ATELIER_DATA`) comes first and is only read; then Atelier's own folder, where
a damaged file is set aside and can be fetched anew. Nothing is downloaded unless asked for.

It does not scale, augment or batch: pixels leave here as the bytes that were published.
"""

from __future__ import annotations

import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core import settings
from core.data import idx_files
from core.data.idx_files import Progress
from core.errors import DataDamaged, DataUnavailable, InvalidSpec

NAMES = ("fashion-mnist", "offline-sample")
TITLES = {"fashion-mnist": "Fashion-MNIST", "offline-sample": "Offline sample"}
SAMPLE_TEST = 400  # the last pictures of the offline sample are its test split

_USERS, _OURS = "ATELIER_DATA", "Atelier's folder"


@dataclass(frozen=True)
class Dataset:
    """Pictures with their labels, in published order; the arrays are read-only, since pages and
    visitors share them.

    Attributes:
        name: one of `NAMES`.
        train_pixels: uint8 `(n, 28, 28)`, bright garment on black.
        train_labels: int64 `(n,)`, 0..9.
        test_pixels: uint8 `(m, 28, 28)`.
        test_labels: int64 `(m,)`, 0..9.
        fingerprint: 16 hex digits that change with the contents.
    """

    name: str
    train_pixels: np.ndarray
    train_labels: np.ndarray
    test_pixels: np.ndarray
    test_labels: np.ndarray
    fingerprint: str

    @property
    def is_sample(self) -> bool:
        """Whether a program drew these pictures; whoever shows them says so."""
        return self.name == "offline-sample"

    @property
    def title(self) -> str:
        """The name to show to a person."""
        return TITLES[self.name]


@dataclass(frozen=True)
class DataStatus:
    """Where Fashion-MNIST is, as far as names and lengths of the files tell.

    Attributes:
        available: all four files are there in their official lengths.
        folder: where they are, or None.
        origin: "ATELIER_DATA", "Atelier's folder" or "".
        sentence: the same for a person, with the remedy when something is missing.
        downloadable: whether `download` would mend it; False for a damaged file in the user's own
            folder.
    """

    available: bool
    folder: Path | None
    origin: str
    sentence: str
    downloadable: bool = True


def own_folder() -> Path:
    """The folder into which `download` puts the four files."""
    return settings.home() / "data" / "fashion-mnist"


def status() -> DataStatus:
    """Say whether Fashion-MNIST is there, by the names and lengths of its files only: quick enough
    for every page.
    """
    place = _find()
    if place is None:
        return DataStatus(False, None, "", _unavailable_sentence())
    folder, origin = place
    wrong = idx_files.wrong_lengths_in(folder)
    if wrong:
        sentence = f"Damaged in {folder}: {', '.join(wrong)} (not of the official length). {_remedy(origin)}"
        return DataStatus(False, folder, origin, sentence, downloadable=origin == _OURS)
    return DataStatus(True, folder, origin, f"Fashion-MNIST is ready, from {origin} ({folder}).")


def load(
    name: str = "fashion-mnist", *, download: bool = False, progress: Progress | None = None
) -> Dataset:
    """Read a data set whole: about half a second for Fashion-MNIST, 55 MB of memory.

    Args:
        name: one of `NAMES`.
        download: fetch what is missing or damaged into Atelier's own folder.
        progress: called while downloading, see `download`.

    Raises:
        DataUnavailable: not on this machine, and not to be downloaded or not asked to be.
        DataDamaged: a file is not the official one. In Atelier's own folder it has then been set
            aside as `*.damaged`.
        StorageProblem: the disk is full or the folder cannot be written to.
        InvalidSpec: there is no data set of this name.
    """
    if name == "offline-sample":
        return _offline_sample()
    if name != "fashion-mnist":
        raise InvalidSpec(
            f"There is no data set named {name!r}. Choose one of: {', '.join(NAMES)}."
        )
    place = _find()
    if place is None:
        if not download:
            raise DataUnavailable(_unavailable_sentence())
        idx_files.fetch(own_folder(), progress)
        place = own_folder(), _OURS
    folder, origin = place
    damage = idx_files.damage_in(folder)
    if damage and origin == _OURS:
        idx_files.set_aside(folder, list(damage))
        if download:
            idx_files.fetch(folder, progress)
            damage = idx_files.damage_in(folder)
    if damage:
        raise DataDamaged(f"{' '.join(damage.values())} {_remedy(origin)}")
    return _assemble(folder)


def download(progress: Progress | None = None) -> Path:
    """Fetch the four files into Atelier's own folder; what is there and sound stays, so starting
    again goes on.

    Args:
        progress: called with the file at work and the bytes done and to do, counted over all four
            files.

    Returns:
        The folder.

    Raises:
        DataUnavailable: no source delivered a file.
        StorageProblem: the disk is full or the folder cannot be written to.
    """
    idx_files.fetch(own_folder(), progress)
    return own_folder()


def _find() -> tuple[Path, str] | None:
    """The first folder that holds all four names, and what to call it."""
    named = settings.data_folder()
    if named is not None and not idx_files.missing_in(named):
        return named, _USERS
    return None if idx_files.missing_in(own_folder()) else (own_folder(), _OURS)


def _unavailable_sentence() -> str:
    """Why there are no data, and the remedies."""
    named, lacking = settings.data_folder(), idx_files.missing_in(own_folder())
    reason = "Fashion-MNIST is not on this machine yet."
    if named is not None:
        lacks = (
            f"lacks {', '.join(idx_files.missing_in(named))}"
            if os.path.isdir(named)
            else "does not exist"
        )
        reason = (
            f"Fashion-MNIST is not complete: the folder {named}, named in ATELIER_DATA, {lacks}."
        )
    elif len(lacking) < len(idx_files.FILES):
        reason = f"Fashion-MNIST is not complete: {own_folder()} lacks {', '.join(lacking)}."
    megabytes = round(sum(file.size for file in idx_files.FILES) / 1e6)
    return (
        f"{reason} Download it ({megabytes} MB), put its four .gz files into a folder and name that in ATELIER_DATA, "
        "or use the offline sample."
    )


def _remedy(origin: str) -> str:
    if origin == _USERS:
        return (
            "Nothing in your folder was changed: replace the file there, or unset ATELIER_DATA to let Atelier keep a "
            "copy of its own."
        )
    return "Download it again to get it whole."


def _assemble(folder: Path) -> Dataset:
    """Parse the four files of a folder and check that they belong together."""
    train_pixels, train_labels, test_pixels, test_labels = idx_files.read(folder)
    for pixels, labels, part in (
        (train_pixels, train_labels, "training"),
        (test_pixels, test_labels, "test"),
    ):
        if (
            pixels.ndim != 3
            or labels.ndim != 1
            or len(pixels) != len(labels)
            or labels.max(initial=0) > 9
        ):
            raise DataDamaged(
                f"The {part} files in {folder} do not belong together: pictures {pixels.shape}, labels {labels.shape}, "
                f"largest label {labels.max(initial=0)} (9 at most). Download them again."
            )
    # The hashes were checked, so they stand for the contents and the pixels need not be hashed
    # again.
    fingerprint = hashlib.sha256(
        "".join(file.sha256 for file in idx_files.FILES).encode()
    ).hexdigest()[:16]
    return Dataset(
        "fashion-mnist",
        train_pixels,
        _frozen(train_labels),
        test_pixels,
        _frozen(test_labels),
        fingerprint,
    )


@functools.lru_cache(maxsize=1)
def _offline_sample() -> Dataset:
    from core.garments import drawing  # draws with Pillow, which the real data do without

    pixels, labels = drawing.sample()
    fingerprint = hashlib.sha256(pixels.tobytes() + labels.tobytes()).hexdigest()[:16]
    pixels.flags.writeable = False
    labels, cut = _frozen(labels), len(pixels) - SAMPLE_TEST
    return Dataset(
        "offline-sample", pixels[:cut], labels[:cut], pixels[cut:], labels[cut:], fingerprint
    )


def _frozen(labels: np.ndarray) -> np.ndarray:
    labels = labels.astype(np.int64)
    labels.flags.writeable = False
    return labels
