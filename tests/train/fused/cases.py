"""Random calls of the fused neuron, drawn for one kernel to be held to another."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch import Tensor

from spikeport.train.dynamics import Dynamics, Surrogate
from spikeport.train.fused import Current, Moments, reference

Fire = Callable[..., Tensor]


@dataclass(frozen=True)
class Case:
    """One call; the tensors come of `seed`. `coarse` takes currents from a grid, so that v often is the threshold."""

    batch: int
    channels: int
    space: tuple[int, ...]
    steps: int
    channels_last: bool
    two: bool
    moments: str
    scaled: bool
    shifted: bool
    constant: bool
    unit: float
    threshold: float
    dynamics: Dynamics
    coarse: bool
    seed: int

    def tensors(self, dtype: torch.dtype = torch.float64, device: str = "cpu") -> dict[str, Tensor]:
        """The leaves of the call, by name."""
        make = torch.Generator().manual_seed(self.seed)

        def normal(*shape: int) -> Tensor:
            x = torch.randn(*shape, generator=make, dtype=torch.float64)
            return torch.round(x * 4) / 4 if self.coarse else x

        rows = self.batch if self.constant else self.batch * self.steps
        leaves = {}
        for k in range(1 + self.two):
            x = normal(rows, self.channels, *self.space)
            if self.channels_last:
                x = x.movedim(1, -1).contiguous().movedim(-1, 1)
            leaves[f"x{k}"] = x
            if self.scaled:
                leaves[f"scale{k}"] = 0.5 + torch.rand(self.channels, generator=make, dtype=torch.float64)
        if self.shifted:
            leaves["offset"] = normal(self.channels)
        leaves |= {"keep": torch.tensor(0.625), "threshold": torch.tensor(self.threshold)}
        return {name: x.to(device, dtype).requires_grad_() for name, x in leaves.items()}

    def currents(self, leaves: dict[str, Tensor]) -> list[Current]:
        result = []
        for k in range(1 + self.two):
            x, moments = leaves[f"x{k}"], None
            if self.moments != "none":
                mean, var = reference.moments(x.detach().to(torch.promote_types(x.dtype, torch.float32)))
                moments = Moments(mean, torch.rsqrt(var + 1e-3), of_batch=self.moments == "batch")
            result.append(Current(x, leaves.get(f"scale{k}"), moments))
        return result

    def run(self, fire: Fire, leaves: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Spikes, and the gradients of a random linear loss."""
        keep, threshold, offset = leaves["keep"], leaves["threshold"], leaves.get("offset")
        call = {"constant": self.constant, "unit": self.unit}
        spikes = fire(self.currents(leaves), offset, keep, threshold, self.steps, self.dynamics, **call)
        make = torch.Generator().manual_seed(self.seed + 1)
        weights = torch.randint(-9, 10, spikes.shape, generator=make).to(spikes)  # exact in all types
        grads = torch.autograd.grad(spikes, list(leaves.values()), weights)
        return spikes, dict(zip(leaves, grads, strict=True))


SPACES = [(), (1,), (7,), (3, 5), (1, 1), (9, 61), (2, 2, 2)]
"""(9, 61) is more than a block of the CPU's."""

DYNAMICS = st.builds(
    Dynamics,
    st.builds(
        Surrogate,
        shape=st.sampled_from(["rectangular", "atan"]),
        width=st.sampled_from([0.5, 1.0, 3.0]),
        centre=st.sampled_from(["threshold", "zero"]),
    ),
    reset=st.sampled_from(["zero", "subtract"]),
    detach_reset=st.booleans(),
)

CASES = st.builds(
    Case,
    batch=st.integers(2, 4),
    channels=st.sampled_from([1, 3, 8, 130]),
    space=st.sampled_from(SPACES),
    steps=st.sampled_from([1, 2, 5]),
    channels_last=st.booleans(),
    two=st.booleans(),
    moments=st.sampled_from(["none", "constant", "batch"]),
    scaled=st.booleans(),
    shifted=st.booleans(),
    constant=st.booleans(),
    unit=st.sampled_from([0.0, 0.25, 0.3]),
    threshold=st.sampled_from([0.25, -0.25]),
    dynamics=DYNAMICS,
    coarse=st.booleans(),
    seed=st.integers(0, 2**31),
)
