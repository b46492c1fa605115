"""Keras's networks and weights as bytes, and as ONNX: Keras writes and reads files, the run library
bytes.

One idea: whatever backend trained, TensorFlow writes the ONNX file, so that its names are always
the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from core import settings
from core.networks import architectures
from core.specs.spec import TrainSpec


def network_bytes(network: keras.Model) -> bytes:
    """A network as Keras saves it, `model.keras`."""
    return _saved(network.save, "model.keras")


def network_from(saved: bytes) -> keras.Model:
    """The network that `network_bytes` saved."""
    return _loaded(saved, "model.keras", lambda path: keras.saving.load_model(path, compile=False))


def weights_bytes(model: keras.Model) -> bytes:
    """A model's weights, and those of its optimiser if it is compiled."""
    return _saved(model.save_weights, "x.weights.h5")


def load_weights(model: keras.Model, saved: bytes) -> None:
    """Put what `weights_bytes` saved into a model of the same build."""
    _loaded(saved, "x.weights.h5", model.load_weights)


def onnx_bytes(network: keras.Model, spec: TrainSpec) -> bytes:
    """A plain network as ONNX, with three named outputs: probabilities, embedding and feature map.

    Raises:
        RuntimeError: with what TensorFlow said, if another backend trained and TensorFlow could not
            export.
    """
    if keras.backend.backend() == "tensorflow":
        return _saved(lambda path: _export(network, spec, path), "model.onnx")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "model.keras").write_bytes(network_bytes(network))
        Path(folder, "spec.json").write_text(json.dumps(spec.to_dict()), encoding="utf-8")
        code = "import sys; from core.networks import keras_files; keras_files.export_folder(sys.argv[1])"
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
    """Write `model.onnx` beside the `model.keras` and `spec.json` of a folder."""
    place = Path(folder)
    spec = TrainSpec.from_dict(json.loads((place / "spec.json").read_text(encoding="utf-8")))
    _export(network_from((place / "model.keras").read_bytes()), spec, str(place / "model.onnx"))


def _export(network: keras.Model, spec: TrainSpec, path: str) -> None:
    layers = architectures.blueprint(spec)
    outputs = {
        "probabilities": network.output,
        "embedding": network.get_layer(architectures.embedding_name(layers)).output,
        "features": network.get_layer(architectures.features_name(layers)).output,
    }
    exported = keras.Model(network.input, outputs)
    # Keras exports only what was called.
    exported(np.zeros((1, *network.input_shape[1:]), np.float32))
    exported.export(path, format="onnx", verbose=False)


def _saved(write: Callable[[str], None], name: str) -> bytes:
    """What `write` puts into a file, as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(str(path))
        return path.read_bytes()


def _loaded(data: bytes, name: str, read: Callable[[Path], object]):
    """What `read` makes of a file with these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return read(path)
