"""Energies of whole runs, against hand arithmetic and what must hold of any estimate."""

import json
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from spikeport.errors import InputError
from spikeport.sim.counting import Counts
from spikeport.sim.energy import Bounds, Energy, estimate_energy, profile_names
from spikeport.sim.energy.document import SCHEMA, document
from spikeport.sim.energy.tables import break_even_sentence, headline_rows, ratio_sentence
from tests.sim.energy.hand import ANN_MACS, HOST_MACS, SPIKES, hand_activity, hand_counts, hand_program

ARITHMETIC = ("cmos45-fp32", "cmos45-fp16", "cmos45-int8", "cmos45-int32")


def test_hand_counts_times_prices() -> None:
    energy = estimate_energy(hand_counts(), "cmos45-fp32")
    conv, dense = energy.layers
    assert {name: part.nominal for name, part in conv.parts.items()} == {"host_macs": pytest.approx(HOST_MACS * 4.6)}
    assert {name: part.nominal for name, part in dense.parts.items()} == {"sops": pytest.approx(SPIKES * 0.9)}
    assert (conv.macs_dense, dense.macs_dense) == (HOST_MACS, 32)
    assert energy.snn.nominal == pytest.approx(HOST_MACS * 4.6 + SPIKES * 0.9)
    assert energy.chip.nominal == pytest.approx(SPIKES * 0.9)
    assert energy.ann.nominal == pytest.approx(ANN_MACS * 4.6)
    assert energy.ratio is not None
    assert energy.ratio.nominal == pytest.approx((HOST_MACS * 4.6 + SPIKES * 0.9) / (ANN_MACS * 4.6))


def test_moving_input_pays_the_host_at_each_step() -> None:
    still, moving = estimate_energy(hand_counts()), estimate_energy(hand_counts(moving=True))
    assert moving.parts["host_macs"].nominal == pytest.approx(2 * still.parts["host_macs"].nominal)
    assert moving.parts["sops"] == still.parts["sops"]
    assert "once per image" in " ".join(still.caveats)
    assert "every step" in " ".join(moving.caveats)


@pytest.mark.parametrize("profile", profile_names())
@pytest.mark.parametrize("mapped", [False, True])
def test_total_is_the_sum_of_layers_and_of_terms(profile: str, mapped: bool) -> None:
    activity, memory = hand_activity() if mapped else None, profile in ARITHMETIC
    energy = estimate_energy(hand_counts(), profile, activity=activity, memory=memory)
    layers = sum(layer.total.nominal for layer in energy.layers)
    assert energy.snn.nominal == pytest.approx(layers)
    assert energy.snn.nominal == pytest.approx(sum(part.nominal for part in energy.parts.values()))
    assert energy.snn.nominal > 0


@pytest.mark.parametrize("profile", profile_names())
def test_batches_of_the_same_samples_cost_the_same_each(profile: str) -> None:
    counts = hand_counts()
    assert estimate_energy(counts + counts, profile).layers == estimate_energy(counts, profile).layers


@pytest.mark.parametrize("profile", profile_names())
def test_nothing_without_a_price_is_zero(profile: str) -> None:
    """Every quantity that happened is in a part of the total, or listed."""
    energy = estimate_energy(hand_counts(), profile)
    happened = {"host_macs", "sops", "neuron_updates", "spikes"}
    left = {found.name for found in energy.unpriced}
    if energy.profile.scope == "all_in":
        assert set(energy.parts) == {"host_macs", "sops"} and not left
        return
    assert happened <= set(energy.parts) | left
    assert not set(energy.parts) & left
    assert {"messages", "hops"} <= left
    for found in energy.unpriced:
        assert found.name in ("messages", "hops") or (found.amount or 0) > 0
    assert not left or "Not in the total" in " ".join(energy.caveats)


def test_a_bound_that_was_not_published_leaves_the_total_without_one() -> None:
    energy = estimate_energy(hand_counts(), "loihi1-davies2018", ann="cmos45-int8")
    assert energy.parts["sops"] == Bounds(SPIKES * 23.6, SPIKES * 23.6, None)
    assert energy.chip.high is None and energy.ratio is not None and energy.ratio.high is None


