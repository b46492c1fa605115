"""Where jobs run: find or start the engine, put runs in its line, follow them, stop them.

The engine is a Dask scheduler with one worker, in a process that outlives the app
(`engine_process`); `ATELIER_ENGINE` names another scheduler instead, and nothing else changes. A
job is one run being trained. Everything a page asks goes to the scheduler's board (`engine_board`)
in one short round trip, so polling costs the same in the first minute as in the tenth hour. A call
either answers within three seconds or raises `EngineUnavailable`; after that, `connect` heals.

It does not train and keeps nothing itself: what was learnt is in the run library, and the line is
in the scheduler.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from core import runs, settings
from core.engine import connection, process
from core.engine.connection import ANSWER_SECONDS
from core.engine.worker import CalculationKind
from core.errors import AtelierError, EngineUnavailable, RunNotFound
from core.specs.spec import TrainSpec
from core.training import gradient_check

_connecting = threading.Lock()
_engines: dict[str, Engine] = {}


class EngineRefused(AtelierError):
    """The engine is there, but this cannot be done with that run now."""


@dataclass(frozen=True)
class Job:
    """A run in the making. `place` is 0 while it trains, 1 for the next in line, and so on."""

    run_id: str
    state: str  # "waiting", "running" or "stopping"
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
    """Be the engine, in the foreground, until told to end; see `engine_process.serve`."""
    return process.serve(workers=workers)


def connect(*, start: bool = True, timeout: float = 15.0) -> Engine:
    """The engine of this home, or the one that `ATELIER_ENGINE` names. Cheap to call again; a dead
    one is replaced.

    Args:
        start: start an engine if this home has none.
        timeout: seconds to wait for one that is starting.

    Returns:
        an engine that has just answered. All threads of a process share it.

    Raises:
        EngineUnavailable: if there is none and none can be started or reached.
    """
    named = settings.engine_address()
    place = named or str(settings.home().resolve())
    if not _connecting.acquire(timeout=timeout if start else 1.0):
        raise EngineUnavailable("The engine is starting. Try again in a moment.")
    try:
        known = _engines.get(place)
        if known is not None:
            if known.alive():
                return known
            _engines.pop(place).close()
        line = (
            connection.join(named)
            if named
            else connection.find_or_start(start, time.monotonic() + timeout)
        )
        return _engines.setdefault(place, Engine(line))
    finally:
        _connecting.release()


def end_own() -> bool:
    """End the engine of this home, also one that no longer answers. A job that trains is
    interrupted and can be resumed.

    Returns:
        whether there was one.
    """
    pid = process.holder()
    if pid is None:
        return False
    connection.end(pid)
    return True


class Engine:
    """A line to an engine, for any number of threads. Get one from `connect`."""

    def __init__(self, line: connection.Connection):
        self.address, self.own = line.address, line.pid is not None
        self._line, self._client = line, line.client
        self._submitting = threading.Lock()

    # --- jobs ---------------------------------------------------------------------------------------------------------

    def submit(self, spec: TrainSpec) -> str:
        """Create a run and put it in the line.

        Returns:
            the new run's id.

        Raises:
            InvalidSpec, StorageProblem: as `runs.create` does.
            EngineUnavailable: if the engine does not take it; then no run is left behind.
        """
        self.jobs()  # so that nothing is created for an engine that is not there
        run_id = runs.create(spec)
        try:
            self._put_in_line(run_id)
        except AtelierError:
            with contextlib.suppress(RunNotFound):
                runs.delete(run_id)
            raise
        return run_id

    def resume(self, run_id: str) -> None:
        """Put an unfinished run in the line again; it goes on after its last finished epoch.

        Raises:
            RunNotFound, RunDamaged: if it cannot be read.
            EngineRefused: if it is finished, or in the line already.
            EngineUnavailable: if the engine does not take it.
        """
        run = runs.read(run_id)
        if run.finished:
            raise EngineRefused(
                f"“{run.name}” is complete ({run.status_text}), so there is nothing to resume. Train a new "
                f"run with its settings instead."
            )
        self._put_in_line(run_id)

    def stop(self, run_id: str) -> str:
        """End a job: one that trains keeps what it learnt, one that waits leaves the line and takes
        its empty run with it.

        Returns:
            "stopping" or "cancelled".

        Raises:
            EngineRefused: if the run has no job.
        """
        answer = self._ask("atelier_stop", run_id=runs.check_id(run_id))
        if answer == "absent":
            raise EngineRefused(
                f"The run {run_id} is neither training nor waiting; it has ended already."
            )
        if answer == "cancelled" and not runs.history(run_id):
            with contextlib.suppress(RunNotFound):
                runs.delete(run_id)
        return answer

    def jobs(self) -> list[Job]:
        """All jobs, those that train first, then the line in its order."""
        return [_as_job(values) for values in self._ask("atelier_jobs")["jobs"]]

    def job(self, run_id: str) -> Job | None:
        """The job of a run, or None if it has none."""
        return next((job for job in self.jobs() if job.run_id == run_id), None)

    def failure(self, run_id: str) -> str | None:
        """Why the last job of a run failed, as a sentence; None if it did not, or the engine has
        been restarted since.
        """
        return self._ask("atelier_failure", run_id=runs.check_id(run_id))

    def check_gradient(
        self,
        spec: TrainSpec,
        *,
        epsilon: float = gradient_check.EPSILON,
        weights: int = gradient_check.WEIGHTS,
        seed: int = 0,
    ) -> Calculation:
        """Let a worker check the gradient of a spec's network; it waits behind the jobs in the
        queue.

        Args:
            epsilon: the step, from 1e-7 to 1.
            weights: how many of each array of weights are checked, drawn at random.

        Returns:
            a calculation whose result is a `GradientCheck`.

        Raises:
            InvalidSpec: for a step or a number that makes no sense, or a pretrained network.
            EngineUnavailable: if the engine does not answer.
        """
        gradient_check.validate(spec, epsilon=epsilon, weights=weights)
        return self._calculate(
            CalculationKind.GRADIENT_CHECK, spec=spec, epsilon=epsilon, weights=weights, seed=seed
        )

    def _calculate(self, kind: CalculationKind, **values: Any) -> Calculation:
        self.jobs()  # so that nothing is sent to an engine that is not there
        with _translated(self.address):
            future = self._client.submit(
                _calculation(),
                kind,
                values,
                settings.worker_environment(self.own),
                self.own,
                key=f"atelier-calculation-{secrets.token_hex(8)}",
                pure=False,
                fifo_timeout="0ms",
            )
        return Calculation(self.address, future)

    # --- the engine itself --------------------------------------------------------------------------------------------

    def status(self) -> EngineStatus:
        """Workers, jobs that train and jobs that wait."""
        board = self._ask("atelier_jobs")
        running = sum(values["place"] == 0 for values in board["jobs"])
        return EngineStatus(
            self.address, board["workers"], running, len(board["jobs"]) - running, self.own
        )

    def alive(self) -> bool:
        """Whether it answers."""
        try:
            self._ask("atelier_jobs")
        except EngineUnavailable:
            return False
        return True

    def shutdown(self) -> None:
        """End the engine of this home. A job that trains is interrupted and can be resumed.

        Raises:
            EngineRefused: if the engine is somebody else's.
        """
        if not self.own:
            raise EngineRefused(
                f"The engine at {self.address} was not started here. Whoever runs that cluster can end it."
            )
        self.close()
        end_own()

    def close(self) -> None:
        """Let go of the engine; it and its jobs go on."""
        self._line.close()

    def _put_in_line(self, run_id: str) -> None:
        """Send a job and wait until the board shows it, so that it is safe even if the app dies the
        moment after.
        """
        from distributed import fire_and_forget

        from core.engine.board import key

        with self._submitting:
            if self.job(run_id) is not None:
                raise EngineRefused(f"The run {run_id} is in the line already.")
            with _translated(self.address):
                future = self._client.submit(
                    _task(),
                    run_id,
                    settings.worker_environment(self.own),
                    self.own,
                    key=key(run_id),
                    pure=False,
                    fifo_timeout="0ms",
                )
                fire_and_forget(future)
            try:
                self._wait_for_place(run_id, future)
            finally:
                future.release()
            deadline = time.monotonic() + ANSWER_SECONDS
            while key(run_id) in self._client.futures and time.monotonic() < deadline:
                time.sleep(0.005)  # else a resume in the next moment would be given this old future

    def _wait_for_place(self, run_id: str, future) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            if future.status == "finished" or self.job(run_id) is not None:
                return
            if future.status in ("error", "cancelled", "lost"):
                break
            time.sleep(0.01)
        raise EngineUnavailable(
            f"The engine at {self.address} did not take the job. Try again; `python -m core engine status` "
            f"tells whether it lives."
        )

    def _ask(self, question: str, **values):
        """One round trip to the board."""
        scheduler = self._client.scheduler
        if scheduler is None or self._client.status != "running":
            raise _lost(self.address)
        with _translated(self.address):
            return self._line.round_trip(getattr(scheduler, question)(**values))


class Calculation:
    """Something small that a worker calculates; letting go of it takes it out of the line."""

    def __init__(self, address: str, future):
        self._address, self._future = address, future

    @property
    def done(self) -> bool:
        """Whether `result` answers at once."""
        return self._future.done()

    def result(self, seconds: float | None = None):
        """The answer, waited for.

        Raises:
            AtelierError: what the calculation refused with.
            EngineUnavailable: if the engine went away meanwhile, or there is no answer after so
                many seconds.
        """
        from distributed.scheduler import KilledWorker

        try:
            with _translated(self._address):
                answer, refusal = self._future.result(seconds)
        except KilledWorker as error:
            raise EngineUnavailable(
                "The worker died over this calculation (out of memory, perhaps). Ask for a smaller network."
            ) from error
        if refusal:
            raise AtelierError(refusal)
        return answer

    def cancel(self) -> None:
        """Take it out of the line; what has begun goes on unheard."""
        with contextlib.suppress(EngineUnavailable), _translated(self._address):
            self._future.cancel()


def _calculation():
    """What Dask is asked to run for a calculation; by value, as `_task`."""

    def calculate_here(kind, values, environment, own):
        from core.engine.worker import calculate

        return calculate(kind, values, environment, own)

    return calculate_here


def _task():
    """What Dask is asked to run.

    A function of its own travels by value, so the scheduler need not know Atelier.
    """

    def train_run(run_id, environment, own):
        from core.engine.worker import run_job

        run_job(run_id, environment, own)

    return train_run


def _as_job(values: dict) -> Job:
    progress = values["progress"]
    return Job(
        values["run_id"],
        values["state"],
        values["place"],
        runs.Progress.from_dict(progress) if progress else None,
    )


def _lost(address: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"The engine at {address} does not answer. Training that was under way can be resumed."
    )


@contextlib.contextmanager
def _translated(address: str):
    """Turn every way in which a line to a scheduler can break into one sentence."""
    from distributed.client import ClosedClientError

    try:
        yield
    # Timeouts are OSErrors.
    except (OSError, RuntimeError, CancelledError, ClosedClientError) as error:
        raise _lost(address) from error
