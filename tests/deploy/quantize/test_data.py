"""Scales, biases and thresholds fitted to data; the oracle is a direct search in plain numpy."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.deploy.maps.base import Dense
from spikeport.deploy.network import Population, Projection
from spikeport.deploy.quantize.correct import corrected
from spikeport.deploy.quantize.observe import CLIPS, Seen, rounded_with_data, see
from spikeport.deploy.quantize.revive import revived
from spikeport.deploy.quantize.rounded import Rounded, round_population

Case = tuple[Population, list[Projection], Seen]


def population(n: int, keep: float = 0.5, threshold: float = 1.0) -> Population:
    zero = np.zeros(n)
    return Population("n", (n,), zero + keep, zero + threshold, keep_u=zero, bias=zero, drive=zero)


def case(seed: int, n: int = 5, m: int = 12, outlier: float = 1.0) -> Case:
    rng = np.random.default_rng(seed)
    weight = rng.normal(0.1, 0.3, (n, m))
    weight[0, 0] *= outlier
    p, into = population(n), [Projection("in", "n", Dense(weight))]
    heard = {"in": (rng.random((30, 8, m)) < 0.3).astype(np.uint8)}
    return p, into, see(p, into, heard, heard)


def currents(into: list[Projection], rounded: Rounded, seen: Seen) -> np.ndarray:
    return seen.float_activity["in"] @ (rounded.weights[0].T * rounded.unit)


def spikes(rounded: Rounded, x: np.ndarray) -> np.ndarray:
    """The integer rule in floats, one step after the other."""
    v, out = np.zeros(x.shape[1:]), []
    for now in x:
        v = v * (4096 - rounded.dv) / 4096 + now + rounded.bias * rounded.unit / 64
        out.append(v > rounded.vth * rounded.unit)
        v = np.where(out[-1], 0, v)
    return np.array(out)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("outlier", [1.0, 6.0])
def test_the_membranes_observer_takes_the_scale_of_the_least_square_error(seed: int, outlier: float) -> None:
    p, into, seen = case(seed, outlier=outlier)
    found = rounded_with_data(p, into, seen, "membrane", correct=False)
    weight = into[0].map.weight  # type: ignore[union-attr]
    errors = {}
    for clip in CLIPS:
        unit = np.abs(weight).max() * clip / 254
        rounded = 2 * np.rint(weight / unit / 2).clip(-127, 127) * unit
        errors[unit] = np.mean((seen.float_activity["in"] @ (rounded - weight).T) ** 2)
    assert found.unit == min(errors, key=errors.__getitem__)


@pytest.mark.parametrize("seed", range(6))
def test_the_spikes_observer_is_never_worse_in_spikes_than_the_largest_weight(seed: int) -> None:
    p, into, seen = case(seed, outlier=8.0)
    differ = {}
    for observer in ("max", "spikes"):
        found = rounded_with_data(p, into, seen, observer, correct=False)  # type: ignore[arg-type]
        differ[observer] = np.sum(spikes(found, currents(into, found, seen)) != seen.sent)
    assert differ["spikes"] <= differ["max"]


def test_a_percentile_cuts_what_lies_far_out() -> None:
    p, into, seen = case(0, n=100, m=100, outlier=50.0)
    cut = rounded_with_data(p, into, seen, "percentile", correct=False)
    whole = rounded_with_data(p, into, seen, "max", correct=False)
    sizes = np.abs(into[0].map.weight)  # type: ignore[union-attr]
    assert cut.unit == pytest.approx(max(np.quantile(sizes, 0.999), 0.1 * sizes.max()) / 254)
    assert cut.unit < whole.unit
    assert np.abs(cut.weights[0]).max() == 254


@pytest.mark.parametrize("seed", range(6))
def test_the_bias_gives_back_the_mean_that_rounding_takes(seed: int) -> None:
    p, into, seen = case(seed)
    coarse = round_population(p, into, 0.02)
    found = corrected(p, into, coarse, seen.x, seen.sent, seen.float_activity)
    before = seen.x.mean((0, 1)) - currents(into, coarse, seen).mean((0, 1))
    after = before - found.bias * found.unit / 64
    assert np.all(np.abs(after) <= found.unit / 64 * 2**found.bias_exp / 2 + 1e-12)
    assert np.any(np.abs(before) > 10 * np.abs(after))


@pytest.mark.parametrize("seed", range(6))
def test_the_threshold_is_moved_only_for_fewer_spikes_that_differ(seed: int) -> None:
    p, into, seen = case(seed)
    coarse = round_population(p, into, 0.05)
    found = corrected(p, into, coarse, seen.x, seen.sent, seen.float_activity)
    x = currents(into, coarse, seen)
    kept = replace(found, vth=coarse.vth)
    assert np.sum(spikes(found, x) != seen.sent) <= np.sum(spikes(kept, x) != seen.sent)


def test_a_neuron_that_rounding_silences_gets_its_rate_back() -> None:
    rng = np.random.default_rng(1)
    weight = np.array([[3.0, -3.0, 2.0, 1.0], [0.008, 0.009, 0.007, 0.009]])  # the second rounds to 0
    p = population(2, keep=1.0, threshold=0.02)
    into = [Projection("in", "n", Dense(weight))]
    heard = {"in": (rng.random((40, 6, 4)) < 0.5).astype(np.uint8)}
    seen = see(p, into, heard, heard)
    rounded = round_population(p, into, 3 / 127)
    assert not rounded.weights[0][1].any()
    assert not spikes(rounded, currents(into, rounded, seen))[..., 1].any()
    found = revived(p, into, rounded, seen)
    wanted, got = seen.sent[..., 1].mean(), spikes(found, currents(into, found, seen))[..., 1].mean()
    assert 0.1 < wanted < 0.9
    assert got == pytest.approx(wanted, abs=0.1)
    assert found.bias[0] == rounded.bias[0] == 0


def test_a_neuron_that_rounding_makes_fire_always_gets_its_rate_back() -> None:
    rng = np.random.default_rng(2)
    p, into = population(1, keep=0.0, threshold=0.1), [Projection("in", "n", Dense(np.array([[0.09, 0.02]])))]
    heard = {"in": np.ones((40, 6, 2), np.uint8)}
    heard["in"][..., 1] = rng.random((40, 6)) < 0.5
    seen = see(p, into, heard, heard)
    always = replace(round_population(p, into, 0.001), vth=80)
    assert spikes(always, currents(into, always, seen)).all()
    found = revived(p, into, always, seen)
    got = spikes(found, currents(into, found, seen)).mean()
    assert got == pytest.approx(seen.sent.mean(), abs=0.02)


def test_nothing_is_revived_where_nothing_is_lost() -> None:
    p, into, seen = case(3)
    rounded = round_population(p, into, 0.001)
    assert revived(p, into, rounded, seen) is rounded
