"""ESVAE's sampling: eq. 5 to 8 by hand."""

import pytest
import torch

from spikeport.train.autoencoders.sampling import SURROGATES, bernoulli, rates


def test_rates_are_counts_over_steps_in_float64() -> None:
    spikes = torch.tensor([[[1.0, 0.0]], [[1.0, 0.0]], [[0.0, 0.0]]], dtype=torch.float32)
    found = rates(spikes)
    assert found.dtype == torch.float64
    assert found.tolist() == [[2 / 3, 0.0]]


def test_a_spike_where_u_is_below_the_rate_and_not_where_they_are_equal() -> None:
    r = torch.tensor([[0.0, 0.25, 1.0]], dtype=torch.float64)
    u = torch.tensor([[[0.0, 0.24, 0.99]], [[0.5, 0.25, 0.0]]], dtype=torch.float64)
    assert bernoulli(r, u, SURROGATES["code"]).tolist() == [[[0, 1, 1]], [[0, 0, 1]]]


@pytest.mark.parametrize(("form", "height", "inside"), [("code", 1.0, [1, 1, 0, 1]), ("paper", 2.0, [1, 0, 0, 1])])
def test_the_gradient_is_a_window_around_the_rate_summed_over_time(form: str, height: float, inside: list[int]) -> None:
    """|r - u| is 0.2, 0.4, 0.6 and 0.1, against half a width of 0.5 or 0.25."""
    r = torch.tensor([[0.3]], dtype=torch.float64, requires_grad=True)
    u = torch.tensor([0.5, 0.7, 0.9, 0.2], dtype=torch.float64).reshape(4, 1, 1)
    cost = torch.tensor([1.0, 10.0, 100.0, 1000.0], dtype=torch.float64).reshape(4, 1, 1)
    (bernoulli(r, u, SURROGATES[form]) * cost).sum().backward()
    want = height * sum(10.0**t * now for t, now in enumerate(inside))
    assert r.grad is not None and r.grad.item() == pytest.approx(want, rel=1e-14)


def test_rates_and_windows_add_up_to_the_gradient_of_spikes() -> None:
    """dr / dx = 1 / T for each step's spike."""
    spikes = torch.tensor([1.0, 0.0]).reshape(2, 1, 1).requires_grad_()
    u = torch.tensor([0.4, 0.6], dtype=torch.float64).reshape(2, 1, 1)
    bernoulli(rates(spikes), u, SURROGATES["code"]).sum().backward()
    assert spikes.grad is not None and spikes.grad.flatten().tolist() == [1.0, 1.0]
    assert spikes.grad.dtype == torch.float32
