"""What every benchmark prints: the conditions it ran under, and figures next to their targets.

A figure is a list of measurements, never one number. The table shows median and 95th percentile,
and compares the one that the target is about with it. Nothing is measured here, and a missed target
is only a word in a table: benchmarks end with status 0 unless something broke.
"""

from __future__ import annotations

import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from core.settings import ROOT

BUSY = 0.5  # load per core at the start, above which the figures are about other processes, too
Judged = Literal["median", "p95", "max"]


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        what: what was measured, from when to when.
        values: its measurements, at least one.
        unit: their unit, such as `s` or `MB`.
        target: what must not be exceeded, in the same unit; None where there is no target.
        judged: the measurement that the target is about.
        digits: decimals to show.
    """

    what: str
    values: Sequence[float]
    unit: str
    target: float | None = None
    judged: Judged = "median"
    digits: int = 2

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        return percentile(self.values, 0.95)

    @property
    def met(self) -> bool | None:
        """Whether the target was met; None where there is none."""
        if self.target is None:
            return None
        figures = {"median": self.median, "p95": self.p95, "max": max(self.values)}
        return figures[self.judged] <= self.target


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest measurement that at least this share of them do not exceed.

    >>> percentile([3.0, 1.0, 2.0], 0.95)
    3.0
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def table(title: str, rows: Sequence[Row]) -> None:
    """Print figures with their targets."""
    cells = [["", "n", "median", "95 %", "max", "target", ""]]
    for row in rows:
        numbers = [
            f"{value:,.{row.digits}f} {row.unit}"
            for value in (row.median, row.p95, max(row.values))
        ]
        if row.target is None:
            target, verdict = "", ""
        else:
            target, verdict = (
                f"{row.judged} ≤ {row.target:g} {row.unit}",
                "met" if row.met else "MISSED",
            )
        cells.append([row.what, str(len(row.values)), *numbers, target, verdict])
    print(f"\n{title}")
    grid(cells)


def grid(cells: Sequence[Sequence[str]]) -> None:
    """Print rows of text in columns, the first one aligned left and the others right; the first row
    is the heading.
    """
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for number, row in enumerate(cells):
        print(
            "  "
            + "  ".join(
                text.ljust(width) if not column else text.rjust(width)
                for column, (text, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip(),
            flush=True,
        )
        if not number:
            print("  " + "  ".join("-" * width for width in widths))


def conditions(title: str, *packages: str, **more: str) -> None:
    """Print what the figures depend on: machine, versions, load, and what the caller adds (data,
    browser, seeds).
    """
    load = os.getloadavg() if hasattr(os, "getloadavg") else None
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    print(f"{title}\n{'=' * len(title)}")
    lines = {
        "when": time.strftime("%Y-%m-%d %H:%M %Z"),
        "atelier": _commit(),
        "machine": f"{_processor()}, {cores} cores, {_memory()} GiB, "
        f"{platform.system()} {platform.release()}",
        "versions": ", ".join(
            [
                f"Python {platform.python_version()}",
                *(f"{name} {_version(name)}" for name in packages),
            ]
        ),
        "load at start": "unknown"
        if load is None
        else ", ".join(f"{value:.1f}" for value in load) + " (1, 5, 15 minutes)",
        **more,
    }
    for name, text in lines.items():
        print(f"  {name:<14} {text}")
    if load is not None and load[0] > BUSY * cores:
        print(
            "  The machine was busy before this began: times are longer than they would be on a "
            "quiet one."
        )
    sys.stdout.flush()


def say(sentence: str) -> None:
    """Report progress on standard error, so that standard output has the tables alone."""
    print(f"  … {sentence}", file=sys.stderr, flush=True)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _commit() -> str:
    """The commit that was measured, and whether files differ from it."""
    try:
        name = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "not a git checkout"
    return f"commit {name}" + (" with uncommitted changes" if changed else "")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def _memory() -> int:
    """In GiB."""
    import psutil  # comes with distributed

    return round(int(psutil.virtual_memory().total) / 2**30)
