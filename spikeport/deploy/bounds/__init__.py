"""Which groups cannot overflow, whatever their sources send: bounds that hold under the integer rules.

A source may send any value of its range at any step. What a sigma-delta neuron sends has narrower bounds where it is
itself proven, and stands before its target in the Program; the proofs of the groups before are then a part of the
target's. So what holds for a group here holds in this Program for every input, and, where its sources are inputs or
send spikes, in every network around it. It holds under every profile with these words or wider ones: a value that
never leaves its word is never wrapped or saturated. `strict` and `lava` share their words (a sigma-delta state is held
against the 24 bits of `strict`, not Lava's 32); those of `loihi1` are narrower and proven apart: a has 16 bits, u
stops one short of 2^23, and u + bias is a word too.
The bounds of a group are those of its own rule; that they are too wide for a word does not yet say that any
spikes fill them. `witness` looks for such spikes. One file for each kind of neuron.
"""

from spikeport.deploy.bounds import lif, resonator, sigma_delta
from spikeport.deploy.bounds.base import CEILING, V_WORD, Bound, GroupBounds, Sent
from spikeport.deploy.bounds.sources import of_any, of_input, of_proven
from spikeport.profiles import Profile
from spikeport.program import LIF, Program, Resonator, SigmaDelta
from spikeport.progress import counted

__all__ = ["CEILING", "V_WORD", "Bound", "GroupBounds", "Sent", "prove"]


def prove(program: Program, profile: Profile = "strict") -> tuple[GroupBounds, ...]:
    """The bounds of every group, in the Program's order.

    Args:
        profile: Whose words they are held against: `strict` and `lava`, which share theirs, or `loihi1`.

    Raises:
        ProgramError: the Program has what the profile has no arithmetic for.
    """
    program.check_profile(profile)
    sent = {i.name: of_input(i) for i in program.inputs} | {g.name: of_any(g) for g in program.groups}
    given: list[GroupBounds] = []
    for group in counted(program.groups, "proving", "layers"):
        names = {c.source for c in program.connections if c.target == group.name}
        sources = {name: sent[name] for name in sent if name in names}
        match group:
            case LIF():
                bounds = lif.bounds(program, group, sources, narrow=profile == "loihi1")
            case SigmaDelta():
                bounds = sigma_delta.bounds(program, group, sources)
            case Resonator():
                bounds = resonator.bounds(program, group, sources)
        given.append(GroupBounds(group.name, bounds, sources))
        if given[-1].proven:
            sent[group.name] = of_proven(group, given[-1])
    return tuple(given)
