"""What runs are called in selectors and sentences: no two alike, and never read as formatting.

A selector tells its options apart by their text. Two runs of the same name, started in the same
minute, would be one option, and the wrong one could be deleted; so a text that occurs twice gets
the end of the run's id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from core.runs import Run, Status
from ui.components import theme


def title(run: Run, champion: str = "") -> str:
    """A run in one line: name, test accuracy, when, and whether it is the champion."""
    facts = [run.name]
    if run.test_accuracy is not None:
        facts.append(theme.percent(run.test_accuracy))
    if run.status is Status.STOPPED:
        facts.append(run.status_text)
    if not run.shipped:
        facts.append(run.created[:16].replace("T", " "))
    if run.id == champion:
        facts.append("champion")
    return " · ".join(facts)


def titles(runs: Iterable[Run], champion: str = "") -> dict[str, str]:
    """One line for each run, by id, no two alike; see `title`."""
    plain = {run.id: title(run, champion) for run in runs}
    count = Counter(plain.values())
    return {
        run_id: text if count[text] == 1 else f"{text} · {run_id[-4:]}"
        for run_id, text in plain.items()
    }
