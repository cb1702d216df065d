"""Pools: the greatest of spikes, which is spikes again, and their mean, which a layer takes in.

Where one spike of a window is enough, the pool is a neuron: [sum > 1/2]. A mean is linear, so it has no neurons of its
own: the compiler folds it into the synapse behind it.
"""

from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.errors import LayerInvalid, WrongShape
from spikeport.train.max_pool import max_pool2d

Pair = tuple[int, int]


class MaxPool2d(nn.MaxPool2d):
    """torch's MaxPool2d over the spikes of each step; on the chip neurons of their own, and a step later."""

    def forward(self, x: Tensor) -> Tensor:
        """`(T, B, c, h, w)` to `(T, B, c, h', w')`."""
        if x.dim() != 5:
            limit = "5 axes, (T, B, c, h, w)"
            raise WrongShape("MaxPool2d", "input shape", got=tuple(x.shape), relation="does not have", limit=limit)
        merged = x.flatten(0, 1)
        merged = merged if merged.is_floating_point() else merged.to(torch.get_default_dtype())
        if self.ceil_mode or pair(self.dilation) != (1, 1):
            found: Tensor = super().forward(merged)
        else:
            found = max_pool2d(merged, pair(self.kernel_size), pair(self.stride), pair(self.padding))
        return found.reshape(*x.shape[:2], *found.shape[1:])


def pair(size: int | tuple[int, ...]) -> Pair:
    """torch's geometry, one number for both axes or one for each."""
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def check_average(pool: nn.AvgPool2d) -> None:
    """Raises InputError for a mean whose divisor changes from place to place: no kernel is that."""
    if pool.ceil_mode or (not pool.count_include_pad and pair(pool.padding) != (0, 0)):
        what = "ceil_mode" if pool.ceil_mode else "count_include_pad"
        do = "let all windows have one size: ceil_mode=False, count_include_pad=True"
        raise LayerInvalid(
            "AvgPool2d", what, got=getattr(pool, what), relation="is not", limit=not pool.ceil_mode, do=do
        )
    if pool.divisor_override not in (None, 1, places(pool)):
        limit = f"1, for a sum, or {places(pool)}"
        raise LayerInvalid("AvgPool2d", "divisor_override", got=pool.divisor_override, relation="is not", limit=limit)


def places(pool: nn.AvgPool2d) -> int:
    """In one window."""
    return prod(pair(pool.kernel_size))


def divisor(pool: nn.AvgPool2d | None) -> int:
    """What the sum of a window is divided by."""
    return 1 if pool is None else pool.divisor_override or places(pool)


def overlap(pool: nn.AvgPool2d | None) -> int:
    """Most windows that one place is in: so many weights add up in the folded kernel."""
    if pool is None:
        return 1
    return prod(-(-k // s) for k, s in zip(pair(pool.kernel_size), pair(pool.stride), strict=True))


def window_sums(pool: nn.AvgPool2d, x: Tensor) -> Tensor:
    """`(N, c, h, w)` to `(N, c, h', w')`."""
    return F.avg_pool2d(x, pool.kernel_size, pool.stride, pool.padding, divisor_override=1)
