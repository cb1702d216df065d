"""Counts of train with prices of sim."""

from fractions import Fraction

import pytest

from spikeport.commands.autoencoders.energy import COLUMNS, arithmetic_profile, energy_table, facts_of, priced_tasks
from spikeport.errors import InputError
from spikeport.train.measures import Operations
from spikeport.train.measures.layer_operations import LayerOperations

SNN = Operations(
    "generation",
    4,
    2,
    (
        LayerOperations("first", "conv", "analog", 1, 0, 8, True, 100, 90, 100),
        LayerOperations("first.neuron", "neurons", "analog", elements=8),
        LayerOperations("second", "linear", "spikes", 4, 8, 5, True, 40, 40, 40, 0, 16, 80),
    ),
)
ANN = Operations("generation", 1, 1, (LayerOperations("all", "linear", "analog", 1, 0, 5, True, 200, 200, 200),))

PROFILE = arithmetic_profile("cmos45-fp32")


def test_rates_and_operations_are_means_over_the_samples() -> None:
    _, _, second = facts_of(SNN)
    assert (second.rate, second.sops) == (Fraction(16, 8 * 4 * 2), Fraction(40))
    assert facts_of(SNN)[0].rate is None


def test_amounts_and_energy_by_hand() -> None:
    found = {one.convention: one for one in priced_tasks((SNN, SNN), (ANN, ANN), PROFILE)[:4]}
    exact = found["exact"]
    assert (exact.amounts.mac, exact.amounts.ac) == (100, 40)
    assert exact.snn_pj.nominal == pytest.approx(100 * 4.6 + 40 * 0.9) and exact.ann_pj.nominal == pytest.approx(920)
    assert exact.to_json()["ratio"]["nominal"] == pytest.approx(496 / 920)
    assert found["paper-spikformer"].amounts.ac == Fraction(1, 4) * 4 * 40
    assert found["paper-syops"].amounts.ac == Fraction(1, 4) * 4 * 45 + 8 * 4
    assert found["paper-syops"].amounts.mac == 4 * 108


def test_a_table_has_a_row_for_each_task_and_convention() -> None:
    table = energy_table(priced_tasks((SNN, SNN), (ANN, ANN), PROFILE), PROFILE, 2)
    assert len(table.rows) == 8 and {len(row) for row in table.rows} == {len(COLUMNS)}
    assert table.rows[0] == ("generation", "exact", "100", "40", "496 pJ", "200", "920 pJ", "0.539")


def test_a_profile_without_arithmetic_is_refused() -> None:
    with pytest.raises(InputError, match="has no price for MACs and ACs"):
        arithmetic_profile("loihi1-davies2018")
