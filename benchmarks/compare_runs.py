"""How long the comparison of runs takes with a large library: the list, a row for each, F1 of some,
and the whole page.

    python -m benchmarks.compare_runs [--runs 300] [--chosen 10] [--rounds 5]

The runs are made up: finished ones with a history of ten epochs and predictions on the test
pictures (of the real data if they are on this machine, otherwise of the offline sample). The page
is timed without a browser, from the request to its last element, cold (nothing in the app's caches)
and again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from benchmarks.report import Row, conditions, say, table
from benchmarks.synthetic_run import write_run
from benchmarks.workplace import workplace
from core import runs
from core.data import fashion_mnist
from core.experiments import summary
from core.settings import ROOT
from core.specs.spec import TrainSpec

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

TARGET = 1.0  # seconds, for list and comparison of 300 runs
EPOCHS = 10
LIST = "the list of all runs"

T = TypeVar("T")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], prog="python -m benchmarks.compare_runs"
    )
    parser.add_argument("--runs", type=int, default=300, help="finished runs in the library")
    parser.add_argument(
        "--chosen", type=int, default=10, help="runs that are compared in the charts"
    )
    parser.add_argument("--rounds", type=int, default=5, help="times that everything is timed")
    chosen = parser.parse_args(arguments)
    with workplace() as place:
        data = fashion_mnist.load(place.data_name)
        conditions(
            "Comparison of runs",
            "streamlit",
            "numpy",
            data=place.words,
            library=f"{chosen.runs} finished runs of {EPOCHS} epochs, "
            f"{len(data.test_labels):,} predictions each",
        )
        say(f"making {chosen.runs} runs")
        made = [finished_run(data, number) for number in range(chosen.runs)]
        timed: dict[str, list[float]] = {}
        for number in range(chosen.rounds):
            say(f"round {number + 1} of {chosen.rounds}")
            time_round(made[: chosen.chosen], timed)
    both = [
        sum(values) for values in zip(timed[LIST], timed["a row of figures for each"], strict=True)
    ]
    rows = [
        Row(what, values, "s", TARGET if what == "the page, again" else None)
        for what, values in timed.items()
    ]
    table(
        f"{chosen.runs} runs, {chosen.chosen} of them compared",
        [*rows[:2], Row("list and rows together", both, "s", TARGET), *rows[2:]],
    )
    return 0


def time_round(compared: list[str], timed: dict[str, list[float]]) -> None:
    """Time everything once.

    Args:
        compared: ids of the runs that are compared in the charts.
        timed: seconds by what was timed, to which these are added.
    """

    def clock(what: str, act: Callable[[], T]) -> T:
        began = time.perf_counter()
        result = act()
        timed.setdefault(what, []).append(time.perf_counter() - began)
        return result

    listed = clock(LIST, runs.list_runs)
    clock(
        "a row of figures for each",
        lambda: [summary.of_run(run) for run in listed if not run.shipped],
    )
    clock(
        f"F1 by class of {len(compared)}",
        lambda: [summary.f1_of_run(run_id) for run_id in compared],
    )
    app = clock("the page, cold", lambda: open_page(compared))
    clock("the page, again", app.run)


def finished_run(data: fashion_mnist.Dataset, number: int) -> str:
    """A run that claims to be finished, whose predictions are correct seven times in ten."""
    rng = np.random.default_rng(number)
    guess = np.where(
        rng.random(len(data.test_labels)) < 0.7,
        data.test_labels,
        rng.integers(0, 10, len(data.test_labels)),
    )
    probabilities = np.full((len(guess), 10), 0.02, np.float32)
    probabilities[np.arange(len(guess)), guess] = 0.82
    spec = TrainSpec(name=f"run {number}", data=data.name, filters=(8,), epochs=EPOCHS, seed=number)
    return write_run(spec, probabilities, data.test_labels, data=data)


def open_page(compared: list[str]) -> AppTest:
    """The page with these runs compared, opened by the first visitor of an app that has just
    started.
    """
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    st.cache_resource.clear()
    st.cache_data.clear()
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    app.switch_page("pages/5_Experiments.py")
    app.query_params.update({"view": "compare", "runs": ",".join(compared)})
    app.run()
    if app.exception:
        raise RuntimeError(str(app.exception))
    return app


if __name__ == "__main__":
    sys.exit(main())
