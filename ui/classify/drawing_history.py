"""What one visitor drew, with every step back and forth, for as long as the session lasts.

The canvas in the browser has an undo of its own, but it forgets it with the page that it is on. So
every drawing that it sends is also kept here, and undo carries on where the canvas's own stops,
after *Clear* as well as after a change of page.

Drawings are as Fabric.js describes them. How they are shown and sent is in `ui.classify.canvas`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MOST = 100  # steps remembered, as many as the canvas remembers itself


class CanvasObject(TypedDict, total=False):
    """One thing drawn, as Fabric.js describes it; only what is read here."""

    type: str
    path: list[list[str | float]]


class CanvasDrawing(TypedDict, total=False):
    """A whole drawing as Fabric.js describes it; only what is read here."""

    objects: list[CanvasObject]


class Drawn(NamedTuple):
    """A drawing and the same as a picture, PNG; both None for an empty sheet."""

    drawing: CanvasDrawing | None
    png: bytes | None


@dataclass
class Sheet:
    """What one visitor has on the sheet.

    Attributes:
        number: counts the canvases; a new one is opened where undo leaves what the canvas itself
            remembers.
        initial: the drawing that this canvas was opened with, as the canvas itself writes drawings;
            None for an empty one.
        drawing: what is on it now, in the same form.
        png: the same as a picture; None before the first stroke.
        half: the same with a polygon whose corners are being set, and with their handles in the
            picture, which is therefore not read; None where there is none.
        between: corners of a polygon that undo is taking back one by one; 0 where it is not.
        earlier: what undo brings back, the latest last.
        later: what redo brings back, the next one last.
        tool: tool and pen with which the canvas was last drawn.
        asked: when the browser last asked for the lines of a half-set polygon, by its own clock.
    """

    number: int = 0
    initial: CanvasDrawing | None = None
    drawing: CanvasDrawing | None = None
    png: bytes | None = None
    half: Drawn | None = None
    between: int = 0
    earlier: list[Drawn] = field(default_factory=list)
    later: list[Drawn] = field(default_factory=list)
    tool: tuple[str, int] = ("", 0)
    asked: int = 0

    def take(self, drawing: CanvasDrawing, png: bytes, *, polygon: bool) -> None:
        """Remember what the canvas has sent.

        Args:
            drawing, png: as `Drawn` has them.
            polygon: whether the polygon tool is chosen, with which an open one is unfinished.
        """
        corners = unclosed_corners(drawing)
        self.between = 0
        if self.keeping and not self._kept(drawing, png):
            return  # the canvas has not opened the lines yet
        if _same(drawing, self.drawing) or self._step_to(drawing):
            self.half = None
        elif corners and not self.keeping:
            self.between = corners
            self.half = Drawn(drawing, png) if polygon else None
        else:
            self.half = None
            self._remember(drawing, png)

    @property
    def keeping(self) -> bool:
        """Whether the canvas was told to keep the lines of a half-set polygon, and has not yet."""
        return self.half is not None and self.initial is self.half.drawing

    def lines_from_half(self) -> None:
        """Have the canvas keep a half-set polygon as the lines that it is so far."""
        if self.half is not None:
            self.initial = self.half.drawing

    def _kept(self, drawing: CanvasDrawing, png: bytes) -> bool:
        """Whether these are the lines to be kept, without the handles of their corners."""
        return self.half is not None and _same(drawing, self.half.drawing) and png != self.half.png

    def clear(self) -> None:
        """Take an empty sheet; `undo` brings the old one back."""
        if objects_of(self.drawing):
            self._push(self.earlier, Drawn(self.drawing, self.png))
            self.later.clear()
        self._open(Drawn(None, None))

    def undo(self) -> None:
        """Go one step back; nothing happens at the first."""
        if self.earlier:
            before = self.earlier.pop()
            self._push(self.later, Drawn(self.drawing, self.png))
            self._open(before)

    def redo(self) -> None:
        """Go one step forward again; nothing happens at the last."""
        if self.later:
            after = self.later.pop()
            self._push(self.earlier, Drawn(self.drawing, self.png))
            self._open(after)

    def pixels(self) -> NDArray[np.uint8] | None:
        """What is on it as uint8 `(h, w, 4)`, dark ink on white; None for an empty one."""
        if self.png is None or not objects_of(self.drawing):
            return None
        return np.asarray(Image.open(io.BytesIO(self.png)).convert("RGBA"))

    def _open(self, drawn: Drawn) -> None:
        self.number += 1
        self.drawing, self.png = drawn
        self.initial, self.half, self.between = self.drawing, None, 0

    def _step_to(self, drawing: CanvasDrawing) -> bool:
        """Whether the canvas has gone back or forth to a drawing that is remembered, and do so."""
        for source, target in ((self.earlier, self.later), (self.later, self.earlier)):
            for place in range(len(source) - 1, -1, -1):
                if _same(drawing, source[place].drawing):
                    between = source[place + 1 :]
                    target += [Drawn(self.drawing, self.png), *reversed(between)]
                    self.drawing, self.png = source[place]
                    del source[place:]
                    return True
        return False

    def _remember(self, drawing: CanvasDrawing, png: bytes) -> None:
        self._push(self.earlier, Drawn(self.drawing, self.png))
        self.later.clear()
        # What was there before is kept once, however many steps show it.
        before, now = objects_of(self.drawing), objects_of(drawing)
        same = [old if old == new else new for old, new in zip(before, now, strict=False)]
        self.drawing, self.png = {**drawing, "objects": same + now[len(same) :]}, png

    @staticmethod
    def _push(steps: list[Drawn], drawn: Drawn) -> None:
        steps.append(drawn)
        del steps[:-MOST]


def objects_of(drawing: CanvasDrawing | None) -> list[CanvasObject]:
    """What was drawn, in order."""
    return [] if drawing is None else drawing.get("objects", [])


def unclosed_corners(drawing: CanvasDrawing | None) -> int:
    """How many corners the last thing drawn has if it is an open polygon: a path of straight lines,
    which no pen draws. 0 for anything else.
    """
    objects = objects_of(drawing)
    if not objects or objects[-1].get("type") != "Path":
        return 0
    path = objects[-1].get("path", [])
    return len(path) if all(command[0] in ("M", "L") for command in path) else 0


def _same(one: CanvasDrawing | None, other: CanvasDrawing | None) -> bool:
    return objects_of(one) == objects_of(other)
