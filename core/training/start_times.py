"""How long the steps before a training's first batch take on this machine, as last measured.

They are kept in Atelier's home, a file for each step, by whichever process takes the step. Figures
of another machine's workers are kept there, and say nothing here.
"""

from __future__ import annotations

import contextlib
import json
import statistics
from enum import StrEnum

from core import processes, settings

REMEMBERED = 5  # measurements of each step


class Step(StrEnum):
    """What happens between the click and the first batch, in this order."""

    ENGINE = "engine"
    IMPORT = "import"
    DATA = "data"
    NETWORK = "network"


def note(step: Step, seconds: float) -> None:
    """Remember what a step took; where that cannot be written, nothing is lost but the figure."""
    path = settings.home() / "start-times" / f"{step.value}.json"
    latest = [*_measured(step), round(seconds, 2)][-REMEMBERED:]
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        processes.write_whole(path, json.dumps(latest).encode())


def usual(step: Step) -> float | None:
    """What a step usually takes here, in seconds: the median of the last measurements; None if
    there are none.
    """
    measured = _measured(step)
    return statistics.median(measured) if measured else None


def _measured(step: Step) -> list[float]:
    path = settings.home() / "start-times" / f"{step.value}.json"
    try:
        return [float(seconds) for seconds in json.loads(path.read_text())]
    except (OSError, ValueError, TypeError):
        return []
