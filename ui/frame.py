"""What every page begins with, and what it does when something is missing.

`begin` is a page's first call: title, navigation, the state of data, engine and runs. `errors` is
the one place where an error meant for people becomes a sentence; every other exception keeps its
traceback. `data_or_stop`, `data_for` and `choose_run` are guards that pages share.
"""

from __future__ import annotations

import ctypes
import functools
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import streamlit as st

from core import runs, settings, wording
from core.data import fashion_mnist
from core.data.fashion_mnist import Dataset
from core.errors import AtelierError, DataDamaged, DataUnavailable, RunDamaged, RunNotFound
from core.runs import Run
from ui import cache, state
from ui.components import charts, history, run_names, theme, touch, undo

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


def begin(title: str, sentence: str, *, icon: str, steady: Sequence[str] = ()) -> None:
    """Set up a page: tab title, heading with one sentence, navigation and state in the sidebar.

    Args:
        title: the page's name in sentence case.
        sentence: what one does here, in plain words.
        icon: a Material icon, such as `:material/draw:`, drawn before the heading. The tab has an
            image of our own, because Streamlit would fetch its icons from the internet.
        steady: parameters of the address whose change leaves the window where it is; see
            `history.keep`.
    """
    _share_memory()
    name = title if title == "Atelier" else f"{title} · Atelier"
    st.set_page_config(page_title=name, page_icon=settings.ASSETS / "icon.png", layout="wide")
    if st.query_params.get("text") == "bigger":
        state.session().bigger_text = True
    if st.query_params.get("data") == "sample":
        state.session().use_sample = True
    st.html(f"<style>{theme.style(bigger=state.session().bigger_text)}</style>")
    state.session().pinned.clear()
    with st.sidebar:
        _show_navigation()
        _choose_text_size()
        _show_state()
        touch.let_charts_scroll()
        history.keep(steady)
        charts.preload()
    st.title(f"{icon} {title}")
    st.caption(sentence)
    state.session().notices = st.container()
    with errors(stop=False):
        undo.show()


@functools.cache
def _share_memory() -> None:
    """Have the C library return freed memory, and share a few heaps among all visitors' threads."""
    if platform.libc_ver()[0] == "glibc":
        for option, value in _HEAP:
            ctypes.CDLL(None).mallopt(option, value)


@contextmanager
def errors(*, stop: bool = True) -> Iterator[None]:
    """Turn an error meant for people into its sentence on the page.

    Args:
        stop: end the page there; False for a part of a page that the rest does not need.
    """
    try:
        yield
    except AtelierError as problem:
        st.error(wording.sentence(str(problem)), icon=":material/error:")
        if stop:
            st.stop()


def data_or_stop(*, urgent: bool = True) -> Dataset:
    """Data to work with; where there are none, offer to get them and end the page.

    Fashion-MNIST, or the offline sample where that is missing and the visitor chose it; then a
    badge says so.

    Args:
        urgent: whether getting data is what the page is about now; False where something else comes
            first.
    """
    try:
        data = cache.dataset("fashion-mnist")
    except (DataUnavailable, DataDamaged) as problem:
        if not state.session().use_sample:
            _offer_data(problem, urgent=urgent, sample=True)
            st.stop()
        data = cache.dataset("offline-sample")
    sample_badge(data)
    return data


def data_for(name: str) -> Dataset | None:
    """The data that a run was measured on, or None after saying why they are missing and offering a
    remedy.

    The page continues without its pictures: a run's numbers are there even where its data are not.
    """
    try:
        return cache.dataset(name)
    except (DataUnavailable, DataDamaged) as problem:
        _offer_data(problem, urgent=True, sample=False)
    return None


def sample_badge(data: Dataset) -> None:
    """Say "offline sample" wherever it is used; nothing for the real data."""
    if data.is_sample:
        st.badge(
            "Offline sample",
            icon=":material/brush:",
            color="orange",
            help="Computer-generated garments, because Fashion-MNIST is not on this machine. "
            "Scores on them say nothing about the real data.",
        )


def choose_run(
    label: str, key: str, *, default: str | None = None, param: str = "run", optional: bool = False
) -> Run | None:
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
    known = _finished_runs(st.query_params.get(param))
    if not known:
        st.info("There is no finished run yet.", icon=":material/info:")
        st.page_link(TRAIN, label="Train one", icon=":material/model_training:")
        return None
    champion = _champion_id()
    candidates = (None,) if optional else (default, champion, next(iter(known)))
    begin_with = next((run_id for run_id in candidates if run_id in known), None)

    def parse(text: str) -> str | None:
        return _parse_run(text, known, begin_with)

    def valid(run_id: str | None) -> bool:
        return run_id in known or (optional and run_id is None)

    state.follow(param, key, parse, begin_with, valid)
    chosen = st.selectbox(
        label,
        list(known),
        key=key,
        format_func=run_names.titles(known.values(), champion).__getitem__,
        index=None if optional else 0,
        placeholder="None",
    )
    if begin_with is not None:
        state.pin(param, begin_with)
    state.publish(param, key, None if chosen == begin_with else chosen)
    return known[chosen] if chosen is not None else None


