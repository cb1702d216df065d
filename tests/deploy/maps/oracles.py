"""torch's matrices, and convolutions drawn at random."""

from collections.abc import Callable
from math import prod

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from spikeport.deploy.maps.base import Conv, Image, LinearMap
from spikeport.deploy.maps.conv import conv
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.nodes import Floats

ROUNDING = 1e-12  # relative to the largest entry: sums of some hundred products, in another order than torch's


def torch_matrix(function: Callable[[torch.Tensor], torch.Tensor], source: tuple[int, ...]) -> Floats:
    """`(m, n)`: what the function makes of every unit vector, less what it makes of nothing."""
    n = prod(source)
    return function(torch.eye(n, dtype=torch.float64).reshape(n, *source)).reshape(n, -1).numpy().T


def conv_matrix(map: Conv) -> Floats:
    weight = torch.from_numpy(map.weight)
    return torch_matrix(
        lambda x: F.conv2d(x, weight, None, map.stride, map.padding, map.dilation, map.groups), map.source
    )


def check(map: LinearMap, want: Floats) -> None:
    """The map's matrix is this, in scipy's canonical form."""
    found = matrix(map)
    assert map.shape == found.shape == want.shape
    np.testing.assert_allclose(found.toarray(), want, rtol=ROUNDING, atol=ROUNDING * np.max(np.abs(want), initial=0))
    assert found.has_canonical_format and found.dtype == np.float64
    assert np.all(found.data)


def whole(rng: np.random.Generator, *shape: int) -> Floats:
    """Small integers, some 0: their sums and products are exact in any order."""
    return rng.integers(-4, 5, shape).astype(np.float64)


@st.composite
def convs(draw: st.DrawFn, source: Image | None = None) -> Conv:
    """Kernels, strides, paddings and dilations that differ by axis; groups from one to depthwise."""
    c, *size = source or (draw(st.sampled_from([1, 2, 3, 4])), draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    kernel, stride, padding, dilation = [], [], [], []
    for n in size:
        padding.append(draw(st.integers(0, 2)))
        kernel.append(draw(st.integers(1, min(4, n + 2 * padding[-1]))))
        most = (n + 2 * padding[-1] - 1) // (kernel[-1] - 1) if kernel[-1] > 1 else 3
        dilation.append(draw(st.integers(1, min(3, most))))
        stride.append(draw(st.integers(1, 3)))
    groups = draw(st.sampled_from([g for g in (1, 2, 3, 4) if c % g == 0]))
    c_out = groups * draw(st.integers(1, 3)) if draw(st.booleans()) else c
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    weight = whole(rng, c_out, c // groups, *kernel)
    geometry = [(a, b) for a, b in (stride, padding, dilation)]
    return conv(weight, *geometry, groups, (c, *size))
