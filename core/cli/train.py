"""`python -m core train`: one run, from the settings of a command line to its record.

The terminal only watches. The engine trains, as it does for the Train page, so closing the terminal
harms nothing and the page shows the same run; `--local` trains in this process instead, and is the
only way in which a command imports TensorFlow. Ctrl-C asks the training to stop and keeps what was
learned; a second Ctrl-C quits at once.

How a run is trained is in `core.training`, the queue of jobs in `core.engine`.
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
from types import FrameType

from core import runs, settings
from core.cli import terminal
from core.data import fashion_mnist
from core.engine import Engine, EngineRefused, connect, process
from core.errors import AtelierError, DataDamaged, EngineUnavailable, InvalidSpec
from core.runs import Phase, Progress, Run, continuation
from core.specs.fields import parse_setting
from core.specs.presets import preset
from core.specs.spec import TrainSpec

POLL_SECONDS = 0.5
# A busy machine may not answer for a moment; after this, the engine counts as lost.
LOST_SECONDS = 20.0


def train(arguments: argparse.Namespace) -> int:
    """Start or resume a run, follow it to its end, and print its record."""
    run_id: str | None = arguments.resume
    if arguments.more and not run_id:
        raise InvalidSpec("--more adds epochs to a run. Name the run with --resume.")
    spec = _spec_to_resume(run_id, arguments) if run_id else spec_from(arguments)
    if arguments.local or settings.engine_address() is None:
        fetch_data(spec.data)
    follower = _Follower(run_id)
    with _counted_interrupts() as presses:
        try:
            if run_id and arguments.more:
                run_id, follower = _extend(run_id, arguments.more)
            train_run = _train_here if arguments.local else _train_on_engine
            run = train_run(run_id, spec, follower, presses)
        finally:
            follower.end()
    if arguments.json:
        terminal.emit(run.finished_record.to_dict())
    else:
        _summarise(run)
    return 0


def follow(run_id: str) -> Run:
    """Follow a run that is in the engine's queue already, to its end. Ctrl-C only ends the
    following.

    Raises:
        AtelierError: if it ended without a record, with the reason and how to resume it.
    """
    follower = _Follower(run_id)
    try:
        return _watch(connect(), run_id, follower, [])
    finally:
        follower.end()


def spec_from(arguments: argparse.Namespace) -> TrainSpec:
    """The preset with the changes of the command line.

    Raises:
        InvalidSpec: for an unknown preset or setting, or a value that is not allowed.
    """
    changes = {}
    for setting in arguments.set:
        key, equals, text = setting.partition("=")
        if not equals:
            raise InvalidSpec(
                f"--set takes a setting and its value, such as learning_rate=0.01; received "
                f"{setting!r}."
            )
        changes[key.strip()] = parse_setting(key.strip(), text)
    for key in ("epochs", "seed", "name"):
        if getattr(arguments, key) is not None:
            changes[key] = parse_setting(key, getattr(arguments, key))
    return preset(arguments.preset or "swift").spec.replace(**changes)


def _spec_to_resume(run_id: str, arguments: argparse.Namespace) -> TrainSpec:
    """The spec of a run to resume, which no option may change.

    Raises:
        InvalidSpec: if one does, or the run is complete.
    """
    changed = any(getattr(arguments, name) is not None for name in ("epochs", "seed", "name"))
    if arguments.preset or arguments.set or changed:
        raise InvalidSpec(
            "A resumed run keeps its settings. Leave out --preset, --set, --epochs, --seed and "
            "--name, or train a new run with them."
        )
    run = runs.read(run_id)
    if run.finished and not (arguments.more or continuation.is_resumable(run)):
        raise InvalidSpec(
            f"The run {run_id} is {run.status_text}, so there is nothing to resume. Add epochs "
            f"with --more, or train a new run with its settings."
        )
    return run.spec


def _extend(run_id: str, more: int) -> tuple[str, _Follower]:
    """A copy of a finished run with more epochs to train, and who follows it."""
    copy = continuation.extend(run_id, more)
    return copy, _Follower(copy)


def fetch_data(name: str) -> None:
    """See that the data are on this machine, with a progress bar while they are downloaded.

    Raises:
        DataUnavailable: if they cannot be downloaded.
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
        fashion_mnist.download(line.show_download)
    finally:
        line.clear()


# --- in this process ------------------------------------------------------------------------------


