"""What all visitors share: data, networks, predictions, the list of runs, the engine's handle.

Bounded, and nothing personal. Only caching happens here; what is cached is computed in `core/`.

Every key says where a thing came from (a folder, a run's version), so that a replaced run or
another folder is never answered from an old entry. Arrays are shared by reference and read-only,
since many visitors look at the same ones.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import settings
from core.data import fashion_mnist
from core.errors import EngineUnavailable
from core.runs import EpochPredictions, Predictions, Run, library, storage

# What only some pages need is imported when it is asked for, so that the first page opens sooner.
if TYPE_CHECKING:
    from core import inference
    from core.engine import Calculation, Engine
    from core.evaluation.watched import Watched
    from core.experiments import summary
    from core.explain import activations, embedding_map
    from core.explain.closer_look import CloserLook, Split
    from core.specs.spec import TrainSpec
    from core.training.gradient_check import GradientCheck
    from core.training.range_test import RangeTest

MAX_CALCULATIONS = 16  # of each kind
K = TypeVar("K")
V = TypeVar("V")
CheckKey = tuple[str, str, float, int]  # preset, data, step, weights: what identifies a check


def dataset(name: str = "fashion-mnist") -> fashion_mnist.Dataset:
    """The named data, opened once for everybody.

    Raises:
        DataUnavailable, DataDamaged: as `core.data.fashion_mnist.load` does; a failure is not kept.
    """
    folder = str(fashion_mnist.status().folder) if name == "fashion-mnist" else "generated"
    return _open_dataset(name, folder)


@st.cache_resource(max_entries=3, show_spinner="Loading the pictures …")
def _open_dataset(name: str, folder: str) -> fashion_mnist.Dataset:
    data = fashion_mnist.load(name)
    _freeze(data.train_pixels, data.train_labels, data.test_pixels, data.test_labels)
    return data


def runs() -> list[Run]:
    """All runs of the library, newest first, at most two seconds old.

    Call `forget_runs` after changing one.
    """
    return _scan(settings.runs_address(), _period()).runs


def damaged_runs() -> list[library.DamagedRun]:
    """The folders of the library that are no longer what Atelier wrote, from the same look."""
    return _scan(settings.runs_address(), _period()).damaged


def _period() -> int:
    """The number of the present two seconds.

    With a `ttl` of its own an entry could expire between Streamlit's two looks at it, and the page
    would end in a KeyError.
    """
    return int(time.monotonic() // 2)


@st.cache_resource(max_entries=2, show_spinner=False)
def _scan(address: str, period: int) -> library.Scan:
    return library.scan()


def forget_runs() -> None:
    """Have the run library read again by whoever asks next, and the engine be asked again."""
    _scan.clear()
    _describe_engine.clear()


def network(run_id: str) -> inference.Network:
    """The run's exported network, loaded once.

    Raises:
        RunNotFound, RunDamaged: if there is none to load.
    """
    return _load_network(settings.runs_address(), run_id, storage.version(run_id))


@st.cache_resource(max_entries=4, show_spinner="Loading the network …")
def _load_network(address: str, run_id: str, version: str) -> inference.Network:
    from core import inference

    return inference.load(run_id)


def inside(run_id: str) -> activations.Inside:
    """The run's network with every layer as an output, loaded once.

    Raises:
        RunNotFound, RunDamaged: if its layers cannot be computed.
    """
    return _load_inside(settings.runs_address(), run_id, storage.version(run_id))


@st.cache_resource(max_entries=3, show_spinner="Loading the network …")
def _load_inside(address: str, run_id: str, version: str) -> activations.Inside:
    from core.explain import activations

    return activations.load(run_id, network(run_id))


def test_points(run_id: str, data_name: str) -> embedding_map.MappedPictures:
    """Test pictures and where they lie on a run's map by PCA.

    Raises:
        RunNotFound, RunDamaged, DataUnavailable, DataDamaged: if network or data cannot be opened.
    """
    return _map_pictures(settings.runs_address(), run_id, storage.version(run_id), data_name)


@st.cache_resource(max_entries=3, show_spinner="The network is looking at the test pictures …")
def _map_pictures(
    address: str, run_id: str, version: str, data_name: str
) -> embedding_map.MappedPictures:
    from core.explain import embedding_map

    points = embedding_map.map_test_pictures(run_id, network(run_id), dataset(data_name))
    _freeze(points.indices, points.plane.positions)
    return points


def picture_sheet(data_name: str) -> bytes:
    """The test pictures on a map as one WebP, encoded once for everybody.

    Raises:
        DataUnavailable, DataDamaged: if the data cannot be opened.
    """
    return _encode_sheet(data_name, dataset(data_name).fingerprint)


@st.cache_resource(max_entries=2, show_spinner=False)
def _encode_sheet(data_name: str, fingerprint: str) -> bytes:
    from core.explain import embedding_map

    return embedding_map.sheet(dataset(data_name))


@st.cache_resource(max_entries=1, show_spinner="The network is looking at the test pictures …")
def test_embeddings(run_id: str, data_name: str, key: str) -> NDArray[np.float32]:
    """The embeddings of the pictures on a run's map, float32 `(n, d)`: seconds for a large network.

    Args:
        key: that of `test_points`, which changes with the network.
    """
    points = test_points(run_id, data_name)
    embeddings = network(run_id).embeddings(dataset(data_name).test_pixels[points.indices])
    _freeze(embeddings)
    return embeddings


def test_predictions(run_id: str) -> Predictions:
    """The run's predictions on the test pictures, in dataset order.

    Raises:
        RunNotFound, RunDamaged: if they cannot be read.
    """
    return _load_test(settings.runs_address(), run_id, storage.version(run_id))


@st.cache_resource(max_entries=16, show_spinner=False)
def _load_test(address: str, run_id: str, version: str) -> Predictions:
    predictions = library.test_predictions(run_id)
    _freeze(predictions.probabilities, predictions.labels)
    return predictions


def validation_predictions(run_id: str, epoch: int) -> EpochPredictions:
    """The run's predictions on its validation pictures after `epoch` (1-based).

    Raises:
        RunNotFound, RunDamaged: if they cannot be read.
    """
    return _load_validation(settings.runs_address(), run_id, storage.version(run_id), epoch)


@st.cache_resource(max_entries=128, show_spinner=False)
def _load_validation(address: str, run_id: str, version: str, epoch: int) -> EpochPredictions:
    predictions = library.validation_predictions(run_id, epoch)
    _freeze(predictions.prediction, predictions.confidence, predictions.labels, predictions.indices)
    return predictions


def watched_pictures(run_id: str, data_name: str, on_test: bool) -> Watched:
    """The validation pictures that a run's training is watched by, chosen once.

    Args:
        on_test: whether it validates on the test pictures.

    Raises:
        RunNotFound, RunDamaged, DataUnavailable, DataDamaged: if run or data cannot be opened.
    """
    fingerprint = dataset(data_name).fingerprint
    return _choose_watched(settings.runs_address(), run_id, data_name, on_test, fingerprint)


@st.cache_resource(max_entries=32, show_spinner="Choosing pictures to watch …")
def _choose_watched(
    address: str, run_id: str, data_name: str, on_test: bool, fingerprint: str
) -> Watched:
    from core.evaluation import watched

    indices, labels = library.validation_pictures(run_id)
    places = watched.candidates(len(indices))
    data = dataset(data_name)
    pixels = (data.test_pixels if on_test else data.train_pixels)[indices[places]]
    chosen = watched.choose(network(storage.SHIPPED).probabilities(pixels), labels[places])
    return watched.Watched(places[chosen.positions], chosen.hard)


def look_closer(run_id: str, data_name: str, split: Split, index: int) -> CloserLook:
    """What a run's network says about one picture of the named data, computed once.

    Raises:
        RunNotFound, RunDamaged, DataUnavailable, DataDamaged: if network or data cannot be opened.
    """
    address, version = settings.runs_address(), storage.version(run_id)
    return _look_closer(address, run_id, version, data_name, split, index)


@st.cache_resource(max_entries=128, show_spinner=False)
def _look_closer(
    address: str, run_id: str, version: str, data_name: str, split: Split, index: int
) -> CloserLook:
    from core.explain import closer_look

    return closer_look.look_closer(
        network(run_id), library.read(run_id), dataset(data_name), split, index
    )


def outside_picture(name: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """A held-out picture that a report names, as people and as networks see it, opened once.

    See `core.outside.measured.open_picture`.

    Raises:
        UnreadablePicture: if a folder that the settings name holds no such pictures.
    """
    folders = tuple(settings.people_folders().items())
    return _open_outside(name, settings.photographs_folder(), folders)


@st.cache_resource(max_entries=64, show_spinner=False)
def _open_outside(
    name: str,
    photographs: Path | None,
    folders: tuple[tuple[settings.PeopleSource, Path], ...],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    from core.outside import measured

    opened = measured.open_picture(name, photographs, dict(folders))
    if opened is not None:
        _freeze(*opened)
    return opened


def figures(run: Run) -> summary.Figures:
    """A finished run's row in a comparison, read once: only its name can change.

    Raises:
        RunDamaged: if its history cannot be read.
    """
    return _read_figures(settings.runs_address(), run.id, run.name, run)


@st.cache_resource(max_entries=2000, show_spinner=False)
def _read_figures(address: str, run_id: str, name: str, _run: Run) -> summary.Figures:
    from core.experiments import summary

    return summary.of_run(_run)


def f1(row: summary.Figures) -> tuple[float, ...]:
    """F1 of each class for a row of a comparison, as shares in 0..1.

    Empty where a baseline gave no answers.

    Raises:
        RunNotFound, RunDamaged: if they cannot be read.
    """
    if row.network:
        return _read_f1(settings.runs_address(), row.id, storage.version(row.id))
    from core.experiments import baselines

    baselines_id, _, position = row.id.rpartition(".")
    result = baselines.read(baselines_id).results[int(position)]
    return result.f1 if result else ()


@st.cache_resource(max_entries=1000, show_spinner=False)
def _read_f1(address: str, run_id: str, version: str) -> tuple[float, ...]:
    from core.experiments import summary

    return summary.f1_of_run(run_id)


@st.cache_resource(show_spinner=False)
def gradient_checks() -> dict[CheckKey, Calculation[GradientCheck]]:
    """The gradient checks that were asked of an engine, shared by everybody."""
    return {}


@st.cache_resource(show_spinner=False)
def range_tests() -> dict[TrainSpec, Calculation[RangeTest]]:
    """The learning-rate range tests that were asked of an engine, shared by everybody."""
    return {}


def keep(known: dict[K, V], key: K, calculation: V) -> None:
    """Keep a calculation for everybody who asks for the same one; the oldest goes when there are
    many. `known` is `gradient_checks()` or `range_tests()`.
    """
    known[key] = calculation
    while len(known) > MAX_CALCULATIONS:
        del known[next(iter(known))]


def forget(known: dict[K, V], key: K) -> None:
    """Have a calculation made again the next time somebody asks for the same one."""
    known.pop(key, None)


def engine() -> Engine:
    """The engine, started if there is none; a dead one is replaced. Cheap to call at every run.

    Raises:
        EngineUnavailable: if none can be reached or started.
    """
    from core.engine import connect

    return connect(start=True)


def engine_sentence() -> str:
    """The engine's state in a few words, at most three seconds old; never starts one."""
    return _describe_engine(settings.engine_address(), str(settings.home()))


@st.cache_data(ttl=3, max_entries=4, show_spinner=False)
def _describe_engine(address: str | None, home: str) -> str:
    idle = "Training engine: idle"
    if address is None and not (Path(home) / "engine.json").exists():
        return idle  # the first training starts one
    from core.engine import connect

    try:
        status = connect(start=False, timeout=2).status()
    except EngineUnavailable:
        return "Training engine: cannot be reached" if address else idle
    if not status.running and not status.waiting:
        return idle
    queued = f", {status.waiting} queued" if status.waiting else ""
    return f"{status.running} run{'' if status.running == 1 else 's'} training{queued}"


def _freeze(*arrays: NDArray[Any]) -> None:
    """Make shared arrays read-only, so that no visitor can change them for the others."""
    for array in arrays:
        array.setflags(write=False)
