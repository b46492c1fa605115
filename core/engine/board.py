"""The queue of jobs, kept inside the scheduler: which wait, which train, and which have to stop.

A Dask scheduler knows tasks, but not which of them has really begun, nor in which order people
asked. This plugin watches the tasks with Atelier's prefix and answers each question in one round
trip, so that a page can poll it cheaply however long a job is. The scheduler's event loop runs one
handler at a time, which makes the answers exact: a job is either cancelled before it begins or told
to stop afterwards, never both.

The plugin is sent to the scheduler by value, so a scheduler on another machine needs Dask but not
Atelier. Therefore this module imports nothing of ours, and what crosses the wire are plain lists,
dictionaries and strings. `Questions` is the other side of the wire, for the processes that ask. It
neither starts jobs nor touches runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from distributed.diagnostics.plugin import SchedulerPlugin

if TYPE_CHECKING:
    from distributed import Scheduler
    from distributed.core import PooledRPCCall, rpc

PREFIX = "atelier-job-"
# A new number whenever the handlers change, so that two versions do not meet on one scheduler.
NAME = "atelier-board-3"
MAX_FAILURES = 200

StateWord = Literal["waiting", "running", "stopping"]
StopReply = Literal["absent", "cancelled", "stopping"]
ReportReply = Literal["go", "stop", "gone"]
ProgressValues = dict[str, Any]  # as `Progress.to_dict` gives them


class JobValues(TypedDict):
    """A job on the board; `place` is 0 while it trains, 1 for the next in the queue, and so on."""

    run_id: str
    state: StateWord
    place: int
    progress: ProgressValues | None


class BoardValues(TypedDict):
    """All jobs, those that train first, and the number of workers that can take one."""

    jobs: list[JobValues]
    workers: int


def key(run_id: str) -> str:
    """The Dask key of a run's job; one key per run, so that no run can be trained twice at once."""
    return PREFIX + run_id


@dataclass
class Entry:
    """One job from its submission to its end.

    `attempt` grows whenever a worker begins it, so that an earlier one can tell.
    """

    order: int
    worker: str | None = None
    attempt: int = 0
    stop: bool = False
    progress: ProgressValues | None = None


