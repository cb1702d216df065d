"""The plain and the extended LIF in Python's own integers, and neurons that land on the borders of their words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

M = 1 << 23
BORDERS = (M - 1, M, M + 1, M + 2, 1 - M, -M, -M - 1, -M - 2, -(1 << 31), (1 << 31) - 1, 1 << 31)


@dataclass(frozen=True)
class Rule:
    """What a group's row has of a LIF; thresholds in units of v."""

    keep_u: int
    keep_v: int
    vth: int
    vth_low: int | None = None
    soft: bool = False
    rests: int = 0


def toward_zero(x: int, keep: int) -> int:
    """x keep / 4096 by division and not by shift."""
    return abs(x) * keep // 4096 * (1 if x >= 0 else -1)


def in_word(x: int, bits: int) -> int:
    """The low bits of x, the highest of them the sign."""
    return (x + (1 << (bits - 1))) % (1 << bits) - (1 << (bits - 1))


def lif_step(rule: Rule, u: int, v: int, rest: int, a: int, bias: int) -> tuple[int, int, int, int, bool]:
    """`(u, v, rest, s, left)` after Lava's `PyLifModelBitAcc` and `PyLifRefractoryModelFloat` (lava-nc 0.10.0)."""
    full = toward_zero(u, rule.keep_u) + 64 * a
    x = in_word(full, 32)
    u = x - 2 * M if x > M else x + 2 * M if x <= -M else x
    left, s = u != full, 0
    if rest == 0:
        y = toward_zero(v, rule.keep_v) + u + bias
        v = min(max(y, 1 - M), M - 1)
        left |= v != y
        s = 1 if v > rule.vth else -1 if rule.vth_low is not None and v < rule.vth_low else 0
        if s:
            v = v - rule.vth if rule.soft else 0
    return u, v, rule.rests if s else max(rest - 1, 0), s, left


def leaves_loihi1(rule: Rule, u: int, a: int, bias: int) -> bool:
    """Whether a << 6 leaves 22 bits, or u or u + bias 24: nengo-loihi 1.1.0's words."""
    x = toward_zero(u, rule.keep_u) + 64 * a
    return in_word(64 * a, 22) != 64 * a or in_word(x, 24) != x or in_word(x + bias, 24) != x + bias


def loihi1_step(rule: Rule, u: int, v: int, a: int, bias: int) -> tuple[int, int, int]:
    """`(u, v, s)` of a plain neuron in a Loihi 1's words, which wrap where `leaves_loihi1` says so."""
    u = in_word(toward_zero(u, rule.keep_u) + in_word(64 * a, 22), 24)
    v = min(max(toward_zero(v, rule.keep_v) + in_word(u + bias, 24), 1 - M), M - 1)
    return u, 0 if v > rule.vth else v, int(v > rule.vth)


def border_neurons(rng: np.random.Generator, rule: Rule, n: int, sums: Sequence[int]) -> Mapping[str, np.ndarray]:
    """`u v rest a bias` of n neurons, many of which end at a border of a word or at a threshold, or beside it."""
    found: dict[str, list[int]] = {name: [] for name in ("u", "v", "rest", "a", "bias")}
    aims = [0, *BORDERS[:8], *(rule.vth + k for k in (-1, 0, 1)), *((rule.vth_low or 0) + k for k in (-1, 0, 1))]
    for _ in range(n):
        u, v = (int(x) for x in rng.integers(1 - M, M, 2))
        a = int(rng.choice(sums)) if rng.random() < 0.7 else int(rng.integers(-(1 << 18), 1 << 18))
        if rule.keep_u == 4096 and rng.random() < 0.7:
            u = int(rng.choice(BORDERS)) - 64 * a
            u = u if abs(u) < M else int(rng.integers(-100, 100))
        rest = int(rng.choice([0, 0, 1, 2, rule.rests])) if rule.rests else 0
        now = toward_zero(v, rule.keep_v) + lif_step(rule, u, 0, 1, a, 0)[0]
        bias = int(rng.choice(aims)) - now if rng.random() < 0.8 else int(rng.integers(-(1 << 19), 1 << 19))
        for name, x in {"u": u, "v": v, "rest": rest, "a": a, "bias": bias}.items():
            found[name].append(x)
    return {name: np.array(x, np.int64) for name, x in found.items()}
