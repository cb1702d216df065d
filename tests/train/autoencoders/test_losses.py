"""Each loss on cases small enough to work out by hand."""

import math

import pytest
import torch

from spikeport.train.autoencoders import losses


def doubles(*rows: object) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def test_mmd_of_two_points() -> None:
    """|a - b|^2 = 4; the mean of the two ordered pairs is 4, so bw = 1, and k(a, b) = sum exp(-4 / 2^i)."""
    a, b = doubles([0.0, 0.0]), doubles([2.0, 0.0])
    k = sum(math.exp(-4 / 2**i) for i in range(5))
    assert losses.mmd(a, b).item() == pytest.approx(5 + 5 - 2 * k, abs=1e-14)


def test_mmd_counts_pairs_of_a_sample_with_itself() -> None:
    """a = {0, 1}, b = {0, 1}: all pairs of 1 apart, so the sum of squares is 8 of 12 ordered pairs; MMD is 0."""
    a = doubles([0.0], [1.0])
    assert losses.mmd(a, a.clone()).item() == pytest.approx(0, abs=1e-14)
    b = doubles([0.0], [3.0])  # squares: 1, 0, 9, 1, 4, 9 of unordered pairs
    bw = 2 * (1 + 0 + 9 + 1 + 4 + 9) / 12 / 4

    def k(square: float) -> float:
        return sum(math.exp(-square / (bw * 2**i)) for i in range(5))

    want = (2 * k(0) + 2 * k(1)) / 4 + (2 * k(0) + 2 * k(9)) / 4 - 2 * (k(0) + k(9) + k(1) + k(4)) / 4
    assert losses.mmd(a, b).item() == pytest.approx(want, abs=1e-14)


def test_the_bandwidth_of_mmd_gets_no_gradient() -> None:
    """With bw = d^2 / 4 held, d(-2 k) / dd = 4 d sum exp(-d^2 / (bw 2^i)) / (bw 2^i); else k would be constant."""
    a, b = doubles([0.0]).requires_grad_(), doubles([3.0])
    losses.mmd(a, b).backward()
    bw = 9 / 4
    want = -sum(4 * 3 * math.exp(-9 / (bw * 2**i)) / (bw * 2**i) for i in range(5))
    assert a.grad is not None and a.grad.item() == pytest.approx(want, rel=1e-12)


def test_mmd_of_equal_samples_is_0_with_finite_gradients() -> None:
    a = torch.full((4, 3), 0.5, dtype=torch.float64, requires_grad=True)
    found = losses.mmd(a, a.detach())
    found.backward()
    assert found.item() == 0
    assert a.grad is not None and bool(torch.isfinite(a.grad).all())


def test_psp_moves_half_of_the_way() -> None:
    x = doubles([1.0], [0.0], [1.0])
    assert losses.psp(x).flatten().tolist() == [0.5, 0.25, 0.625]
    assert losses.psp(x, tau=4.0).flatten().tolist() == [0.25, 0.1875, 0.390625]


def test_psp_distance_by_hand() -> None:
    """Potentials of q - p = (1, 0) are 0.5 and 0.25, of the other neuron 0."""
    q, p = doubles([[1.0, 1.0]], [[0.0, 0.0]]), doubles([[0.0, 1.0]], [[0.0, 0.0]])
    assert losses.psp_distance(q, p).item() == pytest.approx((0.25 + 0.0625) / 4, abs=1e-15)


def test_kl_of_bernoullis_with_its_epsilons() -> None:
    """Summed over steps and neurons, mean over samples; q = 1 against p = 0 is log(1.01 / 0.01)."""
    q, p = torch.zeros(2, 2, 1).double(), torch.zeros(2, 2, 1).double()
    q[0, 0, 0] = 1.0
    q[1, 1, 0], p[1, 1, 0] = 0.25, 0.5
    second = 0.25 * math.log(0.26 / 0.51) + 0.75 * math.log(0.76 / 0.51)
    assert losses.kl_bernoulli(q, p).item() == pytest.approx((math.log(1.01 / 0.01) + second) / 2, abs=1e-14)


def test_kl_of_gaussians_by_hand() -> None:
    """Mean 2 and variance 1 give 2; mean 0 and variance e give (e - 2) / 2."""
    mean, logvar = doubles([2.0, 0.0], [0.0, 0.0]), doubles([0.0, 0.0], [0.0, 1.0])
    assert losses.kl_gaussian(mean, logvar).item() == pytest.approx((2 + (math.e - 2) / 2) / 2, abs=1e-14)


def test_mse_is_the_mean_over_all() -> None:
    image, target = torch.zeros(1, 2, 1, 2).double(), torch.tensor([[[[1, 0]], [[0, -3]]]])
    assert losses.mse(image, target).item() == 2.5