class Board(SchedulerPlugin):
    """Scheduler plugin with a handler for each method of `Questions`."""

    idempotent = True

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.failures: dict[str, str] = {}
        self.count = 0
        self.scheduler: Scheduler

    async def start(self, scheduler: Scheduler) -> None:
        """Add the handlers; Dask calls this when the plugin arrives."""
        self.scheduler = scheduler
        scheduler.handlers.update(
            {
                "atelier_jobs": self.jobs,
                "atelier_begin": self.begin,
                "atelier_report": self.report,
                "atelier_end": self.end,
                "atelier_stop": self.stop,
                "atelier_failure": self.failure,
            }
        )

    # --- what a client asks -----------------------------------------------------------------------

    def jobs(self) -> BoardValues:
        """All jobs in the order of the queue, those that train first, and the number of workers.

        A worker that has registered but not said "running" yet does not count: until it does, jobs
        queue up behind another.
        """
        ordered = sorted(
            self.entries.items(), key=lambda item: (item[1].worker is None, item[1].order)
        )
        jobs: list[JobValues] = []
        waiting = 0
        for run_id, entry in ordered:
            waiting += entry.worker is None
            jobs.append(
                {
                    "run_id": run_id,
                    "state": "stopping" if entry.stop else "running" if entry.worker else "waiting",
                    "place": 0 if entry.worker else waiting,
                    "progress": entry.progress,
                }
            )
        workers = self.scheduler.workers.values()
        return {"jobs": jobs, "workers": sum(worker.status.name != "init" for worker in workers)}

    def stop(self, run_id: str) -> StopReply:
        """Ask a job to stop, or remove it from the queue if no worker has begun it."""
        entry = self.entries.get(run_id)
        if entry is None:
            return "absent"
        # A job that lost its worker keeps its place; it stops, with what it has learned, as soon as
        # another worker takes it. Asked a second time before that, it is removed.
        if entry.worker is None and (entry.attempt == 0 or entry.stop):
            self.scheduler.stimulus_cancel(
                keys=[PREFIX + run_id],
                client="fire-and-forget",
                force=True,
                reason="atelier-stop",
                msg="removed from the queue",
            )
            self.entries.pop(run_id, None)
            return "cancelled"
        entry.stop = True
        return "stopping"

    def failure(self, run_id: str) -> str | None:
        """Why the last job of this run failed, as a sentence; None if it did not."""
        return self.failures.get(run_id)

    # --- what a worker says -----------------------------------------------------------------------

    def begin(self, run_id: str, worker: str) -> int:
        """A worker begins a job. Returns its attempt, or 0 if the job was cancelled meanwhile."""
        entry = self.entries.get(run_id)
        if entry is None:
            return 0
        entry.worker, entry.attempt = worker, entry.attempt + 1
        return entry.attempt

    def report(self, run_id: str, attempt: int, progress: ProgressValues | None) -> ReportReply:
        """Note progress; "gone" if the job was cancelled or given to another worker."""
        entry = self.entries.get(run_id)
        if entry is None or entry.attempt != attempt:
            return "gone"
        if progress is not None:
            entry.progress = progress
        return "stop" if entry.stop else "go"

    def end(self, run_id: str, attempt: int, failure: str | None) -> None:
        """The job is over; from now on the run's folder tells the rest."""
        entry = self.entries.get(run_id)
        if entry is not None and entry.attempt == attempt:
            del self.entries[run_id]
            if failure:
                self._fail(run_id, failure)

    # --- what the scheduler sees ------------------------------------------------------------------

    def transition(
        self,
        key: Any,
        start: str,
        finish: str,
        *args: Any,
        stimulus_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Follow our tasks: a new one joins the queue; it leaves when it ends, fails or is
        cancelled.
        """
        if not isinstance(key, str) or not key.startswith(PREFIX):
            return
        run_id = key[len(PREFIX) :]
        if start == "released" and finish == "waiting" and run_id not in self.entries:
            self.count += 1
            self.entries[run_id] = Entry(self.count)
            self.failures.pop(run_id, None)
        elif finish == "erred":
            task = self.scheduler.tasks[key]
            if task.suspicious > self.scheduler.allowed_failures:
                self._fail(
                    run_id,
                    f"The worker died {task.suspicious} times while it trained this run (out of "
                    f"memory, perhaps). Its finished epochs are kept: resume it, or train a run "
                    f"with smaller batches or a smaller network.",
                )
            elif run_id in self.entries:
                self._fail(
                    run_id,
                    f"No worker could begin this job ({task.exception_text}). Workers must have "
                    f"the same versions of Atelier and its libraries as the app.",
                )
            self.entries.pop(run_id, None)
        elif finish in ("memory", "forgotten"):
            self.entries.pop(run_id, None)

    def remove_worker(self, scheduler: Scheduler, worker: str, **kwargs: Any) -> None:
        """Jobs of a lost worker wait again; the scheduler gives them to the next one."""
        for entry in self.entries.values():
            if entry.worker == worker:
                entry.worker = None

    def _fail(self, run_id: str, sentence: str) -> None:
        self.failures[run_id] = sentence
        while len(self.failures) > MAX_FAILURES:
            del self.failures[next(iter(self.failures))]


class Questions:
    """The board as other processes see it: a method for each handler, one round trip each.

    Args:
        scheduler: a client's or a worker's connection to the scheduler.
    """

    def __init__(self, scheduler: rpc | PooledRPCCall) -> None:
        self._scheduler = scheduler

    async def jobs(self) -> BoardValues:
        """As `Board.jobs`."""
        answer: BoardValues = await self._scheduler.atelier_jobs()
        return answer

    async def stop(self, run_id: str) -> StopReply:
        """As `Board.stop`."""
        answer: StopReply = await self._scheduler.atelier_stop(run_id=run_id)
        return answer

    async def failure(self, run_id: str) -> str | None:
        """As `Board.failure`."""
        answer: str | None = await self._scheduler.atelier_failure(run_id=run_id)
        return answer

    async def begin(self, run_id: str, worker: str) -> int:
        """As `Board.begin`."""
        answer: int = await self._scheduler.atelier_begin(run_id=run_id, worker=worker)
        return answer

    async def report(
        self, run_id: str, attempt: int, progress: ProgressValues | None
    ) -> ReportReply:
        """As `Board.report`."""
        answer: ReportReply = await self._scheduler.atelier_report(
            run_id=run_id, attempt=attempt, progress=progress
        )
        return answer

    async def end(self, run_id: str, attempt: int, failure: str | None) -> None:
        """As `Board.end`."""
        await self._scheduler.atelier_end(run_id=run_id, attempt=attempt, failure=failure)
