"""ALIF against equations 5 to 9 of the TAID paper, written out in numpy float64."""

import math

import numpy as np
import pytest
import torch

from spikeport.errors import InputError
from spikeport.train import ALIF, Dynamics, Surrogate
from tests.train.neurons.by_hand import (
    FLOAT32,
    ROUNDING,
    Array,
    T,
    backward,
    costs,
    currents,
    gradient,
    rectangle,
    spikes_of,
    value,
)


def by_hand(x: Array, tau: float, vth: float) -> tuple[Array, Array]:
    """Eq. 5 and 6: u and o, before the reset."""
    u, o = np.zeros_like(x), np.zeros_like(x)
    for t in range(len(x)):
        u[t] = (tau * u[t - 1] * (1 - o[t - 1]) if t else 0) + x[t]
        o[t] = u[t] > vth
    return u, o


def wide(width: float) -> Dynamics:
    return Dynamics(Surrogate(width=width))


# ---------------------------------------------------------------- parameters


def test_it_starts_at_the_papers_values() -> None:
    neuron = ALIF()
    assert value(neuron.keep()) == pytest.approx(0.25, rel=FLOAT32)
    assert value(neuron.threshold()) == pytest.approx(0.2, rel=FLOAT32)
    assert value(neuron.gain()) == 1
    assert neuron.dynamics == Dynamics(Surrogate("rectangular", 1.0), "zero", detach_reset=True)


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize(("tau", "threshold"), [(0.01, 1e-6), (0.5, 1.0), (0.99, 1000.0)])
def test_it_starts_where_it_is_told(tau: float, threshold: float, constrained: bool) -> None:
    neuron = ALIF(tau, threshold, constrained=constrained)
    assert value(neuron.keep()) == pytest.approx(tau, rel=FLOAT32)
    assert value(neuron.threshold()) == pytest.approx(threshold, rel=FLOAT32)


def test_each_layer_has_one_pair_of_scalars() -> None:
    assert {name: p.shape for name, p in ALIF().named_parameters()} == {"tau_raw": (), "vth.raw": ()}


@pytest.mark.parametrize(
    ("learn", "learning"),
    [("both", {"tau_raw", "vth.raw"}), ("tau", {"tau_raw"}), ("threshold", {"vth.raw"}), ("none", set())],
)
def test_what_learns_is_what_gets_a_gradient(learn: str, learning: set[str]) -> None:
    """Forward and backward of the others are as if both learnt."""
    x, cost = currents(1), costs(1)
    neuron, free = ALIF(0.6, 0.4, learn=learn).double(), ALIF(0.6, 0.4).double()
    assert np.array_equal(spikes_of(neuron, x), spikes_of(free, x))
    assert np.array_equal(backward(neuron, x, cost), backward(free, x, cost))
    theirs = dict(free.named_parameters())
    for name, parameter in neuron.named_parameters():
        assert parameter.requires_grad == (name in learning)
        if name in learning:
            assert gradient(parameter) == gradient(theirs[name]) != 0
        else:
            assert parameter.grad is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tau": 0.0}, "ALIF: tau (0.0) is not in (0, 1)"),
        ({"tau": 1.0}, "ALIF: tau (1.0) is not in (0, 1)"),
        ({"tau": math.nan}, "ALIF: tau (nan) is not in (0, 1)"),
        ({"threshold": 0.0}, "ALIF: threshold (0.0) is not in (0, inf)"),
        ({"threshold": math.inf}, "ALIF: threshold (inf) is not in (0, inf)"),
        ({"learn": "alpha"}, "ALIF: learn (alpha) is not one of both, tau, threshold, none"),
    ],
)
def test_values_out_of_range_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        ALIF(**options)
    assert str(caught.value) == message
    assert caught.value.got is next(iter(options.values()))


# ---------------------------------------------------------------- equations


@pytest.mark.parametrize("learn", ["both", "tau", "threshold", "none"])
@pytest.mark.parametrize(("tau", "vth"), [(0.25, 0.2), (0.9, 1.0), (0.5, 0.01)])
def test_spikes_follow_equations_5_and_6(tau: float, vth: float, learn: str) -> None:
    neuron, x = ALIF(tau, vth, learn=learn).double(), currents(1)
    _, o = by_hand(x, value(neuron.keep()), value(neuron.threshold()))
    assert 0 < o.mean() < 1
    assert np.array_equal(spikes_of(neuron, x), o)


@pytest.mark.parametrize(("tau", "vth", "width"), [(0.25, 0.2, 1.0), (0.8, 0.6, 0.5), (0.6, 1.0, 2.0)])
def test_gradients_are_equations_7_to_9(tau: float, vth: float, width: float) -> None:
    """The reset is detached: du[t+1] / du[t] = tau (1 - o[t])."""
    neuron, x, cost = ALIF(tau, vth, dynamics=wide(width)).double(), currents(4), costs(5)
    tau, vth = value(neuron.keep()), value(neuron.threshold())
    u, o = by_hand(x, tau, vth)
    slope = rectangle(u - vth, width)  # eq. 7
    du = np.zeros_like(x)
    for t in reversed(range(T)):
        later = tau * (1 - o[t]) * du[t + 1] if t + 1 < T else 0
        du[t] = cost[t] * slope[t] + later
    d_tau = (du[1:] * u[:-1] * (1 - o[:-1])).sum()  # eq. 8
    d_vth = -(cost * slope).sum()  # eq. 9

    assert np.allclose(backward(neuron, x, cost), du, rtol=ROUNDING, atol=ROUNDING)
    raw = value(neuron.vth.raw)
    assert gradient(neuron.tau_raw) == pytest.approx(d_tau * tau * (1 - tau), rel=1e-10)
    assert gradient(neuron.vth.raw) == pytest.approx(d_vth / (1 + math.exp(-raw)), rel=1e-10)


def test_unconstrained_its_threshold_is_what_learns() -> None:
    neuron, x, cost = ALIF(0.5, 0.4, constrained=False).double(), currents(4), costs(5)
    neuron.vth.raw.data.fill_(-0.1)
    backward(neuron, x, cost)
    u, o = by_hand(x, value(neuron.keep()), -0.1)
    assert np.array_equal(spikes_of(neuron, x), o)
    assert gradient(neuron.vth.raw) == pytest.approx(-(cost * rectangle(u + 0.1, 1.0)).sum(), rel=1e-10)


def test_spikes_of_half_types_are_those_of_float32() -> None:
    x = torch.from_numpy(currents(7)).to(torch.bfloat16)
    found = ALIF()(x)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found.float(), ALIF()(x.float()))
