"""The quick convolution gives the integers of one that is added up in Python's own."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.deploy.convolved import convolve
from spikeport.fixed import Ints
from spikeport.program import Conv

SIZES = st.integers(1, 3)


def by_hand(conv: Conv, weight: Ints, x: Ints) -> Ints:
    target = conv.output_shape(x.shape)
    out = np.zeros(target, object)
    per_group, c_in = len(weight) // conv.groups, weight.shape[1]
    for o, y, z in np.ndindex(*target):
        for c, i, j in np.ndindex(*weight.shape[1:]):
            row = y * conv.stride[0] - conv.padding[0] + i * conv.dilation[0]
            column = z * conv.stride[1] - conv.padding[1] + j * conv.dilation[1]
            if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                out[o, y, z] += int(weight[o, c, i, j]) * int(x[o // per_group * c_in + c, row, column])
    return out.astype(np.int64)


@given(
    seed=st.integers(0, 2**32 - 1),
    groups=SIZES,
    channels=st.tuples(SIZES, SIZES),
    kernel=st.tuples(SIZES, SIZES),
    geometry=st.tuples(SIZES, SIZES, st.integers(0, 2), st.integers(0, 2), SIZES, SIZES),
    top=st.sampled_from([1, 255, 2**31 - 1, 2**34, 2**50]),
    constant=st.booleans(),
)
@settings(max_examples=150)
def test_every_sum_is_exact(
    seed: int,
    groups: int,
    channels: tuple[int, int],
    kernel: tuple[int, int],
    geometry: tuple[int, ...],
    top: int,
    constant: bool,
) -> None:
    """Sums of 2^50 times 255 leave the 53 bits in which a float is exact."""
    rng = np.random.default_rng(seed)
    weight = 2 * rng.integers(-127, 128, (groups * channels[0], channels[1], *kernel))
    stride, padding, dilation = (geometry[k : k + 2] for k in (0, 2, 4))
    conv = Conv("x", "y", weight, 0, stride, padding, dilation, groups)
    shape = (
        groups * channels[1],
        *(d * (k - 1) + 1 + int(rng.integers(4)) for d, k in zip(dilation, kernel, strict=True)),
    )
    x = rng.integers(-top, top + 1, (shape[0], 1, 1) if constant else shape)
    x = np.broadcast_to(x, shape)

    assert np.array_equal(convolve(conv, weight, x), by_hand(conv, weight, x))


def test_a_weight_may_stand_in_for_the_connections_own() -> None:
    conv = Conv("x", "y", np.full((1, 1, 2, 2), 4))
    x = np.arange(9).reshape(1, 3, 3)

    assert convolve(conv, np.ones((1, 1, 2, 2), np.int64), x).tolist() == [[[8, 12], [20, 24]]]
