"""The input that moves one quantity of a neuron furthest at a given step, where it is a sum over past inputs.

A response says what one unit that arrives k steps before the last is worth; each source then sends, at each step, the
end of its range with the sign of its worth. Of a source whose payloads add up to something bounded, the sums are chosen
instead, and it sends their changes.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.bounds import Sent
from spikeport.deploy.fan_in import row
from spikeport.deploy.witness.cut import Cut
from spikeport.fixed import Ints

ROOM = 1 << 23  # values of one input, (steps, neurons)
Floats = NDArray[np.float64]
Response = Mapping[str, Floats]  # by port; entry k is of what arrives k steps before the last


def pushed(cut: Cut, neuron: int, sign: int, response: Response) -> dict[str, NDArray[np.integer]]:
    """`(T, n)` values of each input; T is the last step, at which what is sent does not arrive any more."""
    program = cut.program
    steps = max(len(worth) for worth in response.values()) + latest(cut, neuron)
    given: dict[str, NDArray[np.integer]] = {}
    for entry in program.inputs:
        sent = cut.sent.get(entry.name)
        if sent is None:  # of an encoder, or unconnected
            given[entry.name] = np.full((steps, entry.size), min(max(0, entry.low), entry.high), np.int32)
            continue
        graded, once = np.zeros((steps, entry.size)), np.zeros((steps, entry.size))
        for c in (c for c in program.connections if c.source == entry.name and c.port in response):
            weight, delay = row(c, neuron, entry.shape, cut.group.shape)
            worth = _delayed(response[c.port], delay, steps) * (sign * weight * 2.0**c.weight_exp)
            graded, once = (graded + worth, once) if c.graded else (graded, once + worth)
        given[entry.name] = _chosen(sent, graded, once).astype(np.int32)
    return given


def latest(cut: Cut, neuron: int) -> int:
    """Steps that the slowest synapse of the neuron takes."""
    delays = [0]
    for c in cut.program.connections:
        weight, delay = row(c, neuron, cut.program.shape_of(c.source), cut.group.shape)
        delays.append(int(np.where(weight != 0, delay, 0).max(initial=0)))
    return 1 + max(delays)


def _delayed(worth: Floats, delay: Ints, steps: int) -> Floats:
    """`(steps, n)`: what a unit sent at step t, counted from 1, is worth at the last step."""
    lag = steps - np.arange(1, steps + 1)[:, None] - 1 - delay
    return np.where((lag >= 0) & (lag < len(worth)), worth[np.clip(lag, 0, len(worth) - 1)], 0.0)


def _chosen(sent: Sent, graded: Floats, once: Floats) -> Ints:
    """The best of silence and both ends of the range; what is sent once counts as one whatever it is."""
    if sent.total is None:
        return _best(sent.low, sent.high, graded, once)
    # a sum that stands from step t until t + 1 is worth what a unit at t is worth more than one at t + 1
    held = graded - np.vstack([graded[1:], np.zeros((1, graded.shape[1]))])
    sums = _best(*sent.total, held, np.zeros_like(once))
    last = np.maximum.accumulate(np.where(held != 0, np.arange(len(held))[:, None], 0), axis=0)
    sums = np.take_along_axis(sums, last, axis=0)  # where nothing is at stake, the sum stays
    return np.clip(np.diff(sums, axis=0, prepend=0), sent.low, sent.high)


def _best(low: Ints, high: Ints, graded: Floats, once: Floats) -> Ints:
    best, value = np.zeros(graded.shape), np.zeros(graded.shape, np.int64)
    for end in (high, low):
        gain = graded * end + once * (end != 0)
        better = gain > best
        best, value = np.where(better, gain, best), np.where(better, end, value)
    return value
