"""Layers that compute what Keras's do, in fewer passes over memory, while a network trains.

Keras composes batch normalisation of a dozen small operations and their gradients; on a processor
each of them reads and writes the whole batch. TensorFlow and PyTorch have one kernel for all of it.
Networks are trained with that one and saved with Keras's own layer, which holds the same numbers;
on any other backend the two are the same.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import keras
from keras import ops

from core.specs.fields import Precision

if TYPE_CHECKING:
    import tensorflow
    import torch


def convolution_dtype(precision: Precision) -> str:
    """The dtype policy of convolutions while training.

    "auto" asks whether the processor or a graphics card calculates in bfloat16.
    """
    half = precision == "bfloat16" or (precision == "auto" and _calculates_bfloat16())
    return "mixed_bfloat16" if half else "float32"


def _calculates_bfloat16() -> bool:
    """Whether this machine has instructions for 16-bit products.

    A processor without them emulates them, slowly.
    """
    if any(
        device.startswith(("gpu", "cuda", "tpu"))
        for device in map(str.lower, keras.distribution.list_devices())
    ):
        return True
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False  # not Linux: no simple way to know
    return bool(re.search(r"\b(avx512_bf16|amx_bf16)\b", flags))


# Checkpoints name layers by their class, so the names of these two must stay.
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch normalisation, with the backend's fused kernel in training steps.

    The kernel normalises over the last of four axes; any other input takes Keras's own way.
    """

    def call(
        self,
        inputs: keras.KerasTensor,
        training: bool | None = None,
        mask: keras.KerasTensor | None = None,
    ) -> keras.KerasTensor:
        """Normalise `(n, h, w, c)`, and update the running averages while training."""
        fused = _FUSED.get(keras.backend.backend())
        if fused is None or not training or not self.trainable or len(inputs.shape) != 4:
            return super().call(inputs, training=training, mask=mask)
        values, mean, variance = fused(
            inputs,
            ops.convert_to_tensor(self.gamma),
            ops.convert_to_tensor(self.beta),
            self.epsilon,
        )
        count = ops.cast(ops.size(inputs) / inputs.shape[-1], "float32")
        variance = variance * (count - 1.0) / count  # the kernels divide by one less, Keras by all
        for kept, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            kept.assign(kept * self.momentum + ops.stop_gradient(now) * (1.0 - self.momentum))
        return values


class SettledNormalization(keras.layers.BatchNormalization):
    """Batch normalisation by pretrained averages, even in training steps.

    Its scale and offset still learn. Source: Keras's guide to transfer learning and fine-tuning,
    section "Important notes about BatchNormalization layer".
    """

    def call(
        self,
        inputs: keras.KerasTensor,
        training: bool | None = None,
        mask: keras.KerasTensor | None = None,
    ) -> keras.KerasTensor:
        """Normalise by the averages as they are, whatever `training` says."""
        return super().call(inputs, training=False, mask=mask)


def _tensorflow(
    inputs: tensorflow.Tensor,
    scale: tensorflow.Tensor,
    offset: tensorflow.Tensor,
    epsilon: float,
) -> tuple[tensorflow.Tensor, tensorflow.Tensor, tensorflow.Tensor]:
    """Values normalised by their batch, with its mean and variance; `_torch` does the same."""
    import tensorflow as tf

    values, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=scale,
        offset=offset,
        mean=tf.zeros([0]),
        variance=tf.zeros([0]),
        epsilon=epsilon,
        is_training=True,
    )
    return values, mean, variance


def _torch(
    inputs: torch.Tensor, scale: torch.Tensor, offset: torch.Tensor, epsilon: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    import torch

    mean, variance = torch.zeros_like(scale), torch.ones_like(scale)
    values = torch.nn.functional.batch_norm(
        inputs.permute(0, 3, 1, 2),
        mean,
        variance,
        scale,
        offset,
        training=True,
        momentum=1.0,
        eps=epsilon,
    )
    return values.permute(0, 2, 3, 1), mean, variance


_FUSED = {"tensorflow": _tensorflow, "torch": _torch}
