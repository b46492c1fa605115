"""A window on its way over a picture, step by step, in the browser: where it is, what is
calculated, what comes out.

All numbers are sent at once, so a step costs no answer of the server: it can be played, chosen by a
slider, or by pointing at a pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.explain.steps import Walk
from ui.components import heat, thumbnails

Maps = Mapping[str, NDArray[np.float32]]  # by the layer's name

DIGITS = 5  # significant ones of each number that is sent; at most three are shown


@dataclass(frozen=True)
class Scene:
    """One walk of a window, with what is shown around it.

    Attributes:
        walk: the windows and their values.
        sentence: what is calculated, for a newcomer.
        source, result: what input and output are called.
        after: by layer, float `(h, w)`: what the following layers make of the output, in their
            order.
    """

    walk: Walk
    sentence: str
    source: str = "The picture, 0 to 1"
    result: str = "Output"
    after: Maps = field(default_factory=dict)


def draw(scene: Scene, *, key: str) -> None:
    """Draw the walk with its controls; it begins where there is something to see.

    Args:
        scene: what to draw.
        key: the widget's key, carrying its page.
    """
    walk = scene.walk
    shown = np.where(np.isfinite(walk.padded), walk.padded, 0.0)
    _WALK(
        key=key,
        height="content",
        data={
            "input": _sent(walk.padded),
            "output": _sent(walk.output),
            "weights": None if walk.weights is None else _sent(walk.weights),
            "bias": walk.bias,
            "field": walk.field,
            "stride": walk.stride,
            "before": walk.before,
            "inner": walk.inner,
            "after": [
                {"name": name, "values": _sent(values)} for name, values in scene.after.items()
            ],
            "source": scene.source,
            "result": scene.result,
            "input_image": thumbnails.data_uri(heat.colours(shown, heat.reach(shown))),
            "output_image": thumbnails.data_uri(heat.colours(walk.output, heat.reach(walk.output))),
            "start": liveliest(walk),
        },
    )
    st.caption("Point at a pixel to see how it comes about; a click or tap stays there.")


def liveliest(walk: Walk) -> int:
    """The step whose window has the most varied values and lies within the picture: there is
    something to see.
    """
    first, end = walk.before, walk.before + walk.inner

    def spread(number: int) -> float:
        step = walk.step(number)
        within = min(step.top, step.left) >= first and max(step.top, step.left) + walk.field <= end
        return float(step.window.std()) if within else -1.0

    return max(range(walk.output.size), key=spread)


def _sent(values: NDArray[np.floating]) -> list[list[float | None]]:
    """Numbers as rows for the browser; what a pooling adds at the edge is None."""
    return [
        [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in row]
        for row in values.tolist()
    ]


_WALK = st.components.v2.component(
    "atelier_walk",
    css=(Path(__file__).parent / "window_walk.css").read_text(encoding="utf-8"),
    js=(Path(__file__).parent / "window_walk.js").read_text(encoding="utf-8"),
)
