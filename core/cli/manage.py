"""`python -m core presets`, `runs`, `data` and `engine`: look at what there is, and manage it.

Each function is one command: it takes the parsed arguments and returns the exit status. The rules
are those of `core.runs`, `core.data` and `core.engine`, as for the pages.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from core import engine, runs, settings
from core.cli import terminal
from core.errors import AtelierError, EngineUnavailable, StorageProblem
from core.runs import bin

# --- presets --------------------------------------------------------------------------------------


def presets(arguments: argparse.Namespace) -> int:
    """List the presets."""
    from core.networks import architectures
    from core.specs.presets import PRESETS

    parameters = {name: architectures.parameters(preset.spec) for name, preset in PRESETS.items()}
    if arguments.json:
        for name, preset in PRESETS.items():
            terminal.emit(
                {
                    "name": name,
                    "title": preset.title,
                    "sentence": preset.sentence,
                    "parameters": parameters[name],
                    "multiply_adds": architectures.multiply_adds(preset.spec),
                    "published": preset.published and dataclasses.asdict(preset.published),
                    "spec": preset.spec.to_dict(),
                }
            )
        return 0
    rows = [
        (name, f"{parameters[name]:,}", preset.spec.epochs, preset.sentence)
        for name, preset in PRESETS.items()
    ]
    terminal.table(("name", "parameters", "epochs", "what it is"), rows, right=(1, 2))
    return 0


# --- runs -----------------------------------------------------------------------------------------


def list_runs(arguments: argparse.Namespace) -> int:
    """List the runs, and those that cannot be read on standard error."""
    scan, champion = runs.scan(), _champion_id()
    listed = [run for run in scan.runs if run.finished or not arguments.finished]
    if arguments.json:
        for run in listed:
            terminal.emit(_facts(run, champion))
    elif listed:
        rows = [
            (
                "*" if run.id == champion else "",
                run.id,
                run.name,
                run.status_text,
                terminal.percent(run.test_accuracy),
                None if run.parameters is None else f"{run.parameters:,}",
                run.spec.data,
                run.note[:40],
            )
            for run in listed
        ]
        terminal.table(
            ("", "run", "name", "state", "test", "parameters", "data", "note"), rows, right=(4, 5)
        )
    else:
        terminal.remark("There are no runs yet. `python -m core train` trains one.")
    for damaged in scan.damaged:
        terminal.remark(f"{damaged.id}: {damaged.sentence}")
    return 0


def show_run(arguments: argparse.Namespace) -> int:
    """Show a run's settings, scores and epochs."""
    run = runs.read(arguments.run)
    history = runs.history(run.id)
    if arguments.json:
        record = run.record.to_dict() if run.record else None
        epochs = [epoch.to_dict() for epoch in history]
        terminal.emit({**_facts(run, _champion_id()), "record": record, "history": epochs})
        return 0
    print(f"{run.name} ({run.id}), {run.status_text}, started {run.created}")
    if run.note:
        print(run.note)
    if run.record:
        scores = run.record.scores
        loss = "" if scores.test_loss is None else f", loss {scores.test_loss:.4f}"
        print(
            f"test accuracy {terminal.percent(scores.test_accuracy)}{loss}; best epoch "
            f"{run.record.best_epoch}, {terminal.clock(run.record.seconds)}"
        )
    print("\nsettings")
    for name, value in run.spec.to_dict().items():
        print(f"  {name} = {', '.join(map(str, value)) if isinstance(value, list) else value}")
    if history:
        print()
        rows = [
            (
                epoch.epoch,
                f"{epoch.loss:.4f}",
                terminal.percent(epoch.accuracy),
                None if epoch.val_loss is None else f"{epoch.val_loss:.4f}",
                terminal.percent(epoch.val_accuracy),
                terminal.clock(epoch.seconds),
            )
            for epoch in history
        ]
        terminal.table(
            ("epoch", "loss", "accuracy", "validation loss", "accuracy", "time"),
            rows,
            right=range(6),
        )
    return 0


def rename_run(arguments: argparse.Namespace) -> int:
    """Give a run another name."""
    runs.rename(arguments.run, arguments.text)
    name = runs.read(arguments.run).name
    return _done(
        arguments, {"id": arguments.run, "name": name}, f"{arguments.run} is now called {name}."
    )


