"""Surrogates and resets: every combination against the recurrence and chain rule written out, and by differences."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from spikeport.errors import InputError
from spikeport.train import ALIF, LIF, PLIF, Dynamics, Surrogate
from spikeport.train.surrogate import spike
from tests.train.neurons.by_hand import (
    INTEGRALS,
    ROUNDING,
    SLOPES,
    Membrane,
    backward,
    costs,
    currents,
    every_dynamics,
    gradient,
    membrane_of,
    spikes_of,
    value,
)

DYNAMICS = every_dynamics()
ON_THRESHOLD = [d for d in DYNAMICS if d.surrogate.centre == "threshold"]


def slopes(x: list[float], surrogate: Surrogate, threshold: float = 0.0) -> list[float]:
    v = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    spike(v, torch.tensor(threshold, dtype=torch.float64), surrogate).sum().backward()
    assert v.grad is not None
    return v.grad.tolist()


# ---------------------------------------------------------------- surrogates


@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
def test_the_rectangle_has_area_1_and_open_ends(width: float) -> None:
    x = [-width / 2, -width / 2 + 1e-9, 0.0, width / 2 - 1e-9, width / 2, 5.0]
    assert slopes(x, Surrogate(width=width)) == [0, 1 / width, 1 / width, 1 / width, 0, 0]


@pytest.mark.parametrize("alpha", [0.5, 2.0, 4.0])
def test_the_arctangent_is_spikingjellys(alpha: float) -> None:
    """Its surrogate.atan_backward: alpha / 2 / (1 + (pi / 2 alpha x)^2)."""
    x = np.linspace(-3, 3, 13)
    want = alpha / 2 / (1 + (np.pi / 2 * alpha * x) ** 2)
    assert np.allclose(slopes(x.tolist(), Surrogate("atan", 2 / alpha)), want, rtol=ROUNDING)


@pytest.mark.parametrize("shape", ["rectangular", "atan"])
@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
def test_the_integral_over_v_is_1(shape: str, width: float) -> None:
    x = np.linspace(-1000, 1000, 2_000_001)
    area = np.trapezoid(SLOPES[shape](x, width), x)
    assert area == pytest.approx(1, abs=4e-3)
    assert INTEGRALS[shape](np.array([-1e9, 0, 1e9]), width).tolist() == pytest.approx([0, 0.5, 1], abs=1e-8)


def test_the_centre_is_the_threshold_or_zero() -> None:
    x = [-0.4, 0.4, 0.6, 1.4, 1.6]
    assert slopes(x, Surrogate(), 1.0) == [0, 0, 1, 1, 0]
    assert slopes(x, Surrogate(centre="zero"), 1.0) == [1, 1, 0, 0, 0]


def test_a_spike_needs_more_than_the_threshold_and_its_gradient_is_minus_that_of_v() -> None:
    v = torch.tensor([0.9, 1.0, np.nextafter(1, 2)], dtype=torch.float64)
    threshold = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    found = spike(v, threshold, Surrogate())
    found.backward(torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64))
    assert found.tolist() == [0, 0, 1]
    assert gradient(threshold) == -111


# ---------------------------------------------------------------- the oracle itself


@pytest.mark.parametrize("dynamics", ON_THRESHOLD, ids=str)
def test_the_chain_rule_written_out_is_what_finite_differences_say(dynamics: Dynamics) -> None:
    """Of the problem whose spike is the surrogate's integral; there it is the derivative, not a surrogate."""
    x, cost = currents(1), costs(1)
    membrane = Membrane(0.8, 0.7, 0.6, dynamics, smooth=True)
    found, want = membrane.gradients(x, cost), membrane.by_differences(x, cost)
    for name, number in want.items():
        assert found[name] == pytest.approx(number, rel=1e-4, abs=1e-3), name


