"""What runs are called in selectors and sentences: never two the same, never taken for formatting.

A selector tells its options apart by their text. Two runs with one name, started in one minute, would be one option, and the
wrong one could be deleted; so a text that occurs twice gets the end of the run's id.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from core.runs import Run
from ui import frame

_MARKS = re.compile(r"([\\`*_{}\[\]()#+.!:|~$<>-])")


def titles(runs: Iterable[Run], champion: str = "") -> dict[str, str]:
    """One line for each run, by id, all different; see `frame.run_title`."""
    plain = {run.id: frame.run_title(run, champion) for run in runs}
    count = Counter(plain.values())
    return {run_id: title if count[title] == 1 else f"{title} · {run_id[-4:]}" for run_id, title in plain.items()}


def literal(text: str) -> str:
    """A name or note that people typed, to stand in Markdown as they typed it."""
    return _MARKS.sub(r"\\\1", text)
