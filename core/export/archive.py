"""Export a finished run: as a zip file, or as a folder such as those that ship with Atelier.

Only finished runs leave the library, each with its card; what only resuming needs is left out.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from core import runs
from core.errors import RunDamaged, StorageProblem
from core.explain import embedding_map
from core.export.card import card
from core.outside import measured

_EXPORTED = (
    "job.json",
    "label.json",
    "run.json",
    "history.csv",
    "model.keras",
    "model.onnx",
    "test.npz",
    "split.npz",
    "index.npz",
    embedding_map.FILE,
    measured.FILE,
)


def export_files(run_id: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of what an export has: card, record, curves, networks, predictions.

    Raises:
        RunDamaged: if the run is not finished.
    """
    run = runs.read(run_id)
    if not run.finished:
        raise RunDamaged(
            f"The run {run_id} is not finished, so there is nothing to export yet. Resume it first."
        )
    yield "CARD.md", card(run, runs.test_predictions(run_id), measured.load(run_id)).encode()
    for name in (
        *_EXPORTED,
        *(f"epochs/{epoch:03d}.npz" for epoch in runs.validation_epochs(run_id)),
    ):
        data = runs.read_bytes(run_id, name)
        if data is not None:
            yield name, data


def export_zip(run_id: str) -> bytes:
    """A finished run as a zip file, in a folder named after its id; raises as `export_files`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in export_files(run_id):
            archive.writestr(f"{run_id}/{name}", data)
    return buffer.getvalue()


def export_folder(run_id: str, folder: Path) -> None:
    """Write a finished run into a folder such as `assets/shipped`, replacing a run that is there.

    Raises:
        RunDamaged: if the run is not finished.
        StorageProblem: if the folder holds anything but a run, or cannot be written.
    """
    files = list(export_files(run_id))
    if folder.exists() and any(folder.iterdir()) and not (folder / "run.json").exists():
        raise StorageProblem(
            f"{folder} holds something other than a run, and is left alone. Name an empty or a new "
            f"folder."
        )
    try:
        shutil.rmtree(folder, ignore_errors=True)
        for name, data in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
    except OSError as error:
        raise StorageProblem(
            f"{folder} could not be written ({error.strerror or error}). Choose another folder."
        ) from error
