"""The fused neuron in plain torch operations: the readable specification, for any device and type.

Autograd makes the gradients, all but the spike's. The kernels do the same operations in the same order, so they give
the same spikes.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from spikeport.train.dynamics import Dynamics
from spikeport.train.fused.current import Current, Moments, combines, sum_over_processes
from spikeport.train.surrogate import spike


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
    """As `spikeport.train.fused.fire`; computes in the type of the tensors."""
    y = _normalised(currents[0])
    if offset is not None:
        y = y + _per_channel(offset, y)
    for current in currents[1:]:
        y = y + _normalised(current)
    if unit > 0:
        y = (torch.round(y / unit) * unit).detach() + (y - y.detach())
    y = y.expand(steps, *y.shape) if constant else y.reshape(steps, y.shape[0] // steps, *y.shape[1:])
    h = torch.zeros_like(y[0])
    spikes = []
    for current_now in y:
        v = keep * h + current_now
        s = spike(v, threshold, dynamics.surrogate)
        spikes.append(s)
        of_reset = s.detach() if dynamics.detach_reset else s
        h = v * (1 - of_reset) if dynamics.reset == "zero" else v - of_reset * threshold
    return torch.cat(spikes)


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel of `(N, C, *space)`."""
    var, mean = torch.var_mean(x, dim=[d for d in range(x.ndim) if d != 1], correction=0)
    return mean, var


def _normalised(current: Current) -> Tensor:
    x = current.x
    factor, mean = current.factor_and_mean(x.dtype)
    if current.moments is not None and current.moments.of_batch and x.requires_grad:
        assert factor is not None and mean is not None
        spread, shift = _gradient_of_moments(x, current.moments)
        factor, mean = factor * spread, mean + shift
    y = x if mean is None else x - _per_channel(mean, x)
    return y if factor is None else _per_channel(factor, x) * y


def _gradient_of_moments(x: Tensor, moments: Moments) -> tuple[Tensor, Tensor]:
    """1 and 0, with the gradients that rstd / rstd and mean - mean have as functions of x."""
    dims = [d for d in range(x.ndim) if d != 1]
    n = x.new_tensor(x.numel() // x.shape[1])
    total = x.sum(dims)
    if combines(moments.sync):
        n, total = sum_over_processes(n), sum_over_processes(total)
    mean = total / n
    square = ((x - _per_channel(mean.detach(), x)) ** 2).sum(dims)
    if combines(moments.sync):
        square = sum_over_processes(square)
    var = square / n
    rstd = moments.rstd.to(x.dtype)
    return 1 - 0.5 * rstd**2 * (var - var.detach()), mean - mean.detach()


def _per_channel(values: Tensor, x: Tensor) -> Tensor:
    return values.view(-1, *[1] * (x.ndim - 2))
