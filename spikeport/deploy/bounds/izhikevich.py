"""What a resonator of kind `rf_izhikevich` can reach although it starts again at every spike.

After a step im is below the threshold, or it has been reset; and what turns comes by the side where im is high.
So either the last reset, or the start, is at most K steps ago, and only what came since then counts; or each of the
last K states had im <= vth' - 1, which bounds where they have turned to. Any K gives bounds, and the narrowest are
taken. They hold for decays that do not shrink, too. Symbols as in `resonator`.
"""

from dataclasses import dataclass
from math import hypot

import numpy as np
from numpy.typing import NDArray

from spikeport.neurons import Resonator

TURNS = 64  # the greatest K
PARALLEL = 0.05  # directions whose sine is below this are not combined
SIDES = (1 + 0j, 1j, -1 + 0j, -1j)  # re and im upward, re and im downward
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Box:
    """What may come in at a step, as parts of z, each `(n,)`."""

    re_low: Floats
    re_high: Floats
    im_low: Floats
    im_high: Floats

    def reach(self, side: complex) -> Floats:
        """The most that it has in this direction, a number of length 1."""
        re = np.maximum(side.real * self.re_low, side.real * self.re_high)
        return re + np.maximum(side.imag * self.im_low, side.imag * self.im_high)


def reach(neurons: Resonator, box: Box, rounded: float) -> list[Floats]:
    """How far z' = (re', im'), before the reset, goes in each of `SIDES`, `(n,)` each.

    Args:
        rounded: The length of what one step's rounding may add.
    """
    one = 1 << neurons.decay_bits
    c, d = neurons.cos_decay / one, neurons.sin_decay / one
    radius, angle, left = hypot(c, d), np.arctan2(d, c), float((neurons.vth << neurons.state_exp) - 1)
    n = len(box.re_low)
    come, recent = [np.zeros(n) for _ in SIDES], [np.zeros(n) for _ in SIDES]
    older, best = [np.full(n, np.inf) for _ in SIDES], [np.full(n, np.inf) for _ in SIDES]
    normals, ends = [1j], [np.full(n, left)]  # z . normals[k] <= ends[k], from the im of k steps ago
    for k in range(1, TURNS + 1):
        normals.append(1j * np.exp(1j * angle * k))
        ends.append(radius * ends[-1] + box.reach(normals[k]) + rounded)
        for s, side in enumerate(SIDES):
            come[s] = come[s] + radius ** (k - 1) * (box.reach(side * np.exp(-1j * angle * (k - 1))) + rounded)
            reset = (np.conj(side) * (radius * np.exp(1j * angle)) ** k * 1j * left).real
            recent[s] = np.maximum(recent[s], come[s] + max(0.0, reset))
            for p in range(1, k):
                shares = _shares(side, normals[p], normals[k])
                if shares is not None:
                    older[s] = np.minimum(older[s], shares[0] * ends[p] + shares[1] * ends[k])
            best[s] = np.minimum(best[s], np.maximum(recent[s], older[s]))
    return best


def _shares(side: complex, a: complex, b: complex) -> tuple[float, float] | None:
    """x, y >= 0 with side = x a + y b, if there are any."""
    across = _cross(a, b)
    if abs(across) < PARALLEL:
        return None
    x, y = _cross(side, b) / across, _cross(a, side) / across
    return (x, y) if x >= 0 and y >= 0 else None


def _cross(a: complex, b: complex) -> float:
    return a.real * b.imag - a.imag * b.real
