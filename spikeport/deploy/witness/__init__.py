"""Spikes that make a group overflow: a search among a few kinds of input, and every find run again to be sure.

Against a bound that does not fit its word, the search takes the worst neuron of that side and lets each source send
what pushes it there most: `hold` holds some sources and then all of them, `push` follows a sum over past inputs.
It may find nothing where such spikes exist; what it finds has overflowed in `replay`, a second writing of the rules in
the simulator, and is within all that is known of what the sources can send.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.deploy.bounds import Bound, GroupBounds
from spikeport.deploy.witness.candidates import candidates
from spikeport.deploy.witness.cut import Cut, cut_out
from spikeport.deploy.witness.replay import first_overflow
from spikeport.fixed import Ints
from spikeport.neurons import LIF, Group
from spikeport.program import Input, Program

__all__ = ["Witness", "find_witness"]


@dataclass(frozen=True, eq=False)
class Witness:
    """Spikes of a group's sources, and the first overflow under them."""

    program: Program
    """The group alone, its sources as inputs."""
    inputs: Mapping[str, NDArray[np.integer]]
    """`(T, 1, *shape)` for each of them."""
    of_network: bool
    """Whether the sources are inputs of the network; if not, whether it can send these spikes is not decided."""
    what: str
    neuron: int
    step: int

    def network_input(self, program: Program) -> dict[str, NDArray[np.integer]]:
        """The input of the whole network, where the sources are its inputs; the other inputs send nothing."""
        steps = len(next(iter(self.inputs.values())))
        quiet = {i.name: np.full((steps, 1, *i.shape), min(max(0, i.low), i.high)) for i in program.inputs}
        return {**quiet, **self.inputs}


def find_witness(program: Program, found: GroupBounds) -> Witness | None:
    """Spikes under which the group overflows; None if it cannot, or if the search finds none."""
    if found.proven:
        return None
    cut = cut_out(program, found)
    for bound in found.bounds:
        for neuron, sign in _worst(cut.group, found, bound):
            for given in candidates(cut, bound.what, neuron, sign):
                witness = _run(program, cut, given)
                if witness is not None:
                    return witness
    return None


def _run(program: Program, cut: Cut, given: Mapping[str, NDArray[np.integer]]) -> Witness | None:
    """The witness that `(T, n)` values are, up to the step that overflows; None if they are none."""
    inputs = {i.name: np.clip(given[i.name], i.low, i.high) for i in cut.program.inputs}
    place = first_overflow(cut.program, inputs) if cut.allows(inputs) else None
    if place is None:
        return None
    steps = place[2] + place[0].startswith("sum")  # a sum is judged where it arrives, a step later
    shaped = {i.name: _first(inputs[i.name], steps, i).reshape(-1, 1, *i.shape) for i in cut.program.inputs}
    own = {i.name for i in program.inputs}
    return Witness(cut.program, shaped, own >= set(shaped), *place)


def _first(x: NDArray[np.integer], steps: int, entry: Input) -> NDArray[np.integer]:
    """The first steps of `(T, n)` values, in few bytes; what comes after them is silence."""
    x = np.pad(x[:steps], ((0, max(0, steps - len(x))), (0, 0)), constant_values=min(max(0, entry.low), entry.high))
    return x.astype(np.int8 if np.abs(x).max() < 128 else np.int32)


def _worst(group: Group, found: GroupBounds, bound: Bound) -> Iterator[tuple[int, int]]:
    """`(neuron, sign)`: on each side that leaves the word, the neuron that leaves it furthest; then fastest."""
    if bound.word is None:
        return
    for sign, end in ((1, bound.high), (-1, -bound.low)):
        if end.max() > sign * bound.word[0 if sign < 0 else 1]:
            yield int(np.lexsort((_speed(group, found, sign), end))[-1]), sign


def _speed(group: Group, found: GroupBounds, sign: int) -> Ints:
    """What moves each neuron that way in a step, `(n,)`."""
    if isinstance(group, LIF):
        bias = group.bias_mant.astype(np.int64).reshape(-1) << group.bias_exp
        a = found["a"]
        return ((a.high if sign > 0 else -a.low) << fixed.ACT_SHIFT) + sign * bias
    if group.ports == ("a",):
        return found["a"].high if sign > 0 else -found["a"].low
    arrive = [found[f"a_{port}"] for port in group.ports]  # turned round, either sign is the other's
    return np.sum([a.high - a.low for a in arrive], axis=0)
