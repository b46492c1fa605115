"""Home: what this is, what is ready, and what to try first."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import runs
from core.data import fashion_mnist
from core.labels import CLASS_NAMES
from ui import cache, frame, state
from ui.answers.filters import ALL, CLASSES, name_of
from ui.components import theme, thumbnails

SHOWN = 25
ROADS = (
    (
        frame.TRAIN,
        "Train a network",
        ":material/model_training:",
        "Choose a preset, change it, watch it learn.",
    ),
    (
        frame.MISTAKES,
        "Look at its mistakes",
        ":material/rule:",
        "Every mistake, class by class, most confident first.",
    ),
    (
        frame.MATRIX,
        "See which classes it mixes up",
        ":material/grid_on:",
        "Click a cell to see the pictures in it.",
    ),
    (
        frame.EXPERIMENTS,
        "Compare and sweep",
        ":material/science:",
        "Vary a setting, cross-validate, overlay runs.",
    ),
    (
        frame.NETWORK,
        "Look inside a network",
        ":material/account_tree:",
        "Layers, filters, feature maps, and how it learns.",
    ),
)


def show_champion() -> None:
    """The network that answers unless you choose another, with its score."""
    with frame.errors(stop=False):
        champion = runs.champion()
        use = (
            "Its best epoch was chosen on them."
            if champion.spec.validation == "test"
            else "They were never used to train it or to choose it."
        )
        st.subheader("The network answering now")
        name, score, size = st.columns([5, 4, 3])
        name.metric("Champion", champion.name)
        score.metric(
            "Test accuracy",
            "–" if champion.test_accuracy is None else theme.percent(champion.test_accuracy, 2),
            help=f"Share of the test pictures that it labels correctly. {use}",
        )
        size.metric("Parameters", f"{champion.parameters:,}" if champion.parameters else "–")


def show_state() -> None:
    """Data, engine and runs, a line each, and runs that cannot be read."""
    st.subheader("Status")
    data = fashion_mnist.status()
    st.markdown(
        f":material/database: {data.sentence if data.available else frame.data_words() + '.'}\n\n"
        f":material/memory: {cache.engine_sentence()}.\n\n:material/folder: {frame.run_words()}."
    )
    for _, sentence in cache.damaged_runs():
        st.warning(sentence, icon=":material/folder_off:")


def show_garments() -> None:
    """Random training pictures, of all classes or of one."""
    data = frame.data_or_stop(urgent=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = state.linked(
            "class",
            "home_class",
            CLASSES,
            "the class",
            ALL,
            lambda options: st.selectbox("Class", options, key="home_class", format_func=name_of),
        )
        st.button(
            "Reshuffle", key="home_shuffle", icon=":material/shuffle:", on_click=state.reshuffle
        )
    candidates = (
        np.arange(len(data.train_labels))
        if label == ALL
        else np.flatnonzero(data.train_labels == label)
    )
    random = np.random.default_rng(state.session().shuffle)
    chosen = random.choice(candidates, min(SHOWN, len(candidates)), replace=False)
    names = [CLASS_NAMES[label] for label in data.train_labels[chosen]]
    thumbnails.grid(
        data.train_pixels[chosen],
        names,
        [f"Training picture {index}: {name}" for index, name in zip(chosen, names, strict=True)],
        columns=5,
    )
    st.caption(
        f"{len(chosen)} of {len(candidates):,} training pictures, 28 × 28 pixels each, enlarged."
    )


frame.begin(
    "Atelier",
    "Train a small network to tell garments apart, and find out why it makes mistakes. Then give it "
    "your own drawings and photographs, and see what it sees.",
    icon=":material/checkroom:",
)
left, right = st.columns([5, 4], gap="large")
with left:
    if st.button("Draw a garment", key="home_draw", type="primary", icon=":material/draw:"):
        st.switch_page(frame.CLASSIFY)
    show_champion()
    st.subheader("Where to go")
    with st.container(key="home_roads"):
        for path, label, icon, sentence in ROADS:
            with st.container(gap=None):
                st.page_link(path, label=f"**{label}**", icon=icon, width="stretch")
                st.caption(sentence)
    show_state()
with right:
    st.subheader("What it learns from")
    with frame.errors():
        show_garments()
