"""Batch norm's normalisation and a neuron's whole sequence in one step of autograd.

No membrane is kept: the backward pass computes it again from the synapses' output, which batch norm would have to
keep anyway. `reference.py` is the specification; `cpu.py` and `gpu.py` are the fast ways.
"""

import importlib.util
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor, distributed

from spikeport.errors import InputError, WrongShape
from spikeport.train.dynamics import Dynamics
from spikeport.train.fused import cpu, reference
from spikeport.train.fused.current import Current, Moments, combines

__all__ = ["Current", "Moments", "fire", "moments_of"]


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
    """The spikes of a layer of neurons over all steps.

    y = sum_i scale_i rstd_i (x_i - mean_i) + offset, then the recurrence of `Dynamics`, v = 0 before the first step.

    Args:
        currents: The addends, all of one shape. One or two are fast.
        offset: `(C,)`, or None for 0.
        keep: What a step keeps of the membrane; one number.
        threshold: One number.
        steps: T.
        dynamics: Surrogate and reset.
        constant: Whether y is the same at each step; the currents then have `batch` rows, not `steps * batch`.
        unit: Where above 0, y is rounded to the nearest multiple of it; the gradient passes straight through.

    Returns:
        `(steps * batch, C, *space)`: 0 or 1, in the type of the first current. Half types are computed in float32.

    Raises:
        InputError: The currents differ in shape, or their rows are no multiple of `steps`.
    """
    _check(currents, steps, constant)
    x = currents[0].x
    dtype = torch.promote_types(x.dtype, torch.float32)
    way = _way(x.device.type) if len(currents) <= 2 else reference.fire
    if way is reference.fire or x.device.type == "cpu" or any(current.x.dtype != x.dtype for current in currents):
        currents = [current.wide(dtype) for current in currents]
    offset = None if offset is None else offset.to(dtype)
    keep, threshold = keep.to(dtype), threshold.to(dtype)
    spikes = way(currents, offset, keep, threshold, steps, dynamics, constant=constant, unit=unit)
    return spikes.to(x.dtype)


@cache
def _way(device: str) -> Callable[..., Tensor]:
    """What is fast there for one or two currents."""
    if device == "cuda" and importlib.util.find_spec("triton") is not None:
        from spikeport.train.fused import gpu

        return gpu.fire
    return cpu.fire if device == "cpu" else reference.fire


@torch.no_grad()
def moments_of(x: Tensor, eps: float, sync: bool = False) -> tuple[Moments, Tensor, int]:
    """The moments of each channel of `(N, C, *space)`, their biased variance `(C,)`, and the number of values.

    Args:
        x: The current.
        eps: Added to the variance under the root.
        sync: Whether to take all processes of `torch.distributed` together, where there are any.
    """
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    mean, var = cpu.moments(x) if x.device.type == "cpu" else reference.moments(x)
    n = x.numel() // x.shape[1]
    if combines(sync):
        mean, var, n = _over_processes(mean, var, n)
    return Moments(mean, torch.rsqrt(var + eps), of_batch=True, sync=sync), var, n


def _over_processes(mean: Tensor, var: Tensor, n: int) -> tuple[Tensor, Tensor, int]:
    """The moments of the union, from each process' own."""
    mine = torch.stack([mean, var, torch.full_like(mean, n)]).double()
    each = [torch.empty_like(mine) for _ in range(distributed.get_world_size())]
    distributed.all_gather(each, mine)
    means, variances, counts = torch.stack(each, 1)
    share = counts / counts.sum(0)
    whole = (share * means).sum(0)
    spread = (share * (variances + (means - whole) ** 2)).sum(0)
    return whole.to(mean.dtype), spread.to(var.dtype), int(counts[:, 0].sum())


def _check(currents: Sequence[Current], steps: int, constant: bool) -> None:
    if not currents:
        raise InputError("fire", "currents", got=0, relation="is below", limit=1)
    shape = currents[0].x.shape
    for current in currents[1:]:
        if current.x.shape != shape:
            raise WrongShape(
                "fire", "shape of a current", got=tuple(current.x.shape), relation="is not", limit=tuple(shape)
            )
    if len(shape) < 2:
        raise WrongShape("fire", "axes of a current", got=len(shape), relation="is below", limit="2: (N, C, *space)")
    if steps < 1:
        raise InputError("fire", "steps", got=steps, relation="is below", limit=1)
    if not constant and shape[0] % steps:
        raise WrongShape(
            "fire", "rows of a current", got=shape[0], relation="is no multiple of the steps,", limit=steps
        )
