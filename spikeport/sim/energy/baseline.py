"""The same network without spikes, in three forms: what an SNN's energy is held against."""

from dataclasses import dataclass
from typing import Any

from spikeport.sim.counting.counts import Counts
from spikeport.sim.energy.bounds import Bounds
from spikeport.sim.energy.profile import Profile

WEIGHT_BITS = 8


@dataclass(frozen=True)
class Baseline:
    """One ANN of the same shape, ReLU, batch norm folded, one inference."""

    name: str
    """`dense`, `dense_times_steps` or `quantized`."""
    title: str
    macs: int
    energy_pj: Bounds
    snn_pj: Bounds
    """What it is held against: the same network with spikes, at prices of the same kind."""
    note: str

    @property
    def ratio(self) -> Bounds | None:
        """SNN / ANN; below 1 the SNN wins. None if the ANN has nothing to compute."""
        return self.snn_pj.over(self.energy_pj)

    def to_json(self) -> dict[str, Any]:
        """Plain values; energies in pJ."""
        ratio = None if self.ratio is None else self.ratio.to_json()
        return {
            "name": self.name,
            "title": self.title,
            "macs": self.macs,
            "energy_pj": self.energy_pj.to_json(),
            "snn_pj": self.snn_pj.to_json(),
            "ratio": ratio,
            "note": self.note,
        }


def activation_bits(steps: int) -> int:
    """ceil(log2(T + 1)): as many levels as T steps of spikes can tell apart (Yan et al., arXiv:2409.08290)."""
    return steps.bit_length()


def baselines(
    counts: Counts, snn_pj: Bounds, ann_pj: Bounds, integers: Profile, snn_in_integers_pj: Bounds
) -> tuple[Baseline, ...]:
    """One pass first, which is the fair one unless the network has loops.

    Args:
        ann_pj: One dense pass.
        integers: Prices of 8-bit integer arithmetic, `mac` and `ac`.
        snn_in_integers_pj: The SNN's arithmetic at those prices.
    """
    steps, macs = counts.steps, counts.macs_dense
    bits = activation_bits(steps)
    once = "fair where one pass sees the whole input"
    often = "not a fair baseline, because no ANN repeats its pass; implied where FLOPs are counted over all steps"
    if loops := looped(counts):
        once = f"too little, because a recurrent ANN computes its loops ({', '.join(loops)}) at every step"
        often = "fair where a recurrent ANN would run whole at every step of the sequence"
    return (
        Baseline("dense", "ANN, one dense pass", macs, ann_pj, snn_pj, once),
        Baseline(
            "dense_times_steps",
            f"ANN, {steps} dense passes",
            macs * steps,
            ann_pj.times(steps),
            snn_pj,
            often,
        ),
        Baseline(
            "quantized",
            f"ANN, activations of {bits} bit{'s' if bits > 1 else ''}, one dense pass",
            macs,
            quantized_mac(integers, bits).times(macs),
            snn_in_integers_pj,
            f"as many levels as T steps tell apart; both sides at the prices of {integers.name}, arithmetic alone",
        ),
    )


def quantized_mac(integers: Profile, bits: int) -> Bounds:
    """One MAC of an 8-bit weight and an activation of that many bits, in pJ.

    Derived, not published: a product of 8 x b bits adds b of the 8 rows that one of 8 x 8 bits adds; the addition to
    the sum stays.
    """
    mac, ac = (integers.energy_pj[key].value.nominal for key in ("mac", "ac"))
    return Bounds(None, (mac - ac) * bits / WEIGHT_BITS + ac, None)


def looped(counts: Counts) -> list[str]:
    """Groups that their own spikes come back to."""
    fed = {layer.name: {c.source for c in layer.connections} for layer in counts.layers}
    reach = {name: set(sources) for name, sources in fed.items()}
    for _ in fed:  # paths grow by one connection
        reach = {name: found.union(*(fed.get(source, set()) for source in found)) for name, found in reach.items()}
    return [name for name, found in reach.items() if name in found]
