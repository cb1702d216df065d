"""`ImageGroup`: the first layer of an image, encoded by the host; a layer of a `SpikingNetwork`."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from spikeport import fixed
from spikeport.errors import LayerInvalid, ProgramUntrainable
from spikeport.program import Input, Shape
from spikeport.train import integer_rule, quant
from spikeport.train.group import GroupIntegers, for_synapse
from spikeport.train.neurons import AbstractNeuron
from spikeport.train.synapses import QuantConv2d, QuantLinear

OFFSET_EXACT = 1 << 22
"""Offsets below it come through a file of float32 as they are; larger ones lose their last bits (`coarse_offset`)."""


class ImageGroup(nn.Module):
    """Integers of an input -> synapse -> the neurons' bias -> spikes; the synapse runs on the host.

    The rule is that of a `SpikingLayer` with an image: k = round(w / lsb) with lsb = max|w| / 127, and the least shift
    with which no image leaves the bias mantissa.

    Args:
        source: The input; its range decides the shift.
        scale: What 1 of the input is worth.
    """

    def __init__(
        self,
        name: str,
        shape: Shape,
        source: Input,
        synapse: QuantConv2d | QuantLinear,
        neuron: AbstractNeuron,
        *,
        scale: float,
    ) -> None:
        super().__init__()
        if synapse.bias is None:
            raise LayerInvalid(name, "synapse", relation="has no", limit="bias", do="build it with bias=True")
        self.name = name
        self.shape = shape
        self.sources = (source.name,)
        self.low, self.high, self.scale = source.low, source.high, scale
        self.synapse = synapse
        self.neuron = neuron

    def forward(self, sources: Mapping[str, Tensor]) -> Tensor:
        """`(T, B, *in)` integers in [low, high] to `(T, B, *shape)` spikes."""
        x = sources[self.sources[0]]
        return self._forward_rounded(x) if self.training else self._forward_integer(x)

    def integers(self) -> GroupIntegers:
        """The group as host and chip hold it; ExportError where they cannot."""
        with torch.no_grad():
            weight, bias = self.synapse.weight.double(), self._bias().double()
            quant.legal_weight(self.name, weight, bias)
            lsb = quant.weight_lsb(weight)
            k = torch.round(weight / lsb).long()
            if not k.any():
                do = "train again with a lower learning rate"
                raise ProgramUntrainable(self.name, "weights", relation="are all zero, and set no scale", do=do)
            offset = quant.legal_offset(self.name, bias / (lsb * self.scale))
            shift = quant.encoder_shift(k, offset, self.low, self.high)
            if int(offset.abs().amax()) >= OFFSET_EXACT:
                offset, shift = quant.coarse_offset(k, offset, self.low, self.high)
            unit = lsb * self.scale * 2.0**shift
            dv = quant.legal_decay(self.name, self.neuron.keep().double(), self.neuron.keep_max)
            vth = quant.legal_threshold(self.name, self.neuron.threshold().double(), unit)
            return GroupIntegers((k,), offset, fixed.ACT_SHIFT, dv, vth, float(unit), shift)

    def _forward_rounded(self, x: Tensor) -> Tensor:
        weight, bias = self.synapse.weight, self._bias()
        lsb = quant.weight_lsb(weight)
        with torch.no_grad():
            k, offset = torch.round(weight / lsb), torch.round(bias / (lsb * self.scale))
            unit = lsb * self.scale * 2.0 ** quant.encoder_shift(k, offset, self.low, self.high)
        merged = for_synapse(self.synapse, x.flatten(0, 1)).to(weight.dtype) * self.scale
        current = self.synapse.apply_weight(merged, quant.round_ste(weight / lsb) * lsb, bias)
        current = quant.round_ste(current.reshape(*x.shape[:2], *self.shape) / unit) * unit
        keep = quant.quantize_keep(self.neuron.keep(), self.neuron.keep_max)
        spikes: Tensor = self.neuron(current, keep, quant.quantize_threshold(self.neuron.threshold(), unit))
        return spikes

    def _forward_integer(self, x: Tensor) -> Tensor:
        ints = self.integers()
        with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
            offset = ints.bias.reshape(-1, *[1] * (self.synapse.weight.dim() - 2))
            merged = for_synapse(self.synapse, x.flatten(0, 1))
            mant = integer_rule.encode(self.synapse, merged, ints.weights[0], offset, ints.encoder_shift or 0)
            bias = (mant << ints.bias_exp).reshape(*x.shape[:2], *self.shape)
            spikes = integer_rule.fire(torch.zeros_like(bias), bias, ints.dv, ints.vth)
            return spikes.to(self.synapse.weight.dtype)

    def _bias(self) -> Tensor:
        assert self.synapse.bias is not None
        return self.synapse.bias
