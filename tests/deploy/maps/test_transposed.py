"""A transposed convolution has the matrix of torch's."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.nn import functional as F

from spikeport.deploy.maps.base import Conv, Sparse
from spikeport.deploy.maps.transposed import conv_transpose
from tests.deploy.maps.oracles import check, torch_matrix, whole

PAIR = st.tuples(st.integers(1, 3), st.integers(1, 3))
ZERO_OR_MORE = st.tuples(st.integers(0, 2), st.integers(0, 2))


@given(
    seed=st.integers(0, 2**32), kernel=PAIR, stride=PAIR, padding=ZERO_OR_MORE, extra=ZERO_OR_MORE, dilation=PAIR,
    groups=st.sampled_from([1, 2, 4]), size=st.tuples(st.integers(1, 5), st.integers(1, 5)), c_out=st.integers(1, 2),
)  # fmt: skip
def test_equals_torch(
    seed: int, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], extra: tuple[int, int],
    dilation: tuple[int, int], groups: int, size: tuple[int, int], c_out: int,
) -> None:  # fmt: skip
    axes = list(zip(size, kernel, stride, padding, extra, dilation, strict=True))
    assume(all(e < max(s, d) for _, _, s, _, e, d in axes))  # torch asks for it
    assume(all((n - 1) * s - 2 * p + d * (k - 1) + e + 1 > 0 for n, k, s, p, e, d in axes))
    weight = whole(np.random.default_rng(seed), 4, c_out, *kernel)
    map = conv_transpose(weight, stride, padding, extra, dilation, groups, (4, *size))
    kernels = torch.from_numpy(weight)
    check(
        map,
        torch_matrix(
            lambda x: F.conv_transpose2d(x, kernels, None, stride, padding, extra, groups, dilation), (4, *size)
        ),
    )


@pytest.mark.parametrize(
    ("stride", "padding", "extra", "kind"),
    [(1, 0, 0, Conv), (1, 2, 0, Conv), (1, 3, 0, Sparse), (2, 0, 0, Sparse), (2, 0, 1, Sparse)],
)
def test_stride_1_is_a_convolution(rng: np.random.Generator, stride: int, padding: int, extra: int, kind: type) -> None:
    pairs = [(value, value) for value in (stride, padding, extra)]
    map = conv_transpose(whole(rng, 2, 3, 3, 3) + 0.5, *pairs, (1, 1), 1, (2, 8, 8))
    assert isinstance(map, kind)
