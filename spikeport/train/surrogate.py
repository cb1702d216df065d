"""The spike and its surrogate gradient."""

from typing import Any

import torch
from torch import Tensor


class _RectangularSpike(torch.autograd.Function):
    """s = [x > 0];  ds/dx = (1 / width) * [|x| < width / 2].

    ALIF eq. 7 and DA-LIF section III, with x = u - vth. The comparison is strict, as on Loihi.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, width: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.width = width
        return (x > 0).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        inside = (x.abs() < ctx.width / 2).to(x.dtype)
        return grads[0] * inside / ctx.width, None


def spike(x: Tensor, width: float) -> Tensor:
    """1 where x > 0, else 0; rectangular surrogate gradient of the given width around 0."""
    result: Tensor = _RectangularSpike.apply(x, width)  # type: ignore[no-untyped-call]
    return result
