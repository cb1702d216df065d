"""The closed form against an enumeration of every synapse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.errors import ProgramError
from spikeport.program import Connection, Conv, Dense, Shape, Sparse
from spikeport.sim.counting.fanout import fan_out, macs_dense, synapses
from tests.sim.counting.enumeration import synapses_of
from tests.sim.counting.random_convs import convs


def enumerate_conv(conv: Conv, source: Shape) -> list[tuple[int, int]]:
    return [(synapse.source, synapse.weight) for synapse in synapses_of(conv, source)]


def tally(reached: list[tuple[int, int]], n: int, nonzero: bool) -> np.ndarray:
    sources = [j for j, weight in reached if weight or not nonzero]
    return np.bincount(np.array(sources, dtype=np.int64), minlength=n)


@settings(max_examples=400, deadline=None)
@given(case=convs(), nonzero=st.booleans())
def test_conv_equals_enumeration(case: tuple[Conv, Shape], nonzero: bool) -> None:
    conv, source = case
    reached = enumerate_conv(conv, source)
    expected = tally(reached, int(np.prod(source)), nonzero)
    got = fan_out(conv, source, nonzero=nonzero)
    assert got.dtype == np.int64
    assert np.array_equal(got, expected)
    assert synapses(conv, source, nonzero=nonzero) == expected.sum()
    assert synapses(conv, source) <= macs_dense(conv, source)


def test_corner_edge_and_middle_of_a_padded_conv() -> None:
    conv = Conv("a", "b", np.ones((8, 1, 3, 3), np.int64), padding=(1, 1))
    reached = fan_out(conv, (1, 4, 4)).reshape(4, 4)
    assert reached[0, 0] == 8 * 4
    assert reached[0, 1] == 8 * 6
    assert reached[1, 1] == 8 * 9
    assert macs_dense(conv, (1, 4, 4)) == 8 * 16 * 9


def test_conv_without_padding_has_no_macs_on_padding() -> None:
    conv = Conv("a", "b", np.ones((3, 2, 2, 2), np.int64))
    assert synapses(conv, (2, 5, 5)) == macs_dense(conv, (2, 5, 5)) == 3 * 16 * 8


def test_stride_can_skip_a_neuron() -> None:
    conv = Conv("a", "b", np.ones((1, 1, 1, 1), np.int64), stride=(2, 2))
    assert fan_out(conv, (1, 2, 2)).tolist() == [1, 0, 0, 0]


def test_source_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ProgramError, match="source shape"):
        fan_out(Conv("a", "b", np.ones((1, 2, 1, 1), np.int64)), (1, 4, 4))


WEIGHT = np.array([[2, 0, 4], [0, 0, -2]])


@pytest.mark.parametrize(("nonzero", "expected"), [(False, [2, 2, 2]), (True, [1, 0, 2])])
def test_dense(nonzero: bool, expected: list[int]) -> None:
    connection: Connection = Dense("a", "b", WEIGHT)
    assert fan_out(connection, (3,), nonzero=nonzero).tolist() == expected
    assert synapses(connection, (3,), nonzero=nonzero) == sum(expected)
    assert macs_dense(connection, (3,)) == 6


@pytest.mark.parametrize(("nonzero", "expected"), [(False, [1, 0, 2, 0]), (True, [1, 0, 1, 0])])
def test_sparse_counts_listed_synapses(nonzero: bool, expected: list[int]) -> None:
    connection = Sparse("a", "b", np.array([0, 0, 1]), np.array([0, 2, 2]), np.array([2, 0, 4]))
    assert fan_out(connection, (4,), nonzero=nonzero).tolist() == expected
    assert macs_dense(connection, (4,)) == 3


def test_sparse_without_synapses() -> None:
    none = np.zeros(0, np.int64)
    assert fan_out(Sparse("a", "b", none, none, none), (2,)).tolist() == [0, 0]