def test_the_ratio_within_the_bounds_that_are_published() -> None:
    """Neurons of Davies' table have 52 to 81 pJ; the other prices are held."""
    energy = estimate_energy(hand_counts(), "loihi1-davies2018")
    rest, updates, ann = HOST_MACS * 0.23 + SPIKES * 23.6, 36, ANN_MACS * 0.23
    published = energy.published_ratio
    assert published is not None
    assert (published.low, published.high) == (
        pytest.approx((rest + updates * 52) / ann),
        pytest.approx((rest + updates * 81) / ann),
    )
    assert estimate_energy(hand_counts(), "cmos45-fp32").published_ratio is None


def test_the_chips_prices() -> None:
    """Per inference: 7 SOPs; a: 3.5 active, b: 2 active neurons of 32 + 4 updates; 4 spikes; 3.5 messages."""
    energy = estimate_energy(hand_counts(), "loihi1-davies2018", activity=hand_activity())
    active = Fraction(SPIKES, 2) + 2  # a's neurons that spiked, and both of b at one step
    assert energy.parts["neuron_updates"].nominal == pytest.approx(float(active * 81 + (36 - active) * 52))
    assert energy.parts["messages"].nominal == pytest.approx(3.5 * 1.7)
    assert energy.parts["sops"].nominal == pytest.approx(7 * 23.6)
    sanafe = estimate_energy(hand_counts(), "loihi1-sanafe", activity=hand_activity())
    assert sanafe.parts["neuron_updates"].nominal == pytest.approx(float(36 * 51.2 + active * 21.6))
    assert sanafe.parts["spikes"].nominal == pytest.approx(4 * 69.3)
    assert sanafe.parts["messages"].nominal == pytest.approx(3.5 * 111)
    assert sanafe.parts["sops"].nominal == pytest.approx(7 * 35.5)
    assert sanafe.parts["sops"].high == pytest.approx(7 * 35.5 * 1.117)


def test_the_ann_of_a_chip_is_priced_as_arithmetic() -> None:
    energy = estimate_energy(hand_counts(), "loihi1-davies2018")
    assert energy.arithmetic.name == "cmos45-int8"
    assert energy.ann.nominal == pytest.approx(ANN_MACS * 0.23)
    assert energy.parts["host_macs"].nominal == pytest.approx(HOST_MACS * 0.23)
    assert "bare arithmetic" in " ".join(energy.caveats)
    assert estimate_energy(hand_counts(), "loihi1-davies2018", ann="cmos45-fp32").ann.nominal == pytest.approx(
        176 * 4.6
    )
    with pytest.raises(InputError, match="loihi1-sanafe"):
        estimate_energy(hand_counts(), "cmos45-fp32", ann="loihi1-sanafe")


@pytest.mark.parametrize("profile", ARITHMETIC)
def test_conventions_side_by_side(profile: str) -> None:
    energy = estimate_energy(hand_counts(), profile)
    by_name = {found.convention: found for found in energy.sensitivity}
    assert list(by_name) == ["exact", "paper-spikformer", "paper-esvae", "paper-syops"]
    assert (by_name["exact"].macs, by_name["exact"].acs) == (HOST_MACS, SPIKES)
    # 7 of 64 slots, 2 steps, 32 MACs: the formula happens to be exact without padding
    assert by_name["paper-spikformer"].acs == Fraction(7, 64) * 2 * 32
    assert by_name["paper-esvae"].macs == 2 * HOST_MACS
    assert by_name["paper-syops"].macs == 2 * HOST_MACS  # at every step
    assert by_name["exact"].energy_pj == energy.snn


@pytest.mark.parametrize("convention", ["paper-spikformer", "paper-esvae", "paper-syops"])
def test_a_paper_s_convention_can_be_the_main_one(convention: str) -> None:
    energy = estimate_energy(hand_counts(), "cmos45-fp32", convention=convention)
    same = next(found for found in energy.sensitivity if found.convention == convention)
    assert same.energy_pj is not None
    assert energy.snn.nominal == pytest.approx(same.energy_pj.nominal)
    assert set(energy.parts) <= {"macs", "acs"}


def test_memory_is_added_on_both_sides() -> None:
    without, within = (estimate_energy(hand_counts(), memory=memory) for memory in (False, True))
    assert within.parts["memory"].nominal > 0
    assert within.snn.nominal == pytest.approx(without.snn.nominal + within.parts["memory"].nominal)
    assert within.ann.nominal > without.ann.nominal
    assert "memory traffic" in " ".join(without.caveats).lower()


