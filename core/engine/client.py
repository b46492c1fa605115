"""Where jobs run: find or start the engine, queue runs, follow them, stop them.

The engine is a Dask scheduler with one worker, in a process that outlives the app (`process`);
`ATELIER_ENGINE` names another scheduler instead, and nothing else changes. A job is one run being
trained. Whatever a page asks goes to the scheduler's board (`board`) in one short round trip, so
polling costs the same in the first minute and in the tenth hour. A call either answers within three
seconds or raises `EngineUnavailable`; after that, `connect` finds or starts another engine.

Nothing is trained or stored here: results are in the run library, the queue is in the scheduler.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from core import runs, settings
from core.engine import connection, process
from core.engine.connection import ANSWER_SECONDS
from core.engine.worker import CalculationKind
from core.errors import AtelierError, EngineUnavailable, RunNotFound
from core.runs import continuation
from core.specs.spec import TrainSpec
from core.training import gradient_check
from core.training.gradient_check import GradientCheck
from core.training.range_test import RangeTest

if TYPE_CHECKING:
    from distributed import Future

    from core.engine.board import JobValues, Questions

T = TypeVar("T")
Stopped = Literal["cancelled", "stopping"]  # removed from the queue, or asked to end its training

_connecting = threading.Lock()
_engines: dict[str, Engine] = {}


class EngineRefused(AtelierError):
    """The engine is there, but this cannot be done with that run now."""


class JobState(StrEnum):
    """What a job is doing; one that is stopping still trains."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(frozen=True)
class Job:
    """A run that is queued or being trained.

    `place` is 0 while it trains, 1 for the next in the queue, and so on.
    """

    run_id: str
    state: JobState
    place: int
    progress: runs.Progress | None = None


@dataclass(frozen=True)
class EngineStatus:
    """The engine at a glance; `own` is False for one that `ATELIER_ENGINE` names."""

    address: str
    workers: int
    running: int
    waiting: int
    own: bool


def serve(*, workers: int = 1) -> int:
    """Be the engine, in the foreground, until told to end, however idle; see `process.serve`."""
    return process.serve(workers=workers, idle_seconds=math.inf)


def connect(*, start: bool = True, timeout: float = 15.0) -> Engine:
    """The engine of this home, or the one that `ATELIER_ENGINE` names.

    Calling it again is cheap; an engine that has died is replaced.

    Args:
        start: start an engine if this home has none.
        timeout: seconds to wait for one that is starting.

    Returns:
        an engine that has just answered. All threads of a process share it.

    Raises:
        EngineUnavailable: if there is none and none can be started or reached.
    """
    named = settings.engine_address()
    name = named or str(settings.home().resolve())
    if not _connecting.acquire(timeout=timeout if start else 1.0):
        raise EngineUnavailable("The engine is starting. Try again in a moment.")
    try:
        known = _engines.get(name)
        if known is not None:
            if known.alive():
                return known
            _engines.pop(name).close()
        reached = (
            connection.join(named)
            if named
            else connection.find_or_start(start, time.monotonic() + timeout)
        )
        return _engines.setdefault(name, Engine(reached))
    finally:
        _connecting.release()


def end_own() -> bool:
    """End the engine of this home, even one that no longer answers.

    A job that is training is interrupted and can be resumed.

    Returns:
        whether there was one.
    """
    pid = process.holder()
    if pid is None:
        return False
    connection.end(pid)
    return True


