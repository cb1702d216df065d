"""Selected and scaled maps have what is left of torch's matrices; whole channels of a convolution stay one."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from spikeport.deploy.maps.base import Conv, Dense, Identity, LinearMap, Sparse
from spikeport.deploy.maps.conv import conv, pointwise
from spikeport.deploy.maps.select import columns, rows, scaled_columns, scaled_rows
from tests.deploy.maps.oracles import check, conv_matrix, convs, whole

ONE, NONE = (1, 1), (0, 0)


def some(data: st.DataObject, n: int) -> np.ndarray:
    return np.flatnonzero(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))


def neurons(channels: np.ndarray, image: tuple[int, int, int]) -> np.ndarray:
    """All those of the channels."""
    return np.arange(np.prod(image)).reshape(image)[channels].ravel()


@given(convs(), st.data())
def test_any_neurons(map: Conv, data: st.DataObject) -> None:
    matrix = conv_matrix(map)
    targets, sources = some(data, map.shape[0]), some(data, map.shape[1])
    check(rows(map, targets), matrix[targets])
    check(columns(map, sources), matrix[:, sources])
    check(columns(rows(map, targets), sources), matrix[targets][:, sources])


@given(convs(), st.data())
def test_whole_channels(map: Conv, data: st.DataObject) -> None:
    matrix = conv_matrix(map)
    targets = neurons(some(data, map.target[0]), map.target)
    sources = neurons(some(data, map.source[0]), map.source)
    check(rows(map, targets), matrix[targets])
    check(columns(map, sources), matrix[:, sources])
    check(columns(rows(map, targets), sources), matrix[targets][:, sources])
    check(rows(columns(map, sources), targets), matrix[targets][:, sources])


def test_whole_channels_of_a_convolution_are_one(rng: np.random.Generator) -> None:
    map = conv(whole(rng, 5, 3, 3, 3) + 0.5, (2, 2), ONE, ONE, 1, (3, 9, 9))
    matrix = conv_matrix(map)
    targets, sources = neurons(np.array([0, 3]), map.target), neurons(np.array([0, 2]), map.source)
    for cut, want, shape in (
        (rows(map, targets), matrix[targets], (2, 3, 3, 3)),
        (columns(map, sources), matrix[:, sources], (5, 2, 3, 3)),
    ):
        assert isinstance(cut, Conv) and cut.weight.shape == shape
        check(cut, want)


def test_groups_stay_where_each_loses_as_many(rng: np.random.Generator) -> None:
    map = conv(whole(rng, 6, 2, 2, 2) + 0.5, ONE, NONE, ONE, 2, (4, 6, 6))
    matrix = conv_matrix(map)
    for cut, want in (
        (rows(map, index := neurons(np.array([0, 2, 3, 5]), map.target)), matrix[index]),
        (columns(map, index := neurons(np.array([1, 2]), map.source)), matrix[:, index]),
    ):
        assert isinstance(cut, Conv) and cut.groups == 2
        check(cut, want)
    uneven = rows(map, index := neurons(np.array([0, 1, 2, 3]), map.target))
    assert isinstance(uneven, Conv) and uneven.groups == 1
    check(uneven, matrix[index])


def test_a_pool_cut_at_both_ends_is_depthwise_again() -> None:
    pool = conv(np.full((4, 1, 2, 2), 0.25), (2, 2), NONE, ONE, 4, (4, 8, 8))
    kept = np.array([0, 1, 3])
    targets, sources = neurons(kept, pool.target), neurons(kept, pool.source)
    half = rows(pool, targets)
    assert isinstance(half, Conv) and half.weight.shape == (3, 4, 2, 2)
    for both in (columns(half, sources), rows(columns(pool, sources), targets)):
        assert isinstance(both, Conv) and both.groups == 3 and both.source == (3, 8, 8)
        check(both, conv_matrix(pool)[targets][:, sources])


def test_all_neurons_leave_the_map_as_it_is(rng: np.random.Generator) -> None:
    for map in (Identity(4), Dense(whole(rng, 3, 4)), Sparse(csr_array(np.eye(3, 4)))):
        assert rows(map, np.arange(map.shape[0])) is map and columns(map, np.arange(4)) is map


@given(st.data(), st.integers(0, 2**32))
def test_other_kinds(data: st.DataObject, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dense = whole(rng, 4, 6)
    listed = dense * (rng.random((4, 6)) < 0.4)
    for map, matrix in ((Identity(5), np.eye(5)), (Dense(dense), dense), (Sparse(csr_array(listed)), listed)):
        targets, sources = some(data, map.shape[0]), some(data, map.shape[1])
        check(rows(map, targets), matrix[targets])
        check(columns(map, sources), matrix[:, sources])
        factor = whole(rng, map.shape[0]), whole(rng, map.shape[1])
        check(scaled_rows(map, factor[0]), factor[0][:, None] * matrix)
        check(scaled_columns(map, factor[1]), matrix * factor[1])
    assert isinstance(rows(Dense(dense), np.array([1])), Dense)
    assert isinstance(scaled_rows(Dense(dense), np.ones(4)), Dense)


@given(convs(), st.booleans(), st.integers(0, 2**32))
def test_factors(map: Conv, by_channel: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = conv_matrix(map)
    after, before = (_factor(rng, image, by_channel) for image in (map.target, map.source))
    scaled = scaled_rows(map, after), scaled_columns(map, before)
    if by_channel:
        assert all(isinstance(m, Conv) and m.groups == map.groups for m in scaled)
    check(scaled[0], after[:, None] * matrix)
    check(scaled[1], matrix * before)


def _factor(rng: np.random.Generator, image: tuple[int, int, int], by_channel: bool) -> np.ndarray:
    return (whole(rng, image[0], 1, 1) * np.ones(image)).ravel() if by_channel else whole(rng, int(np.prod(image)))


@pytest.mark.parametrize("scaled", [scaled_rows, scaled_columns])
def test_uneven_factors_are_listed(scaled: Callable[[LinearMap, np.ndarray], LinearMap]) -> None:
    map = pointwise(np.ones(2), (2, 3, 3))
    assert isinstance(scaled(map, np.arange(18.0)), Sparse)


def test_equal_factors_undo_each_other() -> None:
    half = scaled_rows(Identity(4), np.full(4, 0.5))
    assert isinstance(half, Sparse)
    assert scaled_rows(half, np.full(4, 2.0)) == Identity(4)
