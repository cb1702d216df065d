"""The shipped prices are the published ones, typed here by hand, and what papers computed from them comes out again."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from spikeport.sim.energy.bounds import ZERO, Bounds
from spikeport.sim.energy.profile import Constant, Profile, profile_named, profile_names

FOLDER = Path(__file__).parents[3] / "spikeport" / "sim" / "energy" / "profiles"
NAMES = (
    "cmos45-fp16", "cmos45-fp32", "cmos45-int32", "cmos45-int8", "loihi1-davies2018", "loihi1-sanafe",
    "loihi2-estimate", "odin-2019", "spinnaker1", "spinnaker2", "truenorth-2014",
)  # fmt: skip
SOPS = ("sop_dense", "sop_sparse", "sop_conv")


def constants(profile: Profile) -> list[Constant]:
    single = [c for c in (profile.static_w_per_chip, profile.link_bits_per_ns) if c]
    priced = [*profile.energy_pj.values(), *profile.latency_ns.values()]
    return [*priced, *(barrier.constant for barrier in profile.barrier), *single]


def nominal(values: Mapping[str, Constant]) -> dict[str, float]:
    return {term: constant.value.nominal for term, constant in values.items()}


def test_the_names_are_those_of_the_files() -> None:
    assert profile_names() == NAMES
    assert tuple(sorted(path.stem for path in FOLDER.iterdir())) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_constant_says_where_it_is_from(name: str) -> None:
    profile = profile_named(name)
    assert profile.name == name
    assert profile.note and profile.title
    for constant in constants(profile):
        assert constant.source and constant.note and constant.year is not None
        assert 2014 <= constant.year <= 2025


@pytest.mark.parametrize(
    ("name", "mac", "ac"),
    [
        ("cmos45-fp32", 4.6, 0.9),
        ("cmos45-fp16", 1.5, 0.4),
        ("cmos45-int8", 0.23, 0.03),
        ("cmos45-int32", 3.2, 0.1),
    ],
)
def test_cmos(name: str, mac: float, ac: float) -> None:
    profile = profile_named(name)
    assert nominal(profile.energy_pj) == {"mac": mac, "ac": ac}
    assert (profile.technology_nm, profile.scope) == (45, "per_term")


@pytest.mark.parametrize(("name", "printed"), [("cmos45-fp32", "5.11"), ("cmos45-int8", "7.67")])
def test_the_ratio_of_a_mac_to_an_ac(name: str, printed: str) -> None:
    """DA-LIF: one operation of an ANN is roughly five of an SNN; with 8-bit integers it is nearly eight."""
    prices = profile_named(name).energy_pj
    ratio = prices["mac"].value.over(prices["ac"].value)
    assert ratio is not None and f"{ratio.nominal:.2f}" == printed


@pytest.mark.parametrize(
    ("acs", "macs", "printed_mj"),
    [
        (143_310_000, 56_550_000, "0.3891"),
        (1_330_000_000, 974_860_000, "5.6814"),
        (1_420_000_000, 863_850_000, "5.2517"),
    ],
)
def test_table_iii_of_da_lif(acs: int, macs: int, printed_mj: str) -> None:
    prices = profile_named("cmos45-fp32").energy_pj
    energy = prices["ac"].value.times(acs) + prices["mac"].value.times(macs)
    assert f"{energy.nominal * 1e-9:.4f}" == printed_mj
    assert (energy.low, energy.high) == (None, None)


def test_loihi_1_has_the_table_of_its_paper() -> None:
    """Davies et al., IEEE Micro 38(1), 2018, Table 2."""
    profile = profile_named("loihi1-davies2018")
    assert {term: constant.value for term, constant in profile.energy_pj.items()} == {
        "sop": Bounds(23.6, 23.6, None),
        "neuron_active": Bounds(52.0, 81.0, 81.0),
        "neuron_inactive": Bounds(52.0, 52.0, 81.0),
        "message": Bounds(None, 1.7, None),
        "hop_x": Bounds(None, 3.0, None),
        "hop_y": Bounds(None, 4.0, None),
    }
    assert {term: constant.value for term, constant in profile.latency_ns.items()} == {
        "sop": Bounds(None, 3.5, 3.5),
        "neuron_active": Bounds(5.3, 8.4, 8.4),
        "neuron_inactive": Bounds(5.3, 5.3, 8.4),
        "hop_x": Bounds(None, 4.1, None),
        "hop_y": Bounds(None, 6.5, None),
    }
    assert [(b.tiles, b.constant.value.nominal) for b in profile.barrier] == [(1, 113.0), (32, 465.0)]
    assert (profile.barrier_between, profile.latency_model) == ("linear", "additive")
    assert profile.static_w_per_chip is not None
    assert f"{profile.static_w_per_chip.value.nominal:.4f}" == f"{3.34 / 32:.4f}"


@pytest.mark.parametrize(("sops", "printed_mj"), [(51_200_000, "1.448"), (57_600_000, "1.599")])
def test_loihi_1_against_a_query_that_was_measured(sops: int, printed_mj: str) -> None:
    """Frady et al., NICE 2020: 4.608e6 neuron updates per query, 1.33 mJ measured; predicted 9 to 20 % above it."""
    prices = profile_named("loihi1-davies2018").energy_pj
    energy_pj = prices["sop"].value.times(sops) + prices["neuron_inactive"].value.times(4_608_000)
    assert f"{energy_pj.nominal * 1e-9:.3f}" == printed_mj
    assert 1.08 < energy_pj.nominal * 1e-9 / 1.33 < 1.21


def test_the_fit_of_sana_fe() -> None:
    profile = profile_named("loihi1-sanafe")
    assert nominal(profile.energy_pj) == {
        "sop_dense": 35.5, "sop_sparse": 33.6, "sop_conv": 24.0, "neuron_access": 51.2, "neuron_update": 21.6,
        "spike_out": 69.3, "message": 111.0, "hop_x": 3.0, "hop_y": 4.2,
    }  # fmt: skip
    assert nominal(profile.latency_ns) == {
        "sop_dense": 3.8, "sop_sparse": 4.7, "sop_conv": 3.1, "neuron_access": 6.0, "neuron_update": 3.7,
        "spike_out": 30.0, "message_out": 5.1, "message_in": 16.0, "hop_x": 4.1, "hop_y": 6.5,
    }  # fmt: skip
    barrier = [(b.tiles, b.constant.value.nominal) for b in profile.barrier]
    assert barrier == [(1, 600.0), (2, 1000.0), (4, 1400.0), (29, 1800.0)]
    assert (profile.barrier_between, profile.latency_model, profile.static_w_per_chip) == ("step", "additive", None)


def test_the_bands_of_sana_fe() -> None:
    """11.7 % of an energy, 24.3 % of a time, both ways."""
    profile = profile_named("loihi1-sanafe")
    times = [*profile.latency_ns.values(), *(barrier.constant for barrier in profile.barrier)]
    for percent, band in ((Fraction("11.7"), profile.energy_pj.values()), (Fraction("24.3"), times)):
        for value in (constant.value for constant in band):
            exact = Fraction(str(value.nominal))
            assert (value.low, value.high) == tuple(float(exact * (100 + s * percent) / 100) for s in (-1, 1))


def test_a_run_of_sana_fe() -> None:
    """What SANA-FE 2.2.9 reported for its DVS-gesture network over 100 steps, from the counts it reported."""
    price = {term: constant.value for term, constant in profile_named("loihi1-sanafe").energy_pj.items()}
    synapses = price["sop_dense"].times(4_172_959)
    parts = (("neuron_access", 18_678 * 100), ("neuron_update", 919_404), ("spike_out", 29_252))
    neurons = sum((price[term].times(n) for term, n in parts), ZERO)
    messages = price["message"].times(198_161)
    microjoules = [f"{energy.nominal * 1e-6:.3f}" for energy in (synapses, neurons, messages)]
    assert microjoules == ["148.140", "117.518", "21.996"]


def test_the_estimate_of_loihi_2_lies_between_what_was_published() -> None:
    profile, davies, fit = (profile_named(n) for n in ("loihi2-estimate", "loihi1-davies2018", "loihi1-sanafe"))
    energy, paper = profile.energy_pj, davies.energy_pj
    for sop in SOPS:
        assert energy[sop].value == Bounds(6.84, paper["sop"].value.nominal, fit.energy_pj[sop].value.high)
    for term in ("neuron_active", "neuron_inactive", "message", "hop_x", "hop_y"):
        assert (energy[term].value.low, energy[term].value.nominal) == (0.0, paper[term].value.nominal)
    for term in ("spike_out", "message", "hop_x", "hop_y"):
        assert energy[term].value.high == fit.energy_pj[term].value.high
    assert energy["spike_out"].value.nominal == 0
    assert (energy["neuron_active"].value.high, energy["neuron_inactive"].value.high) == (81.3176, 57.1904)
    assert {constant.evidence for constant in energy.values()} == {"assumed"}


def test_the_times_of_loihi_2() -> None:
    """Intel's ratios over Loihi 1's times; Hala Point's rates below, the fits of Loihi 1 above."""
    profile, fit = profile_named("loihi2-estimate"), profile_named("loihi1-sanafe")
    times = {term: constant.value for term, constant in profile.latency_ns.items()}
    for sop in SOPS:
        assert times[sop] == Bounds(0.37, 3.5 / 5, fit.latency_ns[sop].value.high)
    assert times["neuron_active"] == Bounds(0.59, 8.4 / 2, 12.0571)
    assert times["neuron_inactive"] == Bounds(0.59, 5.3 / 2, 7.458)
    assert times["spike_out"] == Bounds(0.0, 30 / 10, 37.29)
    assert times["message_out"] == Bounds(0.0, 0.0, 6.3393)
    assert times["message_in"] == Bounds(0.0, 0.0, 19.888)
    for mine, theirs in zip(profile.barrier, fit.barrier, strict=True):
        assert mine.tiles == theirs.tiles
        assert mine.constant.value == Bounds(0.0, 200.0, theirs.constant.value.high)
    assert profile.static_w_per_chip is not None
    assert profile.static_w_per_chip.value == Bounds(0.232, 0.257, 0.282)


