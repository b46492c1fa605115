"""The engine's process: a Dask scheduler and its workers on this machine, without a dashboard.

A file lock makes it the only one of its home. The system releases the lock when the process ends,
however it ends; so two apps that start an engine at the same moment end up with one, and a leftover
address is never mistaken for a live engine. Its address is written last, when jobs can be sent. It
listens on this machine only.

Run it with `python -m core.engine.process`. It knows nothing about runs or networks.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict
from urllib.parse import urlsplit

from core import processes, settings

if TYPE_CHECKING:
    from distributed import Scheduler

ALREADY_THERE = 3  # exit status: another engine holds the lock
# Without a job and without an app; after that it only occupies memory.
IDLE_SECONDS = 30 * 60
STOP_SECONDS = 5.0
_DASK: dict[str, Any] = {
    "distributed.scheduler.worker-ttl": None,  # on a laptop that slept, workers are not dead
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,  # samples the stack a hundred times a second
    # Dask's default returns freed memory to the system at once. Training takes the same memory
    # again in the next step: with the default, four to five times the page faults and 3-5 % more
    # processor time were measured.
    "distributed.nanny.pre-spawn-environ": {},
}


class EngineAddress(TypedDict):
    """What a running engine writes down about itself.

    `id` is the scheduler's, `started` is in seconds since 1970, `code` is the `code_version` that
    it was started from.
    """

    address: str
    id: str
    pid: int
    started: NotRequired[float]
    code: NotRequired[str]


def address_file() -> Path:
    """The JSON file in which a running engine leaves its `EngineAddress`."""
    return settings.home() / "engine.json"


def read_address() -> EngineAddress | None:
    """What an engine of this home wrote down, if it is complete; the engine may have died since."""
    try:
        written: EngineAddress = json.loads(address_file().read_text())
        complete = (
            urlsplit(str(written["address"])).port and written["id"] and int(written["pid"]) > 0
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return written if complete else None


def locked() -> bool:
    """Whether this home has an engine, even one that is starting, ending or hanging."""
    return processes.held(_lock_file())


def holder() -> int | None:
    """The process id of the engine of this home; None if there is none or it is still starting.

    While the lock is held, the address file was written by its holder, so the id cannot be that of
    a later, unrelated process.
    """
    written = read_address() if locked() else None
    return int(written["pid"]) if written else None


def log_file() -> Path:
    """What the engine and its workers print, with the tracebacks of failed jobs."""
    return settings.home() / "engine.log"


def code_version() -> str:
    """A checksum of Atelier's core; an engine of other sources is replaced once it is idle."""
    checksum = 0
    for path in sorted((settings.ROOT / "core").rglob("*.py")):
        checksum = zlib.crc32(path.read_bytes(), checksum)
    return f"{checksum:08x}"


def serve(*, workers: int = 1, idle_seconds: float = IDLE_SECONDS) -> int:
    """Be the engine of this home until told to end.

    Args:
        workers: how many jobs may train at the same time.
        idle_seconds: it ends after so long without a job and without an app.

    Returns:
        0 after an ordinary end, `ALREADY_THERE` if this home has an engine.
    """
    settings.home().mkdir(parents=True, exist_ok=True)
    with _lock_file().open("a+b") as lock:
        if not processes.take(lock):
            print("An engine is already running for this ATELIER_HOME.", file=sys.stderr)
            return ALREADY_THERE
        address_file().unlink(missing_ok=True)  # left by one that was killed
        try:
            asyncio.run(_run(workers, idle_seconds))
        finally:
            address_file().unlink(missing_ok=True)
    return 0


def _lock_file() -> Path:
    return settings.home() / "engine.lock"


async def _run(workers: int, idle_seconds: float) -> None:
    import dask
    from distributed import LocalCluster

    from core.engine import worker
    from core.engine.board import NAME, Board

    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
    with dask.config.set(_DASK):
        # Its types are those of a cluster that is not asynchronous.
        cluster: Any = await LocalCluster(
            asynchronous=True,
            n_workers=0,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            protocol="tcp://",
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            dashboard_address=None,
            memory_limit=0,
            preload=[worker.__name__],
            local_directory=str(settings.home() / "engine"),
            env={"TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2")},
        )
        scheduler: Scheduler = cluster.scheduler
        await scheduler.register_scheduler_plugin(Board(), name=NAME, idempotent=True)
        _write_address(scheduler)
        cluster.scale(workers)  # an app need not wait for them; jobs wait in the queue
        watch = asyncio.create_task(_end_when_forgotten(scheduler, ended, idle_seconds))
        await asyncio.wait(
            [asyncio.create_task(ended.wait()), asyncio.create_task(scheduler.finished())],
            return_when=asyncio.FIRST_COMPLETED,
        )
        watch.cancel()
        address_file().unlink(missing_ok=True)
        with contextlib.suppress(asyncio.TimeoutError, OSError):
            await asyncio.wait_for(cluster.close(timeout=STOP_SECONDS / 2), STOP_SECONDS)
        # A worker in the middle of a batch does not hear of it; it ends with its parent, and its
        # run can be resumed later.
        os._exit(0)


def _write_address(scheduler: Scheduler) -> None:
    written: EngineAddress = {
        "address": scheduler.address,
        "id": scheduler.id,
        "pid": os.getpid(),
        "started": time.time(),
        "code": code_version(),
    }
    processes.write_whole(address_file(), json.dumps(written).encode())


async def _end_when_forgotten(
    scheduler: Scheduler, ended: asyncio.Event, idle_seconds: float
) -> None:
    """End the engine when nobody has used it for so long."""
    used = time.monotonic()
    while time.monotonic() - used < idle_seconds:
        await asyncio.sleep(min(30.0, idle_seconds / 4))
        if scheduler.tasks or scheduler.client_comms:
            used = time.monotonic()
    ended.set()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(
        description="Be Atelier's engine: train the jobs that apps send."
    )
    arguments.add_argument(
        "--workers", type=int, default=1, help="jobs that may train at the same time"
    )
    sys.exit(serve(workers=arguments.parse_args().workers))
