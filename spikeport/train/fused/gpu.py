"""The fused neuron on GPUs: one autograd function around the Triton kernels of `gpu_kernels.py`.

Imported only where there is Triton. Nothing waits for the device: keep and threshold stay there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import triton
from torch import Tensor
from torch.autograd.function import once_differentiable

from spikeport.train.dynamics import Dynamics
from spikeport.train.fused import gpu_kernels as kernels
from spikeport.train.fused.current import Current, How, combines, sum_over_processes

_TILE = 1024
"""Numbers of a tile: with 4 warps, 8 a thread."""


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
    """As `spikeport.train.fused.fire`, for one or two currents.

    Currents may be of half types, both of the same; all else is float32 then, and so is the arithmetic.
    """
    how = How(steps, dynamics, constant, unit, [current.moments for current in currents])
    xs, scales = [current.x for current in currents], [current.scale for current in currents]
    if len(currents) == 1:
        xs, scales = [xs[0], None], [scales[0], None]  # type: ignore[list-item]
    spikes: Tensor = _Fire.apply(*xs, *scales, offset, keep, threshold, how)  # type: ignore[no-untyped-call]
    return spikes


@dataclass(frozen=True)
class _Grid:
    """How `(N, C, *space)` lies in memory, and how one step of it is cut into tiles."""

    shape: torch.Size
    channels_last: bool
    batch: int

    @classmethod
    def of(cls, x: Tensor, batch: int) -> "_Grid":
        return cls(x.shape, not x.is_contiguous() and x.movedim(1, -1).is_contiguous(), batch)

    @property
    def channels(self) -> int:
        return self.shape[1]

    @property
    def places(self) -> int:
        return self.shape[2:].numel()

    @property
    def picture(self) -> int:
        """Numbers of one step."""
        return self.batch * self.channels * self.places

    def laid(self, x: Tensor) -> Tensor:
        """`x` in this layout; itself where it has it already."""
        return x.movedim(1, -1).contiguous().movedim(-1, 1) if self.channels_last else x.contiguous()

    def new(self, rows: int, like: Tensor, dtype: torch.dtype) -> Tensor:
        """An unset tensor of so many rows in this layout."""
        if not self.channels_last:
            return like.new_empty(rows, *self.shape[1:], dtype=dtype)
        return like.new_empty(rows, *self.shape[2:], self.channels, dtype=dtype).movedim(-1, 1)

    def tiles(self, batch: int) -> tuple[tuple[int, int], tuple[int, ...], dict[str, Any]]:
        """The launch grid for so many rows of x, the kernels' six numbers from `rows` on, and the form of a tile."""
        rows, columns = batch * self.places, triton.next_power_of_2(self.channels)
        if self.channels_last or self.places == 1:  # what lies side by side in memory is in one tile
            block_c = min(128, columns)
            block_r = min(_TILE // block_c, triton.next_power_of_2(rows))
        else:
            block_r = min(_TILE, triton.next_power_of_2(rows))
            block_c = min(_TILE // block_r, columns)
        strides = (self.channels, 1) if self.channels_last else (1, self.places)
        numbers = (rows, self.channels, self.places, self.channels * self.places, *strides)
        form = {"BLOCK_R": block_r, "BLOCK_C": block_c, "enable_fp_fusion": False}
        return (triton.cdiv(rows, block_r), triton.cdiv(self.channels, block_c)), numbers, form


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
        grid = _Grid.of(x, x.shape[0] if how.constant else x.shape[0] // how.steps)
        xs = [grid.laid(each) for each in (x, x_2) if each is not None]
        currents = [Current(each, s, m) for each, s, m in zip(xs, (scale, scale_2), how.moments, strict=False)]
        values = _values(currents, offset, keep.dtype)
        spikes = grid.new(how.steps * grid.batch, x, x.dtype)
        if x.numel():
            launch, numbers, form = grid.tiles(grid.batch)
            args = (xs[0], xs[-1], spikes, values, keep, threshold, how.steps, grid.picture)
            kernels.fire[launch](*args, *numbers, **_modes(how), **form)
        ctx.save_for_backward(values, keep, threshold, *xs)
        ctx.how, ctx.grid, ctx.scaled = how, grid, [s is not None for s in (scale, scale_2)]
        return spikes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        values, keep, threshold, *xs = ctx.saved_tensors
        how, grid, dtype = ctx.how, ctx.grid, keep.dtype
        dy, sums, of_numbers = _gather(xs, grad, values, keep, threshold, how, grid)
        dxs: list[Tensor | None] = [None, None]
        scales: list[Tensor | None] = [None, None]
        for k in reversed(range(len(xs))):  # the first last: its dx takes the place of dy
            moments, of_x = how.moments[k], sums[1 + k]
            scales[k] = (of_x if moments is None else of_x * moments.rstd).to(dtype)
            plain = moments is None and not ctx.scaled[k]
            dxs[k] = dy.to(xs[k].dtype, copy=k > 0) if plain else _normalised(xs[k], dy, values, sums, how, grid, k)
        of_keep, of_threshold = of_numbers.to(dtype)
        of_tensors = (*dxs, *scales, sums[0].to(dtype))
        wanted = [g if need else None for g, need in zip(of_tensors, ctx.needs_input_grad, strict=False)]
        return *wanted, of_keep.reshape(keep.shape), of_threshold.reshape(threshold.shape), None


def _modes(how: How) -> dict[str, Any]:
    reset = how.dynamics.reset == "zero"
    return {"TWO": len(how.moments) > 1, "CONSTANT": how.constant, "UNIT": float(how.unit), "ZERO": reset}


def _values(currents: list[Current], offset: Tensor | None, dtype: torch.dtype) -> Tensor:
    """Factor and mean of both currents, and the offset: `(5, C)`."""
    x = currents[0].x
    values = x.new_zeros(5, x.shape[1], dtype=dtype)
    for k, current in enumerate(currents):
        factor, mean = current.factor_and_mean(dtype)
        values[2 * k] = 1 if factor is None else factor
        if mean is not None:
            values[2 * k + 1] = mean
    if offset is not None:
        values[4] = offset
    return values


def _gather(
    xs: list[Tensor], grad: Tensor, values: Tensor, keep: Tensor, threshold: Tensor, how: How, grid: _Grid
) -> tuple[Tensor, Tensor, Tensor]:
    """dy; the sums of dy and of dy * (x - mean), `(3, C)`; the gradients of keep and threshold, `(2,)`."""
    (tiles_r, tiles_c), numbers, form = grid.tiles(grid.batch)
    dy = grid.new(grid.shape[0], xs[0], keep.dtype)
    v = grid.new(how.steps * grid.batch, xs[0], keep.dtype) if how.constant else dy
    sums = values.new_zeros(3, tiles_r, grid.channels)
    of_numbers = values.new_zeros(2, tiles_r * tiles_c)
    surrogate = how.dynamics.surrogate
    modes = _modes(how) | {
        "THROUGH": not how.dynamics.detach_reset,
        "ATAN": surrogate.shape == "atan",
        "AT_THRESHOLD": surrogate.centre == "threshold",
        "WIDTH": float(surrogate.width),
    }
    if dy.numel():
        args = (xs[0], xs[-1], grid.laid(grad), v, dy, values, keep, threshold, sums, of_numbers, how.steps)
        kernels.gather[(tiles_r, tiles_c)](*args, grid.picture, *numbers, **modes, **form)
    return dy, sums.sum(1, dtype=torch.float64), of_numbers.sum(1, dtype=torch.float64)


def _normalised(x: Tensor, dy: Tensor, values: Tensor, sums: Tensor, how: How, grid: _Grid, k: int) -> Tensor:
    """dx of a current; of the first in the place of dy, where the types allow it."""
    moments = how.moments[k]
    of_moments = values.new_zeros(2, grid.channels)
    if moments is not None and moments.of_batch:
        mine = torch.stack([sums[0], sums[1 + k], torch.full_like(sums[0], dy.numel() // grid.channels)])
        total = sum_over_processes(mine) if combines(moments.sync) else mine
        of_moments[0] = total[0] / total[2]
        of_moments[1] = total[1] / total[2] * moments.rstd.double() ** 2
    dx = dy if k == 0 and dy.dtype == x.dtype else grid.new(grid.shape[0], x, x.dtype)
    if dx.numel():
        launch, numbers, form = grid.tiles(grid.shape[0])
        kernels.normalise[launch](x, dy, dx, torch.cat([values[2 * k : 2 * k + 2], of_moments]), *numbers, **form)
    return dx
