"""The fused neuron on the CPU: one autograd function around the compiled loops of `cpu_kernels.py`."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from spikeport.train.dynamics import Dynamics
from spikeport.train.fused import cpu_kernels as kernels
from spikeport.train.fused.current import Current, Moments, combines, sum_over_processes

_SMALL = 1 << 16
"""Numbers that are not worth a second thread."""


@dataclass(frozen=True)
class _Layout:
    """How `(N, C, *space)` lies in memory, and how it is cut into units of work."""

    shape: torch.Size
    channels_last: bool
    batch: int

    @classmethod
    def of(cls, x: Tensor, batch: int) -> "_Layout":
        last = not x.is_contiguous() and x.movedim(1, -1).is_contiguous()
        return cls(x.shape, last, batch)

    @property
    def channels(self) -> int:
        return self.shape[1]

    @property
    def per_channel(self) -> int:
        return self.shape.numel() // max(self.channels, 1)

    def flat(self, x: Tensor) -> NDArray[Any]:
        """`x` in this layout, as one run of numbers; its own memory where it has the layout already."""
        x = x.detach()
        return (x.movedim(1, -1) if self.channels_last else x).contiguous().view(-1).numpy()

    def new(self, rows: int, like: Tensor) -> tuple[Tensor, NDArray[Any]]:
        """An unset tensor of so many rows in this layout, and its memory."""
        if not self.channels_last:
            x = like.new_empty(rows, *self.shape[1:])
            return x, x.view(-1).numpy()
        x = like.new_empty(rows, *self.shape[2:], self.channels)
        return x.movedim(-1, 1), x.view(-1).numpy()

    def cut(self, steps: int) -> tuple[NDArray[np.uint64], int]:
        """The kernels' `shape`, and the number of units."""
        space = self.shape[2:].numel()
        places, rows = (1, self.batch * space) if self.channels_last else (space, self.batch)
        together = max(1, min(self.channels, int(kernels.BLOCK) // places))
        shape = np.array([steps, rows, self.channels * places, together * places, places], np.uint64)
        return shape, -(-self.channels // together)


def fire(
    currents: Sequence[Current],
    offset: Tensor | None,
    keep: Tensor,
    threshold: Tensor,
    steps: int,
    dynamics: Dynamics,
    *,
    constant: bool = False,
    unit: float = 0.0,
) -> Tensor:
    """As `spikeport.train.fused.fire`, for one or two currents; all tensors are float32, or all float64."""
    first, second = currents[0], currents[1] if len(currents) > 1 else None
    how = _How(steps, dynamics, constant, unit, first.moments, None if second is None else second.moments)
    others = (None, None) if second is None else (second.x, second.scale)
    spikes: Tensor = _Fire.apply(first.x, first.scale, *others, offset, keep, threshold, how)  # type: ignore[no-untyped-call]
    return spikes


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel of `(N, C, *space)`, in the type of x."""
    layout = _Layout.of(x, x.shape[0])
    shape, units = layout.cut(1)
    mean, var = np.empty(layout.channels), np.empty(layout.channels)
    _share(units, x.numel(), kernels.moments, layout.flat(x), mean, var, shape)
    return torch.from_numpy(mean).to(x.dtype), torch.from_numpy(var).to(x.dtype)


@dataclass(frozen=True, eq=False)
class _How:
    """What is no tensor with a gradient."""

    steps: int
    dynamics: Dynamics
    constant: bool
    unit: float
    moments: Moments | None
    moments_2: Moments | None

    def numbers(self, keep: Tensor, threshold: Tensor, dtype: Any) -> NDArray[Any]:
        """The kernels' `numbers`."""
        surrogate, vth = self.dynamics.surrogate, threshold.item()
        zero, through = self.dynamics.reset == "zero", not self.dynamics.detach_reset
        of_reset = (1.0, 0.0, 0.0, 1.0 * through) if zero else (0.0, vth, vth * through, 0.0)
        centre = vth if surrogate.centre == "threshold" else 0.0
        return np.array([1.0, keep.item(), vth, *of_reset, centre, surrogate.width, self.unit], dtype)


def _channels(layout: _Layout, dtype: Any, offset: Tensor | None, *currents: Current | None) -> NDArray[Any]:
    """The kernels' `channels`."""
    values = np.zeros((5, layout.channels), dtype)
    for k, current in enumerate(currents):
        factor, mean = (None, None) if current is None else current.factor_and_mean()
        values[kernels.FACTOR + 2 * k] = 1 if factor is None else factor.detach().numpy()
        values[kernels.MEAN + 2 * k] = 0 if mean is None else mean.detach().numpy()
    if offset is not None:
        values[kernels.OFFSET] = offset.detach().numpy()
    return values


class _Fire(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        scale: Tensor | None,
        x_2: Tensor | None,
        scale_2: Tensor | None,
        offset: Tensor | None,
        keep: Tensor,
        threshold: Tensor,
        how: _How,
    ) -> Tensor:
        batch = x.shape[0] if how.constant else x.shape[0] // how.steps
        layout = _Layout.of(x, batch)
        shape, units = layout.cut(how.steps)
        flat = layout.flat(x)
        flat_2 = flat if x_2 is None else layout.flat(x_2)
        second = None if x_2 is None else Current(x_2, scale_2, how.moments_2)
        channels = _channels(layout, flat.dtype, offset, Current(x, scale, how.moments), second)
        numbers = how.numbers(keep, threshold, flat.dtype)
        spikes, memory = layout.new(how.steps * batch, x)
        _share(
            units,
            memory.size,
            kernels.fire,
            flat,
            flat_2,
            x_2 is not None,
            how.constant,
            memory,
            channels,
            numbers,
            shape,
        )
        ctx.save_for_backward(x, scale, x_2, scale_2, offset, keep, threshold)
        ctx.how, ctx.layout = how, layout
        return spikes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, scale, x_2, scale_2, offset, keep, threshold = ctx.saved_tensors
        how, layout = ctx.how, ctx.layout
        currents = [Current(x, scale, how.moments)]
        if x_2 is not None:
            currents.append(Current(x_2, scale_2, how.moments_2))
        dx, sums, of_numbers = _gradients(currents, offset, keep, threshold, how, layout, grad)
        scales = [_of_scale(current, sums[kernels.GRAD_X + k]) for k, current in enumerate(currents)]
        of_offset = None if offset is None else torch.from_numpy(sums[kernels.GRAD]).to(x.dtype)
        of_keep, of_threshold = (keep.new_tensor(value).reshape(keep.shape) for value in of_numbers.sum(0))
        second = (dx[1], scales[1]) if x_2 is not None else (None, None)
        return dx[0], scales[0], *second, of_offset, of_keep, of_threshold.reshape(threshold.shape), None


def _of_scale(current: Current, of_x: NDArray[np.float64]) -> Tensor | None:
    """The gradient of a scale, from the sum of dy * (x - mean)."""
    if current.scale is None:
        return None
    total = torch.from_numpy(of_x)
    return (total if current.moments is None else total * current.moments.rstd).to(current.x.dtype)


def _gradients(
    currents: list[Current],
    offset: Tensor | None,
    keep: Tensor,
    threshold: Tensor,
    how: _How,
    layout: _Layout,
    grad: Tensor,
) -> tuple[list[Tensor], NDArray[np.float64], NDArray[np.float64]]:
    """dx of each current, and the kernels' `sums` and `of_numbers`."""
    shape, units = layout.cut(how.steps)
    shape_x, _ = layout.cut(1 if how.constant else how.steps)
    flats = [layout.flat(current.x) for current in currents]
    made = [layout.new(layout.shape[0], current.x) for current in currents]
    two, dtype = len(currents) > 1, flats[0].dtype
    channels = _channels(layout, dtype, offset, *currents)
    sums, of_numbers = np.empty((3, layout.channels)), np.zeros((units, 2))
    atan = how.dynamics.surrogate.shape == "atan"
    reads = (flats[0], flats[-1], two, how.constant, atan, layout.flat(grad), made[0][1])
    passes = [_through(current) for current in currents]
    rstds = [
        np.ones(layout.channels) if current.moments is None else current.moments.rstd.double().numpy()
        for current in currents
    ]
    size = how.steps * layout.batch * layout.shape[1:].numel()
    numbers = how.numbers(keep, threshold, dtype)
    everybody = any(current.moments is not None and combines(current.moments.sync) for current in currents)
    if not everybody:
        more = (made[-1][1], passes[0], passes[-1], channels, rstds[0], rstds[-1], numbers, sums, of_numbers)
        _share(units, size, kernels.back, *reads, *more, float(layout.per_channel), shape, shape_x)
    else:
        _share(units, size, kernels.gather, *reads, channels, numbers, sums, of_numbers, shape)
        for k in reversed(range(len(currents))):
            if k or passes[k]:
                total, n = _totals(sums, layout.per_channel, currents[k].moments)
                rest = (passes[k] == 2, channels, k, rstds[k], total, n, shape_x)
                _share(units, size, kernels.normalise, flats[k], made[0][1], made[k][1], *rest)
    return [tensor for tensor, _ in made], sums, of_numbers


def _through(current: Current) -> int:
    """0 where dx is dy, 1 where the moments are constants, 2 where they are of the batch."""
    if current.moments is not None and current.moments.of_batch:
        return 2
    return int(current.moments is not None or current.scale is not None)


def _totals(sums: NDArray[np.float64], n: int, moments: Moments | None) -> tuple[NDArray[np.float64], float]:
    """The sums and the number of values per channel, over all processes where the moments are."""
    if moments is None or not combines(moments.sync):
        return sums, float(n)
    total = sum_over_processes(torch.from_numpy(np.append(sums.ravel(), float(n))))
    return total[:-1].view(sums.shape).numpy(), float(total[-1])


@cache
def _pool(process: int, workers: int) -> ThreadPoolExecutor:
    """Threads of this process: a fork has none of its parent's."""
    return ThreadPoolExecutor(workers, thread_name_prefix="fused-neuron")


def _share(units: int, size: int, kernel: Callable[..., None], *args: Any) -> None:
    """Runs a kernel over all units, on as many threads as torch has."""
    threads = 1 if size <= _SMALL else min(torch.get_num_threads(), units)
    bounds = [np.uint64(units * k // threads) for k in range(threads + 1)]
    if threads == 1:
        return kernel(*args, *bounds)
    pool = _pool(os.getpid(), threads - 1)
    others = [pool.submit(kernel, *args, *ends) for ends in zip(bounds[1:-1], bounds[2:], strict=True)]
    kernel(*args, *bounds[:2])
    for other in others:
        other.result()
