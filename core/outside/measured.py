"""How well a run does on pictures from outside its data set: what is measured, and kept in its
folder.

The pictures are those that no network may learn from, the same for every run, so that runs can be
compared on them. Drawings can be generated everywhere; photographs are only measured where their
folder is available.

`core.outside.report` measures one kind.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core import runs
from core.errors import RunDamaged
from core.inference import answer
from core.outside import generated, people, sources
from core.outside.report import Report
from core.outside.sources import OutsidePicture

FILE = "outside.json"  # of a run's folder
PHOTOGRAPHS = "photographs"
# Drawings of each kind: the share of correct answers is then known to 2 or 3 points (one standard
# error).
COUNT = 300


@dataclass(frozen=True)
class OutsideFigures:
    """What is kept with a run: when it was measured (UTC, ISO 8601), and a report for each kind of
    picture.
    """

    measured: str
    reports: dict[str, Report]


def held_out(
    count: int = COUNT,
    photographs: str | Path | None = None,
    folders: Mapping[people.Source, Path] | None = None,
) -> dict[str, list[OutsidePicture]]:
    """The pictures that no network may learn from, by kind.

    Args:
        count: how many drawings of each kind.
        photographs: a folder as `sources.list_photographs` takes it; None leaves them out.
        folders: of people's pictures, as `core.outside.people` takes them.

    Raises:
        UnreadablePicture: if one of the folders has no such pictures.
    """
    folders = folders or {}
    kinds: dict[str, list[OutsidePicture]] = {
        kind: sources.list_drawings(kind, "held-out", count) for kind in generated.KINDS
    }
    if photographs:
        shoes = people.shoe_labels(folders.get("snapshots"))
        kinds[PHOTOGRAPHS] = sources.list_photographs(photographs, "held-out", shoes)
    for source, folder in folders.items():
        kinds[source] = people.list_pictures(source, folder, "held-out")
    return kinds


def find(
    name: str,
    photographs: str | Path | None = None,
    folders: Mapping[people.Source, Path] | None = None,
) -> OutsidePicture | None:
    """The held-out picture of that name: drawn again, or found among the photographs and people's
    pictures.

    Args:
        name: as a report gives it.
        photographs, folders: where these are; those that are available.

    Returns:
        None where there is no such picture.

    Raises:
        UnreadablePicture: if the folder has no such pictures.
    """
    drawing = re.fullmatch(rf"({'|'.join(generated.KINDS)})/held-out/([0-9]{{1,5}})", name)
    if drawing:
        kind = generated.as_kind(drawing[1])
        return sources.list_drawings(kind, "held-out", int(drawing[2]) + 1)[-1]
    source = next((one for one in people.SOURCES if name.startswith(f"{one}/")), None)
    if source:
        folder = (folders or {}).get(source)
        candidates = people.list_pictures(source, folder, "held-out") if folder else []
    else:
        candidates = sources.list_photographs(photographs, "held-out") if photographs else []
    return next((picture for picture in candidates if picture.name == name), None)


def open_picture(
    name: str,
    photographs: Path | None = None,
    folders: Mapping[people.Source, Path] | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """The held-out picture of that name, as people and as networks see it.

    Args:
        name, photographs, folders: as in `find`.

    Returns:
        uint8 `(h, w, 3 or 4)`, at most 512 pixels on the longest edge, and the uint8 `(28, 28)`
        that a network reads; None where there is no such picture.

    Raises:
        UnreadablePicture: if the folder has no such pictures, or the picture cannot be opened.
    """
    picture = find(name, photographs, folders)
    if picture is None:
        return None
    image = picture.open()
    return np.asarray(image), answer.prepare(image).pixels


def save(run_id: str, reports: dict[str, Report]) -> OutsideFigures:
    """Write figures into a run's folder, in place of older ones.

    Raises:
        StorageProblem: if the folder cannot be written, such as that of the shipped network.
        RunNotFound: if there is no such run.
    """
    figures = OutsideFigures(
        datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds"), dict(reports)
    )
    runs.write_json(
        run_id,
        FILE,
        {
            "schema": 1,
            "measured": figures.measured,
            "reports": {kind: report.to_dict() for kind, report in reports.items()},
        },
    )
    return figures


def load(run_id: str) -> OutsideFigures | None:
    """The figures in a run's folder; None where it was not measured.

    Raises:
        RunDamaged: if the file is not what `save` wrote.
    """
    values = runs.read_json(run_id, FILE)
    if values is None:
        return None
    try:
        return OutsideFigures(
            str(values["measured"]),
            {str(kind): Report.from_dict(one) for kind, one in values["reports"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunDamaged(
            f"{FILE} of the run {run_id} is not what Atelier writes; someone may have edited it. "
            f"Measure it again with `python -m core runs measure {run_id}`."
        ) from error
