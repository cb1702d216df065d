"""Counts x prices: the convention of the SNN literature, with its caveats attached.

E_SNN = mac_pj * host MACs + ac_pj * SOPs;  E_ANN = mac_pj * MACs of one dense pass.
It is an estimate of arithmetic in an assumed technology, not a measurement of a chip.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from spikeport.errors import InputError
from spikeport.sim.counting.counts import Counts, LayerCounts

SCHEMA = "spikeport-energy/1"

SPIKES_PER_SYNAPSE_LIMITS = (0.15, 1.38)
"""Below which an SNN competes with an ANN, by its implementation: Dampfhoffer et al., IEEE TETCI 7(3), 2023."""
INPUT_RATE_LIMIT = 0.064
"""Below which an SNN of 5 to 10 steps beats a quantized ANN, data movement included: Yan et al., arXiv:2409.08290."""


@dataclass(frozen=True)
class EnergyProfile:
    """What one operation costs."""

    name: str
    mac_pj: float
    """One multiply-accumulate."""
    ac_pj: float
    """One accumulate: one synaptic operation."""
    source: str
    caveat: str = ""
    """What a reader of a number at these prices must know."""

    def energy_pj(self, macs: Fraction | int, acs: Fraction | int) -> float:
        return self.mac_pj * float(macs) + self.ac_pj * float(acs)


CMOS45_FP32 = EnergyProfile(
    "cmos45-fp32",
    mac_pj=4.6,  # multiplication 3.7, addition 0.9
    ac_pj=0.9,
    source="Horowitz, ISSCC 2014: 45 nm, 0.9 V, 32-bit floating point",
    caveat="the prices are those of 32-bit floating point, as in most papers; the network computes in integers.",
)
CMOS45_INT8 = EnergyProfile(
    "cmos45-int8",
    mac_pj=0.23,  # multiplication 0.2, addition 0.03
    ac_pj=0.03,
    source="Horowitz, ISSCC 2014: 45 nm, 0.9 V, 8-bit integers",
    caveat="the prices are those of 8-bit additions, although sums on the chip are 24 bits wide.",
)
PROFILES: Mapping[str, EnergyProfile] = MappingProxyType({p.name: p for p in (CMOS45_FP32, CMOS45_INT8)})


def profile_named(name: str) -> EnergyProfile:
    """Raises InputError with the known names if there is no such profile."""
    if name not in PROFILES:
        raise InputError("energy", "profile", got=name, relation="is not one of", limit=", ".join(PROFILES))
    return PROFILES[name]


@dataclass(frozen=True)
class LayerEnergy:
    """One layer in one inference."""

    name: str
    host_macs: Fraction
    sops: Fraction
    macs_dense: int
    """The ANN's, one pass."""
    host_pj: float
    sop_pj: float
    ann_pj: float

    @property
    def snn_pj(self) -> float:
        return self.host_pj + self.sop_pj


@dataclass(frozen=True)
class Energy:
    """One inference, mean over the samples that were counted."""

    profile: EnergyProfile
    samples: int
    steps: int
    layers: tuple[LayerEnergy, ...]
    caveats: tuple[str, ...]

    @property
    def host_pj(self) -> float:
        return sum(layer.host_pj for layer in self.layers)

    @property
    def sop_pj(self) -> float:
        return sum(layer.sop_pj for layer in self.layers)

    @property
    def snn_pj(self) -> float:
        return self.host_pj + self.sop_pj

    @property
    def ann_pj(self) -> float:
        return sum(layer.ann_pj for layer in self.layers)

    @property
    def ratio(self) -> float | None:
        """SNN / ANN; below 1 the SNN wins. None if the ANN has nothing to compute."""
        return self.snn_pj / self.ann_pj if self.ann_pj else None

    def to_json(self) -> dict[str, Any]:
        totals = ("host_pj", "sop_pj", "snn_pj", "ann_pj", "ratio")
        return {
            "schema": SCHEMA,
            "profile": asdict(self.profile),
            "samples": self.samples,
            "steps": self.steps,
            "layers": [
                {
                    **asdict(layer),
                    "host_macs": float(layer.host_macs),
                    "sops": float(layer.sops),
                    "snn_pj": layer.snn_pj,
                }
                for layer in self.layers
            ],
            "totals": {name: getattr(self, name) for name in totals},
            "caveats": list(self.caveats),
        }


def estimate_energy(counts: Counts, profile: EnergyProfile = CMOS45_FP32) -> Energy:
    """Prices the counts, zero weights and padding included on both sides."""
    layers = tuple(_price(layer, counts, profile) for layer in counts.layers)
    return Energy(profile, counts.samples, counts.steps, layers, _caveats(counts, profile))


def _price(layer: LayerCounts, counts: Counts, profile: EnergyProfile) -> LayerEnergy:
    host_macs, sops = counts.per_inference(layer.host_macs), counts.per_inference(layer.sops)
    return LayerEnergy(
        name=layer.name,
        host_macs=host_macs,
        sops=sops,
        macs_dense=layer.macs_dense,
        host_pj=profile.energy_pj(host_macs, 0),
        sop_pj=profile.energy_pj(0, sops),
        ann_pj=profile.energy_pj(layer.macs_dense, 0),
    )


def _caveats(counts: Counts, profile: EnergyProfile) -> tuple[str, ...]:
    """Whatever keeps the numbers from being the energy of a chip, in plain words."""
    caveats = [
        "This is an estimate from operation counts, not a measurement: nothing here was measured on Loihi.",
        "Only arithmetic is priced: no memory traffic, no routing of spikes, no neuron updates, no static power. "
        "On real hardware memory traffic alone can cost more than all arithmetic together.",
    ]
    if profile.caveat:
        caveats.append(f"{profile.name}: {profile.caveat}")
    if any(c.graded for layer in counts.layers for c in layer.connections):
        caveats.append("Graded spikes are priced as accumulates, although each multiplies a weight by its payload.")
    encoders = [e for layer in counts.layers for e in layer.encoders]
    if encoders:
        once = all(e.passes == counts.samples for e in encoders)
        how = (
            "once per image, because the image does not change"
            if once
            else "at every step of a sample whose input changes"
        )
        caveats.append(f"The first layer runs on the host; its MACs are counted {how} and priced as MACs.")
    caveats.append(
        f"The ANN is the same network with ReLU, one dense pass, priced alike; the SNN takes "
        f"{counts.steps} steps. Synapses of weight 0 and, in the MACs, the zeros of the padding are counted."
    )
    cut = [layer.name for layer in counts.layers if layer.steps < counts.steps]
    if cut:
        caveats.append(f"The run ended before the last step of {', '.join(cut)}; only the steps that ran are counted.")
    return tuple(caveats)