class Engine:
    """A connection to an engine, for any number of threads. Get one from `connect`."""

    def __init__(self, reached: connection.Connection) -> None:
        self.address, self.own = reached.address, reached.pid is not None
        self._connection, self._client = reached, reached.client
        self._submitting = threading.Lock()

    # --- jobs -------------------------------------------------------------------------------------

    def submit(self, spec: TrainSpec) -> str:
        """Create a run and queue it.

        Returns:
            the new run's id.

        Raises:
            InvalidSpec, StorageProblem: as `runs.create` does.
            EngineUnavailable: if the engine does not take it; then no run is left behind.
        """
        self.jobs()  # so that nothing is created for an engine that is not there
        return self._queue_new(runs.create(spec))

    def resume(self, run_id: str) -> None:
        """Queue an interrupted or stopped run again; it continues after its last finished epoch.

        Raises:
            RunNotFound, RunDamaged: if it cannot be read.
            EngineRefused: if it is complete, or in the queue already.
            EngineUnavailable: if the engine does not take it; then the run stays as it was.
        """
        run = runs.read(run_id)
        if not run.finished:
            self._queue(run_id)
            return
        if not continuation.is_resumable(run):
            raise EngineRefused(
                f"“{run.name}” is complete ({run.status_text}), so there is nothing to resume. "
                f"Add epochs to it, or train a new run with its settings."
            )
        self.jobs()
        continuation.reopen(run_id)
        try:
            self._queue(run_id)
        except AtelierError:
            continuation.close(run_id)
            raise

    def extend(self, run_id: str, more: int) -> str:
        """Queue a copy of a finished run that trains so many more epochs; see
        `core.runs.continuation`.

        Returns:
            the copy's id.

        Raises:
            RunNotFound, RunDamaged, InvalidSpec, StorageProblem: as `continuation.extend` does.
            EngineUnavailable: if the engine does not take it; then no copy is left behind.
        """
        self.jobs()
        return self._queue_new(continuation.extend(run_id, more))

    def stop(self, run_id: str) -> Stopped:
        """End a job: one that trains keeps what it has learned, one that waits leaves the queue.

        When it leaves the queue, a run without a finished epoch is moved to the bin, and one that
        was stopped and resumed is again what it was.

        Raises:
            EngineRefused: if the run has no job.
        """
        runs.check_id(run_id)
        answer = self._ask(lambda board: board.stop(run_id))
        if answer == "absent":
            raise EngineRefused(
                f"The run {run_id} is neither training nor waiting; it has ended already."
            )
        if answer == "cancelled" and not continuation.close(run_id) and not runs.history(run_id):
            with contextlib.suppress(RunNotFound):
                runs.delete(run_id)
        return answer

    def jobs(self) -> list[Job]:
        """All jobs, those that train first, then the queue in its order."""
        return [_as_job(values) for values in self._ask(lambda board: board.jobs())["jobs"]]

    def job(self, run_id: str) -> Job | None:
        """The job of a run, or None if it has none."""
        return next((job for job in self.jobs() if job.run_id == run_id), None)

    def failure(self, run_id: str) -> str | None:
        """Why the last job of a run failed, as a sentence; None if it did not, or the engine has
        been restarted since.
        """
        runs.check_id(run_id)
        return self._ask(lambda board: board.failure(run_id))

    # --- calculations -----------------------------------------------------------------------------

    def check_gradient(
        self,
        spec: TrainSpec,
        *,
        epsilon: float = gradient_check.EPSILON,
        weights: int = gradient_check.WEIGHTS,
        seed: int = 0,
    ) -> Calculation[GradientCheck]:
        """Let a worker check the gradient of a spec's network, after the jobs in the queue.

        Args:
            epsilon: the step, from 1e-7 to 1.
            weights: how many of each array of weights are checked, drawn at random.

        Raises:
            InvalidSpec: for a step or a number that makes no sense, or a pretrained network.
            EngineUnavailable: if the engine does not answer.
        """
        gradient_check.validate(spec, epsilon=epsilon, weights=weights)
        return self._calculate(
            CalculationKind.GRADIENT_CHECK,
            spec=spec.to_dict(),
            epsilon=epsilon,
            weights=weights,
            seed=seed,
        )

    def test_rates(self, spec: TrainSpec) -> Calculation[RangeTest]:
        """Let a worker try learning rates on a spec's network, after the jobs in the queue; see
        `core.training.range_test`.

        Raises:
            EngineUnavailable: if the engine does not answer.
        """
        return self._calculate(CalculationKind.RANGE_TEST, spec=spec.to_dict())

    def _calculate(self, kind: CalculationKind, **values: Any) -> Calculation[Any]:
        """Send plain values only: a scheduler unpickles them, and need not have Atelier."""
        self.jobs()  # so that nothing is sent to an engine that is not there
        with _translated(self.address):
            future = self._client.submit(
                _calculation_task(),
                kind.value,
                values,
                settings.worker_environment(self.own),
                self.own,
                key=f"atelier-calculation-{secrets.token_hex(8)}",
                pure=False,
                fifo_timeout="0ms",
            )
        return Calculation(self.address, future)

    # --- the engine itself ------------------------------------------------------------------------

    def status(self) -> EngineStatus:
        """Workers, jobs that train and jobs that wait."""
        board = self._ask(lambda board: board.jobs())
        running = sum(job["place"] == 0 for job in board["jobs"])
        return EngineStatus(
            self.address, board["workers"], running, len(board["jobs"]) - running, self.own
        )

    def alive(self) -> bool:
        """Whether it answers."""
        try:
            self._ask(lambda board: board.jobs())
        except EngineUnavailable:
            return False
        return True

    def shutdown(self) -> None:
        """End the engine of this home. A job that is training is interrupted and can be resumed.

        Raises:
            EngineRefused: if the engine is somebody else's.
        """
        if not self.own:
            raise EngineRefused(
                f"The engine at {self.address} was not started here. Whoever runs that cluster can "
                f"end it."
            )
        self.close()
        end_own()

    def close(self) -> None:
        """Disconnect from the engine; it and its jobs keep running."""
        self._connection.close()

    def _queue_new(self, run_id: str) -> str:
        """Queue a run that was made for this; without the engine it goes again."""
        try:
            self._queue(run_id)
        except AtelierError:
            with contextlib.suppress(RunNotFound):
                runs.delete(run_id)
            raise
        return run_id

    def _queue(self, run_id: str) -> None:
        """Send a job and wait until the board shows it, so that it is safe even if the app dies
        right after.
        """
        from distributed import fire_and_forget

        from core.engine.board import key

        with self._submitting:
            if self.job(run_id) is not None:
                raise EngineRefused(f"The run {run_id} is in the queue already.")
            with _translated(self.address):
                future = self._client.submit(
                    _job_task(),
                    run_id,
                    settings.worker_environment(self.own),
                    self.own,
                    key=key(run_id),
                    pure=False,
                    fifo_timeout="0ms",
                )
                fire_and_forget(future)
            try:
                self._wait_until_queued(run_id, future)
            finally:
                future.release()
            deadline = time.monotonic() + ANSWER_SECONDS
            while key(run_id) in self._client.futures and time.monotonic() < deadline:
                time.sleep(0.005)  # or a resume a moment later would get this old future

    def _wait_until_queued(self, run_id: str, future: Future[None]) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            if future.status == "finished" or self.job(run_id) is not None:
                return
            if future.status in ("error", "cancelled", "lost"):
                break
            time.sleep(0.01)
        raise EngineUnavailable(
            f"The engine at {self.address} did not take the job. Try again; "
            f"`python -m core engine status` says whether it is running."
        )

    def _ask(self, question: Callable[[Questions], Coroutine[Any, Any, T]]) -> T:
        """One round trip to the board."""
        with _translated(self.address):
            return self._connection.round_trip(question(self._connection.questions()))


