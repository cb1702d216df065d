"""What a neuron group did, step by step; the simulators give it, and Lava's worker does too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Trace:
    """One group after each hardware step, integers `(T + latency, B, *shape)`.

    Lava's runtime gives the state after the last step only, but for v that an output reads.
    """

    state: Mapping[str, NDArray[Any]]
    """By the names of the group's `variables`: u and v of a `LIF`."""
    s: NDArray[Any]
    """What was sent: 0 and 1, or payloads."""

    @property
    def u(self) -> NDArray[Any]:
        """Current of a `LIF`; KeyError of another kind."""
        return self.state["u"]

    @property
    def v(self) -> NDArray[Any]:
        """Membrane of a `LIF`; KeyError of another kind."""
        return self.state["v"]
