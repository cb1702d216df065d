"""Energies against hand arithmetic and against a published table."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from spikeport.errors import InputError
from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program
from spikeport.sim.counting import Counts, count_operations
from spikeport.sim.energy import CMOS45_FP32, CMOS45_INT8, PROFILES, estimate_energy, profile_named
from spikeport.sim.result import Result


def hand_counts(moving: bool = False) -> Counts:
    """A 3x3 conv with padding on 1x4x4 on the host, then 16 -> 2 dense; 2 steps, 2 samples."""
    groups = tuple(LIF(n, s, 0, 0, 1, np.zeros(s, np.int64)) for n, s in (("a", (1, 4, 4)), ("b", (2,))))
    encoder = Encoder(Conv("x", "a", np.ones((1, 1, 3, 3), np.int64), padding=(1, 1)), np.zeros((1, 4, 4), np.int64))
    dense = Dense("a", "b", np.ones((2, 16), np.int64))
    program = Program(groups, (dense,), (Input("x", (1, 4, 4), "bias", 0, 9),), (Output("o", "b"),), (encoder,), 1)
    sent = {"x": np.ones((3, 2, 16), np.int64), "a": np.zeros((3, 2, 16), np.uint8), "b": np.zeros((3, 2, 2), np.uint8)}
    sent["a"][0, 0, :5] = 1  # 5 spikes of the first sample, 2 of the second
    sent["a"][1, 1, :2] = 1
    sent["x"][1] += moving
    return count_operations(program, Result(sent["b"][1:], 1, {}, sent))


def test_hand_counts_times_prices() -> None:
    energy = estimate_energy(hand_counts())
    conv, dense = energy.layers
    assert (conv.host_macs, conv.sops, conv.macs_dense) == (16 * 9, 0, 16 * 9)
    assert (dense.host_macs, dense.sops, dense.macs_dense) == (0, Fraction(7 * 2, 2), 32)
    assert energy.snn_pj == pytest.approx(144 * 4.6 + 7 * 0.9)
    assert energy.ann_pj == pytest.approx((144 + 32) * 4.6)
    assert energy.ratio == pytest.approx((144 * 4.6 + 7 * 0.9) / (176 * 4.6))


def test_moving_input_pays_the_host_at_each_step() -> None:
    still, moving = estimate_energy(hand_counts()), estimate_energy(hand_counts(moving=True))
    assert moving.host_pj == pytest.approx(2 * still.host_pj)
    assert moving.sop_pj == still.sop_pj
    assert "once per image" in " ".join(still.caveats)
    assert "every step" in " ".join(moving.caveats)


@pytest.mark.parametrize(
    ("acs", "macs", "printed_mj"),
    [
        (143_310_000, 56_550_000, "0.3891"),
        (1_330_000_000, 974_860_000, "5.6814"),
        (1_420_000_000, 863_850_000, "5.2517"),
    ],
)
def test_table_iii_of_da_lif(acs: int, macs: int, printed_mj: str) -> None:
    """DA-LIF, Table III: CIFAR-100, ImageNet and CIFAR10-DVS, from the operations it prints."""
    assert f"{CMOS45_FP32.energy_pj(macs, acs) * 1e-9:.4f}" == printed_mj


def test_prices_of_horowitz() -> None:
    assert (CMOS45_FP32.mac_pj, CMOS45_FP32.ac_pj) == (4.6, 0.9)
    assert (CMOS45_INT8.mac_pj, CMOS45_INT8.ac_pj) == (0.23, 0.03)
    assert round(CMOS45_FP32.mac_pj / CMOS45_FP32.ac_pj, 2) == 5.11


@pytest.mark.parametrize("profile", PROFILES.values())
def test_total_is_the_sum_of_layers_and_of_terms(profile: object) -> None:
    energy = estimate_energy(hand_counts(), profile)  # type: ignore[arg-type]
    assert energy.snn_pj == pytest.approx(sum(layer.snn_pj for layer in energy.layers))
    assert energy.snn_pj == pytest.approx(energy.host_pj + energy.sop_pj)


def test_mean_over_samples_does_not_depend_on_their_number() -> None:
    counts = hand_counts()
    assert estimate_energy(counts + counts).layers == estimate_energy(counts).layers


@pytest.mark.parametrize("word", ["not a measurement", "no memory traffic", "32-bit floating point", "one dense pass"])
def test_caveats_come_along(word: str) -> None:
    assert word in " ".join(estimate_energy(hand_counts()).caveats)


def test_a_run_that_ended_too_early_says_so() -> None:
    counts = hand_counts()
    cut = replace(counts, layers=(counts.layers[0], replace(counts.layers[1], steps=1)))
    assert "ended before the last step of b" in " ".join(estimate_energy(cut).caveats)


def test_json_has_stable_keys() -> None:
    document = json.loads(json.dumps(estimate_energy(hand_counts()).to_json()))
    assert list(document) == ["schema", "profile", "samples", "steps", "layers", "totals", "caveats"]
    assert list(document["totals"]) == ["host_pj", "sop_pj", "snn_pj", "ann_pj", "ratio"]
    assert list(document["layers"][0]) == [
        "name", "host_macs", "sops", "macs_dense", "host_pj", "sop_pj", "ann_pj", "snn_pj",
    ]  # fmt: skip


def test_profiles_by_name() -> None:
    assert profile_named("cmos45-int8") is CMOS45_INT8
    with pytest.raises(InputError, match="cmos45-fp32, cmos45-int8"):
        profile_named("loihi3")


def test_network_without_macs_has_no_ratio() -> None:
    assert estimate_energy(Counts("", 1, 1, ())).ratio is None
