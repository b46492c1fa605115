"""Every test has folders of its own and cannot touch the user's; real data only where they were
named.
"""

from __future__ import annotations

import os

import pytest

REAL_DATA = os.environ.get("ATELIER_DATA")


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """Point Atelier at empty folders, at no engine and at no data."""
    monkeypatch.setenv("ATELIER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ATELIER_RUNS", str(tmp_path / "runs"))
    for name in ("ATELIER_DATA", "ATELIER_PHOTOS", "ATELIER_ENGINE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def fashion_mnist(monkeypatch):
    """The official data, where the machine has them."""
    if not REAL_DATA or not os.path.isdir(REAL_DATA):
        pytest.skip("ATELIER_DATA does not name the Fashion-MNIST files")
    monkeypatch.setenv("ATELIER_DATA", os.path.abspath(REAL_DATA))
    return REAL_DATA
