"""`Integrator`: the membrane that a spiking decoder ends in (FSVAE and ESVAE, as in their code)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from spikeport import fixed
from spikeport.errors import InputError, WrongShape
from spikeport.train import integer_rule, quant
from spikeport.train.quant import LayerIntegers
from spikeport.train.readout import AbstractMembraneReadout
from spikeport.train.synapses import QuantConvTranspose2d, QuantLinear, Synapse

BIAS_TOP = fixed.BIAS_MANT_MAX << fixed.BIAS_EXP_MAX
"""Largest |bias| in steps of v."""


class Integrator(AbstractMembraneReadout):
    """The last synapse, without norm, and v[t] = keep v[t-1] + y[t] of neurons without spikes; v after the last step.

    In float v = sum_t keep^(T-1-t) y[t], which is linear: the spikes are added up by these powers first, and weighed
    once. In training mode with `quantize` weight, bias and keep are the chip's, with straight-through gradients.
    In eval mode with `quantize` it is the chip's v, bit for bit: with integers a[t] = sum of 2 k s[t], and

        dv   = 4096 - round(4096 keep), 819 of 0.8
        v[t] = (v[t-1] (4096 - dv) / 4096 toward zero) + 64 a[t] + bias,   an image is v unit / 64

    No spikes bring v beyond VTH_MAX << 6, up to which neurons do not fire. Rounding toward zero only lessens |v|, so
    |v| <= 4096 / dv times the most that one step brings, the geometric sum. `room` is what a step may bring, in units.
    With n the synapses into a neuron, and reach the largest sum of weights and bias of one sign, of all neurons:

        room = VTH_MAX dv / 4096
        unit = max(max|w| / 127 / 2, reach (1 + 2^-11) / max(room - n - 2, room / 2 - 2), max|b| 64 / (4095 << 7))
        k    = round(w / 2 unit)

    since sum |2 k| <= sum |w| / unit + n, and also <= 2 sum |w| / unit; a bias moves by half a step, or the largest
    bias's 2^-12th part. The last term lets 13 bits and an exponent of 7 hold every bias, so that none is cut.

    Args:
        synapse: Of any of the three kinds. Mantissas are 2 at least, so that no more than 13,107 weights of one size
            and sign fit into a neuron; of more, all round to 0.
        keep: Part of v that a step keeps, in [1/4096, 4095/4096] when rounded.
    """

    def __init__(self, synapse: Synapse, keep: float = 0.8, *, quantize: bool = True) -> None:
        super().__init__(synapse, quantize=quantize)
        if not 1 <= round(keep * fixed.DECAY_ONE) < fixed.DECAY_ONE:
            limit = "[1/4096, 4095/4096]"
            raise InputError("Integrator", "keep", got=keep, relation="is not in", limit=limit)
        self.keep = keep

    @property
    def dv(self) -> int:
        return fixed.DECAY_ONE - round(self.keep * fixed.DECAY_ONE)

    def forward(self, spikes: Tensor) -> Tensor:
        """`(T, B, *in)` to `(B, *out)`; quantized in eval mode: the chip's v in the float model's unit, in float64."""
        self._check(spikes)
        if self.quantize and not self.training:
            return self._forward_integer(spikes)
        weight: Tensor = self.synapse.weight
        bias: Tensor | None = self.synapse.bias
        keep = self.keep
        if self.quantize:
            ints = self.integers()
            keep = fixed.keep_v(ints.dv) / fixed.DECAY_ONE
            weight = _passed_through(weight, ints.weight.double() * ints.unit)
            bias = None if bias is None else _passed_through(bias, ints.bias.double() * v_unit(ints))
        powers = keep ** torch.arange(len(spikes) - 1, -1, -1, dtype=torch.float64)
        with torch.autocast(spikes.device.type, enabled=False):
            summed = torch.tensordot(powers.to(weight), spikes.to(weight.dtype), dims=1)
        return self.synapse.apply_weight(summed, weight, None if bias is None else bias * float(powers.sum()))

    def unit(self, weight: Tensor, bias: Tensor) -> Tensor:
        signed = [(sign * x).clamp(min=0) for sign in (1, -1) for x in (weight, bias)]
        reach = torch.stack([most_into(self.synapse, w) + b for w, b in (signed[:2], signed[2:])]).amax()
        n = most_into(self.synapse, torch.ones_like(weight)).amax()
        room = fixed.VTH_MAX * self.dv / fixed.DECAY_ONE
        terms = (
            weight.abs().amax() / quant.K_MAX / 2,
            reach * (1 + 2**-11) / (room - n - 2).clamp(min=room / 2 - 2),
            bias.abs().amax() * (1 << fixed.ACT_SHIFT) / BIAS_TOP,
        )
        unit = torch.stack(terms).amax()
        return torch.where(unit > 0, unit, torch.ones_like(unit))

    def _forward_integer(self, spikes: Tensor) -> Tensor:
        ints = self.integers()
        with torch.no_grad(), torch.autocast(spikes.device.type, enabled=False):
            integer_rule.check_spikes(spikes)
            a = integer_rule.accumulate(self.synapse, spikes.flatten(0, 1), ints.weight)
            arriving = a.reshape(*spikes.shape[:2], *a.shape[1:])
            bias = ints.bias.reshape(-1, *[1] * (a.dim() - 2))
            neurons = integer_rule.IntegerNeurons(fixed.keep_v(ints.dv), ints.vth, fires=False)
            for step in arriving:
                neurons(step.long(), bias)
            assert isinstance(neurons.v, Tensor)
            return neurons.v.double() * v_unit(ints)

    def _check(self, spikes: Tensor) -> None:
        linear = isinstance(self.synapse, QuantLinear)
        channels = self.synapse.in_features if isinstance(self.synapse, QuantLinear) else self.synapse.in_channels
        if spikes.dim() != (3 if linear else 5) or spikes.shape[2] != channels or not spikes.numel():
            limit = f"(T, B, {channels}{'' if linear else ', h, w'}), none empty"
            raise WrongShape("Integrator", "input shape", got=tuple(spikes.shape), relation="is not", limit=limit)


def v_unit(ints: LayerIntegers) -> float:
    """What a step of v is worth in the float model."""
    return ints.unit / (1 << fixed.ACT_SHIFT)


def most_into(synapse: Synapse, size: Tensor) -> Tensor:
    """`(channels,)`: the most that spikes of all sources bring to a neuron of each output channel.

    Args:
        size: Of each weight, at least 0, in the synapse's shape.
    """
    if not isinstance(synapse, QuantConvTranspose2d):
        return size.flatten(1).sum(1)
    pairs = zip(synapse.kernel_size, synapse.stride, synapse.dilation, strict=True)
    wide = [dilation * (kernel - 1) // stride + 2 for kernel, stride, dilation in pairs]  # every tap meets an input
    full = size.new_ones(1, synapse.in_channels, *wide)
    found = F.conv_transpose2d(full, size, stride=synapse.stride, dilation=synapse.dilation, groups=synapse.groups)
    return found.amax((0, 2, 3))


def _passed_through(x: Tensor, rounded: Tensor) -> Tensor:
    """The rounded values, with the gradient of x."""
    return rounded.to(x.dtype) + (x - x.detach())
