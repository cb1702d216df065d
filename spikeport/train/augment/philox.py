"""Philox 4x32-10, a random function of a counter and a key (Salmon, Moraes, Dror, Shaw, SC 2011, section 3.3).

numpy's Philox is a stream: it starts anew in Python for each sample. Here all counters are computed in one pass.
"""

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
"""32-bit words, each in a 64-bit integer."""

ROUNDS = 10
_LOW, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = 0x9E3779B9, 0xBB67AE85


def philox(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> tuple[Words, Words, Words, Words]:
    """Four words of each counter; the words' arrays broadcast."""
    c0, c1, c2, c3 = counter
    for number in range(ROUNDS):
        k0, k1 = (np.uint64((word + number * step) & 0xFFFFFFFF) for word, step in zip(key, _WEYL, strict=True))
        even, odd = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (odd >> _SHIFT) ^ c1 ^ k0, odd & _LOW, (even >> _SHIFT) ^ c3 ^ k1, even & _LOW
    return c0, c1, c2, c3
