"""What happens to a value that leaves its word."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.errors import OverflowDetected
from spikeport.fixed import Ints
from spikeport.profiles import Profile


@dataclass(frozen=True)
class Guard:
    """Watches over one group during one step: under `strict` it refuses, else it looks away."""

    group: str
    t: int
    profile: Profile

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
