"""One picture of the data, looked at closely: what it is, what the network says, where it looked,
what it resembles.

Used by every page whose pictures open. It needs the data for the picture and the network for the
reasons; where either is missing, it shows what is left and says what is not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.errors import RunDamaged
from core.explain.closer_look import CloserLook, Split
from core.labels import CLASS_NAMES
from core.runs import Run
from ui import cache, frame, state
from ui.components import charts, theme, thumbnails


def closeup(
    run: Run,
    data_name: str,
    split: Split,
    index: int,
    *,
    truth: int,
    order: Sequence[int],
    key: str,
    probabilities: np.ndarray | None = None,
) -> None:
    """Draw the close view of one picture, with the way back and to its neighbours in the present
    selection.

    Args:
        run: the finished run that answers.
        data_name: the data the picture belongs to.
        split: "test" or "training".
        index: the picture's position in that split.
        truth: its label.
        order: the indices of the selection it was opened from; the arrows walk along it.
        key: prefix of the widgets' keys, carrying the page.
        probabilities: float `(10,)` as the run wrote them down; None asks the network, which needs
            the data.

    Raises:
        RunDamaged: if the run speaks of pictures that its data do not have.
    """
    _arrows(index, order, key)
    data = frame.data_for(data_name)
    pixels = None
    if data is not None:
        frame.sample_badge(data)
        known = data.test_pixels if split == "test" else data.train_pixels
        if index >= len(known):
            raise RunDamaged(
                f"{run.name} answered picture {index:,}, but {data.title} has {len(known):,} {split} pictures; "
                "someone may have edited the run. Choose another one."
            )
        pixels = known[index]
    look = None
    if pixels is not None:
        with frame.errors(stop=False):
            look = cache.look_closer(run.id, data_name, split, index)
    if probabilities is None and look is not None:
        probabilities = look.probabilities
    if probabilities is None:
        st.info(
            "Without the pictures the network cannot be asked about this one.",
            icon=":material/info:",
        )
        return
    _verdict(truth, probabilities, split, index)
    left, right = st.columns(2, gap="large") if pixels is not None else (None, st.container())
    if pixels is not None:
        with left:
            _pictures(pixels, look, truth, int(np.argmax(probabilities)))
    with right:
        st.subheader("Ten probabilities")
        charts.probability_bars(probabilities, truth=truth)
    if look is not None:
        _resemblance(look)


def _arrows(index: int, order: Sequence[int], key: str) -> None:
    places = {int(one): place for place, one in enumerate(order)}
    place = places.get(index)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Back to all",
            key=f"{key}_back",
            icon=":material/arrow_back:",
            on_click=state.put,
            args=({"picture": None},),
        )
        if place is not None:
            for label, icon, step in (
                ("Previous", ":material/chevron_left:", -1),
                ("Next", ":material/chevron_right:", 1),
            ):
                exists = 0 <= place + step < len(order)
                st.button(
                    label,
                    key=f"{key}_{label.lower()}",
                    icon=icon,
                    disabled=not exists,
                    on_click=state.put,
                    args=({"picture": str(order[place + step])} if exists else {},),
                )
            st.caption(f"{place + 1:,} of {len(order):,}")


def _verdict(truth: int, probabilities: np.ndarray, split: str, index: int) -> None:
    guess = int(np.argmax(probabilities))
    says = f"{theme.percent(float(probabilities[guess]))} sure"
    title = (
        f"{CLASS_NAMES[truth]}, named rightly"
        if guess == truth
        else f"{CLASS_NAMES[truth]}, taken for {CLASS_NAMES[guess]}"
    )
    st.subheader(title)
    loss = -float(np.log(max(float(probabilities[truth]), 1e-12)))
    st.caption(
        f"{split.capitalize()} picture {index:,} · {says} · the true class was given "
        f"{theme.percent(float(probabilities[truth]))} · loss {loss:.2f}"
    )


def _pictures(pixels: np.ndarray, look: CloserLook | None, truth: int, guess: int) -> None:
    st.subheader("What it saw")
    shown = [pixels]
    captions, alts = ["The picture"], [f"The picture, a {CLASS_NAMES[truth]}, enlarged"]
    if look is not None:
        shown.append(thumbnails.overlay(pixels, look.heat))
        captions.append(f"Where it saw “{CLASS_NAMES[guess]}”")
        alts.append(f"The same with the parts in warm colours that speak for {CLASS_NAMES[guess]}")
    thumbnails.grid(shown, captions, alts, columns=2)
    if look is not None:
        st.caption("Warm parts count most: with them hidden, the network would be less sure.")


def _resemblance(look: CloserLook) -> None:
    st.subheader("Nearest training pictures")
    st.caption(
        "What the network holds for most alike among the pictures it learnt from, nearest first, with their labels."
    )
    names = [CLASS_NAMES[label] for label in look.neighbour_labels]
    alts = [
        f"Training picture {index}, a {name}, similarity {float(alike):.3f}"
        for index, name, alike in zip(
            look.neighbour_indices, names, look.neighbour_similarities, strict=True
        )
    ]
    thumbnails.grid(look.neighbour_pixels, names, alts, cell=84)
