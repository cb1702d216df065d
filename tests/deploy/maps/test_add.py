"""Added maps have the sum of torch's matrices, and hold no more than both."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from spikeport.deploy.maps.add import add
from spikeport.deploy.maps.base import Conv, Dense, Identity, LinearMap, Sparse
from spikeport.deploy.maps.conv import conv
from spikeport.deploy.maps.kind import held
from tests.deploy.maps.oracles import check, conv_matrix, convs, whole

ONE, NONE = (1, 1), (0, 0)


def full(map: LinearMap) -> np.ndarray:
    match map:
        case Identity():
            return np.eye(map.size)
        case Dense():
            return map.weight
        case Conv():
            return conv_matrix(map)
        case Sparse():
            return map.matrix.toarray()


def check_sum(a: LinearMap, b: LinearMap, kind: type) -> LinearMap:
    both = add(a, b)
    assert isinstance(both, kind) and held(both) <= held(a) + held(b)
    check(both, full(a) + full(b))
    other = add(b, a)
    assert isinstance(other, kind)
    check(other, full(a) + full(b))
    return both


def of(rng: np.random.Generator, c_out: int, kernel: int, groups: int = 1, stride: int = 1, dilation: int = 1) -> Conv:
    """Over (4, 9, 9), padded so that kernels of any size give one target."""
    padding = dilation * (kernel // 2)
    weight = whole(rng, c_out, 4 // groups, kernel, kernel) + 0.5
    return conv(weight, (stride, stride), (padding, padding), (dilation, dilation), groups, (4, 9, 9))


def listed(rng: np.random.Generator, m: int, n: int, density: float) -> Sparse:
    return Sparse(csr_array((whole(rng, m, n) + 0.5) * (rng.random((m, n)) < density)))


@given(convs(), st.data(), st.integers(0, 2**32))
def test_convolutions_of_one_geometry(a: Conv, data: st.DataObject, seed: int) -> None:
    b = replace(a, weight=whole(np.random.default_rng(seed), *a.weight.shape))
    check_sum(a, b, Conv)


@given(convs(), st.data())
def test_convolutions_of_two_geometries(a: Conv, data: st.DataObject) -> None:
    """By far most of them have no sum to hold."""
    b = data.draw(convs(a.source).filter(lambda map: map.shape == a.shape))
    both = add(a, b)
    event(type(both).__name__)
    if both is not None:
        check_sum(a, b, type(both))


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_a_smaller_kernel_is_put_into_a_larger_one(rng: np.random.Generator, stride: int, dilation: int) -> None:
    """A shortcut beside a convolution."""
    large = of(rng, 6, 3, stride=stride, dilation=dilation)
    for small in (of(rng, 6, 1, stride=stride), of(rng, 6, 1, 2, stride)):
        both = check_sum(large, small, Conv)
        assert isinstance(both, Conv) and both.weight.shape == large.weight.shape


def test_a_smaller_kernel_between_the_taps_has_no_place(rng: np.random.Generator) -> None:
    assert add(of(rng, 4, 5, dilation=2), of(rng, 4, 3)) is None


@pytest.mark.parametrize(
    ("source", "small", "large"),
    [
        (8, (3, 4, 1), (4, 4, 0)),  # kernel, stride, padding: the smaller begins further out
        (8, (4, 4, 0), (4, 4, 1)),  # ends further out
        (4, (1, 2, 0), (1, 3, 0)),
    ],
)
def test_kernels_that_meet_other_places_are_kept_apart(
    source: int, small: tuple[int, int, int], large: tuple[int, int, int]
) -> None:
    a, b = (conv(np.ones((3, 3, k, k)), (s, s), (p, p), ONE, 1, (3, source, source)) for k, s, p in (small, large))
    assert a.target == b.target == (3, 2, 2)
    both = add(a, b)
    assert not isinstance(both, Conv)
    if both is not None:
        check(both, conv_matrix(a) + conv_matrix(b))


def test_kernels_that_widen_each_others_groups_are_kept_apart(rng: np.random.Generator) -> None:
    assert add(of(rng, 4, 3, groups=4), of(rng, 4, 1)) is None


def test_an_identity_joins_a_convolution(rng: np.random.Generator) -> None:
    for map in (of(rng, 4, 3), of(rng, 4, 3, groups=4), of(rng, 4, 1)):
        both = check_sum(Identity(324), map, Conv)
        assert isinstance(both, Conv) and both.groups == map.groups


def test_anything_joins_a_dense(rng: np.random.Generator) -> None:
    map = of(rng, 1, 3)
    for other in (map, Dense(whole(rng, *map.shape)), listed(rng, *map.shape, 0.1)):
        check_sum(Dense(whole(rng, *map.shape)), other, Dense)
    check_sum(Dense(whole(rng, 7, 7)), Identity(7), Dense)


def test_lists_are_joined(rng: np.random.Generator) -> None:
    a, b = listed(rng, 20, 20, 0.2), listed(rng, 20, 20, 0.1)
    check_sum(a, b, Sparse)
    check_sum(a, Identity(20), Sparse)
    check_sum(Identity(20), Identity(20), Sparse)
    check_sum(a, Sparse(-a.matrix), Sparse)


def test_lists_that_fill_most_of_a_matrix_stay_lists_where_a_dense_is_larger() -> None:
    even, odd = (Sparse(csr_array(np.eye(3)[index])) for index in ([0, 1, 2], [1, 2, 0]))
    assert held(check_sum(even, odd, Sparse)) == 6


def test_a_convolution_beside_a_list_stays_where_its_kernel_is_shared(rng: np.random.Generator) -> None:
    map = of(rng, 4, 3)
    assert add(map, listed(rng, *map.shape, 0.001)) is None
    single = conv(whole(rng, 5, 2, 3, 3) + 0.5, ONE, NONE, ONE, 1, (2, 3, 3))
    check_sum(single, listed(rng, 5, 18, 0.2), Dense)
