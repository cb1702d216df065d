"""The specification against numpy written by hand, the papers' equations, and finite differences."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.autograd import grad

from spikeport.errors import InputError
from spikeport.train.dynamics import Dynamics, Surrogate
from spikeport.train.fused import Current, Moments, fire, moments_of, reference
from tests.train.fused.cases import CASES, DYNAMICS, Case

Array = np.ndarray


def numbers(case: Case) -> dict[str, Array]:
    return {name: x.detach().numpy() for name, x in case.tensors().items()}


def channel(values: Array, x: Array) -> Array:
    return values.reshape(-1, *[1] * (x.ndim - 2))


def input_of(case: Case, a: dict[str, Array], fixed: dict[str, Array]) -> Array:
    """y, batch norm's two moments included; `fixed` holds the leaves of which constant moments are."""
    y = np.zeros(())
    for k in range(1 + case.two):
        x = a[f"x{k}"]
        if case.moments != "none":
            of = x if case.moments == "batch" else fixed[f"x{k}"]
            axes = tuple(d for d in range(x.ndim) if d != 1)
            x = (x - channel(of.mean(axes), x)) / np.sqrt(channel(of.var(axes), x) + 1e-3)
        y = y + (x if f"scale{k}" not in a else x * channel(a[f"scale{k}"], x))
    return y + channel(a["offset"], y) if "offset" in a else y


def by_hand(case: Case, a: dict[str, Array], smooth: Callable[..., Array] | None = None) -> tuple[Array, list[Array]]:
    """Spikes and membranes. `smooth` gives the spike of a step and that of its reset, instead of the comparison."""
    y = input_of(case, a, numbers(case))
    if case.unit and smooth is None:
        y = np.rint(y / case.unit) * case.unit
    y = np.stack([y] * case.steps) if case.constant else y.reshape(case.steps, case.batch, *y.shape[1:])
    h, spikes, membranes = np.zeros_like(y[0]), [], []
    for t in range(case.steps):
        v = a["keep"] * h + y[t]
        s = of_reset = (v > a["threshold"]).astype(v.dtype)
        if smooth is not None:
            s, of_reset = smooth(t, v, a["threshold"])
        h = v * (1 - of_reset) if case.dynamics.reset == "zero" else v - of_reset * a["threshold"]
        spikes.append(s)
        membranes.append(v)
    return np.concatenate(spikes), membranes


@given(CASES)
def test_spikes_are_those_of_the_recurrence(case: Case) -> None:
    leaves = case.tensors()
    spikes, _ = case.run(reference.fire, leaves)
    expected, membranes = by_hand(case, numbers(case))
    assert spikes.shape == expected.shape
    equal = (spikes.detach().numpy() == expected).reshape(len(membranes), -1).all(0)
    assert np.all(equal | ~sure(case, membranes).ravel())


def sure(case: Case, membranes: list[Array]) -> Array:
    """The neurons where no rounding of y decides: all of them where y is exact."""
    everywhere = np.ones_like(membranes[0], bool)
    if case.moments == "none" and not case.scaled:
        return everywhere
    if not case.unit:
        return everywhere & (np.abs(np.stack(membranes) - case.threshold) > 1e-9).all(0)
    y = input_of(case, numbers(case), numbers(case)) / case.unit
    to_half = np.abs(y - np.floor(y) - 0.5) > 1e-9
    return everywhere & (to_half if case.constant else to_half.reshape(case.steps, *everywhere.shape).all(0))


def test_the_comparison_is_strict_and_the_first_step_starts_at_0() -> None:
    x = torch.tensor([[1.0], [0.5], [0.5], [0.25]])
    half, one = torch.tensor(0.5), torch.tensor(1.0)
    # v is 1, 1, 1 and 0.75: no spike
    assert fire([Current(x)], None, half, one, 4, Dynamics()).flatten().tolist() == [0, 0, 0, 0]
    # a threshold of 0.6: v is 1, 0.5, 0.75, 0.25 with reset to 0, and 1, 0.7, 0.55, 0.525 with soft reset
    hard = fire([Current(x)], None, half, torch.tensor(0.6), 4, Dynamics())
    soft = fire([Current(x)], None, half, torch.tensor(0.6), 4, Dynamics(reset="subtract"))
    assert hard.flatten().tolist() == [1, 0, 1, 0]
    assert soft.flatten().tolist() == [1, 1, 0, 0]


INTEGRALS: dict[str, Callable[[Array, float], Array]] = {
    "rectangular": lambda x, width: np.clip(x / width + 0.5, 0, 1),
    "atan": lambda x, width: np.arctan(np.pi * x / width) / np.pi + 0.5,
}


