"""The spike and its surrogate gradient, one step at a time."""

import math
from typing import Any

import torch
from torch import Tensor

from spikeport.train.dynamics import Surrogate


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, v: Tensor, threshold: Tensor, surrogate: Surrogate) -> Tensor:
        ctx.save_for_backward(v, threshold)
        ctx.surrogate = surrogate
        return (v > threshold).to(v.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        v, threshold = ctx.saved_tensors
        dv = grads[0] * slope(v, threshold, ctx.surrogate)
        return dv, -dv.sum_to_size(threshold.shape), None


def spike(v: Tensor, threshold: Tensor, surrogate: Surrogate) -> Tensor:
    """1 where v > threshold, else 0; the gradients are the surrogate's.

    Args:
        threshold: A shape that broadcasts to that of v.
    """
    result: Tensor = _Spike.apply(v, threshold, surrogate)  # type: ignore[no-untyped-call]
    return result


def slope(v: Tensor, threshold: Tensor, surrogate: Surrogate) -> Tensor:
    """ds/dv, in the shape of v."""
    x = v - threshold if surrogate.centre == "threshold" else v
    width = surrogate.width
    if surrogate.shape == "rectangular":
        return (x.abs() < width / 2).to(v.dtype) / width
    return 1 / (width * (1 + (math.pi / width * x).square()))
