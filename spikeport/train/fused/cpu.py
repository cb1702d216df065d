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
from spikeport.train.fused.current import Current, How, Moments, combines, sum_over_processes

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
    how = How(steps, dynamics, constant, unit, [current.moments for current in currents])
    first, second = currents[0], currents[1] if len(currents) > 1 else Current(None)  # type: ignore[arg-type]
    spikes: Tensor = _Fire.apply(  # type: ignore[no-untyped-call]
        first.x, second.x, first.scale, second.scale, offset, keep, threshold, how
    )
    return spikes


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel of `(N, C, *space)`, in the type of x."""
    layout = _Layout.of(x, x.shape[0])
    shape, units = layout.cut(1)
    mean, var = np.empty(layout.channels), np.empty(layout.channels)
    _share(units, x.numel(), kernels.moments, layout.flat(x), mean, var, shape)
    return torch.from_numpy(mean).to(x.dtype), torch.from_numpy(var).to(x.dtype)


def _numbers(how: How, keep: Tensor, threshold: Tensor, dtype: Any) -> NDArray[Any]:
    """The kernels' `numbers`."""
    surrogate, vth = how.dynamics.surrogate, threshold.item()
    zero, through = how.dynamics.reset == "zero", not how.dynamics.detach_reset
    of_reset = (1.0, 0.0, 0.0, 1.0 * through) if zero else (0.0, vth, vth * through, 0.0)
    centre = vth if surrogate.centre == "threshold" else 0.0
    return np.array([1.0, keep.item(), vth, *of_reset, centre, surrogate.width, how.unit], dtype)


@dataclass(frozen=True, eq=False)
class _Work:
    """One layer's call, as the kernels take it; all but the currents themselves."""

    layout: _Layout
    how: How
    channels: NDArray[Any]
    numbers: NDArray[Any]
    shape: NDArray[np.uint64]
    units: int

    @classmethod
    def of(cls, currents: list[Current], offset: Tensor | None, keep: Tensor, threshold: Tensor, how: How) -> "_Work":
        x = currents[0].x
        layout = _Layout.of(x, x.shape[0] if how.constant else x.shape[0] // how.steps)
        numbers = _numbers(how, keep, threshold, np.float64 if x.dtype == torch.float64 else np.float32)
        channels = np.zeros((5, layout.channels), numbers.dtype)
        for k, current in enumerate(currents):
            factor, mean = current.factor_and_mean(x.dtype)
            channels[kernels.FACTOR + 2 * k] = 1 if factor is None else factor.detach().numpy()
            channels[kernels.MEAN + 2 * k] = 0 if mean is None else mean.detach().numpy()
        if offset is not None:
            channels[kernels.OFFSET] = offset.detach().numpy()
        return cls(layout, how, channels, numbers, *layout.cut(how.steps))

    def spikes(self, xs: list[Tensor]) -> Tensor:
        """The forward pass."""
        flats = [self.layout.flat(x) for x in xs]
        spikes, memory = self.layout.new(self.how.steps * self.layout.batch, xs[0])
        args = (flats[0], flats[-1], len(xs) > 1, self.how.constant, memory, self.channels, self.numbers, self.shape)
        _share(self.units, memory.size, kernels.fire, *args)
        return spikes

    def gradients(
        self, xs: list[Tensor], through: list[int], grad: Tensor
    ) -> tuple[list[Tensor], NDArray[np.float64], NDArray[np.float64]]:
        """dx of each current, and the kernels' `sums` and `of_numbers`.

        Args:
            xs: The currents.
            through: For each 0 where dx is dy, 1 where its moments are constants, 2 where they are its own.
            grad: dL/dspikes.
        """
        layout, how = self.layout, self.how
        flats, made = [layout.flat(x) for x in xs], [layout.new(layout.shape[0], x) for x in xs]
        sums, of_numbers = np.empty((3, layout.channels)), np.zeros((self.units, 2))
        rstds = [np.ones(layout.channels) if m is None else m.rstd.double().numpy() for m in how.moments]
        shape_x = layout.cut(1)[0] if how.constant else self.shape
        flat_grad = layout.flat(grad)
        atan = how.dynamics.surrogate.shape == "atan"
        reads = (flats[0], flats[-1], len(xs) > 1, how.constant, atan, flat_grad, made[0][1])
        writes = (self.channels, self.numbers, sums, of_numbers)
        if not any(m is not None and m.of_batch and combines(m.sync) for m in how.moments):
            ways = (made[-1][1], through[0], through[-1], rstds[0], rstds[-1], float(layout.per_channel))
            _share(self.units, flat_grad.size, kernels.back, *reads, *writes, *ways, self.shape, shape_x)
            return [tensor for tensor, _ in made], sums, of_numbers
        _share(self.units, flat_grad.size, kernels.gather, *reads, *writes, self.shape)
        for k in reversed(range(len(xs))):  # the first last: its dx takes the place of dy
            if k or through[k]:
                total, n = _totals(sums, layout.per_channel, how.moments[k])
                rest = (through[k] == 2, self.channels, k, rstds[k], total, n, shape_x)
                _share(self.units, flat_grad.size, kernels.normalise, flats[k], made[0][1], made[k][1], *rest)
        return [tensor for tensor, _ in made], sums, of_numbers


class _Fire(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        x_2: Tensor | None,
        scale: Tensor | None,
        scale_2: Tensor | None,
        offset: Tensor | None,
        keep: Tensor,
        threshold: Tensor,
        how: How,
    ) -> Tensor:
        currents = [Current(x, scale, how.moments[0])]
        if x_2 is not None:
            currents.append(Current(x_2, scale_2, how.moments[1]))
        work = _Work.of(currents, offset, keep, threshold, how)
        ctx.work, ctx.through = work, [_through(current) for current in currents]
        ctx.forms = keep.shape, threshold.shape
        xs = [current.x for current in currents]
        ctx.save_for_backward(*xs)
        return work.spikes(xs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        xs = list(ctx.saved_tensors)
        dxs, sums, of_numbers = ctx.work.gradients(xs, ctx.through, grad)
        if len(xs) == 1:
            dxs.append(None)
        of_channels = torch.from_numpy(sums).to(grad.dtype)
        of_keep, of_threshold = torch.from_numpy(of_numbers.sum(0)).to(grad.dtype)
        scales = [
            of_x if m is None else of_x * m.rstd.to(grad.dtype)
            for of_x, m in zip(of_channels[kernels.GRAD_X :], [*ctx.work.how.moments, None], strict=False)
        ]
        of_tensors = (*dxs, *scales, of_channels[kernels.GRAD])
        wanted = [g if need else None for g, need in zip(of_tensors, ctx.needs_input_grad, strict=False)]
        return *wanted, of_keep.reshape(ctx.forms[0]), of_threshold.reshape(ctx.forms[1]), None


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
