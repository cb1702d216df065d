"""Composed maps have the product of torch's matrices; a convolution comes out wherever it is exact."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from torch.nn import functional as F

from spikeport.deploy.maps.base import Conv, Dense, Identity, Image, LinearMap, Sparse
from spikeport.deploy.maps.compose import compose
from spikeport.deploy.maps.conv import conv, pointwise
from spikeport.deploy.maps.conv_conv import conv_after_conv
from spikeport.deploy.maps.of_node import of_node
from spikeport.deploy.nodes import AvgPool2d, Pair, Scale, SumPool2d
from tests.deploy.maps.oracles import check, conv_matrix, convs, whole

ONE, NONE = (1, 1), (0, 0)


@settings(max_examples=400)
@given(convs(), st.data())
def test_two_convolutions(first: Conv, data: st.DataObject) -> None:
    second = data.draw(convs(first.target))
    product = conv_matrix(second) @ conv_matrix(first)
    both = conv_after_conv(first, second)
    if both is not None:
        event("one convolution")
        assert both.target == second.target
        np.testing.assert_array_equal(conv_matrix(both), product)  # sums of integers
    check(compose(first, second), product)


@settings(max_examples=300)
@given(convs(), st.data())
def test_a_convolution_is_refused_only_where_the_border_between_shows(first: Conv, data: st.DataObject) -> None:
    """With positive weights it shows in the sum, if the second reads on beyond the first's image."""
    second = data.draw(convs(first.target))
    first, second = (replace(map, weight=np.abs(map.weight) + 1) for map in (first, second))
    product = conv_matrix(second) @ conv_matrix(first)
    assume(np.any(product))  # else one axis may meet nothing, and no border along the other can show
    shows = _beyond(first, second).sum().item() > np.sum(product)
    event(f"border shows: {shows}")
    assert (conv_after_conv(first, second) is None) == shows


def _beyond(first: Conv, second: Conv) -> torch.Tensor:
    """Of an image of ones: the first goes on beyond its borders instead of the second's padding."""
    left, far = [p * s for p, s in zip(second.padding, first.stride, strict=True)], 40
    x = F.pad(torch.ones((1, *first.source), dtype=torch.float64), (left[1], far, left[0], far))
    middle = F.conv2d(x, torch.from_numpy(first.weight), None, *_geometry(first))
    y = F.conv2d(middle, torch.from_numpy(second.weight), None, second.stride, 0, second.dilation, second.groups)
    return y[:, :, : second.target[1], : second.target[2]]


def _geometry(map: Conv) -> tuple[Pair, Pair, Pair, int]:
    return map.stride, map.padding, map.dilation, map.groups


def image(rng: np.random.Generator, c_out: int, source: Image, kernel: int, **geometry: Pair) -> Conv:
    given = {"stride": ONE, "padding": NONE, "dilation": ONE} | geometry
    return conv(rng.standard_normal((c_out, source[0], kernel, kernel)), **given, groups=1, source=source)


def pool(source: Image, kernel: int, **geometry: Pair) -> LinearMap:
    size = (kernel, kernel)
    return of_node(AvgPool2d(size, **({"stride": size, "padding": NONE} | geometry)), source)


def test_a_pool_before_a_convolution(rng: np.random.Generator) -> None:
    first = pool((3, 8, 12), 2)
    second = image(rng, 5, (3, 4, 6), 3, padding=ONE)
    both = compose(first, second)
    assert isinstance(both, Conv) and both.weight.shape == (5, 3, 6, 6)
    assert (both.stride, both.padding, both.dilation, both.groups) == ((2, 2), (2, 2), ONE, 1)
    check(both, conv_matrix(second) @ conv_matrix(first))


def test_a_pool_before_a_convolution_with_stride(rng: np.random.Generator) -> None:
    first = pool((3, 8, 8), 2)
    second = image(rng, 5, (3, 4, 4), 3, stride=(2, 2), padding=ONE)
    both = compose(first, second)
    assert isinstance(both, Conv) and (both.stride, both.padding) == ((4, 4), (2, 2))
    check(both, conv_matrix(second) @ conv_matrix(first))


def test_a_pool_after_a_convolution(rng: np.random.Generator) -> None:
    first = image(rng, 5, (3, 9, 9), 3, padding=ONE)
    second = pool((5, 9, 9), 2)
    both = compose(first, second)
    assert isinstance(both, Conv) and both.weight.shape == (5, 3, 4, 4) and both.padding == ONE
    check(both, conv_matrix(second) @ conv_matrix(first))


def test_a_pool_of_overlapping_windows_before_a_convolution(rng: np.random.Generator) -> None:
    first = pool((2, 9, 9), 3, stride=(2, 2), padding=ONE)
    second = image(rng, 4, (2, 5, 5), 3)
    both = compose(first, second)
    assert isinstance(both, Conv) and both.weight.shape == (4, 2, 7, 7)
    check(both, conv_matrix(second) @ conv_matrix(first))


def test_a_pool_of_an_odd_image_is_listed_where_the_next_kernel_would_see_the_rest(rng: np.random.Generator) -> None:
    first = pool((2, 9, 9), 2)
    within, beyond = image(rng, 4, (2, 4, 4), 3), image(rng, 4, (2, 4, 4), 3, padding=ONE)
    assert isinstance(compose(first, within), Conv)
    assert isinstance(compose(first, beyond), Sparse)
    check(compose(first, beyond), conv_matrix(beyond) @ conv_matrix(first))


def test_two_padded_convolutions_are_listed(rng: np.random.Generator) -> None:
    first, second = image(rng, 2, (2, 8, 8), 3, padding=ONE), image(rng, 2, (2, 8, 8), 3, padding=ONE)
    both = compose(first, second)
    assert isinstance(both, Sparse)
    check(both, conv_matrix(second) @ conv_matrix(first))


