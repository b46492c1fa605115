"""How an app comes to an engine: find the one of this home, start it, join another, end it.

The idea is that nobody has to be asked whether an engine lives: its address file says where to
look, the scheduler there says whether it is the one, and a second engine that is started by mistake
ends by itself (`engine_process`). What comes back is a `Connection`, with the board on the scheduler and
the plainest of questions answered.

What is then asked of an engine is in `engine`.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from core import processes, settings
from core.engine import process
from core.errors import EngineUnavailable

ANSWER_SECONDS = 3.0
# Until another attempt is made, where an engine that was just ending kept ours from starting.
RESPAWN_SECONDS = 4.0


@dataclass(frozen=True)
class Connection:
    """A Dask client whose scheduler has the board.

    `pid` is the engine's process, None if it is somebody else's.
    """

    client: Any
    address: str
    pid: int | None

    def round_trip(self, question: Coroutine):
        """Let the client's event loop ask something, and wait for the answer from any thread."""
        return asyncio.run_coroutine_threadsafe(question, self.client.loop.asyncio_loop).result(
            ANSWER_SECONDS
        )

    def close(self) -> None:
        """Let go, without waiting for a scheduler that may be dead."""
        threading.Thread(target=_close_quietly, args=(self.client,), daemon=True).start()


def find_or_start(start: bool, deadline: float) -> Connection:
    """The engine of this home; starts one if need be and allowed.

    Raises:
        EngineUnavailable: if there is none and `start` is False, or none came up before `deadline`
            (of `time.monotonic`).
    """
    child, begun = None, 0.0
    while True:
        found = process.read_address()
        line = _reach(found["address"], found["id"], found["pid"]) if found else None
        if (
            line is not None
            and start
            and found.get("code") != process.code_version()
            and not _busy(line)
        ):
            line.close()
            end(line.pid)  # it was started from older sources
        elif line is not None:
            return line
        if not start:
            raise EngineUnavailable(
                "No engine is running. It starts with the first training, or with `python -m core engine "
                "start`."
            )
        now = time.monotonic()
        if child is None or (
            child.poll() == process.ALREADY_THERE and now - begun > RESPAWN_SECONDS
        ):
            child, begun = _spawn(), now
            importlib.import_module("distributed")  # we need it too, and waiting is idle time
        elif child.poll() not in (None, process.ALREADY_THERE):
            raise EngineUnavailable(
                f"The engine ended as soon as it was started. {process.log_file()} says why."
            )
        elif now > deadline:
            raise EngineUnavailable(
                f"The engine was started but does not answer. {process.log_file()} may say why; "
                f"`python -m core engine stop` ends it."
            )
        time.sleep(0.05)


def join(address: str) -> Connection:
    """The scheduler that `ATELIER_ENGINE` names.

    Raises:
        EngineUnavailable: if that is no address, or nobody answers there.
    """
    try:
        valid = "://" in address and urlsplit(address).hostname and urlsplit(address).port
    except ValueError:
        valid = False
    if not valid:
        raise EngineUnavailable(
            f"ATELIER_ENGINE must name a Dask scheduler, such as tcp://host:8786; received {address!r}."
        )
    line = _reach(address, None, None)
    if line is None:
        raise EngineUnavailable(
            f"No Dask scheduler answers at {address}, which ATELIER_ENGINE names. Start it, or unset "
            f"ATELIER_ENGINE to train on this machine."
        )
    return line


def end(pid: int) -> None:
    """End the engine of this home, politely at first; its workers end with it.

    Args:
        pid: its process. That it is gone shows in its lock, which does not depend on who reaps the
            process.
    """
    for sign, seconds in (
        (signal.SIGTERM, process.STOP_SECONDS + 1),
        (getattr(signal, "SIGKILL", signal.SIGTERM), 1.0),
    ):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not process.locked():
                return
            time.sleep(0.05)


def _reach(address: str, identity: str | None, pid: int | None) -> Connection | None:
    """Connect to a scheduler; None if nobody is there, or somebody else than the one looked for."""
    if not _speaks(address):
        return None
    import cloudpickle
    from distributed import Client
    from distributed.protocol.pickle import dumps

    from core.engine import board

    cloudpickle.register_pickle_by_value(board)
    # A lost engine is told in a sentence.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False, name="atelier")
    except (OSError, ValueError):
        return None
    line = Connection(client, address, pid)
    try:
        if identity in (None, client.scheduler_info()["id"]):
            line.round_trip(
                client.scheduler.register_scheduler_plugin(
                    plugin=dumps(board.Board()), name=board.NAME, idempotent=True
                )
            )
            return line
    except OSError:
        pass  # it went away in these milliseconds
    line.close()
    return None


def _speaks(address: str) -> bool:
    """Whether a scheduler is likely to be there; a Dask client would wait for a dead or hanging one
    for very long.

    A Dask server greets before it is asked, a web server or a stopped process does not.
    """
    parts = urlsplit(address)
    try:
        with socket.create_connection((parts.hostname, parts.port), timeout=ANSWER_SECONDS) as line:
            return parts.scheme != "tcp" or bool(line.recv(1))
    except OSError:
        return False


def _busy(line: Connection) -> bool:
    return bool(line.round_trip(line.client.scheduler.atelier_jobs())["jobs"])


def _spawn() -> subprocess.Popen:
    """Start an engine that does not end with this process."""
    environment = {
        name: value for name, value in os.environ.items() if name != "ATELIER_ENGINE"
    } | settings.worker_environment(True)
    try:
        return processes.spawn(process.__name__, log=process.log_file(), environment=environment)
    except OSError as error:
        raise EngineUnavailable(
            f"The engine cannot be started: {settings.home()} cannot be written ({error.strerror or error}). "
            f"Name another folder with ATELIER_HOME."
        ) from error


def _close_quietly(client) -> None:
    with contextlib.suppress(OSError, RuntimeError, AssertionError):
        client.close(timeout=1)
