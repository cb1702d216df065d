"""Runs a float network in float time, whole samples at a time where there is no loop: what quantization is held to.

Activity is `(T, B, n)`, row-major within a population; spikes are uint8, v of neurons that do not fire float64.
"""

from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from spikeport.deploy.float_neurons import spikes_of
from spikeport.deploy.maps.apply import apply
from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.nodes import Floats

Activity: TypeAlias = dict[str, NDArray[Any]]


def run_network(network: Network, inputs: Mapping[str, NDArray[Any]]) -> Activity:
    """What every input and population sends at each of a sample's steps.

    Args:
        inputs: `(T, B, *input shape)` by name.
    """
    activity: Activity = {name: np.asarray(x).reshape(*x.shape[:2], -1) for name, x in inputs.items()}
    for part in components(network):
        activity |= run_component(part, {p.name: network.into(p.name) for p in part}, activity)
    return activity


def run_component(part: list[Population], into: Mapping[str, list[Projection]], activity: Activity) -> Activity:
    """What populations that hear each other, or one alone, send when they hear `activity`."""
    alone = part[0]
    if len(part) == 1 and all(q.source != alone.name for q in into[alone.name]):
        return {alone.name: fire(alone, arriving(alone, into[alone.name], activity))[0]}
    return _together(part, into, activity)


def components(network: Network) -> Iterator[list[Population]]:
    """Populations that hear each other, after all that they hear besides; one alone is the usual case."""
    place = {p.name: k for k, p in enumerate(network.populations)}
    pairs = [(place[q.source], place[q.target]) for q in network.projections if q.source in place]
    row, col = np.array(pairs, np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(row)), (row, col)), shape=(len(place), len(place)))
    count, label = connected_components(links, directed=True, connection="strong")
    ahead: dict[int, set[int]] = {c: set() for c in range(count)}
    for a, b in pairs:
        if label[a] != label[b]:
            ahead[int(label[b])].add(int(label[a]))
    for c in TopologicalSorter(ahead).static_order():
        yield [network.populations[k] for k in np.flatnonzero(label == c)]


def arriving(p: Population, into: list[Projection], activity: Mapping[str, NDArray[Any]]) -> Floats:
    """What enters u at each step: spikes through the maps, and `drive` and `first`; `(T, B, n)`."""
    steps, batch = next(iter(activity.values())).shape[:2]
    x = np.zeros((steps, batch, p.size))
    x += p.drive.reshape(-1)
    for k, values in enumerate(p.first[:steps]):
        x[k] += values.reshape(-1)
    for q in into:
        sent = activity[q.source][: max(steps - q.lag, 0)]
        if len(sent):
            flat = sent.reshape(-1, sent.shape[2]).astype(np.float64)
            x[q.lag :] += apply(q.map, flat).reshape(len(sent), batch, p.size)
    return x


def fire(p: Population, x: Floats) -> tuple[NDArray[Any], Floats]:
    """Spikes, or v where there are none, and v before its resets; `(T, B, n)` both."""
    state = _State(p, x.shape[1])
    v = np.empty_like(x)
    sent = np.empty(x.shape, _kind(p))
    for t in range(len(x)):
        sent[t], v[t] = state.step(x[t])
    return sent, v


def _kind(p: Population) -> type[np.generic]:
    """Of what it sends: spikes, counts of them, or v."""
    return np.float64 if not p.fires else np.int64 if p.several else np.uint8


class _State:
    def __init__(self, p: Population, batch: int) -> None:
        self.keep_u, self.keep_v, self.bias = (a.reshape(-1) for a in (p.keep_u, p.keep_v, p.bias))
        self.threshold, self.p = p.threshold.reshape(-1), p
        self.current = bool(np.any(self.keep_u))
        self.u, self.v = np.zeros((2, batch, p.size))

    def step(self, x: Floats) -> tuple[NDArray[Any], Floats]:
        self.u = self.keep_u * self.u + x if self.current else x
        before = self.keep_v * self.v + self.u + self.bias
        if not self.p.fires:
            self.v = before
            return before, before
        s = spikes_of(self.p, before, self.threshold)
        self.v = before - s * self.threshold if self.p.reset == "subtract" else np.where(s, 0, before)
        return s, before


def _together(part: list[Population], into: Mapping[str, list[Projection]], activity: Activity) -> Activity:
    """A loop, step by step; what comes from outside of it is summed beforehand."""
    names = {p.name for p in part}
    outside = {n: [q for q in qs if q.source not in names] for n, qs in into.items()}
    inside = {n: [q for q in qs if q.source in names] for n, qs in into.items()}
    x = {p.name: arriving(p, outside[p.name], activity) for p in part}
    steps, batch = next(iter(x.values())).shape[:2]
    states = {p.name: _State(p, batch) for p in part}
    sent = {p.name: np.zeros(x[p.name].shape, _kind(p)) for p in part}
    for t in range(steps):
        for p in part:
            now = x[p.name][t]
            for q in inside[p.name]:
                if t >= q.lag:
                    now = now + apply(q.map, sent[q.source][t - q.lag].astype(np.float64))
            sent[p.name][t], _ = states[p.name].step(now)
    return sent
