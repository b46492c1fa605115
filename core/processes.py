"""Processes of Atelier's own: started detached, one of a kind per home, their files written whole.

A lock is a file that one process holds for as long as it lives, however it ends. The operating
system releases the lock with the process. So a leftover file is never mistaken for a live process,
and no process id has to be trusted.

What these processes do is decided by the modules that start them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from core import settings

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

MAX_LOG_BYTES = 2_000_000
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_started: list[subprocess.Popen[bytes]] = []  # kept so that a child that has ended is reaped


def take(file: IO[bytes]) -> bool:
    """Lock a file for as long as this process lives.

    Args:
        file: open for reading and writing; closing it releases the lock.

    Returns:
        whether the lock was free.
    """
    try:
        if sys.platform == "win32":
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def held(path: Path) -> bool:
    """Whether some process holds the lock on this file."""
    try:
        with path.open("r+b") as file:
            return not take(file)
    except FileNotFoundError:
        return False


def spawn(
    module: str, *arguments: str, log: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Run `python -m module arguments` in a process that outlives this one.

    Args:
        module: its dotted name.
        arguments: of its command line.
        log: the file that its output is appended to; one of more than 2 MB is set aside first, as
            `.log.1`.
        environment: all of its environment variables.

    Raises:
        OSError: if the log cannot be written.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=settings.ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    _started[:] = [child, *(other for other in _started if other.poll() is None)]
    return child


def write_whole(path: Path, data: bytes) -> None:
    """Replace a local file in one step, so that no reader ever finds half of it.

    Raises:
        OSError: if the folder cannot be written.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    os.replace(part, path)
