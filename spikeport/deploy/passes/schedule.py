"""When each population sees a sample's first input, and how long shortcuts wait for longer paths.

A spike input sends at hardware step 1; a connection takes one step and its delay. With lag the steps that the graph
itself gives a projection (feedback, a Delay), its target can start no sooner than

    start[target] >= start[source] + 1 - lag,   and its delay is the difference.

The least starts are longest paths; a loop has to bring as many steps of lag as it has connections. A population that is
loaded with an image's bias starts at step 1 itself. State is cleared at the start, so a bias that ran before it leaves
no trace (`quiet.py` sees to paths that would carry one). What nothing hears starts as late as the last output.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from spikeport.deploy.network import Network, Projection
from spikeport.deploy.options import Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.quiet import late_paths, quieted
from spikeport.errors import DeployError, LoopInvalid, PassError


@dataclass(frozen=True)
class Schedule(AbstractPass[Network, Network]):
    name: ClassVar[str] = "schedule"

    def run(self, before: Network, options: Options) -> Network:
        network = _scheduled(before, options)
        clocked = quieted(network, options.reset_interval)
        network = network if clocked is None else _scheduled(clocked, options)
        late = late_paths(network)
        if not late:
            return network
        told = "carry spikes from one step to the next: samples that follow each other at once are not apart"
        return replace(network, remarks=(*network.remarks, f"{', '.join(late[:4])}: feedback or delays {told}"))

    def ensures(self, after: Network, options: Options) -> None:
        for q in after.projections:
            if q.delay < 0:
                raise PassError(self.name, "negative delay", got=f"{q.source} -> {q.target}")
        if any(p.start < 1 for p in after.populations):
            raise PassError(self.name, "left a population without a start")


def _scheduled(network: Network, options: Options) -> Network:
    start = _least_starts(network, options)
    latency = max(start[o.source] - 1 - o.lag for o in network.outputs)
    _meet(network, start, max(latency, 0))
    populations = tuple(replace(p, start=start[p.name]) for p in network.populations)
    projections = tuple(replace(q, delay=_slack(q, start)) for q in network.projections)
    return replace(network, populations=populations, projections=projections)


def _least_starts(network: Network, options: Options) -> dict[str, int]:
    """Bellman and Ford's longest paths; populations come in data-flow order, so few rounds are needed."""
    # a bias input is in its target at once, so it counts as if it had been sent one step earlier
    start = {name: 0 if options.input == "bias" else 1 for name, _ in network.inputs}
    start |= {p.name: 1 for p in network.populations}
    into = {p.name: network.into(p.name) for p in network.populations}
    for _ in range(len(start) + 1):
        late = [q for p in network.populations for q in into[p.name] if _pushed(q, start)]
        if not late:
            return start
    raise _too_short(network, late)


def _pushed(q: Projection, start: dict[str, int]) -> bool:
    least = start[q.source] + 1 - q.lag
    if start[q.target] >= least:
        return False
    start[q.target] = least
    return True


def _too_short(network: Network, late: list[Projection]) -> DeployError:
    """Some loop among the projections that never come to rest, with what it lacks."""
    feeds = {q.target: q for q in late}
    name = late[0].target
    seen: list[str] = []
    while name in feeds and name not in seen:
        seen.append(name)
        name = feeds[name].source
    loop = seen[seen.index(name) :][::-1] if name in seen else [late[0].source, late[0].target]
    lag = sum(feeds[n].lag for n in loop if n in feeds)
    what, do = f"loop of {lag} step{'s' * (lag != 1)}", "put a Delay of the missing steps into it, or fewer neurons"
    got = " -> ".join([*loop, loop[0]])
    return LoopInvalid("graph", what, got=got, relation="is shorter than a chip's", limit=f"{len(loop)}", do=do)


def _slack(q: Projection, start: dict[str, int]) -> int:
    return start[q.target] - start[q.source] - 1 + q.lag


def _meet(network: Network, start: dict[str, int], latency: int) -> None:
    """Outputs that nothing else hears start together with the last; the others get repeaters (`relays.py`)."""
    for o in network.outputs:
        if not any(q.source == o.source for q in network.projections):
            start[o.source] = latency + 1 + min(r.lag for r in network.outputs if r.source == o.source)
