"""Blocks that change cores: never over a limit, never on more cores, never longer ways; by hand and by hypothesis."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from spikeport.chip import LOIHI2
from spikeport.deploy.cores.mesh import FAR, places_of
from spikeport.deploy.cores.moves import Terms
from spikeport.deploy.cores.settled import settled

CHIP = replace(LOIHI2, cores_per_tile=1, mesh=(2, 2), cores_per_chip=4)


def ways(at: np.ndarray, messages: np.ndarray) -> float:
    """Hops in a step, pair by pair."""
    found = 0.0
    for i, j in zip(*np.nonzero(messages), strict=True):
        (chip, a), (other, b) = divmod(int(at[i]), 4), divmod(int(at[j]), 4)
        found += messages[i, j] * (FAR if chip != other else abs(a // 2 - b // 2) + abs(a % 2 - b % 2))
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_limits_hold_and_hops_fall(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, seats = int(rng.integers(1, 9)), int(rng.integers(1, 9))
    sizes = rng.integers(0, 9, (n, 2)).astype(float)
    at, kinds = rng.integers(0, seats, n), np.zeros(n, int)
    if rng.random() < 0.5:
        kinds = at % 2  # no core has two kinds
    used = np.zeros((seats, 2))
    np.add.at(used, at, sizes)
    limits = used.max(axis=0)
    messages = np.where(rng.random((n, n)) < 0.5, rng.integers(0, 20, (n, n)), 0).astype(float)
    terms = Terms(sizes, kinds, limits, np.ones(2))
    found = settled(places_of(CHIP, seats), at, sparse.csr_array(messages), terms, 10**6)
    after = np.zeros((seats, 2))
    np.add.at(after, found, sizes)
    assert (after <= limits).all()
    assert set(found.tolist()) <= set(at.tolist())
    assert all(len({int(kinds[k]) for k in np.flatnonzero(found == place)}) == 1 for place in set(found.tolist()))
    assert ways(found, messages) <= ways(at, messages)


def test_a_block_goes_to_whom_it_tells_where_there_is_room() -> None:
    """Block 0 tells block 2, on another chip: it goes there if the core holds both, or changes places with block 3."""
    messages = np.zeros((4, 4))
    messages[0, 2] = 5.0
    at, kinds = np.array([0, 0, 4, 5]), np.zeros(4, int)
    for limit, expected in ((9.0, [4, 0, 4, 5]), (1.0, [0, 0, 4, 5]), (2.0, [4, 0, 4, 5])):
        terms = Terms(np.ones((4, 1)), kinds, np.array([limit]), np.ones(1))
        assert settled(places_of(CHIP, 6), at, sparse.csr_array(messages), terms, 10**4).tolist() == expected
    alone = Terms(np.ones((4, 1)), kinds, np.array([1.0]), np.ones(1))
    at = np.array([0, 1, 4, 5])
    found = settled(places_of(CHIP, 6), at, sparse.csr_array(messages), alone, 10**4)
    assert found.tolist() == [5, 1, 4, 0]
    others = Terms(np.ones((4, 1)), np.arange(4), np.array([9.0]), np.ones(1))
    assert settled(places_of(CHIP, 6), at, sparse.csr_array(messages), others, 10**4).tolist() == at.tolist()
