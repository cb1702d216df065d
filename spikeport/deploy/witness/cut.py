"""A group cut out of its Program, and what its sources may send there."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.deploy.bounds import GroupBounds, Sent
from spikeport.neurons import Group
from spikeport.program import Input, Output, Program


@dataclass(frozen=True, eq=False)
class Cut:
    """One group as a Program, each of its sources an input."""

    program: Program
    sent: Mapping[str, Sent]
    """What each of the sources can send, by the input's name, within the words of `strict`; no inputs of encoders."""

    @property
    def group(self) -> Group:
        return self.program.groups[0]

    def allows(self, inputs: Mapping[str, NDArray[np.integer]]) -> bool:
        """Whether the sources can send `(T, n)` values, by all that is known of them here."""
        for name, sent in self.sent.items():
            x = inputs[name].astype(np.int64)
            if (x < sent.low).any() or (x > sent.high).any():
                return False
            if sent.total is not None:
                so_far = np.cumsum(x, axis=0)
                if (so_far < sent.total[0]).any() or (so_far > sent.total[1]).any():
                    return False
        return True


def cut_out(program: Program, found: GroupBounds) -> Cut:
    """The group alone: each of its sources becomes an input, itself as `NAME_loop`."""
    group = program.group(found.group)
    entries = {i.name: i for i in program.inputs}
    names = {name: f"{name}_loop" if name == group.name else name for name in found.sources}
    sent = {names[name]: _within_words(of) for name, of in found.sources.items()}
    inputs = [entries[name] for name in found.sources if name in entries]
    for name in (name for name in found.sources if name not in entries):
        source, of = program.group(name), sent[names[name]]
        low, high = min(int(of.low.min()), 0), max(int(of.high.max()), 1)
        graded = Input(names[name], source.shape, "graded", low, high)
        inputs.append(graded if source.signed else Input(names[name], source.shape, "spike"))
    encoders = tuple(e for e in program.encoders if e.synapses.target == group.name)
    inputs += [entries[e.synapses.source] for e in encoders]
    links = tuple(replace(c, source=names[c.source]) for c in program.connections if c.target == group.name)
    alone = Program(
        groups=(group,),
        connections=links,
        inputs=tuple(inputs) or program.inputs[:1],
        outputs=(Output("y", group.name, reads="v" if group.name in program.read_v else "s"),),
        encoders=encoders,
        chip=program.chip,
    )
    return Cut(alone, sent)


def _within_words(sent: Sent) -> Sent:
    """Under `strict` no payload leaves 24 bits, or the run has ended there."""
    low, high = (np.clip(x, -fixed.PAYLOAD_MAX, fixed.PAYLOAD_MAX) for x in (sent.low, sent.high))
    return Sent(low, high, sent.total)
