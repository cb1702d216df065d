"""Batch norm and the neuron's gain, folded into weight and bias.

w' = gain * gamma / sqrt(var + eps) * w;   b' = gain * (gamma * (b - mean) / sqrt(var + eps) + beta)
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from spikeport.train.synapses import Synapse, channels_of


@dataclass(frozen=True, eq=False)
class Folded:
    """Weight in the synapse's shape and bias `(channels,)`."""

    weight: Tensor
    bias: Tensor

    def double(self) -> "Folded":
        return Folded(self.weight.double(), self.bias.double())


def fold(
    synapse: Synapse, norm: nn.BatchNorm1d | nn.BatchNorm2d | None, gain: Tensor, batch: Tensor | None = None
) -> Folded:
    """Folds with the running statistics, or with those of `batch`, which then update the running ones.

    Args:
        batch: The synapse's input, time merged into the first axis; given in training mode.
    """
    weight = synapse.weight
    bias = synapse.bias if synapse.bias is not None else weight.new_zeros(channels_of(synapse))
    if norm is None:
        return Folded(gain * weight, gain * bias)
    mean, var = _running(norm) if batch is None else _of_batch(synapse, norm, batch)
    gamma = norm.weight if norm.weight is not None else torch.ones_like(mean)
    beta = norm.bias if norm.bias is not None else torch.zeros_like(mean)
    scale = gamma * torch.rsqrt(var + norm.eps)
    return Folded(gain * synapse.scaled(weight, scale), gain * (scale * (bias - mean) + beta))


def _running(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    assert norm.running_mean is not None and norm.running_var is not None
    return norm.running_mean, norm.running_var


def _of_batch(synapse: Synapse, norm: nn.BatchNorm1d | nn.BatchNorm2d, batch: Tensor) -> tuple[Tensor, Tensor]:
    y = synapse.apply_weight(batch, synapse.weight, synapse.bias)
    axes = [0, *range(2, y.dim())]
    var, mean = torch.var_mean(y, dim=axes, correction=0)
    if norm.track_running_stats:
        _update_running(norm, mean.detach(), var.detach(), y.numel() // y.shape[1])
    return mean, var


def _update_running(norm: nn.BatchNorm1d | nn.BatchNorm2d, mean: Tensor, var: Tensor, n: int) -> None:
    """As torch does: momentum, or the cumulative mean without one; the unbiased variance."""
    running_mean, running_var = _running(norm)
    assert norm.num_batches_tracked is not None
    norm.num_batches_tracked += 1
    momentum = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
    running_mean.lerp_(mean, momentum)
    running_var.lerp_(var * n / max(n - 1, 1), momentum)
