"""`Noise`: all random numbers of a pass, drawn before it, so that torch, the simulator and tests use the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class NoiseShape:
    """What a model draws.

    Args:
        uniform: Whether spikes are drawn from rates.
        normal: Whether a Gaussian vector is.
        candidates: k, of which one is picked for each spike; 0: none is.
    """

    steps: int
    latent: int
    uniform: bool = False
    normal: bool = False
    candidates: int = 0


class Draws(Protocol):
    """A model that says what it draws."""

    @property
    def noise_shape(self) -> NoiseShape: ...


@dataclass(frozen=True, eq=False)
class Noise:
    """Random numbers of B samples; what the model does not draw has 0 steps or neurons."""

    uniform: Tensor
    """`(T, B, D)` float64 in [0, 1): z[t, b, i] = [uniform < rate], ESVAE eq. 7."""
    normal: Tensor
    """`(B, D)` float64: z_n of ESVAE's prior, epsilon of a Gaussian VAE."""
    picks: Tensor
    """`(T, B, D)` int64 in [0, k): which of the k candidates becomes the spike (FSVAE)."""
    coins: Tensor
    """`(T, B)` float64 in [0, 1), the same for all samples: scheduled sampling where it is below the probability."""
    jitter: Tensor
    """`(T, B, D)` float64, normal: what decides a tie in scheduled sampling."""

    @classmethod
    def draw(cls, model: Draws, batch: int, seed: int | Sequence[int]) -> Self:
        """The numbers of this seed, which may be several integers: one of the run, one of the epoch, one of the step.

        They are numpy's PCG64: equal on every machine and device.
        """
        shape = model.noise_shape
        steps, latent, k = shape.steps, shape.latent, shape.candidates
        rng = np.random.default_rng(seed)
        of_rates, of_picks = steps if shape.uniform else 0, steps if k else 0
        drawn = (
            rng.random((of_rates, batch, latent)),
            rng.standard_normal((batch, latent if shape.normal else 0)),
            rng.integers(0, max(k, 1), (of_picks, batch, latent)),
            np.repeat(rng.random((of_picks, 1)), batch, axis=1),
            rng.standard_normal((of_picks, batch, latent)),
        )
        return cls(*(torch.from_numpy(values) for values in drawn))

    @property
    def batch(self) -> int:
        """B."""
        return len(self.normal)

    def part(self, samples: slice) -> Self:
        """The numbers of some of the samples."""
        cut = {f.name: getattr(self, f.name) for f in fields(self)}
        return type(self)(**{name: x[samples] if name == "normal" else x[:, samples] for name, x in cut.items()})

    def to(self, device: torch.device | str) -> Self:
        """The same numbers on another device."""
        return type(self)(*(getattr(self, f.name).to(device) for f in fields(self)))
