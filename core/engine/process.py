"""The process that the engine is: a Dask scheduler and its workers on this machine, and nothing to
look at.

Alone in its home by a lock on a file that the system lets go of when the process dies, however it
dies; so two apps that start it at the same moment end with one, and a leftover address is never
mistaken for a live engine. Its address is written last, when jobs can be sent. It listens on this
machine only and serves no dashboard.

Run it with `python -m core.engine.process`. It knows nothing of runs or networks.
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
from urllib.parse import urlsplit

from core import processes, settings

ALREADY_THERE = 3  # exit status: another engine holds the lock
# Without a job and without an app: then it is only memory that someone wants back.
IDLE_SECONDS = 30 * 60
STOP_SECONDS = 5.0
_TIDY = {
    "distributed.scheduler.worker-ttl": None,  # a laptop that slept is not a dead worker
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,  # looks at the stack a hundred times a second
    # Dask's default hands freed memory back to the system at once. Training takes the same memory
    # again in the next step: measured with it, four to five times the page faults and 3-5 % more
    # processor time.
    "distributed.nanny.pre-spawn-environ": {},
}


def address_file() -> Path:
    """Where a running engine leaves its address: JSON with `address`, `id`, `pid`, `started` and
    `code`.
    """
    return settings.home() / "engine.json"


def read_address() -> dict | None:
    """What an engine of this home wrote down, if it is whole; the engine may have died since."""
    try:
        found = json.loads(address_file().read_text())
        return (
            found
            if urlsplit(str(found["address"])).port and found["id"] and int(found["pid"]) > 0
            else None
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def locked() -> bool:
    """Whether this home has an engine, be it one that is starting, ending or hanging."""
    return processes.held(_lock_file())


def holder() -> int | None:
    """The process id of the engine of this home, None if there is none or it is only starting.

    While the lock is held the address file is its holder's own, so the id cannot be that of a
    later, unrelated process.
    """
    found = read_address() if locked() else None
    return int(found["pid"]) if found else None


def log_file() -> Path:
    """What the engine and its workers print, with the tracebacks of failed jobs."""
    return settings.home() / "engine.log"


def code_version() -> str:
    """A checksum of all of Atelier's core: an engine started from other sources is replaced as soon
    as it has nothing to do.
    """
    sum_ = 0
    for path in sorted((settings.ROOT / "core").rglob("*.py")):
        sum_ = zlib.crc32(path.read_bytes(), sum_)
    return f"{sum_:08x}"


def serve(*, workers: int = 1) -> int:
    """Be the engine of this home until told to end.

    Args:
        workers: how many jobs may train at the same time.

    Returns:
        0 after an ordinary end, `ALREADY_THERE` if this home has an engine.
    """
    settings.home().mkdir(parents=True, exist_ok=True)
    with _lock_file().open("a+b") as lock:
        if not processes.take(lock):
            print("This home has an engine already.", file=sys.stderr)
            return ALREADY_THERE
        address_file().unlink(missing_ok=True)  # left by one that was killed
        try:
            asyncio.run(_run(workers))
        finally:
            address_file().unlink(missing_ok=True)
    return 0


def _lock_file() -> Path:
    return settings.home() / "engine.lock"


async def _run(workers: int) -> None:
    import dask
    from distributed import LocalCluster

    from core.engine import worker
    from core.engine.board import NAME, Board

    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(sign, ended.set)
    with dask.config.set(_TIDY):
        cluster = await LocalCluster(
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
        await cluster.scheduler.register_scheduler_plugin(Board(), name=NAME, idempotent=True)
        _write_address(cluster.scheduler)
        cluster.scale(workers)  # an app need not wait for them; jobs wait in the line
        watch = asyncio.create_task(_end_when_forgotten(cluster.scheduler, ended))
        await asyncio.wait(
            [asyncio.create_task(ended.wait()), asyncio.create_task(cluster.scheduler.finished())],
            return_when=asyncio.FIRST_COMPLETED,
        )
        watch.cancel()
        address_file().unlink(missing_ok=True)
        with contextlib.suppress(asyncio.TimeoutError, OSError):
            await asyncio.wait_for(cluster.close(timeout=STOP_SECONDS / 2), STOP_SECONDS)
        # A worker in the middle of a batch does not hear of it; it ends with its parent, and its
        # run is resumed later.
        os._exit(0)


def _write_address(scheduler) -> None:
    processes.write_whole(
        address_file(),
        json.dumps(
            {
                "address": scheduler.address,
                "id": scheduler.id,
                "pid": os.getpid(),
                "started": time.time(),
                "code": code_version(),
            }
        ).encode(),
    )


async def _end_when_forgotten(scheduler, ended: asyncio.Event) -> None:
    """End the engine once nobody has used it for long."""
    used = time.monotonic()
    while time.monotonic() - used < IDLE_SECONDS:
        await asyncio.sleep(min(30.0, IDLE_SECONDS / 4))
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