def test_hala_point() -> None:
    """At most 2600 W, 380e12 synaptic and 240e12 neuron operations per second on 140544 cores."""
    profile = profile_named("loihi2-estimate")
    assert profile.energy_pj["sop_dense"].value.low == round(2600 / 380e12 * 1e12, 2)
    assert profile.latency_ns["sop_dense"].value.low == round(140544 / 380e12 * 1e9, 2)
    assert profile.latency_ns["neuron_active"].value.low == round(140544 / 240e12 * 1e9, 2)


def test_the_times_of_loihi_2_serve_the_other_model_too(tmp_path: Path) -> None:
    text = (FOLDER / "loihi2-estimate.toml").read_text()
    (tmp_path / "own.toml").write_text(text.replace('latency_model = "additive"', 'latency_model = "max_affine"'))
    own = profile_named(str(tmp_path / "own.toml"))
    assert own.latency_model == "max_affine"
    assert nominal(own.latency_ns) == nominal(profile_named("loihi2-estimate").latency_ns)


def test_only_the_estimate_of_loihi_2_has_a_banner() -> None:
    assert [name for name in NAMES if profile_named(name).banner] == ["loihi2-estimate"]
    profile = profile_named("loihi2-estimate")
    assert profile.banner.startswith("Not a Loihi 2 measurement")
    assert "not used" in profile.note and "1.094 mJ" in profile.note


@pytest.mark.parametrize(
    ("name", "scope", "prices"),
    [
        ("truenorth-2014", "all_in", {"sop": 26.0}),
        ("odin-2019", "all_in", {"sop": 12.7}),
        ("spinnaker1", "per_term", {"sop": 13_300.0, "neuron_access": 26_000.0}),
        ("spinnaker2", "per_term", {"sop": 450.0, "neuron_access": 2_190.0}),
    ],
)
def test_other_chips(name: str, scope: str, prices: dict[str, float]) -> None:
    profile = profile_named(name)
    assert (profile.scope, nominal(profile.energy_pj)) == (scope, prices)
    assert (profile.latency_model, len(profile.latency_ns)) == ("", 0)
