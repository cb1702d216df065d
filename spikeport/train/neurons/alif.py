"""ALIF, the neuron of the TAID paper."""

import torch
from torch import Tensor, nn

from spikeport.train.dynamics import ALIF_DYNAMICS, Dynamics
from spikeport.train.neurons.base import AbstractNeuron, Positive, check_learn, check_range, logit


class ALIF(AbstractNeuron):
    """Adaptive LIF: learnable decay tau and threshold, one of each per layer.

        u[t+1] = tau * u[t] * (1 - o[t]) + x[t+1];  o = [u > Vth]

    (TAID paper, eq. 5 and 6). Gradients as its eq. 7 to 9: rectangular surrogate, reset detached. tau = sigmoid(raw);
    Vth = softplus(raw), or raw itself where unconstrained. Initial values: its Table 7. It gives no width.

    Args:
        tau: Initial decay in (0, 1).
        threshold: Initial threshold above 0.
        learn: Which of the two learn: both, tau, threshold or none (Table 7's fixed rows).
    """

    def __init__(
        self,
        tau: float = 0.25,
        threshold: float = 0.2,
        *,
        learn: str = "both",
        constrained: bool = True,
        dynamics: Dynamics = ALIF_DYNAMICS,
    ) -> None:
        super().__init__(dynamics, constrained)
        check_range("ALIF", "tau", tau, 0, 1)
        check_learn("ALIF", learn, ("both", "tau", "threshold", "none"))
        self.tau_raw = nn.Parameter(torch.tensor(logit(tau)), requires_grad=learn in ("both", "tau"))
        self.vth = Positive("ALIF", threshold, learn in ("both", "threshold"), constrained)

    def keep(self) -> Tensor:
        return torch.sigmoid(self.tau_raw)

    def threshold(self) -> Tensor:
        return self.vth()

    def gain(self) -> Tensor:
        return torch.ones_like(self.tau_raw)
