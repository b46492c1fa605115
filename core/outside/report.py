"""How well a network does on pictures from outside its data set: each is prepared, answered and
counted.

A report holds counts and mistakes, and every share is derived from them, so that reports can be
kept and compared without asking the network again. The test set fits the same form and is shown
next to the others.

`core.outside.sources` finds the pictures, `core.inference.answer` answers one, and
`core.outside.measured` keeps the reports of a run.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.errors import UnreadablePicture
from core.inference.answer import Prediction, ask
from core.labels import CLASS_NAMES
from core.wording import percent

if TYPE_CHECKING:
    from core.inference import Network
    from core.outside.sources import OutsidePicture

T = TypeVar("T")

BAG = CLASS_NAMES.index("Bag")
HEADER = (
    "",
    "pictures",
    "accuracy",
    "mean over classes",
    "called Bag",
    "sure",
    "accuracy where sure",
    "outside the ten",
    "rejected",
)


def class_name(accepted: tuple[int, ...]) -> str:
    """How people call pictures with these right answers, of which there is at least one.

    >>> class_name((5, 7, 9))
    'Sandal, Sneaker or Ankle boot'
    """
    *others, last = (CLASS_NAMES[label] for label in accepted)
    return f"{', '.join(others)} or {last}" if others else last


@dataclass(frozen=True)
class ClassCount:
    """How many pictures with the same right answers were classified correctly: mostly one class,
    and several for shoes, whose photographs are not labelled by kind.
    """

    accepted: tuple[int, ...]
    pictures: int
    right: int

    @property
    def name(self) -> str:
        return class_name(self.accepted)

    @property
    def accuracy(self) -> float:
        """Share of them that was classified correctly, 0..1."""
        return self.right / self.pictures


@dataclass(frozen=True)
class Mistake:
    """One wrong answer.

    Attributes:
        name: the picture's, as `core.outside.sources` gives it.
        accepted: what would have been right; empty for none of the ten, which should have been
            rejected.
        answer: the predicted class; None where nothing was found in the picture.
        confidence: of the answer, 0..1.
        seen: the `fingerprint` of what the network saw; None where that was not kept. It tells
            whether a picture is still the same after drawings or preparation have changed.
    """

    name: str
    accepted: tuple[int, ...]
    answer: int | None
    confidence: float
    seen: int | None


@dataclass(frozen=True)
class Report:
    """How a network did on one kind of picture. A *garment* is a picture with a right answer, the
    *others* show none of the ten.

    Attributes:
        matrix: 10 x 10 counts of garments, rows truth, columns prediction. Where several answers
            are right, a correct one counts in its own row, a wrong one in the row of the first.
            Garments in which nothing was found are wrong and in no column.
        classes: the garments by their right answers.
        bag: garments called "Bag".
        sure, sure_right: garments with a sure answer, and those of them where it was correct.
        others: pictures of none of the ten.
        called: by class, how many of the others were confidently called that; the rest were
            rejected, as they should be.
        unreadable: names of pictures that could not be opened; they count nowhere else.
        mistakes: wrong answers to garments, and sure ones to the others.
    """

    matrix: tuple[tuple[int, ...], ...]
    classes: tuple[ClassCount, ...]
    bag: int
    sure: int
    sure_right: int
    others: int
    called: tuple[int, ...]
    unreadable: tuple[str, ...]
    mistakes: tuple[Mistake, ...]

    @property
    def garments(self) -> int:
        return sum(one.pictures for one in self.classes)

    @property
    def pictures(self) -> int:
        """All that could be opened."""
        return self.garments + self.others

    @property
    def right(self) -> int:
        return sum(one.right for one in self.classes)

    @property
    def blank(self) -> int:
        """Garments in which nothing was found."""
        return self.garments - sum(map(sum, self.matrix))

    @property
    def accuracy(self) -> float | None:
        """Share of the garments that were classified correctly, 0..1; this and the shares below are
        None where there is nothing to divide by.
        """
        return _share(self.right, self.garments)

    @property
    def accuracy_range(self) -> tuple[float, float]:
        """The 95 % range of the accuracy, 0..1: so many pictures say no more than this.

        Source: the score interval of Wilson, doi:10.1080/01621459.1927.10502953.
        """
        n, z = self.garments, 1.96
        if not n:
            return 0.0, 1.0
        share = self.right / n
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return middle - half, middle + half

    @property
    def mean_over_classes(self) -> float | None:
        """The mean of the classes' accuracies: every class that occurs counts the same, however
        many pictures it has.
        """
        return float(np.mean([one.accuracy for one in self.classes])) if self.classes else None

    @property
    def bag_share(self) -> float | None:
        """Share of the garments that were called "Bag"."""
        return _share(self.bag, self.garments)

    @property
    def sure_share(self) -> float | None:
        """Share of the garments with a sure answer."""
        return _share(self.sure, self.garments)

    @property
    def sure_accuracy(self) -> float | None:
        """Share of the sure answers to garments that were correct."""
        return _share(self.sure_right, self.sure)

    @property
    def refused_share(self) -> float | None:
        """Share of the others that were rejected: not sure, or nothing was found."""
        return _share(self.others - sum(self.called), self.others)

    def shares(self) -> dict[str, float | int | None]:
        """The figures that a table shows, by name."""
        return {
            "pictures": self.pictures,
            "accuracy": self.accuracy,
            "mean_over_classes": self.mean_over_classes,
            "bag": self.bag_share,
            "sure": self.sure_share,
            "sure_right": self.sure_accuracy,
            "none_of_the_ten": self.others,
            "refused": self.refused_share,
            "blank": self.blank,
            "unreadable": len(self.unreadable),
        }

    def row(self, title: str) -> tuple[str | None, ...]:
        """The figures as text under `HEADER`; None where there is nothing to divide by."""
        shares = (
            self.accuracy,
            self.mean_over_classes,
            self.bag_share,
            self.sure_share,
            self.sure_accuracy,
        )
        return (
            title,
            f"{self.pictures:,}",
            *(None if share is None else percent(share) for share in shares),
            f"{self.others:,}" if self.others else None,
            None if self.refused_share is None else percent(self.refused_share),
        )

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Report:
        """The report that `to_dict` described.

        Raises:
            KeyError, TypeError, ValueError: for anything else.
        """
        counts = {name: _whole(values[name]) for name in ("bag", "sure", "sure_right", "others")}
        return cls(
            matrix=tuple(tuple(map(_whole, _ten(row))) for row in _ten(values["matrix"])),
            called=tuple(map(_whole, _ten(values["called"]))),
            classes=tuple(
                ClassCount(
                    _labels(one["accepted"]), _whole(one["pictures"], 1), _whole(one["right"])
                )
                for one in values["classes"]
            ),
            unreadable=tuple(map(str, values["unreadable"])),
            mistakes=tuple(
                Mistake(
                    str(one["name"]),
                    _labels(one["accepted"]),
                    None if one["answer"] is None else _labels([one["answer"]])[0],
                    float(one["confidence"]),
                    None if one["seen"] is None else _whole(one["seen"]),
                )
                for one in values["mistakes"]
            ),
            **counts,
        )


def measure(
    network: Network,
    pictures: Sequence[OutsidePicture],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Let a network answer every picture as `python -m core predict` would, and count.

    Args:
        pictures: opened one after the other; one that cannot be opened is named in the report and
            does not stop the measurement.
        progress: is told how many are done, and of how many.
    """
    entries, unreadable = [], []
    for done, picture in enumerate(pictures, start=1):
        try:
            image = picture.open()
        except (UnreadablePicture, OSError):
            unreadable.append(picture.name)
        else:
            answered = ask(network, image)
            seen = fingerprint(answered.question.pixels)
            entries.append(_Entry(picture.name, picture.accepted, answered.prediction, seen))
        if progress:
            progress(done, len(pictures))
    return _count(entries, unreadable)