@given(CASES.filter(lambda case: case.unit == 0), st.integers(0, 1000))
def test_gradients_are_finite_differences_of_the_smoothed_spikes(case: Case, seed: int) -> None:
    """A spike is replaced by what it is here, plus by how much the surrogate's integral differs from its value here.

    At the point itself this is the true trajectory, and its derivative is the surrogate. So the gradients of `fire` are
    those of this function, and central differences along a random direction must give them. Where the reset is
    detached, it takes the spikes as they are here.
    """
    leaves = case.tensors()
    _, grads = case.run(reference.fire, leaves)
    here = numbers(case)
    spikes, membranes = by_hand(case, here)
    spikes = spikes.reshape(case.steps, case.batch, *spikes.shape[1:])
    surrogate = case.dynamics.surrogate
    centre = here["threshold"] if surrogate.centre == "threshold" else 0.0
    if surrogate.shape == "rectangular":  # away from the two corners of its integral
        edge = np.abs(np.abs(np.stack(membranes) - centre) - surrogate.width / 2)
        if edge.min() < 1e-3:
            return
    if np.abs(np.stack(membranes) - here["threshold"]).min() < 1e-9:
        return

    def smooth(t: int, v: Array, threshold: Array) -> tuple[Array, Array]:
        moved = v - (threshold - here["threshold"])
        integral = INTEGRALS[surrogate.shape]
        s = spikes[t] + integral(moved - centre, surrogate.width) - integral(membranes[t] - centre, surrogate.width)
        return s, spikes[t] if case.dynamics.detach_reset else s

    make = torch.Generator().manual_seed(case.seed + 1)
    weights = torch.randint(-9, 10, spikes.shape, generator=make).numpy().ravel()
    rng = np.random.default_rng(seed)
    towards = {name: rng.standard_normal(x.shape) for name, x in here.items()}

    def loss(distance: float) -> float:
        moved = {name: x + distance * towards[name] for name, x in here.items()}
        return float(weights @ by_hand(case, moved, smooth)[0].ravel())

    difference = (loss(1e-5) - loss(-1e-5)) / 2e-5
    expected = sum(float((grads[name].numpy() * towards[name]).sum()) for name in here)
    size = sum(float(np.abs(grads[name].numpy() * towards[name]).sum()) for name in here)
    assert difference == pytest.approx(expected, rel=1e-5, abs=1e-6 * (1 + size))


def test_gradients_of_the_alif_paper(rng: np.random.Generator) -> None:
    """TAID paper eq. 7 to 9, carried forward in time: the reset is detached."""
    width, tau, vth = 1.0, 0.25, 0.2
    x, weights = rng.standard_normal((6, 40)), rng.standard_normal((6, 40))
    u, o, of_tau = np.zeros(40), np.zeros(40), np.zeros(40)
    by_tau = by_vth = 0.0
    for t in range(6):
        of_tau = u * (1 - o) + tau * (1 - o) * of_tau  # eq. 8
        u = tau * u * (1 - o) + x[t]
        o = (u > vth).astype(float)
        window = (np.abs(u - vth) < width / 2) / width  # eq. 7
        by_tau += (weights[t] * window * of_tau).sum()
        by_vth -= (weights[t] * window).sum()  # eq. 9
    keep, threshold = (torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in (tau, vth))
    current = Current(torch.from_numpy(x.reshape(6, 40)))
    spikes = fire([current], None, keep, threshold, 6, Dynamics(Surrogate(width=width)))
    of_keep, of_threshold = grad(spikes, [keep, threshold], torch.from_numpy(weights))
    assert of_keep.item() == pytest.approx(by_tau, rel=1e-12)
    assert of_threshold.item() == pytest.approx(by_vth, rel=1e-12)


def test_gradients_of_the_da_lif_paper(rng: np.random.Generator) -> None:
    """DA-LIF eq. 10 and 11, carried forward in time, through the reset. alpha is the current's scale."""
    alpha, beta, vth = 0.76, 0.7, 1.0
    x, weights = 2 * rng.standard_normal((6, 40)), rng.standard_normal((6, 40))
    h, through, of_alpha, of_beta = np.zeros(40), np.ones(40), np.zeros(40), np.zeros(40)
    by_alpha, by_beta = np.zeros(40), np.zeros(40)
    for t in range(6):
        of_alpha, of_beta = x[t] + beta * through * of_alpha, h + beta * through * of_beta
        v = beta * h + alpha * x[t]
        s, window = (v > vth).astype(float), (np.abs(v - vth) < 0.5).astype(float)
        h, through = v * (1 - s), 1 - s - v * window
        by_alpha += weights[t] * window * of_alpha
        by_beta += weights[t] * window * of_beta
    scale = torch.full((40,), alpha, dtype=torch.float64, requires_grad=True)
    keep = torch.tensor(beta, dtype=torch.float64, requires_grad=True)
    current = Current(torch.from_numpy(x), scale)
    spikes = fire([current], None, keep, torch.tensor(vth).double(), 6, Dynamics(detach_reset=False))
    of_scale, of_keep = grad(spikes, [scale, keep], torch.from_numpy(weights))
    np.testing.assert_allclose(of_scale.numpy(), by_alpha, rtol=1e-11, atol=1e-12)
    assert of_keep.item() == pytest.approx(by_beta.sum(), rel=1e-11)


