"""What the last spikes come to: `Vote` counts spikes, `Readout` weighs them; both end in one number for each class."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from spikeport import fixed
from spikeport.errors import InputError, WrongShape
from spikeport.train import integer_rule, quant
from spikeport.train.quant import LayerIntegers
from spikeport.train.synapses import QuantLinear, Synapse, channels_of


class Vote(nn.Module):
    """Output spikes `(T, B, n)` to rates `(B, classes)`: mean over time and equal blocks of neurons.

    The boosting layer of ALIF's networks (its Table 8, average pooling of the outputs); runs on the host.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        if classes < 1:
            raise InputError("Vote", "classes", got=classes, relation="is not above", limit=0)
        self.classes = classes

    def forward(self, spikes: Tensor) -> Tensor:
        """`(T, B, n)` to `(B, classes)`: the mean over steps and neurons of a class. WrongShape for any other input."""
        if spikes.dim() != 3:
            got, do = tuple(spikes.shape), "put nn.Flatten(2) before it"
            raise WrongShape("Vote", "input shape", got=got, relation="does not have", limit="3 axes, (T, B, n)", do=do)
        if spikes.shape[-1] % self.classes:
            raise WrongShape(
                "Vote", "output neurons", got=spikes.shape[-1], relation="do not divide by classes", limit=self.classes
            )
        return spikes.reshape(*spikes.shape[:-1], self.classes, -1).sum((0, -1)) * self.classes / spikes[:, 0].numel()


class AbstractMembraneReadout(nn.Module, ABC):
    """A synapse, and neurons that never fire: their v is what is read.

    `unit` is what weight mantissa 1, 64 steps of v, is worth; with it v stays within its word whatever comes.
    Weight mantissas are even, `2 round(w / 2 unit)`.
    """

    def __init__(self, synapse: Synapse, *, quantize: bool = True) -> None:
        super().__init__()
        self.synapse = synapse
        self.quantize = quantize

    @property
    @abstractmethod
    def dv(self) -> int:
        """What v forgets in a step, in 1/4096."""

    @abstractmethod
    def unit(self, weight: Tensor, bias: Tensor) -> Tensor:
        """A scalar; of a weight in the synapse's shape and a bias `(channels,)`."""

    def integers(self) -> LayerIntegers:
        """The layer as the chip holds it; weight in the synapse's shape."""
        with torch.no_grad():
            weight, given = self.synapse.weight.double(), self.synapse.bias
            bias = weight.new_zeros(channels_of(self.synapse)) if given is None else given.double()
            quant.legal_weight(type(self).__name__, weight, bias)
            unit = self.unit(weight, bias)
            k = torch.round(weight / (2 * unit)).long()
            step, exp = quant.bias_step(bias, unit)
            mant = torch.round(bias / step).clamp(-fixed.BIAS_MANT_MAX, fixed.BIAS_MANT_MAX).long()
            return LayerIntegers(2 * k, mant << exp, exp, self.dv, fixed.VTH_MAX, float(unit))


class Readout(AbstractMembraneReadout):
    """Spikes to logits: a linear layer, averaged over time and over places (DA-LIF's networks, as MPBN's).

    On the chip it is neurons that never fire and forget at each step, one for each class and place; the host adds up
    their v. So the average over places costs no bit of the weights, and v stays within its word whatever comes:

        unit = max(max|w| / 127 / 2, max_c (sum_i |w_ci| + |b_c|) / (VTH_MAX - n - 2) (1 + 1/2048))      n inputs
        k    = round(w / 2 unit), mantissa 2 k;  v[t] = v[t-1] >> 12 + (sum k s[t] << 6) + bias

    Args:
        synapse: From channels to classes.
    """

    dv = fixed.DECAY_ONE - 1
    synapse: QuantLinear

    def __init__(self, synapse: QuantLinear, *, quantize: bool = True) -> None:
        super().__init__(synapse, quantize=quantize)

    def forward(self, spikes: Tensor) -> Tensor:
        """`(T, B, channels, *places)` to `(B, classes)`; quantized in eval mode: the chip's mean v, in float64.

        Raises:
            InputError: other channels than the synapse's.
        """
        if spikes.dim() < 3 or spikes.shape[2] != self.synapse.in_features:
            limit = f"(T, B, {self.synapse.in_features}, ...)"
            raise WrongShape("Readout", "input shape", got=tuple(spikes.shape), relation="is not", limit=limit)
        if self.quantize and not self.training:
            return self._forward_integer(spikes)
        weight: Tensor = self.synapse.weight
        bias: Tensor | None = self.synapse.bias
        if self.quantize:
            unit = self.unit(weight.detach(), weight.new_zeros(len(weight)) if bias is None else bias.detach())
            weight = quant.round_ste(weight / (2 * unit)) * (2 * unit)
            bias = None if bias is None else quant.quantize_bias(bias, unit)
        mean = spikes.to(weight.dtype).flatten(3).mean((0, 3)) if spikes.dim() > 3 else spikes.to(weight.dtype).mean(0)
        return self.synapse.apply_weight(mean, weight, bias)

    def unit(self, weight: Tensor, bias: Tensor) -> Tensor:
        reach = weight.abs().sum(1) + bias.abs()
        room = fixed.VTH_MAX - weight.shape[1] - 2  # what rounding adds to the sum of weights, and to the bias
        return torch.maximum(quant.weight_lsb(weight) / 2, reach.amax() * (1 + 2**-11) / room)

    def _forward_integer(self, spikes: Tensor) -> Tensor:
        ints = self.integers()
        with torch.no_grad(), torch.autocast(spikes.device.type, enabled=False):
            integer_rule.check_spikes(spikes)
            x = spikes.flatten(3).movedim(3, 2) if spikes.dim() > 3 else spikes[:, :, None]
            a = integer_rule.accumulate(self.synapse, x.reshape(-1, x.shape[-1]), ints.weight).long()
            neurons = integer_rule.IntegerNeurons(fixed.keep_v(ints.dv), ints.vth, fires=False)
            total = torch.zeros((), dtype=torch.long, device=spikes.device)
            for arriving in a.reshape(*x.shape[:3], -1):
                neurons(arriving, ints.bias)
                assert isinstance(neurons.v, Tensor)
                total = total + neurons.v.sum(1)
            return total.double() * (ints.unit / (1 << fixed.ACT_SHIFT) / (x.shape[0] * x.shape[2]))
