"""DA-LIF, the neuron of the paper of that name."""

import math

import torch
from torch import Tensor, nn

from spikeport.errors import InputError, UnknownName
from spikeport.train.dynamics import DALIF_DYNAMICS, Dynamics
from spikeport.train.neurons.base import AbstractNeuron, check_learn, check_range, logit


class DALIF(AbstractNeuron):
    """Dual adaptive LIF: learnable input gain alpha and decay beta, one of each per layer.

        V[t] = beta * H[t-1] + alpha * X[t];  S = [V > vth];  H = V * (1 - S)

    (DA-LIF paper, eq. 5 to 9). alpha = tanh(raw), beta = tanh(raw), both raw values start at 1.
    Constrained, `beta = tanh(|raw|) >= 0`.

    Args:
        threshold: Fixed, above 0.
        learn: Which of the two learn: both, alpha, beta or none (the paper's ablation).
        squash: tanh, or sigmoid (its other ablation).
        alpha: Initial value, and the value where it does not learn; squash(1) if None. beta likewise.
    """

    def __init__(
        self,
        threshold: float = 1.0,
        *,
        learn: str = "both",
        squash: str = "tanh",
        alpha: float | None = None,
        beta: float | None = None,
        constrained: bool = True,
        dynamics: Dynamics = DALIF_DYNAMICS,
    ) -> None:
        super().__init__(dynamics, constrained)
        check_range("DALIF", "threshold", threshold, 0, math.inf)
        check_learn("DALIF", learn, ("both", "alpha", "beta", "none"))
        if squash not in ("tanh", "sigmoid"):
            raise UnknownName("DALIF", "squash", got=squash, relation="is not one of", limit="tanh, sigmoid")
        self.squash = squash
        self.alpha = self._scalar("alpha", alpha, learn in ("both", "alpha"))
        self.beta = self._scalar("beta", beta, learn in ("both", "beta"))
        self.register_buffer("vth", torch.tensor(float(threshold)))
        self.vth: Tensor

    def keep(self) -> Tensor:
        return self.beta(nonnegative=self.constrained)

    def threshold(self) -> Tensor:
        return self.vth

    def gain(self) -> Tensor:
        return self.alpha()

    def _scalar(self, name: str, value: float | None, learns: bool) -> "Squashed | Fixed":
        least = 0.0 if name == "beta" and self.constrained or self.squash == "sigmoid" else -1.0
        if value is not None and not least <= value <= 1:
            raise InputError("DALIF", name, got=value, relation="is not in", limit=f"[{least:g}, 1]")
        if not learns:
            return Fixed(value if value is not None else float(_squashed(torch.tensor(1.0), self.squash)))
        if value is None:
            return Squashed(1.0, self.squash)
        check_range("DALIF", f"initial {name}", value, least, 1)
        return Squashed(math.atanh(value) if self.squash == "tanh" else logit(value), self.squash)


class Squashed(nn.Module):
    """A scalar that learns within the range of tanh or sigmoid."""

    def __init__(self, raw: float, squash: str) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.tensor(raw))
        self.squash = squash

    def forward(self, nonnegative: bool = False) -> Tensor:
        return _squashed(self.raw.abs() if nonnegative and self.squash == "tanh" else self.raw, self.squash)


class Fixed(nn.Module):
    """A scalar that does not learn."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.register_buffer("value", torch.tensor(value))
        self.value: Tensor

    def forward(self, nonnegative: bool = False) -> Tensor:
        return self.value


def _squashed(raw: Tensor, squash: str) -> Tensor:
    return torch.tanh(raw) if squash == "tanh" else torch.sigmoid(raw)
