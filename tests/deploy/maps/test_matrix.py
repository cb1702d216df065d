"""A map's matrix is what torch's function does to unit vectors; costs are counted off it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from spikeport.deploy.maps.base import Conv, Dense, Identity, Sparse
from spikeport.deploy.maps.conv import conv, with_groups
from spikeport.deploy.maps.kind import diagonal, held, of_matrix, or_listed, synapses
from tests.deploy.maps.oracles import check, conv_matrix, convs


@given(convs())
def test_of_convolutions(drawn: Conv) -> None:
    check(drawn, conv_matrix(drawn))


def test_of_the_others(rng: np.random.Generator) -> None:
    weight = rng.integers(-1, 2, (4, 6)).astype(np.float64)
    check(Identity(5), np.eye(5))
    check(Dense(weight), weight)
    check(Sparse(csr_array(weight)), weight)


@given(convs())
def test_synapses_are_counted_without_the_matrix(drawn: Conv) -> None:
    assert synapses(drawn) == np.count_nonzero(conv_matrix(drawn))


@given(convs(), st.data())
def test_fewer_groups_are_the_same_map(drawn: Conv, data: st.DataObject) -> None:
    groups = data.draw(st.sampled_from([g for g in (1, 2, 3, 4) if drawn.groups % g == 0]))
    weight = with_groups(drawn, groups)
    merged = conv(weight, drawn.stride, drawn.padding, drawn.dilation, groups, drawn.source)
    check(merged, conv_matrix(drawn))


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], Identity),
        ([[1.0, 0.0], [0.0, 2.0]], Sparse),
        ([[1.0, 0.0], [3.0, 2.0]], Dense),
        ([[0.0, 1.0], [1.0, 0.0]], Sparse),
        ([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], Sparse),
    ],
)
def test_the_cheapest_kind_of_a_matrix(entries: list[list[float]], kind: type) -> None:
    map = of_matrix(csr_array(np.array(entries)))
    assert isinstance(map, kind)
    check(map, np.array(entries))


def test_explicit_zeros_are_dropped() -> None:
    check(of_matrix(csr_array(([1.0, 0.0, 2.0], ([0, 1, 1], [0, 1, 2])), (2, 3))), np.array([[1, 0, 0], [0, 0, 2.0]]))


def test_a_kernel_larger_than_its_matrix_is_listed() -> None:
    kernel = np.zeros((1, 1, 3, 3))
    kernel[0, 0, ::2, ::2] = 1
    once, often = (conv(kernel, (1, 1), (0, 0), (1, 1), 1, (1, n, n)) for n in (3, 5))
    assert (held(once), synapses(once)) == (9, 4) and isinstance(or_listed(once), Sparse)
    assert (held(often), synapses(often)) == (9, 36) and or_listed(often) is often
    check(or_listed(once), conv_matrix(once))


def test_a_diagonal_is_recognised() -> None:
    factor = np.array([2.0, 0.0, 3.0])
    found = diagonal(Sparse(csr_array(np.diag(factor))))
    assert found is not None and np.array_equal(found, factor)
    assert diagonal(Sparse(csr_array(np.eye(3)[[1, 0, 2]]))) is None
    assert diagonal(Sparse(csr_array(np.eye(3)[:2]))) is None
