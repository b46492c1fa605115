"""How the command line writes: JSON lines and tables to standard output, progress and sentences to
standard error.

Standard output has the answers and nothing else, so that it can be piped. Everything in passing (a
progress line, an epoch, a remark) goes to standard error, and is redrawn in place only where a
person watches. It knows nothing about commands or runs.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Sequence
from typing import Any

from core import wording

_REDRAW_SECONDS = 0.1


def emit(values: dict[str, Any]) -> None:
    """Write one object as one line of JSON, at once, so that the reader of a pipe has it."""
    print(json.dumps(_plain(values), allow_nan=False), flush=True)


def _plain(value: Any) -> Any:
    """The same in JSON's types: NumPy's numbers and arrays become plain ones, what is not finite
    becomes null.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def table(
    header: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Sequence[int] = ()
) -> None:
    """Print rows under a header, columns aligned.

    Args:
        header: a word for each column.
        rows: a cell for each column; None is shown as a dash.
        right: positions of the columns that are aligned to the right, as numbers are.
    """
    lines = [
        tuple(header),
        *(tuple("-" if cell is None else str(cell) for cell in row) for row in rows),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join(cells).rstrip())


def percent(share: float | None) -> str | None:
    """A share in 0..1 with two decimals, as a cell of `table`; None stays None."""
    return None if share is None else wording.percent(share, 2)


def clock(seconds: float) -> str:
    """A time that is redrawn, or stands in a column: always to the second.

    >>> clock(41), clock(725), clock(3753)
    ('0:41', '12:05', '1:02:33')
    """
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def remark(sentence: str) -> None:
    """Write a line to standard error."""
    print(sentence, file=sys.stderr, flush=True)


class ProgressLine:
    """One line of standard error that is redrawn, with lines that stay above it.

    If standard error is a file or a pipe, only the lines that stay are written.
    """

    def __init__(self) -> None:
        self._shown = False
        self._drawn = 0.0

    def show(self, text: str) -> None:
        """Redraw the line, at most ten times a second, so that fast work does not wait for the
        terminal.
        """
        if not sys.stderr.isatty() or time.monotonic() - self._drawn < _REDRAW_SECONDS:
            return
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{text[:width]}\x1b[K")
        sys.stderr.flush()
        self._shown, self._drawn = True, time.monotonic()

    def keep(self, text: str) -> None:
        """Write a line that stays."""
        self.clear()
        remark(text)

    def clear(self) -> None:
        """Erase the line that is redrawn."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        self._shown = False

    def show_download(self, file: str, done: int, total: int) -> None:
        """Show how far a download is; `fashion_mnist.download` calls this."""
        share = done / total if total else 0.0
        bar = "#" * round(30 * share)
        self.show(f"{file}  [{bar:<30}] {done / 1e6:5.1f} of {total / 1e6:.1f} MB")
