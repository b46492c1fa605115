"""The checksum by which an engine of other sources is known."""

from __future__ import annotations

import shutil

import pytest

from core import settings
from core.engine import process

FOLDERS = sorted(
    path.parent.relative_to(settings.ROOT / "core").as_posix()
    for path in (settings.ROOT / "core").rglob("__init__.py")
)


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of core/ that may be changed."""
    shutil.copytree(
        settings.ROOT / "core", tmp_path / "core", ignore=shutil.ignore_patterns("__pycache__")
    )
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    return tmp_path / "core"


def test_a_copy_of_the_sources_has_the_same_checksum(copy, monkeypatch):
    copied = process.code_version()
    monkeypatch.undo()
    assert process.code_version() == copied


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_change_in_any_folder_of_core_changes_the_checksum(copy, folder):
    before = process.code_version()
    with (copy / folder / "__init__.py").open("a") as file:
        file.write("# changed\n")
    assert process.code_version() != before
