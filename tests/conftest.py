"""Every test has folders of its own and cannot touch the user's; real data only where they were
named.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REAL_DATA = os.environ.get("ATELIER_DATA")
TESTS = Path(__file__).parent
# What starts an engine, trains a network, opens many pages or a browser, longest first. Marked
# `slow`; `make quick` does not even import them, since importing TensorFlow alone takes seconds.
SLOW = (
    "browser",
    "core/engine",
    "core/training",
    "core/networks/test_backbones.py",
    "core/networks/test_second_backend.py",
    "core/networks/test_keras_layers.py",
    "core/networks/test_architectures.py",
    "core/outside/test_auxiliary.py",
    "core/outside/test_report.py",
    "core/experiments/test_baselines.py",
    "core/experiments/test_series.py",
    "core/cli",
    "ui/experiments",
    "ui/train",
    "ui/network",
    "ui/classify",
    "test_pages.py",
    "benchmarks",
)


def slow_place(path: Path) -> int | None:
    """The place of a file or folder among the slow ones; None for a quick one."""
    matches = (n for n, name in enumerate(SLOW) if path.is_relative_to(TESTS / name))
    return next(matches, None)


def pytest_ignore_collect(collection_path, config):
    """Leave the slow files unopened where nobody asks for them."""
    quick = config.option.markexpr == "not slow"
    return True if quick and slow_place(collection_path) is not None else None


def pytest_collection_modifyitems(items):
    """Mark the slow ones, and begin with what takes longest."""
    for item in items:
        if slow_place(item.path) is not None:
            item.add_marker(pytest.mark.slow)
    items.sort(
        key=lambda item: len(SLOW) if slow_place(item.path) is None else slow_place(item.path)
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep the tests of a module in one process, and all browser tests: they share one server.

    Groups by mark (`--dist loadgroup`) would say the same, but pytest-xdist 3.8 writes them into an
    attribute that pytest 9.2 no longer reads.
    """
    from xdist.scheduler import LoadFileScheduling

    class ByModule(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return "browser" if nodeid.startswith("tests/browser/") else nodeid.split("::")[0]

    return ByModule(config, log)


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """Point Atelier at empty folders, at no engine and at no data."""
    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ATELIER_RUNS", str(tmp_path / "runs"))
    people = ("ATELIER_PHOTOS", "ATELIER_MORE_PHOTOS", "ATELIER_SKETCHES", "ATELIER_ICONS")
    monkeypatch.setenv("ATELIER_WARM", "no")  # looking at the Train page starts no engine
    for name in ("ATELIER_DATA", "ATELIER_ENGINE", *people):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def fashion_mnist(monkeypatch):
    """The official data, where the machine has them."""
    if not REAL_DATA or not os.path.isdir(REAL_DATA):
        pytest.skip("ATELIER_DATA does not name the Fashion-MNIST files")
    monkeypatch.setenv("ATELIER_DATA", os.path.abspath(REAL_DATA))
    return REAL_DATA
