"""Where published studies say that a spiking network stops to be worth it, and on which side this one is."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from spikeport.sim.counting.counts import Counts


@dataclass(frozen=True)
class Limit:
    """A published limit; below it a spiking network competes."""

    figure: str
    """`spikes_per_synapse`, per inference, or `input_rate`, per source neuron and step."""
    limit: float
    against: str
    """What the network competes with, and under which assumptions."""
    source: str
    studied: range | None = None
    """Steps of an inference that it was found for; None if the source names none."""


@dataclass(frozen=True)
class Threshold:
    """A published limit beside the network's own figure."""

    published: Limit
    value: Fraction | None
    """None: the network has no synapses."""
    steps: int
    """Of the network's inference."""

    @property
    def below(self) -> bool | None:
        """Whether the network is below the published limit; None without a figure."""
        return None if self.value is None else float(self.value) < self.published.limit

    @property
    def applies(self) -> bool:
        """Whether the limit was found for as many steps."""
        return self.published.studied is None or self.steps in self.published.studied

    @property
    def sentence(self) -> str:
        """Figure, limit and source in words."""
        one = self.published
        limit = f"limit of {_figures(one.figure, one.limit)} against {one.against}"
        if not self.applies:
            limit += f", while this inference takes {self.steps}"
        if self.value is None:
            return f"{TITLES[one.figure]}: no synapses to compare with the {limit} ({one.source})."
        side = "is" if self.below else "is not"
        value = _figures(one.figure, float(self.value))
        return f"{TITLES[one.figure]}: {value}; this network {side} below the {limit} ({one.source})."

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "figure": self.published.figure,
            "value": None if self.value is None else float(self.value),
            "limit": self.published.limit,
            "below": self.below,
            "applies": self.applies,
            "against": self.published.against,
            "source": self.published.source,
            "sentence": self.sentence,
        }


TITLES = {"spikes_per_synapse": "Spikes per synapse and inference", "input_rate": "Mean input rate"}
_DAMPFHOFFER = "Dampfhoffer et al., IEEE TETCI 7(3), 2023"
_YAN = "a quantized ANN, data movement included, at"
PUBLISHED = (
    Limit("spikes_per_synapse", 0.15, "the best ANN accelerators of the study", _DAMPFHOFFER),
    Limit("spikes_per_synapse", 1.38, "the simplest ANN accelerators of the study", _DAMPFHOFFER),
    Limit("spikes_per_synapse", 1.72, "an ANN of the same shape", "Davidson and Furber, 2021, by a secondary text"),
    Limit("input_rate", 0.064, f"{_YAN} 5 to 10 steps", "Yan et al., arXiv:2409.08290v3", range(5, 11)),
    Limit("input_rate", 0.057, f"{_YAN} 5 steps", "Yan et al., arXiv:2409.08290v4", range(5, 6)),
)


def thresholds(counts: Counts) -> tuple[Threshold, ...]:
    """Every published limit beside this network's figure."""
    values = {"spikes_per_synapse": counts.spikes_per_synapse, "input_rate": counts.input_rate}
    some = bool(counts.synapses)
    return tuple(Threshold(one, values[one.figure] if some else None, counts.steps) for one in PUBLISHED)


@dataclass(frozen=True)
class BreakEven:
    """Where this network's energy would equal the dense ANN's, by the profile's nominal prices."""

    spikes_per_synapse: float
    """Negative where what does not depend on spikes already costs more than the ANN."""
    input_rate: float

    def to_json(self) -> dict[str, float]:
        """Plain values."""
        return {"spikes_per_synapse": self.spikes_per_synapse, "input_rate": self.input_rate}


def break_even(counts: Counts, snn_pj: float, by_spikes_pj: float, ann_pj: float) -> BreakEven | None:
    """Scales what spikes cost until the total is the ANN's; None for a silent network.

    Args:
        by_spikes_pj: The part of `snn_pj` that grows with the number of spikes.
    """
    if not by_spikes_pj:
        return None
    factor = (ann_pj - (snn_pj - by_spikes_pj)) / by_spikes_pj
    return BreakEven(factor * float(counts.spikes_per_synapse), factor * float(counts.input_rate))


def _figures(figure: str, value: float) -> str:
    return f"{value:.1%}" if figure == "input_rate" else f"{value:.3g}"
