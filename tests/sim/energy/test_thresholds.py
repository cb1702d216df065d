"""Which side of the published limits a network is on."""

from dataclasses import replace
from fractions import Fraction

import pytest

from spikeport.sim.energy.thresholds import break_even, thresholds
from tests.sim.energy.hand import SPIKES, hand_counts


def test_every_limit_has_a_sentence_with_both_figures() -> None:
    found = thresholds(hand_counts())
    assert [(t.published.figure, t.published.limit) for t in found] == [
        ("spikes_per_synapse", 0.15),
        ("spikes_per_synapse", 1.38),
        ("spikes_per_synapse", 1.72),
        ("input_rate", 0.064),
        ("input_rate", 0.057),
    ]
    # 7 spikes over 2 synapses each, 32 synapses, 2 samples; 7 of 16 neurons x 2 steps x 2 samples
    assert {t.value for t in found[:3]} == {Fraction(SPIKES * 2, 32 * 2)}
    assert {t.value for t in found[3:]} == {Fraction(SPIKES, 64)}
    assert found[0].sentence.startswith(
        "Spikes per synapse and inference: 0.219; this network is not below the limit of 0.15"
    )
    assert found[1].sentence.startswith(
        "Spikes per synapse and inference: 0.219; this network is below the limit of 1.38"
    )
    assert found[3].sentence.startswith("Mean input rate: 10.9%; this network is not below the limit of 6.4%")


def test_a_limit_found_for_other_numbers_of_steps_says_so() -> None:
    found = thresholds(hand_counts())
    assert [t.applies for t in found] == [True, True, True, False, False]
    assert "5 to 10 steps, while this inference takes 2 (Yan" in found[3].sentence
    ten = thresholds(replace(hand_counts(), steps=10))
    assert [t.applies for t in ten] == [True, True, True, True, False]
    assert "while" not in ten[3].sentence


def test_without_synapses_there_is_nothing_to_compare() -> None:
    counts = hand_counts()
    found = thresholds(replace(counts, layers=counts.layers[:1]))  # the host's layer alone
    assert {(t.value, t.below) for t in found} == {(None, None)}
    assert all("no synapses to compare" in t.sentence for t in found)


def test_at_the_limit_is_not_below() -> None:
    first = thresholds(hand_counts())[0]
    assert not replace(first, value=Fraction(15, 100)).below
    assert replace(first, value=Fraction(1499, 10000)).below


def test_break_even_scales_what_depends_on_spikes() -> None:
    """SNN 10 pJ, of which 6 grow with spikes; at 22 pJ of the ANN spikes may be (22 - 4) / 6 = 3 times as many."""
    even = break_even(hand_counts(), 10.0, 6.0, 22.0)
    assert even is not None
    assert even.spikes_per_synapse == pytest.approx(3 * 14 / 64)
    assert even.input_rate == pytest.approx(3 * 7 / 64)


def test_a_silent_network_has_no_break_even() -> None:
    assert break_even(hand_counts(), 4.0, 0.0, 22.0) is None
