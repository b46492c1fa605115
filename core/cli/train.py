"""`python -m core train`: one run, from the settings of a command line to its record.

One idea: the terminal only watches. The engine trains, as it does for the Train page, so closing
the terminal harms nothing and the page shows the same run; `--local` trains in this process
instead, and is the one way in which a command imports TensorFlow. Ctrl-C asks the training to stop,
which keeps what was learnt; a second Ctrl-C leaves at once.

What a training does is in `training`, the line of jobs in `engine`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from core import runs, settings
from core.cli import terminal
from core.data import fashion_mnist
from core.errors import AtelierError, DataDamaged, EngineUnavailable, InvalidSpec
from core.runs import Progress, Run
from core.specs.fields import parse_setting
from core.specs.presets import preset
from core.specs.spec import TrainSpec

POLL_SECONDS = 0.5
# A busy machine may not answer for a moment; after this the engine counts as gone.
LOST_SECONDS = 20.0


def train(arguments: argparse.Namespace) -> int:
    """Begin or resume a run, follow it to its end, and print its record."""
    run_id, spec = arguments.resume, None
    if run_id is None:
        spec = spec_from(arguments)
    elif (
        arguments.preset
        or arguments.set
        or any(getattr(arguments, name) is not None for name in ("epochs", "seed", "name"))
    ):
        raise InvalidSpec(
            "A resumed run keeps its settings. Leave out --preset, --set, --epochs, --seed and --name, or train "
            "a new run with them."
        )
    elif (run := runs.read(run_id)).finished:
        raise InvalidSpec(
            f"The run {run_id} is {run.status_text}, so there is nothing to resume. Train a new run with its "
            "settings."
        )
    else:
        spec = run.spec
    if arguments.local or settings.engine_address() is None:
        fetch_data(spec.data)
    follower = _Follower(run_id)
    with _counted_interrupts() as presses:
        try:
            run = (_train_here if arguments.local else _train_on_engine)(
                run_id, spec, follower, presses
            )
        finally:
            follower.end()
    if arguments.json:
        terminal.emit(run.record)
    else:
        _summarise(run)
    return 0


def follow(run_id: str) -> Run:
    """Follow a run that is in the line of the engine already, to its end. Ctrl-C only ends the
    following.

    Raises:
        AtelierError: if it ended without a record, with the reason and the way to go on.
    """
    from core import engine

    follower = _Follower(run_id)
    try:
        return _watch(engine.connect(), run_id, follower, [])
    finally:
        follower.end()


def spec_from(arguments: argparse.Namespace) -> TrainSpec:
    """The preset with what the command line changes in it.

    Raises:
        InvalidSpec: for an unknown preset or setting, or a value that is not allowed.
    """
    changes = {}
    for setting in arguments.set:
        key, equals, text = setting.partition("=")
        if not equals:
            raise InvalidSpec(
                f"--set takes a setting and its value, such as learning_rate=0.01; received {setting!r}."
            )
        changes[key.strip()] = parse_setting(key.strip(), text)
    for key in ("epochs", "seed", "name"):
        if getattr(arguments, key) is not None:
            changes[key] = parse_setting(key, getattr(arguments, key))
    return preset(arguments.preset or "swift").spec.replace(**changes)


def fetch_data(name: str) -> None:
    """See that the data are on this machine, with a progress bar while they are downloaded.

    Raises:
        DataUnavailable: if they cannot be had.
        DataDamaged: if a file in the user's own folder is not the official one.
    """
    if name != "fashion-mnist":
        return
    status = fashion_mnist.status()
    if status.available:
        return
    if not status.downloadable:
        raise DataDamaged(status.sentence)
    line = terminal.ProgressLine()
    try:
        line.keep("Fashion-MNIST is not on this machine yet; downloading it.")
        fashion_mnist.download(line.bytes)
    finally:
        line.clear()


def _train_here(
    run_id: str | None, spec: TrainSpec, follower: _Follower, presses: list[float]
) -> Run:
    if run_id is not None and _engine_trains(run_id):
        raise InvalidSpec(
            f"The engine is training the run {run_id} already. Leave out --local, or stop it first."
        )
    run_id = run_id or runs.create(spec)
    follower.begin(run_id, "in this process")
    try:
        with _native_chatter_in(settings.home() / "local.log"):
            from core.training import trainer  # imports TensorFlow, six seconds

            trainer.train(
                run_id, report=follower.show, should_stop=lambda: follower.stopping(presses)
            )
    except KeyboardInterrupt:
        follower.line.keep(_resume_with(run_id))
        raise
    return runs.read(run_id)


@contextlib.contextmanager
def _native_chatter_in(path: Path) -> Iterator[None]:
    """Send what TensorFlow's native code prints to a file; Python keeps writing to the terminal.

    Its notes on processors and drivers heed no log level before it is set up, and would tear the
    progress line apart.
    """
    if sys.stderr is not sys.__stderr__:
        yield  # somebody else captures it
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    terminal_copy, before = os.dup(2), sys.stderr
    with path.open("ab") as log, os.fdopen(terminal_copy, "w", errors="backslashreplace") as ours:
        before.flush()
        os.dup2(log.fileno(), 2)
        sys.stderr = ours
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", category=FutureWarning, module="keras")
                yield
        finally:
            ours.flush()
            sys.stderr = before
            os.dup2(terminal_copy, 2)


def _engine_trains(run_id: str) -> bool:
    from core import engine

    try:
        return engine.connect(start=False).job(run_id) is not None
    except EngineUnavailable:
        return False


def _train_on_engine(
    run_id: str | None, spec: TrainSpec, follower: _Follower, presses: list[float]
) -> Run:
    from core import engine

    line = engine.connect()
    if run_id is None:
        run_id = line.submit(spec)
    elif line.job(run_id) is None:  # else it trains already, and this is another pair of eyes
        line.resume(run_id)
    follower.begin(run_id, f"on the engine at {line.address}")
    return _watch(line, run_id, follower, presses)


def _watch(line, run_id: str, follower: _Follower, presses: list[float]) -> Run:
    """Follow a job on the engine to its end, through the engine's absences; asks it to stop at
    Ctrl-C.
    """
    from core import engine
    from core.engine import process

    asked, lost = False, 0.0
    while True:
        try:
            if not asked and follower.stopping(presses):
                asked = True
                if _stop(line, run_id) == "cancelled":
                    raise AtelierError(
                        "The run was still waiting, so it was taken out of the line."
                    )
            job = line.job(run_id)
            lost = 0.0
        except EngineUnavailable as error:
            lost = lost or time.monotonic()
            if runs.read(run_id).finished:
                return runs.read(run_id)
            dead = line.own and process.holder() is None
            if dead or time.monotonic() - lost > LOST_SECONDS:
                raise EngineUnavailable(f"{error} {_resume_with(run_id)}") from error
            follower.line.show("the engine does not answer at the moment")
            time.sleep(POLL_SECONDS)
            with contextlib.suppress(EngineUnavailable):
                line = engine.connect(start=False)
            continue
        if job is None:
            return _ended(line, run_id)
        if job.place:
            follower.line.show(f"waiting, place {job.place} in line")
        elif job.progress is not None:
            follower.show(job.progress)
        time.sleep(POLL_SECONDS)


def _stop(line, run_id: str) -> str:
    from core.engine import EngineRefused

    try:
        return line.stop(run_id)
    except EngineRefused:
        return "ended"  # this very moment


def _ended(line, run_id: str) -> Run:
    """A run whose job is gone from the line.

    Raises:
        AtelierError: if it ended without a record, with the reason and the way to go on.
    """
    run = runs.read(run_id)
    if run.finished:
        return run
    failure = line.failure(run_id) or f"The training of {run_id} was {run.status_text}."
    raise AtelierError(f"{failure} {_resume_with(run_id)}")


def _resume_with(run_id: str) -> str:
    return f"`python -m core train --resume {run_id}` goes on after its last finished epoch."


class _Follower:
    """Shows a training on standard error: a line that moves, and one that stays for each epoch."""

    def __init__(self, run_id: str | None) -> None:
        self.line = terminal.ProgressLine()
        self.run_id = run_id
        self.told = len(runs.history(run_id)) if run_id else 0
        self.seen: tuple = ()
        self.announced = False

    def begin(self, run_id: str, where: str) -> None:
        self.run_id = run_id
        self.line.keep(
            f"{f'Resuming {run_id} after epoch {self.told}' if self.told else f'Training {run_id}'}, {where}. "
            "Ctrl-C stops it and keeps what was learnt."
        )

    def stopping(self, presses: list[float]) -> bool:
        """Whether Ctrl-C was pressed; says so once."""
        if presses and not self.announced:
            self.announced = True
            self.line.keep("Stopping; what was learnt is kept. Ctrl-C again leaves at once.")
        return bool(presses)

    def show(self, progress: Progress) -> None:
        if (progress.phase, progress.epoch) != self.seen:
            self.seen = (progress.phase, progress.epoch)
            self._tell_epochs()
        parts = [
            f"epoch {progress.epoch}/{progress.epochs}"
            if progress.phase in ("training", "validating")
            else progress.phase
        ]
        if progress.stage and progress.phase in ("preparing", "training"):
            parts.append(progress.stage)
        if progress.batches:
            parts.append(f"batch {progress.batch}/{progress.batches}")
        if progress.loss is not None and progress.accuracy is not None:
            parts.append(
                f"loss {progress.loss:.4f}, accuracy {terminal.percent(progress.accuracy)}"
            )
        parts.append(terminal.duration(progress.elapsed_seconds))
        if progress.remaining_seconds is not None:
            parts.append(f"about {terminal.duration(progress.remaining_seconds)} left")
        self.line.show("  ".join(parts))

    def end(self) -> None:
        if self.run_id:
            self._tell_epochs()
        self.line.clear()

    def _tell_epochs(self) -> None:
        rows = runs.history(self.run_id)
        for row in rows[self.told :]:
            validation = ""
            if row["val_accuracy"] is not None:
                validation = f"; validation loss {row['val_loss']:.4f}, accuracy {terminal.percent(row['val_accuracy'])}"
            self.line.keep(
                f"epoch {row['epoch']}: loss {row['loss']:.4f}, accuracy {terminal.percent(row['accuracy'])}"
                f"{validation} ({terminal.duration(row['seconds'])})"
            )
        self.told = len(rows)


@contextlib.contextmanager
def _counted_interrupts() -> Iterator[list[float]]:
    """Collect Ctrl-C instead of breaking off; the second one breaks off."""
    presses: list[float] = []

    def press(signal_number, frame):
        presses.append(time.monotonic())
        if len(presses) > 1:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield presses
    finally:
        signal.signal(signal.SIGINT, before)


def _summarise(run: Run) -> None:
    title = "the offline sample" if run.spec.data == "offline-sample" else "Fashion-MNIST"
    print(
        f"{run.name}: {terminal.percent(run.test_accuracy)} of the test pictures of {title} right (loss {run.test_loss:.4f}); "
        f"{run.status_text}, best epoch {run.best_epoch}, {run.parameters:,} parameters, {terminal.duration(run.seconds)}."
    )
    print(f"Run {run.id}. `python -m core runs promote {run.id}` makes it the one that answers.")