@given(DYNAMICS, st.booleans())
def test_batch_norm_within_is_torchs(dynamics: Dynamics, two: bool) -> None:
    """The same chain with nn.BatchNorm2d in front, and nothing for `fire` to normalise."""
    torch.manual_seed(3)
    norms = [nn.BatchNorm2d(5, dtype=torch.float64) for _ in range(1 + two)]
    xs = [torch.randn(12, 5, 3, 4, dtype=torch.float64, requires_grad=True) for _ in norms]
    for norm in norms:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    keep, threshold = (torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in (0.6, 0.3))
    leaves = [*xs, keep, threshold, *(p for norm in norms for p in norm.parameters())]
    y = sum(norm(x) for norm, x in zip(norms, xs, strict=True))
    assert isinstance(y, torch.Tensor)
    expected = fire([Current(y)], None, keep, threshold, 4, dynamics)
    currents = [Current(x, norm.weight, moments_of(x, norm.eps)[0]) for x, norm in zip(xs, norms, strict=True)]
    offset = torch.stack([norm.bias for norm in norms]).sum(0)
    spikes = fire(currents, offset, keep, threshold, 4, dynamics)
    assert torch.equal(spikes, expected)
    weights = torch.randn_like(spikes)
    for mine, theirs in zip(grad(spikes, leaves, weights), grad(expected, leaves, weights), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-10)


def test_three_currents_add_up() -> None:
    x = torch.randn(4, 3, 2, dtype=torch.float64)
    keep, threshold = torch.tensor(0.5).double(), torch.tensor(0.25).double()
    parts = fire([Current(x), Current(2 * x), Current(-x)], None, keep, threshold, 2, Dynamics())
    assert torch.equal(parts, fire([Current(x), Current(x)], None, keep, threshold, 2, Dynamics()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_types_are_computed_in_float32(dtype: torch.dtype) -> None:
    x = torch.randn(6, 4, 5, dtype=dtype, requires_grad=True)
    scale = torch.rand(4, requires_grad=True)
    keep, threshold = torch.tensor(0.5), torch.tensor(0.25)

    def run(x: torch.Tensor) -> torch.Tensor:
        return fire([Current(x, scale, moments_of(x, 1e-5)[0])], None, keep, threshold, 3, Dynamics())

    spikes, expected = run(x), run(x.float())
    assert spikes.dtype == dtype
    assert torch.equal(spikes.float(), expected)
    (mine,), (theirs,) = grad(spikes.sum(), [x]), grad(expected.sum(), [x])
    assert mine.dtype == dtype
    assert torch.equal(mine, theirs)


def test_what_does_not_fit_is_refused() -> None:
    x, number, dynamics = torch.zeros(6, 2), torch.tensor(0.5), Dynamics()
    for currents, steps, said in [
        ([], 2, "currents"),
        ([Current(x), Current(x[:3])], 2, "shape of a current"),
        ([Current(x[0])], 1, "axes of a current"),
        ([Current(x)], 0, "steps"),
        ([Current(x)], 4, "rows of a current"),
    ]:
        with pytest.raises(InputError, match=said):
            fire(currents, None, number, number, steps, dynamics)


def test_constant_moments_pass_no_gradient() -> None:
    x = torch.randn(4, 2, dtype=torch.float64, requires_grad=True)
    moments = Moments(torch.tensor([1.0, 2.0]).double(), torch.tensor([0.5, 3.0]).double(), of_batch=False)
    dynamics = Dynamics(Surrogate("atan"))
    keep, threshold = torch.tensor(0.5).double(), torch.tensor(0.25).double()
    (mine,) = grad(fire([Current(x, None, moments)], None, keep, threshold, 2, dynamics).sum(), [x])
    y = ((x - moments.mean) * moments.rstd).detach().requires_grad_()
    (inner,) = grad(fire([Current(y)], None, keep, threshold, 2, dynamics).sum(), [y])
    torch.testing.assert_close(mine, inner * moments.rstd)