@pytest.mark.parametrize("profile", profile_names())
@pytest.mark.parametrize("mapped", [False, True])
def test_caveats_say_what_the_estimate_says(profile: str, mapped: bool) -> None:
    energy = estimate_energy(hand_counts(), profile, activity=hand_activity() if mapped else None)
    told = " ".join(energy.caveats)
    assert ("Not in the total" in told) is bool(energy.unpriced)
    assert ("stated beside the total" in told) is (energy.static_pj is not None)
    assert ("no price for a MAC" in told) is ("mac" not in energy.profile.energy_pj)
    assert ("3 cores of loihi1" in told) is (mapped and profile.startswith("loihi"))


def test_loops_make_the_ann_s_single_pass_unfair_and_say_so() -> None:
    counts = hand_counts()
    a, b = counts.layers
    (forth,) = b.connections
    back = replace(forth, source="b", target="a")
    looped = replace(counts, layers=(replace(a, connections=(back,)), b))
    assert "loops (a, b) once" in " ".join(estimate_energy(looped).caveats)
    own = replace(counts, layers=(a, replace(b, connections=(forth, replace(forth, source="b")))))
    assert "loops (b) once" in " ".join(estimate_energy(own).caveats)
    assert "loops" not in " ".join(estimate_energy(counts).caveats)


def test_a_break_even_that_no_network_reaches_is_called_that() -> None:
    """A spike of all neurons at every step costs 7 SOPs / 7 x 64 = 64 SOPs, 57.6 of the 147.2 pJ that are left."""
    energy = estimate_energy(hand_counts())
    assert energy.break_even is not None and energy.break_even.input_rate == pytest.approx(147.2 / 57.6)
    assert "however often it spikes" in break_even_sentence(energy)
    dear = estimate_energy(hand_counts(), "cmos45-int32")  # 3.2 and 0.1 pJ
    assert "however often it spikes" in break_even_sentence(dear)
    assert "no spike rate breaks even" in break_even_sentence(estimate_energy(hand_counts(), "loihi1-davies2018"))


def test_a_chip_s_ratio_is_said_to_be_one_to_bare_arithmetic() -> None:
    chip, bare = (estimate_energy(hand_counts(), name) for name in ("loihi1-davies2018", "cmos45-int8"))
    assert "against bare arithmetic" in ratio_sentence(chip) and "bare arithmetic" not in ratio_sentence(bare)
    assert any("a chip against bare arithmetic" in note for _, _, note in headline_rows(chip))


def test_an_ann_at_other_prices_of_arithmetic_is_called_that() -> None:
    told = " ".join(estimate_energy(hand_counts(), "cmos45-fp32", ann="cmos45-int8").caveats)
    assert "two kinds of arithmetic" in told and "no price for a MAC" not in told
    assert "kinds of arithmetic" not in " ".join(
        estimate_energy(hand_counts(), "cmos45-fp32", ann="cmos45-fp32").caveats
    )


@pytest.mark.parametrize("profile", sorted({*profile_names()} - {*ARITHMETIC}))
def test_a_chip_s_prices_are_not_mixed_with_papers_conventions_nor_with_a_model_of_memory(profile: str) -> None:
    """They would leave most of the work unpriced, or charge memory twice."""
    with pytest.raises(InputError, match=rf"paper-syops \({profile}\) has no prices for"):
        estimate_energy(hand_counts(), profile, convention="paper-syops")
    with pytest.raises(InputError, match=rf"memory \({profile}\) has no prices of bare arithmetic"):
        estimate_energy(hand_counts(), profile, memory=True)


def test_unknown_convention_and_profile() -> None:
    with pytest.raises(InputError, match="paper-spikformer"):
        estimate_energy(hand_counts(), convention="paper")
    with pytest.raises(InputError, match="cmos45-fp32"):
        estimate_energy(hand_counts(), "loihi3")


