"""Ask a trained network: a run's exported ONNX file on ONNX Runtime.

One idea: a network is a function from pixels to three arrays. They are told apart by name
(probabilities, embedding, feature map), so that any architecture answers the same way, and only
what is asked for is computed. Networks are tried once with an empty picture when they are opened:
whatever holds a `Network` need not check its answers.

It does not know pictures of other sizes (`picture` makes pixels of them), and keeps nothing: who
wants a network twice caches it.
"""

from __future__ import annotations

import math
import numbers
import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core import runs
from core.errors import RunDamaged
from core.labels import CLASS_NAMES, SIDE

OUTPUTS = ("probabilities", "embedding", "features")
# Measured with six convolutions of 32 to 128 filters: 64 pictures at a time are as fast as 256 and
# need 23 MB instead of 73.
BATCH = 64
# More only helps with large batches, and other visitors and a training want the processors too.
THREADS = 2
# Whatever the validation pictures say: below, the other classes together are likelier.
LEAST_SURE = 0.5
SURE = 0.8  # where no validation pictures could tell from which confidence on a network is right


@dataclass(frozen=True)
class Answer:
    """What a network says of `n` pictures.

    Attributes:
        probabilities: float32 `(n, 10)`, rows sum to 1.
        embedding: float32 `(n, d)`, the input of the last dense layer.
        features: float32 `(n, h, w, c)`, the last feature map.
    """

    probabilities: np.ndarray
    embedding: np.ndarray
    features: np.ndarray