@pytest.mark.parametrize("dilation", [ONE, (2, 3)])
def test_one_tap_before_or_after_leaves_the_geometry(rng: np.random.Generator, dilation: Pair) -> None:
    """What is left of a BatchNorm, and a Scale."""
    large = image(rng, 5, (3, 9, 9), 3, stride=(2, 1), padding=(2, 1), dilation=dilation)
    for first, second in (
        (image(rng, 3, (3, 9, 9), 1), large),
        (pointwise(rng.standard_normal(3), (3, 9, 9)), large),
        (large, image(rng, 4, large.target, 1)),
        (large, pointwise(rng.standard_normal(5), large.target)),
    ):
        both = compose(first, second)
        assert isinstance(both, Conv) and both.weight.shape[2:] == (3, 3)
        assert (both.stride, both.padding, both.dilation) == ((2, 1), (2, 1), dilation)
        check(both, conv_matrix(second) @ conv_matrix(first))


def test_dilations_that_do_not_compose_are_written_out(rng: np.random.Generator) -> None:
    first = image(rng, 2, (2, 12, 12), 2, dilation=(2, 2))
    alike, other = (image(rng, 2, first.target, 2, dilation=d) for d in ((2, 2), (3, 3)))
    both = compose(first, alike)
    assert isinstance(both, Conv) and (both.dilation, both.weight.shape[2:]) == ((2, 2), (3, 3))
    check(both, conv_matrix(alike) @ conv_matrix(first))
    both = compose(first, other)
    assert isinstance(both, Conv) and (both.dilation, both.weight.shape[2:]) == (ONE, (6, 6))
    check(both, conv_matrix(other) @ conv_matrix(first))


def test_a_kernel_of_gaps_over_few_places_is_listed(rng: np.random.Generator) -> None:
    first, second = image(rng, 1, (1, 10, 10), 2, stride=(4, 4)), image(rng, 1, (1, 3, 3), 3)
    both = compose(first, second)  # 10 by 10 taps for 36 synapses
    assert isinstance(both, Sparse) and both.matrix.nnz == 36
    check(both, conv_matrix(second) @ conv_matrix(first))


def test_pools_leave_groups(rng: np.random.Generator) -> None:
    grouped = conv(rng.standard_normal((6, 2, 3, 3)), ONE, NONE, ONE, 2, (4, 8, 8))
    after, before = pool(grouped.target, 2), pool((4, 16, 16), 2)
    for first, second in ((grouped, after), (before, grouped)):
        both = compose(first, second)
        assert isinstance(both, Conv) and both.groups == 2
        check(both, conv_matrix(second) @ conv_matrix(first))
    both = compose(pool((4, 16, 16), 2), of_node(SumPool2d((3, 3), ONE, NONE), (4, 8, 8)))
    assert isinstance(both, Conv) and both.groups == 4 and both.weight.shape == (4, 1, 6, 6)


def test_other_images_of_as_many_values_are_listed(rng: np.random.Generator) -> None:
    first, second = image(rng, 2, (2, 6, 4), 1), image(rng, 1, (1, 4, 12), 2)
    check(compose(first, second), conv_matrix(second) @ conv_matrix(first))


def test_identity_gives_the_other() -> None:
    dense = Dense(np.ones((2, 3)))
    assert compose(Identity(3), dense) is dense and compose(dense, Identity(2)) is dense


@settings(max_examples=60)
@given(convs(), st.integers(0, 2**32))
def test_dense_after_anything_is_dense(first: Conv, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight, before = whole(rng, 3, first.shape[0]), whole(rng, first.shape[0], 4)
    listed = before * (rng.random(before.shape) < 0.3)
    for map, matrix in ((first, conv_matrix(first)), (Sparse(csr_array(listed)), listed), (Dense(before), before)):
        both = compose(map, Dense(weight))
        assert isinstance(both, Dense) and both.weight.flags.c_contiguous
        check(both, weight @ matrix)


@settings(max_examples=60)
@given(convs(), st.integers(0, 2**32))
def test_other_pairs_are_listed_or_dense(second: Conv, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = whole(rng, second.shape[1], 3)
    listed = weight * (rng.random(weight.shape) < 0.3)
    check(compose(Dense(weight), second), conv_matrix(second) @ weight)
    check(compose(Sparse(csr_array(listed)), second), conv_matrix(second) @ listed)
    after = whole(rng, 3, second.shape[0])
    check(compose(second, Sparse(csr_array(after))), after @ conv_matrix(second))


def test_a_diagonal_leaves_the_kind(rng: np.random.Generator) -> None:
    """A Scale behind a Flatten has lost its channels."""
    map = image(rng, 3, (2, 5, 5), 3)
    dense = Dense(rng.standard_normal((4, 6)))
    after, before = (of_node(Scale(np.repeat([0.5, 2, 3][:c], n)), (c * n,)) for c, n in ((3, 9), (2, 25)))
    for first, second in ((map, after), (before, map)):
        assert isinstance(compose(first, second), Conv)
    check(compose(map, after), np.repeat([0.5, 2, 3], 9)[:, None] * conv_matrix(map))
    check(compose(before, map), conv_matrix(map) * np.repeat([0.5, 2], 25))
    for first, second in ((dense, Scale(np.arange(4.0))), (Scale(np.arange(6.0)), dense)):
        maps = [of_node(m, m.scale.shape) if isinstance(m, Scale) else m for m in (first, second)]
        assert isinstance(compose(*maps), Dense)


def test_maps_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="3 values do not fit a map from 4"):
        compose(Identity(3), Identity(4))
