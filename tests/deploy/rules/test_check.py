"""`check` as a whole: all violations at once, each with its source; the rules of a chip's room, by hand."""

from dataclasses import fields, replace

import numpy as np
import pytest

from spikeport.chip import CHIPS, LOIHI1, LOIHI2, Chip
from spikeport.deploy import Violation, check, compile_graph
from spikeport.deploy.rules import RULES
from spikeport.errors import InputError
from spikeport.program import Conv, Input, Output, Program
from tests.deploy.graphs import chain
from tests.deploy.small_programs import lif, row


def facts(violations: list[Violation]) -> list[tuple[str, str, int, int]]:
    return [(v.id, v.layer, v.value, v.limit) for v in violations]


@pytest.mark.parametrize("chip", [LOIHI1, LOIHI2, "loihi1", "loihi2", None])
def test_a_small_network_fits(chip: Chip | str | None) -> None:
    assert check(compile_graph(chain()), chip) == []


def test_neurons_and_cores_fit_one_chip() -> None:
    """7 neurons on cores of 4 take 2 cores, of 4 and 3; one neuron more finds room beside 3. Of 5 neurons 3 and 2 have
    cores of their own, for 4 on a core would be busier than 3.
    """
    chip = replace(LOIHI2, neurons_per_core=4, cores_per_chip=6)
    assert check(row(7, 7, 7, 1), chip) == []
    assert facts(check(row(5, 5, 5, 5), chip)) == [("cores_fit_one_chip", "the chip", 8, 6)]
    assert facts(check(row(20, 5), chip)) == [
        ("neurons_fit_one_chip", "the chip", 25, 24),
        ("cores_fit_one_chip", "the chip", 7, 6),
    ]
    assert check(row(5, 5, 5, 5), chip)[0].remedy == "use fewer channels, more stride, or several chips"


def test_fan_in_of_a_dense_layer_is_all_its_sources() -> None:
    assert check(row(1, n_in=4096), LOIHI1) == []
    assert facts(check(row(1, n_in=4097), LOIHI1)) == [("fan_in_fits_one_core", "g0", 4097, 4096)]
    assert check(row(1, n_in=4097), LOIHI2) == []


def test_fan_in_of_a_convolution_is_its_window_on_loihi_1_and_one_axon_on_loihi_2() -> None:
    """Two channels and a 3x3 kernel: a pixel's axon carries both channels, so one neuron hears 9."""
    target = lif("g", (2, 4, 4))
    conv = Conv("x", "g", np.zeros((2, 1, 3, 3), int), padding=(1, 1), groups=2)
    made = Program((target,), (conv,), (Input("x", (2, 4, 4), "spike"),), (Output("y", "g"),))
    assert check(made, replace(LOIHI1, axons_in_per_core=9)) == []
    assert facts(check(made, replace(LOIHI1, axons_in_per_core=8))) == [("fan_in_fits_one_core", "g", 9, 8)]
    assert check(made, replace(LOIHI2, axons_in_per_core=1)) == []


def test_fan_out_of_a_neuron_is_its_cores_on_loihi_1() -> None:
    """9 neurons on cores of 1 make 9 cores, and each neuron before them needs 9 entries; on a Loihi 2 it needs one."""
    small = {"neurons_per_core": 1, "axons_out_per_core": 8}
    assert facts(check(row(2, 9), replace(LOIHI1, **small))) == [("fan_out_fits_one_core", "g0", 9, 8)]
    assert check(row(2, 8), replace(LOIHI1, **small)) == []
    assert check(row(2, 9), replace(LOIHI2, **small)) == []


def test_synapses_of_one_neuron_fit_one_core() -> None:
    """On a Loihi 1 an axon with one synapse of 8 bits and a header of 10 takes a word of 64 bits: 7 sources, 7 words"""
    assert check(row(1, n_in=7), replace(LOIHI1, synapse_words_per_core=7)) == []
    small = replace(LOIHI1, synapse_words_per_core=6)
    assert facts(check(row(1, n_in=7), small)) == [("synapses_fit_one_core", "g0", 7, 6)]


