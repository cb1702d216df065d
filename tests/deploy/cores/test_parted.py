"""Cores on chips, and chips' cores on the mesh: against every division of small graphs, and graphs with a known one."""

from dataclasses import replace
from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from spikeport.chip import LOIHI2
from spikeport.deploy.cores.mesh import FAR, placed
from spikeport.deploy.cores.parted import parted

SEEDS = st.integers(0, 2**32 - 1)
EFFORT = 10**6


def between(messages: np.ndarray, chip: np.ndarray) -> float:
    """Messages that leave their chip, pair by pair."""
    n = len(messages)
    return sum(messages[i, j] for i in range(n) for j in range(n) if chip[i] != chip[j])


def drawn(rng: np.random.Generator, n: int) -> np.ndarray:
    """Whole numbers, so that sums are exact in any order; no core tells itself anything."""
    messages = np.where(rng.random((n, n)) < 0.4, rng.integers(1, 20, (n, n)), 0).astype(float)
    np.fill_diagonal(messages, 0.0)
    return messages


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_never_more_messages_than_before_nor_fewer_than_the_best_division(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, spare = int(rng.integers(2, 8)), int(rng.integers(0, 3))
    messages = drawn(rng, n)
    both = messages + messages.T
    chip = rng.permutation(np.arange(n + spare) % 2)
    found = parted(sparse.csr_array(both), chip, EFFORT)
    assert np.bincount(found).tolist() == np.bincount(chip).tolist()
    seats = int((chip == 0).sum())
    divisions = [np.isin(np.arange(n + spare), chosen) for chosen in combinations(range(n + spare), seats)]
    least = min(between(messages, division[:n]) for division in divisions)
    assert least <= between(messages, found[:n]) <= between(messages, chip[:n])


def test_groups_that_talk_among_themselves_are_found() -> None:
    """Three groups of 5, 4 and 3 cores on three chips of 5 seats, shuffled: nothing has to leave its chip."""
    rng = np.random.default_rng(3)
    group = rng.permutation(np.repeat([0, 1, 2], [5, 4, 3]))
    both = (group[:, None] == group).astype(float)
    np.fill_diagonal(both, 0.0)
    found = parted(sparse.csr_array(both), np.arange(15) % 3, EFFORT)
    assert between(both, found[:12]) == 0.0
    assert np.bincount(found).tolist() == [5, 5, 5]


def test_without_effort_all_stay() -> None:
    both = sparse.csr_array(np.array([[0.0, 0, 9, 0], [0, 0, 0, 9], [9, 0, 0, 0], [0, 9, 0, 0]]))
    assert parted(both, np.array([0, 0, 1, 1]), 10).tolist() == [0, 0, 1, 1]
    found = parted(both, np.array([0, 0, 1, 1]), EFFORT)
    assert found[0] == found[2] != found[1] == found[3]


def ways(number: np.ndarray, messages: np.ndarray, size: int, tile: int, width: int) -> float:
    """Hops in a step, pair by pair."""
    found = 0.0
    for i, j in zip(*np.nonzero(messages), strict=True):
        (chip, seat), (other, end) = divmod(int(number[i]), size), divmod(int(number[j]), size)
        (y, x), (v, u) = divmod(seat // tile, width), divmod(end // tile, width)
        found += messages[i, j] * (FAR if chip != other else abs(x - u) + abs(y - v))
    return found


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_places_are_the_first_of_few_chips_and_no_worse_than_in_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tile, width, height = (int(k) for k in rng.integers(1, 4, 3))
    size, n = tile * width * height, int(rng.integers(1, 25))
    chip = replace(LOIHI2, cores_per_tile=tile, mesh=(width, height), cores_per_chip=size)
    messages = drawn(rng, n)
    number = placed(chip, sparse.csr_array(messages), EFFORT)
    assert len(set(number.tolist())) == n
    on = np.bincount(number // size)
    assert len(on) == -(-n // size)
    assert sorted(number.tolist()) == [k * size + seat for k, count in enumerate(on) for seat in range(count)]
    assert ways(number, messages, size, tile, width) <= ways(np.arange(n), messages, size, tile, width)
