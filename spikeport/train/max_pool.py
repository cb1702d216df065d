"""The greatest of each 2 x 2 places, forward and backward in one pass each, on the CPU.

As torch's `max_pool2d`, bit for bit: the gradient of a window goes to its first greatest value in row-major order.
What is kept for it is a byte for each window. torch's own keeps 64-bit indices, and takes longer than the convolutions
beside it. Other windows are torch's.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from spikeport.compiled import kept

Pair = tuple[int, int]


def max_pool2d(x: Tensor, kernel: Pair, stride: Pair, padding: Pair) -> Tensor:
    """`(N, c, h, w)` to `(N, c, h', w')`."""
    plain = kernel == stride == (2, 2) and padding == (0, 0) and min(x.shape[2:]) > 1
    if not plain or x.device.type != "cpu" or x.dtype not in (torch.float32, torch.float64):
        return F.max_pool2d(x, kernel, stride, padding)
    found: Tensor = _MaxPool.apply(x)  # type: ignore[no-untyped-call]
    return found


class _MaxPool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        found = x.new_empty(*x.shape[:2], x.shape[2] // 2, x.shape[3] // 2)
        place = torch.empty(found.shape, dtype=torch.uint8)
        _forward(_planes(x), _planes(found), _planes(place))
        ctx.save_for_backward(place)
        ctx.shape = x.shape
        return found

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor]:
        (place,) = ctx.saved_tensors
        even = ctx.shape[2] % 2 == ctx.shape[3] % 2 == 0
        dx = (torch.empty if even else torch.zeros)(ctx.shape, dtype=grads[0].dtype)
        _backward(_planes(place), _planes(grads[0]), _planes(dx))
        return (dx,)


def _planes(x: Tensor) -> NDArray[Any]:
    return x.detach().contiguous().view(-1, *x.shape[2:]).numpy()


@kept(nogil=True)
def _forward(x: NDArray[Any], found: NDArray[Any], place: NDArray[np.uint8]) -> None:
    for p in range(found.shape[0]):
        for row in range(found.shape[1]):
            top, bottom, into, at = x[p, 2 * row], x[p, 2 * row + 1], found[p, row], place[p, row]
            for k in range(found.shape[2]):
                a, b, c, d = top[2 * k], top[2 * k + 1], bottom[2 * k], bottom[2 * k + 1]
                upper, lower = max(a, b), max(c, d)
                into[k] = max(upper, lower)
                at[k] = (2 + (d > c)) if lower > upper else (b > a)


@kept(nogil=True)
def _backward(place: NDArray[np.uint8], grad: NDArray[Any], dx: NDArray[Any]) -> None:
    for p in range(grad.shape[0]):
        for row in range(grad.shape[1]):
            at, g, d_top, d_bottom = place[p, row], grad[p, row], dx[p, 2 * row], dx[p, 2 * row + 1]
            for k in range(grad.shape[2]):
                d_top[2 * k] = g[k] if at[k] == 0 else 0
                d_top[2 * k + 1] = g[k] if at[k] == 1 else 0
                d_bottom[2 * k] = g[k] if at[k] == 2 else 0
                d_bottom[2 * k + 1] = g[k] if at[k] == 3 else 0
