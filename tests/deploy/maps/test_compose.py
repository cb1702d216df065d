"""Composed maps have the product of torch's matrices; one convolution comes out wherever it is exact."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from torch.nn import functional as F

from spikeport.deploy.maps.add import add
from spikeport.deploy.maps.base import Conv, Dense, Identity, Image, LinearMap, Sparse
from spikeport.deploy.maps.border import surplus
from spikeport.deploy.maps.compose import compose
from spikeport.deploy.maps.conv import conv, pointwise
from spikeport.deploy.maps.conv_conv import conv_after_conv
from spikeport.deploy.maps.kind import held, synapses
from spikeport.deploy.maps.of_node import of_node
from spikeport.deploy.nodes import AvgPool2d, Pair, Scale, SumPool2d
from tests.deploy.maps.oracles import check, conv_matrix, convs, whole

ONE, NONE = (1, 1), (0, 0)


def one(first: LinearMap, second: LinearMap) -> LinearMap:
    """The composition, where it is one map."""
    (both,) = compose(first, second)
    return both


@settings(max_examples=400)
@given(convs(), st.data())
def test_two_convolutions(first: Conv, data: st.DataObject) -> None:
    second = data.draw(convs(first.target))
    product = conv_matrix(second) @ conv_matrix(first)
    both, seen = conv_after_conv(first, second), surplus(first, second)
    event(f"surplus: {seen.nnz > 0}")
    assert both.target == second.target
    np.testing.assert_array_equal(conv_matrix(both) - seen.toarray(), product)  # sums of integers
    maps = compose(first, second)
    event(", ".join(type(m).__name__ for m in maps))
    if len(maps) == 1:
        check(maps[0], product)
    else:
        less = maps[1]
        assert (
            isinstance(maps[0], Conv) and isinstance(less, Sparse) and sum(map(held, maps)) < np.count_nonzero(product)
        )
        np.testing.assert_array_equal(conv_matrix(maps[0]) + less.matrix.toarray(), product)
        assert less.matrix.has_canonical_format and np.all(less.matrix.data)
        assert add(*maps) is None  # paths keep them apart


@settings(max_examples=300)
@given(convs(), st.data())
def test_there_is_a_surplus_only_where_the_border_between_shows(first: Conv, data: st.DataObject) -> None:
    """With positive weights it shows in the sum, if the second reads on beyond the first's image."""
    second = data.draw(convs(first.target))
    first, second = (replace(map, weight=np.abs(map.weight) + 1) for map in (first, second))
    product = conv_matrix(second) @ conv_matrix(first)
    assume(np.any(product))  # else one axis may meet nothing, and no border along the other can show
    shows = _beyond(first, second).sum().item() > np.sum(product)
    event(f"border shows: {shows}")
    assert (surplus(first, second).nnz > 0) == shows


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
    both = one(first, second)
    assert isinstance(both, Conv) and both.weight.shape == (5, 3, 6, 6)
    assert (both.stride, both.padding, both.dilation, both.groups) == ((2, 2), (2, 2), ONE, 1)
    check(both, conv_matrix(second) @ conv_matrix(first))


def test_a_pool_before_a_convolution_with_stride(rng: np.random.Generator) -> None:
    first = pool((3, 8, 8), 2)
    second = image(rng, 5, (3, 4, 4), 3, stride=(2, 2), padding=ONE)
    both = one(first, second)
    assert isinstance(both, Conv) and (both.stride, both.padding) == ((4, 4), (2, 2))
    check(both, conv_matrix(second) @ conv_matrix(first))


def test_a_pool_after_a_convolution(rng: np.random.Generator) -> None:
    first = image(rng, 5, (3, 9, 9), 3, padding=ONE)
    second = pool((5, 9, 9), 2)
    both = one(first, second)
    assert isinstance(both, Conv) and both.weight.shape == (5, 3, 4, 4) and both.padding == ONE
    check(both, conv_matrix(second) @ conv_matrix(first))


