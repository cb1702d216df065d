"""No spike before a sample may reach it: biases run from the chip's first step on, feedback and delays carry them over.

State is cleared when a layer's sample starts, and so is what came before along a path of lag 0. Along feedback or a
Delay, a spike sent just before the start arrives after it. Where a bias alone makes such a layer fire before its start,
the clock sends the biases of all that leads there, and it starts with the sample.
"""

from collections.abc import Mapping

import numpy as np

from spikeport.deploy.maps.apply import apply
from spikeport.deploy.network import Network, Population
from spikeport.deploy.nodes import Floats
from spikeport.deploy.passes.sources import CLOCK, PULSE, clocked

CLOSE = 0.9
"""Of the threshold: rounding to integers moves a membrane by less than the rest."""


def quieted(network: Network, interval: int) -> Network | None:
    """The network, to be scheduled again, with biases from the clock; None if it is quiet as it is."""
    known = {p.name for p in network.populations}
    lags = {name: lag for name, lag in _lags(network).items() if name in known}
    if not lags or not _loud(network, lags):
        return None
    ahead = _leading_to(network, lags)
    names = [p.name for p in network.populations if p.name in ahead and np.any(p.bias) and p.name not in (CLOCK, PULSE)]
    return clocked(network, names, interval, with_bias=True)


def late_paths(network: Network) -> list[str]:
    """Whose last spikes of a sample would reach the next one, were it to follow at once."""
    return list(_lags(network))


def _lags(network: Network) -> dict[str, int]:
    """The longest lag behind each input and population that has one."""
    found: dict[str, int] = {}
    ends = [(q.source, q.lag) for q in network.projections] + [(o.source, o.lag) for o in network.outputs]
    for source, lag in ends:
        if lag and source not in (CLOCK, PULSE):
            found[source] = max(lag, found.get(source, 0))
    return found


def _leading_to(network: Network, names: Mapping[str, int]) -> set[str]:
    found = set(names)
    while True:
        more = {q.source for q in network.projections if q.target in found} - found
        if not more:
            return found
        found |= more


def _loud(network: Network, lags: Mapping[str, int]) -> bool:
    """Runs the silent chip up to the last start, and looks at the steps from which something is carried over."""
    start = {p.name: p.start for p in network.populations}
    until = max(start[name] for name in lags)
    into = {p.name: network.into(p.name) for p in network.populations}
    sent: dict[str, list[Floats]] = {p.name: [] for p in network.populations}
    u = {p.name: np.zeros(p.size) for p in network.populations}
    v = {p.name: np.zeros(p.size) for p in network.populations}
    for t in range(1, until):
        for p in network.populations:
            a = np.zeros(p.size)
            for q in into[p.name]:
                if q.source in sent and 0 <= t - 2 - q.delay < len(sent[q.source]):
                    a = a + apply(q.map, sent[q.source][t - 2 - q.delay][None])[0]
            carried = t != p.start
            u[p.name] = p.keep_u.reshape(-1) * u[p.name] * carried + a
            now = p.keep_v.reshape(-1) * v[p.name] * carried + u[p.name] + p.bias.reshape(-1)
            if p.name in lags and start[p.name] - lags[p.name] <= t < start[p.name] and _stirs(p, now):
                return True
            threshold = p.threshold.reshape(-1)
            s = now >= threshold if p.at_threshold else now > threshold
            sent[p.name].append(s.astype(np.float64))
            v[p.name] = np.where(s, now - threshold if p.reset == "subtract" else 0, now)
    return False


def _stirs(p: Population, v: Floats) -> bool:
    return bool(np.any(v > CLOSE * p.threshold.reshape(-1)) if p.fires else np.any(v != 0))
