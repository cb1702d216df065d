"""The scale of one population's weights, as data show that it does least harm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.calibration import Observer
from spikeport.deploy.maps.weights import weights_of
from spikeport.deploy.network import Population, Projection
from spikeport.deploy.network_run import arriving, fire
from spikeport.deploy.nodes import Floats
from spikeport.deploy.quantize.correct import corrected
from spikeport.deploy.quantize.rounded import Rounded, as_float, round_population
from spikeport.deploy.quantize.units import MARGIN, least_unit, unit_of_weights

CLIPS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Parts of the largest weight that the mantissas reach."""
KEPT = 0.999
"""Of the weights, the part that `percentile` does not cut."""
Heard = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Seen:
    """What data show of a population: what it hears in the float network and among integers, and what it is to do."""

    float_activity: Heard
    """`(T, B, n)` of all that it hears, in the float network."""
    rounded_activity: Heard
    """The same where what comes before is rounded already."""
    x: Floats
    """What arrives in the float network; `sent` and `v` are what follows."""
    sent: NDArray[Any]
    v: Floats


def see(p: Population, into: Sequence[Projection], float_activity: Heard, rounded_activity: Heard) -> Seen:
    x = arriving(p, list(into), float_activity)
    sent, v = fire(p, x)
    return Seen(float_activity, rounded_activity, x, sent, v)


def rounded_with_data(
    p: Population, into: Sequence[Projection], seen: Seen, observer: Observer, correct: bool
) -> Rounded:
    """The best of the candidates; raises RuleError where none fits the chip's words."""
    most = unit_of_weights(p, into)
    least = least_unit(p, MARGIN * float(np.abs(seen.v).max(initial=0)))
    clips = [c for c in _clips(into, observer) if most * c > least] or [1.0]
    candidates = [_candidate(p, into, max(most * c, least), c, seen, correct) for c in clips]
    if len(candidates) == 1:
        return candidates[0]
    costs = [_cost(p, into, r, seen, observer) for r in candidates]
    return candidates[int(np.argmin(costs))]


def _clips(into: Sequence[Projection], observer: Observer) -> tuple[float, ...]:
    if observer == "max":
        return (1.0,)
    if observer == "percentile":
        return (max(min(_kept(weights_of(q.map)) for q in into), 0.1),) if into else (1.0,)
    return CLIPS


def _kept(weight: Floats) -> float:
    sizes = np.abs(weight[weight != 0])
    return float(np.quantile(sizes, KEPT) / sizes.max()) if sizes.size else 1.0


def _candidate(
    p: Population, into: Sequence[Projection], unit: float, clip: float, seen: Seen, correct: bool
) -> Rounded:
    rounded = round_population(p, into, unit, clip)
    return corrected(p, into, rounded, seen.x, seen.sent, seen.rounded_activity) if correct else rounded


def _cost(p: Population, into: Sequence[Projection], r: Rounded, seen: Seen, observer: Observer) -> float:
    if observer == "membrane":
        _, maps = as_float(p, into, r, ["weights"])
        return float(np.mean((arriving(p, maps, seen.float_activity) - seen.x) ** 2))
    q, maps = as_float(p, into, r, ["weights", "decays", "thresholds"])
    sent, v = fire(q, arriving(q, maps, seen.rounded_activity))
    return float(np.mean(sent != seen.sent)) if p.fires else float(np.mean((v - seen.v) ** 2))