def test_a_pool_of_overlapping_windows_before_a_convolution(rng: np.random.Generator) -> None:
    first = pool((2, 9, 9), 3, stride=(2, 2), padding=ONE)
    second = image(rng, 4, (2, 5, 5), 3)
    both = one(first, second)
    assert isinstance(both, Conv) and both.weight.shape == (4, 2, 7, 7)
    check(both, conv_matrix(second) @ conv_matrix(first))


def test_a_pool_of_an_odd_image_is_listed_where_the_next_kernel_would_see_the_rest(rng: np.random.Generator) -> None:
    """Of so small an image there are fewer synapses than a kernel and a border."""
    first = pool((2, 3, 3), 2)
    within, beyond = image(rng, 4, (2, 1, 1), 1), image(rng, 4, (2, 1, 1), 3, padding=ONE)
    assert isinstance(one(first, within), Conv)
    assert isinstance(one(first, beyond), Sparse)
    check(one(first, beyond), conv_matrix(beyond) @ conv_matrix(first))


def test_means_that_overlap_before_a_padded_convolution_are_its_kernel_less_a_border(rng: np.random.Generator) -> None:
    """ResNet-18's: 3x3 places every 2, padded. Row 12 of the means is none; the last of the kernel would see it."""
    first = pool((2, 24, 24), 3, stride=(2, 2), padding=ONE)
    second = image(rng, 4, (2, 12, 12), 3, padding=ONE)
    kernel, less = compose(first, second)
    assert isinstance(kernel, Conv) and (kernel.weight.shape, kernel.stride, kernel.padding) == (
        (4, 2, 7, 7),
        (2, 2),
        (3, 3),
    )
    assert isinstance(less, Sparse)
    rows, columns = np.unravel_index(less.matrix.tocoo().row, second.target)[1:]
    assert np.all((rows == 11) | (columns == 11))
    np.testing.assert_allclose(
        conv_matrix(kernel) + less.matrix.toarray(), conv_matrix(second) @ conv_matrix(first), atol=1e-14
    )
    assert held(kernel) + held(less) < synapses(kernel) / 5


def test_two_padded_convolutions_are_their_kernel_less_a_border(rng: np.random.Generator) -> None:
    first, second = (image(rng, 2, (2, 8, 8), 3, padding=ONE) for _ in range(2))
    kernel, less = compose(first, second)
    assert isinstance(kernel, Conv) and kernel.weight.shape == (2, 2, 5, 5) and isinstance(less, Sparse)
    rows, columns = np.unravel_index(less.matrix.tocoo().row, second.target)[1:]
    assert np.all(np.isin(rows, (0, 7)) | np.isin(columns, (0, 7)))
    np.testing.assert_allclose(
        conv_matrix(kernel) + less.matrix.toarray(), conv_matrix(second) @ conv_matrix(first), atol=1e-14
    )


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
        both = one(first, second)
        assert isinstance(both, Conv) and both.weight.shape[2:] == (3, 3)
        assert (both.stride, both.padding, both.dilation) == ((2, 1), (2, 1), dilation)
        check(both, conv_matrix(second) @ conv_matrix(first))


def test_dilations_that_do_not_compose_are_written_out(rng: np.random.Generator) -> None:
    first = image(rng, 2, (2, 12, 12), 2, dilation=(2, 2))
    alike, other = (image(rng, 2, first.target, 2, dilation=d) for d in ((2, 2), (3, 3)))
    both = one(first, alike)
    assert isinstance(both, Conv) and (both.dilation, both.weight.shape[2:]) == ((2, 2), (3, 3))
    check(both, conv_matrix(alike) @ conv_matrix(first))
    both = one(first, other)
    assert isinstance(both, Conv) and (both.dilation, both.weight.shape[2:]) == (ONE, (6, 6))
    check(both, conv_matrix(other) @ conv_matrix(first))


