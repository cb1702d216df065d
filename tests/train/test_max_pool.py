"""The greatest of each 2 x 2 places is torch's, forward and backward, bit for bit."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from spikeport.train.max_pool import max_pool2d

PLAIN = ((2, 2), (2, 2), (0, 0))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.integers(2, 9), st.integers(2, 9), st.booleans(), st.sampled_from([2, 3, 10**6]))
def test_values_and_gradients_are_torchs(seed: int, h: int, w: int, double: bool, levels: int) -> None:
    """Few levels make ties, which spikes are full of: the first greatest value gets the gradient."""
    rng = torch.Generator().manual_seed(seed)
    dtype = torch.float64 if double else torch.float32
    ours = torch.randint(levels, (3, 2, h, w), generator=rng).to(dtype).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()
    found, expected = max_pool2d(ours, *PLAIN), F.max_pool2d(theirs, 2)
    assert torch.equal(found, expected)
    grad = torch.randn(found.shape, generator=rng, dtype=dtype)
    found.backward(grad)
    expected.backward(grad)
    assert ours.grad is not None and theirs.grad is not None
    assert torch.equal(ours.grad, theirs.grad)


@pytest.mark.parametrize("geometry", [((3, 3), (2, 2), (1, 1)), ((2, 2), (1, 1), (0, 0)), ((2, 1), (2, 1), (0, 0))])
def test_other_windows_are_torchs(geometry: tuple[tuple[int, int], ...]) -> None:
    x = torch.rand(2, 3, 7, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(max_pool2d(x, *geometry), F.max_pool2d(x, *geometry))  # type: ignore[arg-type]
