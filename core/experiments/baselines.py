"""Classical methods beside the networks: what is asked for, what is kept, and the process that
computes it.

One idea: a baseline learns from the very pictures that a network's split gives it, as 784 grey
values in 0..1 or as the first principal components of them, and is judged on the same validation
and test pictures. Methods whose time grows faster than the number of pictures learn from a random
part of them, so that each ends within minutes on one core; the part is kept with the result.

A process of its own computes (`baseline_process`), at the lowest priority, one at a time in a home;
it outlives the app, and what it has finished is on disk. This module fits nothing and imports no
scikit-learn.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from core import processes, settings
from core.errors import AtelierError, InvalidSpec, RunDamaged, RunNotFound, StorageProblem
from core.experiments import records
from core.labels import SIDE
from core.specs.spec import TrainSpec

KIND = "baselines"
PIXELS = SIDE * SIDE
STOP_SECONDS = 10.0


class BaselinesBusy(AtelierError):
    """Other baselines are being computed."""


@dataclass(frozen=True)
class Method:
    """A classical method; `pictures` is from how many it learns at most."""

    name: str
    title: str
    pictures: int
    settings: str


METHODS: dict[str, Method] = {
    one.name: one
    for one in (
        Method("logistic", "Logistic regression", 60_000, "C = 0.1"),
        Method("neighbours", "k-nearest neighbours", 60_000, "k = 5, Euclidean distance"),
        Method(
            "linear-svm", "Linear support vector machine", 20_000, "C = 0.01, one against the rest"
        ),
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
    """One fit: a method, and how many principal components it sees; 0 for the grey values
    themselves.
    """

    method: str
    components: int = 0

    @property
    def title(self) -> str:
        return METHODS[self.method].title + (f", PCA {self.components}" if self.components else "")


@dataclass(frozen=True)
class Result:
    """What a fit gave, or `problem`, why it gave nothing. Accuracies and F1 are shares in 0..1.

    Attributes:
        pictures: how many it learnt from.
        seconds: wall time of fit and answers together.
        validation_accuracy: None where the split keeps nothing back.
        f1: ten, in label order, on the test pictures.
    """

    pictures: int = 0
    seconds: float = 0.0
    test_accuracy: float | None = None
    validation_accuracy: float | None = None
    f1: tuple[float, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Baselines:
    """Baselines on the split of a spec; `results` are as many as `wanted`, None for what is not
    done.

    `variance` is the share of the variance that each of the 784 principal components of the
    training pictures holds, largest first; empty until it is known.
    """

    id: str
    name: str
    created: str
    spec: TrainSpec
    wanted: tuple[Fit, ...]
    results: tuple[Result | None, ...]
    variance: tuple[float, ...] = ()

    @property
    def done(self) -> int:
        return sum(result is not None for result in self.results)


@dataclass(frozen=True)
class FitProgress:
    """What the process is at: the fit `at` of these baselines, since so many seconds; -1 while it
    opens the data.
    """

    id: str
    at: int
    seconds: float


def create(spec: TrainSpec, methods: tuple[str, ...], components: tuple[int, ...]) -> Baselines:
    """Write the record of what is wanted; nothing is computed yet.

    Args:
        spec: its data, validation and seed decide the split.
        methods: names in `METHODS`, at least one.
        components: for each method, with how many principal components; 0 for none.

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
            f"Principal components: a number from 1 to {PIXELS}, or 0 for the grey values themselves."
        )
    wanted = tuple(
        Fit(method, number)
        for method in dict.fromkeys(methods)
        for number in dict.fromkeys(components)
    )
    created = datetime.fromtimestamp(time.time(), UTC)
    slug = re.sub(r"[^a-z0-9]+", "-", spec.name.lower()).strip("-")[:20] or "split"
    made = Baselines(
        f"{created:%Y%m%d-%H%M%S}-baselines-{slug}-{secrets.token_hex(2)}",
        f"Split of {spec.name}",
        created.isoformat(timespec="seconds"),
        spec,
        wanted,
        (None,) * len(wanted),
    )
    records.write_record(
        made.id,
        {
            "schema": records.SCHEMA,
            "id": made.id,
            "kind": KIND,
            "name": made.name,
            "created": made.created,
            "base": spec.to_dict(),
            "wanted": [asdict(one) for one in wanted],
        },
    )
    return made


