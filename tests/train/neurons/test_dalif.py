"""DA-LIF against equations 5 to 11 of its paper, written out in numpy float64."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from spikeport.errors import InputError
from spikeport.train import DALIF, Dynamics, Surrogate
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


def by_hand(x: Array, alpha: float, beta: float, vth: float) -> tuple[Array, Array]:
    """Eq. 5 to 7: V and S; H = V (1 - S)."""
    v, s, h = np.zeros_like(x), np.zeros_like(x), np.zeros_like(x[0])
    for t in range(len(x)):
        v[t] = beta * h + alpha * x[t]
        s[t] = v[t] > vth
        h = v[t] * (1 - s[t])
    return v, s


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


SQUASH: dict[str, Callable[[float], float]] = {"tanh": math.tanh, "sigmoid": sigmoid}
DERIVATIVE: dict[str, Callable[[float], float]] = {"tanh": lambda y: 1 - y * y, "sigmoid": lambda y: y * (1 - y)}


def with_raw(neuron: DALIF, alpha: float, beta: float) -> DALIF:
    neuron.double()
    for scalar, raw in ((neuron.alpha, alpha), (neuron.beta, beta)):
        torch.nn.init.constant_(scalar.raw, raw)
    return neuron


def wide(width: float) -> Dynamics:
    return Dynamics(Surrogate(width=width), detach_reset=False)


# ---------------------------------------------------------------- parameters


@pytest.mark.parametrize(("squash", "start"), [("tanh", 0.76159), ("sigmoid", 0.73106)])
@pytest.mark.parametrize("learn", ["both", "alpha", "beta", "none"])
def test_it_starts_at_the_squashed_1(squash: str, start: float, learn: str) -> None:
    neuron = DALIF(squash=squash, learn=learn)
    assert value(neuron.gain()) == pytest.approx(start, abs=1e-5)
    assert value(neuron.keep()) == pytest.approx(start, abs=1e-5)
    assert value(neuron.threshold()) == 1
    assert neuron.dynamics == Dynamics(Surrogate("rectangular", 1.0), "zero", detach_reset=False)


@pytest.mark.parametrize("squash", ["tanh", "sigmoid"])
@pytest.mark.parametrize("learn", ["both", "alpha", "beta", "none"])
def test_it_starts_where_it_is_told(squash: str, learn: str) -> None:
    neuron = DALIF(squash=squash, learn=learn, alpha=0.9, beta=0.25)
    assert value(neuron.gain()) == pytest.approx(0.9, rel=FLOAT32)
    assert value(neuron.keep()) == pytest.approx(0.25, rel=FLOAT32)


@pytest.mark.parametrize(
    ("learn", "names"), [("both", {"alpha.raw", "beta.raw"}), ("alpha", {"alpha.raw"}), ("beta", {"beta.raw"})]
)
def test_what_learns_is_a_scalar_for_each_layer(learn: str, names: set[str]) -> None:
    assert {name: p.shape for name, p in DALIF(learn=learn).named_parameters()} == dict.fromkeys(names, ())


def test_what_is_fixed_may_be_at_the_ends_of_its_range() -> None:
    neuron = DALIF(learn="none", alpha=1.0, beta=0.0)
    assert (value(neuron.gain()), value(neuron.keep())) == (1, 0)
    assert not list(neuron.parameters())
    assert set(neuron.state_dict()) == {"alpha.value", "beta.value", "vth"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": -1.0}, "DALIF: threshold (-1.0) is not in (0, inf)"),
        ({"threshold": math.nan}, "DALIF: threshold (nan) is not in (0, inf)"),
        ({"learn": "tau"}, "DALIF: learn (tau) is not one of both, alpha, beta, none"),
        ({"squash": "relu"}, "DALIF: squash (relu) is not one of tanh, sigmoid"),
        ({"alpha": 1.5}, "DALIF: alpha (1.5) is not in [-1, 1]"),
        ({"alpha": -0.1, "squash": "sigmoid"}, "DALIF: alpha (-0.1) is not in [0, 1]"),
        ({"beta": -0.1}, "DALIF: beta (-0.1) is not in [0, 1]"),
        ({"beta": -1.1, "constrained": False}, "DALIF: beta (-1.1) is not in [-1, 1]"),
        ({"beta": math.nan, "learn": "none"}, "DALIF: beta (nan) is not in [0, 1]"),
        ({"alpha": 1.0}, "DALIF: initial alpha (1.0) is not in (-1, 1)"),
        ({"beta": 0.0}, "DALIF: initial beta (0.0) is not in (0, 1)"),
        ({"beta": 1.0, "squash": "sigmoid"}, "DALIF: initial beta (1.0) is not in (0, 1)"),
    ],
)
def test_values_out_of_range_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        DALIF(**options)
    assert str(caught.value) == message


# ---------------------------------------------------------------- equations


@pytest.mark.parametrize("squash", ["tanh", "sigmoid"])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (-0.7, 0.3), (0.4, -1.2)])
def test_spikes_follow_equations_5_to_7(alpha: float, beta: float, squash: str) -> None:
    """A negative raw beta stands for tanh of its magnitude; a sigmoid needs no such thing."""
    neuron, x = with_raw(DALIF(threshold=0.5, squash=squash), alpha, beta), currents(2)
    f = SQUASH[squash]
    _, s = by_hand(x, f(alpha), f(abs(beta) if squash == "tanh" else beta), 0.5)
    assert 0 < s.mean() < 1
    assert np.array_equal(spikes_of(neuron, x), s)


@pytest.mark.parametrize("learn", ["alpha", "beta", "none"])
@pytest.mark.parametrize("squash", ["tanh", "sigmoid"])
def test_fixed_scalars_do_what_learning_ones_of_that_value_do(learn: str, squash: str) -> None:
    x, cost = currents(3), costs(3)
    neuron = DALIF(0.5, learn=learn, squash=squash, alpha=0.8, beta=0.3).double()
    free = DALIF(0.5, squash=squash, alpha=0.8, beta=0.3).double()
    _, s = by_hand(x, value(neuron.gain()), value(neuron.keep()), 0.5)
    assert np.array_equal(spikes_of(neuron, x), s)
    assert np.allclose(backward(neuron, x, cost), backward(free, x, cost), rtol=FLOAT32, atol=FLOAT32)
    theirs = dict(free.named_parameters())
    for name, parameter in neuron.named_parameters():
        assert gradient(parameter) == pytest.approx(gradient(theirs[name]), rel=1e-5)


def test_unconstrained_it_may_oscillate_as_in_the_paper() -> None:
    neuron, x = with_raw(DALIF(threshold=0.5, constrained=False), 1.0, -1.2), currents(3)
    _, s = by_hand(x, math.tanh(1), math.tanh(-1.2), 0.5)
    assert np.array_equal(spikes_of(neuron, x), s)


def test_a_potential_at_the_threshold_does_not_fire() -> None:
    current = torch.tensor([[1.0, math.nextafter(1, 2)]], dtype=torch.float64)
    assert DALIF(threshold=1.0)(current).tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("squash", ["tanh", "sigmoid"])
@pytest.mark.parametrize(("alpha", "beta", "width"), [(1.0, 1.0, 1.0), (0.8, 0.4, 0.5), (-1.1, 1.5, 2.0)])
def test_gradients_are_equations_10_and_11(alpha: float, beta: float, width: float, squash: str) -> None:
    """The reset is not detached: dV[t+1] / dV[t] = beta (1 - S[t]) - beta V[t] dS[t]/dV[t]."""
    vth = 0.6
    neuron, x, cost = with_raw(DALIF(vth, squash=squash, dynamics=wide(width)), alpha, beta), currents(6), costs(7)
    vth = value(neuron.threshold())
    a, b = SQUASH[squash](alpha), SQUASH[squash](beta)
    v, s = by_hand(x, a, b, vth)
    slope = rectangle(v - vth, width)
    dv = np.zeros_like(x)
    for t in reversed(range(T)):
        later = dv[t + 1] * b * ((1 - s[t]) - v[t] * slope[t]) if t + 1 < T else 0  # eq. 10
        dv[t] = cost[t] * slope[t] + later
    d_alpha = (dv * x).sum()  # eq. 11
    d_beta = (dv[1:] * v[:-1] * (1 - s[:-1])).sum()

    assert np.allclose(backward(neuron, x, cost), a * dv, rtol=ROUNDING, atol=ROUNDING)
    assert gradient(neuron.alpha.raw) == pytest.approx(d_alpha * DERIVATIVE[squash](a), rel=1e-10)
    assert gradient(neuron.beta.raw) == pytest.approx(d_beta * DERIVATIVE[squash](b), rel=1e-10)


def test_detached_the_reset_passes_no_gradient() -> None:
    """Equation 10 without its last term, as with ALIF."""
    dynamics = Dynamics(detach_reset=True)
    neuron, x, cost = with_raw(DALIF(0.6, dynamics=dynamics), 1.0, 1.0), currents(6), costs(7)
    vth, b = value(neuron.threshold()), math.tanh(1)
    v, s = by_hand(x, b, b, vth)
    slope, dv = rectangle(v - vth, 1.0), np.zeros_like(x)
    for t in reversed(range(T)):
        dv[t] = cost[t] * slope[t] + (dv[t + 1] * b * (1 - s[t]) if t + 1 < T else 0)
    assert np.allclose(backward(neuron, x, cost), b * dv, rtol=ROUNDING, atol=ROUNDING)
