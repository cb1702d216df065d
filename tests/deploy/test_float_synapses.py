"""Float nodes without state equal torch's."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from spikeport.deploy.float_synapses import Stateless, apply
from spikeport.deploy.nodes import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    Linear,
    Scale,
    SumPool2d,
    Threshold,
    Unflatten,
)
from spikeport.deploy.shapes import output_shape

PAIR = st.tuples(st.integers(1, 3), st.integers(1, 3))
ZERO_OR_MORE = st.tuples(st.integers(0, 2), st.integers(0, 2))


def grid(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Sixteenths: their sums are exact in any order."""
    return rng.integers(-40, 41, shape) / 16


def check(node: Stateless, x: np.ndarray, want: torch.Tensor) -> None:
    found = apply(node, x)
    assert np.array_equal(found, want.numpy())
    assert output_shape("node", node, x.shape[1:]) == found.shape[1:]


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32), kernel=PAIR, stride=PAIR, padding=ZERO_OR_MORE, dilation=PAIR,
    groups=st.sampled_from([1, 2, 4]),
)  # fmt: skip
def test_convolutions(
    seed: int, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], dilation: tuple[int, int],
    groups: int,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    x, weight, bias = grid(rng, 2, 4, 9, 8), grid(rng, 8, 4 // groups, *kernel), grid(rng, 8)

    check(
        Conv2d(weight, bias, stride, padding, dilation, groups), x,
        F.conv2d(*map(torch.from_numpy, (x, weight, bias)), stride, padding, dilation, groups),
    )  # fmt: skip
    line, weights = x[:, :, :, 0], weight[..., 0]
    check(
        Conv1d(weights, bias, stride[0], padding[0], dilation[0], groups), line,
        F.conv1d(
            *map(torch.from_numpy, (line.copy(), weights.copy(), bias)), stride[0], padding[0], dilation[0], groups
        ),
    )  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32), kernel=PAIR, stride=PAIR, padding=ZERO_OR_MORE, extra=ZERO_OR_MORE, dilation=PAIR,
    groups=st.sampled_from([1, 2, 4]),
)  # fmt: skip
def test_transposed_convolutions(
    seed: int, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], extra: tuple[int, int],
    dilation: tuple[int, int], groups: int,
) -> None:  # fmt: skip
    assume(all(e < max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)))  # torch asks for it
    rng = np.random.default_rng(seed)
    x, weight, bias = grid(rng, 2, 4, 5, 6), grid(rng, 4, 3, *kernel), grid(rng, 3 * groups)
    check(
        ConvTranspose2d(weight, bias, stride, padding, extra, dilation, groups), x,
        F.conv_transpose2d(*map(torch.from_numpy, (x, weight, bias)), stride, padding, extra, groups, dilation),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), kernel=st.sampled_from([(1, 1), (2, 2), (3, 2), (2, 4)]), stride=PAIR)
def test_pools(seed: int, kernel: tuple[int, int], stride: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    x = grid(rng, 2, 3, 7, 9)
    for padding in ((0, 0), (kernel[0] // 2, kernel[1] // 2)):
        average = F.avg_pool2d(torch.from_numpy(x), kernel, stride, padding)
        total = F.avg_pool2d(torch.from_numpy(x), kernel, stride, padding, divisor_override=1)
        check(SumPool2d(kernel, stride, padding), x, total)
        assert np.allclose(apply(AvgPool2d(kernel, stride, padding), x), average.numpy(), rtol=1e-15, atol=1e-15)


def test_the_rest(rng: np.random.Generator) -> None:
    x, weight, bias = grid(rng, 2, 3, 4, 5), grid(rng, 6, 4), grid(rng, 6)
    check(Linear(weight, bias), x[:, 0, :, 0], F.linear(*map(torch.from_numpy, (x[:, 0, :, 0].copy(), weight, bias))))
    for start, end in ((0, -1), (0, 1), (1, 2), (-1, -1)):
        check(Flatten(start, end), x, torch.flatten(torch.from_numpy(x), start % 3 + 1, end % 3 + 1))
    check(Unflatten((5, 2, 6)), x, torch.from_numpy(x).reshape(2, 5, 2, 6))
    assert np.array_equal(apply(Threshold(np.zeros((3, 4, 5))), x), x > 0)
    assert np.array_equal(apply(Scale(np.full((3, 4, 5), 0.5)), x), x / 2)


@pytest.mark.parametrize("kernel", [(3, 5), (5, 3)])
def test_kernels_that_are_not_square_have_the_right_shape(kernel: tuple[int, int]) -> None:
    """nir 1.0.8 takes the height for both."""
    node = Conv2d(np.zeros((2, 1, *kernel)), np.zeros(2), (1, 1), (0, 0), (1, 1), 1)
    assert output_shape("conv", node, (1, 10, 12)) == (2, 11 - kernel[0], 13 - kernel[1])