def _train_here(
    run_id: str | None, spec: TrainSpec, follower: _Follower, presses: list[float]
) -> Run:
    if run_id is not None and _is_on_engine(run_id):
        raise InvalidSpec(
            f"The engine is training the run {run_id} already. Leave out --local, or stop it first."
        )
    if run_id is None:
        run_id = runs.create(spec)
    elif runs.read(run_id).finished:
        continuation.reopen(run_id)
    follower.begin(run_id, "in this process")
    try:
        with _native_output_in(settings.home() / "local.log"):
            from core.training import trainer  # imports TensorFlow, six seconds

            trainer.train(
                run_id, report=follower.show, should_stop=lambda: follower.stopping(presses)
            )
    except KeyboardInterrupt:
        follower.line.keep(_how_to_resume(run_id))
        raise
    return runs.read(run_id)


@contextlib.contextmanager
def _native_output_in(path: Path) -> Iterator[None]:
    """Send what TensorFlow's native code prints to a file; Python keeps writing to the terminal.

    Its notes on processors and drivers obey no log level before it is set up, and would tear the
    progress line apart.
    """
    python_stderr = sys.__stderr__
    if python_stderr is None or sys.stderr is not python_stderr:
        yield  # there is none, or it is captured already
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    terminal_copy = os.dup(2)
    with path.open("ab") as log, os.fdopen(terminal_copy, "w", errors="backslashreplace") as ours:
        python_stderr.flush()
        os.dup2(log.fileno(), 2)
        sys.stderr = ours
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", category=FutureWarning, module="keras")
                yield
        finally:
            ours.flush()
            sys.stderr = python_stderr
            os.dup2(terminal_copy, 2)


def _is_on_engine(run_id: str) -> bool:
    try:
        return connect(start=False).job(run_id) is not None
    except EngineUnavailable:
        return False


# --- on the engine --------------------------------------------------------------------------------


def _train_on_engine(
    run_id: str | None, spec: TrainSpec, follower: _Follower, presses: list[float]
) -> Run:
    engine = connect()
    if run_id is None:
        run_id = engine.submit(spec)
    elif engine.job(run_id) is None:  # otherwise it is being trained, and only watched from here
        engine.resume(run_id)
    follower.begin(run_id, f"on the engine at {engine.address}")
    return _watch(engine, run_id, follower, presses)


def _watch(engine: Engine, run_id: str, follower: _Follower, presses: list[float]) -> Run:
    """Follow a job on the engine to its end, even if the engine is away for a while; ask it to stop
    at Ctrl-C.
    """
    stop_sent, lost_since = False, 0.0
    while True:
        try:
            if not stop_sent and follower.stopping(presses):
                stop_sent = True
                _stop(engine, run_id)
            job = engine.job(run_id)
            lost_since = 0.0
        except EngineUnavailable as error:
            lost_since = lost_since or time.monotonic()
            if runs.read(run_id).finished:
                return runs.read(run_id)
            dead = engine.own and process.holder() is None
            if dead or time.monotonic() - lost_since > LOST_SECONDS:
                raise EngineUnavailable(f"{error} {_how_to_resume(run_id)}") from error
            follower.line.show("the engine does not answer at the moment")
            time.sleep(POLL_SECONDS)
            with contextlib.suppress(EngineUnavailable):
                engine = connect(start=False)
            continue
        if job is None:
            return _ended(engine, run_id)
        if job.place:
            follower.line.show(f"waiting, number {job.place} in the queue")
        elif job.progress is not None:
            follower.show(job.progress)
        time.sleep(POLL_SECONDS)


def _stop(engine: Engine, run_id: str) -> None:
    """Ask a job to stop.

    Raises:
        AtelierError: if it was still waiting, so that nothing is left to follow.
    """
    with contextlib.suppress(EngineRefused):  # it has ended at this very moment
        if engine.stop(run_id) == "cancelled":
            raise AtelierError("The run was still waiting, so it was removed from the queue.")


def _ended(engine: Engine, run_id: str) -> Run:
    """A run whose job has left the queue.

    Raises:
        AtelierError: if it ended without a record, with the reason and how to resume it.
    """
    run = runs.read(run_id)
    if run.finished:
        return run
    diverged = runs.divergence(run_id)
    if diverged is not None:
        raise AtelierError(diverged)  # resuming it would lead there again
    failure = engine.failure(run_id) or f"The training of {run_id} was {run.status_text}."
    raise AtelierError(f"{failure} {_how_to_resume(run_id)}")


