"""Where things are: the only place that reads Atelier's environment variables.

Read anew at each call, so that a test or a shell can change them; nothing is created here.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"


def home() -> Path:
    """The folder that holds what belongs to this user: downloaded data, runs, the engine's address
    (`ATELIER_HOME`).
    """
    return Path(
        os.environ.get("ATELIER_HOME") or platformdirs.user_data_dir("atelier", appauthor=False)
    ).expanduser()


def data_folder() -> Path | None:
    """A folder with the four Fashion-MNIST files that the user named (`ATELIER_DATA`), or None."""
    named = os.environ.get("ATELIER_DATA")
    return Path(named).expanduser() if named else None


def photographs_folder() -> Path | None:
    """A folder with the Clothing dataset's photographs, to measure networks on, that the user named
    (`ATELIER_PHOTOS`), or None.
    """
    named = os.environ.get("ATELIER_PHOTOS")
    return Path(named).expanduser() if named else None


def runs_address() -> str:
    """Where the run library lives (`ATELIER_RUNS`): a folder or any fsspec address that app and
    workers share.
    """
    return os.environ.get("ATELIER_RUNS") or str(home() / "runs")


def engine_address() -> str | None:
    """A Dask scheduler to send jobs to (`ATELIER_ENGINE`, as in `tcp://host:8786`), or None for one
    of our own.
    """
    return os.environ.get("ATELIER_ENGINE") or None


def worker_environment(own: bool) -> dict[str, str]:
    """The settings that another process of Atelier needs, with no path that depends on a working
    directory.

    Args:
        own: whether that process runs on this machine; then it also gets the folders that are this
            machine's.
    """
    address = runs_address()
    named = {
        "ATELIER_RUNS": address if "://" in address else str(Path(address).expanduser().resolve())
    }
    if own:
        named["ATELIER_HOME"] = str(home().resolve())
        data = data_folder()
        if data:
            named["ATELIER_DATA"] = str(data.resolve())
    return named
