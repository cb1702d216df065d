"""FSVAE's latent space: at each step a network gives k candidates for each latent spike, and one is picked at random.

    posterior   q(z_t | x_<=t, z_<t)    from the encoder's spikes x_t and z_{t-1}
    prior       p(z_t | z_<t)           from z_{t-1}                                     z_{-1} = 0

Each is three blocks, Linear - tdBN (alpha 2) - LIF, of 2 D, 4 D and k D neurons; neuron i k + j is candidate j of z_i
(Kamata et al., Fully Spiking Variational Autoencoder, and its code `fsvae_posterior.py`, `fsvae_prior.py`).

There are two ways to the same spikes. In eval mode the blocks keep their membranes, and T steps are T evaluations. In
training mode the norms take the statistics of all steps so far, so that an earlier step's spikes change with those that
follow: there, as in the published code, step t runs the steps up to t again, T (T + 1) / 2 in all, and each run moves
the running statistics.
"""

import torch
from torch import Tensor, nn

from spikeport.train.autoencoders.noise import Noise
from spikeport.train.autoencoders.stages import Plan, linear_layer
from spikeport.train.autoencoders.stepping import Step, stepper

ALPHA = 2.0
FIRST_SCHEDULED = 5
"""The first step that scheduled sampling may replace."""
JITTER = 1e-3


class Candidates(nn.Module):
    """Three blocks, from `n_in` spikes to k candidates for each of D."""

    def __init__(self, plan: Plan, n_in: int, k: int) -> None:
        super().__init__()
        d = plan.latent
        self.latent, self.k = d, k
        sizes = ((n_in, 2 * d), (2 * d, 4 * d), (4 * d, k * d))
        self.blocks = nn.Sequential(*(linear_layer(plan.neuron, *size, ALPHA) for size in sizes))

    def forward(self, x: Tensor) -> Tensor:
        """`(T, B, n_in)` to `(T, B, D, k)`."""
        found: Tensor = self.blocks(x)
        return found.reshape(*found.shape[:-1], self.latent, self.k)

    def stepper(self) -> Step:
        """`(B, n_in)` to `(B, D, k)`, one step at a time; in eval mode."""
        step = stepper(self.blocks)  # type: ignore[arg-type]
        return lambda x: step(x).reshape(len(x), self.latent, self.k)


def pick(candidates: Tensor, picks: Tensor) -> Tensor:
    """`(..., k)` and indices `(...)` to `(...)`; gradients reach what is picked."""
    return candidates.gather(-1, picks[..., None]).squeeze(-1)


class Posterior(Candidates):
    """q(z_t | x_<=t, z_<t)."""

    def __init__(self, plan: Plan, k: int) -> None:
        super().__init__(plan, 2 * plan.latent, k)

    def sample(self, x: Tensor, picks: Tensor) -> tuple[Tensor, Tensor]:
        """
        Args:
            x: The encoder's spikes, `(T, B, D)`.
            picks: `(T, B, D)` in [0, k).

        Returns:
            z `(T, B, D)`, and all candidates q `(T, B, D, k)`.
        """
        return self.by_prefixes(x, picks) if self.training else self.by_steps(x, picks)

    def by_prefixes(self, x: Tensor, picks: Tensor) -> tuple[Tensor, Tensor]:
        """Runs all steps so far for each step, then once with gradients, and picks again."""
        past = [torch.zeros_like(x[0])]
        with torch.no_grad():
            for t in range(len(x) - 1):
                q = self(torch.cat([x[: t + 1], torch.stack(past)], -1))
                past.append(pick(q[-1], picks[t]))
        q = self(torch.cat([x, torch.stack(past)], -1))
        return pick(q, picks), q

    def by_steps(self, x: Tensor, picks: Tensor) -> tuple[Tensor, Tensor]:
        """Keeps the membranes; eval mode, without gradients."""
        step, z, found = self.stepper(), torch.zeros_like(x[0]), []
        for now, picked in zip(x, picks, strict=True):
            found.append(step(torch.cat([now, z], -1)))
            z = pick(found[-1], picked)
        q = torch.stack(found)
        return pick(q, picks), q


class Prior(Candidates):
    """p(z_t | z_<t)."""

    def __init__(self, plan: Plan, k: int) -> None:
        super().__init__(plan, plan.latent, k)

    def given(self, z: Tensor, noise: Noise, probability: float) -> Tensor:
        """All candidates p `(T, B, D, k)`, given the posterior's z `(T, B, D)`, to which no gradient goes.

        In training mode, from step 5 on, what the prior makes of the steps before replaces z_t with a probability:
        [mean over the candidates + 1e-3 N(0, 1) > 1/2] (scheduled sampling).
        """
        z = z.detach()
        if not self.training:
            return self(torch.cat([torch.zeros_like(z[:1]), z[:-1]]))
        past = [torch.zeros_like(z[0])]
        with torch.no_grad():
            for t in range(len(z) - 1):
                own = t >= FIRST_SCHEDULED and bool(noise.coins[t, 0] < probability)
                past.append(self._likely(past, noise.jitter[t]) if own else z[t])
        return self(torch.stack(past))

    def sample(self, picks: Tensor) -> Tensor:
        """z `(T, B, D)` of its own, without gradients."""
        with torch.no_grad():
            return self.by_prefixes(picks) if self.training else self.by_steps(picks)

    def by_prefixes(self, picks: Tensor) -> Tensor:
        """Runs all steps so far for each step."""
        past = [self._nothing(picks)]
        for picked in picks:
            past.append(pick(self(torch.stack(past))[-1], picked))
        return torch.stack(past[1:])

    def by_steps(self, picks: Tensor) -> Tensor:
        """Keeps the membranes; eval mode."""
        step, z, found = self.stepper(), self._nothing(picks), []
        for picked in picks:
            z = pick(step(z), picked)
            found.append(z)
        return torch.stack(found)

    def _likely(self, past: list[Tensor], jitter: Tensor) -> Tensor:
        mean = self(torch.stack(past))[-1].mean(-1)
        return (mean + JITTER * jitter > 0.5).to(mean.dtype)

    def _nothing(self, picks: Tensor) -> Tensor:
        return torch.zeros(picks.shape[1:], dtype=next(self.parameters()).dtype, device=picks.device)
