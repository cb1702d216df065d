"""Weights on their grid in one pass over memory, and the gradient that passes through."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikeport.compiled import kept


def rounded_through(weight: Tensor, per_step: Tensor, back: Tensor) -> Tensor:
    """round(weight * per_step) * back, halves to even, with the gradient of the weight itself.

    Args:
        per_step: Broadcasts to the weight; back likewise, its inverse, or 0 where that is 0.
    """
    found: Tensor = _Rounded.apply(weight, per_step, back)  # type: ignore[no-untyped-call]
    return found


def largest(weight: Tensor, factor: Tensor) -> Tensor:
    """max|weight * factor|, a scalar without gradient.

    Args:
        factor: In a shape with as many axes as the weight, that broadcasts to it.
    """
    weight, factor = weight.detach(), factor.detach().abs()
    axes = [k for k, size in enumerate(factor.shape) if size == 1]
    most = torch.maximum(weight.amax(axes, keepdim=True), -weight.amin(axes, keepdim=True)) if axes else weight.abs()
    return (most * factor).amax()


class _Rounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, per_step: Tensor, back: Tensor) -> Tensor:
        by_row = per_step.shape[1:].numel() == 1 and len(per_step) == len(weight)
        if weight.device.type != "cpu" or not by_row or not weight.is_contiguous():
            return (weight * per_step).round_().mul_(back)
        found = torch.empty_like(weight)
        rows = (len(weight), -1)
        factors = per_step.to(weight.dtype).reshape(-1).numpy(), back.to(weight.dtype).reshape(-1).numpy()
        _round_rows(weight.detach().view(rows).numpy(), *factors, found.view(rows).numpy())
        return found

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return grads[0], None, None


@kept(nogil=True)
def _round_rows(weight: NDArray[Any], per_step: NDArray[Any], back: NDArray[Any], found: NDArray[Any]) -> None:
    for row in range(weight.shape[0]):
        factor, step = per_step[row], back[row]
        for k in range(weight.shape[1]):
            found[row, k] = np.rint(weight[row, k] * factor) * step
