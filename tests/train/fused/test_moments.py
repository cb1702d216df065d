"""Moments against torch's."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikeport.train.fused import cpu, moments_of
from tests.train.fused.cases import SPACES


@given(
    st.integers(1, 9),
    st.sampled_from([1, 3, 130, 700]),
    st.sampled_from(SPACES),
    st.booleans(),
    st.sampled_from([torch.float32, torch.float64]),
    st.integers(0, 1000),
)
def test_they_are_torchs(
    rows: int, channels: int, space: tuple[int, ...], channels_last: bool, dtype: torch.dtype, seed: int
) -> None:
    x = torch.randn(rows, channels, *space, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    x = (x * torch.linspace(0.1, 3, channels).view(-1, *[1] * len(space)) + 50).to(dtype)
    if channels_last:
        x = x.movedim(1, -1).contiguous().movedim(-1, 1)
    var, mean = torch.var_mean(x.double(), [d for d in range(x.ndim) if d != 1], correction=0)
    moments, mine, n = moments_of(x, 1e-3)
    close = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 1e-11, "atol": 1e-11}
    torch.testing.assert_close(moments.mean.double(), mean, rtol=close["rtol"] / 100, atol=0)
    torch.testing.assert_close(mine.double(), var, **close)
    torch.testing.assert_close(moments.rstd.double(), (var + 1e-3) ** -0.5, **close)
    assert n == rows * x[0, 0].numel()
    assert moments.of_batch
    assert moments.mean.dtype == mine.dtype == dtype


def test_a_mean_far_above_the_spread() -> None:
    """float32 has 1e6 + 1e-1 or so; what is there must not be lost on the way."""
    x = (1e6 + torch.randn(4, 2, 600)).float()
    var, mean = torch.var_mean(x.double(), [0, 2], correction=0)
    moments, mine, _ = moments_of(x, 1e-5)
    assert mine.tolist() == pytest.approx(var.tolist(), rel=1e-4)
    assert moments.mean.tolist() == pytest.approx(mean.tolist(), rel=1e-7)


def test_one_value_has_no_spread() -> None:
    mean, var = cpu.moments(torch.tensor([[3.0, -2.0]]))
    assert mean.tolist() == [3, -2]
    assert var.tolist() == [0, 0]