def of_answers(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer], sure: NDArray[np.bool_]
) -> Report:
    """The report of pictures that were already answered, such as a run's test pictures.

    Args:
        probabilities: float `(n, 10)`.
        labels: int `(n,)`, 0..9.
        sure: bool `(n,)`.
    """
    rows = enumerate(zip(probabilities, labels, sure, strict=True))
    entries = (
        _Entry(f"test/{number}", (int(label),), Prediction(row, bool(certain)), None)
        for number, (row, label, certain) in rows
    )
    return _count(entries, [])


def fingerprint(pixels: NDArray[np.uint8]) -> int:
    """A checksum of pixels `(28, 28)`."""
    return zlib.crc32(np.ascontiguousarray(pixels).tobytes())


class _Entry(NamedTuple):
    """One answered picture; `answer` is None where nothing was found in it."""

    name: str
    accepted: tuple[int, ...]
    answer: Prediction | None
    seen: int | None


def _count(entries: Iterable[_Entry], unreadable: Iterable[str]) -> Report:
    matrix, called = np.zeros((len(CLASS_NAMES), len(CLASS_NAMES)), int), [0] * len(CLASS_NAMES)
    pictures: Counter[tuple[int, ...]] = Counter()  # by right answers
    right: Counter[tuple[int, ...]] = Counter()
    mistakes, sure, sure_right, others = [], 0, 0, 0
    for entry in entries:
        accepted, answer = entry.accepted, entry.answer
        correct = answer is not None and answer.label in accepted
        if accepted:
            pictures[accepted] += 1
            right[accepted] += correct
        else:
            others += 1
        if answer is not None and accepted:
            matrix[answer.label if correct else accepted[0], answer.label] += 1
            sure += answer.sure
            sure_right += answer.sure and correct
        elif answer is not None and answer.sure:
            called[answer.label] += 1
        wrong = not correct if accepted else answer is not None and answer.sure
        if wrong:
            mistakes.append(_mistake(entry))
    return Report(
        tuple(map(tuple, matrix.tolist())),
        tuple(
            ClassCount(accepted, pictures[accepted], right[accepted])
            for accepted in sorted(pictures)
        ),
        int(matrix[:, BAG].sum()),
        sure,
        sure_right,
        others,
        tuple(called),
        tuple(unreadable),
        tuple(mistakes),
    )


def _mistake(entry: _Entry) -> Mistake:
    answer = entry.answer
    if answer is None:
        return Mistake(entry.name, entry.accepted, None, 0.0, None)
    confidence = round(answer.confidence, 4)
    return Mistake(entry.name, entry.accepted, answer.label, confidence, entry.seen)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _whole(value: object, lowest: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise ValueError(f"a count is a whole number from {lowest} upwards; received {value!r}")
    return value


def _ten(values: Sequence[T]) -> tuple[T, ...]:
    if len(values) != len(CLASS_NAMES):
        raise ValueError(f"there are {len(CLASS_NAMES)} classes; received {len(values)} entries")
    return tuple(values)


def _labels(values: Sequence[object]) -> tuple[int, ...]:
    labels = tuple(_whole(value) for value in values)
    if any(label >= len(CLASS_NAMES) for label in labels):
        raise ValueError(f"a label is below {len(CLASS_NAMES)}; received {labels}")
    return labels
