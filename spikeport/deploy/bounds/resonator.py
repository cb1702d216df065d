"""Bounds of resonators: what all past inputs, each turned and shrunk since it came, add up to at the worst.

With z = re + i im and m = (c + i d) / 2^bits, a step is z' = m z + r + (a_re + i a_im) << state_exp, where r is what
rounding took: an input of k steps ago stands in z as m^k times itself, and so does each r. Intervals of re and im alone
grow at every turn; this sum has a limit for |m| < 1, because |m^k| = |m|^k. Until a value leaves its word nothing is
clipped, so if no sum of this kind leaves it, none ever does.
`rf_izhikevich` starts again from (0, vth' - 1) after a spike: as if that had come in, and all before had not. What it
gains from that is in `izhikevich`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, hypot, log, sqrt

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.deploy.bounds import izhikevich
from spikeport.deploy.bounds.arriving import Arriving, arriving
from spikeport.deploy.bounds.base import CEILING, V_WORD, Bound, Sent
from spikeport.deploy.bounds.izhikevich import SIDES, Box
from spikeport.fixed import Ints
from spikeport.neurons import Resonator
from spikeport.program import Program

FOLLOWED = 1 << 16  # steps for which the turns are added up one by one; the rest is bounded by its lengths
FORGOTTEN = 2.0**-40  # of an input, at which it is not followed further
MARGIN = 2.0**-30  # of each |m|^k: the error of a power in doubles is below k <= 2^16 times some 2^-50
ROUNDED = sqrt(5)  # |r|: two products, each short by less than 1; they differ in sign in exactly one of re', im'
Floats = NDArray[np.float64]
Pair = tuple[Ints, Ints]


@dataclass(frozen=True)
class Response:
    """The powers of m added up: what is positive in them and what is negative, in magnitude, rounded up."""

    re_up: float
    re_down: float
    im_up: float
    im_down: float
    length: float
    """The sum of |m|^k."""


def bounds(program: Program, neurons: Resonator, sources: Mapping[str, Sent]) -> tuple[Bound, ...]:
    """Of what arrives at each port, and of re and im as the rule watches them: before the clip and the reset."""
    re, im = (arriving(program, neurons, sources, port) for port in neurons.ports)
    vth = neurons.vth << neurons.state_exp
    quiet = (re.low == 0) & (re.high == 0) & (im.low == 0) & (im.high == 0)
    if neurons.kind == "rf_izhikevich" and vth == 0:
        quiet = np.zeros_like(quiet)  # it spikes by itself
    box, rounded = _box(neurons, re, im), ROUNDED if neurons.cos_decay or neurons.sin_decay else 0.0
    sides = _added_up(neurons, box, rounded)
    if neurons.kind == "rf_izhikevich":
        sides = [np.minimum(x, y) for x, y in zip(sides, izhikevich.reach(neurons, box, rounded), strict=True)]
    re_high, im_high, re_low, im_low = (np.where(quiet, 0, _outward(x)) for x in sides)
    if neurons.kind == "rf_izhikevich":
        im_high = np.minimum(im_high, _below_threshold(neurons, (-re_low, re_high), (-im_low, im_high), im))
    arrive = Bound("a_re", re.low, re.high, None), Bound("a_im", im.low, im.high, None)
    return (
        *(*re.words, *im.words, *arrive),
        Bound("re", -re_low, re_high, V_WORD),
        Bound("im", -im_low, im_high, V_WORD),
    )


def turns(neurons: Resonator, steps: int) -> NDArray[np.complex128]:
    """m^0 .. m^(steps - 1)."""
    one = 1 << neurons.decay_bits
    c, d = neurons.cos_decay / one, neurons.sin_decay / one
    k = np.arange(steps)
    return hypot(c, d) ** k * np.exp(1j * np.arctan2(d, c) * k)


def response_of(neurons: Resonator) -> Response | None:
    """None if the decay does not shrink."""
    one = 1 << neurons.decay_bits
    square = neurons.cos_decay**2 + neurons.sin_decay**2
    if square >= one**2:
        return None
    radius = sqrt(square) / one
    length = one * (one + sqrt(square)) / (one**2 - square)  # 1 / (1 - radius)
    steps = followed(neurons)
    m, rest = turns(neurons, steps), length * (radius**steps + MARGIN)
    a, b, c, d = (float(np.maximum(x, 0).sum()) + rest for x in (m.real, -m.real, m.imag, -m.imag))
    return Response(a, b, c, d, length)


def followed(neurons: Resonator) -> int:
    """For how many steps the turns of a decay that shrinks are followed one by one."""
    square = neurons.cos_decay**2 + neurons.sin_decay**2
    if not square:
        return 1
    return min(FOLLOWED, ceil(log(FORGOTTEN) / log(sqrt(square) / (1 << neurons.decay_bits))))


def _added_up(neurons: Resonator, box: Box, rounded: float) -> list[Floats]:
    """How far the sum of all past inputs goes in each of `SIDES`, with one reset's state among them."""
    m = response_of(neurons)
    if m is None:
        return [np.full(neurons.size, float(CEILING))] * len(SIDES)
    (a, b), (c, d) = (box.re_low, box.re_high), (box.im_low, box.im_high)
    inputs = (
        b * m.re_up - a * m.re_down + d * m.im_down - c * m.im_up,
        b * m.im_up - a * m.im_down + d * m.re_up - c * m.re_down,
        b * m.re_down - a * m.re_up + d * m.im_up - c * m.im_down,
        b * m.im_down - a * m.im_up + d * m.re_down - c * m.re_up,
    )
    return [x + m.length * rounded + reset for x, reset in zip(inputs, _after_reset(neurons), strict=True)]


def _after_reset(neurons: Resonator) -> list[float]:
    """How far a spike's reset turns in each of `SIDES` by itself."""
    if neurons.kind == "rf":
        return [0.0] * len(SIDES)
    left = (neurons.vth << neurons.state_exp) - 1
    z = 1j * left * turns(neurons, followed(neurons) + 1)[1:]
    rest = abs(left) * MARGIN + abs(z[-1])  # of the turns after these
    return [max(0.0, float((np.conj(side) * z).real.max())) + rest for side in SIDES]


def _box(neurons: Resonator, re: Arriving, im: Arriving) -> Box:
    """What arrives in a step, in units of the state."""
    ends = (np.clip(x, -CEILING, CEILING) << neurons.state_exp for x in (re.low, re.high, im.low, im.high))
    a, b, c, d = (x.astype(float) for x in ends)
    return Box(a, b, c, d)


def _below_threshold(neurons: Resonator, re: Pair, im: Pair, arrive: Arriving) -> Ints:
    """The greatest im' of one step from re within its bounds and an im that has not reached the threshold."""
    kept = np.minimum(im[1], max(0, (neurons.vth << neurons.state_exp) - 1))
    turned = [fixed.rz(neurons.sin_decay * x, neurons.decay_bits) for x in re]
    stayed = [fixed.rz(neurons.cos_decay * x, neurons.decay_bits) for x in (im[0], kept)]
    comes = np.clip(arrive.high, 0, CEILING) << neurons.state_exp
    return np.clip(np.maximum(*turned) + np.maximum(*stayed) + comes, -CEILING, CEILING)


def _outward(x: Floats) -> Ints:
    """The next integer, one further for the rounding of doubles, and not beyond `CEILING`."""
    return np.minimum(np.ceil(x) + 1, CEILING).astype(np.int64)
