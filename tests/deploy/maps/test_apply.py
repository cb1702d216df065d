"""What a map makes of a batch is what torch makes of it."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from torch.nn import functional as F

from spikeport.deploy.maps import apply as module
from spikeport.deploy.maps.apply import apply
from spikeport.deploy.maps.base import Conv, Dense, Identity, Sparse
from tests.deploy.maps.oracles import convs, whole


def check(map: Conv, x: np.ndarray) -> None:
    images, weight = (torch.from_numpy(values) for values in (x.reshape(-1, *map.source), map.weight))
    want = F.conv2d(images, weight, None, map.stride, map.padding, map.dilation, map.groups)
    found = apply(map, x)
    assert found.dtype == np.float64
    assert np.array_equal(found, want.reshape(len(x), map.shape[0]).numpy())


@given(convs(), st.integers(0, 5), st.integers(0, 2**32))
def test_convolutions(map: Conv, samples: int, seed: int) -> None:
    check(map, whole(np.random.default_rng(seed), samples, map.shape[1]))


@pytest.mark.parametrize("chunk", [1, 700, 2000])
def test_a_batch_is_taken_in_parts(rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    map = Conv(whole(rng, 4, 1, 2, 3), (2, 1), (1, 0), (1, 2), 2, (2, 5, 6), (4, 3, 2))
    check(map, whole(rng, 7, 60))


def test_the_others(rng: np.random.Generator) -> None:
    x, weight = whole(rng, 9, 6), whole(rng, 5, 6)
    want = F.linear(torch.from_numpy(x), torch.from_numpy(weight)).numpy()
    assert np.array_equal(apply(Identity(6), x), x)
    assert np.array_equal(apply(Dense(weight), x), want)
    listed = apply(Sparse(csr_array(weight)), x)
    assert np.array_equal(listed, want) and listed.flags.c_contiguous