def soften(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Divide the scores behind probabilities by a temperature; above 1 confidence falls, below 1 it
    rises.

    The order of the classes stays. The softmax of `log p / T` equals that of `scores / T`, so the
    scores need not be kept.

    Args:
        probabilities: float `(n, 10)`, rows sum to 1.
        temperature: above 0; 1 changes nothing.

    Returns:
        float32 `(n, 10)`, rows sum to 1.

    Source: Guo et al., On calibration of modern neural networks, arXiv 1706.04599, section 4.2.
    """
    if temperature == 1.0:
        return np.asarray(probabilities, np.float32)
    scores = np.log(np.maximum(np.asarray(probabilities, np.float64), 1e-45)) / temperature
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


class Network:
    """A trained network that answers, safe to be shared by many visitors at once.

    Args:
        onnx: the exported network: one float32 input `(n, 28, 28, 1)` in 0..255, and outputs named
            `probabilities` `(n, 10)`, `embedding` `(n, d)` and `features` `(n, h, w, c)`, in any
            order.
        temperature: see `soften`.
        sure_threshold: the confidence in 0..1 from which on an answer counts as sure; above 1, none
            does.
        run_id: the run it belongs to, for messages.

    Raises:
        RunDamaged: if the bytes are no such network.
    """

    classes = CLASS_NAMES

    def __init__(
        self,
        onnx: bytes,
        *,
        temperature: float = 1.0,
        sure_threshold: float = SURE,
        run_id: str = "",
    ):
        self.run_id = run_id
        self.temperature = _number(temperature, "temperature", run_id)
        self.sure_threshold = _number(sure_threshold, "sure_threshold", run_id)
        self._session = open_session(onnx, run_id)
        self._input = self._check_borders()
        self._shapes = self._try_once()

    def answer(self, pixels: np.ndarray) -> Answer:
        """Say what a few pictures show, with embedding and feature map.

        Args:
            pixels: uint8 `(n, 28, 28)`, bright garment on black. Feature maps take up to some 100
                KB a picture; for thousands of pictures ask for `probabilities` or `embeddings`
                alone.

        Raises:
            ValueError: if the pixels have another shape or type.
        """
        probabilities, embedding, features = self._run(pixels, OUTPUTS)
        return Answer(soften(probabilities, self.temperature), embedding, features)

    def probabilities(self, pixels: np.ndarray) -> np.ndarray:
        """Probabilities of any number of pictures `(n, 28, 28)` uint8, as float32 `(n, 10)`."""
        return soften(self._run(pixels, OUTPUTS[:1])[0], self.temperature)

    def both_ways(self, pixels: np.ndarray) -> np.ndarray:
        """The mean of the probabilities of pictures and of their mirror images, as `probabilities`
        gives them.

        For pictures that people bring: a garment seen from behind or drawn the other way round is
        the same garment. Figures of the data set never use it.
        """
        return (self.probabilities(pixels) + self.probabilities(np.asarray(pixels)[:, :, ::-1])) / 2

    def embeddings(self, pixels: np.ndarray) -> np.ndarray:
        """Embeddings of any number of pictures `(n, 28, 28)` uint8, as float32 `(n, d)`."""
        return self._run(pixels, OUTPUTS[1:2])[0]

    def sure(self, probabilities: np.ndarray) -> np.ndarray:
        """Whether each answer `(n, 10)` is confident enough to be shown without a question mark;
        bool `(n,)`.
        """
        return np.asarray(probabilities).max(axis=1) >= max(self.sure_threshold, LEAST_SURE)

    def _run(self, pixels: np.ndarray, names: tuple[str, ...]) -> list[np.ndarray]:
        pixels = np.asarray(pixels)
        if pixels.ndim != 3 or pixels.shape[1:] != (SIDE, SIDE) or pixels.dtype != np.uint8:
            raise ValueError(
                f"Expected pixels (n, {SIDE}, {SIDE}) of type uint8, received {pixels.shape} {pixels.dtype}."
            )
        results = [np.empty((len(pixels), *self._shapes[name]), np.float32) for name in names]
        for part in _parts(len(pixels)):
            batch = pixels[part, ..., None].astype(np.float32)
            for result, values in zip(
                results, self._session.run(list(names), {self._input: batch}), strict=True
            ):
                result[part] = values
        return results

    def _check_borders(self) -> str:
        """The input's name, once inputs and outputs are what they should be."""
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        shape = inputs[0].shape if len(inputs) == 1 else None
        if (
            shape is None
            or inputs[0].type != "tensor(float)"
            or len(shape) != 4
            or isinstance(shape[0], int)
            or any(
                isinstance(size, int) and size != want
                for size, want in zip(shape[1:], (SIDE, SIDE, 1), strict=True)
            )
        ):
            found = ", ".join(f"{one.type} {one.shape}" for one in inputs) or "none"
            raise _damaged(
                self.run_id,
                f"takes pictures as one float input of {SIDE} x {SIDE} x 1 for any number of them; "
                f"its input is {found}",
            )
        missing = [name for name in OUTPUTS if name not in {one.name for one in outputs}]
        if missing:
            raise _damaged(
                self.run_id,
                f"has outputs named {', '.join(OUTPUTS)}; {', '.join(missing)} cannot be found",
            )
        return inputs[0].name

    def _try_once(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the outputs for one picture, from an answer to two empty ones."""
        blank = np.zeros((2, SIDE, SIDE, 1), np.float32)
        try:
            values = dict(
                zip(OUTPUTS, self._session.run(list(OUTPUTS), {self._input: blank}), strict=True)
            )
        except Exception as error:  # ONNX Runtime's own errors have no common base
            raise _damaged(self.run_id, "answers two empty pictures; this one fails") from error
        wanted = {"probabilities": 2, "embedding": 2, "features": 4}
        for name, array in values.items():
            if (
                array.ndim != wanted[name]
                or len(array) != 2
                or array.dtype != np.float32
                or not np.isfinite(array).all()
            ):
                raise _damaged(
                    self.run_id,
                    f"gives finite numbers as {name}; these are {array.dtype} {array.shape}",
                )
        answer = values["probabilities"]
        if (
            answer.shape[1] != len(CLASS_NAMES)
            or answer.min() < 0
            or np.abs(answer.sum(axis=1) - 1).max() > 1e-3
        ):
            raise _damaged(self.run_id, f"gives {len(CLASS_NAMES)} probabilities that sum to 1")
        return {name: array.shape[1:] for name, array in values.items()}


def load(run_id: str) -> Network:
    """Open the network of a finished run, with the temperature and threshold that its record names.

    Raises:
        RunNotFound: if there is no such run.
        RunDamaged: if its record or its network cannot be read.
    """
    record = runs.read(run_id).record
    temperature, threshold = record.get("temperature"), record.get("sure_threshold")
    return Network(
        runs.onnx_bytes(run_id),
        temperature=1.0 if temperature is None else temperature,
        sure_threshold=SURE if threshold is None else threshold,
        run_id=run_id,
    )


def open_session(onnx: bytes, run_id: str):
    """An ONNX Runtime session as Atelier uses them: few threads, little memory.

    Raises:
        RunDamaged: if the bytes are no ONNX file.
    """
    import onnxruntime  # 0.2 s, and not every page asks a network

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(THREADS, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    # Threads that wait in a loop would take the processor from the training; sleeping ones answer
    # 0.1 ms later.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena stays: without it the process grew by hundreds of MB, since the C library keeps what
    # is freed. Patterns, which reserve memory for every batch size anew, go: 46 MB less at 256
    # pictures.
    options.enable_mem_pattern = False
    options.log_severity_level = 4  # failures are raised; they need not be printed too
    try:
        return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base
        raise _damaged(
            run_id, f"is a file in ONNX format; these {len(onnx):,} bytes cannot be opened as one"
        ) from error


def _parts(n: int) -> Iterator[slice]:
    return (slice(start, min(start + BATCH, n)) for start in range(0, n, BATCH))


def _number(value: object, name: str, run_id: str) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, numbers.Real)
        or not math.isfinite(value)
        or value <= 0
    ):
        raise RunDamaged(
            f"The {name} in the record of {_whose(run_id)} should be a number above 0; received {value!r}. "
            "Restore the record or delete the run."
        )
    return float(value)


def _damaged(run_id: str, should: str) -> RunDamaged:
    return RunDamaged(
        f"The network file of {_whose(run_id)} is not one that Atelier wrote. Such a network {should}. "
        "Restore model.onnx, or delete the run and train it again."
    )


def _whose(run_id: str) -> str:
    return f"the run {run_id}" if run_id else "this run"
