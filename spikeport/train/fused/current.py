"""What flows into a neuron while it trains: the output of its synapses, and batch norm's view of it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed

from spikeport.train.dynamics import Dynamics


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and spread of a current, per channel. They carry no gradient of their own."""

    mean: Tensor
    """`(C,)`"""
    rstd: Tensor
    """`(C,)`: 1 / sqrt(var + eps), var biased."""
    of_batch: bool
    """Whether they are the current's own, so that its gradient goes through them as batch norm's; else constants."""
    sync: bool = False
    """Whether moments, and the sums of the backward pass, are those over all processes of `torch.distributed`."""


@dataclass(frozen=True, eq=False)
class Current:
    """scale * rstd * (x - mean), per channel; one addend of a neuron's input."""

    x: Tensor
    """`(N, C, *space)`: N = steps * batch, index t * batch + b, or N = batch where the current is constant in time."""
    scale: Tensor | None = None
    """`(C,)`; None is 1. Gets a gradient."""
    moments: Moments | None = None
    """None is mean 0 and rstd 1."""

    def wide(self, dtype: torch.dtype) -> "Current":
        """The same current in another type, gradients passing through."""
        if self.x.dtype == dtype and (self.scale is None or self.scale.dtype == dtype):
            return self
        scale = None if self.scale is None else self.scale.to(dtype)
        return Current(self.x.to(dtype), scale, self.moments)

    def factor_and_mean(self, dtype: torch.dtype) -> tuple[Tensor | None, Tensor | None]:
        """scale * rstd and mean, in this type; None where they are 1 and 0."""
        scale = None if self.scale is None else self.scale.to(dtype)
        if self.moments is None:
            return scale, None
        rstd, mean = self.moments.rstd.to(dtype), self.moments.mean.to(dtype)
        return rstd if scale is None else scale * rstd, mean


@dataclass(frozen=True, eq=False)
class How:
    """What a call of the fused neuron is told beside tensors; `fire` of `spikeport.train.fused` describes it."""

    steps: int
    dynamics: Dynamics
    constant: bool
    unit: float
    moments: list[Moments | None]
    """Of each current."""


def combines(sync: bool) -> bool:
    """Whether there are other processes to add up with."""
    return sync and distributed.is_available() and distributed.is_initialized()


class _SumOverProcesses(torch.autograd.Function):
    """Each process' loss depends on the sum, so the gradients are added up as well."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.detach().clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        total = grads[0].clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total


def sum_over_processes(x: Tensor) -> Tensor:
    """The sum of `x` over all processes, differentiable; `x` keeps its value."""
    result: Tensor = _SumOverProcesses.apply(x)  # type: ignore[no-untyped-call]
    return result
