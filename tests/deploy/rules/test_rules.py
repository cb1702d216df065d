"""Design rules: each limit with its number, its source and a remedy; all violations at once."""

from dataclasses import replace

import numpy as np
import pytest

from spikeport.chip import LOIHI1, LOIHI2, Chip
from spikeport.deploy import check, compile_graph
from spikeport.deploy.rules import RULES, Violation
from spikeport.errors import InputError
from spikeport.program import LIF, Conv, Dense, Input, Output, Program
from tests.deploy.graphs import chain


def group(name: str, n: int, **changes: int) -> LIF:
    return LIF(**{"name": name, "shape": (n,), "du": 4095, "dv": 5, "vth": 1, "bias_mant": np.zeros(n, int), **changes})


def program(*groups: LIF, n_in: int = 2, **dense: object) -> Program:
    """A row of groups behind an input."""
    sizes = [n_in, *(g.size for g in groups)]
    names = ["x", *(g.name for g in groups)]
    connections = tuple(
        Dense(names[i], names[i + 1], np.zeros((sizes[i + 1], sizes[i]), int), **dense)  # type: ignore[arg-type]
        for i in range(len(groups))
    )
    return Program(groups, connections, (Input("x", (n_in,), "spike"),), (Output("y", names[-1]),))


def one(program: Program, chip: Chip | str) -> Violation:
    found = check(program, chip)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("chip", [LOIHI1, LOIHI2, "loihi1", "loihi2", None])
def test_a_small_network_fits(chip: Chip | str | None) -> None:
    assert check(compile_graph(chain()), chip) == []


@pytest.mark.parametrize(
    ("changes", "where", "got"),
    [({"dv": 4096}, "g.dv", 4096), ({"du": -1}, "g.du", -1)],
)
def test_decays_fit_12_bits(changes: dict[str, int], where: str, got: int) -> None:
    violation = one(program(group("g", 2, **changes)), "loihi2")
    assert (violation.id, violation.layer, violation.value, violation.limit) == ("decays_fit_12_bits", where, got, 4095)
    assert violation.remedy == "use a decay in [0, 4095]"
    assert check(program(group("g", 2, dv=4095, du=0))) == []


@pytest.mark.parametrize("delay", [5, np.array([[0, 5], [1, 2]])], ids=["one", "each"])
def test_delays_fit(delay: object) -> None:
    chip = replace(LOIHI2, max_delay=4)
    violation = one(program(group("g", 2), delay=delay), chip)
    assert (violation.id, violation.layer, violation.value, violation.limit) == ("delays_fit", "x -> g", 5, 4)
    assert violation.remedy == "shorten the longer path"
    assert check(program(group("g", 2), delay=delay), replace(chip, max_delay=5)) == []


def test_weight_exponents_fit() -> None:
    violation = one(program(group("g", 2), weight_exp=-8), LOIHI1)
    assert (violation.id, violation.value, violation.limit) == ("weight_exponents_fit", -8, -7)
    assert violation.source == LOIHI1.sources["min_weight_exp"]
    assert check(program(group("g", 2), weight_exp=-8), LOIHI2) == []
    violation = one(program(group("g", 2), weight_exp=7), replace(LOIHI2, max_weight_exp=6))
    assert (violation.value, violation.limit, violation.remedy) == (7, 6, "rescale the layer")


def test_reset_intervals_are_powers_of_two_on_loihi_2_only() -> None:
    made = program(group("g", 2, reset_interval=12))
    violation = one(made, LOIHI2)
    assert (violation.id, violation.layer) == ("reset_intervals_are_powers_of_two", "g")
    assert (violation.value, violation.limit, violation.remedy) == (12, 16, "reset every 16 steps")
    assert check(made, LOIHI1) == []
    assert check(program(group("g", 2, reset_interval=16)), LOIHI2) == []
    assert check(program(group("g", 2, reset_interval=0)), LOIHI2) == []


def test_neurons_fit_one_chip() -> None:
    """A core holds one group only: 3 of 5 neurons on cores of 4 take 2 cores each."""
    chip = replace(LOIHI2, neurons_per_core=4, cores_per_chip=6)
    assert check(program(*(group(f"g{i}", 5) for i in range(3))), chip) == []
    violation = one(program(*(group(f"g{i}", 5) for i in range(3)), group("last", 1)), chip)
    assert (violation.id, violation.layer, violation.value, violation.limit) == (
        *("neurons_fit_one_chip", "cores for neurons"),
        *(7, 6),
    )
    assert violation.remedy == "use fewer channels, more stride, or several chips"


def test_fan_in_fits_one_core() -> None:
    assert check(program(group("g", 1), n_in=4096), LOIHI1) == []
    violation = one(program(group("g", 1), n_in=4097), LOIHI1)
    assert (violation.id, violation.layer, violation.value, violation.limit) == (
        *("fan_in_fits_one_core", "g"),
        *(4097, 4096),
    )
    assert check(program(group("g", 1), n_in=4097), LOIHI2) == []


def test_the_fan_in_of_a_convolution_is_its_kernel() -> None:
    target = LIF("g", (2, 4, 4), 4095, 5, 1, np.zeros((2, 4, 4), int))
    conv = Conv("x", "g", np.zeros((2, 1, 3, 3), int), padding=(1, 1), groups=2)
    made = Program((target,), (conv,), (Input("x", (2, 4, 4), "spike"),), (Output("y", "g"),))
    assert check(made, replace(LOIHI2, axons_in_per_core=9)) == []
    assert one(made, X


def test_every_violation_is_listed_at_once() -> None:
    made = program(group("a", 2, dv=4096, reset_interval=3), group("b", 2, du=-1), weight_exp=-8)
    found = [(v.id, v.layer) for v in check(made, replace(LOIHI2, min_weight_exp=-7))]
    assert found == [
        ("decays_fit_12_bits", "a.dv"),
        ("decays_fit_12_bits", "b.du"),
        ("weight_exponents_fit", "x -> a"),
        ("weight_exponents_fit", "a -> b"),
        ("reset_intervals_are_powers_of_two", "a"),
    ]


def test_the_chip_is_the_one_compiled_for_unless_named() -> None:
    made = replace(program(group("g", 2, reset_interval=12)), chip="loihi1")
    assert check(made) == []
    assert len(check(made, "loihi2")) == 1


def test_an_unknown_chip_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        check(program(group("g", 2)), "loihi3")
    assert str(caught.value) == "target: chip (loihi3) is not one of loihi1, loihi2"


def test_every_rule_has_its_own_name_and_every_violation_its_source() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    neurons = group("g", 2, dv=4096, reset_interval=3, vth_low=-1)
    made = program(neurons, n_in=17_000, weight_exp=-8, delay=62, graded=True)
    lacking = replace(LOIHI2, programmable_neurons=False, graded_spikes=False)
    found = check(made, replace(lacking, min_weight_exp=-7, max_delay=61, cores_per_chip=0))
    assert {v.id for v in found} == {rule.id for rule in RULES}
    assert all(v.source and v.remedy for v in found)
