"""Ask a trained network: the ONNX file that a run exports, on ONNX Runtime.

A network is a function from pixels to three arrays: probabilities, embedding and feature map. They
are told apart by name, so that every architecture answers the same way, and only what is asked for
is computed. Each file is tried once with an empty picture when it is opened, so callers need not
check the answers of a `Network`.

Pictures of other sizes are prepared in `core.pictures`. Nothing is cached here; callers do that.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core import runs
from core.errors import RunDamaged
from core.labels import CLASS_NAMES, CLASSES, SIDE

OUTPUTS = ("probabilities", "embedding", "features")
# Measured with six convolutions of 32 to 128 filters: 64 pictures at a time are as fast as 256 and
# need 23 MB instead of 73.
BATCH = 64
# More only helps with large batches, and other visitors and a training want the processors too.
THREADS = 2
# Whatever the validation pictures say: below it, the other classes together are more probable.
LEAST_SURE = 0.5
SURE = 0.8  # the threshold where there were no validation pictures to find one on


@dataclass(frozen=True)
class Answer:
    """What a network says about `n` pictures.

    Attributes:
        probabilities: float32 `(n, 10)`, rows sum to 1.
        embedding: float32 `(n, d)`, the input of the last dense layer.
        features: float32 `(n, h, w, c)`, the last feature map.
    """

    probabilities: NDArray[np.float32]
    embedding: NDArray[np.float32]
    features: NDArray[np.float32]


class Port(Protocol):
    """An input or output of an ONNX network, as ONNX Runtime describes it."""

    name: str
    type: str
    shape: Sequence[int | str | None]


class Session(Protocol):
    """What is used of `onnxruntime.InferenceSession`, which has no types."""

    def run(
        self, names: list[str], feed: Mapping[str, NDArray[np.float32]], /
    ) -> list[NDArray[np.float32]]:
        """The named outputs for these inputs."""

    def get_inputs(self) -> list[Port]:
        """The network's inputs."""

    def get_outputs(self) -> list[Port]:
        """The network's outputs."""