@pytest.mark.parametrize("dynamics", [d for d in ON_THRESHOLD if not d.detach_reset], ids=str)
def test_it_is_so_for_each_current(dynamics: Dynamics) -> None:
    rng = np.random.default_rng(3)
    x, cost = rng.normal(0.3, 0.8, (6, 2)), rng.normal(size=(6, 2))
    membrane = Membrane(0.8, 0.7, 0.6, dynamics, smooth=True)
    found = membrane.gradients(x, cost)["x"]
    for index in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[index] = 1e-6
        want = (membrane.loss(x + step, cost, None) - membrane.loss(x - step, cost, None)) / 2e-6
        assert found[index] == pytest.approx(want, rel=1e-5, abs=1e-7)


# ---------------------------------------------------------------- neurons


@pytest.mark.parametrize("dynamics", DYNAMICS, ids=str)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_neuron_moves_as_its_dynamics_say(dynamics: Dynamics, seed: int) -> None:
    x, cost = currents(seed), costs(seed)
    neuron = ALIF(0.8, 0.6, dynamics=dynamics).double()
    membrane = membrane_of(neuron)
    _, s = membrane.run(x)
    assert 0.05 < s.mean() < 0.95
    assert np.array_equal(spikes_of(neuron, x), s)
    want, of_x = membrane.gradients(x, cost), backward(neuron, x, cost)
    assert np.allclose(of_x, want["x"], rtol=ROUNDING, atol=ROUNDING)
    tau = membrane.keep
    assert gradient(neuron.tau_raw) == pytest.approx(want["keep"] * tau * (1 - tau), rel=1e-10)
    by_raw = 1 / (1 + np.exp(-value(neuron.vth.raw)))  # softplus'
    assert gradient(neuron.vth.raw) == pytest.approx(want["vth"] * by_raw, rel=1e-10)


@pytest.mark.parametrize("make", [LIF, PLIF])
def test_the_same_dynamics_serve_fixed_and_learnt_decays(make: Any) -> None:
    dynamics = Dynamics(Surrogate("atan", 0.7), "subtract", detach_reset=False)
    neuron = make(dynamics=dynamics).double()
    x, cost = currents(4), costs(4)
    membrane = membrane_of(neuron)
    assert np.array_equal(spikes_of(neuron, x), membrane.run(x)[1])
    want = membrane.gradients(x, cost)["x"]
    assert np.allclose(backward(neuron, x, cost), want, rtol=ROUNDING, atol=ROUNDING)


def test_a_soft_reset_keeps_what_exceeds_the_threshold() -> None:
    neuron = LIF(tau=1.0, threshold=1.0, dynamics=Dynamics(reset="subtract"))
    x = torch.tensor([[2.5], [0.0], [0.0], [0.5]])
    assert neuron(x)[:, 0].tolist() == [1, 1, 0, 0]  # 2.5, 1.5, 0.5, 1.0
    hard = LIF(tau=1.0, threshold=1.0, dynamics=Dynamics(reset="zero"))
    assert hard(x)[:, 0].tolist() == [1, 0, 0, 0]


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Surrogate("square"), "Surrogate: shape (square) is not one of rectangular, atan"),
        (lambda: Surrogate(centre="one"), "Surrogate: centre (one) is not one of threshold, zero"),
        (lambda: Surrogate(width=0.0), "Surrogate: width (0.0) is not in (0, inf)"),
        (lambda: Surrogate(width=float("nan")), "Surrogate: width (nan) is not in (0, inf)"),
        (lambda: Surrogate(width=float("inf")), "Surrogate: width (inf) is not in (0, inf)"),
        (lambda: Dynamics(reset="soft"), "Dynamics: reset (soft) is not one of zero, subtract"),
    ],
)
def test_what_is_no_surrogate_or_reset_is_refused(make: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == message


def test_dynamics_are_values() -> None:
    assert Dynamics() == Dynamics(Surrogate("rectangular", 1.0, "threshold"), "zero", True)
    assert replace(Dynamics(), reset="subtract") != Dynamics()
