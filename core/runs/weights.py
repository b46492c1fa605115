"""The weights of a run, read from its saved network without Keras.

`model.keras` is a zip file with an HDF5 file in it, in which the group of every layer carries the
layer's name. Read with h5py they are plain arrays: the app's process can show filters, and rebuild
the network, without TensorFlow.

Which arrays a layer has depends on its kind: a convolution has kernel and bias, a normalisation
scale, offset, mean and variance. What a layer computes with them is in `core.explain`.
"""

from __future__ import annotations

import io
import zipfile

import numpy as np
from numpy.typing import NDArray

from core.errors import RunDamaged
from core.runs.storage import read_bytes

FILE = "model.keras"
Weights = dict[str, tuple[NDArray[np.float32], ...]]


def read(run_id: str) -> Weights:
    """All weights of a finished run.

    Returns:
        layer's name → its arrays in Keras's order, float32: kernel `(side, side, channels,
        filters)` or `(inputs, units)` and bias, or scale, offset, mean and variance `(channels,)`.
        Layers without weights are left out.

    Raises:
        RunDamaged: if the run has no saved network, or it cannot be read.
    """
    raw = read_bytes(run_id, FILE)
    if raw is None:
        raise RunDamaged(
            f"The run {run_id} has no {FILE}, so its layers cannot be shown. Choose another run, "
            f"or train it again."
        )
    return parse(raw, run_id)


def parse(raw: bytes, run_id: str) -> Weights:
    """The same from the bytes of a `model.keras`; `run_id` is for the sentence if it is none."""
    import h5py  # 0.15 s, and only pages that look inside a network need it

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            stored = archive.read("model.weights.h5")
        weights: Weights = {}
        with h5py.File(io.BytesIO(stored), "r") as file:
            for group in file["layers"].values():
                arrays = group["vars"]
                if len(arrays):
                    weights[str(arrays.attrs["name"])] = tuple(
                        np.asarray(arrays[str(number)], np.float32) for number in range(len(arrays))
                    )
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise RunDamaged(
            f"{FILE} of the run {run_id} cannot be read. Restore it, or choose another run."
        ) from error
    return weights
