"""The inputs that are tried against one quantity of one neuron, by its kind."""

from collections.abc import Iterator
from dataclasses import replace
from math import ceil, hypot, log, prod

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.deploy.bounds import Sent
from spikeport.deploy.bounds.resonator import turns
from spikeport.deploy.witness.cut import Cut
from spikeport.deploy.witness.drive import Drive, drive_of
from spikeport.deploy.witness.hold import STEPS, followed, held
from spikeport.deploy.witness.push import ROOM, pushed
from spikeport.neurons import LIF, Resonator, SigmaDelta
from spikeport.program import Conv, Program

SUMMED = 1 << 16  # the longest constant input: sums that grow by less than 128 a step are not followed
WORK = 1 << 31  # products of weights in one run of a constant input
LEFT = 2.0**-20  # of a resonator's oldest input at the last step
Given = dict[str, NDArray[np.integer]]


def candidates(cut: Cut, what: str, neuron: int, sign: int) -> Iterator[Given]:
    """`(T, n)` values of each input that may overflow the quantity upward (sign 1) or downward (-1)."""
    match cut.group:
        case LIF():
            yield from held(cut, drive_of(cut, neuron, sign))
            yield pushed(cut, neuron, sign, {"a": np.ones(1)})
        case SigmaDelta() as group:
            yield from _sigma_delta(cut, group, neuron, sign)
        case Resonator() as group:
            yield from _resonator(cut, group, what, neuron, sign)


def _resonator(cut: Cut, group: Resonator, what: str, neuron: int, sign: int) -> Iterator[Given]:
    """In time with the turns, for as long as they remember; then shorter, because a spike's reset forgets."""
    if what not in group.variables:
        yield from (pushed(cut, neuron, sign, {port: np.ones(1)}) for port in group.ports)
        return
    radius = hypot(group.cos_decay, group.sin_decay) / (1 << group.decay_bits)
    room = max(1, min(STEPS, ROOM // max(i.size for i in cut.program.inputs)))
    longest = room if radius >= 1 else 1 if radius == 0 else min(room, ceil(log(LEFT) / log(radius)))
    for steps in sorted({longest, *(int(n) for n in np.geomspace(1, longest, 16))}, reverse=True):
        m = turns(group, steps)
        # re' takes Re(m^k) of a_re and -Im(m^k) of a_im; im' takes Im(m^k) and Re(m^k)
        worth = (m.real, -m.imag) if what == "re" else (m.imag, m.real)
        yield pushed(cut, neuron, sign, dict(zip(group.ports, worth, strict=True)))


def _sigma_delta(cut: Cut, group: SigmaDelta, neuron: int, sign: int) -> Iterator[Given]:
    """All at once; from one end to the other; the same for ever; and what keeps an error below its threshold."""
    yield pushed(cut, neuron, sign, {"a": np.ones(1)})
    yield pushed(cut, neuron, sign, {"a": np.array([1.0, -1.0] if group.stage == "delta" else [1.0, 0.0])})
    drive = drive_of(replace(cut, sent={name: _endless(sent) for name, sent in cut.sent.items()}), neuron, sign)
    rate = sign * drive.whole
    if rate > 0 and group.stage != "delta":
        steps = fixed.V_MAX // rate + 1
        if steps <= _longest(cut):
            yield pushed(cut, neuron, sign, {"a": np.ones(steps)})
    if rate > 0 and group.cum_error:
        yield from held(cut, drive)
        if group.stage == "delta":
            yield _just_below(cut, group, drive)


def _just_below(cut: Cut, group: SigmaDelta, drive: Drive) -> Given:
    """x for some steps, so that the error comes to just below the threshold; then x again.

    No change is sent before that, so each step's d is x itself, and the error their sum.
    """
    x = abs(drive.whole) << group.scale_exp
    whole, rest = divmod(max(0, (group.vth << group.scale_exp) - 1), x)
    part = np.array([*[1.0] * min(whole, followed(cut)), rest / x, 1.0])
    given: Given = {}
    for name, value in drive.value.items():
        at = np.arange(1, drive.start + len(part))[:, None] + drive.lead[name] - drive.start
        on = (at >= 0) & (at < len(part))
        given[name] = np.trunc(np.where(on, part[np.clip(at, 0, len(part) - 1)], 0.0) * value).astype(np.int32)
    return given


def _endless(sent: Sent) -> Sent:
    """What a source can send at every step: nothing, if its payloads add up to something bounded."""
    if sent.total is None:
        return sent
    return Sent(np.zeros_like(sent.low), np.zeros_like(sent.high))


def _longest(cut: Cut) -> int:
    """The steps of a constant input that are worth a run."""
    size = max(i.size for i in cut.program.inputs)
    products = 1 + sum(_products(cut.program, k) for k in range(len(cut.program.connections)))
    return min(SUMMED, ROOM // size, WORK // products)


def _products(program: Program, number: int) -> int:
    """The weights that one connection multiplies in a step."""
    c = program.connections[number]
    return c.weight.size * (prod(program.shape_of(c.target)[1:]) if isinstance(c, Conv) else 1)
