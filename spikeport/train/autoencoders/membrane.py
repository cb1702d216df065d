"""The membrane readout in float: a leaky integrator without spikes, read after the last step (FSVAE, ESVAE)."""

import torch
from torch import Tensor, nn

from spikeport.train.synapses import QuantConvTranspose2d

KEEP = 0.8


class Membrane(nn.Module):
    """Spikes `(T, B, ...)` to sum_t keep^(T-1-t) y[t], y[t] what the synapse makes of the spikes of step t.

    The synapse is linear, so the spikes are added up first and it runs once.
    """

    def __init__(self, synapse: QuantConvTranspose2d, keep: float = KEEP) -> None:
        super().__init__()
        self.synapse = synapse
        self.keep = keep

    def forward(self, spikes: Tensor) -> Tensor:
        """`(T, B, c', h, w)` to `(B, c, h, w)`."""
        x = spikes.to(self.synapse.weight.dtype)
        share = self.keep ** torch.arange(len(x) - 1, -1, -1, dtype=x.dtype, device=x.device)
        total = torch.einsum("t,t...->...", share, x)
        bias = None if self.synapse.bias is None else self.synapse.bias * share.sum()
        return self.synapse.apply_weight(total, self.synapse.weight, bias)
