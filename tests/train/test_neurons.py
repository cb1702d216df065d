"""ALIF and DA-LIF against their papers' equations, written out in numpy float64."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from spikeport import fixed
from spikeport.errors import ExportError, InputError
from spikeport.export import to_nir
from spikeport.train import ALIF, DALIF, QuantLinear, SpikingLayer
from spikeport.train.neurons import AbstractNeuron
from spikeport.train.surrogate import spike

ROUNDING = 1e-12  # float64 sums of some hundred terms, in another order
FLOAT32 = 1e-6  # the parameters are float32
T, N = 30, 40
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


def currents(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.3, 0.8, (T, N))


def alif_by_hand(x: np.ndarray, tau: float, vth: float) -> tuple[np.ndarray, np.ndarray]:
    """TAID paper, eq. 5 and 6: u and o, before the reset."""
    u, o = np.zeros_like(x), np.zeros_like(x)
    for t in range(len(x)):
        u[t] = (tau * u[t - 1] * (1 - o[t - 1]) if t else 0) + x[t]
        o[t] = u[t] > vth
    return u, o


def dalif_by_hand(x: np.ndarray, alpha: float, beta: float, vth: float) -> tuple[np.ndarray, np.ndarray]:
    """DA-LIF paper, eq. 5 to 7: V and S; H = V (1 - S)."""
    v, s = np.zeros_like(x), np.zeros_like(x)
    h = np.zeros(x.shape[1:])
    for t in range(len(x)):
        v[t] = beta * h + alpha * x[t]
        s[t] = v[t] > vth
        h = v[t] * (1 - s[t])
    return v, s


def window(distance: np.ndarray, width: float) -> np.ndarray:
    """(1 / a) * 1[|u - Vth| < a / 2]."""
    return (np.abs(distance) < width / 2) / width


def leaf(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array, requires_grad=True)


def value(tensor: torch.Tensor) -> float:
    return float(tensor.detach())


def set_raw(neuron: AbstractNeuron, **raw: float) -> None:
    for name, number in raw.items():
        getattr(neuron, name).data.fill_(number)


# ---------------------------------------------------------------- parameters


def test_alif_starts_at_the_papers_values() -> None:
    neuron = ALIF()
    assert value(neuron.keep()) == pytest.approx(0.25, rel=FLOAT32)
    assert value(neuron.threshold()) == pytest.approx(0.2, rel=FLOAT32)
    assert value(neuron.gain()) == 1


def test_dalif_starts_at_tanh_of_1() -> None:
    neuron = DALIF()
    assert value(neuron.alpha_raw) == value(neuron.beta_raw) == 1
    assert value(neuron.gain()) == pytest.approx(0.76159, abs=1e-5)
    assert value(neuron.keep()) == pytest.approx(0.76159, abs=1e-5)
    assert value(neuron.threshold()) == 1


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize(("tau", "threshold"), [(0.01, 1e-6), (0.5, 1.0), (0.99, 1000.0)])
def test_alif_starts_where_it_is_told(tau: float, threshold: float, constrained: bool) -> None:
    neuron = ALIF(tau, threshold, constrained=constrained)
    assert value(neuron.keep()) == pytest.approx(tau, rel=FLOAT32)
    assert value(neuron.threshold()) == pytest.approx(threshold, rel=FLOAT32)


def test_each_layer_learns_one_pair_of_scalars() -> None:
    assert {name: p.shape for name, p in ALIF().named_parameters()} == {"tau_raw": (), "threshold_raw": ()}
    assert {name: p.shape for name, p in DALIF().named_parameters()} == {"alpha_raw": (), "beta_raw": ()}


def test_alif_can_be_frozen() -> None:
    assert not any(p.requires_grad for p in ALIF(learnable=False).parameters())


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (ALIF, {"tau": 0.0}, "ALIF: tau (0.0) is not in (0, 1)"),
        (ALIF, {"tau": 1.0}, "ALIF: tau (1.0) is not in (0, 1)"),
        (ALIF, {"tau": math.nan}, "ALIF: tau (nan) is not in (0, 1)"),
        (ALIF, {"threshold": 0.0}, "ALIF: threshold (0.0) is not in (0, inf)"),
        (ALIF, {"threshold": math.inf}, "ALIF: threshold (inf) is not in (0, inf)"),
        (ALIF, {"width": 0.0}, "ALIF: width (0.0) is not in (0, inf)"),
        (DALIF, {"threshold": -1.0}, "DALIF: threshold (-1.0) is not in (0, inf)"),
        (DALIF, {"width": math.nan}, "DALIF: width (nan) is not in (0, inf)"),
    ],
)
def test_values_out_of_range_are_refused(make: type, options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make(**options)
    assert str(caught.value) == message
    assert caught.value.got is next(iter(options.values()))


# ---------------------------------------------------------------- forward


@pytest.mark.parametrize(("tau", "vth"), [(0.25, 0.2), (0.9, 1.0), (0.5, 0.01)])
def test_alif_follows_equations_5_and_6(tau: float, vth: float) -> None:
    neuron, x = ALIF(tau, vth).double(), currents(1)
    tau, vth = value(neuron.keep()), value(neuron.threshold())
    _, o = alif_by_hand(x, tau, vth)
    assert 0 < o.mean() < 1
    assert np.array_equal(neuron(torch.from_numpy(x)).detach().numpy(), o)


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (-0.7, 0.3), (0.4, -1.2)])
def test_dalif_follows_equations_5_to_7(alpha: float, beta: float) -> None:
    """A negative raw beta stands for tanh of its magnitude."""
    neuron, x = DALIF(threshold=0.5).double(), currents(2)
    set_raw(neuron, alpha_raw=alpha, beta_raw=beta)
    _, s = dalif_by_hand(x, math.tanh(alpha), math.tanh(abs(beta)), 0.5)
    assert 0 < s.mean() < 1
    assert np.array_equal(neuron(neuron.gain() * torch.from_numpy(x)).detach().numpy(), s)


def test_unconstrained_dalif_may_oscillate_as_in_the_paper() -> None:
    neuron, x = DALIF(threshold=0.5, constrained=False).double(), currents(3)
    set_raw(neuron, beta_raw=-1.2)
    _, s = dalif_by_hand(x, math.tanh(1), math.tanh(-1.2), 0.5)
    assert np.array_equal(neuron(neuron.gain() * torch.from_numpy(x)).detach().numpy(), s)


def test_a_potential_at_the_threshold_does_not_fire() -> None:
    current = torch.tensor([[1.0, math.nextafter(1, 2)]], dtype=torch.float64)
    assert DALIF(threshold=1.0)(current).tolist() == [[0.0, 1.0]]


# ---------------------------------------------------------------- gradients


@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
def test_the_surrogate_is_a_rectangle_of_area_1_around_the_threshold(width: float) -> None:
    x = leaf(np.array([-width / 2, -width / 2 + 1e-9, 0.0, width / 2 - 1e-9, width / 2, 5.0]))
    spike(x, width).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 1 / width, 1 / width, 1 / width, 0, 0]


@pytest.mark.parametrize(("tau", "vth", "width"), [(0.25, 0.2, 1.0), (0.8, 0.6, 0.5), (0.6, 1.0, 2.0)])
def test_alif_gradients_are_equations_7_to_9(tau: float, vth: float, width: float) -> None:
    """The reset is detached: du[t+1] / du[t] = tau (1 - o[t])."""
    neuron, x = ALIF(tau, vth, width).double(), currents(4)
    cost = np.random.default_rng(5).normal(size=x.shape)  # dL / do[t]
    tau, vth = value(neuron.keep()), value(neuron.threshold())
    u, o = alif_by_hand(x, tau, vth)
    slope = window(u - vth, width)  # eq. 7
    du = np.zeros_like(x)
    for t in reversed(range(T)):
        later = tau * (1 - o[t]) * du[t + 1] if t + 1 < T else 0
        du[t] = cost[t] * slope[t] + later
    d_tau = (du[1:] * u[:-1] * (1 - o[:-1])).sum()  # eq. 8
    d_vth = -(cost * slope).sum()  # eq. 9

    current = leaf(x)
    (neuron(current) * torch.from_numpy(cost)).sum().backward()
    assert current.grad is not None and neuron.tau_raw.grad is not None and neuron.threshold_raw.grad is not None
    raw = value(neuron.threshold_raw)
    assert np.allclose(current.grad.numpy(), du, rtol=ROUNDING, atol=ROUNDING)
    assert float(neuron.tau_raw.grad) == pytest.approx(d_tau * tau * (1 - tau), rel=ROUNDING)
    assert float(neuron.threshold_raw.grad) == pytest.approx(d_vth / (1 + math.exp(-raw)), rel=ROUNDING)


@pytest.mark.parametrize(("alpha", "beta", "width"), [(1.0, 1.0, 1.0), (0.8, 0.4, 0.5), (-1.1, 1.5, 2.0)])
def test_dalif_gradients_are_equations_10_and_11(alpha: float, beta: float, width: float) -> None:
    """The reset is not detached: dV[t+1] / dV[t] = beta (1 - S[t]) - beta V[t] dS[t]/dV[t]."""
    vth = 0.6
    neuron, x = DALIF(vth, width).double(), currents(6)
    set_raw(neuron, alpha_raw=alpha, beta_raw=beta)
    cost = np.random.default_rng(7).normal(size=x.shape)
    a, b = math.tanh(alpha), math.tanh(beta)
    v, s = dalif_by_hand(x, a, b, value(neuron.threshold()))
    slope = window(v - value(neuron.threshold()), width)
    dv = np.zeros_like(x)
    for t in reversed(range(T)):
        later = dv[t + 1] * b * ((1 - s[t]) - v[t] * slope[t]) if t + 1 < T else 0  # eq. 10
        dv[t] = cost[t] * slope[t] + later
    d_alpha = (dv * x).sum()  # eq. 11
    d_beta = (dv[1:] * v[:-1] * (1 - s[:-1])).sum()

    (neuron(neuron.gain() * torch.from_numpy(x)) * torch.from_numpy(cost)).sum().backward()
    assert neuron.alpha_raw.grad is not None and neuron.beta_raw.grad is not None
    assert float(neuron.alpha_raw.grad) == pytest.approx(d_alpha * (1 - a**2), rel=ROUNDING)
    assert float(neuron.beta_raw.grad) == pytest.approx(d_beta * (1 - b**2), rel=ROUNDING)


# ---------------------------------------------------------------- what the chip can hold


def layer(neuron: AbstractNeuron) -> SpikingLayer:
    torch.manual_seed(0)
    return SpikingLayer(QuantLinear(3, 2), neuron).eval()


def assert_legal(neuron: AbstractNeuron) -> None:
    assert 0 <= value(neuron.keep()) <= 1
    assert value(neuron.threshold()) > 0
    ints = layer(neuron).integers()
    assert 1 <= ints.dv <= fixed.DECAY_ONE - 1
    assert 1 <= ints.vth <= fixed.VTH_MAX


@given(tau=finite, threshold=finite)
def test_no_step_of_an_optimizer_takes_alif_off_the_chip(tau: float, threshold: float) -> None:
    neuron = ALIF()
    set_raw(neuron, tau_raw=tau, threshold_raw=threshold)
    assert_legal(neuron)


@given(alpha=finite, beta=finite)
def test_no_step_of_an_optimizer_takes_dalif_off_the_chip(alpha: float, beta: float) -> None:
    neuron = DALIF()
    set_raw(neuron, alpha_raw=alpha, beta_raw=beta)
    assert_legal(neuron)


@pytest.mark.parametrize(
    ("neuron", "raw", "message"),
    [
        (
            ALIF(constrained=False),
            {"threshold_raw": -0.25},
            "hidden.1 (ALIF): threshold (-0.25) is not above 0; train with constrained=True",
        ),
        (
            ALIF(constrained=False),
            {"threshold_raw": 0.0},
            "hidden.1 (ALIF): threshold (0) is not above 0; train with constrained=True",
        ),
        (
            DALIF(constrained=False),
            {"beta_raw": -1.0},
            "hidden.1 (DALIF): decay (-0.7616) is not in [0, 1]; train with constrained=True",
        ),
    ],
)
def test_unconstrained_parameters_leave_the_chip_and_export_names_the_layer(
    neuron: AbstractNeuron, raw: dict[str, float], message: str
) -> None:
    set_raw(neuron, **raw)
    hidden = nn.Sequential(nn.Identity(), layer(neuron))
    net = nn.Sequential()
    net.add_module("first", SpikingLayer(QuantLinear(5, 3), ALIF()))
    net.add_module("hidden", hidden)
    with pytest.raises(ExportError) as caught:
        to_nir(net, torch.zeros(2, 1, 5))
    assert str(caught.value) == message


@pytest.mark.parametrize("make", [ALIF, DALIF])
def test_unconstrained_but_legal_parameters_export(make: Any) -> None:
    assert "lif1" in to_nir(layer(make(constrained=False)), torch.zeros(2, 1, 3)).nodes
