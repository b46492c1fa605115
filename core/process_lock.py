"""A file that one process holds locked for as long as it lives, however it dies: so that one of a kind runs in a home.

The system lets go of the lock with the process, so a leftover file is never mistaken for a live process, and no process id has to
be trusted that is not the holder's own.
"""

from __future__ import annotations

from pathlib import Path


def take(file) -> bool:
    """Lock an open file (for reading and writing) for as long as this process lives; False if another one has it."""
    try:
        try:
            import fcntl
        except ImportError:  # Windows
            import msvcrt
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
