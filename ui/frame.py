"""What every page begins with, and what it does when something is missing.

`begin` is a page's first call: title, navigation, the state of data, engine and runs. `errors` is
the one place where an error meant for people becomes a sentence; every other exception keeps its
traceback. `data_or_stop`, `data_for` and `choose_run` are the guards that pages share.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache as once

import streamlit as st

from core import runs as runs_room
from core import settings
from core.data import fashion_mnist as dataset_room
from core.errors import AtelierError, DataDamaged, DataUnavailable, RunDamaged, RunNotFound
from ui import cache, state
from ui.components import charts, run_names, thumbnails

HOME, CLASSIFY, TRAIN = "streamlit_app.py", "pages/1_Classify.py", "pages/2_Train.py"
MISTAKES, MATRIX = "pages/3_Misclassified.py", "pages/4_Confusion_matrix.py"
EXPERIMENTS = "pages/5_Experiments.py"
NETWORK = "pages/6_Network.py"
PAGES = (
    (HOME, "Home", ":material/checkroom:"),
    (CLASSIFY, "Classify", ":material/draw:"),
    (TRAIN, "Train", ":material/model_training:"),
    (MISTAKES, "Misclassified", ":material/rule:"),
    (MATRIX, "Confusion matrix", ":material/grid_on:"),
    (EXPERIMENTS, "Experiments", ":material/science:"),
    (NETWORK, "Network", ":material/account_tree:"),
)
# Of glibc's mallopt: M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD. A threshold that is set no
# longer grows by itself.
_HEAP = ((-8, 2), (-3, 128 * 1024), (-1, 128 * 1024))
_STYLE = """
[data-testid="stMainBlockContainer"] { max-width: 74rem; }
.st-key-home_roads [data-testid="stPageLink"] { margin-left: -0.5rem; }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding-left: 1rem; padding-right: 1rem; }
  h1 { font-size: 1.6rem !important; }
}
"""


def begin(title: str, sentence: str, *, icon: str) -> None:
    """Set up a page: tab title, heading with one sentence, navigation and state in the sidebar.

    Args:
        title: the page's name in sentence case.
        sentence: what one does here, in plain words.
        icon: a Material icon, such as `:material/draw:`, drawn beside the heading. The tab has a
            picture of our own: Streamlit would fetch an icon for it from the network.
    """
    _share_memory()
    name = title if title == "Atelier" else f"{title} · Atelier"
    st.set_page_config(page_title=name, page_icon=settings.ASSETS / "icon.png", layout="wide")
    st.html(f"<style>{_STYLE}{thumbnails.STYLE}{charts.style()}</style>")
    state.session().pinned.clear()
    with st.sidebar:
        _navigation()
        _state()
    st.title(f"{icon} {title}")
    st.caption(sentence)
    state.session().notices = st.container()


@once
def _share_memory() -> None:
    """Have the C library give arrays back when they are freed, and no heap of its own to every
    visitor's thread.
    """
    if platform.libc_ver()[0] == "glibc":
        for option, value in _HEAP:
            ctypes.CDLL(None).mallopt(option, value)


@contextmanager
def errors(*, stop: bool = True) -> Iterator[None]:
    """Turn an error meant for people into its sentence on the page.

    Args:
        stop: end the page there; False for a part of a page that others do not need.
    """
    try:
        yield
    except AtelierError as problem:
        st.error(str(problem), icon=":material/error:")
        if stop:
            st.stop()


def data_or_stop(*, urgent: bool = True) -> dataset_room.Dataset:
    """Data to work with: Fashion-MNIST, or the offline sample where that is missing and the visitor
    chose it (and then says so); otherwise offer both and stop.

    Args:
        urgent: whether getting data is what the page is about now; False where something else comes
            first.
    """
    try:
        found = cache.dataset("fashion-mnist")
    except (DataUnavailable, DataDamaged) as problem:
        if not state.session().use_sample:
            _offer(problem, urgent=urgent)
            st.stop()
        found = cache.dataset("offline-sample")
    sample_badge(found)
    return found


def data_for(name: str) -> dataset_room.Dataset | None:
    """The data that a run was measured on, or None after saying why they are not here and offering
    what helps.

    A view goes on without its pictures: the run's numbers are there even where its data are not.
    """
    try:
        return cache.dataset(name)
    except (DataUnavailable, DataDamaged) as problem:
        _offer(problem, urgent=True)
    if state.session().use_sample:
        st.caption(
            "The offline sample cannot stand in for the pictures of this run. A run trained on the sample shows its own."
        )
        st.page_link(
            TRAIN, label="Train one on the offline sample", icon=":material/model_training:"
        )
    return None


def sample_badge(data: dataset_room.Dataset) -> None:
    """Say "offline sample" wherever it is used; nothing for the real data."""
    if data.is_sample:
        st.badge(
            "Offline sample",
            icon=":material/brush:",
            color="orange",
            help="Garments drawn by program, because Fashion-MNIST is not on this machine. "
            "Scores on them say nothing about the real data.",
        )


def choose_run(
    label: str, key: str, *, default: str | None = None, param: str = "run", optional: bool = False
) -> runs_room.Run | None:
    """Let people choose one of the finished runs, in step with the address.

    Args:
        label: the selector's label.
        key: the selector's key, carrying its page.
        default: id of the run to begin with; the champion where it is None.
        param: the address parameter.
        optional: allow none, and begin with none.

    Returns:
        the run; None only where `optional` and nothing is chosen, or where there is no finished run
        at all. An unknown run in the address is answered with a sentence, and the default is taken.
    """
    if st.query_params.get(param) not in {None, *(run.id for run in cache.runs() if run.finished)}:
        cache.forget_runs()  # it may have finished this moment
    known = {run.id: run for run in cache.runs() if run.finished}
    if not known:
        st.info("There is no finished run yet.", icon=":material/info:")
        st.page_link(TRAIN, label="Train one", icon=":material/model_training:")
        return None
    champion = _champion_id()
    begin_with = (
        None
        if optional
        else next((one for one in (default, champion) if one in known), next(iter(known)))
    )

    def parse(text: str) -> str:
        if text in known:
            return text
        runs_room.check_id(text)
        raise RunNotFound(
            f"There is no finished run {text}; it may have been deleted or is still in training."
        )

    def forgiving(text: str) -> str:
        try:
            return parse(text)
        except RunNotFound as problem:
            instead = "" if begin_with is None else f" Showing {known[begin_with].name} instead."
            raise ValueError(f"{problem}{instead}") from problem

    state.follow(
        param,
        key,
        forgiving,
        begin_with,
        valid=lambda one: one in known or (optional and one is None),
    )
    chosen = st.selectbox(
        label,
        list(known),
        key=key,
        format_func=run_names.titles(known.values(), champion).get,
        index=None if optional else 0,
        placeholder="None",
    )
    if begin_with is not None:
        state.pin(param, begin_with)
    state.publish(param, key, None if chosen == begin_with else chosen)
    return known[chosen] if chosen is not None else None


def _champion_id() -> str:
    """The champion's id; nothing in a copy of the app without a network of its own."""
    try:
        return runs_room.champion().id
    except (RunNotFound, RunDamaged):
        return ""


