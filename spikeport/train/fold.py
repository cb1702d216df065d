"""Batch norm and the neuron's gain, folded into weight and bias.

w' = gain * gamma / sqrt(var + eps) * w;   b' = gain * (gamma * (b - mean) / sqrt(var + eps) + beta)
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.train.synapses import AnyBatchNorm, Synapse, channels_of
from spikeport.train.tdbn import ThresholdBatchNorm


@dataclass(frozen=True, eq=False)
class Folded:
    """Weight in the synapse's shape and bias `(channels,)`."""

    weight: Tensor
    bias: Tensor

    def double(self) -> "Folded":
        return Folded(self.weight.double(), self.bias.double())


@dataclass(frozen=True, eq=False)
class Running:
    """The running statistics of a norm, `(channels,)` each."""

    mean: Tensor
    rstd: Tensor
    scale: Tensor
    """gamma * rstd."""


def fold(synapse: Synapse, norm: AnyBatchNorm | None, gain: Tensor) -> Folded:
    """Folds with the running statistics."""
    weight = synapse.weight
    bias = synapse.bias if synapse.bias is not None else weight.new_zeros(channels_of(synapse))
    if norm is None:
        return Folded(gain * weight, gain * bias)
    stats, (_, beta) = running(norm), norm_scale(norm)
    scaled = weight * synapse.per_weight(stats.scale)
    return Folded(gain * scaled, gain * (stats.scale * (bias - stats.mean) + beta))


def norm_scale(norm: AnyBatchNorm) -> tuple[Tensor, Tensor]:
    """gamma, with the threshold in it of a norm that has one, and beta; `(channels,)`."""
    assert norm.running_mean is not None
    gamma = norm.weight if norm.weight is not None else torch.ones_like(norm.running_mean)
    beta = norm.bias if norm.bias is not None else torch.zeros_like(norm.running_mean)
    return (gamma * norm.factor if isinstance(norm, ThresholdBatchNorm) else gamma), beta


def running(norm: AnyBatchNorm) -> Running:
    assert norm.running_mean is not None and norm.running_var is not None
    rstd = torch.rsqrt(norm.running_var + norm.eps)
    return Running(norm.running_mean, rstd, norm_scale(norm)[0] * rstd)


def update_running(norm: AnyBatchNorm, mean: Tensor, var: Tensor, n: int) -> None:
    """As torch does: momentum, or the cumulative mean without one; the unbiased variance."""
    assert norm.running_mean is not None and norm.running_var is not None
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked += 1
    momentum = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean, momentum)
    norm.running_var.lerp_(var * (n / max(n - 1, 1)), momentum)
