"""`State`: all that a run must know of its past, so that it can be cut in two."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from spikeport.errors import StateMismatch
from spikeport.fixed import Ints
from spikeport.neurons import Group
from spikeport.program import Program
from spikeport.sim.rules import Values

Dendrite: TypeAlias = tuple[str, str]  # (group, port)
Arrivals: TypeAlias = Mapping[int, Ints]  # hardware step -> what one dendrite receives then, (B, n)


@dataclass(frozen=True, eq=False)
class State:
    """Where a run stands after hardware step `t`. All arrays `(B, n)`."""

    t: int
    groups: Mapping[str, Values]
    """The state variables of each group, by their names."""
    arriving: Mapping[Dendrite, Arrivals]
    """Spikes in flight, as what they will add."""
    loaded: Mapping[str, Ints]
    """Bias mantissas that the host loaded last, for each group with an encoder that has had an input."""


def cleared_group(group: Group, batch: int) -> Values:
    return {name: np.zeros((batch, group.size), np.int64) for name in group.variables}


def cleared(program: Program, batch: int) -> State:
    """The state before the first step."""
    return State(
        t=0,
        groups={g.name: cleared_group(g, batch) for g in program.groups},
        arriving={(g.name, port): {} for g in program.groups for port in g.ports},
        loaded={},
    )


def check_state(program: Program, state: State, batch: int) -> None:
    """Raises InputError unless the state is one of this Program and batch."""
    want = cleared(program, batch)
    if _shapes(state) != _shapes(want) or set(state.arriving) != set(want.arriving):
        raise StateMismatch("state", "groups, variables or sizes", relation="are not", limit="those of the program")


def _shapes(state: State) -> dict[tuple[str, str], tuple[int, ...]]:
    return {(n, k): x.shape for n, values in state.groups.items() for k, x in values.items()}
