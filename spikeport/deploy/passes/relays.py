"""Delays that a chip's axons do not have become neurons that repeat spikes; so do those of outputs that come early."""

from dataclasses import dataclass, replace
from typing import ClassVar

from spikeport.deploy.maps.base import Identity
from spikeport.deploy.network import Network, Population, Projection, Readout
from spikeport.deploy.nodes import Shape
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.names import free
from spikeport.deploy.passes.repeat import repeater
from spikeport.errors import DelayInvalid, PassError


@dataclass(frozen=True)
class Relays(AbstractPass[Network, Network]):
    name: ClassVar[str] = "relays"

    def run(self, before: Network, options: Options) -> Network:
        start = {name: 1 for name, _ in before.inputs} | {p.name: p.start for p in before.populations}
        chains = _Chains(before, options.chip.max_delay, dict(start))
        projections = [chains.shortened(q) for q in before.projections]
        latency = max([0, *(start[o.source] - 1 - o.lag for o in before.outputs)])
        outputs = tuple(chains.waiting(o, latency) for o in before.outputs)
        populations = tuple(r for name in start for r in chains.after(name, before))
        remarks = before.remarks
        if chains.populations:
            count = sum(p.size for p in chains.populations)
            remarks = (*remarks, f"{len(chains.populations)} relays of {count:,} neurons repeat spikes for balance")
        return replace(
            before,
            populations=populations,
            projections=(*projections, *chains.projections),
            outputs=outputs,
            remarks=remarks,
        )

    def ensures(self, after: Network, options: Options) -> None:
        long = [q for q in after.projections if q.delay > options.chip.max_delay]
        if long:
            raise PassError(self.name, "left a delay", got=f"{long[0].source} -> {long[0].target}: {long[0].delay}")
        start = {p.name: p.start for p in after.populations}
        if len({start[o.source] - 1 - o.lag for o in after.outputs}) > 1:
            raise PassError(self.name, "left outputs at different steps")


class _Chains:
    """One chain of repeaters for each source that must wait, shared by all that hear it late."""

    def __init__(self, network: Network, max_delay: int, start: dict[str, int]) -> None:
        self.network, self.max_delay, self.start = network, max_delay, start
        self.taken = set(start)
        self.hops: dict[str, list[str]] = {}
        self.populations: list[Population] = []
        self.behind: dict[str, list[Population]] = {}
        self.projections: list[Projection] = []

    def shortened(self, q: Projection) -> Projection:
        """The same, from as far down the source's chain as its delay needs; a repeater is one step and its delay."""
        step = 1 + self.max_delay
        count = -(-max(0, q.delay - self.max_delay) // step)
        if not count:
            return q
        return replace(q, source=self._hop(q.source, count, step), delay=q.delay - count * step)

    def waiting(self, o: Readout, latency: int) -> Readout:
        """The output's spikes at `latency`."""
        missing = latency - (self.start[o.source] - 1 - o.lag)
        if not missing:
            return o
        if o.reads == "v":
            do = "compile each output by itself"
            raise DelayInvalid(o.name, "steps before the other outputs", got=missing, relation="exceed", limit=0, do=do)
        return replace(o, source=self._hop(o.source, missing, 1, f"{o.source}.out"))

    def _hop(self, source: str, count: int, step: int, label: str = "") -> str:
        label = label or f"{source}.relay"
        chain = self.hops.setdefault(label, [])
        shape = self._shape(source)
        while len(chain) < count:
            before = chain[-1] if chain else source
            name = free(f"{label}{len(chain) + 1}", self.taken)
            self.taken.add(name)
            self.start[name] = self.start[before] + step
            relay = replace(repeater(name, shape), start=self.start[name])
            self.populations.append(relay)
            self.behind.setdefault(source, []).append(relay)
            self.projections.append(Projection(before, name, Identity(relay.size), delay=step - 1))
            chain.append(name)
        return chain[count - 1]

    def after(self, name: str, network: Network) -> list[Population]:
        """The population of that name, none for an input, and the repeaters of its spikes: data-flow order."""
        return [p for p in network.populations if p.name == name] + self.behind.get(name, [])

    def _shape(self, source: str) -> Shape:
        return self.network.shape_of(source)