def read(baselines_id: str) -> Baselines:
    """Baselines, done or not.

    Raises:
        RunNotFound: if there are none with this id.
        RunDamaged: if a file is not what Atelier wrote.
    """
    values = records.read_record(baselines_id)
    if values is None or values.get("kind") != KIND:
        raise RunNotFound(
            f"There are no baselines {baselines_id}; they may have been deleted. Choose others from the list."
        )
    found = records.read_record(f"{baselines_id}.results") or {}
    try:
        wanted = tuple(
            Fit(str(one["method"]), int(one["components"])) for one in values["wanted"]
        )
        if any(one.method not in METHODS for one in wanted):
            raise ValueError("an unknown method")
        given = found.get("results", {})
        results = tuple(_result(given.get(str(place))) for place in range(len(wanted)))
        return Baselines(
            baselines_id,
            str(values["name"]),
            str(values["created"]),
            TrainSpec.from_dict(values["base"]),
            wanted,
            results,
            tuple(float(share) for share in found.get("variance", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError, InvalidSpec) as error:
        raise RunDamaged(
            f"The record of the baselines {baselines_id} is not what Atelier writes ({error}); someone may have edited it. "
            "Delete them and compute them again."
        ) from error


def list_all() -> list[Baselines]:
    """All baselines that can be read, newest first."""
    found = []
    for one in records.record_ids():
        try:
            found.append(read(one))
        except (RunNotFound, RunDamaged):
            continue  # a sweep, or one whose own page says what is wrong with it
    return found


def keep(baselines: Baselines) -> None:
    """Write the results so far, whole or not at all; the process does."""
    records.write_record(
        f"{baselines.id}.results",
        {
            "variance": [round(share, 8) for share in baselines.variance],
            "results": {
                str(place): asdict(result)
                for place, result in enumerate(baselines.results)
                if result is not None
            },
        },
    )


# --- the process ------------------------------------------------------------------------------------------------------


def start(baselines_id: str) -> None:
    """Let a process compute what is not done yet; nothing happens where one is at it already.

    Raises:
        BaselinesBusy: if it is at other baselines.
        StorageProblem: if the home cannot be written to.
    """
    now = working()
    if now is not None:
        if now.id == baselines_id:
            return
        raise BaselinesBusy(
            "Other baselines are being computed. Stop them, or wait until they are done."
        )
    try:
        settings.home().mkdir(parents=True, exist_ok=True)
        # Left by one that was killed; its process id may be anybody's by now.
        _status_file().unlink(missing_ok=True)
        child = processes.spawn(
            "core.experiments.baseline_process",
            baselines_id,
            log=log_file(),
            environment={**os.environ, **settings.worker_environment(True), **processes.ONE_CORE},
        )
    except OSError as error:
        raise StorageProblem(
            f"Baselines cannot be computed: {settings.home()} cannot be written ({error.strerror or error}). Name "
            "another folder with ATELIER_HOME."
        ) from error
    deadline = time.monotonic() + STOP_SECONDS
    while working() is None and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)


def working() -> FitProgress | None:
    """What the process of this home is at, None where there is none."""
    if not processes.held(lock_file()):
        return None
    try:
        values = json.loads(_status_file().read_text())
        return FitProgress(
            str(values["id"]), int(values["at"]), max(0.0, time.time() - float(values["since"]))
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it is being written in this moment


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
    """Put down what this process, the holder of the lock, is computing, for whoever asks."""
    processes.write_whole(
        _status_file(),
        json.dumps(
            {"id": baselines_id, "at": at, "pid": os.getpid(), "since": time.time()}
        ).encode(),
    )


def lock_file() -> Path:
    """Held by the process for as long as it lives."""
    return settings.home() / "baselines.lock"


def log_file() -> Path:
    """What the process prints."""
    return settings.home() / "baselines.log"


def _status_file() -> Path:
    return settings.home() / "baselines.json"


def _result(values: dict | None) -> Result | None:
    if values is None:
        return None
    return Result(
        int(values["pictures"]),
        float(values["seconds"]),
        values["test_accuracy"],
        values["validation_accuracy"],
        tuple(float(share) for share in values["f1"]),
        str(values["problem"]),
    )
