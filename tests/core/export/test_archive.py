"""Exports of finished runs: what they hold, and what they never replace."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from core.errors import StorageProblem
from core.export import archive
from tests.fixtures import finished_run


def test_an_exported_run_holds_its_record_and_its_network():
    run_id = finished_run(network=b"onnx")
    with zipfile.ZipFile(io.BytesIO(archive.export_zip(run_id))) as exported:
        assert json.loads(exported.read(f"{run_id}/run.json"))["id"] == run_id
        assert exported.read(f"{run_id}/model.onnx") == b"onnx"
        assert "Offline sample" in exported.read(f"{run_id}/CARD.md").decode()


def test_a_run_is_exported_to_a_folder_and_never_replaces_anything_but_a_run(tmp_path):
    run_id, target = finished_run(network=b"onnx"), tmp_path / "out"
    for _ in range(2):  # the second export replaces the first
        archive.export_folder(run_id, target)
        assert json.loads((target / "run.json").read_text())["id"] == run_id
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me")
    with pytest.raises(StorageProblem, match="left alone"):
        archive.export_folder(run_id, tmp_path / "mine")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "keep me"
