"""What the sources of one neuron send to push it up or down: all of them, or the strongest few."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.deploy.fan_in import CONV_WORD, row
from spikeport.deploy.witness.cut import Cut
from spikeport.fixed import Ints
from spikeport.program import Connection, Conv, Program

LEVELS = 24


@dataclass(frozen=True, eq=False)
class Drive:
    """Constant values of all sources, and how much of a they give to one neuron of a Program of one group."""

    neuron: int
    value: Mapping[str, Ints]
    """What each source sends, `(n,)`, by the input's name."""
    lead: Mapping[str, Ints]
    """Steps before its arrival that it is sent, `(n,)`."""
    levels: Ints
    """The a of some subsets of the sources, from none to all."""
    subsets: tuple[Mapping[str, NDArray[np.bool_]], ...]
    steady: frozenset[str]
    """Inputs of an encoder: they send their value at every step."""

    @property
    def whole(self) -> int:
        """The a of all sources."""
        return int(self.levels[-1])

    @property
    def start(self) -> int:
        """The first step at which everything can arrive together."""
        return 1 + max((int(x.max()) for x in self.lead.values()), default=0)

    def inputs(self, level: int, whole_from: int, last: int) -> dict[str, NDArray[np.integer]]:
        """`(last, n)`: subset `level` arrives from `start` on, all sources from `whole_from` to `last`."""
        given: dict[str, NDArray[np.integer]] = {}
        for name, value in self.value.items():
            dtype = np.int8 if np.abs(value).max() < 128 else np.int32
            arrival = np.arange(1, last + 1)[:, None] + self.lead[name]
            on = (arrival >= max(whole_from, self.start)) | ((arrival >= self.start) & self.subsets[level][name])
            on = on | (name in self.steady)
            given[name] = np.where(on, value, 0).astype(dtype)
        return given


def drive_of(alone: Cut, neuron: int, sign: int) -> Drive:
    """Every source sends what moves a, or the bias, of the neuron furthest in the direction of the sign."""
    cut = alone.program
    gain, value, lead = {}, {}, {}
    for entry in cut.inputs:
        found = [row(c, neuron, entry.shape, cut.groups[0].shape) for c in _of(cut, entry.name)]
        exps = [c.weight_exp - fixed.WEIGHT_EXP_MIN for c in _of(cut, entry.name)]
        parts = [weight << exp for (weight, _), exp in zip(found, exps, strict=True)]
        total = sign * sum(parts, np.zeros(entry.size, np.int64))
        sent = alone.sent.get(entry.name)
        low, high = (entry.low, entry.high) if sent is None else (sent.low, sent.high)
        value[entry.name] = np.where(total > 0, high, low if entry.kind == "bias" else np.where(total < 0, low, 0))
        if entry.kind != "bias" and not any(c.graded for c in cut.connections if c.source == entry.name):
            value[entry.name] = np.where(total > 0, np.where(high > 0, 1, np.where(low < 0, low, 0)), 0)
        gain[entry.name] = np.abs(total * value[entry.name])
        delays = [
            np.where(np.abs(p) == np.max(np.abs(parts), axis=0), d, 0) for p, (_, d) in zip(parts, found, strict=True)
        ]
        bias = entry.kind == "bias"
        lead[entry.name] = np.zeros(entry.size, np.int64) if bias or not delays else 1 + np.max(delays, axis=0)
    steady = frozenset(e.synapses.source for e in cut.encoders)
    subsets = _strongest({name: g for name, g in gain.items() if name not in steady}, gain)
    levels = _levels(cut, neuron, value, subsets)
    return Drive(neuron, value, lead, levels, subsets, steady)


def _of(cut: Program, source: str) -> list[Connection]:
    """The connections and encoders that a source enters."""
    links = [c for c in cut.connections if c.source == source]
    return [*links, *(e.synapses for e in cut.encoders if e.synapses.source == source)]


def _strongest(gain: Mapping[str, Ints], every: Mapping[str, Ints]) -> tuple[dict[str, NDArray[np.bool_]], ...]:
    """Subsets of growing size: the sources with the greatest gain of all inputs together."""
    ranked = np.sort(np.concatenate([*gain.values(), np.zeros(0, np.int64)]))[::-1]
    active = int(np.count_nonzero(ranked))
    order = np.argsort(-np.concatenate([*gain.values(), np.zeros(0, np.int64)]), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    counts = sorted({0, active, *(int(n) for n in np.geomspace(1, max(active, 1), LEVELS) if n <= active)})
    subsets = []
    for count in counts:
        chosen, at = {name: np.zeros(len(g), np.bool_) for name, g in every.items()}, 0
        for name, g in gain.items():
            chosen[name], at = place[at : at + len(g)] < count, at + len(g)
        subsets.append(chosen)
    return tuple(subsets)


def _levels(
    cut: Program, neuron: int, value: Mapping[str, Ints], subsets: Sequence[Mapping[str, NDArray[np.bool_]]]
) -> Ints:
    """What arrives at the neuron when each of the subsets has sent for long."""
    levels = np.zeros(len(subsets), np.int64)
    for c in cut.connections:
        weight, delay = row(c, neuron, cut.shape_of(c.source), cut.shape_of(c.target))
        x = value[c.source]
        brought = weight * (x if c.graded else (x != 0))
        for d in np.unique(delay):
            here = delay == d
            sums = np.array([brought[here & subset[c.source]].sum() for subset in subsets])
            arrived = fixed.shift(sums, c.weight_exp)
            levels += np.clip(arrived, *CONV_WORD) if isinstance(c, Conv) else arrived
    return levels