def _finished_runs(named: str | None) -> dict[str, Run]:
    """The finished runs by id; if `named` is not among them the library is read once more."""
    known = {run.id: run for run in cache.runs() if run.finished}
    if named is None or named in known:
        return known
    cache.forget_runs()  # it may have finished this moment
    return {run.id: run for run in cache.runs() if run.finished}


def _parse_run(text: str, known: Mapping[str, Run], begin_with: str | None) -> str:
    """The id of a known run.

    Raises:
        ValueError: for any other, saying which run is shown instead.
    """
    if text in known:
        return text
    try:
        runs.check_id(text)
        sentence = (
            f"There is no finished run {text}; it may have been deleted or is still being trained."
        )
    except RunNotFound as problem:
        sentence = str(problem)
    instead = "" if begin_with is None else f" Showing {known[begin_with].name} instead."
    raise ValueError(f"{sentence}{instead}")


def _champion_id() -> str:
    """The champion's id; empty in a copy of the app that came without a network."""
    try:
        return runs.champion().id
    except (RunNotFound, RunDamaged):
        return ""


def exists(path: str) -> bool:
    """Whether this copy of the app has the page."""
    return (settings.ROOT / path).exists()


def _offer_data(problem: AtelierError, *, urgent: bool, sample: bool) -> None:
    """Say what is missing; offer the download where that can help, and the offline sample where it
    can stand in (`sample`).

    A download cannot help where the fault is in the user's own folder, which is never written to.
    """
    st.warning(wording.sentence(str(problem)), icon=":material/cloud_download:")
    status = fashion_mnist.status()
    helps = status.downloadable and not (
        isinstance(problem, DataDamaged) and status.origin == "ATELIER_DATA"
    )
    with st.container(horizontal=True):
        wanted = helps and st.button(
            "Download Fashion-MNIST (31 MB)",
            key="frame_download",
            icon=":material/download:",
            type="primary" if urgent else "secondary",
        )
        if sample:
            st.button(
                "Use the offline sample",
                key="frame_sample",
                on_click=state.use_sample,
                icon=":material/brush:",
            )
    if wanted:
        _download()


def _download() -> None:
    """Download the data under a progress bar, then draw the page again."""
    bar = st.progress(0.0, "Contacting the first source …")

    def show_progress(file: str, done: int, total: int) -> None:
        bar.progress(
            min(done / max(total, 1), 1.0), f"{file}: {done / 1e6:.1f} of {total / 1e6:.1f} MB"
        )

    with errors(stop=False):
        try:
            fashion_mnist.download(show_progress)
        finally:
            bar.empty()
        state.use_sample(False)
        st.rerun()


def _show_navigation() -> None:
    """Links to the pages that exist; those about a run keep the run in the address."""
    run = st.query_params.get("run")
    session = state.session()
    kept = {"text": "bigger"} if session.bigger_text else {}
    if session.use_sample and not fashion_mnist.status().available:
        kept["data"] = "sample"
    for path, label, icon in PAGES:
        if exists(path):
            st.page_link(
                path,
                label=label,
                icon=icon,
                query_params=kept
                | ({"run": run} if run and path in (MISTAKES, MATRIX, NETWORK) else {}),
            )


def _choose_text_size() -> None:
    """The switch for text at 125 %; the address carries it, so that a link opens the same."""
    key, kept = "frame_bigger", state.session()
    st.session_state[key] = kept.bigger_text

    def change() -> None:
        kept.bigger_text = bool(st.session_state[key])
        state.put({"text": "bigger" if kept.bigger_text else None})

    st.toggle("Bigger text", key=key, on_change=change, help="125 %, for a projector.")


def _show_state() -> None:
    """Data, engine and runs in three lines."""
    with errors(stop=False):
        st.caption(
            f":material/database: {data_words()}  \n:material/memory: {cache.engine_sentence()}  \n"
            f":material/folder: {run_words()}"
        )


def data_words() -> str:
    """The state of the data in a few words."""
    if fashion_mnist.status().available:
        return "Fashion-MNIST is available"
    return "Offline sample in use" if state.session().use_sample else "Fashion-MNIST is missing"


def run_words() -> str:
    """The state of the run library in a few words."""
    own = [run for run in cache.runs() if not run.shipped]
    finished = sum(run.finished for run in own)
    words = f"{finished} finished run{'' if finished == 1 else 's'}"
    return words + (f", {len(own) - finished} unfinished" if finished < len(own) else "")
