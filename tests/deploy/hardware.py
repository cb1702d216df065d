"""A scheduled float network run as a chip runs it: every connection takes a step, state is cleared at each start.

Written from the chip's rule alone; nothing of the passes is used but the data that they give.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.network import Network


def run_on_hardware(network: Network, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What each output hands out for a sample that is alone, `(T, B, n)`."""
    steps, batch = next(iter(inputs.values())).shape[:2]
    start = {p.name: p.start for p in network.populations}
    into = {p.name: [(q.source, q.delay, matrix(q.map)) for q in network.into(p.name)] for p in network.populations}
    last = steps + max(start.values())
    sizes = {p.name: p.size for p in network.populations} | {n: int(np.prod(s)) for n, s in network.inputs}
    sent = {name: np.zeros((last + 1, batch, size)) for name, size in sizes.items()}
    for name, x in inputs.items():
        sent[name][1 : steps + 1] = x.reshape(steps, batch, -1)
    u, v = ({p.name: np.zeros((batch, p.size)) for p in network.populations} for _ in range(2))
    seen = {p.name: np.zeros((last + 1, batch, p.size)) for p in network.populations}
    for t in range(1, last + 1):
        for p in network.populations:
            if t == p.start:
                u[p.name][:] = v[p.name][:] = 0
            a = np.zeros((batch, p.size))
            for source, delay, weights in into[p.name]:
                sender = t - 1 - delay
                if sender >= 1 and np.any(sent[source][sender]):
                    a += (weights @ sent[source][sender].T).T
            u[p.name] = p.keep_u.reshape(-1) * u[p.name] + a
            now = p.keep_v.reshape(-1) * v[p.name] + u[p.name] + p.bias.reshape(-1)
            threshold = p.threshold.reshape(-1)
            s = (now >= threshold) if p.at_threshold else (now > threshold)
            v[p.name] = np.where(s, now - threshold if p.reset == "subtract" else 0, now)
            sent[p.name][t], seen[p.name][t] = s, now
    found = {}
    for o in network.outputs:
        first = start[o.source] - o.lag
        found[o.name] = (sent if o.reads == "s" else seen)[o.source][first : first + steps]
    return found
