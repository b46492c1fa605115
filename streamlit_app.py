"""Home: a sheet to draw on with the answer beside it, what is ready, and where to go."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import runs, wording
from core.data import fashion_mnist
from core.data.fashion_mnist import Dataset
from core.labels import CLASS_NAMES
from core.runs import Run
from ui import cache, frame, state
from ui.answers.filters import ALL, CLASSES, name_of
from ui.classify import result, sheet
from ui.classify.result import Contender
from ui.components import theme, thumbnails
from ui.components.thumbnails import Item

SHOWN = 25
OPENED = "home_opened"  # the picture that was clicked; a callback cannot change the page
ROADS = (
    (
        frame.CLASSIFY,
        "Classify your own pictures",
        ":material/photo_camera:",
        "Draw, upload or photograph a garment, and see why it says so.",
    ),
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
        "Sweep a setting, cross-validate, compare runs.",
    ),
    (
        frame.NETWORK,
        "Look inside a network",
        ":material/account_tree:",
        "Layers, filters, feature maps, and how it learns.",
    ),
)


def show_sheet() -> None:
    """The sheet, the answer of the champion, and in one line which network that is and why."""
    with frame.errors(stop=False):
        champion = runs.champion()
        sheet.show([Contender(champion, cache.network(champion.id))], briefly=True)
        st.caption(describe(champion))


def describe(champion: Run) -> str:
    """Which network answers, how well it does, and why it is not the most accurate one."""
    name = wording.literal(champion.name)
    if champion.test_accuracy is None:
        return f"{name} answers."
    use = (
        "its best epoch was chosen on them"
        if champion.spec.validation == "test"
        else "never used to train or to choose it"
    )
    sentence = (
        f"{name} answers: {theme.percent(champion.test_accuracy, 2)} of the test pictures correct "
        f"({use})."
    )
    scored = [run for run in cache.runs() if run.finished and run.test_accuracy is not None]
    best = max(scored, key=lambda run: run.test_accuracy or 0.0, default=champion)
    if (best.test_accuracy or 0.0) <= champion.test_accuracy:
        return sentence
    lead = f" {wording.literal(best.name)} reaches {theme.percent(best.test_accuracy or 0.0, 2)}"
    learned = champion.spec.outside and not best.spec.outside
    reason = ", but did not learn from drawings and photographs." if learned else "."
    return sentence + lead + reason


def show_state() -> None:
    """Data, engine and runs, a line each, and runs that cannot be read."""
    st.header("Status")
    data = fashion_mnist.status()
    st.markdown(
        f":material/database: {data.sentence if data.available else frame.data_words() + '.'}\n\n"
        f":material/memory: {cache.engine_sentence()}.\n\n:material/folder: {frame.run_words()}."
    )
    for _, sentence in cache.damaged_runs():
        st.warning(sentence, icon=":material/folder_off:")


def show_garments() -> None:
    """Random test pictures, of all classes or of one; a click has the network classify it."""
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
        np.arange(len(data.test_labels))
        if label == ALL
        else np.flatnonzero(data.test_labels == label)
    )
    random = np.random.default_rng(state.session().shuffle)
    chosen = random.choice(candidates, min(SHOWN, len(candidates)), replace=False)
    thumbnails.gallery(
        [garment(data, int(index)) for index in chosen],
        "home_gallery",
        lambda index: st.session_state.update({OPENED: index}),
        columns=5,
    )
    st.caption(
        f"{len(chosen)} of {len(candidates):,} test pictures, 28 × 28 pixels each, enlarged. "
        "No network learns from them. Click one to have it classified."
    )


def garment(data: Dataset, index: int) -> Item:
    """A test picture that leads to Classify."""
    name = CLASS_NAMES[data.test_labels[index]]
    return Item(
        index,
        data.test_pixels[index],
        name,
        href=f"Classify?mode=test&picture={index}",
        alt=f"{name}, test picture {index}: have it classified",
    )


if (opened := st.session_state.pop(OPENED, None)) is not None:
    st.switch_page(frame.CLASSIFY, query_params={"mode": "test", "picture": str(opened)})


frame.begin(
    "Atelier",
    "Train a small network to tell garments apart, and find out why it makes mistakes. Then give it "
    "your own drawings and photographs, and see what it sees.",
    icon=":material/checkroom:",
)
st.html(f"<style>{result.style()}</style>")
show_sheet()
left, right = st.columns([5, 4], gap="large")
with left:
    st.header("Where to go", anchor=False)
    with st.container(key="home_roads"):
        for path, label, icon, sentence in ROADS:
            with st.container(gap=None):
                st.page_link(path, label=f"**{label}**", icon=icon, width="stretch")
                st.caption(sentence)
    show_state()
with right:
    st.header("Pictures to try", anchor=False)
    with frame.errors():
        show_garments()
