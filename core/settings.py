"""Where things are: the only module that reads Atelier's environment variables.

They are read at each call, so that a test or a shell can change them. No folder is created here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import platformdirs

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"
PeopleSource = Literal["drawings", "pictograms", "snapshots"]
PEOPLE_VARIABLES: dict[PeopleSource, str] = {
    "drawings": "ATELIER_SKETCHES",
    "pictograms": "ATELIER_ICONS",
    "snapshots": "ATELIER_MORE_PHOTOS",
}


def home() -> Path:
    """The folder of this user's data, runs and engine (`ATELIER_HOME`)."""
    return Path(
        os.environ.get("ATELIER_HOME") or platformdirs.user_data_dir("atelier", appauthor=False)
    ).expanduser()


def data_folder() -> Path | None:
    """The user's own folder with the four Fashion-MNIST files (`ATELIER_DATA`), or None."""
    named = os.environ.get("ATELIER_DATA")
    return Path(named).expanduser() if named else None


def photographs_folder() -> Path | None:
    """The user's folder with photographs of the Clothing dataset (`ATELIER_PHOTOS`), or None.

    Networks can be measured on them, and learn from some of them.
    """
    named = os.environ.get("ATELIER_PHOTOS")
    return Path(named).expanduser() if named else None


def people_folders() -> dict[PeopleSource, Path]:
    """The user's folders with pictures that people made, by the names that `core.outside.people`
    gives their sources; only those that are set.
    """
    return {
        source: Path(os.environ[variable]).expanduser()
        for source, variable in PEOPLE_VARIABLES.items()
        if os.environ.get(variable)
    }


def runs_address() -> str:
    """The run library (`ATELIER_RUNS`): a folder or any fsspec address that workers can reach."""
    return os.environ.get("ATELIER_RUNS") or str(home() / "runs")


def engine_address() -> str | None:
    """The Dask scheduler that gets the jobs (`ATELIER_ENGINE`, as in `tcp://host:8786`).

    None stands for an engine of our own.
    """
    return os.environ.get("ATELIER_ENGINE") or None


def warm_engine() -> bool:
    """Whether opening the Train page starts the engine (`ATELIER_WARM`; "no" saves its memory)."""
    return os.environ.get("ATELIER_WARM", "yes").lower() not in ("no", "0", "false")


def engine_asked() -> float | None:
    """When an app asked for the engine that this process belongs to, in seconds since 1970.

    The app writes it down as it starts the engine (`ATELIER_ASKED`); None for all other engines.
    """
    asked = os.environ.get("ATELIER_ASKED")
    return float(asked) if asked else None


def worker_environment(own: bool) -> dict[str, str]:
    """The settings that another process of Atelier needs, with absolute paths.

    Args:
        own: whether that process runs on this machine; then it also gets this machine's folders.

    Returns:
        environment variables, to be added to those of the process.
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
