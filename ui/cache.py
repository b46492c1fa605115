"""What all visitors share: data, networks, predictions, the list of runs, the engine's handle.
Bounded, nothing personal.

Every key carries where the thing came from (a folder, a run's version), so that a replaced run or
another folder is never answered from an old entry. Arrays come back by reference, made read-only:
many visitors look at the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core import runs as _runs_room
from core import settings
from core.data import fashion_mnist as _dataset_room
from core.errors import EngineUnavailable

MAX_CHECKS = 16


def dataset(name: str = "fashion-mnist") -> _dataset_room.Dataset:
    """The named data, opened once for everybody.

    Raises:
        DataUnavailable, DataDamaged: as `core.data.fashion_mnist.load` does; a failure is not kept.
    """
    folder = str(_dataset_room.status().folder) if name == "fashion-mnist" else "drawn"
    return _open_dataset(name, folder)


@st.cache_resource(max_entries=3, show_spinner="Opening the pictures …")
def _open_dataset(name: str, folder: str) -> _dataset_room.Dataset:
    found = _dataset_room.load(name)
    _freeze(found.train_pixels, found.train_labels, found.test_pixels, found.test_labels)
    return found


def runs() -> list[_runs_room.Run]:
    """All runs of the library, newest first, at most two seconds old; call `forget_runs` after
    changing one.
    """
    return _list_runs(settings.runs_address())


@st.cache_resource(ttl=2, max_entries=2, show_spinner=False)
def _list_runs(address: str) -> list[_runs_room.Run]:
    return _runs_room.list_runs()


def forget_runs() -> None:
    """Read the run library anew at the next call of `runs`."""
    _list_runs.clear()


def network(run_id: str):
    """The run's exported network (`core.inference.network.Network`), loaded once.

    Raises:
        RunNotFound, RunDamaged: if there is none to load.
    """
    return _load_network(settings.runs_address(), run_id, _runs_room.version(run_id))


@st.cache_resource(max_entries=4, show_spinner="Opening the network …")
def _load_network(address: str, run_id: str, version: str):
    from core import inference  # brings ONNX Runtime: only where a network is asked

    return inference.load(run_id)


def inside(run_id: str):
    """The run's network, opened to look inside (`core.explain.activations.Inside`), once for
    everybody.

    Raises:
        RunNotFound, RunDamaged: if it cannot be looked into.
    """
    return _look_inside(settings.runs_address(), run_id, _runs_room.version(run_id))


@st.cache_resource(max_entries=3, show_spinner="Opening the network …")
def _look_inside(address: str, run_id: str, version: str):
    from core.explain import activations as inside_room

    return inside_room.load(run_id, network(run_id))


@dataclass(frozen=True)
class PlacedPictures:
    """Test pictures as a network sees them.

    Attributes:
        indices: int `(n,)`, which test pictures.
        embeddings: float32 `(n, d)`.
        plane: their map by PCA (`core.explain.embedding_map.Plane`).
        key: the name of their map by t-SNE.
    """

    indices: np.ndarray
    embeddings: np.ndarray
    plane: Any
    key: str


def test_points(run_id: str, data_name: str) -> PlacedPictures:
    """Embeddings of test pictures, evenly spread over the test set, computed once: a second or two.

    Raises:
        RunNotFound, RunDamaged, DataUnavailable, DataDamaged: if network or data cannot be opened.
    """
    return _place_points(settings.runs_address(), run_id, _runs_room.version(run_id), data_name)


@st.cache_resource(max_entries=3, show_spinner="Asking the network about the test pictures …")
def _place_points(address: str, run_id: str, version: str, data_name: str) -> PlacedPictures:
    from core.explain import embedding_map

    data = dataset(data_name)
    indices = embedding_map.chosen(len(data.test_labels))
    embeddings = network(run_id).embeddings(data.test_pixels[indices])
    _freeze(indices, embeddings)
    return PlacedPictures(
        indices, embeddings, embedding_map.pca(embeddings), embedding_map.key_of(embeddings)
    )


def test_predictions(run_id: str) -> _runs_room.Predictions:
    """The run's answers on the test pictures, in dataset order.

    Raises:
        RunNotFound, RunDamaged: if they cannot be read.
    """
    return _load_test(settings.runs_address(), run_id, _runs_room.version(run_id))


@st.cache_resource(max_entries=16, show_spinner=False)
def _load_test(address: str, run_id: str, version: str) -> _runs_room.Predictions:
    found = _runs_room.test_predictions(run_id)
    _freeze(found.probabilities, found.labels)
    return found


def validation_predictions(run_id: str, epoch: int) -> _runs_room.EpochPredictions:
    """The run's answers on its validation pictures after `epoch` (1-based).

    Raises:
        RunNotFound, RunDamaged: if they cannot be read.
    """
    return _load_validation(settings.runs_address(), run_id, _runs_room.version(run_id), epoch)


@st.cache_resource(max_entries=128, show_spinner=False)
def _load_validation(
    address: str, run_id: str, version: str, epoch: int
) -> _runs_room.EpochPredictions:
    found = _runs_room.validation_predictions(run_id, epoch)
    _freeze(found.prediction, found.confidence, found.labels, found.indices)
    return found


@dataclass(frozen=True)
class CloserLook:
    """What a network says about one picture of the data.

    Attributes:
        probabilities: float `(10,)`.
        heat: float `(28, 28)`, how much the confidence falls when that part is hidden.
        neighbour_pixels: uint8 `(k, 28, 28)`, the nearest training pictures, nearest first.
        neighbour_labels, neighbour_indices, neighbour_similarities: `(k,)` each, the last at most
        1.
    """

    probabilities: np.ndarray
    heat: np.ndarray
    neighbour_pixels: np.ndarray
    neighbour_labels: np.ndarray
    neighbour_indices: np.ndarray
    neighbour_similarities: np.ndarray


def closer_look(
    run_id: str, data_name: str, split: str, index: int, neighbours: int = 8
) -> CloserLook:
    """Ask a run's network about one picture of the named data; `split` is "test" or "training".

    Raises:
        RunNotFound, RunDamaged, DataUnavailable, DataDamaged: if network or data cannot be opened.
    """
    return _look_closer(
        settings.runs_address(),
        run_id,
        _runs_room.version(run_id),
        data_name,
        split,
        index,
        neighbours,
    )


@st.cache_resource(max_entries=128, show_spinner=False)
def _look_closer(
    address: str, run_id: str, version: str, data_name: str, split: str, index: int, count: int
) -> CloserLook:
    from core.explain import attribution

    data, asked = dataset(data_name), network(run_id)
    pixels = (data.test_pixels if split == "test" else data.train_pixels)[index]
    answer = asked.answer(pixels[None])
    probabilities = answer.probabilities[0]
    heat = attribution.occlusion(asked, pixels, int(probabilities.argmax()))
    spare = 1 if split == "training" else 0  # a training picture is its own nearest neighbour
    near, alike = attribution.neighbours(
        asked, _runs_room.read(run_id), data, answer.embedding[0], count + spare
    )
    others = np.flatnonzero(near != index)[:count] if spare else slice(None)
    near, alike = near[others], alike[others]
    return CloserLook(
        probabilities, heat, data.train_pixels[near], data.train_labels[near], near, alike
    )


def outside_picture(name: str):
    """A held-out picture that a report names, as its owner sees it and as networks do.

    Returns:
        uint8 `(h, w, 3 or 4)`, at most 512 pixels on the longest edge, and uint8 `(28, 28)`; None
        where it cannot be had here.

    Raises:
        UnreadablePicture: if ATELIER_PHOTOS names a folder that holds no photographs.
    """
    return _open_outside(name, settings.photographs_folder())


@st.cache_resource(max_entries=64, show_spinner=False)
def _open_outside(name: str, photographs: Path | None) -> tuple[np.ndarray, np.ndarray] | None:
    from core.inference import answer
    from core.outside import measured

    found = measured.named(name, photographs)
    if found is None:
        return None
    image = found.open()
    brought, pixels = np.asarray(image), answer.prepare(image).pixels
    _freeze(brought, pixels)
    return brought, pixels


def figures(run: _runs_room.Run):
    """A finished run's line in a comparison (`core.experiments.summary.Figures`), read once: it
    never changes but for its name.

    Raises:
        RunDamaged: if its history cannot be read.
    """
    return _read_figures(settings.runs_address(), run.id, run.name, run)


@st.cache_resource(max_entries=2000, show_spinner=False)
def _read_figures(address: str, run_id: str, name: str, _run: _runs_room.Run):
    from core.experiments import summary

    return summary.of_run(_run)


def baseline_figures(found) -> list:
    """The lines of some baselines (`core.experiments.baselines.Baselines`) that are done."""
    from core.experiments import summary

    return summary.of_baselines(found)


def f1(line) -> tuple[float, ...]:
    """F1 of each class of a line in a comparison, as shares in 0..1; empty where there are no
    answers.

    Raises:
        RunNotFound, RunDamaged: if they cannot be read.
    """
    if not line.network:
        from core.experiments import baselines

        found, _, place = line.id.rpartition(".")
        return baselines.read(found).results[int(place)].f1
    return _read_f1(settings.runs_address(), line.id, _runs_room.version(line.id))


@st.cache_resource(max_entries=1000, show_spinner=False)
def _read_f1(address: str, run_id: str, version: str) -> tuple[float, ...]:
    from core.experiments import summary

    return summary.f1_of_run(run_id)


@st.cache_resource(show_spinner=False)
def gradient_checks() -> dict:
    """The gradient checks that were asked of an engine, by what was asked
    (`core.engine.client.Calculation`).
    """
    return {}


def ask_gradient_check(asked: tuple, calculation) -> None:
    """Keep a check for everybody who asks the same; the oldest goes when there are many."""
    known = gradient_checks()
    known[asked] = calculation
    while len(known) > MAX_CHECKS:
        del known[next(iter(known))]


def forget_gradient_check(asked: tuple) -> None:
    """Have the same check calculated anew when somebody asks."""
    gradient_checks().pop(asked, None)


def engine():
    """The engine (`core.engine.client.Engine`), started if there is none; a dead one is replaced.
    Cheap to call at every run.

    Raises:
        EngineUnavailable: if none can be reached or started.
    """
    # Brings Dask: only where somebody trains or looks at a training.
    from core import engine as engine_room

    return engine_room.connect(start=True)


def engine_sentence() -> str:
    """The engine's state in a few words for the sidebar, at most three seconds old; never starts
    one.
    """
    return _engine_sentence(settings.engine_address(), str(settings.home()))


@st.cache_data(ttl=3, max_entries=4, show_spinner=False)
def _engine_sentence(address: str | None, home: str) -> str:
    if address is None and not (settings.home() / "engine.json").exists():
        return "Engine starts with the first training"
    from core import engine as engine_room

    try:
        state = engine_room.connect(start=False, timeout=2).status()
    except EngineUnavailable:
        return "Engine cannot be reached" if address else "Engine starts with the next training"
    if state.running or state.waiting:
        return f"Training {state.running}" + (f", {state.waiting} waiting" if state.waiting else "")
    return "Engine ready"


def _freeze(*arrays: np.ndarray) -> None:
    """Shared arrays must not be changed by one visitor."""
    for array in arrays:
        array.setflags(write=False)
