"""Adaptive neurons: parameters, their legal ranges, and the float recurrence.

A neuron holds one learnable pair of scalars per layer. What the chip cannot hold
(a negative decay, a threshold of 0 or less) is kept out by construction;
`constrained=False` trains the paper's form instead, and export then refuses illegal values.
"""

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport import fixed
from spikeport.errors import InputError
from spikeport.train.surrogate import spike


class AbstractNeuron(nn.Module, ABC):
    """v[t] = keep * v[t-1] * (1 - s[t-1]) + gain * x[t];  s[t] = [v[t] > threshold]."""

    keep_max: ClassVar[int] = fixed.DECAY_ONE - 1
    """The largest `keep` on its grid, in 1/4096."""

    def __init__(self, width: float, constrained: bool, detach_reset: bool) -> None:
        super().__init__()
        if not 0 < width < math.inf:
            raise InputError(type(self).__name__, "width", got=width, relation="is not in", limit="(0, inf)")
        self.width = width
        self.constrained = constrained
        self.detach_reset = detach_reset

    @abstractmethod
    def keep(self) -> Tensor:
        """What a step keeps of the membrane; scalar, in [0, 1] if constrained."""

    @abstractmethod
    def threshold(self) -> Tensor:
        """Scalar, above 0 if constrained."""

    @abstractmethod
    def gain(self) -> Tensor:
        """Factor on the input current; scalar."""

    def forward(self, current: Tensor, keep: Tensor | None = None, threshold: Tensor | None = None) -> Tensor:
        """The float recurrence over the first axis.

        Args:
            current: `(T, ...)`, the gain already applied.
            keep: Replaces `keep()`, for a quantized one; the threshold likewise.

        Returns:
            Spikes, 0 or 1, in the shape and type of `current`.
        """
        keep = self.keep() if keep is None else keep
        threshold = self.threshold() if threshold is None else threshold
        v = torch.zeros_like(current[0])
        spikes = []
        for x in current:
            v = keep * v + x
            s = spike(v - threshold, self.width)
            spikes.append(s)
            v = v * (1 - (s.detach() if self.detach_reset else s))
        return torch.stack(spikes)


class ALIF(AbstractNeuron):
    """Adaptive LIF: learnable decay tau and threshold, one of each per layer.

    u[t+1] = tau * u[t] * (1 - o[t]) + x[t+1];  o = [u > Vth]  (TAID paper, eq. 5 and 6).
    Gradients as its eq. 7 to 9: rectangular surrogate, reset detached. tau = sigmoid(raw);
    Vth = softplus(raw), or raw itself where unconstrained. Initial values: its Table 7.

    Args:
        tau: Initial decay in (0, 1).
        threshold: Initial threshold above 0.
        width: Width of the surrogate; the paper gives none.
        learnable: Whether tau and threshold learn.
    """

    def __init__(
        self,
        tau: float = 0.25,
        threshold: float = 0.2,
        width: float = 1.0,
        *,
        learnable: bool = True,
        constrained: bool = True,
    ) -> None:
        super().__init__(width, constrained, detach_reset=True)
        if not 0 < tau < 1:
            raise InputError("ALIF", "tau", got=tau, relation="is not in", limit="(0, 1)")
        if not 0 < threshold < math.inf:
            raise InputError("ALIF", "threshold", got=threshold, relation="is not in", limit="(0, inf)")
        raw = _inverse_softplus(threshold) if constrained else threshold
        self.tau_raw = nn.Parameter(torch.tensor(math.log(tau / (1 - tau))), requires_grad=learnable)
        self.threshold_raw = nn.Parameter(torch.tensor(raw), requires_grad=learnable)

    def keep(self) -> Tensor:
        return torch.sigmoid(self.tau_raw)

    def threshold(self) -> Tensor:
        return _softplus(self.threshold_raw) if self.constrained else self.threshold_raw

    def gain(self) -> Tensor:
        return torch.ones_like(self.tau_raw)


class IF(AbstractNeuron):
    """Integrate-and-fire with a learnable threshold, one per layer: nothing leaks, dv is 0.

    Args:
        threshold: Initial threshold above 0.
        width: Width of the surrogate.
    """

    keep_max = fixed.DECAY_ONE

    def __init__(self, threshold: float = 1.0, width: float = 1.0) -> None:
        super().__init__(width, constrained=True, detach_reset=True)
        if not 0 < threshold < math.inf:
            raise InputError("IF", "threshold", got=threshold, relation="is not in", limit="(0, inf)")
        self.threshold_raw = nn.Parameter(torch.tensor(_inverse_softplus(threshold)))

    def keep(self) -> Tensor:
        return torch.ones_like(self.threshold_raw)

    def threshold(self) -> Tensor:
        return _softplus(self.threshold_raw)

    def gain(self) -> Tensor:
        return torch.ones_like(self.threshold_raw)


class DALIF(AbstractNeuron):
    """Dual adaptive LIF: learnable input gain alpha and decay beta, one of each per layer.

    V[t] = beta * H[t-1] + alpha * X[t];  S = [V > vth];  H = V * (1 - S)  (DA-LIF paper, eq. 5 to 9).
    alpha = tanh(raw), beta = tanh(raw), both raw values start at 1. Constrained, beta = tanh(|raw|) >= 0.
    The reset is not detached (its eq. 10).

    Args:
        threshold: Fixed, above 0.
        width: Width of the surrogate around the threshold.
    """

    def __init__(self, threshold: float = 1.0, width: float = 1.0, *, constrained: bool = True) -> None:
        super().__init__(width, constrained, detach_reset=False)
        if not 0 < threshold < math.inf:
            raise InputError("DALIF", "threshold", got=threshold, relation="is not in", limit="(0, inf)")
        self.alpha_raw = nn.Parameter(torch.tensor(1.0))
        self.beta_raw = nn.Parameter(torch.tensor(1.0))
        self.register_buffer("vth", torch.tensor(float(threshold)))
        self.vth: Tensor

    def keep(self) -> Tensor:
        return torch.tanh(self.beta_raw.abs() if self.constrained else self.beta_raw)

    def threshold(self) -> Tensor:
        return self.vth

    def gain(self) -> Tensor:
        return torch.tanh(self.alpha_raw)


def _softplus(raw: Tensor) -> Tensor:
    return F.softplus(raw) + torch.finfo(raw.dtype).tiny  # softplus(-200) is 0


def _inverse_softplus(value: float) -> float:
    return value + math.log(-math.expm1(-value))