def _how_to_resume(run_id: str) -> str:
    return f"`python -m core train --resume {run_id}` continues after its last finished epoch."


# --- what the terminal shows ----------------------------------------------------------------------


class _Follower:
    """Shows a training on standard error: a line that is redrawn, and one that stays per epoch."""

    def __init__(self, run_id: str | None) -> None:
        self.line = terminal.ProgressLine()
        self.run_id = run_id
        self.shown_epochs = len(runs.history(run_id)) if run_id else 0
        self.last: tuple[Phase, int] | None = None
        self.announced = False

    def begin(self, run_id: str, where: str) -> None:
        """Say which run is trained, and where."""
        self.run_id = run_id
        start = (
            f"Resuming {run_id} after epoch {self.shown_epochs}"
            if self.shown_epochs
            else f"Training {run_id}"
        )
        self.line.keep(f"{start}, {where}. Ctrl-C stops it and keeps what was learned.")

    def stopping(self, presses: list[float]) -> bool:
        """Whether Ctrl-C was pressed; says so once."""
        if presses and not self.announced:
            self.announced = True
            self.line.keep("Stopping; what was learned is kept; press Ctrl-C again to quit now.")
        return bool(presses)

    def show(self, progress: Progress) -> None:
        """Redraw the line, after a line for each epoch that has been finished."""
        if (progress.phase, progress.epoch) != self.last:
            self.last = (progress.phase, progress.epoch)
            self._show_epochs()
        parts = [
            f"epoch {progress.epoch}/{progress.epochs}"
            if progress.phase in (Phase.TRAINING, Phase.VALIDATING)
            else progress.phase.value
        ]
        if progress.stage and progress.phase in (Phase.PREPARING, Phase.TRAINING):
            parts.append(progress.stage)
        if progress.batches:
            parts.append(f"batch {progress.batch}/{progress.batches}")
        if progress.loss is not None and progress.accuracy is not None:
            parts.append(
                f"loss {progress.loss:.4f}, accuracy {terminal.percent(progress.accuracy)}"
            )
        parts.append(terminal.clock(progress.elapsed_seconds))
        if progress.remaining_seconds is not None:
            parts.append(f"about {terminal.clock(progress.remaining_seconds)} left")
        self.line.show("  ".join(parts))

    def end(self) -> None:
        """Leave only the lines that stay."""
        self._show_epochs()
        self.line.clear()

    def _show_epochs(self) -> None:
        if self.run_id is None:
            return
        history = runs.history(self.run_id)
        for epoch in history[self.shown_epochs :]:
            validation = ""
            if epoch.val_loss is not None:
                validation = (
                    f"; validation loss {epoch.val_loss:.4f}, accuracy "
                    f"{terminal.percent(epoch.val_accuracy)}"
                )
            self.line.keep(
                f"epoch {epoch.epoch}: loss {epoch.loss:.4f}, accuracy "
                f"{terminal.percent(epoch.accuracy)}{validation} ({terminal.clock(epoch.seconds)})"
            )
        self.shown_epochs = len(history)


@contextlib.contextmanager
def _counted_interrupts() -> Iterator[list[float]]:
    """Collect Ctrl-C instead of ending; the second one ends the program."""
    presses: list[float] = []

    def press(number: int, frame: FrameType | None) -> None:
        presses.append(time.monotonic())
        if len(presses) > 1:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield presses
    finally:
        signal.signal(signal.SIGINT, before)


def _summarise(run: Run) -> None:
    record = run.finished_record
    title = "the offline sample" if run.spec.data == "offline-sample" else "Fashion-MNIST"
    loss = "" if record.scores.test_loss is None else f" (loss {record.scores.test_loss:.4f})"
    print(
        f"{run.name}: {terminal.percent(record.scores.test_accuracy)} of the test pictures of "
        f"{title} correct{loss}; {run.status_text}, best epoch {record.best_epoch}, "
        f"{record.parameters:,} parameters, {terminal.clock(record.seconds)}."
    )
    diverged = runs.divergence(run.id)
    if diverged is not None:
        print(diverged)
    print(f"Run {run.id}. `python -m core runs promote {run.id}` makes it the champion.")
