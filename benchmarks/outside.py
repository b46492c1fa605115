"""How well a network does on pictures from outside the data set: drawings, icons, photographs.

    python -m benchmarks.outside FOLDER [--run ID]
    python -m benchmarks.outside [--photographs FOLDER] [--count 300] [--run ID]

FOLDER is laid out as `<class index>_<name>/*.png` (JPEG, WebP, BMP and GIF too); `none_<name>`
holds pictures of other things. Without it, the sketches, icons and scribbles that no network learns
from are generated and measured, and the held-out part of the photographs that `--photographs` or
ATELIER_PHOTOS names, and of people's own pictures (ATELIER_SKETCHES, ATELIER_ICONS,
ATELIER_MORE_PHOTOS; see `core.outside.people`). Every picture is prepared and answered as
`python -m core predict` does it.
The last line is JSON: for FOLDER one object, otherwise one for each kind. The champion is measured
unless `--run` names another run of the library.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from benchmarks.report import conditions, grid, say
from core import inference, runs, settings
from core.errors import AtelierError
from core.labels import CLASS_NAMES
from core.outside import measured, sources
from core.outside import report as outside_report
from core.outside.report import HEADER, Report


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], prog="python -m benchmarks.outside"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "folder", nargs="?", metavar="FOLDER", help="pictures in folders named by class index"
    )
    which.add_argument(
        "--photographs",
        metavar="FOLDER",
        help="the Clothing dataset's folders; ATELIER_PHOTOS by default",
    )
    parser.add_argument("--count", type=int, default=measured.COUNT, help="drawings of each kind")
    parser.add_argument(
        "--run",
        help="a finished run of the library (ATELIER_HOME, ATELIER_RUNS); the champion by default",
    )
    chosen = parser.parse_args(arguments)
    try:
        found = measure(chosen)
    except AtelierError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(found["folder"] if chosen.folder else found))
    return 0


def measure(chosen: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Measure every source, print its figures, and return them by kind."""
    run = runs.read(chosen.run) if chosen.run else runs.champion()
    photographs = chosen.photographs or settings.photographs_folder()
    folders = settings.people_folders()
    pictures = (
        {"folder": sources.list_folder(chosen.folder)}
        if chosen.folder
        else measured.held_out(chosen.count, photographs, folders)
    )
    drawn = (
        "computer-generated, held-out seeds; photographs: "
        f"{photographs or 'none (name them in ATELIER_PHOTOS)'}; people's: "
        f"{', '.join(map(str, folders.values())) or 'none'}"
    )
    conditions(
        "Pictures from outside the data set",
        "onnxruntime",
        "numpy",
        "pillow",
        "scipy",
        network=f"{run.name} ({run.id})",
        pictures=chosen.folder or drawn,
        preparation="as `python -m core predict`: polarity auto, trimmed, closed outlines filled",
    )
    network, reports = inference.load(run.id), {}
    for kind, which in pictures.items():
        reports[kind] = outside_report.measure(network, which)
        say(f"{len(which):,} {'pictures' if kind == 'folder' else kind}")
    print()
    grid(
        [
            list(HEADER),
            *([cell or "" for cell in report.row(kind)] for kind, report in reports.items()),
        ]
    )
    for kind, report in reports.items():
        show(kind, report)
    return {
        kind: {
            **report.shares(),
            "matrix": report.matrix,
            "classes": [
                {"accepted": one.accepted, "pictures": one.pictures, "right": one.right}
                for one in report.classes
            ],
        }
        for kind, report in reports.items()
    }


def show(kind: str, report: Report) -> None:
    """Print one kind's figures class by class, its matrix, and what became of the rest."""
    if report.classes:
        print(f"\n{kind}, class by class")
        grid(
            [
                ["", "pictures", "correct", "accuracy"],
                *(
                    [one.name, str(one.pictures), str(one.right), f"{one.accuracy:.1%}"]
                    for one in report.classes
                ),
            ]
        )
        print(f"\n{kind}: rows are the truth, columns the prediction")
        grid(
            [
                ["", *map(str, range(len(CLASS_NAMES)))],
                *(
                    [f"{label} {CLASS_NAMES[label]}", *(str(count or "·") for count in row)]
                    for label, row in enumerate(report.matrix)
                ),
            ]
        )
    if report.blank:
        print(f"  In {report.blank} nothing was found; they count as wrong.")
    if report.others:
        called = [
            f"{CLASS_NAMES[label]} {count}" for label, count in enumerate(report.called) if count
        ]
        print(
            f"\n  {kind}: {report.others:,} show none of the ten. Confidently called: "
            f"{', '.join(called) or 'nothing'}; the rest were rejected."
        )
    if report.unreadable:
        print(f"  {len(report.unreadable)} could not be read: {', '.join(report.unreadable)}")


if __name__ == "__main__":
    sys.exit(main())
