"""How shares, times and values are written wherever people read them: pages, terminal, files.

Each is plain text with ordinary spaces; a page that must not break a line there replaces them.
What a setting or a class is called is not decided here.
"""

from __future__ import annotations

import re

_MARKS = re.compile(r"([\\`*_{}\[\]()#+.!:|~$<>&^=-])")
# What formats within a line, and only where it does: a colon before a word, a line beside one.
_INLINE = re.compile(r"([\\*\[\]~$<&]|:(?=[a-z])|(?<!\w)_|_(?!\w))")


def percent(share: float, digits: int = 1) -> str:
    """A share in 0..1 as percent.

    >>> percent(0.9237)
    '92.4 %'
    >>> percent(0.9237, 2)
    '92.37 %'
    """
    return f"{100 * share:.{digits}f} %"


def duration(seconds: float) -> str:
    """A time in words, no more precise than it needs to be.

    >>> duration(40.2)
    '40 s'
    >>> duration(200)
    '3 min 20 s'
    >>> duration(3900)
    '1 h 5 min'
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def value_text(value: object) -> str:
    """The value of a setting as people type it; `core.specs.fields.parse_setting` reads it back.

    >>> value_text((32, 64))
    '32, 64'
    >>> value_text(True)
    'yes'
    >>> value_text(0.0001)
    '0.0001'
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (tuple, list)):
        return ", ".join(value_text(single) for single in value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def literal(text: str) -> str:
    r"""A name or note as people typed it, with what Markdown would read as formatting escaped.

    >>> literal("rate *of* 10")
    'rate \\*of\\* 10'
    """
    return _MARKS.sub(r"\\\1", text)


def sentence(text: str) -> str:
    r"""A sentence of the app that may hold names, for a place that reads Markdown: only commands
    between backticks are formatted.

    >>> sentence("No run *x*: `python -m core runs list` lists them")
    'No run \\*x\\*: `python -m core runs list` lists them'
    """
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(
        part if number % 2 else _INLINE.sub(r"\\\1", part) for number, part in enumerate(parts)
    )
