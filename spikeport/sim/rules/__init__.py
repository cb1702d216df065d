"""The neurons' rules, one file per kind, each a pure function `(state, inputs) -> (state, sent)`."""

from collections.abc import Mapping

from spikeport.fixed import Ints
from spikeport.neurons import LIF, Group, Resonator, SigmaDelta
from spikeport.sim.guard import Guard
from spikeport.sim.rules import lif, resonator, sigma_delta

Values = Mapping[str, Ints]  # arrays `(B, n)` by name: the state variables of a group, or what enters it


def step(group: Group, state: Values, inputs: Values, guard: Guard) -> tuple[Values, Ints]:
    """One step of one group.

    Args:
        inputs: What arrives at each of the group's ports; for a `LIF` also `bias`, in units of v.
    """
    match group:
        case LIF():
            return lif.step(group, state, inputs, guard)
        case SigmaDelta():
            return sigma_delta.step(group, state, inputs, guard)
        case Resonator():
            return resonator.step(group, state, inputs, guard)
