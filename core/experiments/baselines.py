"""Classical methods to compare networks with: what was asked for, what was computed, and by whom.

A baseline learns from the very pictures that a network's split gives it, as 784 grey values in 0..1
or as their first principal components, and is judged on the same validation and test pictures.
Methods whose time grows faster than the number of pictures learn from a random part of them, so
that each finishes within minutes on one core; how many they were is kept with the result.

A process of its own computes (`baseline_process`), at the lowest priority, one at a time in a home;
it outlives the app, and what it has finished is on disk. Nothing is fitted here, and scikit-learn
is not imported.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core import processes, settings
from core.errors import AtelierError, InvalidSpec, RunDamaged, RunNotFound, StorageProblem
from core.experiments import records
from core.labels import SIDE
from core.runs.storage import new_id, now
from core.specs.spec import TrainSpec

KIND = "baselines"
PIXELS = SIDE * SIDE
STOP_SECONDS = 10.0


class BaselinesBusy(AtelierError):
    """Other baselines are being computed."""


@dataclass(frozen=True)
class Method:
    """A classical method; `pictures` is how many it learns from at most."""

    name: str
    title: str
    pictures: int
    settings: str


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method("logistic", "Logistic regression", 60_000, "C = 0.1"),
        Method("neighbours", "k-nearest neighbours", 60_000, "k = 5, Euclidean distance"),
        Method("linear-svm", "Linear support vector machine", 20_000, "C = 0.01, one-vs-rest"),
        Method(
            "rbf-svm",
            "RBF support vector machine",
            20_000,
            "C = 10, gamma = 1 / (features × variance)",
        ),
        Method("forest", "Random forest", 60_000, "100 trees"),
        Method(
            "boosting",
            "Gradient boosting",
            20_000,
            "60 rounds of histogram trees, learning rate 0.2",
        ),
    )
}


@dataclass(frozen=True)
class Fit:
    """One fit: a method, and how many principal components it sees (0: the grey values)."""

    method: str
    components: int = 0

    @property
    def title(self) -> str:
        """What it is called in lists and charts."""
        return METHODS[self.method].title + (f", PCA {self.components}" if self.components else "")


@dataclass(frozen=True)
class FitResult:
    """The result of a fit, or the `problem` because of which there is none.

    Attributes:
        pictures: how many it learned from.
        seconds: wall time of fitting and predicting together.
        test_accuracy: a share in 0..1, like all accuracies and F1.
        validation_accuracy: None if the split holds nothing out.
        f1: of the ten classes in label order, on the test pictures.
    """

    pictures: int = 0
    seconds: float = 0.0
    test_accuracy: float | None = None
    validation_accuracy: float | None = None
    f1: tuple[float, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Baselines:
    """Baselines on the split of a spec.

    Attributes:
        results: one for each of `wanted`, None if it is not done yet.
        variance: the share of the variance that each of the 784 principal components of the
            training pictures explains, largest first; empty until it is known.
    """

    id: str
    name: str
    created: str
    spec: TrainSpec
    wanted: tuple[Fit, ...]
    results: tuple[FitResult | None, ...]
    variance: tuple[float, ...] = ()

    @property
    def done(self) -> int:
        """How many fits have a result, or a problem."""
        return sum(result is not None for result in self.results)


@dataclass(frozen=True)
class FitProgress:
    """What the process is doing: fit number `at` of these baselines, for so many seconds.

    `at` is -1 while it opens the data.
    """

    id: str
    at: int
    seconds: float


# --- records --------------------------------------------------------------------------------------


def create(spec: TrainSpec, methods: tuple[str, ...], components: tuple[int, ...]) -> Baselines:
    """Write the record of the wanted fits; nothing is computed yet.

    Args:
        spec: its data, validation and seed decide the split.
        methods: names in `METHODS`, at least one.
        components: how many principal components each method is fitted with; 0 for the grey values.

    Raises:
        InvalidSpec: for an unknown method, or a number of components outside 0..784.
        StorageProblem: if the record cannot be written.
    """
    unknown = [name for name in methods if name not in METHODS]
    if unknown or not methods:
        raise InvalidSpec(
            f"Choose at least one of the methods {', '.join(METHODS)}"
            + (f"; there is no {unknown[0]!r}." if unknown else ".")
        )
    if not components or any(not 0 <= number <= PIXELS for number in components):
        raise InvalidSpec(
            f"Principal components must be numbers from 1 to {PIXELS}, or 0 for the grey values "
            f"themselves."
        )
    wanted = tuple(
        Fit(method, number)
        for method in dict.fromkeys(methods)
        for number in dict.fromkeys(components)
    )
    created = Baselines(
        new_id(spec.name, "split", KIND),
        f"Split of {spec.name}",
        now(),
        spec,
        wanted,
        (None,) * len(wanted),
    )
    records.write_record(
        created.id,
        {
            "schema": records.SCHEMA,
            "id": created.id,
            "kind": KIND,
            "name": created.name,
            "created": created.created,
            "base": spec.to_dict(),
            "wanted": [asdict(fit) for fit in wanted],
        },
    )
    return created


def read(baselines_id: str) -> Baselines:
    """Baselines, done or not.

    Raises:
        RunNotFound: if there are none with this id.
        RunDamaged: if a file is not what Atelier wrote.
    """
    values = records.read_record(baselines_id)
    if values is None or values.get("kind") != KIND:
        raise RunNotFound(
            f"There are no baselines {baselines_id}; they may have been deleted. Choose others "
            f"from the list."
        )
    computed = records.read_record(f"{baselines_id}.results") or {}
    try:
        wanted = tuple(Fit(str(fit["method"]), int(fit["components"])) for fit in values["wanted"])
        if any(fit.method not in METHODS for fit in wanted):
            raise ValueError("an unknown method")
        by_number = computed.get("results", {})
        return Baselines(
            baselines_id,
            str(values["name"]),
            str(values["created"]),
            TrainSpec.from_dict(values["base"]),
            wanted,
            tuple(_result(by_number.get(str(number))) for number in range(len(wanted))),
            tuple(float(share) for share in computed.get("variance", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError, InvalidSpec) as error:
        raise RunDamaged(
            f"The record of the baselines {baselines_id} is not what Atelier writes ({error}); "
            f"someone may have edited it. Delete them and compute them again."
        ) from error


def _result(values: Mapping[str, Any] | None) -> FitResult | None:
    if values is None:
        return None
    return FitResult(
        int(values["pictures"]),
        float(values["seconds"]),
        values["test_accuracy"],
        values["validation_accuracy"],
        tuple(float(share) for share in values["f1"]),
        str(values["problem"]),
    )


def list_all() -> list[Baselines]:
    """All baselines that can be read, newest first."""
    baselines = []
    for record_id in records.record_ids():
        try:
            baselines.append(read(record_id))
        except (RunNotFound, RunDamaged):
            continue  # an experiment, or one whose own page says what is wrong with it
    return baselines


def keep(baselines: Baselines) -> None:
    """Write the results so far, whole or not at all; only the process does this.

    Raises:
        StorageProblem: if they cannot be written.
    """
    records.write_record(
        f"{baselines.id}.results",
        {
            "variance": [round(share, 8) for share in baselines.variance],
            "results": {
                str(number): asdict(result)
                for number, result in enumerate(baselines.results)
                if result is not None
            },
        },
    )


# --- the process ----------------------------------------------------------------------------------


def start(baselines_id: str) -> None:
    """Let a process compute what is not done yet; does nothing if one is doing so already.

    Raises:
        BaselinesBusy: if it is computing other baselines.
        StorageProblem: if the home cannot be written.
    """
    progress = working()
    if progress is not None:
        if progress.id == baselines_id:
            return
        raise BaselinesBusy(
            "Other baselines are being computed. Stop them, or wait until they are done."
        )
    try:
        settings.home().mkdir(parents=True, exist_ok=True)
        # Left by one that was killed; its process id may belong to any process by now.
        _status_file().unlink(missing_ok=True)
        child = processes.spawn(
            "core.experiments.baseline_process",
            baselines_id,
            log=log_file(),
            environment={**os.environ, **settings.worker_environment(True), **processes.ONE_CORE},
        )
    except OSError as error:
        raise StorageProblem(
            f"Baselines cannot be computed: {settings.home()} cannot be written "
            f"({error.strerror or error}). Name another folder with ATELIER_HOME."
        ) from error
    deadline = time.monotonic() + STOP_SECONDS
    while working() is None and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)


def working() -> FitProgress | None:
    """What the process of this home is doing; None if there is none."""
    if not processes.held(lock_file()):
        return None
    try:
        values = json.loads(_status_file().read_text())
        return FitProgress(
            str(values["id"]), int(values["at"]), max(0.0, time.time() - float(values["since"]))
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it has only just begun


def stop() -> bool:
    """End the process of this home; what it finished is kept.

    Returns:
        whether there was one.
    """
    if not processes.held(lock_file()):
        return False
    try:
        os.kill(int(json.loads(_status_file().read_text())["pid"]), signal.SIGTERM)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    deadline = time.monotonic() + STOP_SECONDS
    while processes.held(lock_file()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return True


def write_status(baselines_id: str, at: int) -> None:
    """Write down what this process, which holds the lock, is computing; `working` reads it."""
    processes.write_whole(
        _status_file(),
        json.dumps(
            {"id": baselines_id, "at": at, "pid": os.getpid(), "since": time.time()}
        ).encode(),
    )


def lock_file() -> Path:
    """The file that the process keeps locked for as long as it lives."""
    return settings.home() / "baselines.lock"


def log_file() -> Path:
    """What the process prints."""
    return settings.home() / "baselines.log"


def _status_file() -> Path:
    return settings.home() / "baselines.json"
