"""PLIF, LIF and IF against spikingjelly's published equations, written out in numpy float64."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from spikeport.errors import InputError
from spikeport.train import IF, LIF, PLIF, Dynamics, Surrogate
from tests.train.neurons.by_hand import (
    FLOAT32,
    ROUNDING,
    Array,
    T,
    arctangent,
    backward,
    costs,
    currents,
    gradient,
    rectangle,
    spikes_of,
    value,
)


def by_hand(x: Array, k: float, vth: float, decay_input: bool) -> tuple[Array, Array]:
    """ParametricLIFNode with v_reset = 0: v += (x - v) k, or v = v - v k + x; then v = v (1 - s)."""
    h, v, s = np.zeros_like(x[0]), np.zeros_like(x), np.zeros_like(x)
    for t in range(len(x)):
        v[t] = h + (x[t] - h) * k if decay_input else h - h * k + x[t]
        s[t] = v[t] > vth
        h = v[t] * (1 - s[t])
    return v, s


def near(found: Array, want: Array) -> bool:
    return np.allclose(found, want, rtol=ROUNDING, atol=ROUNDING)


@pytest.mark.parametrize("tau", [1.25, 2.0, 20.0])
def test_it_starts_at_a_time_constant(tau: float) -> None:
    """spikingjelly's init_tau: w = -log(tau - 1), k = sigmoid(w) = 1 / tau."""
    neuron = PLIF(tau)
    assert value(neuron.k_raw) == pytest.approx(-math.log(tau - 1), rel=FLOAT32, abs=FLOAT32)
    assert value(neuron.keep()) == pytest.approx(1 - 1 / tau, rel=FLOAT32)
    assert value(neuron.gain()) == pytest.approx(1 / tau, rel=FLOAT32)
    assert neuron.dynamics == Dynamics(Surrogate("atan", 1.0), "zero", detach_reset=True)


def test_without_a_decayed_input_the_gain_is_1() -> None:
    assert value(PLIF(5.0, decay_input=False).gain()) == 1


@pytest.mark.parametrize("decay_input", [True, False])
@pytest.mark.parametrize(("tau", "vth"), [(2.0, 0.3), (1.3, 0.5), (8.0, 0.2)])
def test_spikes_and_gradients_are_spikingjellys(tau: float, vth: float, decay_input: bool) -> None:
    """The reset is detached, so dh/dv = 1 - s; by w, k has k (1 - k), and v has x - h, or -h."""
    neuron, x, cost = PLIF(tau, vth, decay_input=decay_input).double(), currents(1), costs(1)
    k, vth = value(torch.sigmoid(neuron.k_raw)), value(neuron.threshold())
    v, s = by_hand(x, k, vth, decay_input)
    assert 0.02 < s.mean() < 0.98
    assert np.array_equal(spikes_of(neuron, x), s)

    slope, h = arctangent(v - vth, 1.0), v * (1 - s)
    before = np.vstack([np.zeros_like(x[:1]), h[:-1]])
    dv, dh = np.zeros_like(x), np.zeros_like(x[0])
    for t in reversed(range(T)):
        dv[t] = cost[t] * slope[t] + dh * (1 - s[t])
        dh = dv[t] * (1 - k)
    by_k = (dv * ((x if decay_input else 0) - before)).sum()
    assert near(backward(neuron, x, cost), dv * (k if decay_input else 1))
    assert gradient(neuron.k_raw) == pytest.approx(by_k * k * (1 - k), rel=1e-10)


@pytest.mark.parametrize(("tau", "vth"), [(0.25, 0.2), (0.0, 0.5), (1.0, 2.0)])
def test_lif_is_the_generative_papers_neuron(tau: float, vth: float) -> None:
    """ESVAE eq. 1 and 2 with tau u, and nothing to learn."""
    neuron, x, cost = LIF(tau, vth).double(), currents(2), costs(2)
    vth = value(neuron.threshold())
    u, o, before = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x[0])
    for t in range(T):
        u[t] = tau * before + x[t]
        o[t] = u[t] > vth
        before = u[t] * (1 - o[t])
    assert 0 < o.mean() < 1
    assert np.array_equal(spikes_of(neuron, x), o)
    du, later = np.zeros_like(x), np.zeros_like(x[0])
    for t in reversed(range(T)):
        du[t] = cost[t] * rectangle(u[t] - vth, 1.0) + tau * (1 - o[t]) * later
        later = du[t]
    assert near(backward(neuron, x, cost), du)
    assert not list(neuron.parameters())


def test_the_published_codes_window_is_centred_on_zero() -> None:
    """FSVAE's and ESVAE's: |u| < 1/2, whatever the threshold."""
    dynamics = Dynamics(Surrogate("rectangular", 1.0, "zero"))
    x = torch.tensor([[-0.6, -0.4, 0.4, 0.6, 3.0]], dtype=torch.float64, requires_grad=True)
    LIF(threshold=3.0, dynamics=dynamics)(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0, 1, 1, 0, 0]]


def test_if_adds_up_and_its_threshold_learns() -> None:
    neuron, x, cost = IF(0.7).double(), currents(3), costs(3)
    v, s, h = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x[0])
    vth = value(neuron.threshold())
    for t in range(T):
        v[t] = h + x[t]
        s[t] = v[t] > vth
        h = v[t] * (1 - s[t])
    assert np.array_equal(spikes_of(neuron, x), s)
    backward(neuron, x, cost)
    want = -(cost * rectangle(v - vth, 1.0)).sum()
    assert gradient(neuron.vth.raw) == pytest.approx(want / (1 + math.exp(-value(neuron.vth.raw))), rel=1e-10)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (PLIF, {"tau": 1.0}, "PLIF: tau (1.0) is not in (1, inf)"),
        (PLIF, {"tau": math.inf}, "PLIF: tau (inf) is not in (1, inf)"),
        (PLIF, {"threshold": 0.0}, "PLIF: threshold (0.0) is not in (0, inf)"),
        (LIF, {"tau": -0.1}, "LIF: tau (-0.1) is not in [0, 1]"),
        (LIF, {"tau": 1.1}, "LIF: tau (1.1) is not in [0, 1]"),
        (LIF, {"threshold": -1.0}, "LIF: threshold (-1.0) is not in (0, inf)"),
        (IF, {"threshold": 0.0}, "IF: threshold (0.0) is not in (0, inf)"),
    ],
)
def test_values_out_of_range_are_refused(make: Any, options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make(**options)
    assert str(caught.value) == message
