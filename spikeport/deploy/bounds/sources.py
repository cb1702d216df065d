"""What sources can send under their own rules.

Sigma-delta neurons send changes, and changes add up to what they are changes of: while nothing leaves its word,
act - residue is the sum of all s' so far, because a send leaves no residue. So whatever a delta neuron sends adds up
to one of its values of x, or to the 0 from which it starts.
"""

import numpy as np

from spikeport.deploy.bounds.base import CEILING, GroupBounds, Sent
from spikeport.deploy.fan_in import INT32
from spikeport.fixed import Ints
from spikeport.neurons import LIF, Group, Resonator, SigmaDelta
from spikeport.program import Input


def of_input(entry: Input) -> Sent:
    """Any value of its range at any step, and none where the input has ended."""
    return _endless(entry.size, min(entry.low, 0), max(entry.high, 0))


def of_any(group: Group) -> Sent:
    """All that a group can send, whatever arrives at it: of a SigmaDelta, Lava's 32 bits."""
    if isinstance(group, SigmaDelta):
        return _endless(group.size, *INT32)
    return _endless(group.size, -1 if group.signed else 0, 1)


def of_proven(group: Group, found: GroupBounds) -> Sent:
    """What a group sends that cannot overflow, under every profile whose words it was held against."""
    if isinstance(group, LIF | Resonator):
        return of_any(group)
    if group.stage == "sigma":
        low, high = np.minimum(found["sigma"].low, 0), np.maximum(found["sigma"].high, 0)
        return Sent(low, high)
    d = found["delta"]
    sends = group.cum_error | (np.maximum(-d.low, d.high) >= group.vth << group.scale_exp)
    low, high = (np.where(sends, x >> group.state_exp, 0) for x in (d.low, d.high))
    if group.stage == "sigma_delta" and group.state_exp:
        return Sent(low, high)  # each send rounds down, so that the sum drifts away
    least, most = settled(group, *encoded(group, found))
    return Sent(low, high, (least >> group.state_exp, most >> group.state_exp))


def encoded(neurons: SigmaDelta, found: GroupBounds) -> tuple[Ints, Ints]:
    """Bounds of the x that a delta stage encodes."""
    if neurons.stage == "delta":
        return found["a"].low, found["a"].high
    return activated(neurons, found["activation"].low, found["activation"].high)


def activated(neurons: SigmaDelta, low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """f of sigma + bias."""
    return (np.maximum(low, 0), np.maximum(high, 0)) if neurons.activation == "relu" else (low, high)


def settled(neurons: SigmaDelta, low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """Bounds of act - residue, for x within [low, high]: x at the last send, or 0 before the first.

    Without `cum_error` no change below the threshold is ever sent, and the first is a change from 0.
    """
    low, high = np.minimum(low, 0), np.maximum(high, 0)
    if neurons.cum_error:
        return low, high
    sends = np.maximum(-low, high) >= neurons.vth << neurons.scale_exp
    return np.where(sends, low, 0), np.where(sends, high, 0)


def counted(sent: Sent, graded: bool) -> Sent:
    """What reaches the weights: payloads, or one for any payload but 0."""
    if graded:
        return sent
    return Sent(np.zeros_like(sent.low), ((sent.low < 0) | (sent.high > 0)).astype(np.int64))


def _endless(n: int, low: int, high: int) -> Sent:
    assert -CEILING < low <= 0 <= high < CEILING
    return Sent(np.full(n, low, np.int64), np.full(n, high, np.int64))
