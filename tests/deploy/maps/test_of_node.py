"""A node's map has the matrix that torch's function has."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from spikeport.deploy.maps.base import Conv, Dense, Identity, Sparse
from spikeport.deploy.maps.of_node import of_node
from spikeport.deploy.nodes import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    Linear,
    Scale,
    SumPool2d,
    Unflatten,
)
from spikeport.deploy.shapes import output_shape
from tests.deploy.maps.oracles import check, conv_matrix, convs, torch_matrix, whole

PAIR = st.tuples(st.integers(1, 3), st.integers(1, 3))


def test_flatten_is_the_identity() -> None:
    map = of_node(Flatten(0, -1), (2, 3, 4))
    assert map == Identity(24)
    check(map, np.eye(24))


def test_unflatten_is_the_identity() -> None:
    assert of_node(Unflatten((2, 3, 4)), (24,)) == Identity(24)


@pytest.mark.parametrize(("stride", "extra"), [((1, 1), (0, 0)), ((2, 3), (1, 0))])
def test_conv_transpose2d(rng: np.random.Generator, stride: tuple[int, int], extra: tuple[int, int]) -> None:
    weight = whole(rng, 4, 3, 3, 2)
    geometry = stride, (1, 0), extra
    node = ConvTranspose2d(weight, np.ones(6), *geometry, (1, 2), 2)
    map = of_node(node, (4, 5, 6))
    kernels = torch.from_numpy(weight)
    want = torch_matrix(lambda x: F.conv_transpose2d(x, kernels, None, *geometry, 2, (1, 2)), (4, 5, 6))
    assert map.shape[0] == np.prod(output_shape("node", node, (4, 5, 6)))
    check(map, want)


def test_linear_is_dense(rng: np.random.Generator) -> None:
    weight = whole(rng, 5, 7)
    map = of_node(Linear(weight, whole(rng, 5)), (7,))
    assert isinstance(map, Dense)
    check(map, torch_matrix(lambda x: F.linear(x, torch.from_numpy(weight)), (7,)))


@given(convs())
def test_conv2d(drawn: Conv) -> None:
    bias = np.ones(len(drawn.weight))
    node = Conv2d(drawn.weight, bias, drawn.stride, drawn.padding, drawn.dilation, drawn.groups)
    map = of_node(node, drawn.source)
    assert isinstance(map, Conv) and map.target == output_shape("node", node, drawn.source)
    check(map, conv_matrix(drawn))


@given(convs())
def test_conv1d_is_an_image_of_one_row(drawn: Conv) -> None:
    weight, c, n = drawn.weight[:, :, 0].copy(), drawn.source[0], drawn.source[2]
    geometry = drawn.stride[1], drawn.padding[1], drawn.dilation[1], drawn.groups
    node = Conv1d(weight, np.ones(len(weight)), *geometry)
    map = of_node(node, (c, n))
    want = torch_matrix(lambda x: F.conv1d(x, torch.from_numpy(weight), None, *geometry), (c, n))
    assert isinstance(map, Conv) and (map.target[0], map.target[2]) == output_shape("node", node, (c, n))
    check(map, want)


@given(kernel=PAIR, stride=PAIR, padded=st.booleans(), c=st.integers(1, 3))
def test_pools_are_depthwise(kernel: tuple[int, int], stride: tuple[int, int], padded: bool, c: int) -> None:
    padding = (kernel[0] // 2, kernel[1] // 2) if padded else (0, 0)
    want = torch_matrix(lambda x: F.avg_pool2d(x, kernel, stride, padding), (c, 5, 6))
    average = of_node(AvgPool2d(kernel, stride, padding), (c, 5, 6))
    assert isinstance(average, Conv) and average.groups == c
    check(average, want)
    check(of_node(SumPool2d(kernel, stride, padding), (c, 5, 6)), want * kernel[0] * kernel[1])


@pytest.mark.parametrize(
    ("scale", "kind"),
    [
        (np.ones((2, 3, 4)), Identity),
        (np.arange(1.0, 3)[:, None, None] * np.ones((2, 3, 4)), Conv),
        (np.arange(24.0).reshape(2, 3, 4), Sparse),
        (np.arange(2.0)[:, None] * np.ones((2, 5)), Conv),
        (np.arange(10.0).reshape(2, 5), Sparse),
        (np.array([2.0, 2.0, 0.0]), Sparse),
        (np.array(3.0), Sparse),
    ],
)
def test_scale_is_the_cheapest_diagonal(scale: np.ndarray, kind: type) -> None:
    map = of_node(Scale(scale), scale.shape)
    assert isinstance(map, kind)
    check(map, np.diag(scale.ravel()))
    if isinstance(map, Conv):
        assert map.source == map.target == (2, *((1, *scale.shape[1:])[-2:]))
