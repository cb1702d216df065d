"""LIF with nothing to learn, and IF."""

import math

import torch
from torch import Tensor

from spikeport import fixed
from spikeport.errors import InputError
from spikeport.train.dynamics import ALIF_DYNAMICS, Dynamics
from spikeport.train.neurons.base import AbstractNeuron, Positive, check_range


class LIF(AbstractNeuron):
    """u[t+1] = tau * u[t] * (1 - o[t]) + x[t+1];  o = [u > Vth], with fixed tau and Vth.

    The neuron of FSVAE, ESVAE and TAID (ESVAE eq. 1 and 2, with their code's tau * u) and the baseline of the others.

    Args:
        tau: Decay in [0, 1].
        threshold: Above 0.
    """

    def __init__(self, tau: float = 0.25, threshold: float = 0.2, *, dynamics: Dynamics = ALIF_DYNAMICS) -> None:
        super().__init__(dynamics)
        if not 0 <= tau <= 1:
            raise InputError("LIF", "tau", got=tau, relation="is not in", limit="[0, 1]")
        check_range("LIF", "threshold", threshold, 0, math.inf)
        self.register_buffer("tau", torch.tensor(float(tau)))
        self.register_buffer("vth", torch.tensor(float(threshold)))
        self.tau: Tensor
        self.vth: Tensor

    def keep(self) -> Tensor:
        return self.tau

    def threshold(self) -> Tensor:
        return self.vth

    def gain(self) -> Tensor:
        return torch.ones_like(self.tau)


class IF(AbstractNeuron):
    """Integrate-and-fire with a learnable threshold, one per layer: nothing leaks, dv is 0.

    Args:
        threshold: Initial threshold above 0.
    """

    keep_max = fixed.DECAY_ONE

    def __init__(self, threshold: float = 1.0, *, dynamics: Dynamics = ALIF_DYNAMICS) -> None:
        super().__init__(dynamics)
        self.vth = Positive("IF", threshold, learns=True, constrained=True)

    def keep(self) -> Tensor:
        return torch.ones_like(self.vth.raw)

    def threshold(self) -> Tensor:
        return self.vth()

    def gain(self) -> Tensor:
        return torch.ones_like(self.vth.raw)
