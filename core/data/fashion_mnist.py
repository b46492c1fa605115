"""Fashion-MNIST and the computer-generated offline sample, found and read whole.

A `Dataset` is always complete and correct, so that its users need not check it again. The folder
that the user named (`ATELIER_DATA`) comes first and is only read. Then comes Atelier's own folder,
where a damaged file is set aside and can be downloaded again. Nothing is downloaded unless asked
for.

Nothing is scaled, augmented or batched here: pixels are the bytes that were published. Which
pictures are held out is decided in `core.data.splits`.
"""

from __future__ import annotations

import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core import settings
from core.data import idx_files
from core.data.idx_files import DownloadProgress
from core.errors import DataDamaged, DataUnavailable, InvalidSpec
from core.specs.fields import DataName

TITLES: dict[str, str] = {"fashion-mnist": "Fashion-MNIST", "offline-sample": "Offline sample"}
SAMPLE_TEST = 400  # the last pictures of the offline sample are its test set

Origin = Literal["ATELIER_DATA", "Atelier's folder", ""]
_USERS: Origin = "ATELIER_DATA"
_OURS: Origin = "Atelier's folder"


@dataclass(frozen=True)
class Dataset:
    """Pictures with their labels, in published order.

    The arrays are read-only, because all visitors share them.

    Attributes:
        name: by which a spec asks for it.
        train_pixels: uint8 `(n, 28, 28)`, bright garment on black.
        train_labels: int64 `(n,)`, 0..9.
        test_pixels: uint8 `(m, 28, 28)`.
        test_labels: int64 `(m,)`, 0..9.
        fingerprint: 16 hex digits that change with the contents.
    """

    name: DataName
    train_pixels: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_pixels: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    fingerprint: str

    @property
    def is_sample(self) -> bool:
        """Whether these pictures are computer-generated, which pages that show them have to say."""
        return self.name == "offline-sample"

    @property
    def title(self) -> str:
        """The name for people."""
        return TITLES[self.name]


@dataclass(frozen=True)
class DataStatus:
    """Where Fashion-MNIST is, as far as names and lengths of the files tell.

    Attributes:
        available: all four files are there in their official lengths.
        folder: where they are, or None.
        origin: whose folder that is; "" if none was found.
        sentence: the same for people, with the remedy when something is missing.
        downloadable: whether `download` would help; False for a damaged file in the user's own
            folder.
    """

    available: bool
    folder: Path | None
    origin: Origin
    sentence: str
    downloadable: bool = True


def own_folder() -> Path:
    """The folder into which `download` puts the four files."""
    return settings.home() / "data" / "fashion-mnist"


def status() -> DataStatus:
    """Whether Fashion-MNIST is there.

    Only names and lengths of its files are checked, which is quick enough for every page.
    """
    known = _find()
    if known is None:
        return DataStatus(False, None, "", _unavailable_sentence())
    folder, origin = known
    wrong = idx_files.wrong_lengths_in(folder)
    if wrong:
        sentence = (
            f"Damaged in {folder}: {', '.join(wrong)} (not the official length). {_remedy(origin)}"
        )
        return DataStatus(False, folder, origin, sentence, downloadable=origin == _OURS)
    return DataStatus(True, folder, origin, f"Fashion-MNIST is ready, from {origin} ({folder}).")


def load(
    name: str = "fashion-mnist",
    *,
    download: bool = False,
    progress: DownloadProgress | None = None,
) -> Dataset:
    """Read a data set whole: about half a second for Fashion-MNIST, 55 MB of memory.

    Args:
        name: of the data set, a `DataName`; a run's record may hold any text.
        download: download what is missing or damaged into Atelier's own folder.
        progress: called while downloading, see `download`.

    Raises:
        DataUnavailable: not on this machine, and not downloaded.
        DataDamaged: a file is not the official one. In Atelier's own folder it has then been set
            aside as `*.damaged`.
        StorageProblem: the disk is full or the folder cannot be written to.
        InvalidSpec: there is no data set of this name.
    """
    if name == "offline-sample":
        return _offline_sample()
    if name != "fashion-mnist":
        raise InvalidSpec(
            f"There is no data set named {name!r}. Choose one of: {', '.join(get_args(DataName))}."
        )
    known = _find()
    if known is None:
        if not download:
            raise DataUnavailable(_unavailable_sentence())
        idx_files.fetch(own_folder(), progress)
        known = own_folder(), _OURS
    folder, origin = known
    damage = idx_files.damage_in(folder)
    if damage and origin == _OURS:
        idx_files.set_aside(folder, list(damage))
        if download:
            idx_files.fetch(folder, progress)
            damage = idx_files.damage_in(folder)
    if damage:
        raise DataDamaged(f"{' '.join(damage.values())} {_remedy(origin)}")
    return _assemble(folder)


def download(progress: DownloadProgress | None = None) -> Path:
    """Download the four files into Atelier's own folder.

    Files that are there and undamaged stay, so that a second call continues an interrupted one.

    Args:
        progress: called with the name of the current file, the bytes done and those in total, both
            counted over all four files.

    Returns:
        the folder.

    Raises:
        DataUnavailable: no source delivered a file.
        StorageProblem: the disk is full or the folder cannot be written to.
    """
    idx_files.fetch(own_folder(), progress)
    return own_folder()


def _find() -> tuple[Path, Origin] | None:
    """The first folder that holds all four files, and whose it is."""
    named = settings.data_folder()
    if named is not None and not idx_files.missing_in(named):
        return named, _USERS
    return None if idx_files.missing_in(own_folder()) else (own_folder(), _OURS)


def _unavailable_sentence() -> str:
    """Why Fashion-MNIST is not there, and the remedies."""
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
        f"{reason} Download it ({megabytes} MB), put its four .gz files into a folder and name that "
        "folder in ATELIER_DATA, or use the offline sample."
    )


def _remedy(origin: Origin) -> str:
    """What to do about a damaged file."""
    if origin == _USERS:
        return (
            "Nothing in your folder was changed: replace the file there, or unset ATELIER_DATA to "
            "let Atelier keep a copy of its own."
        )
    return "Download it again."


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
                f"The {part} files in {folder} do not belong together: pictures {pixels.shape}, "
                f"labels {labels.shape}, largest label {labels.max(initial=0)} (9 at most). "
                "Download them again."
            )
    # The files were checked against these hashes, so the pixels need not be hashed again.
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
    """The computer-generated garments, drawn once per process."""
    from core.garments import drawing  # draws with Pillow, which the real data do without

    pixels, labels = drawing.sample()
    fingerprint = hashlib.sha256(pixels.tobytes() + labels.tobytes()).hexdigest()[:16]
    pixels.flags.writeable = False
    frozen, cut = _frozen(labels), len(pixels) - SAMPLE_TEST
    return Dataset(
        "offline-sample", pixels[:cut], frozen[:cut], pixels[cut:], frozen[cut:], fingerprint
    )


def _frozen(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """A read-only copy."""
    copy = labels.astype(np.int64)
    copy.flags.writeable = False
    return copy
