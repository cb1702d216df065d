"""ESVAE: the latent space is one of firing rates (Zhan, Xie, Liu, Zhang: ESVAE, sections III-A to III-C).

    r_p = mean_t encoder(x)          z[t] = [u[t] < r_p]         x^ = decoder(z)
    r_q = sigmoid(W z_n + b)         loss = MSE(x^, x) + lambda MMD^2(r_p, r_q)

The loss is that of its code: eq. 11 has the likelihood with the wrong sign. MMD^2 reaches the encoder through r_p and
the bottleneck through r_q; the error reaches the encoder alone.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport import host
from spikeport.errors import UnknownName
from spikeport.train.autoencoders.base import Latent, SpikingAutoencoder
from spikeport.train.autoencoders.losses import mmd
from spikeport.train.autoencoders.noise import Noise, NoiseShape
from spikeport.train.autoencoders.pfa import Pfa
from spikeport.train.autoencoders.sampling import SURROGATES, bernoulli, rates
from spikeport.train.autoencoders.stages import Plan


class ESVAE(SpikingAutoencoder):
    """Sampling is the host's, in float64; in eval mode the same noise gives the same spikes on every host.

    Args:
        sampling: The surrogate of sampling, a name in `SURROGATES`.
        weight: lambda.
    """

    def __init__(
        self, plan: Plan, readout: nn.Module, pfa: Pfa | None = None, *, sampling: str = "code", weight: float = 1e-3
    ) -> None:
        super().__init__(plan, readout, pfa)
        if sampling not in SURROGATES:
            limit = ", ".join(SURROGATES)
            raise UnknownName("ESVAE", "sampling", got=sampling, relation="is not one of", limit=limit)
        self.bottleneck = nn.Linear(plan.latent, plan.latent)
        self.surrogate = SURROGATES[sampling]
        self.weight = weight

    @property
    def noise_shape(self) -> NoiseShape:
        return NoiseShape(self.steps, self.latent, uniform=True, normal=True)

    def sample(self, spikes: Tensor, noise: Noise) -> Tensor:
        return bernoulli(rates(spikes), noise.uniform, self.surrogate).to(spikes.dtype)

    def prior_rates(self, noise: Noise) -> Tensor:
        """r_q `(B, D)` in float64; in eval mode by the host's rule, `host.prior_rates`."""
        weight, bias = self.bottleneck.weight.double(), self.bottleneck.bias.double()
        if self.training:
            return torch.sigmoid(F.linear(noise.normal, weight, bias))
        found: Tensor = host.prior_rates(noise.normal, host.whole(weight), host.whole(bias, 2 * host.BITS))
        return found

    def embed(self, spikes: Tensor, noise: Noise) -> Latent:
        of_encoder = rates(spikes)
        z = bernoulli(of_encoder, noise.uniform, self.surrogate).to(spikes.dtype)
        return Latent(z, of_encoder, self.prior_rates(noise))

    def dream(self, noise: Noise) -> Tensor:
        return bernoulli(self.prior_rates(noise), noise.uniform, self.surrogate).to(self.bottleneck.weight.dtype)

    @property
    def kind(self) -> str:
        return "mmd"

    def distance(self, latent: Latent) -> tuple[Tensor, float]:
        return mmd(self.gather(latent.rates), self.gather(latent.prior)), self.weight
