"""FSVAE: a spiking autoencoder whose latent spikes are autoregressive (Kamata, Mukuta, Harada, AAAI 2022).

loss "mmd"   MSE(x^, x) + mean (PSP(mean_k q) - PSP(mean_k p))^2
loss "kld"   MSE(x^, x) + 1e-4 KL(mean_k q || mean_k p)
"""

from torch import Tensor, nn

from spikeport.errors import UnknownName
from spikeport.train.autoencoders.autoregressive import Posterior, Prior
from spikeport.train.autoencoders.base import Latent, SpikingAutoencoder
from spikeport.train.autoencoders.losses import kl_bernoulli, psp_distance
from spikeport.train.autoencoders.noise import Noise, NoiseShape
from spikeport.train.autoencoders.pfa import Pfa
from spikeport.train.autoencoders.sampling import rates
from spikeport.train.autoencoders.stages import Plan
from spikeport.train.models.parts import check_positive

DISTANCES = {"mmd": 1.0, "kld": 1e-4}
"""And how each is weighed."""
SCHEDULED = (0.1, 0.3)
"""The probability of scheduled sampling, at the first and at the last of training."""


class FSVAE(SpikingAutoencoder):
    """
    Args:
        candidates: k.
        distance: A name in `DISTANCES`.
        weight: Of the distance, where it is not that of `DISTANCES`.
    """

    def __init__(
        self,
        plan: Plan,
        readout: nn.Module,
        pfa: Pfa | None = None,
        *,
        candidates: int = 20,
        distance: str = "mmd",
        weight: float | None = None,
    ) -> None:
        super().__init__(plan, readout, pfa)
        check_positive("FSVAE", candidates=candidates)
        if distance not in DISTANCES:
            limit = ", ".join(DISTANCES)
            raise UnknownName("FSVAE", "distance", got=distance, relation="is not one of", limit=limit)
        self.posterior = Posterior(plan, candidates)
        self.prior = Prior(plan, candidates)
        self._kind = distance
        self.weight = DISTANCES[distance] if weight is None else weight

    @property
    def noise_shape(self) -> NoiseShape:
        return NoiseShape(self.steps, self.latent, candidates=self.prior.k)

    @property
    def probability(self) -> float:
        """That scheduled sampling replaces a step; rises with `progress`."""
        first, last = SCHEDULED
        return first + (last - first) * self.progress

    def sample(self, spikes: Tensor, noise: Noise) -> Tensor:
        return self.posterior.sample(spikes, noise.picks)[0]

    def embed(self, spikes: Tensor, noise: Noise) -> Latent:
        z, q = self.posterior.sample(spikes, noise.picks)
        p = self.prior.given(z, noise, self.probability)
        return Latent(z, rates(spikes), p.mean(-1), q.mean(-1))

    def dream(self, noise: Noise) -> Tensor:
        return self.prior.sample(noise.picks)

    @property
    def kind(self) -> str:
        return self._kind

    def distance(self, latent: Latent) -> tuple[Tensor, float]:
        assert latent.posterior is not None
        of = psp_distance if self.kind == "mmd" else kl_bernoulli
        return of(latent.posterior, latent.prior), self.weight
