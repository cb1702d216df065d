"""Where published studies say that a spiking network stops to be worth it, and on which side this one is."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from spikeport.sim.counting.counts import Counts


@dataclass(frozen=True)
class Threshold:
    """A published limit beside the network's own figure; below it the network competes."""

    figure: str
    """`spikes_per_synapse`, per inference, or `input_rate`, per source neuron and step."""
    value: Fraction
    limit: float
    against: str
    """What the network competes with, and under which assumptions."""
    source: str

    @property
    def below(self) -> bool:
        return float(self.value) < self.limit

    @property
    def sentence(self) -> str:
        word = "is" if self.below else "is not"
        value, limit = _figures(self.figure, float(self.value)), _figures(self.figure, self.limit)
        what = f"{limit} {TITLES[self.figure]}, against {self.against} ({self.source})"
        return f"{what}: this network {word} below it, at {value}."

    def to_json(self) -> dict[str, Any]:
        return {
            "figure": self.figure,
            "value": float(self.value),
            "limit": self.limit,
            "below": self.below,
            "against": self.against,
            "source": self.source,
            "sentence": self.sentence,
        }


TITLES = {"spikes_per_synapse": "spikes per synapse and inference", "input_rate": "mean input rate"}
_DAMPFHOFFER = "Dampfhoffer et al., IEEE TETCI 7(3), 2023"
_PUBLISHED = (
    ("spikes_per_synapse", 0.15, "the best ANN accelerators of the study", _DAMPFHOFFER),
    ("spikes_per_synapse", 1.38, "the simplest ANN accelerators of the study", _DAMPFHOFFER),
    ("spikes_per_synapse", 1.72, "an ANN of the same shape", "Davidson and Furber, 2021, by a secondary text"),
    ("input_rate", 0.064, "a quantized ANN, data movement included, 5 to 10 steps", "Yan et al., arXiv:2409.08290v3"),
    ("input_rate", 0.057, "a quantized ANN, data movement included, 5 steps", "Yan et al., arXiv:2409.08290v4"),
)


def thresholds(counts: Counts) -> tuple[Threshold, ...]:
    """Every published limit beside this network's figure."""
    values = {"spikes_per_synapse": counts.spikes_per_synapse, "input_rate": counts.input_rate}
    return tuple(
        Threshold(figure, values[figure], limit, against, source) for figure, limit, against, source in _PUBLISHED
    )


@dataclass(frozen=True)
class BreakEven:
    """Where this network's energy would equal the dense ANN's, by the profile's nominal prices."""

    spikes_per_synapse: float
    """Negative where what does not depend on spikes already costs more than the ANN."""
    input_rate: float

    def to_json(self) -> dict[str, float]:
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
