"""Each rule on numbers: its limit with its number, its source and a remedy."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.chip import LOIHI1, LOIHI2, Chip
from spikeport.deploy import Violation, check
from spikeport.program import Dense
from tests.deploy.small_programs import row


def one(program: object, chip: Chip) -> Violation:
    (found,) = check(program, chip)  # type: ignore[arg-type]
    return found


def facts(violation: Violation) -> tuple[str, str, int, int, str]:
    return violation.id, violation.layer, violation.value, violation.limit, violation.unit


@pytest.mark.parametrize(
    ("changes", "layer", "value"), [({"dv": 4096}, "g0.dv", 4096), ({"du": -1}, "g0.du", -1)], ids=["dv", "du"]
)
def test_decays_fit_12_bits(changes: dict[str, int], layer: str, value: int) -> None:
    violation = one(row(2, neurons=changes), LOIHI2)
    assert facts(violation) == ("decays_fit_12_bits", layer, value, 4095, "1/4096")
    assert violation.remedy == "use a decay in [0, 4095]"
    assert check(row(2, neurons={"dv": 4095, "du": 0})) == []


def test_thresholds_fit_17_bits_and_loihi_1_has_none_of_zero() -> None:
    assert check(row(2, neurons={"vth": 131_071}), LOIHI1) == check(row(2, neurons={"vth": 0}), LOIHI2) == []
    violation = one(row(2, neurons={"vth": 0}), LOIHI1)
    assert facts(violation) == ("thresholds_fit_17_bits", "g0", 0, 1, "of 64 units of v")
    assert violation.source == LOIHI1.sources["min_threshold"]
    violation = one(row(2, neurons={"vth": 100}), replace(LOIHI2, max_threshold=99))
    assert facts(violation)[2:4] == (100, 99)
    assert violation.source == LOIHI2.sources["max_threshold"]


@pytest.mark.parametrize(("bias", "limit"), [(8, 7), (-9, -8)])
def test_biases_fit_13_bits(bias: int, limit: int) -> None:
    chip = replace(LOIHI2, max_bias=7)
    violation = one(row(2, neurons={"bias_mant": np.array([0, bias])}), chip)
    assert facts(violation) == ("biases_fit_13_bits", "g0", bias, limit, "mantissa")
    assert check(row(2, neurons={"bias_mant": np.array([7, -8])}), chip) == []
    assert check(row(2, neurons={"bias_mant": np.array([4095, -4096])}), LOIHI2) == []


def test_bias_exponents_fit() -> None:
    violation = one(row(2, neurons={"bias_exp": 7}), replace(LOIHI2, max_bias_exp=6))
    assert facts(violation) == ("bias_exponents_fit", "g0", 7, 6, "bits of shift")
    assert check(row(2, neurons={"bias_exp": 7}), LOIHI2) == []


@pytest.mark.parametrize(
    ("weights", "value", "limit"),
    [([16, 0], 16, 15), ([-16, 0], -16, -15), ([16, -2], 16, 14), ([2, -18], -18, -16)],
    ids=["positive", "negative", "mixed, high", "mixed, low"],
)
def test_weights_fit_their_bits(weights: list[int], value: int, limit: int) -> None:
    """With 4 bits of magnitude: 15 of one sign; even ones from -16 to 14 of both."""
    made = row(1)
    made = replace(made, connections=(Dense("x", "g0", np.array([weights])),))
    violation = one(made, replace(LOIHI2, max_weight=15))
    assert facts(violation) == ("weights_fit_8_bits", "x -> g0", value, limit, "mantissa")
    assert check(made, LOIHI2) == []


def test_weight_exponents_fit() -> None:
    violation = one(row(2, weight_exp=-8), LOIHI1)
    assert facts(violation) == ("weight_exponents_fit", "x -> g0", -8, -7, "bits of shift")
    assert violation.source == LOIHI1.sources["min_weight_exp"]
    assert check(row(2, weight_exp=-8), LOIHI2) == []
    violation = one(row(2, weight_exp=7), replace(LOIHI2, max_weight_exp=6))
    assert (violation.value, violation.limit, violation.remedy) == (7, 6, "rescale the layer")


@pytest.mark.parametrize("delay", [5, np.array([[0, 5], [1, 2]])], ids=["one", "each"])
def test_delays_fit(delay: object) -> None:
    chip = replace(LOIHI2, max_delay=4)
    violation = one(row(2, delay=delay), chip)
    assert facts(violation) == ("delays_fit", "x -> g0", 5, 4, "steps")
    assert violation.remedy == "shorten the longer path"
    assert check(row(2, delay=delay), replace(chip, max_delay=5)) == []


def test_reset_intervals_are_powers_of_two_on_loihi_2_only() -> None:
    made = row(2, neurons={"reset_interval": 12})
    violation = one(made, LOIHI2)
    assert facts(violation) == ("reset_intervals_are_powers_of_two", "g0", 12, 16, "steps")
    assert violation.remedy == "reset every 16 steps"
    assert check(made, LOIHI1) == []
    assert check(row(2, neurons={"reset_interval": 16}), LOIHI2) == []
    assert check(row(2, neurons={"reset_interval": 0}), LOIHI2) == []
