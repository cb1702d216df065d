"""What happens to a value that leaves its word."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.errors import OverflowDetected
from spikeport.fixed import Ints
from spikeport.neurons import LIF
from spikeport.profiles import Profile


@dataclass(frozen=True)
class Guard:
    """Watches over one group during one step: under `strict` it refuses, else it looks away."""

    group: str
    t: int
    profile: Profile
    integrator: bool = False
    """Whether its v is read and it is not to spike (`Program.integrators`)."""

    def __call__(self, what: str, x: Ints, bad: NDArray[np.bool_], bits: int = fixed.STATE_BITS) -> None:
        """
        Args:
            what: Names the quantity, as in "u".
            x: `(B, n)` values before they are put into their word of `bits` bits.
            bad: Where they do not fit.
        """
        if self.profile == "strict":
            self.refuse(what, x, bad, bits, "lower the weights, or name the profile 'lava' to run as Lava does")

    def refuse(self, what: str, x: Ints, bad: NDArray[np.bool_], bits: int, do: str) -> None:
        """Raises OverflowDetected under every profile, if any is bad."""
        if bad.any():
            _, neuron = np.argwhere(bad)[0]
            where = f"{what} of neuron {neuron} at step {self.t}"
            got = int(x[bad][0])
            raise OverflowDetected(self.group, where, got=got, relation="leaves", limit=f"{bits} bits", do=do)

    def spike(self, v: Ints, s: Ints, lif: LIF) -> None:
        """Raises OverflowDetected if an integrator spikes under `strict`.

        Args:
            v: `(B, n)` before the spike clears it.
            s: `(B, n)` what is sent.
        """
        if not (self.integrator and self.profile == "strict" and s.any()):
            return
        sample, neuron = np.argwhere(s)[0]
        got = int(v[sample, neuron])
        threshold = lif.vth if got > 0 or lif.vth_low is None else lif.vth_low
        limit = f"{threshold << fixed.ACT_SHIFT}, where it spikes and the v that is read is cleared"
        do = "lower the weights, or name the profile 'lava' to run as Lava does"
        where = f"v of neuron {neuron} at step {self.t}"
        raise OverflowDetected(self.group, where, got=got, relation="passes", limit=limit, do=do)
