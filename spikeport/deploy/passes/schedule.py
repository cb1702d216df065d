"""When each population sees a sample's first input, and how long shortcuts wait for longer paths.

A spike input sends at hardware step 1; every connection takes one step. A population that is loaded
with an image's bias starts at step 1 itself. State is cleared at the start, so a bias that ran before
it leaves no trace; where paths of unequal length meet, the shorter ones are delayed.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from spikeport.deploy.network import Network
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.errors import PassError, RuleError


@dataclass(frozen=True)
class Schedule(AbstractPass[Network, Network]):
    name: ClassVar[str] = "schedule"

    def run(self, before: Network, options: Options) -> Network:
        # a bias input is in its target at once, so it counts as if it had been sent one step earlier
        start = {name: 0 if options.input == "bias" else 1 for name, _ in before.inputs}
        for population in before.populations:
            start[population.name] = 1 + max(start[p.source] for p in before.into(population.name))
        populations = tuple(replace(p, start=start[p.name]) for p in before.populations)
        projections = tuple(replace(p, delay=start[p.target] - 1 - start[p.source]) for p in before.projections)
        return replace(before, populations=populations, projections=projections)

    def ensures(self, after: Network, options: Options) -> None:
        start = {p.name: p.start for p in after.populations}
        for p in after.projections:
            if p.delay < 0:
                raise PassError(self.name, "negative delay", got=f"{p.source} -> {p.target}")
            if p.delay > options.chip.max_delay:
                where, do = f"{p.source} -> {p.target}", "shorten the longer path"
                raise RuleError(where, "delay", got=p.delay, relation="exceeds", limit=options.chip.max_delay, do=do)
        if any(not start[source] for _, source in after.outputs):
            raise PassError(self.name, "left an output without a start")
