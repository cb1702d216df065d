"""Pairs of neurons and blocks, against a walk of the synapses in a plain loop."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spikeport.deploy.cores.listed import met

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 400)), max_size=60)


@given(PAIRS)
def test_pairs_equal_a_walk(pairs: list[tuple[int, int]]) -> None:
    """Up to 2,400 cells for up to 60 synapses: some are counted in a table, most are sorted."""
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    found = met(first, second, 401)
    walked = Counter(pairs)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == sorted(walked)
    assert found.synapses.tolist() == [walked[pair] for pair in sorted(walked)]


def test_a_full_table_is_counted() -> None:
    found = met(np.repeat(np.arange(3, dtype=np.int32), 4), np.tile(np.arange(2, dtype=np.int32), 6), 2)
    assert (found.first.tolist(), found.second.tolist()) == ([0, 0, 1, 1, 2, 2], [0, 1] * 3)
    assert found.synapses.tolist() == [2] * 6
