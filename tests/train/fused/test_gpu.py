"""The Triton kernels against the specification.

Where there is no GPU, Triton's interpreter runs them: `TRITON_INTERPRET=1 pytest tests/train/fused/test_gpu.py`.
"""

import importlib.util
import os
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings

from spikeport.train.dynamics import Dynamics
from spikeport.train.fused import reference
from tests.train.fused.cases import CASES, Case

if importlib.util.find_spec("triton") is None:
    pytest.skip("Triton is not installed", allow_module_level=True)
if not torch.cuda.is_available() and os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("there is no GPU, and TRITON_INTERPRET is not 1", allow_module_level=True)

from spikeport.train.fused import gpu

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def named(name: str) -> Callable[[str], str]:
    return lambda text: f"{name}: {text}"


@settings(max_examples=100 if torch.cuda.is_available() else 20)  # the interpreter takes half a second for each
@given(CASES)
def test_float64_is_the_specification(case: Case) -> None:
    leaves = case.tensors(device=DEVICE)
    spikes, grads = case.run(gpu.fire, leaves)
    expected, wanted = case.run(reference.fire, leaves)
    assert torch.equal(spikes, expected)
    for name, mine in grads.items():
        torch.testing.assert_close(mine, wanted[name], rtol=1e-10, atol=1e-10, msg=named(name))


@settings(max_examples=100 if torch.cuda.is_available() else 20)
@given(CASES)
def test_float32_is_the_specification(case: Case) -> None:
    leaves = case.tensors(torch.float32, DEVICE)
    spikes, grads = case.run(gpu.fire, leaves)
    expected, wanted = case.run(reference.fire, leaves)
    assert torch.equal(spikes, expected)
    for name, mine in grads.items():
        size = 1 + float(wanted[name].abs().max())
        torch.testing.assert_close(
            mine, wanted[name], rtol=1e-4, atol=1e-4 * size, msg=lambda text, n=name: f"{n}: {text}"
        )


def test_half_types_are_computed_in_float32() -> None:
    half = torch.bfloat16 if DEVICE == "cuda" else torch.float16  # the interpreter computes with numpy
    case = Case(2, 5, (3, 4), 3, False, True, "batch", True, True, False, 0.0, 0.25, Dynamics(), False, seed=5)
    halves = case.tensors(torch.float32, DEVICE)
    for name in ("x0", "x1"):
        halves[name] = halves[name].detach().to(half).requires_grad_()
    wide = {name: x.detach().float().requires_grad_() for name, x in halves.items()}
    spikes, grads = case.run(gpu.fire, halves)
    expected, wanted = case.run(gpu.fire, wide)
    assert spikes.dtype == grads["x0"].dtype == half
    assert torch.equal(spikes.float(), expected)
    for name, mine in grads.items():
        torch.testing.assert_close(mine, wanted[name].to(mine.dtype))
