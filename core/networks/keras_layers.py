"""Layers that compute what Keras's do, in fewer passes over memory, while a network trains.

Keras puts batch normalisation together from a dozen small operations and their gradients; on a
processor each of them reads and writes the whole batch. TensorFlow and PyTorch have one kernel for
all of it. Networks are trained with that one and saved with Keras's own layer, which holds the same
numbers; on any other backend the two are the same.
"""

from __future__ import annotations

import re
from pathlib import Path

import keras
from keras import ops


def convolution_dtype(precision: str) -> str:
    """The dtype policy of convolutions while training, for a spec's precision; "auto" asks the
    processor or the graphics card.
    """
    half = precision == "bfloat16" or (precision == "auto" and _calculates_bfloat16())
    return "mixed_bfloat16" if half else "float32"


def _calculates_bfloat16() -> bool:
    """Whether 16-bit products are instructions here; on a processor without them they are emulated,
    and slow.
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


class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` over the last of four axes, with the backend's fused kernel
    in training steps.
    """

    def call(self, inputs, training=None, mask=None):
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
    """Batch normalisation by the averages that it came with, in training steps too; its scale and
    offset learn.

    Source: Keras's guide to transfer learning and fine-tuning, section "Important notes about
    BatchNormalization layer".
    """

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=False, mask=mask)


def _tensorflow(inputs, scale, offset, epsilon: float):
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


def _torch(inputs, scale, offset, epsilon: float):
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
