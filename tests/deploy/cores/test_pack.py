"""Packing, moves and places, each against plain loops on small cases."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from spikeport.chip import LOIHI2
from spikeport.deploy.cores.mesh import FAR, cost, placed, places_of
from spikeport.deploy.cores.moves import Terms, levelled
from spikeport.deploy.cores.pack import packed
from spikeport.deploy.cores.problem import on_cores

SEEDS = st.integers(0, 2**32 - 1)


def least(sizes: list[int], limit: int) -> int:
    """Cores, by a trial of all seats."""
    blocks = range(len(sizes))
    for cores in range(1, len(sizes) + 1):
        for seats in product(range(cores), repeat=len(sizes)):
            if all(sum(sizes[b] for b in blocks if seats[b] == core) <= limit for core in range(cores)):
                return cores
    raise AssertionError


def test_first_fit_decreasing_by_hand() -> None:
    """6, 5, 4, 3, 2 on cores of 10: 6 + 4 and 5 + 3 + 2; of two kinds: 6 + 4, 5 + 2, 3."""
    sizes = np.array([[2.0], [6.0], [5.0], [3.0], [4.0]])
    assert packed(sizes, np.zeros(5, int), np.array([10.0])).tolist() == [0, 1, 0, 0, 1]
    assert packed(sizes, np.array([0, 0, 0, 1, 0]), np.array([10.0])).tolist() == [0, 1, 0, 2, 1]
    assert packed(np.array([[11.0], [0.0]]), np.zeros(2, int), np.array([10.0])).tolist() == [0, 1]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 10), min_size=1, max_size=6))
def test_no_more_cores_than_first_fit_decreasing_may_take(sizes: list[int]) -> None:
    """11/9 of the least, and 6/9 (Dosa, 2007)."""
    core = packed(np.array(sizes, float)[:, None], np.zeros(len(sizes), int), np.array([10.0]))
    assert on_cores(np.array(sizes, float)[:, None], core).max() <= 10
    assert core.max() + 1 <= (11 * least(sizes, 10) + 6) / 9


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_moves_make_the_fullest_core_no_fuller_and_stay_within_the_limits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    blocks, cores = int(rng.integers(1, 12)), int(rng.integers(1, 6))
    sizes = rng.integers(1, 9, (blocks, 2)).astype(float)
    kinds = np.zeros(blocks, int)
    core = np.unique(rng.integers(0, cores, blocks), return_inverse=True)[1]
    limits = np.maximum(on_cores(sizes, core).max(axis=0), 12)
    limits[1] = np.inf
    terms = Terms(sizes, kinds, limits, np.array([0.0, 1.0]))
    found = levelled(terms, core, cores, 100)
    assert found.shape == core.shape
    assert found.max() < cores
    used = on_cores(sizes, found)
    assert (used <= limits).all()
    assert used[:, 1].max() <= on_cores(sizes, core)[:, 1].max()
    for block, to in product(range(blocks), range(cores)):  # no single move is left that would help
        there = found.copy()
        there[block] = to
        after = _sums(sizes, there, cores)
        touched = after[[found[block], to]]
        at = _sums(sizes, found, cores)[:, 1].argmax()
        if found[block] == at and to != at and (after <= limits).all():
            assert touched[:, 1].max() >= used[:, 1].max() * (1 - 1e-9)


def _sums(sizes: np.ndarray, core: np.ndarray, cores: int) -> np.ndarray:
    return np.stack([sizes[core == k].sum(axis=0) for k in range(cores)])


def test_kinds_are_not_mixed_by_moves() -> None:
    terms = Terms(np.array([[5.0], [5.0], [1.0]]), np.array([0, 0, 1]), np.array([20.0]), np.ones(1))
    assert levelled(terms, np.array([0, 0, 1]), 2, 10).tolist() == [0, 0, 1]
    assert sorted(levelled(terms, np.array([0, 0, 1]), 3, 10).tolist()) == [0, 1, 2]


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_every_core_has_a_place_and_ways_are_no_longer_than_in_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 7))
    chip = replace(LOIHI2, cores_per_chip=int(rng.integers(1, 5)), cores_per_tile=1, mesh=(2, 2))
    dense = rng.integers(0, 4, (n, n)) * (rng.random((n, n)) < 0.6)
    messages = sparse.csr_array(dense.astype(float))

    def ways(at: tuple[int, ...]) -> float:
        total = 0.0
        for a, b in product(range(n), repeat=2):
            (chip_a, i), (chip_b, j) = (divmod(at[k], chip.cores_per_chip) for k in (a, b))
            hops = abs(i % 2 - j % 2) + abs(i // 2 - j // 2)
            total += dense[a, b] * (hops if chip_a == chip_b else FAR)
        return total

    found = placed(chip, messages, 10**6)
    assert len(set(found.tolist())) == n and found.max() // chip.cores_per_chip == (n - 1) // chip.cores_per_chip
    assert cost(places_of(chip, int(found.max()) + 1), found, messages) == ways(tuple(found.tolist()))
    assert ways(tuple(found.tolist())) <= ways(tuple(range(n)))
    if n <= 4:
        best = min(ways(at) for at in permutations(range(n)))
        at = found.copy()
        for a, b in product(range(n), repeat=2):  # no exchange is left that would help
            at[[a, b]] = at[[b, a]]
            assert ways(tuple(at.tolist())) >= ways(tuple(found.tolist()))
            at[[a, b]] = at[[b, a]]
        assert ways(tuple(found.tolist())) >= best


def test_pairs_that_exchange_all_messages_share_a_chip() -> None:
    chip = replace(LOIHI2, cores_per_chip=2, cores_per_tile=1, mesh=(2, 1))
    messages = sparse.csr_array(np.array([[0, 0, 9, 0], [0, 0, 0, 9], [9, 0, 0, 0], [0, 9, 0, 0]], float))
    found = placed(chip, messages, 10**4)
    assert found[0] // 2 == found[2] // 2 != found[1] // 2
