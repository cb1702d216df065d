"""How far layers leave the chip's words, as a loss term that is 0 where they keep within.

For each layer, with the running statistics of its batch norm, K the largest sum of |weight| into a neuron in units of
its largest weight (so K * 254 is the largest sum of mantissas), and w the sum of negative weights alone likewise:

    u:          254 * 64 * K / 2^23 - 1             what arrives in one step
    v:          254 * 64 * w / (1 - keep) / 2^23 - 1    what inhibition adds up to; above, the threshold ends it
    threshold:  log2(vth / (2^17 - 1)) and log2(1 / vth), in mantissas
    decay:      1 / 4096 - keep and keep - 4095 / 4096, times 4096

Each counts where it is above 0. An image layer has no sum of spikes: its encoder's shift keeps it within.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport import fixed
from spikeport.train import pools, quant
from spikeport.train.fold import fold
from spikeport.train.layer import SpikingLayer

WORD = float(fixed.WRAP_AT)


def excess(model: nn.Module) -> Tensor:
    """The sum over all layers, a scalar; 0 where every layer keeps within its words."""
    found = [layer_excess(layer) for layer in model.modules() if isinstance(layer, SpikingLayer)]
    return torch.stack(found).sum() if found else torch.zeros(())


def layer_excess(layer: SpikingLayer) -> Tensor:
    """A scalar, at least 0, differentiable in weights, batch norm and neuron."""
    folded = fold(layer.synapse, layer.norm, layer.neuron.gain())
    keep, threshold = layer.neuron.keep(), layer.neuron.threshold()
    decay = _above(1 - fixed.DECAY_ONE * keep) + _above(fixed.DECAY_ONE * keep - layer.neuron.keep_max)
    largest = folded.weight.abs().amax().clamp_min(torch.finfo(keep.dtype).tiny)
    if layer.image is not None:
        return decay
    levels = quant.K_MAX // pools.overlap(layer.pool)
    vth = threshold / largest * (2 * levels * pools.divisor(layer.pool))
    words = torch.log2(vth.clamp_min(torch.finfo(keep.dtype).tiny))
    step = 2 * levels * (1 << fixed.ACT_SHIFT) * pools.overlap(layer.pool) / largest
    u = step * layer.synapse.reach(folded.weight)
    v = step * layer.synapse.reach(F.relu(-folded.weight)) / (1 - keep).clamp_min(1 / fixed.DECAY_ONE)
    most = torch.log2(torch.tensor(float(fixed.VTH_MAX)))
    return decay + _above(u / WORD - 1) + _above(v / WORD - 1) + _above(words - most) + _above(-words)


def _above(x: Tensor) -> Tensor:
    return F.relu(x)
