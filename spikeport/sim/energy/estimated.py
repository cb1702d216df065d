"""What `estimate_energy` finds: an energy by layer and by part, beside the ANN's."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from spikeport.sim.counting.cores import CoreActivity
from spikeport.sim.counting.counts import Counts
from spikeport.sim.energy.baseline import Baseline
from spikeport.sim.energy.bounds import Bounds, product
from spikeport.sim.energy.latency import Latency
from spikeport.sim.energy.price import Unpriced, total
from spikeport.sim.energy.profile import Profile
from spikeport.sim.energy.terms import TERMS
from spikeport.sim.energy.thresholds import BreakEven, Threshold


@dataclass(frozen=True)
class LayerEnergy:
    """One layer in one inference, pJ."""

    name: str
    parts: Mapping[str, Bounds]
    """By quantity (`terms.QUANTITIES`) and `memory`."""
    amounts: Mapping[str, Fraction]
    """How much there was of each priced quantity."""
    macs_dense: int
    """The ANN's, one pass."""
    ann: Bounds

    @property
    def total(self) -> Bounds:
        """pJ; the sum of the parts."""
        return total(self.parts.values())


@dataclass(frozen=True)
class Sensitivity:
    """The same run by one convention: arithmetic alone, at the prices of `Energy.arithmetic`."""

    convention: str
    macs: Fraction | None
    acs: Fraction | None
    energy_pj: Bounds | None
    """None: the profile has no price for one of them."""


@dataclass(frozen=True, eq=False)
class Energy:
    """One inference, mean over the samples that were counted."""

    profile: Profile
    arithmetic: Profile
    """What prices the ANN and the host: the profile itself if it has a price for a MAC."""
    convention: str
    counts: Counts
    activity: CoreActivity | None
    layers: tuple[LayerEnergy, ...]
    unpriced: tuple[Unpriced, ...]
    baselines: tuple[Baseline, ...]
    thresholds: tuple[Threshold, ...]
    break_even: BreakEven | None
    sensitivity: tuple[Sensitivity, ...]
    latency: Latency | None
    static_pj: Bounds | None
    """Of all chips for one inference's time; not in the total."""
    caveats: tuple[str, ...]

    @property
    def parts(self) -> dict[str, Bounds]:
        """All layers together, pJ by quantity."""
        names = [name for name in TERMS if any(name in layer.parts for layer in self.layers)]
        return {name: total(layer.parts[name] for layer in self.layers if name in layer.parts) for name in names}

    @property
    def snn(self) -> Bounds:
        """pJ; the sum of the layers and of the parts."""
        return total(layer.total for layer in self.layers)

    @property
    def chip(self) -> Bounds:
        """pJ, without what the host computes."""
        return total(part for name, part in self.parts.items() if name != "host_macs")

    @property
    def ann(self) -> Bounds:
        """pJ of one dense pass."""
        return self.baselines[0].energy_pj

    @property
    def ratio(self) -> Bounds | None:
        """SNN / ANN; below 1 the SNN wins. None if the ANN has nothing to compute."""
        return self.baselines[0].ratio

    @property
    def published_ratio(self) -> Bounds | None:
        """As `ratio`, prices without a bound held at their nominal; None also where no price has a bound."""
        snn = total(part.held() for layer in self.layers for part in layer.parts.values())
        found = snn.over(total(layer.ann.held() for layer in self.layers))
        return None if found is None or found.low == found.high else found

    @property
    def is_chip(self) -> bool:
        """Whether the SNN is priced as a chip, and the ANN as arithmetic alone."""
        return "mac" not in self.profile.energy_pj

    @property
    def delay_product_pj_s(self) -> Bounds | None:
        """Energy, static power included where it is known, times the time to the last output."""
        if self.latency is None:
            return None
        energy = self.snn if self.static_pj is None else self.snn + self.static_pj
        return product(energy, self.latency.latency_ns).times(Fraction(1, 10**9))