def test_synapses_fit_one_chip() -> None:
    """Two cores of 6 words against two layers of one neuron with 7 sources, then with 1."""
    small = replace(LOIHI1, synapse_words_per_core=6, cores_per_chip=1)
    assert facts(check(row(1, n_in=7), small)) == [
        ("synapses_fit_one_core", "g0", 7, 6),
        ("synapses_fit_one_chip", "the chip", 7, 6),
    ]


def test_all_tables_of_one_neuron_fit_one_core_together() -> None:
    """7 axons in with a word each, a neuron, its group and an entry of the axon map: 17 words."""
    assert check(row(1, n_in=7), replace(LOIHI2, memory_words_per_core=17)) == []
    small = replace(LOIHI2, memory_words_per_core=16)
    assert facts(check(row(1, n_in=7), small)) == [("memory_fits_one_core", "g0", 17, 16)]
    assert facts(check(row(1, n_in=10_000), LOIHI2)) == [("memory_fits_one_core", "g0", 20_003, 20_000)]


def test_a_core_has_a_set_of_decays_and_threshold() -> None:
    assert check(row(2, 2), replace(LOIHI2, neuron_settings_per_core=1)) == []
    found = facts(check(row(2), replace(LOIHI2, neuron_settings_per_core=0)))
    assert found == [("neuron_settings_fit_one_core", "g0", 1, 0)]


def test_every_violation_is_listed_at_once() -> None:
    made = row(2, 2, weight_exp=-8, neurons={"dv": 4096, "reset_interval": 3})
    assert [(v.id, v.layer) for v in check(made, replace(LOIHI2, min_weight_exp=-7))] == [
        ("decays_fit_12_bits", "g0.dv"),
        ("decays_fit_12_bits", "g1.dv"),
        ("weight_exponents_fit", "x -> g0"),
        ("weight_exponents_fit", "g0 -> g1"),
        ("reset_intervals_are_powers_of_two", "g0"),
        ("reset_intervals_are_powers_of_two", "g1"),
    ]


def test_the_chip_is_the_one_compiled_for_unless_named() -> None:
    made = replace(row(2, neurons={"reset_interval": 12}), chip="loihi1")
    assert check(made) == []
    assert len(check(made, "loihi2")) == 1


def test_an_unknown_chip_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        check(row(2), "loihi3")
    assert str(caught.value) == "target: chip (loihi3) is not one of loihi1, loihi2"


def test_every_rule_has_its_own_name_a_paragraph_and_limits_with_sources() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert len(rule.paragraph()) > 80 and "\n" not in rule.paragraph()
        assert rule.unit and rule.remedy
        assert set(rule.limits()) == set(CHIPS)
        assert all(source for limits in rule.limits().values() for _, source in limits.values())
        assert set(rule.bounds) <= {f.name for f in fields(Chip)}


def test_every_rule_can_fire_with_source_and_remedy() -> None:
    neurons = {"dv": 4096, "reset_interval": 3, "vth_low": -1, "bias_mant": np.full(2, 9), "bias_exp": 1}
    made = row(2, n_in=17, weight_exp=-8, delay=62, graded=True, neurons=neurons)
    made = replace(made, connections=tuple(replace(c, weight=c.weight + 9) for c in made.connections))
    none = {
        limit: 0
        for limit in ("cores_per_chip", "neurons_per_core", "axons_in_per_core", "axons_out_per_core", "max_threshold")
    }
    none |= {"synapse_words_per_core": 0, "memory_words_per_core": 0, "neuron_settings_per_core": 0}
    none |= {"max_bias": 0, "max_bias_exp": 0}
    lacking = replace(LOIHI2, programmable_neurons=False, graded_spikes=False, min_weight_exp=-7, max_delay=61)
    found = check(made, replace(lacking, max_weight=8, **none))
    assert {v.id for v in found} == {rule.id for rule in RULES}
    assert all(v.source and v.remedy and v.unit for v in found)