def test_a_kernel_of_gaps_over_few_places_is_listed(rng: np.random.Generator) -> None:
    first, second = image(rng, 1, (1, 10, 10), 2, stride=(4, 4)), image(rng, 1, (1, 3, 3), 3)
    both = one(first, second)  # 10 by 10 taps for 36 synapses
    assert isinstance(both, Sparse) and both.matrix.nnz == 36
    check(both, conv_matrix(second) @ conv_matrix(first))


def test_pools_leave_groups(rng: np.random.Generator) -> None:
    grouped = conv(rng.standard_normal((6, 2, 3, 3)), ONE, NONE, ONE, 2, (4, 8, 8))
    after, before = pool(grouped.target, 2), pool((4, 16, 16), 2)
    for first, second in ((grouped, after), (before, grouped)):
        both = one(first, second)
        assert isinstance(both, Conv) and both.groups == 2
        check(both, conv_matrix(second) @ conv_matrix(first))
    both = one(pool((4, 16, 16), 2), of_node(SumPool2d((3, 3), ONE, NONE), (4, 8, 8)))
    assert isinstance(both, Conv) and both.groups == 4 and both.weight.shape == (4, 1, 6, 6)


def test_other_images_of_as_many_values_are_listed(rng: np.random.Generator) -> None:
    first, second = image(rng, 2, (2, 6, 4), 1), image(rng, 1, (1, 4, 12), 2)
    check(one(first, second), conv_matrix(second) @ conv_matrix(first))


def test_identity_gives_the_other() -> None:
    dense = Dense(np.ones((2, 3)))
    assert one(Identity(3), dense) is dense and one(dense, Identity(2)) is dense


@settings(max_examples=60)
@given(convs(), st.integers(0, 2**32))
def test_dense_after_anything_is_dense(first: Conv, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight, before = whole(rng, 3, first.shape[0]), whole(rng, first.shape[0], 4)
    listed = before * (rng.random(before.shape) < 0.3)
    for map, matrix in ((first, conv_matrix(first)), (Sparse(csr_array(listed)), listed), (Dense(before), before)):
        both = one(map, Dense(weight))
        assert isinstance(both, Dense) and both.weight.flags.c_contiguous
        check(both, weight @ matrix)


@settings(max_examples=60)
@given(convs(), st.integers(0, 2**32))
def test_other_pairs_are_listed_or_dense(second: Conv, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight = whole(rng, second.shape[1], 3)
    listed = weight * (rng.random(weight.shape) < 0.3)
    check(one(Dense(weight), second), conv_matrix(second) @ weight)
    check(one(Sparse(csr_array(listed)), second), conv_matrix(second) @ listed)
    after = whole(rng, 3, second.shape[0])
    check(one(second, Sparse(csr_array(after))), after @ conv_matrix(second))


def test_a_diagonal_leaves_the_kind(rng: np.random.Generator) -> None:
    """A Scale behind a Flatten has lost its channels."""
    map = image(rng, 3, (2, 5, 5), 3)
    dense = Dense(rng.standard_normal((4, 6)))
    after, before = (of_node(Scale(np.repeat([0.5, 2, 3][:c], n)), (c * n,)) for c, n in ((3, 9), (2, 25)))
    for first, second in ((map, after), (before, map)):
        assert isinstance(one(first, second), Conv)
    check(one(map, after), np.repeat([0.5, 2, 3], 9)[:, None] * conv_matrix(map))
    check(one(before, map), conv_matrix(map) * np.repeat([0.5, 2], 25))
    for first, second in ((dense, Scale(np.arange(4.0))), (Scale(np.arange(6.0)), dense)):
        maps = [of_node(m, m.scale.shape) if isinstance(m, Scale) else m for m in (first, second)]
        assert isinstance(one(*maps), Dense)


def test_maps_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="3 values do not fit a map from 4"):
        compose(Identity(3), Identity(4))
