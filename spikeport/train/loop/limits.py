"""How far layers leave the chip's words, as a loss term that is 0 where they keep within.

For each layer, with the running statistics of its batch norm, its weights as mantissas on its own grid, and what a
step keeps of v:

    u:          64 max_c sum |w_c| / 2^23 - 1                         what can arrive in one step
    v:          64 max_c sum |w_c, negative| / (1 - keep) / 2^23 - 1  what inhibition adds up to; the threshold ends
                                                                      what grows the other way
    threshold:  log2(vth / (2^17 - 1)) and log2(1 / vth), vth in mantissas
    decay:      1 - 4096 keep, and 4096 keep - 4095

Each counts where it is above 0. Of an image layer only the decay counts: its encoder's shift keeps sums within.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport import fixed
from spikeport.train.branch import Branch
from spikeport.train.layer import SpikingLayer
from spikeport.train.scale import grid_of

WORD = float(fixed.WRAP_AT)


def excess(model: nn.Module) -> Tensor:
    """The sum over all layers, a scalar; 0 where every layer keeps within its words."""
    found = [layer_excess(layer) for layer in model.modules() if isinstance(layer, SpikingLayer)]
    return torch.stack(found).sum() if found else torch.zeros(())


def layer_excess(layer: SpikingLayer) -> Tensor:
    """A scalar, at least 0, differentiable in weights, batch norm and neuron."""
    keep = layer.neuron.keep()
    decay = F.relu(1 - fixed.DECAY_ONE * keep) + F.relu(fixed.DECAY_ONE * keep - layer.neuron.keep_max)
    if layer.image is not None:
        return decay
    weights = [branch.fold(layer.neuron.gain()).weight for branch in layer.branches]
    largest = weights[0].abs().amax()
    with torch.no_grad():
        found = [weight.abs().amax() for weight in weights]
        grid = grid_of(found, [b.levels for b in layer.branches], [b.divisor for b in layer.branches])
        tiny = torch.finfo(keep.dtype).tiny
        per_weight = grid.unit / largest.clamp_min(tiny)
    unit = (per_weight * largest).clamp_min(tiny)  # the unit, with the gradient of the largest weight
    arriving = torch.stack([_arriving(b, w) for b, w in zip(layer.branches, weights, strict=True)]).sum(0)
    u, v = (1 << fixed.ACT_SHIFT) * arriving / unit / WORD
    v = v / (1 - keep).clamp_min(1 / fixed.DECAY_ONE)
    vth = torch.log2((layer.neuron.threshold() / unit).clamp_min(tiny))
    over = torch.stack([u - 1, v - 1, vth - torch.log2(torch.full_like(vth, fixed.VTH_MAX)), -vth])
    return decay + F.relu(over).sum()


def _arriving(branch: nn.Module, weight: Tensor) -> Tensor:
    """The most that spikes bring in one step, in absolute weights: of all of them, and of the negative ones, `(2,)`."""
    if not isinstance(branch, Branch):
        return torch.stack([weight.abs(), F.relu(-weight)])
    return torch.stack([branch.synapse.reach(weight), branch.synapse.reach(F.relu(-weight))])
