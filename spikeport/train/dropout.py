"""Dropout of spikes: one mask for all steps of a sample."""

import torch
from torch import Tensor, nn

from spikeport.errors import InputError


class SpikeDropout(nn.Module):
    """Silences neurons for a whole sample in training mode, and scales what is left (PLIF's and ALIF's networks).

    Args:
        p: Probability of silence, in [0, 1).
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise InputError("SpikeDropout", "p", got=p, relation="is not in", limit="[0, 1)")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """`(T, B, ...)` to the same shape; in eval mode x itself."""
        if not self.training or not self.p:
            return x
        mask = torch.empty_like(x[0]).bernoulli_(1 - self.p).div_(1 - self.p)
        return x * mask