def soften(probabilities: ArrayLike, temperature: float) -> NDArray[np.float32]:
    """Divide the scores behind probabilities by a temperature: above 1 confidence falls, below 1 it
    rises.

    The order of the classes stays. The softmax of `log p / T` equals that of `scores / T`, so the
    scores need not be kept.

    >>> soften([[0.9, 0.1]], 2.0).round(2)
    array([[0.75, 0.25]], dtype=float32)

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
    powers: NDArray[np.float64] = np.exp(scores - scores.max(axis=1, keepdims=True))
    softened: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return softened


class Network:
    """A trained network that answers; many visitors can share one.

    Args:
        onnx: the exported network: one float32 input `(n, 28, 28, 1)` in 0..255, and outputs named
            `probabilities` `(n, 10)`, `embedding` `(n, d)` and `features` `(n, h, w, c)`, in any
            order.
        temperature: see `soften`.
        sure_threshold: the least confidence, 0..1, with which an answer counts as sure; above 1, no
            answer does.
        sure_by_kind: the same for people's own pictures, by what they turned out to be
            (`core.pictures.KINDS`); where a kind is missing, `sure_threshold` holds.
        run_id: the run it belongs to, for messages.

    Raises:
        RunDamaged: if the bytes are not such a network.
    """

    classes = CLASS_NAMES

    def __init__(
        self,
        onnx: bytes,
        *,
        temperature: float = 1.0,
        sure_threshold: float = SURE,
        sure_by_kind: Mapping[str, float] | None = None,
        run_id: str = "",
    ) -> None:
        self.run_id = run_id
        self.temperature = temperature
        self.sure_threshold = sure_threshold
        self.sure_by_kind = dict(sure_by_kind or {})
        self._session = open_session(onnx, run_id)
        self._input = self._check_ports()
        self._shapes = self._try_once()

    def answer(self, pixels: NDArray[np.uint8]) -> Answer:
        """Say what a few pictures show, with embedding and feature map.

        Args:
            pixels: uint8 `(n, 28, 28)`, bright garment on black. A feature map takes up to about
                100 KB a picture; for thousands of pictures ask for `probabilities` or `embeddings`
                alone.

        Raises:
            ValueError: if the pixels have another shape or type.
        """
        probabilities, embedding, features = self._run(pixels, OUTPUTS)
        return Answer(soften(probabilities, self.temperature), embedding, features)

    def probabilities(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities of any number of pictures `(n, 28, 28)` uint8, as float32 `(n, 10)`."""
        return soften(self._run(pixels, OUTPUTS[:1])[0], self.temperature)

    def both_ways(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The mean of the probabilities of pictures and of their mirror images.

        For people's own pictures: a garment seen from behind or drawn the other way round is the
        same garment. Figures on the data set never use it.
        """
        straight = self.probabilities(pixels)
        mirrored = self.probabilities(np.asarray(pixels)[:, :, ::-1])
        return (straight + mirrored) / np.float32(2)

    def embeddings(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embeddings of any number of pictures `(n, 28, 28)` uint8, as float32 `(n, d)`."""
        return self._run(pixels, OUTPUTS[1:2])[0]

    def sure(self, probabilities: ArrayLike, kind: str | None = None) -> NDArray[np.bool_]:
        """Whether each answer `(n, 10)` is confident enough to name one class; bool `(n,)`.

        Args:
            kind: what the pictures turned out to be; None for pictures of the data set.
        """
        threshold = self.sure_by_kind.get(kind or "", self.sure_threshold)
        confidence = np.asarray(probabilities).max(axis=1)
        return np.asarray(confidence >= max(threshold, LEAST_SURE))

    def _run(self, pixels: NDArray[np.uint8], names: tuple[str, ...]) -> list[NDArray[np.float32]]:
        pixels = np.asarray(pixels)
        if pixels.ndim != 3 or pixels.shape[1:] != (SIDE, SIDE) or pixels.dtype != np.uint8:
            raise ValueError(
                f"Expected pixels (n, {SIDE}, {SIDE}) of type uint8, "
                f"received {pixels.shape} {pixels.dtype}."
            )
        results = [np.empty((len(pixels), *self._shapes[name]), np.float32) for name in names]
        for part in _batches(len(pixels)):
            batch = pixels[part, ..., None].astype(np.float32)
            outputs = self._session.run(list(names), {self._input: batch})
            for result, values in zip(results, outputs, strict=True):
                result[part] = values
        return results

    def _check_ports(self) -> str:
        """The input's name, once inputs and outputs are what they should be."""
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or not _takes_pictures(inputs[0]):
            received = ", ".join(f"{port.type} {port.shape}" for port in inputs) or "none"
            raise _damaged(
                self.run_id,
                f"takes pictures as one float input of {SIDE} x {SIDE} x 1 for any number of them; "
                f"its input is {received}",
            )
        missing = [name for name in OUTPUTS if name not in {port.name for port in outputs}]
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
            outputs = self._session.run(list(OUTPUTS), {self._input: blank})
        except Exception as error:  # ONNX Runtime's own errors have no common base
            raise _damaged(self.run_id, "answers two empty pictures; this one fails") from error
        dimensions = {"probabilities": 2, "embedding": 2, "features": 4}
        values = dict(zip(OUTPUTS, outputs, strict=True))
        for name, array in values.items():
            if (
                array.ndim != dimensions[name]
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
            answer.shape[1] != CLASSES
            or answer.min() < 0
            or np.abs(answer.sum(axis=1) - 1).max() > 1e-3
        ):
            raise _damaged(self.run_id, f"gives {CLASSES} probabilities that sum to 1")
        return {name: array.shape[1:] for name, array in values.items()}


def load(run_id: str) -> Network:
    """Open the network of a finished run, with the temperature and threshold of its record.

    Raises:
        RunNotFound: if there is no such run.
        RunDamaged: if its record or its network cannot be read, or it has none yet.
    """
    run = runs.read(run_id)
    onnx = runs.onnx_bytes(run_id)
    record = run.finished_record
    threshold = SURE if record.sure_threshold is None else record.sure_threshold
    return Network(
        onnx,
        temperature=record.temperature,
        sure_threshold=threshold,
        sure_by_kind=record.sure_by_kind,
        run_id=run_id,
    )


def open_session(onnx: bytes, run_id: str) -> Session:
    """An ONNX Runtime session as Atelier uses them: few threads, little memory.

    Raises:
        RunDamaged: if the bytes are not an ONNX file.
    """
    import onnxruntime  # 0.2 s, and not every page asks a network

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(THREADS, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    # Threads that wait in a loop would take the processor from the training; sleeping ones answer
    # 0.1 ms later.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena stays: without it the process grew by hundreds of MB, since the C library keeps what
    # is freed. Patterns go, which reserve memory for every new batch size: 46 MB less at 256
    # pictures.
    options.enable_mem_pattern = False
    options.log_severity_level = 4  # failures are raised; they need not be printed too
    try:
        session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base
        raise _damaged(
            run_id, f"is a file in ONNX format; these {len(onnx):,} bytes cannot be opened as one"
        ) from error
    return cast(Session, session)


def _takes_pictures(port: Port) -> bool:
    """Whether an input is float32 `(any number, 28, 28, 1)`; sides may be left open."""
    if port.type != "tensor(float)" or len(port.shape) != 4 or isinstance(port.shape[0], int):
        return False
    sides = zip(port.shape[1:], (SIDE, SIDE, 1), strict=True)
    return all(size == wanted for size, wanted in sides if isinstance(size, int))


def _batches(count: int) -> Iterator[slice]:
    return (slice(start, min(start + BATCH, count)) for start in range(0, count, BATCH))


def _damaged(run_id: str, requirement: str) -> RunDamaged:
    owner = f"the run {run_id}" if run_id else "this run"
    return RunDamaged(
        f"The network file of {owner} is not one that Atelier wrote. Such a network {requirement}. "
        "Restore model.onnx, or delete the run and train it again."
    )
