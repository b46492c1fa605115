"""`python -m core presets`, `runs`, `data` and `engine`: look at what there is, and keep it in
order.

Each function is one command: it takes the parsed arguments and returns the exit status. Nothing is
decided here that a page would decide otherwise; the rules are those of `runs`, `dataset` and
`engine`.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from core import runs
from core.cli import terminal
from core.errors import AtelierError, EngineUnavailable, StorageProblem

# --- presets ----------------------------------------------------------------------------------------------------------


def presets(arguments: argparse.Namespace) -> int:
    from core.networks import architectures
    from core.specs.presets import PRESETS

    found = [(preset, architectures.parameters(preset.spec)) for preset in PRESETS.values()]
    if arguments.json:
        for preset, parameters in found:
            terminal.emit(
                {
                    "name": preset.name,
                    "title": preset.title,
                    "sentence": preset.sentence,
                    "parameters": parameters,
                    "multiply_adds": architectures.multiply_adds(preset.spec),
                    "published": preset.published and dataclasses.asdict(preset.published),
                    "spec": preset.spec.to_dict(),
                }
            )
        return 0
    rows = [
        (preset.name, f"{parameters:,}", preset.spec.epochs, preset.sentence)
        for preset, parameters in found
    ]
    terminal.table(("name", "parameters", "epochs", "what it is"), rows, right=(1, 2))
    return 0


# --- runs -------------------------------------------------------------------------------------------------------------


def list_runs(arguments: argparse.Namespace) -> int:
    found, champion = runs.list_runs(finished_only=arguments.finished), _champion_id()
    if arguments.json:
        for run in found:
            terminal.emit(_facts(run, champion))
    elif found:
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
            for run in found
        ]
        terminal.table(
            ("", "run", "name", "state", "test", "parameters", "data", "note"), rows, right=(4, 5)
        )
    else:
        terminal.remark("There are no runs yet. `python -m core train` begins one.")
    for run_id, sentence in runs.list_damaged():
        terminal.remark(f"{run_id}: {sentence}")
    return 0


def show_run(arguments: argparse.Namespace) -> int:
    run = runs.read(arguments.run)
    rows = runs.history(run.id)
    if arguments.json:
        terminal.emit(
            {**_facts(run, _champion_id()), "record": run.record or None, "history": rows}
        )
        return 0
    print(f"{run.name} ({run.id}), {run.status_text}, begun {run.created}")
    if run.note:
        print(run.note)
    if run.finished:
        print(
            f"test accuracy {terminal.percent(run.test_accuracy)}, loss {run.test_loss:.4f}; best epoch {run.best_epoch}, "
            f"{terminal.duration(run.seconds)}"
        )
    print("\nsettings")
    for name, value in run.spec.to_dict().items():
        print(f"  {name} = {', '.join(map(str, value)) if isinstance(value, list) else value}")
    if rows:
        print()
        cells = [
            (
                row["epoch"],
                f"{row['loss']:.4f}",
                terminal.percent(row["accuracy"]),
                None if row["val_loss"] is None else f"{row['val_loss']:.4f}",
                terminal.percent(row["val_accuracy"]),
                terminal.duration(row["seconds"]),
            )
            for row in rows
        ]
        terminal.table(
            ("epoch", "loss", "accuracy", "validation loss", "accuracy", "time"),
            cells,
            right=range(6),
        )
    return 0


def rename_run(arguments: argparse.Namespace) -> int:
    runs.rename(arguments.run, arguments.text)
    name = runs.read(arguments.run).name
    return _done(
        arguments, {"id": arguments.run, "name": name}, f"{arguments.run} is now called {name}."
    )


def note_run(arguments: argparse.Namespace) -> int:
    runs.set_note(arguments.run, arguments.text)
    return _done(
        arguments,
        {"id": arguments.run, "note": arguments.text},
        f"The note is kept with {arguments.run}.",
    )


def promote_run(arguments: argparse.Namespace) -> int:
    runs.promote(arguments.run)
    return _done(
        arguments, {"id": arguments.run, "champion": True}, f"{arguments.run} is now the champion."
    )


def export_run(arguments: argparse.Namespace) -> int:
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
        with path.open("xb") as file:  # an older export is somebody's: it stays
            file.write(data)
    except FileExistsError as error:
        raise StorageProblem(f"{path} is there already. Name another file with --to.") from error
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
    for run_id in arguments.runs:
        runs.delete(run_id)
        _done(arguments, {"id": run_id, "deleted": True}, f"{run_id} is deleted.")
    return 0


def _champion_id() -> str | None:
    try:
        return runs.champion().id
    except AtelierError:
        return None  # no network ships with this copy and none was promoted


def _facts(run: runs.Run, champion: str | None) -> dict:
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


def _done(arguments: argparse.Namespace, values: dict, sentence: str) -> int:
    if arguments.json:
        terminal.emit(values)
    else:
        print(sentence)
    return 0


# --- data -------------------------------------------------------------------------------------------------------------


def data_status(arguments: argparse.Namespace) -> int:
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
    from core.data import fashion_mnist

    line = terminal.ProgressLine()
    try:
        folder = fashion_mnist.download(line.bytes)
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
    chosen = np.random.default_rng(arguments.seed).choice(
        len(data.test_labels), size=count, replace=False
    )
    folder = Path(arguments.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for position in sorted(chosen.tolist()):
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
        raise  # of the reader of these lines, not of the folder
    except OSError as error:
        raise StorageProblem(
            f"{folder} cannot be written to ({error.strerror or error}). Name another folder."
        ) from error
    if not arguments.json:
        print(
            f"{count} test pictures of {'the offline sample' if data.is_sample else data.title} are in {folder}."
        )
    return 0


# --- engine -----------------------------------------------------------------------------------------------------------


def engine_status(arguments: argparse.Namespace) -> int:
    from core import engine, settings

    try:
        line = engine.connect(start=False)
    except EngineUnavailable as error:
        if settings.engine_address():
            raise
        return _done(arguments, {"available": False, "address": None, "jobs": []}, str(error))
    status, jobs = line.status(), line.jobs()
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
    print(
        f"The engine at {status.address} {'belongs to this home' if status.own else 'is the one that ATELIER_ENGINE names'}: "
        f"{status.workers} {'worker' if status.workers == 1 else 'workers'}, {status.running} training, {status.waiting} waiting."
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
    from core import engine, settings

    if arguments.foreground:
        terminal.remark(
            f"The engine of {settings.home()} runs here. Ctrl-C ends it; what trains can be resumed."
        )
        return 1 if engine.serve(workers=arguments.workers or 1) else 0
    if arguments.workers:
        raise AtelierError(
            "--workers is for an engine in the foreground. Add --foreground, or leave it out."
        )
    line = engine.connect()
    return _done(
        arguments,
        {"available": True, "address": line.address, "own": line.own},
        f"The engine answers at {line.address}. It ends with `python -m core engine stop`, or when it is not used.",
    )


def engine_stop(arguments: argparse.Namespace) -> int:
    from core import engine, settings

    if settings.engine_address():
        engine.connect(start=False).shutdown()  # which says that it is not ours to end
    stopped = engine.end_own()
    return _done(
        arguments,
        {"stopped": stopped},
        "The engine has ended." if stopped else "No engine is running.",
    )
