"""What happens on a worker: getting ready when it starts, and carrying a job out.

As a Dask preload (`--preload core.engine.worker`) it lowers the worker's priority, so that pages
stay quick while it trains, and imports Keras in the background, so that the worker is there at once
and the first job need not wait. `run_job` then trains a run and keeps the scheduler's board
informed from the worker's event loop: the training itself only puts its progress down and reads a
flag, and never waits for the network.

It does not train (`training`) and does not decide what comes next (the scheduler).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from concurrent.futures import CancelledError
from enum import StrEnum
from typing import Any

from core.errors import AtelierError

logger = logging.getLogger(__name__)

# Between two words to the board; with the batches it makes a stop felt well within two seconds.
POST_SECONDS = 0.4
# A busy scheduler may take its time; a job that has trained for an hour can wait for it.
ASK_SECONDS = 30.0
PRIORITY = 10  # of 19: behind everything interactive, before nothing
# Seeds and Keras's state belong to the process, so a worker with many threads trains one.
_ONE_AT_A_TIME = threading.Lock()
_READY = threading.Lock()


class CalculationKind(StrEnum):
    """What a worker can calculate besides training a run."""

    GRADIENT_CHECK = "gradient-check"


class JobCancelled(Exception):
    """The job was cancelled or given to another worker: leave the run alone."""


def dask_setup(worker) -> None:
    """Get a worker ready; called by Dask when it starts with this module as a preload."""
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if hasattr(os, "nice"):
        os.nice(PRIORITY)  # of this thread, and of all that it starts from now on
    threading.Thread(target=_warm_up, name="atelier-warm-up", daemon=True).start()


def run_job(run_id: str, environment: dict[str, str], own: bool) -> None:
    """Train one run, as a Dask task. A failure becomes a sentence on the board and a traceback in
    the log, never a lost task.

    Args:
        run_id: an unfinished run; what it has learnt so far is kept.
        environment: the app's `ATELIER_...` settings that say where things are.
        own: whether app and worker are one machine. Then the app's settings apply, since the engine
            may have been started by an app with others; elsewhere they only fill in for what the
            worker was not told.
    """
    from distributed import get_worker

    _set_environment(environment, own)
    with _ONE_AT_A_TIME:
        post = _Post(run_id, get_worker())
        if not post.begin():
            logger.warning("The run %s was cancelled before it began.", run_id)
            return
        failure = None
        try:
            _training().train(run_id, report=post.report, should_stop=post.should_stop)
        except JobCancelled:
            logger.warning("The run %s was taken from this worker.", run_id)
        except AtelierError as error:
            logger.exception("The run %s failed.", run_id)
            failure = str(error)
        except Exception as error:
            logger.exception("The run %s failed.", run_id)
            first = (str(error).strip().splitlines() or [""])[0][:200]
            failure = (
                f"The training broke off with {type(error).__name__}{': ' + first if first else ''}. The engine's log has "
                f"the details; the epochs that were finished are kept."
            )
        finally:
            post.end(failure)


def calculate(
    kind: CalculationKind, values: dict[str, Any], environment: dict[str, str], own: bool
) -> tuple[object, str | None]:
    """Calculate something small that needs Keras, as a Dask task; between two trainings, never
    beside one.

    Args:
        kind: what is calculated, from `values`.
        environment, own: as in `run_job`.

    Returns:
        the answer and None, or None and the sentence of an error that a person can mend.
    """
    _set_environment(environment, own)
    with _ONE_AT_A_TIME:
        try:
            _training()
            match kind:
                case CalculationKind.GRADIENT_CHECK:
                    from core.training import gradients

                    return gradients.check(**values), None
        except AtelierError as error:
            return None, str(error)


def _set_environment(environment: dict[str, str], own: bool) -> None:
    for name, value in environment.items():
        if own:
            os.environ[name] = value
        else:
            os.environ.setdefault(name, value)


class _Post:
    """The way between one training and the board.

    `report` and `should_stop` cost the training nothing.
    """

    def __init__(self, run_id: str, worker):
        self.run_id, self.worker = run_id, worker
        self.attempt = 0
        self.answer = "go"
        self.progress: dict | None = None

    def begin(self) -> bool:
        """Take the job up; False if it was cancelled."""
        self.attempt = self._ask("atelier_begin", worker=self.worker.address)
        if self.attempt:
            self.posting = asyncio.run_coroutine_threadsafe(
                self._keep_posting(), self.worker.loop.asyncio_loop
            )
        return bool(self.attempt)

    def report(self, progress) -> None:
        """Put a `Progress` down for the next post."""
        if self.answer == "gone":
            raise JobCancelled()
        self.progress = progress.to_dict()

    def should_stop(self) -> bool:
        """Whether somebody asked the job to stop."""
        if self.answer == "gone":
            raise JobCancelled()
        return self.answer == "stop"

    def end(self, failure: str | None) -> None:
        """Leave the line."""
        self.posting.cancel()
        try:
            self._ask("atelier_end", attempt=self.attempt, failure=failure)
        except (OSError, RuntimeError, CancelledError):  # the line leaves with the task then
            logger.warning(
                "The scheduler was not to be reached at the end of the run %s.", self.run_id
            )

    async def _keep_posting(self) -> None:
        sent = None
        while True:
            progress = self.progress
            # The next post will say it; without a scheduler Dask ends the worker.
            with contextlib.suppress(OSError):
                self.answer = await self.worker.scheduler.atelier_report(
                    run_id=self.run_id,
                    attempt=self.attempt,
                    progress=progress if progress is not sent else None,
                )
                sent = progress
            await asyncio.sleep(POST_SECONDS)

    def _ask(self, question: str, **values):
        answer = getattr(self.worker.scheduler, question)(run_id=self.run_id, **values)
        return asyncio.run_coroutine_threadsafe(answer, self.worker.loop.asyncio_loop).result(
            ASK_SECONDS
        )


def _training():
    """The training backend; whoever comes first imports it, the others wait."""
    with _READY:
        from core.training import trainer
    return trainer


def _warm_up() -> None:
    try:
        _training()
    except Exception:
        logger.exception("The training backend could not be imported; jobs will say so.")
