"""`Branch`: one way into a layer, pool -> synapse -> norm; `Shortcut`, the way past a block that changes nothing."""

import torch
from torch import Tensor, nn

from spikeport.errors import LayerInvalid, NormUnfoldable
from spikeport.train import pools, quant
from spikeport.train.fold import Folded, fold, norm_scale, running, update_running
from spikeport.train.fused import Current, Moments, moments_of
from spikeport.train.rounding import largest, rounded_through
from spikeport.train.synapses import AnyBatchNorm, QuantLinear, Synapse, channels_of

NO_SCALE = 2.0**-60
"""A channel with no more than that, of a least step, is 0 on the chip. Its weights are not rounded: gamma learns on."""


class Way(nn.Module):
    """What spikes pass before they are weighed: nothing, or a pool."""

    def __init__(self, pool: nn.AvgPool2d | None = None) -> None:
        super().__init__()
        if pool is not None:
            pools.check_average(pool)
            if pools.overlap(pool) > quant.K_MAX:
                got, do, limit = pools.overlap(pool), "let the windows overlap less", quant.K_MAX
                raise LayerInvalid(
                    "AvgPool2d", "windows over one place", got=got, relation="exceed", limit=limit, do=do
                )
        self.pool = pool

    @property
    def levels(self) -> int:
        """Largest |k|: the sum of the weights that one spike goes through is at most 127."""
        return quant.K_MAX // pools.overlap(self.pool)

    @property
    def divisor(self) -> int:
        """What the sum of a window is divided by."""
        return pools.divisor(self.pool)

    def window_sums(self, x: Tensor) -> Tensor:
        """`(N, *in)` with windows added up."""
        return x if self.pool is None else pools.window_sums(self.pool, x)


class Branch(Way):
    """
    Args:
        pool: Means, or with a `divisor_override` of 1 sums, of the spikes in windows, taken before the synapse; a
            `QuantLinear` gets them flat. Where windows overlap, weights have fewer levels: their sums must fit 8 bits.
    """

    def __init__(self, synapse: Synapse, norm: AnyBatchNorm | None = None, pool: nn.AvgPool2d | None = None) -> None:
        super().__init__(pool)
        if not hasattr(synapse, "apply_weight"):
            limit, do = "QuantLinear, QuantConv2d or QuantConvTranspose2d", "they take the arguments of torch's layers"
            got = type(synapse).__name__
            raise LayerInvalid("SpikingLayer", "synapse", got=got, relation="is not", limit=limit, do=do)
        if norm is not None and not hasattr(norm, "running_mean"):
            got, limit = type(norm).__name__, "a BatchNorm1d or BatchNorm2d"
            raise LayerInvalid(
                "SpikingLayer", "norm", got=got, relation="is not", limit=limit, do="a core has no other"
            )
        if norm is not None and norm.running_mean is None:
            do = "leave track_running_stats on"
            raise NormUnfoldable("SpikingLayer", "norm", relation="has no", limit="running statistics", do=do)
        self.synapse = synapse
        self.norm = norm

    @property
    def axes(self) -> int:
        """Of one input with time and batch."""
        return 5 if self.pool is not None else self.synapse.weight.dim() + 1

    def window_sums(self, x: Tensor) -> Tensor:
        """`(N, *in)` as the synapse takes it, windows added up."""
        sums = super().window_sums(x)
        return sums.flatten(1) if self.pool is not None and isinstance(self.synapse, QuantLinear) else sums

    def fold(self, gain: Tensor) -> Folded:
        """Weight and bias with the running statistics and the gain."""
        return fold(self.synapse, self.norm, gain)

    def largest(self, gain: Tensor) -> Tensor:
        """The largest `|weight|` of `fold`, without making it."""
        return largest(self.synapse.weight, self.synapse.per_weight(self._factor(gain)))

    def current(self, x: Tensor, gain: Tensor, step: Tensor | None, sync: bool) -> tuple[Current, Tensor | None]:
        """What enters the neurons, and the offset that it brings, `(channels,)`.

        In training mode the norm is that of the batch, which moves the running statistics.

        Args:
            x: `(N, *in)` as the synapse takes it, windows averaged.
            step: The grid of the folded weights; None: they are not rounded.
        """
        weight = self.synapse.weight if step is None else self._rounded(gain, step)
        y = self.synapse.apply_weight(x, weight, None)
        bias = self.synapse.bias
        scale = gain.expand(channels_of(self.synapse))
        if self.norm is None:
            return Current(y, scale), None if bias is None else gain * bias
        gamma, beta = norm_scale(self.norm)
        moments = self._moments(y, bias, sync)
        offset = gain * beta
        if bias is not None:  # a batch's mean takes the bias off
            offset = offset + (0 if self.norm.training else scale * gamma * moments.rstd) * bias
        return Current(y, scale * gamma, moments), offset

    def _rounded(self, gain: Tensor, step: Tensor) -> Tensor:
        """The weight such that, scaled as in eval mode, it lies on the grid; straight-through gradient.

        The scale is that of the running statistics, with which the chip's weights are made. The batch's own would
        have to be known before the convolution that gives them, and cost a second one.
        """
        weight = self.synapse.weight
        with torch.no_grad():
            per_step = self._factor(gain) / step
            per_step = torch.where(per_step.abs() > NO_SCALE, per_step, 1 / NO_SCALE)
        return rounded_through(weight, self.synapse.per_weight(per_step), self.synapse.per_weight(1 / per_step))

    def _factor(self, gain: Tensor) -> Tensor:
        """What the weights are multiplied with in eval mode, `(channels,)`."""
        return (gain if self.norm is None else gain * running(self.norm).scale).expand(channels_of(self.synapse))

    def _moments(self, y: Tensor, bias: Tensor | None, sync: bool) -> Moments:
        assert self.norm is not None
        if not self.norm.training:
            stats = running(self.norm)
            return Moments(stats.mean, stats.rstd, of_batch=False)
        moments, var, n = moments_of(y.detach(), self.norm.eps, sync)
        if self.norm.track_running_stats:
            mean = moments.mean if bias is None else moments.mean + bias.detach()  # the synapse ran without it
            update_running(self.norm, mean, var, n)
        return moments


class Shortcut(Way):
    """Spikes of a block's input that join its last neurons as they are, or as means over windows."""

    def fold(self, gain: Tensor) -> Folded:
        """One weight for all, `()`."""
        return Folded(gain.clone(), torch.zeros_like(gain))

    def largest(self, gain: Tensor) -> Tensor:
        """As `Branch.largest`: the one weight, which is the gain."""
        return gain.detach().abs()

    def current(self, x: Tensor, gain: Tensor, step: Tensor | None, sync: bool) -> tuple[Current, None]:
        """As `Branch.current`: spikes times the gain, without a batch norm."""
        weight = gain if step is None else quant.round_ste(gain / step) * step
        return Current(x, weight.expand(x.shape[1])), None
