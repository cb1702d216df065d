"""The compiled loops against the specification, and their sums against themselves on other numbers of threads."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings

from spikeport.train.dynamics import Dynamics
from spikeport.train.fused import Current, cpu, fire, reference
from tests.train.fused.cases import CASES, Case


@settings(max_examples=200)
@given(CASES)
def test_float64_is_the_specification(case: Case) -> None:
    leaves = case.tensors()
    spikes, grads = case.run(cpu.fire, leaves)
    expected, wanted = case.run(reference.fire, leaves)
    assert torch.equal(spikes, expected)
    for name, mine in grads.items():
        torch.testing.assert_close(mine, wanted[name], rtol=1e-10, atol=1e-10, msg=lambda text, n=name: f"{n}: {text}")


@given(CASES)
def test_float32_is_the_specification(case: Case) -> None:
    """Both do the same operations in the same order, so the spikes are equal here as well; sums may differ."""
    leaves = case.tensors(torch.float32)
    spikes, grads = case.run(cpu.fire, leaves)
    expected, wanted = case.run(reference.fire, leaves)
    assert torch.equal(spikes, expected)
    for name, mine in grads.items():
        size = 1 + float(wanted[name].abs().max())
        torch.testing.assert_close(
            mine, wanted[name], rtol=1e-4, atol=1e-4 * size, msg=lambda text, n=name: f"{n}: {text}"
        )


@pytest.fixture
def many_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = torch.get_num_threads()
    monkeypatch.setattr(cpu, "_SMALL", 0)
    yield
    torch.set_num_threads(before)


CUTS = [(3, (40, 41)), (24, (6, 6)), (1500, ())]
"""A channel of several blocks, several channels in a block, and blocks of rows."""


@pytest.mark.parametrize("channels,space", CUTS)
def test_threads_change_nothing(many_threads: None, channels: int, space: tuple[int, ...]) -> None:
    case = Case(2, channels, space, 3, False, True, "batch", True, True, False, 0.0, 0.25, Dynamics(), False, seed=5)
    runs = []
    for threads in (1, 2, 5):
        torch.set_num_threads(threads)
        leaves = case.tensors(torch.float32)
        spikes, grads = case.run(cpu.fire, leaves)
        runs.append([spikes, *grads.values(), *cpu.moments(leaves["x0"].detach())])
    for run in runs[1:]:
        assert all(torch.equal(mine, first) for mine, first in zip(run, runs[0], strict=True))


def test_nothing_but_the_current_is_kept() -> None:
    kept: list[torch.Tensor] = []
    x = torch.randn(8, 4, 5, 5, requires_grad=True)
    scale, offset = torch.rand(4, requires_grad=True), torch.rand(4, requires_grad=True)
    number = torch.tensor(0.5, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        fire([Current(x, scale)], offset, number, number, 4, Dynamics())
    assert [t.data_ptr() for t in kept] == [x.data_ptr()]


def test_a_gradient_without_memory_of_its_own() -> None:
    """The sum's gradient is one number, expanded."""
    x = torch.randn(6, 3, 4, dtype=torch.float64, requires_grad=True)
    number = torch.tensor(0.5, dtype=torch.float64)
    (mine,) = torch.autograd.grad(cpu.fire([Current(x)], None, number, number, 3, Dynamics()).sum(), [x])
    (wanted,) = torch.autograd.grad(reference.fire([Current(x)], None, number, number, 3, Dynamics()).sum(), [x])
    torch.testing.assert_close(mine, wanted)


def test_an_empty_batch() -> None:
    x = torch.zeros(0, 3, 4, requires_grad=True)
    number = torch.tensor(0.5, requires_grad=True)
    spikes = fire([Current(x)], None, number, number, 3, Dynamics())
    assert spikes.shape == x.shape
    assert torch.autograd.grad(spikes.sum(), [number])[0].item() == 0
