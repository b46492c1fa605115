"""How well a network does on pictures from outside its data set: each is prepared, answered and
counted.

One idea: a report holds counts and mistakes, and every share is derived from them; so reports are
compared and kept without asking anybody again. The test set fits the same form, and stands beside
the others.

Where the pictures come from is the business of `core.outside.sources`, how one is answered that of
`core.inference.answer`; what is measured for a run, and kept with it, is `core.outside.measured`'.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import UnreadablePicture
from core.inference.answer import Prediction, ask
from core.labels import CLASS_NAMES

if TYPE_CHECKING:
    from core.inference import Network
    from core.outside.sources import Outside

BAG = CLASS_NAMES.index("Bag")
HEADER = (
    "",
    "pictures",
    "right",
    "mean over classes",
    "called Bag",
    "sure",
    "right where sure",
    "none of the ten",
    "of these refused",
)


def class_name(accepted: tuple[int, ...]) -> str:
    """What pictures with these right answers (at least one) are: "Coat", or "Sandal, Sneaker or
    Ankle boot".
    """
    *others, last = (CLASS_NAMES[label] for label in accepted)
    return f"{', '.join(others)} or {last}" if others else last


@dataclass(frozen=True)
class ClassCount:
    """How pictures with the same right answers fared: mostly one class, for shoes that nobody told
    apart several.
    """

    accepted: tuple[int, ...]
    pictures: int
    right: int

    @property
    def name(self) -> str:
        return class_name(self.accepted)

    @property
    def accuracy(self) -> float:
        """Share of them that was answered rightly, 0..1."""
        return self.right / self.pictures


@dataclass(frozen=True)
class Mistake:
    """One wrong answer.

    Attributes:
        name: the picture's, as `core.outside.sources` gives it.
        accepted: what would have been right; nothing for none of the ten, which should have been
            refused.
        answer: what was said; None where nothing was found in the picture.
        confidence: of the answer, 0..1.
        seen: the `fingerprint` of what the network saw; None where that was not kept. Nobody is
            shown another picture once the drawings or the preparation have changed.
    """

    name: str
    accepted: tuple[int, ...]
    answer: int | None
    confidence: float
    seen: int | None


@dataclass(frozen=True)
class Report:
    """What a network made of one kind of pictures. A *garment* is a picture with a right answer,
    the *others* are none of the ten.

    Attributes:
        matrix: 10 x 10 counts of garments, rows truth, columns answer. A right answer among several
            is entered under itself, a wrong one under the first of them. Garments in which nothing
            was found are wrong and stand in no column.
        classes: the garments by what is accepted.
        bag: garments called "Bag".
        sure, sure_right: garments with a sure answer, and those of them where it was right.
        others: pictures of none of the ten.
        called: by class, how many of the others were surely called that; the rest was refused, as
            it should be.
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
        """Share of the garments that was answered rightly, 0..1; this and the shares below are None
        where there is nothing to share.
        """
        return _share(self.right, self.garments)

    @property
    def mean_over_classes(self) -> float | None:
        """The mean of the classes' accuracies: every class that occurs counts alike, however many
        pictures it has.
        """
        return float(np.mean([one.accuracy for one in self.classes])) if self.classes else None

    @property
    def bag_share(self) -> float | None:
        """Share of the garments that was called "Bag"."""
        return _share(self.bag, self.garments)

    @property
    def sure_share(self) -> float | None:
        """Share of the garments with a sure answer."""
        return _share(self.sure, self.garments)

    @property
    def sure_accuracy(self) -> float | None:
        """Share of the sure answers to garments that was right."""
        return _share(self.sure_right, self.sure)

    @property
    def refused_share(self) -> float | None:
        """Share of the others that was refused: the answer was not sure, or nothing was found."""
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
        """The figures as words under `HEADER`; None where there is nothing to share."""
        words = [
            None if share is None else f"{share:.1%}".replace("%", " %")
            for share in (
                self.accuracy,
                self.mean_over_classes,
                self.bag_share,
                self.sure_share,
                self.sure_accuracy,
            )
        ]
        others = (
            (f"{self.others:,}", f"{self.refused_share:.1%}".replace("%", " %"))
            if self.others
            else (None, None)
        )
        return title, f"{self.pictures:,}", *words, *others

    def to_dict(self) -> dict:
        """The report as JSON knows it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> Report:
        """What `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: for anything else.
        """
        counts = {name: _whole(values[name]) for name in ("bag", "sure", "sure_right", "others")}
        return cls(
            matrix=tuple(_ten(row) for row in _ten(values["matrix"], list)),
            called=_ten(values["called"]),
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
    pictures: Sequence[Outside],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Let a network answer every picture as `python -m core predict` would, and count.

    Args:
        pictures: opened one after the other; one that cannot be opened is named in the report and
            stops nothing.
        progress: told how many are done, and of how many.
    """
    entries, unreadable = [], []
    for done, one in enumerate(pictures, start=1):
        try:
            image = one.open()
        except (UnreadablePicture, OSError):
            unreadable.append(one.name)
        else:
            answered = ask(network, image)
            seen = fingerprint(answered.question.pixels)
            entries.append((one.name, one.accepted, answered.prediction, seen))
        if progress:
            progress(done, len(pictures))
    return _count(entries, unreadable)


def of_answers(probabilities: np.ndarray, labels: np.ndarray, sure: np.ndarray) -> Report:
    """The report of pictures that were answered before, such as a run's test pictures.

    Args:
        probabilities: float `(n, 10)`.
        labels: int `(n,)`, 0..9.
        sure: bool `(n,)`.
    """
    predictions = (
        Prediction(row, bool(certain)) for row, certain in zip(probabilities, sure, strict=True)
    )
    return _count(
        [
            (f"test/{number}", (int(label),), prediction, None)
            for number, (label, prediction) in enumerate(zip(labels, predictions, strict=True))
        ],
        [],
    )


def fingerprint(pixels: np.ndarray | None) -> int | None:
    """A number that is another one for other pixels `(28, 28)` uint8; None of none."""
    return None if pixels is None else zlib.crc32(np.ascontiguousarray(pixels).tobytes())


def _count(
    entries: Iterable[tuple[str, tuple[int, ...], Prediction | None, int | None]],
    unreadable: Iterable[str],
) -> Report:
    matrix, called = np.zeros((len(CLASS_NAMES), len(CLASS_NAMES)), int), [0] * len(CLASS_NAMES)
    classes: dict[tuple[int, ...], list[int]] = {}
    mistakes, sure, sure_right, others = [], 0, 0, 0
    for name, accepted, said, seen in entries:
        right = said is not None and said.label in accepted
        if accepted:
            fared = classes.setdefault(accepted, [0, 0])
            fared[0] += 1
            fared[1] += right
            if said is not None:
                matrix[said.label if right else accepted[0], said.label] += 1
                sure += said.sure
                sure_right += said.sure and right
        else:
            others += 1
            if said is not None and said.sure:
                called[said.label] += 1
        if not right if accepted else said is not None and said.sure:
            mistakes.append(
                Mistake(
                    name,
                    accepted,
                    said.label,
                    round(said.confidence, 4),
                    seen,
                )
                if said
                else Mistake(name, accepted, None, 0.0, None)
            )
    return Report(
        tuple(map(tuple, matrix.tolist())),
        tuple(ClassCount(accepted, *classes[accepted]) for accepted in sorted(classes)),
        int(matrix[:, BAG].sum()),
        sure,
        sure_right,
        others,
        tuple(called),
        tuple(unreadable),
        tuple(mistakes),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _whole(value: object, lowest: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise ValueError(f"a count is a whole number from {lowest} upwards; received {value!r}")
    return value


def _ten(values: Sequence, as_one: Callable = _whole) -> tuple:
    found = tuple(as_one(value) for value in values)
    if len(found) != len(CLASS_NAMES):
        raise ValueError(f"there are {len(CLASS_NAMES)} classes; received {len(found)} entries")
    return found


def _labels(values: Sequence) -> tuple[int, ...]:
    labels = tuple(_whole(value) for value in values)
    if any(label >= len(CLASS_NAMES) for label in labels):
        raise ValueError(f"a label is below {len(CLASS_NAMES)}; received {labels}")
    return labels