def note_run(arguments: argparse.Namespace) -> int:
    """Keep a remark with a run."""
    runs.set_note(arguments.run, arguments.text)
    return _done(
        arguments,
        {"id": arguments.run, "note": arguments.text},
        f"The note is kept with {arguments.run}.",
    )


def promote_run(arguments: argparse.Namespace) -> int:
    """Make a run the champion."""
    runs.promote(arguments.run)
    return _done(
        arguments, {"id": arguments.run, "champion": True}, f"{arguments.run} is now the champion."
    )


def export_run(arguments: argparse.Namespace) -> int:
    """Write a finished run as a zip file or into a folder."""
    from core.export import archive

    if arguments.folder:
        archive.export_folder(arguments.run, Path(arguments.folder))
        return _done(
            arguments,
            {"id": arguments.run, "folder": arguments.folder},
            f"{arguments.run} is in {arguments.folder}.",
        )
    data = archive.export_zip(arguments.run)
    path = Path(arguments.to or f"{arguments.run}.zip")
    try:
        with path.open("xb") as file:  # never replaces an earlier export
            file.write(data)
    except FileExistsError as error:
        raise StorageProblem(f"{path} already exists. Name another file with --to.") from error
    except OSError as error:
        raise StorageProblem(
            f"{path} cannot be written ({error.strerror or error}). Name another file with --to."
        ) from error
    return _done(
        arguments,
        {"id": arguments.run, "file": str(path), "bytes": len(data)},
        f"{path}: {len(data) / 1e6:.1f} MB.",
    )


def delete_runs(arguments: argparse.Namespace) -> int:
    """Move runs to the bin."""
    for run_id in arguments.runs:
        runs.delete(run_id)
        sentence = (
            f"{run_id} is in the bin. `python -m core runs restore {run_id}` brings it back "
            f"within {bin.DAYS} days."
        )
        _done(arguments, {"id": run_id, "deleted": True}, sentence)
    return 0


def restore_runs(arguments: argparse.Namespace) -> int:
    """Bring runs back from the bin."""
    for run_id in arguments.runs:
        runs.restore(run_id)
        _done(arguments, {"id": run_id, "restored": True}, f"{run_id} is restored.")
    return 0


def list_bin(arguments: argparse.Namespace) -> int:
    """List the runs in the bin."""
    binned = bin.listing()
    if arguments.json:
        for run in binned:
            terminal.emit({"id": run.id, "name": run.name, "deleted": run.deleted.isoformat()})
    elif binned:
        rows = [(run.id, run.name, f"{run.deleted:%Y-%m-%d %H:%M}") for run in binned]
        terminal.table(("run", "name", "deleted"), rows)
    else:
        terminal.remark("The bin is empty.")
    return 0


def empty_bin(arguments: argparse.Namespace) -> int:
    """Delete the runs in the bin for good."""
    gone = bin.empty()
    words = f"{len(gone)} run{'' if len(gone) == 1 else 's'} deleted for good."
    return _done(arguments, {"deleted": gone}, words)


def _champion_id() -> str | None:
    try:
        return runs.champion().id
    except AtelierError:
        return None  # no network ships with this copy and none was promoted


def _facts(run: runs.Run, champion: str | None) -> dict[str, Any]:
    return {
        "id": run.id,
        "name": run.name,
        "note": run.note,
        "status": run.status,
        "status_text": run.status_text,
        "created": run.created,
        "test_accuracy": run.test_accuracy,
        "test_loss": run.test_loss,
        "best_epoch": run.best_epoch,
        "parameters": run.parameters,
        "seconds": run.seconds,
        "champion": run.id == champion,
        "shipped": run.shipped,
        "spec": run.spec.to_dict(),
    }


def _done(arguments: argparse.Namespace, values: dict[str, Any], sentence: str) -> int:
    if arguments.json:
        terminal.emit(values)
    else:
        print(sentence)
    return 0


# --- data -----------------------------------------------------------------------------------------


def data_status(arguments: argparse.Namespace) -> int:
    """Say where Fashion-MNIST is."""
    from core.data import fashion_mnist

    status = fashion_mnist.status()
    return _done(
        arguments,
        {
            "available": status.available,
            "folder": str(status.folder) if status.folder else None,
            "origin": status.origin,
            "sentence": status.sentence,
            "own_folder": str(fashion_mnist.own_folder()),
        },
        status.sentence,
    )


