"""The line of jobs, kept inside the scheduler: who waits, who trains, how far, who was asked to
stop.

A Dask scheduler knows tasks, but not which one has really begun, nor in which order people asked.
This plugin watches the tasks that carry Atelier's prefix and answers five questions in one round
trip each, so that a page can poll it cheaply however long a job is. The scheduler's event loop runs
one handler at a time, which is what makes the answers exact: a job is either cancelled before it
begins or told to stop after, never both.

It is sent to the scheduler by value, so a scheduler on another machine needs Dask but not Atelier.
For that reason it imports nothing of ours and speaks in plain lists and dictionaries. It neither
starts jobs nor touches runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from distributed.diagnostics.plugin import SchedulerPlugin

PREFIX = "atelier-job-"
# A new number whenever the handlers change, so that two versions do not meet on one scheduler.
NAME = "atelier-board-3"
MAX_FAILURES = 200


def key(run_id: str) -> str:
    """The Dask key of a run's job; one key per run, so that no run can be trained twice at once."""
    return PREFIX + run_id


@dataclass
class Entry:
    """One job from submission to its end.

    `attempt` grows whenever a worker begins it, so that an older one can tell.
    """

    order: int
    worker: str | None = None
    attempt: int = 0
    stop: bool = False
    progress: dict | None = None


class Board(SchedulerPlugin):
    """Scheduler plugin with the handlers `atelier_jobs`, `_begin`, `_report`, `_end`, `_stop` and
    `_failure`.
    """

    idempotent = True

    def __init__(self):
        self.entries: dict[str, Entry] = {}
        self.failures: dict[str, str] = {}
        self.count = 0

    async def start(self, scheduler):
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

    # --- what a client asks -------------------------------------------------------------------------------------------

    def jobs(self) -> dict:
        """All jobs in the order of the line, those that train first, and the number of workers that
        can take one.

        A worker that has registered but not said "running" yet does not count: until it does, jobs
        are lined up behind another.
        """
        ordered = sorted(
            self.entries.items(), key=lambda item: (item[1].worker is None, item[1].order)
        )
        jobs, waiting = [], 0
        for run_id, entry in ordered:
            waiting += entry.worker is None
            state = "stopping" if entry.stop else "running" if entry.worker else "waiting"
            jobs.append(
                {
                    "run_id": run_id,
                    "state": state,
                    "place": 0 if entry.worker else waiting,
                    "progress": entry.progress,
                }
            )
        return {
            "jobs": jobs,
            "workers": sum(
                worker.status.name != "init" for worker in self.scheduler.workers.values()
            ),
        }

    def stop(self, run_id: str) -> str:
        """Ask a job to stop, or take it out of the line if nobody has begun it.

        Returns:
            "absent", "cancelled" or "stopping".
        """
        entry = self.entries.get(run_id)
        if entry is None:
            return "absent"
        # A job that lost its worker keeps its place; it stops, with what it learnt, as soon as
        # another takes it up. Asked a second time while nobody has, it goes.
        if entry.worker is None and (entry.attempt == 0 or entry.stop):
            self.scheduler.stimulus_cancel(
                keys=[PREFIX + run_id],
                client="fire-and-forget",
                force=True,
                reason="atelier-stop",
                msg="taken out of the line",
            )
            self.entries.pop(run_id, None)
            return "cancelled"
        entry.stop = True
        return "stopping"

    def failure(self, run_id: str) -> str | None:
        """Why the last job of this run failed, as a sentence; None if it did not."""
        return self.failures.get(run_id)

    # --- what a worker says -------------------------------------------------------------------------------------------

    def begin(self, run_id: str, worker: str) -> int:
        """A worker takes a job up. Returns its attempt, or 0 if the job was cancelled meanwhile."""
        entry = self.entries.get(run_id)
        if entry is None:
            return 0
        entry.worker, entry.attempt = worker, entry.attempt + 1
        return entry.attempt

    def report(self, run_id: str, attempt: int, progress: dict | None) -> str:
        """Take progress in; returns "go", "stop", or "gone" if the job was given to another worker
        or cancelled.
        """
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

    # --- what the scheduler sees --------------------------------------------------------------------------------------

    def transition(self, key, start, finish, *args, stimulus_id=None, **kwargs):
        """Follow our tasks: a new one joins the line, one that ended, died or was cancelled leaves
        it.
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
                    f"The worker died {task.suspicious} times while it trained this run (out of memory, perhaps). "
                    f"Its finished epochs are kept: make the batch or the network smaller, or resume it.",
                )
            elif run_id in self.entries:
                self._fail(
                    run_id,
                    f"No worker could take this job up ({task.exception_text}). Workers must have the same "
                    f"Atelier and the same libraries as the app.",
                )
            self.entries.pop(run_id, None)
        elif finish in ("memory", "forgotten"):
            self.entries.pop(run_id, None)

    def remove_worker(self, scheduler, worker, **kwargs):
        """Jobs of a worker that is gone wait again; the scheduler gives them to the next one."""
        for entry in self.entries.values():
            if entry.worker == worker:
                entry.worker = None

    def _fail(self, run_id: str, sentence: str) -> None:
        self.failures[run_id] = sentence
        while len(self.failures) > MAX_FAILURES:
            del self.failures[next(iter(self.failures))]
