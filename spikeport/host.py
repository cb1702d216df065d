"""The host's arithmetic beside a chip's: the same bits in numpy and torch, on every machine and in every order of sums.

Where a spike depends on a number of the host, two hosts must have the same number. A sum of floats depends on its
order, and exp is not the same in every library. So sums are of whole numbers below 2^53, which are exact in float64
in any order, and everything else is made of +, - and * alone, which IEEE 754 rounds correctly, in an order that is
written here. Rounding rates to a grid would not do: two numbers that lie close to each other can lie on both sides of
the middle between its points.

Each function takes float64 `numpy.ndarray`s or `torch.Tensor`s and gives the same kind; nothing here imports torch.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

Floats: TypeAlias = Any
"""`numpy.ndarray` or `torch.Tensor`, float64."""

BITS = 20
"""Weights and Gaussian numbers of the host are whole numbers of 2^-20."""
NORMAL_MAX = 16.0
"""Beyond it a Gaussian number is cut; numpy's generator gives none above 14."""
EXACT = float(1 << 53)
"""Below it float64 has all whole numbers."""
_FAR = 64.0
"""exp(-64) is below any rate that a draw of 53 bits can tell from 0."""
_HALVINGS, _TERMS = 8, 12
"""|x| / 2^8 <= 1/4, where twelve terms of the series leave 1e-17."""


def whole(x: Floats, bits: int = BITS) -> Floats:
    """x in steps of 2^-bits, rounded to whole numbers, halves to even."""
    return (x * 2.0**bits).round()


def exp(x: Floats) -> Floats:
    """e^x for |x| <= 64, to 1e-13 of its value: the series of x / 256, squared eight times."""
    y = x * 2.0**-_HALVINGS
    total = y * (1 / _TERMS) + 1
    for n in range(_TERMS - 1, 0, -1):
        total = total * (y * (1 / n)) + 1
    for _ in range(_HALVINGS):
        total = total * total
    return total


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + e^-x)."""
    return 1 / (exp((-x).clip(-_FAR, _FAR)) + 1)


def tanh(x: Floats) -> Floats:
    """2 sigmoid(2 x) - 1, to 1e-13."""
    return sigmoid(x * 2) * 2 - 1


def prior_rates(normal: Floats, weight: Floats, bias: Floats) -> Floats:
    """ESVAE's r_q = sigmoid(W z_n + b) of its section III-B, `(B, D)`.

    Args:
        normal: z_n `(B, D)`.
        weight: `(D, D)`, whole, in 2^-20; 16 times a row's sum of |w|, and |b|, stay below 2^13 (`bottleneck_reach`).
        bias: `(D,)`, whole, in 2^-40.
    """
    sums = whole(normal.clip(-NORMAL_MAX, NORMAL_MAX)) @ weight.T + bias
    return sigmoid(sums * 2.0 ** (-2 * BITS))


def bottleneck_reach(weight: Floats, bias: Floats) -> float:
    """The largest sum of whole numbers in `prior_rates`; below `EXACT`, rates are the same on every host."""
    return float((abs(weight).sum(1) * (NORMAL_MAX * 2.0**BITS) + abs(bias)).max())


def attend(y: Floats, attention: Sequence[Sequence[float]], form: str) -> Floats:
    """TAID's sum over steps (`spikeport.train.autoencoders.taid` has the equations), `(B, c, h, w)`.

    Args:
        y: `(T, B, c, h, w)`, whole, in 2^-20; the sum of |y| over channels and places stays below 2^53.
        attention: W, `(T, T)`.
        form: "code": means over places, and a sum over steps. "paper": means over channels too, and a mean.
    """
    steps, batch, channels = y.shape[:3]
    groups = channels if form == "code" else 1
    flat = y.reshape(steps, batch, groups, -1)
    means = flat.sum(-1) * (2.0**-BITS / flat.shape[-1])
    total = y[0] * 0
    for row, now in zip(attention, y, strict=True):
        weighed = means[0] * row[0]
        for t in range(1, steps):
            weighed = weighed + means[t] * row[t]
        total = total + sigmoid(weighed)[..., None, None] * now
    return total * (2.0**-BITS if form == "code" else 2.0**-BITS / steps)
