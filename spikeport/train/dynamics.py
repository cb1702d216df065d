"""How a neuron's membrane moves: its surrogate gradient and its reset. Static, shared by all kernels.

    v[t] = keep * h[t-1] + x[t];   s[t] = [v[t] > threshold];   h[t] = v[t] (1 - s[t])  or  v[t] - s[t] threshold

The comparison is strict, as on Loihi.
"""

import math
from dataclasses import dataclass
from typing import Literal

from spikeport.errors import InputError, UnknownName


@dataclass(frozen=True)
class Surrogate:
    """ds/dv, with x = v - threshold, or x = v where it is centred on zero; its integral is 1.

        rectangular: (1 / width) [|x| < width / 2]        ALIF eq. 7, DA-LIF section III
        atan:        (1 / width) / (1 + (pi x / width)^2)  PLIF's; its alpha is 2 / width

    ds/dthreshold is -ds/dv. FSVAE's and ESVAE's published code centres a window of width 1 on zero.
    """

    shape: Literal["rectangular", "atan"] = "rectangular"
    width: float = 1.0
    centre: Literal["threshold", "zero"] = "threshold"

    def __post_init__(self) -> None:
        for name, known in (("shape", ("rectangular", "atan")), ("centre", ("threshold", "zero"))):
            if getattr(self, name) not in known:
                got = getattr(self, name)
                raise UnknownName("Surrogate", name, got=got, relation="is not one of", limit=", ".join(known))
        if not 0 < self.width < math.inf:
            raise InputError("Surrogate", "width", got=self.width, relation="is not in", limit="(0, inf)")


@dataclass(frozen=True)
class Dynamics:
    """What a membrane does at a spike, forward and backward."""

    surrogate: Surrogate = Surrogate()
    reset: Literal["zero", "subtract"] = "zero"
    """Whether a spike sets v to 0, or takes the threshold off (soft reset)."""
    detach_reset: bool = True
    """Whether the reset's spike passes no gradient (ALIF eq. 8), or does (DA-LIF eq. 10)."""

    def __post_init__(self) -> None:
        if self.reset not in ("zero", "subtract"):
            raise UnknownName("Dynamics", "reset", got=self.reset, relation="is not one of", limit="zero, subtract")


ALIF_DYNAMICS = Dynamics()
"""Its eq. 7 to 9, with a window of width 1: the paper gives none."""
DALIF_DYNAMICS = Dynamics(detach_reset=False)
"""Its eq. 10 differentiates through the reset; a window of width 1 around the threshold."""
PLIF_DYNAMICS = Dynamics(Surrogate("atan"))