def exists(path: str) -> bool:
    """Whether this copy of the app has the page."""
    return (settings.ROOT / path).exists()


def _offer(problem: AtelierError, *, urgent: bool) -> None:
    """Say what is missing, and offer the download (unless the fault is in the user's own folder)
    and the offline sample.
    """
    st.warning(str(problem), icon=":material/cloud_download:")
    where = dataset_room.status()
    helps = where.downloadable and not (
        isinstance(problem, DataDamaged) and where.origin == "ATELIER_DATA"
    )
    with st.container(horizontal=True):
        wants = helps and st.button(
            "Download Fashion-MNIST (31 MB)",
            key="frame_download",
            icon=":material/download:",
            type="primary" if urgent else "secondary",
        )
        if not state.session().use_sample:
            st.button(
                "Use the offline sample",
                key="frame_sample",
                on_click=state.use_sample,
                icon=":material/brush:",
            )
    if wants:
        bar = st.progress(0.0, "Asking the first source …")
        with errors(stop=False):
            dataset_room.download(
                lambda file, done, total: bar.progress(
                    min(done / max(total, 1), 1.0),
                    f"{file}: {done / 1e6:.1f} of {total / 1e6:.1f} MB",
                )
            )
            state.use_sample(False)
            st.rerun()


def _navigation() -> None:
    """Links to the pages that exist; the chosen run goes along between the pages that question one."""
    run = st.query_params.get("run")
    for path, label, icon in PAGES:
        if exists(path):
            st.page_link(
                path,
                label=label,
                icon=icon,
                query_params={"run": run} if run and path in (MISTAKES, MATRIX, NETWORK) else None,
            )


def _state() -> None:
    """Data, engine and runs in three lines."""
    with errors(stop=False):
        st.caption(
            f":material/database: {data_words()}  \n:material/memory: {cache.engine_sentence()}  \n"
            f":material/folder: {run_words()}"
        )


def data_words() -> str:
    """The state of the data in a few words."""
    if dataset_room.status().available:
        return "Fashion-MNIST is here"
    return "Offline sample in use" if state.session().use_sample else "Fashion-MNIST is missing"


def run_words() -> str:
    """The state of the run library in a few words."""
    own = [run for run in cache.runs() if not run.shipped]
    finished = sum(run.finished for run in own)
    words = f"{finished} run{'' if finished == 1 else 's'} of your own"
    return words + (f", {len(own) - finished} unfinished" if finished < len(own) else "")
