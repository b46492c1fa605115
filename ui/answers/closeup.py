"""One picture of the data, looked at closely: its class, the network's answer, what that rests
on, and similar training pictures.

Used by every page whose pictures open. It needs the data for the picture and the network for the
reasons; where either is missing, it shows the rest and says what is missing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data import fashion_mnist
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
    probabilities: NDArray[np.float32] | None = None,
) -> None:
    """Draw the close view of one picture, with buttons back and to its neighbours in the selection.

    Args:
        run: the finished run that answers.
        data_name: the data that the picture belongs to.
        split: the part of the data.
        index: the picture's position in that split.
        truth: its label.
        order: the indices of the selection it was opened from; the arrows walk along it.
        key: prefix of the widgets' keys, carrying the page.
        probabilities: float `(10,)` as the run kept them; None asks the network.

    Raises:
        RunDamaged: if the run has predictions for pictures that its data do not have.
    """
    _arrows(index, order, key)
    data = frame.data_for(data_name)
    pixels, look = None, None
    if data is not None:
        frame.sample_badge(data)
        known = data.test_pixels if split == "test" else data.train_pixels
        if index >= len(known):
            raise RunDamaged(
                f"{run.name} has a prediction for picture {index:,}, but {data.title} has only "
                f"{len(known):,} {split} pictures; someone may have edited the run. Choose another."
            )
        pixels = known[index]
        with frame.errors(stop=False):
            look = cache.look_closer(run.id, data_name, split, index)
    if probabilities is None and look is not None:
        probabilities = look.probabilities
    if probabilities is None:
        st.info("Without its pixels, the network cannot classify it.", icon=":material/info:")
        return
    _verdict(truth, probabilities, split, index)
    if split == "test" and pixels is not None:
        _links(run, data_name, index)
    right = st.container()
    if pixels is not None:
        left, right = right.columns(2, gap="large")
        with left:
            _pictures(pixels, look, truth, int(np.argmax(probabilities)))
    with right:
        st.header("Ten probabilities")
        charts.probability_bars(probabilities, truth=truth)
    if look is not None:
        _resemblance(look)


def _links(run: Run, data_name: str, index: int) -> None:
    """The ways on with this test picture. Classify has the sample's only where nothing else is."""
    on_classify = data_name == "fashion-mnist" or not fashion_mnist.status().available
    with st.container(horizontal=True):
        if on_classify and frame.exists(frame.CLASSIFY):
            st.page_link(
                frame.CLASSIFY,
                label="Classify it, with any network",
                icon=":material/draw:",
                query_params={"mode": "test", "picture": str(index)},
            )
        if frame.exists(frame.NETWORK):
            st.page_link(
                frame.NETWORK,
                label="Look inside the network with it",
                icon=":material/account_tree:",
                query_params={"run": run.id, "picture": str(index), "view": "maps"},
            )


def _arrows(index: int, order: Sequence[int], key: str) -> None:
    """Back and the neighbours, by mouse and by keys; Streamlit keeps the keys from text fields."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Back to all",
            key=f"{key}_back",
            icon=":material/arrow_back:",
            shortcut="Escape",
            on_click=state.put,
            args=({"picture": None},),
        )
        if index not in order:
            return
        position = order.index(index)
        for label, icon, step, shortcut in (
            ("Previous", ":material/chevron_left:", -1, "Left"),
            ("Next", ":material/chevron_right:", 1, "Right"),
        ):
            exists = 0 <= position + step < len(order)
            st.button(
                label,
                key=f"{key}_{label.lower()}",
                icon=icon,
                disabled=not exists,
                shortcut=shortcut,
                on_click=state.put,
                args=({"picture": str(order[position + step])} if exists else {},),
            )
        st.caption(f"{position + 1:,} of {len(order):,}")


def _verdict(truth: int, probabilities: NDArray[np.float32], split: Split, index: int) -> None:
    prediction = int(np.argmax(probabilities))
    st.header(
        f"{CLASS_NAMES[truth]}, classified correctly"
        if prediction == truth
        else f"{CLASS_NAMES[truth]}, mistaken for {CLASS_NAMES[prediction]}"
    )
    loss = -float(np.log(max(float(probabilities[truth]), 1e-12)))
    st.caption(
        f"{split.capitalize()} picture {index:,} · "
        f"{theme.percent(float(probabilities[prediction]))} confidence · the true class was given "
        f"{theme.percent(float(probabilities[truth]))} · loss {loss:.2f}"
    )


def _pictures(
    pixels: NDArray[np.uint8], look: CloserLook | None, truth: int, prediction: int
) -> None:
    st.header("What it saw")
    shown = [pixels]
    captions, alts = ["The picture"], [f"The picture, a {CLASS_NAMES[truth]}, enlarged"]
    if look is not None:
        heats = {prediction: ("What made it say", look.heat)}
        if truth != prediction:
            heats[truth] = ("What speaks for", look.truth_heat)
        for label, (words, heat) in heats.items():
            name = CLASS_NAMES[label]
            shown.append(thumbnails.overlay(pixels, heat))
            captions.append(f"{words} “{name}”")
            alts.append(f"The same, with the parts that support {name} in warm colours")
    thumbnails.grid(shown, captions, alts, columns=len(shown))
    if look is not None:
        st.caption("Warm parts count most: with them hidden, that class would get less confidence.")


def _resemblance(look: CloserLook) -> None:
    st.header("Most similar training pictures")
    st.caption("The training pictures it finds most similar, closest first, with their labels.")
    names = [CLASS_NAMES[label] for label in look.neighbour_labels]
    alts = [
        f"Training picture {index}, a {name}, similarity {float(similarity):.3f}"
        for index, name, similarity in zip(
            look.neighbour_indices, names, look.neighbour_similarities, strict=True
        )
    ]
    thumbnails.grid(look.neighbour_pixels, names, alts, cell=84)
