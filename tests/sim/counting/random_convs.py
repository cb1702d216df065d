"""Random convolutions of every form, with the shape of what they listen to."""

import numpy as np
from hypothesis import strategies as st

from spikeport.program import Conv, Shape


def mixed(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(-2, 3, shape) * 2


@st.composite
def convs(draw: st.DrawFn) -> tuple[Conv, Shape]:
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    groups, c_in, c_out = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
    kernel, stride, dilation = draw(pair), draw(pair), draw(pair)
    padding = draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    least = [max(1, d * (k - 1) + 1 - 2 * p) for d, k, p in zip(dilation, kernel, padding, strict=True)]
    height, width = (draw(st.integers(n, n + 4)) for n in least)
    weight = mixed(np.random.default_rng(draw(st.integers(0, 2**32 - 1))), c_out * groups, c_in, *kernel)
    delay, graded = draw(st.integers(0, 2)), draw(st.booleans())
    conv = Conv("x", "g", weight, 0, stride, padding, dilation, groups, delay=delay, graded=graded)
    return conv, (c_in * groups, height, width)
