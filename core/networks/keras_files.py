"""Keras's networks and weights as bytes, and as ONNX.

Keras reads and writes files, the run library bytes; this module stands between the two. The ONNX
file is always written by TensorFlow, whatever backend trained, so that its names are always the
same. Where the bytes are kept is up to `core.runs`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from core import settings
from core.networks import architectures
from core.specs.spec import TrainSpec

T = TypeVar("T")


def network_bytes(network: keras.Model) -> bytes:
    """A network as Keras saves it, `model.keras`."""
    return _saved(network.save, "model.keras")


def network_from(saved: bytes) -> keras.Model:
    """The network that `network_bytes` saved."""
    return _loaded(saved, "model.keras", lambda path: keras.saving.load_model(path, compile=False))


def weights_bytes(model: keras.Model) -> bytes:
    """A model's weights, and the state of its optimiser if it is compiled."""
    return _saved(model.save_weights, "x.weights.h5")


def load_weights(model: keras.Model, saved: bytes) -> None:
    """Put what `weights_bytes` saved into a model of the same build."""
    _loaded(saved, "x.weights.h5", model.load_weights)


def onnx_bytes(network: keras.Model, spec: TrainSpec) -> bytes:
    """A plain network as ONNX, with three named outputs: probabilities, embedding and features.

    Args:
        network: as `architectures.build` returns it when it is not for training.
        spec: what it was built from.

    Raises:
        RuntimeError: with TensorFlow's own words, if another backend trained and TensorFlow could
            not export.
    """
    if keras.backend.backend() == "tensorflow":
        return _saved(lambda path: _export(network, spec, path), "model.onnx")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "model.keras").write_bytes(network_bytes(network))
        Path(folder, "spec.json").write_text(json.dumps(spec.to_dict()), encoding="utf-8")
        code = (
            "import sys; from core.networks import keras_files; "
            "keras_files.export_folder(sys.argv[1])"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, folder],
            cwd=settings.ROOT,
            check=False,
            env=os.environ | {"KERAS_BACKEND": "tensorflow"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"TensorFlow could not export the network:\n{done.stderr}")
        return Path(folder, "model.onnx").read_bytes()


def export_folder(folder: str) -> None:
    """Write `model.onnx` next to the `model.keras` and `spec.json` of a folder."""
    path = Path(folder)
    spec = TrainSpec.from_dict(json.loads((path / "spec.json").read_text(encoding="utf-8")))
    _export(network_from((path / "model.keras").read_bytes()), spec, str(path / "model.onnx"))


def _export(network: keras.Model, spec: TrainSpec, path: str) -> None:
    """Write a network as ONNX with its three named outputs."""
    layers = architectures.blueprint(spec)
    outputs = {
        "probabilities": network.output,
        "embedding": network.get_layer(architectures.embedding_name(layers)).output,
        "features": network.get_layer(architectures.features_name(layers)).output,
    }
    exported = keras.Model(network.input, outputs)
    # Keras exports only a model that was called once.
    exported(np.zeros((1, *network.input_shape[1:]), np.float32))
    exported.export(path, format="onnx", verbose=False)


def _saved(write: Callable[[str], None], name: str) -> bytes:
    """What `write` puts into a file, as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(str(path))
        return path.read_bytes()


def _loaded(data: bytes, name: str, read: Callable[[Path], T]) -> T:
    """What `read` makes of a file with these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return read(path)
