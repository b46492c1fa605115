"""Where benchmarks work: a home of their own that is removed afterwards, the real data if they are
available, an engine for trainings.

What is measured is Atelier as people have it: the engine trains, the run library keeps. Nothing is
measured here, except that the times of a finished run are read from its files.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import engine, runs
from core.data import fashion_mnist
from core.errors import EngineUnavailable
from core.specs.spec import TrainSpec

START_SECONDS = 60.0  # a busy machine may need most of them to start the engine
SAMPLE = (
    "offline sample, 2,400 drawn pictures: NOT the data that the targets are about; name the real "
    "ones in ATELIER_DATA"
)


@dataclass(frozen=True)
class Place:
    """One benchmark's workplace.

    Attributes:
        home: its `ATELIER_HOME`; the runs lie in `home/runs`.
        folder: the folder of the real data, or None.
        data_name: `fashion-mnist`, or `offline-sample` where the real data are not on this machine.
    """

    home: Path
    folder: str | None
    data_name: str

    @property
    def words(self) -> str:
        """The data, for the conditions."""
        return f"Fashion-MNIST, from {self.folder}" if self.folder else SAMPLE

    def spec(self, spec: TrainSpec, **changes: Any) -> TrainSpec:
        """The spec with these changes, on the data of this place."""
        return spec.replace(data=self.data_name, **changes)


def describe(run: runs.Run) -> str:
    """A finished run's network, for the conditions."""
    record = run.finished_record
    return (
        f"{run.name} ({run.id}), {record.parameters:,} parameters, "
        f"{record.multiply_adds:,} multiply-adds for a picture"
    )


@contextlib.contextmanager
def workplace() -> Iterator[Place]:
    """Point Atelier at an empty home for as long as this is open; then its engine is ended and the
    home removed.
    """
    # Before the home changes: the data may have been downloaded there.
    status = fashion_mnist.status()
    folder = str(status.folder.resolve()) if status.available and status.folder else None
    before = {name: value for name, value in os.environ.items() if name.startswith("ATELIER_")}
    home = Path(tempfile.mkdtemp(prefix="atelier-benchmark-"))
    for name in before:
        if name != "ATELIER_CHROMIUM":
            del os.environ[name]
    os.environ["ATELIER_HOME"] = str(home)
    if folder:
        os.environ["ATELIER_DATA"] = folder
    try:
        yield Place(home, folder, "fashion-mnist" if folder else "offline-sample")
    finally:
        engine.end_own()
        for name in ("ATELIER_HOME", "ATELIER_DATA"):
            os.environ.pop(name, None)
        os.environ.update(before)
        shutil.rmtree(home, ignore_errors=True)


@dataclass(frozen=True)
class Training:
    """A finished run and when its parts were done, in seconds.

    Attributes:
        run: as the library has it.
        record: its record.
        epochs: training alone of every epoch, as `history.csv` has it.
        whole_epochs: every epoch but the first, from one validation's end to the next: training,
            checkpoint, validation.
        until_last: from the first look at the data to the end of the last epoch.
        total: from there to the record, with the export and the answers on the test pictures.
    """

    run: runs.Run
    record: runs.Record
    epochs: list[float]
    whole_epochs: list[float]
    until_last: float
    total: float


def train(spec: TrainSpec) -> Training:
    """Train a spec through the engine of this home and wait for its record.

    Raises:
        RuntimeError: with the engine's sentence, if the training failed.
    """
    connection = engine.connect(timeout=START_SECONDS)
    run_id = connection.submit(spec)
    while _has_job(run_id):
        time.sleep(0.5)  # no more often than a page asks; the times are read from the run's files
    run = runs.read(run_id)
    if run.record is None:
        reason = connection.failure(run_id) or run.status_text
        raise RuntimeError(f"The training of {spec.name} did not finish: {reason}")
    seconds = run.record.seconds
    folder = Path(os.environ["ATELIER_HOME"]) / "runs" / run_id
    validated = [path.stat().st_mtime for path in sorted((folder / "epochs").glob("*.npz"))]
    # The record is written as soon as its seconds are taken.
    began = (folder / "run.json").stat().st_mtime - seconds
    return Training(
        run,
        run.record,
        [epoch.seconds for epoch in runs.history(run_id)],
        [after - before for before, after in itertools.pairwise(validated)],
        (folder / "history.csv").stat().st_mtime - began,
        seconds,
    )


@contextlib.contextmanager
def training_in_background(spec: TrainSpec, *, settled: float = 3.0) -> Iterator[str]:
    """A training that runs on the engine for as long as this is open; it has been training for
    `settled` seconds at the start.
    """
    connection = engine.connect(timeout=START_SECONDS)
    run_id = connection.submit(spec)
    try:
        while True:
            job = connection.job(run_id)
            if job is None:
                reason = connection.failure(run_id) or "it ended at once"
                raise RuntimeError(f"The training did not begin: {reason}")
            if job.progress and job.progress.phase == runs.Phase.TRAINING and job.progress.batch:
                break
            time.sleep(0.2)
        time.sleep(settled)
        yield run_id
        if not _has_job(run_id):
            raise RuntimeError(
                "The training ended before the measurement did, so part of it was taken on an idle "
                "machine."
            )
    finally:
        with contextlib.suppress(engine.EngineRefused, EngineUnavailable):
            connection.stop(run_id)
            while _has_job(run_id):
                time.sleep(0.2)


def _has_job(run_id: str) -> bool:
    try:
        return engine.connect(start=False, timeout=START_SECONDS).job(run_id) is not None
    except EngineUnavailable:
        time.sleep(1.0)  # a machine at its limit may not answer in time
        return engine.connect(start=False, timeout=START_SECONDS).job(run_id) is not None