def data_download(arguments: argparse.Namespace) -> int:
    """Download Fashion-MNIST into Atelier's own folder."""
    from core.data import fashion_mnist

    line = terminal.ProgressLine()
    try:
        folder = fashion_mnist.download(line.show_download)
    finally:
        line.clear()
    return _done(arguments, {"folder": str(folder)}, f"Fashion-MNIST is complete in {folder}.")


def data_sample(arguments: argparse.Namespace) -> int:
    """Write test pictures as PNG files, named by class and position in the test split."""
    import numpy as np
    from PIL import Image

    from core import labels
    from core.data import fashion_mnist

    data = fashion_mnist.load(
        arguments.data
        or ("fashion-mnist" if fashion_mnist.status().available else "offline-sample")
    )
    count = min(arguments.count, len(data.test_labels))
    positions = np.random.default_rng(arguments.seed).choice(
        len(data.test_labels), size=count, replace=False
    )
    folder = Path(arguments.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for position in sorted(positions.tolist()):
            label = labels.CLASS_NAMES[data.test_labels[position]]
            path = (
                folder / f"{label.lower().replace('/', '-').replace(' ', '-')}-{position:05d}.png"
            )
            Image.fromarray(data.test_pixels[position]).save(path)
            if arguments.json:
                terminal.emit(
                    {
                        "file": str(path),
                        "class": data.test_labels[position],
                        "label": label,
                        "data": data.name,
                    }
                )
    except BrokenPipeError:
        raise  # the reader of the JSON lines went away; nothing is wrong with the folder
    except OSError as error:
        raise StorageProblem(
            f"{folder} cannot be written to ({error.strerror or error}). Name another folder."
        ) from error
    if not arguments.json:
        title = "the offline sample" if data.is_sample else data.title
        print(f"{count} test pictures of {title} are in {folder}.")
    return 0


# --- engine ---------------------------------------------------------------------------------------


def engine_status(arguments: argparse.Namespace) -> int:
    """Say whether there is an engine, and what it does."""
    try:
        here = engine.connect(start=False)
    except EngineUnavailable as error:
        if settings.engine_address():
            raise
        return _done(arguments, {"available": False, "address": None, "jobs": []}, str(error))
    status, jobs = here.status(), here.jobs()
    if arguments.json:
        terminal.emit(
            {
                "available": True,
                "address": status.address,
                "own": status.own,
                "workers": status.workers,
                "running": status.running,
                "waiting": status.waiting,
                "jobs": [
                    {
                        "run": job.run_id,
                        "state": job.state,
                        "place": job.place,
                        "progress": job.progress and job.progress.to_dict(),
                    }
                    for job in jobs
                ],
            }
        )
        return 0
    whose = "belongs to this home" if status.own else "is the one that ATELIER_ENGINE names"
    workers = f"{status.workers} worker{'s' * (status.workers != 1)}"
    print(
        f"The engine at {status.address} {whose}: {workers}, {status.running} training, "
        f"{status.waiting} waiting."
    )
    if jobs:
        rows = [
            (
                job.place,
                job.run_id,
                job.state,
                f"{job.progress.epoch}/{job.progress.epochs}" if job.progress else None,
            )
            for job in jobs
        ]
        terminal.table(("place", "run", "state", "epoch"), rows, right=(0, 3))
    return 0


def engine_start(arguments: argparse.Namespace) -> int:
    """Start the engine of this home, or be it."""
    if arguments.foreground:
        terminal.remark(
            f"The engine of {settings.home()} runs here. Ctrl-C ends it; interrupted trainings can "
            f"be resumed."
        )
        return 1 if engine.serve(workers=arguments.workers or 1) else 0
    if arguments.workers:
        raise AtelierError(
            "--workers is for an engine in the foreground. Add --foreground, or leave it out."
        )
    here = engine.connect()
    return _done(
        arguments,
        {"available": True, "address": here.address, "own": here.own},
        f"The engine answers at {here.address}. It ends with `python -m core engine stop`, or when "
        f"it has not been used for a while.",
    )


def engine_stop(arguments: argparse.Namespace) -> int:
    """End the engine of this home."""
    if settings.engine_address():
        engine.connect(start=False).shutdown()  # which says that it is not ours to end
    stopped = engine.end_own()
    return _done(
        arguments,
        {"stopped": stopped},
        "The engine has ended." if stopped else "No engine is running.",
    )
