"""Every kind of neuron refuses what no core can hold, and says which chip has it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from spikeport.errors import ProgramError
from spikeport.neurons import LIF, Group, Resonator, SigmaDelta

Make = Callable[..., Group]


def lif(**changes: Any) -> LIF:
    return LIF(**{"name": "g", "shape": (3,), "du": 0, "dv": 0, "vth": 5, "bias_mant": np.zeros(3, int), **changes})


def sigma_delta(**changes: Any) -> SigmaDelta:
    return SigmaDelta(**{"name": "g", "shape": (3,), "stage": "sigma_delta", **changes})


def resonator(**changes: Any) -> Resonator:
    values = {"name": "g", "shape": (3,), "kind": "rf", "vth": 5, "sin_decay": 0, "cos_decay": 0, **changes}
    return Resonator(**values)


def refused(make: Make, **changes: Any) -> str:
    with pytest.raises(ProgramError) as caught:
        make(**changes)
    assert caught.value.where == "g"
    return str(caught.value)


# (make, fields that matter, field, low, high)
RANGES: list[tuple[Make, dict[str, Any], str, int, int]] = [
    (lif, {}, "refractory_steps", 0, 63),
    (lif, {"vth": 131071}, "vth_low", -131071, 131071),
    (lif, {"vth": 7}, "vth_low", -131071, 7),
    (sigma_delta, {}, "vth", 0, 2**23 - 1),
    (sigma_delta, {"spike_exp": 7, "state_exp": 7}, "vth", 0, 511),
    (sigma_delta, {}, "bias", 1 - 2**23, 2**23 - 1),
    (sigma_delta, {"spike_exp": 6, "state_exp": 6}, "bias", -2047, 2047),
    (sigma_delta, {}, "spike_exp", 0, 7),
    (sigma_delta, {}, "state_exp", 0, 7),
    (resonator, {}, "vth", 0, 2**23 - 1),
    (resonator, {"state_exp": 6}, "vth", 0, 2**17 - 1),
    (resonator, {}, "sin_decay", -4096, 4096),
    (resonator, {"decay_bits": 3}, "cos_decay", -8, 8),
    (resonator, {}, "state_exp", 0, 7),
    (resonator, {}, "decay_bits", 1, 12),
]


@pytest.mark.parametrize(("make", "others", "name", "low", "high"), RANGES)
def test_ranges_end_where_the_words_do(make: Make, others: dict[str, Any], name: str, low: int, high: int) -> None:
    for value in (low, high):
        assert getattr(make(**others, **{name: value}), name) == value
    for beyond in (low - 1, high + 1):
        assert refused(make, **others, **{name: beyond}) == f"g: {name} ({beyond}) is not in [{low}, {high}]"


@pytest.mark.parametrize(
    ("make", "name", "known"),
    [
        (lif, "reset", "zero, subtract"),
        (sigma_delta, "stage", "delta, sigma, sigma_delta"),
        (sigma_delta, "activation", "relu, unit"),
        (resonator, "kind", "rf, rf_izhikevich"),
    ],
)
def test_an_unknown_word_is_refused_with_the_known_ones(make: Make, name: str, known: str) -> None:
    assert refused(make, **{name: "other"}) == f"g: {name} (other) is not one of {known}"


@pytest.mark.parametrize("make", [lif, sigma_delta, resonator])
def test_every_kind_checks_name_shape_and_unit(make: Make) -> None:
    assert refused(make, shape=()) == "g: shape (()) is not positive sizes below 2^31 in all"
    assert refused(make, v_unit=0) == "g: v_unit (0) is not a positive number"
    with pytest.raises(ProgramError, match=r"name \('a b'\)"):
        make(name="a b")
    assert make(shape=(3,)).size == 3


def test_a_bias_per_neuron_has_their_shape() -> None:
    assert sigma_delta(bias=np.array([1, 2, 3])).bias.tolist() == [1, 2, 3]  # type: ignore[union-attr]
    assert refused(sigma_delta, bias=np.zeros(2, int)) == "g: bias shape ((2,)) is not (3,)"
    assert refused(sigma_delta, spike_exp=7, bias=np.full(3, 65536)) == "g: bias (65536) is not in [-65535, 65535]"


@pytest.mark.parametrize(
    ("stage", "name", "value"),
    [("sigma", "vth", 1), ("sigma", "cum_error", True), ("sigma", "state_exp", 6), ("delta", "bias", 1)]
    + [("delta", "activation", "unit")],
)
def test_a_number_that_a_stage_does_not_read_is_refused(stage: str, name: str, value: object) -> None:
    assert refused(sigma_delta, stage=stage, **{name: value}) == f"g: {name} ({value}) is not read at stage {stage}"


def test_a_neuron_of_two_signs_resets_to_zero_only() -> None:
    message = "g: reset of a neuron with vth_low (subtract) is not zero"
    assert refused(lif, reset="subtract", vth_low=-5) == message


@pytest.mark.parametrize(
    ("group", "variables"),
    [
        (lif(), ("u", "v")),
        (lif(refractory_steps=1), ("u", "v", "rest")),
        (sigma_delta(), ("sigma", "act", "residue")),
        (sigma_delta(stage="sigma"), ("sigma",)),
        (sigma_delta(stage="delta", cum_error=True), ("act", "residue", "error")),
        (resonator(), ("re", "im")),
    ],
)
def test_the_state_has_names(group: Group, variables: tuple[str, ...]) -> None:
    assert group.variables == variables


@pytest.mark.parametrize(
    ("group", "chip"),
    [
        (lif(), "loihi1"),
        (lif(refractory_steps=9, reset_interval=3), "loihi1"),
        (lif(reset="subtract"), "loihi2"),
        (lif(vth_low=-1), "loihi2"),
        (sigma_delta(), "loihi2"),
        (resonator(), "loihi2"),
    ],
)
def test_a_kind_says_which_chip_has_it_first(group: Group, chip: str) -> None:
    assert group.needs == chip