def test_memory_traffic_breaks_even_where_a_network_with_so_many_spikes_does() -> None:
    """The same layer with twice the spikes costs twice what grows with them, memory included."""
    counts = hand_counts()
    a, b = counts.layers
    (forth,) = b.connections
    forth = replace(forth, events=2 * forth.events, sops=2 * forth.sops)
    twice = replace(counts, layers=(replace(a, spikes_out=14), replace(b, spikes_out=2, connections=(forth,))))
    one, two = (estimate_energy(c, "cmos45-int8", memory=True) for c in (counts, twice))
    grows = two.snn.nominal - one.snn.nominal
    factor = (one.ann.nominal - (one.snn.nominal - grows)) / grows
    assert one.break_even is not None
    assert one.break_even.spikes_per_synapse == pytest.approx(factor * 7 / 32)


def test_an_activity_of_another_run_is_refused() -> None:
    counts, activity = hand_counts(), hand_activity()
    for other, message in (
        (counts + counts, "samples of the cores' activity (2) are not 4"),
        (replace(counts, layers=counts.layers[:1]), "neurons of the cores' activity"),
        (replace(counts, steps=3), "steps of the cores' activity (2) are not 3"),
    ):
        with pytest.raises(InputError, match=re.escape(message)):
            estimate_energy(other, "loihi1-sanafe", activity=activity)
    with pytest.raises(InputError, match="synaptic operations of the cores' activity"):
        estimate_energy(counts, activity=replace(activity, sops={"dense": activity.sops["dense"] * 2}))


def test_no_layers_have_no_ratio() -> None:
    assert estimate_energy(replace(hand_counts(), layers=())).ratio is None


def test_the_document_has_all_that_the_figures_were_made_from() -> None:
    profile = document(estimate_energy(hand_counts(), "loihi1-davies2018", activity=hand_activity()))["profile"]
    assert [row["tiles"] for row in profile["barrier_ns"]] == [1, 32]
    assert profile["static_w_per_chip"]["nominal"] == 0.1044
    assert profile["checks"][0]["measured"] == 1.33e9
    assert "minimum" in profile["energy_pj"]["sop"]["note"]


@pytest.mark.parametrize("profile", profile_names())
def test_the_document_is_json_with_integers_exact(profile: str) -> None:
    energy = estimate_energy(hand_counts(), profile, activity=hand_activity())
    found = json.loads(json.dumps(document(energy, hand_program()), allow_nan=False))
    assert found["schema"] == SCHEMA == "spikeport-energy/2"
    assert found["layers"][1]["counts"]["sops"] == SPIKES * 2
    assert found["totals"]["counts"]["host_macs"] == HOST_MACS * 2
    assert found["totals"]["snn_pj"]["nominal"] == energy.snn.nominal
    assert found["neurobench"]["SynapticOperations"] == {"Effective_ACs": 7.0, "Effective_MACs": 0.0, "Dense": 176}
    assert found["neurobench"]["MembraneUpdates"] == 36.0
    assert found["neurobench"]["ActivationSparsity"] == pytest.approx(1 - 7 / 64)
    cores = found["cores"]["cores"]
    assert [core["syn_ops"] for core in cores] == [0, 0, SPIKES * 2]
    assert {"syn_ops", "dendrite_updates", "spikes_in", "axon_out"} <= cores[0].keys()


def small(seed: int) -> Counts:
    """The hand's network on random spikes."""
    from spikeport.sim.counting import count_operations
    from spikeport.sim.result import Result

    rng = np.random.default_rng(seed)
    sent = {name: (rng.random((3, 2, n)) < 0.3).astype(np.uint8) for name, n in (("a", 16), ("b", 2))}
    sent["x"] = np.ones((3, 2, 16), np.int64)  # type: ignore[assignment]
    return count_operations(hand_program(), Result(sent["b"][1:], 1, {}, sent))


@pytest.mark.parametrize("profile", profile_names())
def test_energy_is_linear_in_counts(profile: str) -> None:
    a, b = small(1), small(2)
    together = estimate_energy(a + b, profile)
    apart = [estimate_energy(one, profile) for one in (a, b)]

    def mean(of: str) -> float:
        values = [getattr(energy, of).nominal for energy in apart]
        return sum(values) / 2

    assert together.snn.nominal == pytest.approx(mean("snn"))
    assert together.ann == apart[0].ann


def test_bounds_are_in_order() -> None:
    energy: Energy = estimate_energy(hand_counts(), "loihi2-estimate", activity=hand_activity())
    assert energy.chip.low is not None and energy.chip.high is not None
    assert energy.chip.low < energy.chip.nominal < energy.chip.high
    assert energy.profile.banner in " ".join(energy.caveats)
