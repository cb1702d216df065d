"""The greatest of each 2 x 2 places, forward and backward in one pass each, on the CPU.

As torch's `max_pool2d`, bit for bit: the gradient of a window goes to its first greatest value in row-major order.
torch's own keeps 64-bit indices, and takes longer than the convolutions beside it. Other windows are torch's.
"""

from typing import Any

import numba
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

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
        ctx.save_for_backward(x)
        found = x.new_empty(*x.shape[:2], x.shape[2] // 2, x.shape[3] // 2)
        _forward(_planes(x), _planes(found))
        return found

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor]:
        (x,) = ctx.saved_tensors
        even = x.shape[2] % 2 == x.shape[3] % 2 == 0
        dx = torch.empty(x.shape, dtype=x.dtype) if even else torch.zeros(x.shape, dtype=x.dtype)
        _backward(_planes(x), _planes(grads[0]), _planes(dx))
        return (dx,)


def _planes(x: Tensor) -> NDArray[Any]:
    return x.detach().contiguous().view(-1, *x.shape[2:]).numpy()


@numba.njit(nogil=True, cache=True)
def _forward(x: NDArray[Any], found: NDArray[Any]) -> None:
    for p in range(found.shape[0]):
        for row in range(found.shape[1]):
            top, bottom, into = x[p, 2 * row], x[p, 2 * row + 1], found[p, row]
            for k in range(found.shape[2]):
                into[k] = max(max(top[2 * k], top[2 * k + 1]), max(bottom[2 * k], bottom[2 * k + 1]))


@numba.njit(nogil=True, cache=True)
def _backward(x: NDArray[Any], grad: NDArray[Any], dx: NDArray[Any]) -> None:
    for p in range(grad.shape[0]):
        for row in range(grad.shape[1]):
            top, bottom, g = x[p, 2 * row], x[p, 2 * row + 1], grad[p, row]
            d_top, d_bottom = dx[p, 2 * row], dx[p, 2 * row + 1]
            for k in range(grad.shape[2]):
                a, b, c, d = top[2 * k], top[2 * k + 1], bottom[2 * k], bottom[2 * k + 1]
                most = max(max(a, b), max(c, d))
                is_a = a == most
                is_b = (b == most) & ~is_a
                is_c = (c == most) & ~(is_a | is_b)
                d_top[2 * k] = g[k] if is_a else 0
                d_top[2 * k + 1] = g[k] if is_b else 0
                d_bottom[2 * k] = g[k] if is_c else 0
                d_bottom[2 * k + 1] = 0 if is_a | is_b | is_c else g[k]
