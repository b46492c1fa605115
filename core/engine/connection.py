"""How an app gets to an engine: find this home's, start it, join another scheduler, end it.

Nobody has to be asked whether an engine is alive: its address file says where to look, the
scheduler there says whether it is the right one, and a second engine that is started by mistake
ends by itself (`process`). What is returned is a `Connection` whose scheduler has the board; what
an engine is then asked for is in `client`.
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
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from core import processes, settings
from core.engine import process
from core.errors import EngineUnavailable

if TYPE_CHECKING:
    from distributed import Client

    from core.engine.board import Questions

T = TypeVar("T")
ANSWER_SECONDS = 3.0
# Until the next attempt, if an engine that was just ending kept ours from starting.
RESPAWN_SECONDS = 4.0


@dataclass(frozen=True)
class Connection:
    """A Dask client whose scheduler has the board.

    `pid` is the engine's process; None if it is somebody else's engine.
    """

    client: Client
    address: str
    pid: int | None

    def questions(self) -> Questions:
        """What the board can be asked, for `round_trip`.

        Raises:
            ConnectionError: if the client has lost its scheduler.
        """
        from core.engine.board import Questions

        if self.client.scheduler is None or self.client.status != "running":
            raise ConnectionError("the client has lost its scheduler")
        return Questions(self.client.scheduler)

    def round_trip(self, question: Coroutine[Any, Any, T]) -> T:
        """Let the client's event loop ask something, and wait for the answer, from any thread.

        Raises:
            OSError, RuntimeError: if the scheduler does not answer within `ANSWER_SECONDS`.
        """
        loop = self.client.loop.asyncio_loop  # type: ignore[union-attr]  # Tornado's types hide it
        return asyncio.run_coroutine_threadsafe(question, loop).result(ANSWER_SECONDS)

    def close(self) -> None:
        """Disconnect, without waiting for a scheduler that may be dead."""
        threading.Thread(target=_close_quietly, args=(self.client,), daemon=True).start()


def find_or_start(start: bool, deadline: float) -> Connection:
    """The engine of this home; starts one if necessary and allowed.

    Raises:
        EngineUnavailable: if there is none and `start` is False, or none came up before `deadline`
            (of `time.monotonic`).
    """
    child, spawned = None, 0.0
    while True:
        reached = _reach_own(replace_old=start)
        if reached is not None:
            return reached
        if not start:
            raise EngineUnavailable(
                "No engine is running. It starts with the first training, or with "
                "`python -m core engine start`."
            )
        now = time.monotonic()
        if child is None or (
            child.poll() == process.ALREADY_THERE and now - spawned > RESPAWN_SECONDS
        ):
            child, spawned = _spawn(), now
            importlib.import_module("distributed")  # needed here as well, and we only wait anyway
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
        EngineUnavailable: if that is not an address, or nothing answers there.
    """
    try:
        valid = "://" in address and urlsplit(address).hostname and urlsplit(address).port
    except ValueError:
        valid = False
    if not valid:
        raise EngineUnavailable(
            f"ATELIER_ENGINE must name a Dask scheduler, such as tcp://host:8786; received "
            f"{address!r}."
        )
    reached = _reach(address, None, None)
    if reached is None:
        raise EngineUnavailable(
            f"No Dask scheduler answers at {address}, which ATELIER_ENGINE names. Start it, or "
            f"unset ATELIER_ENGINE to train on this machine."
        )
    return reached


def end(pid: int) -> None:
    """End the engine of this home, politely at first; its workers end with it.

    Args:
        pid: its process. Whether it is gone is seen from its lock, which does not depend on who
            reaps the process.
    """
    for number, seconds in (
        (signal.SIGTERM, process.STOP_SECONDS + 1),
        (getattr(signal, "SIGKILL", signal.SIGTERM), 1.0),
    ):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not process.locked():
                return
            time.sleep(0.05)


def _reach_own(*, replace_old: bool) -> Connection | None:
    """Connect to this home's engine; None if there is none, or an idle one of older sources was
    ended.
    """
    written = process.read_address()
    if written is None:
        return None
    reached = _reach(written["address"], written["id"], written["pid"])
    if (
        reached is not None
        and replace_old
        and written.get("code") != process.code_version()
        and not _is_busy(reached)
    ):
        reached.close()
        end(written["pid"])
        return None
    return reached


def _reach(address: str, scheduler_id: str | None, pid: int | None) -> Connection | None:
    """Connect to a scheduler; None if there is none, or another one than expected."""
    if not _speaks(address):
        return None
    import cloudpickle
    from distributed import Client
    from distributed.protocol.pickle import dumps

    from core.engine import board

    cloudpickle.register_pickle_by_value(board)
    # A lost engine is reported in a sentence.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False, name="atelier")
    except (OSError, ValueError):
        return None
    except TypeError as error:  # Dask's own check of what tls:// needs
        raise EngineUnavailable(
            f"The scheduler at {address} requires TLS certificates ({str(error)[:200]}). Name them in Dask's "
            f"settings, as docs/CLUSTER.md shows, and start Atelier again."
        ) from error
    reached = Connection(client, address, pid)
    try:
        if client.scheduler is not None and scheduler_id in (None, client.scheduler_info()["id"]):
            reached.round_trip(
                client.scheduler.register_scheduler_plugin(
                    plugin=dumps(board.Board()), name=board.NAME, idempotent=True
                )
            )
            return reached
    except OSError:
        pass  # it went away in these milliseconds
    reached.close()
    return None


def _speaks(address: str) -> bool:
    """Whether a scheduler is likely to be there; a Dask client would wait for a dead or hanging one
    for very long.

    A Dask server greets before it is asked; a web server or a stopped process does not.
    """
    parts = urlsplit(address)
    try:
        with socket.create_connection(
            (parts.hostname, parts.port), timeout=ANSWER_SECONDS
        ) as greeted:
            return parts.scheme != "tcp" or bool(greeted.recv(1))
    except OSError:
        return False


def _is_busy(reached: Connection) -> bool:
    return bool(reached.round_trip(reached.questions().jobs())["jobs"])


def _spawn() -> subprocess.Popen[bytes]:
    """Start an engine that outlives this process."""
    environment = {
        name: value for name, value in os.environ.items() if name != "ATELIER_ENGINE"
    } | settings.worker_environment(True)
    environment["ATELIER_ASKED"] = str(time.time())
    try:
        return processes.spawn(process.__name__, log=process.log_file(), environment=environment)
    except OSError as error:
        raise EngineUnavailable(
            f"The engine cannot be started: {settings.home()} cannot be written "
            f"({error.strerror or error}). Name another folder with ATELIER_HOME."
        ) from error


def _close_quietly(client: Client) -> None:
    with contextlib.suppress(OSError, RuntimeError, AssertionError):
        client.close(timeout=1)
