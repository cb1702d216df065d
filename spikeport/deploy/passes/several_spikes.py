"""Neurons that send floor(v / threshold) spikes in a step become copies: the k-th fires at k thresholds, once.

A spike of any copy takes a threshold off all of them. Its own takes off k; the rest comes by connections between the
copies, a step later and decayed by a step:

    copy j to copy k:  -keep_v threshold  for j != k,   (k - 1) keep_v threshold  for j = k

and where a current would keep a part of that, it is taken back in the step after. What is handed out is a count, read
from neurons that add up the copies' spikes. Only so many copies are made as data show spikes in one step, or the user
asks for; beyond them v keeps the rest, and the spikes come in later steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from spikeport.deploy.maps.base import Identity
from spikeport.deploy.maps.select import scaled_rows
from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.network_run import run_network
from spikeport.deploy.options import MAX_COPIES, Options
from spikeport.deploy.passes.base import AbstractPass
from spikeport.deploy.passes.names import free
from spikeport.deploy.passes.repeat import adder
from spikeport.errors import PassError

SAMPLES = 64
FEW = 1e-3
"""Part of the spikes that may come late."""


@dataclass(frozen=True)
class SeveralSpikes(AbstractPass[Network, Network]):
    name: ClassVar[str] = "several_spikes"

    def run(self, before: Network, options: Options) -> Network:
        several = [p for p in before.populations if p.several]
        if not several:
            return before
        counts = _counts(before, several, options)
        populations: list[Population] = []
        out = {o.source for o in before.outputs}
        added: list[Projection] = []
        taken = {p.name for p in before.populations} | {name for name, _ in before.inputs}
        made = {p.name: _copies(p, counts.get(p.name, 1), taken) for p in before.populations}
        for p in before.populations:
            copies = made[p.name]
            populations += copies
            added += _between(copies, p)
            if len(copies) > 1 and p.name in out:
                populations.append(adder(p.name, p.shape))
                added += [Projection(c.name, p.name, Identity(p.size)) for c in copies]
        names = {name: [c.name for c in copies] for name, copies in made.items()}
        projections = [
            replace(q, source=source, target=target)
            for q in before.projections
            for source in names.get(q.source, [q.source])
            for target in names[q.target]
        ]
        outputs = tuple(replace(o, reads="v") if counts.get(o.source, 1) > 1 else o for o in before.outputs)
        told = ", ".join(f"{name} up to {count}" for name, count in counts.items())
        remark = f"spikes in one step, as copies of the neurons: {told}; more come in later steps"
        return replace(
            before,
            populations=tuple(populations),
            projections=(*projections, *added),
            outputs=outputs,
            remarks=(*before.remarks, remark),
        )

    def ensures(self, after: Network, options: Options) -> None:
        left = [p.name for p in after.populations if p.several]
        if left:
            raise PassError(self.name, "left neurons that send several spikes", got=left)


def _counts(network: Network, several: list[Population], options: Options) -> Mapping[str, int]:
    """How many spikes a step each of them is given."""
    if options.copies or options.data is None:
        return {p.name: options.copies or 1 for p in several}
    inputs = options.data.part(SAMPLES).named(dict(network.inputs))
    scale = options.scale if options.input == "bias" else 1.0
    activity = run_network(network, {name: x * scale for name, x in inputs.items()})
    return {p.name: _most(activity[p.name]) for p in several}


def _most(sent: np.ndarray) -> int:
    """The least count beyond which hardly a spike lies."""
    per_count = np.bincount(sent.reshape(-1))
    beyond = np.array(
        [(per_count[k + 1 :] * (np.arange(k + 1, len(per_count)) - k)).sum() for k in range(len(per_count))]
    )
    enough = np.flatnonzero(beyond <= FEW * max(1, (per_count * np.arange(len(per_count))).sum()))
    return int(np.clip(enough[0], 1, MAX_COPIES))


def _copies(p: Population, count: int, taken: set[str]) -> list[Population]:
    if not p.several:
        return [p]
    if count == 1:
        return [replace(p, several=False)]
    found = []
    for k in range(1, count + 1):
        name = free(f"{p.name}.{k}", taken)
        taken.add(name)
        found.append(replace(p, name=name, threshold=k * p.threshold, several=False))
    return found


def _between(copies: list[Population], p: Population) -> list[Projection]:
    if len(copies) == 1:
        return []
    found = []
    off = (p.keep_v * p.threshold).reshape(-1)
    for j, source in enumerate(copies, 1):
        for k, target in enumerate(copies, 1):
            factor = (k - 1) * off if j == k else -off
            for lag, values in ((1, factor), (2, -p.keep_u.reshape(-1) * factor)):
                if np.any(values):
                    found.append(Projection(source.name, target.name, scaled_rows(Identity(p.size), values), lag=lag))
    return found