class Calculation(Generic[T]):
    """Something small that a worker calculates."""

    def __init__(self, address: str, future: Future[tuple[T, str | None]]) -> None:
        self._address, self._future = address, future

    @property
    def done(self) -> bool:
        """Whether `result` would answer at once."""
        return bool(self._future.done())

    def result(self, seconds: float | None = None) -> T:
        """Wait for the result.

        Raises:
            AtelierError: what the calculation refused with.
            EngineUnavailable: if the engine went away meanwhile, or there is no result after so
                many seconds.
        """
        from distributed.scheduler import KilledWorker

        try:
            with _translated(self._address):
                result, refusal = self._future.result(seconds)
        except KilledWorker as error:
            raise EngineUnavailable(
                "The worker died during this calculation (out of memory, perhaps). Choose a "
                "smaller network."
            ) from error
        if refusal is not None:
            raise AtelierError(refusal)
        return result

    def cancel(self) -> None:
        """Remove it from the queue; if it has begun, its result is dropped."""
        with contextlib.suppress(EngineUnavailable), _translated(self._address):
            self._future.cancel()


# What Dask is asked to run. These are functions inside functions because those travel by value, so
# the scheduler need not have Atelier.


def _calculation_task() -> Callable[..., tuple[Any, str | None]]:
    def calculate_here(
        kind: str, values: dict[str, Any], environment: dict[str, str], own: bool
    ) -> tuple[object, str | None]:
        from core.engine.worker import CalculationKind, calculate

        return calculate(CalculationKind(kind), values, environment, own)

    return calculate_here


def _job_task() -> Callable[..., None]:
    def train_run(run_id: str, environment: dict[str, str], own: bool) -> None:
        from core.engine.worker import run_job

        run_job(run_id, environment, own)

    return train_run


def _as_job(values: JobValues) -> Job:
    progress = values["progress"]
    return Job(
        values["run_id"],
        JobState(values["state"]),
        values["place"],
        runs.Progress.from_dict(progress) if progress else None,
    )


@contextlib.contextmanager
def _translated(address: str) -> Iterator[None]:
    """Turn every way in which a connection to a scheduler can break into one sentence."""
    from distributed.client import ClosedClientError

    try:
        yield
    # Timeouts are OSErrors.
    except (OSError, RuntimeError, CancelledError, ClosedClientError) as error:
        raise EngineUnavailable(
            f"The engine at {address} does not answer. An interrupted training can be resumed."
        ) from error
