"""PLIF, whose membrane's time constant learns."""

import math

import torch
from torch import Tensor, nn

from spikeport.train.dynamics import PLIF_DYNAMICS, Dynamics
from spikeport.train.neurons.base import AbstractNeuron, check_range, logit


class PLIF(AbstractNeuron):
    """Parametric LIF: v[t] = h[t-1] + k (x[t] - h[t-1]), k = sigmoid(w), one w per layer (Fang et al., ICCV 2021).

    So it keeps 1 - k, and its gain is k. ATan surrogate, reset detached, as in its authors' experiments.

    Args:
        tau: Initial time constant in steps, above 1; k starts at 1 / tau.
        threshold: Fixed, above 0.
        decay_input: Whether k stands before the input as well; else the gain is 1.
    """

    def __init__(
        self,
        tau: float = 2.0,
        threshold: float = 1.0,
        *,
        decay_input: bool = True,
        dynamics: Dynamics = PLIF_DYNAMICS,
    ) -> None:
        super().__init__(dynamics)
        check_range("PLIF", "tau", tau, 1, math.inf)
        check_range("PLIF", "threshold", threshold, 0, math.inf)
        self.k_raw = nn.Parameter(torch.tensor(logit(1 / tau)))
        self.decay_input = decay_input
        self.register_buffer("vth", torch.tensor(float(threshold)))
        self.vth: Tensor

    def keep(self) -> Tensor:
        return torch.sigmoid(-self.k_raw)

    def threshold(self) -> Tensor:
        return self.vth

    def gain(self) -> Tensor:
        return torch.sigmoid(self.k_raw) if self.decay_input else torch.ones_like(self.k_raw)
