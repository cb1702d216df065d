"""What a group of plain neurons receives: its slots of this step, shifted, added up in 32 bits, and cleared."""

import numpy as np
import pytest

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.arrivals import gather, leaves_word, wrap
from tests.sim.engine.hand import in_word

EDGES = [0, 1, -1, 5, -5, (1 << 23) - 1, 1 << 23, -(1 << 23), -(1 << 23) - 1, 3 << 22, 1 << 24, -(1 << 24), 12_345_678]


@pytest.mark.parametrize("n", [1, 15, 16, 17, 40])
@pytest.mark.parametrize("t", [1, 2, 3, 5])
def test_the_slots_of_a_step_are_shifted_added_and_cleared(n: int, t: int, rng: np.random.Generator) -> None:
    """Three connections: 3 slots shifted up by 2, one slot shifted down by 3, 2 slots of a convolution that wraps."""
    connections = np.zeros((5, col.CONNECTION_COLUMNS), np.int64)
    columns = [col.SLOTS, col.SLOT, col.BUFFER, col.EXP, col.WRAPS, col.N_TARGET]
    kinds = [(3, n + 2, 7, 2, 0, n), (1, n, 8 + 3 * (n + 2), -3, 0, n), (2, n, 9 + 4 * (n + 2), 4, 1, n)]
    for row, values in zip(connections[1:4], kinds, strict=True):
        row[columns] = values
    group = np.zeros(col.GROUP_COLUMNS, np.int64)
    group[[col.FIRST_IN, col.LAST_IN]] = 1, 4
    buffer = rng.integers(-(1 << 20), 1 << 20, 20 + 7 * (n + 2)).astype(np.int32)
    a, left = rng.integers(-99, 99, n).astype(np.int32), buffer.astype(np.int64)

    want = a.astype(np.int64)
    for slots, slot, start, exp, wraps, _ in kinds:
        at = start + t % slots * slot
        arrived = left[at : at + n] * 2**exp if exp > 0 else left[at : at + n] // 2**-exp
        want += [in_word(int(x), 24) for x in arrived] if wraps else arrived
        left[at : at + n] = 0
    gather(a, group, connections, buffer, t)

    assert np.array_equal(a, want)
    assert np.array_equal(buffer, left)


@pytest.mark.parametrize("up", [0, 1, 3])
def test_a_convolutions_sum_has_24_bits(up: int) -> None:
    """It wraps, and what would wrap is said; what stands beside the slot stays."""
    sums = [x for x in EDGES if abs(x << up) < 1 << 30]
    buffer = np.array([1 << 23, *sums, -(1 << 23)], np.int32)
    for k, x in enumerate(sums):
        assert leaves_word(buffer[1 + k : 2 + k], np.int64(up)) == (in_word(x << up, 24) != x << up)
    assert leaves_word(buffer, np.int64(up))
    assert not leaves_word(np.array([3, -4, 0], np.int32), np.int64(up))
    assert not leaves_word(buffer[:0], np.int64(up))

    wrap(buffer, 1, len(sums), np.int32(up))

    assert buffer.tolist() == [1 << 23, *(in_word(x << up, 24) for x in sums), -(1 << 23)]
