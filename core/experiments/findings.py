"""What a sweep over one setting found, in a sentence or two, computed from its results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from core.experiments.records import Axis

# Standard errors of a difference beyond which it is unlikely to be the luck of the pictures.
ERRORS = 2.0


def numbers(values: Sequence[Any]) -> list[float] | None:
    """The values as numbers; None where any is a word, a list or a switch."""
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return None
    return [float(value) for value in values]


def spans_decades(values: Sequence[float]) -> bool:
    """Whether numbers are better seen on a logarithmic axis: the largest is ten times the smallest.

    >>> spans_decades([0.05, 0.01, 0.001]), spans_decades([0, 10]), spans_decades([32, 64])
    (True, False, False)
    """
    return min(values) > 0 and max(values) >= 10 * min(values)


def order(values: Sequence[Any]) -> list[int]:
    """The positions of values by their size; of words, as they were given."""
    sizes = numbers(values)
    places = list(range(len(values)))
    return places if sizes is None else sorted(places, key=sizes.__getitem__)


def describe(
    axis: Axis, scores: Sequence[float | None], *, score: str, epochs: int, pictures: int
) -> list[str]:
    """Two sentences: what the setting changes, and whether that can be chance.

    Args:
        axis: the setting and its values.
        scores: in per cent, one for each value; None where there is none yet.
        score: what they are, such as `Validation accuracy`.
        epochs: of every training; only named.
        pictures: how many each score was counted on; 0 where that is not known.

    Returns:
        nothing for fewer than two scores, or where the seed itself is varied.
    """
    known = {place: value for place, value in enumerate(scores) if value is not None}
    if len(known) < 2 or axis.setting == "seed":
        return []
    best, worst = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
    gap = known[best] - known[worst]
    label, after = axis.field.label.lower(), f"after {epochs} epoch{'s' if epochs > 1 else ''}"
    if gap == 0:
        return [f"{score} is the same for every {label} {after}."]
    sentences = [
        f"{_change(axis, best, worst)} costs {gap:.1f} percentage points of {score.lower()} {after}."
    ]
    second = sorted(known, key=known.__getitem__)[-2]
    chance = _chance(known[best], known[second], pictures)
    ahead = known[best] - known[second]
    if chance:
        verdict = (
            "that may be chance: each value was trained once, and on"
            if ahead <= chance
            else "more than the luck of the pictures explains, though each value was trained once; on"
        )
        sentences.append(
            f"{axis.texts[best]} is {ahead:.2f} points ahead of {axis.texts[second]}; {verdict} "
            f"{pictures:,} pictures differences up to {chance:.2f} points are noise."
        )
    return sentences


def _change(axis: Axis, best: int, worst: int) -> str:
    """The step from the best value to the worst, as the subject of a sentence."""
    label, sizes = axis.field.label.lower(), numbers(axis.values)
    texts = f"{axis.texts[worst]} instead of {axis.texts[best]}"
    if sizes and min(sizes) > 0:
        times = max(sizes[best], sizes[worst]) / min(sizes[best], sizes[worst])
        if times >= 2:
            size = "larger" if sizes[worst] > sizes[best] else "smaller"
            return f"A {times:.3g} times {size} {label} ({texts})"
    return f"{axis.field.label} {texts}"


def _chance(first: float, second: float, pictures: int) -> float:
    """The difference of two accuracies, in points, that the choice of pictures alone can make.

    As if each was counted on pictures of its own; on the same pictures it is rather less.
    """
    if not pictures:
        return 0.0
    variance = sum(share * (1 - share) for share in (first / 100, second / 100)) / pictures
    return ERRORS * 100 * math.sqrt(variance)
