"""What happens on a worker: it gets ready when it starts, and then carries out jobs.

As a Dask preload (`--preload core.engine.worker`) this module lowers the worker's priority, so that
pages stay fast while it trains, and imports Keras in the background, so that the worker is there at
once and the first job need not wait. `run_job` then trains a run and keeps the scheduler's board
informed from the worker's event loop: the training itself only leaves its progress in a variable
and reads a flag, and never waits for the network.

How a run is trained is in `core.training.trainer`; the scheduler decides which job is next.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from enum import StrEnum
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from core import settings
from core.errors import AtelierError
from core.specs.spec import TrainSpec
from core.training import start_times
from core.training.start_times import Step

if TYPE_CHECKING:
    from distributed import Worker

    from core.engine.board import ProgressValues, Questions, ReportReply
    from core.runs import Progress

T = TypeVar("T")
logger = logging.getLogger(__name__)

# Between two reports to the board; so a stop takes effect well within two seconds.
POST_SECONDS = 0.4
# A busy scheduler may take its time; a job that has trained for an hour can wait for it.
ASK_SECONDS = 30.0
FIRST_WORKER_SECONDS = 60.0  # a worker that starts later replaces one that was lost
PRIORITY = 10  # of 19: everything interactive goes first
# Seeds and Keras's state belong to the process, so a worker with many threads trains one run.
_ONE_AT_A_TIME = threading.Lock()
_READY = threading.Lock()


class CalculationKind(StrEnum):
    """What a worker can calculate besides training a run."""

    GRADIENT_CHECK = "gradient-check"
    RANGE_TEST = "range-test"


class JobCancelled(Exception):
    """The job was cancelled or given to another worker: leave the run alone."""


def dask_setup(worker: Worker) -> None:
    """Get a worker ready; Dask calls this when a worker starts with this module as a preload."""
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if hasattr(os, "nice"):
        os.nice(PRIORITY)  # of this thread and all threads that it starts from now on
    _note_start()
    threading.Thread(target=_warm_up, name="atelier-warm-up", daemon=True).start()


def run_job(run_id: str, environment: dict[str, str], own: bool) -> None:
    """Train one run, as a Dask task.

    A failure becomes a sentence on the board and a traceback in the log, never a lost task.

    Args:
        run_id: an unfinished run; it continues after its last finished epoch.
        environment: the app's `ATELIER_...` settings that say where things are.
        own: whether app and worker are on one machine. Then the app's settings apply, since the
            engine may have been started by an app with others; elsewhere they only fill in what
            the worker was not told.
    """
    from distributed import get_worker

    _set_environment(environment, own)
    with _ONE_AT_A_TIME:
        post = _begin(run_id, get_worker())
        if post is None:
            logger.warning("The run %s was cancelled before it began.", run_id)
            return
        failure = None
        try:
            _trainer().train(run_id, report=post.report, should_stop=post.should_stop)
        except JobCancelled:
            logger.warning("The run %s was cancelled or given to another worker.", run_id)
        except AtelierError as error:
            logger.exception("The run %s failed.", run_id)
            failure = str(error)
        except Exception as error:
            logger.exception("The run %s failed.", run_id)
            message = (str(error).strip().splitlines() or [""])[0][:200]
            failure = (
                f"The training ended with {type(error).__name__}{': ' + message if message else ''}. "
                f"The engine's log has the details; the finished epochs are kept."
            )
        finally:
            post.end(failure)


def calculate(
    kind: CalculationKind, values: dict[str, Any], environment: dict[str, str], own: bool
) -> tuple[object, str | None]:
    """Calculate something small that needs Keras, as a Dask task between two trainings.

    Args:
        kind: what to calculate, from `values`, which are plain.
        environment, own: as in `run_job`.

    Returns:
        the result and None, or None and the sentence of an error that people can do something
        about.
    """
    _set_environment(environment, own)
    with _ONE_AT_A_TIME:
        try:
            _trainer()
            match kind:
                case CalculationKind.GRADIENT_CHECK:
                    from core.training import gradients

                    spec = TrainSpec.from_dict(values.pop("spec"))
                    return gradients.check(spec, **values), None
                case CalculationKind.RANGE_TEST:
                    from core.training import range_fit

                    return range_fit.test_rates(TrainSpec.from_dict(values["spec"])), None
        except AtelierError as error:
            return None, str(error)


def _set_environment(environment: dict[str, str], own: bool) -> None:
    for name, value in environment.items():
        if own:
            os.environ[name] = value
        else:
            os.environ.setdefault(name, value)


def _begin(run_id: str, worker: Worker) -> _Post | None:
    """Tell the board that this worker begins a job; None if the job was cancelled."""
    from core.engine.board import Questions

    board = Questions(worker.scheduler)
    attempt = _from_loop(worker, board.begin(run_id, worker.address)).result(ASK_SECONDS)
    return _Post(run_id, worker, board, attempt) if attempt else None


class _Post:
    """Carries the messages between one training and the board.

    `report` and `should_stop` cost the training nothing.
    """

    def __init__(self, run_id: str, worker: Worker, board: Questions, attempt: int) -> None:
        self.run_id, self.worker, self.board, self.attempt = run_id, worker, board, attempt
        self.answer: ReportReply = "go"
        self.progress: tuple[Progress, float] | None = None  # and when it was left here
        self.posting = _from_loop(worker, self._keep_posting())

    def report(self, progress: Progress) -> None:
        """Leave progress for the next report to the board."""
        if self.answer == "gone":
            raise JobCancelled()
        self.progress = progress, time.monotonic()

    def should_stop(self) -> bool:
        """Whether somebody asked the job to stop."""
        if self.answer == "gone":
            raise JobCancelled()
        return self.answer == "stop"

    def end(self, failure: str | None) -> None:
        """Leave the queue."""
        self.posting.cancel()
        ending = self.board.end(self.run_id, self.attempt, failure)
        try:
            _from_loop(self.worker, ending).result(ASK_SECONDS)
        except (OSError, RuntimeError, CancelledError):  # the job then leaves with its task
            logger.warning(
                "The scheduler could not be reached at the end of the run %s.", self.run_id
            )

    async def _keep_posting(self) -> None:
        while True:
            # The next report will say it; without a scheduler, Dask ends the worker.
            with contextlib.suppress(OSError):
                self.answer = await self.board.report(self.run_id, self.attempt, self._present())
            await asyncio.sleep(POST_SECONDS)

    def _present(self) -> ProgressValues | None:
        """The progress with its times moved on: a validation reports nothing for many seconds, and
        no clock but the worker's knows how many.
        """
        if self.progress is None:
            return None
        progress, when = self.progress
        return progress.after(time.monotonic() - when).to_dict()


def _from_loop(worker: Worker, question: Coroutine[Any, Any, T]) -> Future[T]:
    """Let the worker's event loop ask something, from any thread."""
    loop = worker.loop.asyncio_loop  # type: ignore[attr-defined]  # Tornado's types hide it
    return asyncio.run_coroutine_threadsafe(question, loop)


def _trainer() -> ModuleType:
    """The module that trains; the first thread to need it imports it, the others wait."""
    with _READY:
        began, known = time.monotonic(), "core.training.trainer" in sys.modules
        from core.training import trainer

        if not known:
            start_times.note(Step.IMPORT, time.monotonic() - began)
    return trainer


def _note_start() -> None:
    """Remember how long the engine took from an app's wish to this worker, its first one."""
    asked = settings.engine_asked()
    if asked is not None and time.time() - asked < FIRST_WORKER_SECONDS:
        start_times.note(Step.ENGINE, time.time() - asked)


def _warm_up() -> None:
    try:
        _trainer()
    except Exception:
        logger.exception("The training backend could not be imported; jobs will say so.")
