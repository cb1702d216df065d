"""The page parses, needs nothing from outside, shows the numbers of an Energy, and says what is not known."""

import re
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from spikeport.chip import LOIHI1
from spikeport.cores import Cores, Cut, flat
from spikeport.errors import FileError, InputError
from spikeport.page import drawing, svg
from spikeport.program import LIF, Conv, Dense, Encoder, Input, Output, Program
from spikeport.sim import simulate
from spikeport.sim.counting import Counts, count_operations
from spikeport.sim.counting.cores import CoreActivity, count_cores
from spikeport.sim.energy import Bounds, Energy, estimate_energy, profile_named
from spikeport.sim.energy.evidence import price_tables
from spikeport.sim.energy.figures import COLOURS, Scale, bounds_figure, legend, scale_of, step_rates
from spikeport.sim.energy.formats import format_bounds, format_count, format_time
from spikeport.sim.energy.page import render_page, write_page
from spikeport.sim.energy.tables import (
    CORE_COLUMNS,
    WAITS,
    bounds_sentence,
    break_even_sentence,
    core_rows,
    latency_rows,
    layer_columns,
    layer_rows,
    ratio_sentence,
)
from spikeport.sim.energy.terms import TERMS
from tests.html_page import Page, assert_stands_alone

SECTIONS = [
    "headline", "limits", "terms", "rates", "baselines", "conventions", "latency", "layers", "prices", "caveats",
    "checks", "reproduce",
]  # fmt: skip
HOSTILE = "<script>alert('a')</script>&amp;\"x"
STEPS, SAMPLES = 6, 3


def program() -> Program:
    rng = np.random.default_rng(0)
    groups = (
        LIF("conv1", (2, 6, 6), 4095, 400, 5, np.zeros((2, 6, 6), np.int64), reset_interval=8, reset_offset=1),
        LIF("out", (4,), 4095, 400, 20, np.zeros(4, np.int64), reset_interval=8, reset_offset=2),
    )
    conv = Conv("x", "conv1", rng.integers(-2, 6, (2, 1, 3, 3)) * 10, padding=(1, 1))
    dense = Dense("conv1", "out", rng.integers(-2, 4, (4, 72)) * 2, weight_exp=1)
    encoder = Encoder(conv, np.zeros((2, 6, 6), np.int64))
    return Program(groups, (dense,), (Input("x", (1, 6, 6), "bias", 0, 9),), (Output("o", "out", 4),), (encoder,), 1)


def counted(net: Program) -> tuple[Counts, CoreActivity]:
    x = np.random.default_rng(1).integers(0, 2, (1, SAMPLES, 1, 6, 6)).repeat(STEPS, axis=0)
    result = simulate(net, x)
    cuts = {net.groups[0].name: Cut((2, 6, 6), (1, 6, 6)), "out": flat(4, 4)}
    return count_operations(net, result), count_cores(net, result, Cores(LOIHI1, cuts))


NET = program()
COUNTS, ACTIVITY = counted(NET)


def arithmetic() -> Energy:
    return estimate_energy(COUNTS, "cmos45-fp32")


def on_cores() -> Energy:
    return estimate_energy(COUNTS, "loihi1-sanafe", activity=ACTIVITY)


@cache
def page(*profiles: str) -> str:
    """By some profiles; those of chips with cores."""
    found = [estimate_energy(COUNTS, name, activity=None if "cmos" in name else ACTIVITY) for name in profiles]
    return render_page("net.h5", NET, found, command="spikeport energy net.h5 --input <x>")


def bounded(energy: Energy, low: float | None, high: float | None) -> Energy:
    """The same Energy, each part of it with those shares of the nominal as bounds, and an ANN that is known exactly."""

    def exact(b: Bounds) -> Bounds:
        return Bounds(b.nominal, b.nominal, b.nominal)

    def around(b: Bounds) -> Bounds:
        return Bounds(low and low * b.nominal, b.nominal, high and high * b.nominal)

    layers = tuple(replace(layer, parts={n: around(b) for n, b in layer.parts.items()}) for layer in energy.layers)
    baselines = tuple(replace(b, energy_pj=exact(b.energy_pj), snn_pj=around(b.snn_pj)) for b in energy.baselines)
    return replace(energy, layers=layers, baselines=baselines)


@pytest.mark.parametrize(
    ("profiles", "figures"),
    [
        (("cmos45-fp32",), 4),
        (("loihi1-sanafe",), 5),
        (("loihi1-sanafe", "cmos45-fp32", "loihi2-estimate"), 7),
        (("truenorth-2014",), 4),
    ],
)
def test_page_is_whole_and_needs_nothing(profiles: tuple[str, ...], figures: int) -> None:
    whole(page(*profiles), figures)


def test_page_of_memory_and_of_a_convention() -> None:
    by_formula = estimate_energy(COUNTS, "cmos45-fp32", convention="paper-syops")
    memory = estimate_energy(COUNTS, "cmos45-fp32", memory=True)
    whole(render_page("n", NET, [by_formula, memory, bounded(memory, 0.0, 2.0)]), 6)


def whole(html: str, figures: int) -> None:
    found = Page(html)
    assert [name for name in SECTIONS if name not in found.ids] == []
    assert found.tags.count("svg") == figures == html.count('role="img"')
    assert_stands_alone(html)
    assert not re.search(r"\b(nan|None|inf)\b", found.text)


def test_names_are_escaped_and_shown() -> None:
    """A Program's names are plain; those of a profile from a file, and what a caller gives, may be anything."""
    energy = on_cores()
    layers = (replace(COUNTS.layers[0], name=HOSTILE), COUNTS.layers[1])
    profile = replace(energy.profile, title=HOSTILE, banner=HOSTILE)
    priced = (replace(energy.layers[0], name=HOSTILE), energy.layers[1])
    hostile = replace(energy, counts=replace(COUNTS, layers=layers), layers=priced, profile=profile)
    html = render_page(HOSTILE, NET, [hostile], names=[HOSTILE], command=HOSTILE)
    assert "<script" not in html
    assert_stands_alone(html)
    assert Page(html).text.count(HOSTILE) > 5


def test_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        counts, activity = counted(program())
        write_page(tmp_path / name, "n", program(), [estimate_energy(counts, "loihi1-sanafe", activity=activity)])
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "b.html"]


def test_numbers_are_those_of_hand_arithmetic() -> None:
    """Counts times the two prices of the papers, 4.6 and 0.9 pJ."""
    each = COUNTS.per_inference
    sops, macs = float(each(COUNTS.sops)), float(each(COUNTS.host_macs))
    snn, ann = 0.9 * sops + 4.6 * macs, 4.6 * (2 * 36 * 9 + 4 * 72)
    text = Page(page("cmos45-fp32")).text
    assert "spikeport energy net.h5 --input <x>" in text
    assert f"costs {snn / ann:.3g} times" in text
    for shown in (f"{snn / 1000:.3g} nJ", f"{ann / 1000:.3g} nJ", f"{2 * 36 * 9 + 4 * 72:,} MACs", format_count(sops)):
        assert shown in text


def test_a_bound_that_nobody_published_is_said_to_be_missing() -> None:
    assert "There are no bounds" in Page(page("cmos45-fp32")).text
    half = Page(render_page("n", NET, [bounded(arithmetic(), 0.5, None)])).text
    assert "There is no upper bound of all prices" in half and "to ?)" in half
    whole = Page(render_page("n", NET, [bounded(arithmetic(), 0.5, 2.0)])).text
    assert "The bounds lie on both sides of 1" in whole and "to ?)" not in whole


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (Bounds(None, 2.0, None), "There are no bounds of all prices. Within those that are published it is 0.7 to 2.9,"),
        (Bounds(0.5, 2.0, None), "There is no upper bound of all prices. Within"),
        (Bounds(None, 0.5, 0.9), "There is no lower bound of all prices. Within"),
        (Bounds(0.1, 0.5, 0.9), "costs less at every price"),
        (Bounds(1.1, 1.5, 1.9), "costs more at every price"),
        (Bounds(0.5, 1.0, 2.0), "both sides of 1"),
    ],
)
def test_what_bounds_say(ratio: Bounds, said: str) -> None:
    assert said in bounds_sentence(ratio, Bounds(0.7, 2.0, 2.9))


def test_no_published_bound_is_said() -> None:
    assert bounds_sentence(Bounds(None, 2.0, None), None).endswith("No price here has a published one.")


def test_open_bounds_are_drawn_as_open_arrows_and_known_ones_as_whiskers() -> None:
    """A line without a bound is dashed: the SNN's, all of it, on the chip, and at the prices of the last baseline."""

    def dashed(energy: Energy) -> int:
        with drawing():
            return svg("bounds", bounds_figure(energy, scale_of([energy]))).count("stroke-dasharray: 2")

    assert dashed(bounded(arithmetic(), 0.9, 1.1)) == 0
    assert dashed(bounded(arithmetic(), 0.9, None)) == 3
    assert dashed(bounded(arithmetic(), None, None)) == 6


def test_banner_of_every_profile_stands_on_top() -> None:
    banner = profile_named("loihi2-estimate").banner
    html = page("loihi1-sanafe", "cmos45-fp32", "loihi2-estimate")
    assert banner and banner in Page(html[: html.index("<section")] + "</main></body></html>").text
    assert "banner" not in page("cmos45-fp32").split("</style>")[1]


def test_layer_table_adds_up() -> None:
    energy = on_cores()
    columns, rows = layer_columns(energy), layer_rows(energy)
    assert [row[0] for row in rows] == ["conv1", "out", "all layers"]
    assert {len(row) for row in rows} == {len(columns)}
    ann = columns.index("ANN MACs")
    assert [row[ann] for row in rows] == ["648", "288", "936"]


@pytest.mark.parametrize("profile", ["loihi1-sanafe", "truenorth-2014"])
def test_cores_have_counts_of_one_inference(profile: str) -> None:
    rows = core_rows(estimate_energy(COUNTS, profile, activity=ACTIVITY))
    found = {row[0]: dict(zip(CORE_COLUMNS, row, strict=True)) for row in rows}
    assert [found[core]["Group"] for core in "012"] == ["conv1", "conv1", "out"]
    out = found["2"]
    assert out["syn_ops"] == format_count(COUNTS.sops / SAMPLES)
    assert out["dendrite_updates"] == str(4 * STEPS) and out["Neurons"] == "4"
    assert out["spikes_in"] == format_count(COUNTS.layers[0].spikes_out / SAMPLES)
    assert (out["Mean time"] == "–") == (profile == "truenorth-2014")


def test_cores_with_most_operations_come_first_where_there_are_no_times() -> None:
    rows = core_rows(estimate_energy(COUNTS, "truenorth-2014", activity=ACTIVITY))
    assert rows[0][0] == "2"
    assert core_rows(arithmetic()) == []


def test_what_steps_wait_for_is_said() -> None:
    energy = on_cores()
    latency = energy.latency
    assert latency is not None
    rows = {name: (value, note) for name, value, note in latency_rows(energy)}
    assert rows["Longest step waits for"][0] == WAITS[latency.slowest.term]
    assert rows["Most steps wait for"][1].startswith(f"{latency.usual.steps} of {STEPS * SAMPLES} steps")
    assert rows["Latency"][0] == format_bounds(latency.latency_ns, format_time)
    assert {"Step, shortest", "Step, mean", "Step, longest", "Inference period", "Energy-delay product"} <= set(rows)
    lower = replace(energy, latency=replace(latency, model="max_affine"))
    assert "lower bound" in Page(render_page("n", NET, [lower])).text


def test_rates_are_spikes_over_neurons_and_samples() -> None:
    layer = replace(COUNTS.layers[1], spikes_per_step=(0, 12, 6, 3, 0, 1))
    assert step_rates(layer, SAMPLES).tolist() == [0, 1, 0.5, 0.25, 0, float(Fraction(1, 12))]


def test_every_price_is_listed_with_its_evidence() -> None:
    energy = on_cores()
    main, *others = price_tables([energy])
    listed = {row[0]: row for row in main.rows if row[4] == "pJ"}
    assert main.profile is energy.profile and set(energy.profile.energy_pj) == set(listed)
    assert listed["spike_out"][2] == "69.3" and listed["spike_out"][5] == "fitted"
    constant = energy.profile.energy_pj["spike_out"]
    source, note = (main.about[int(number) - 1] for number in listed["spike_out"][6].split(", "))
    assert source.startswith(constant.source) and note == constant.note
    assert len(set(main.about)) == len(main.about)
    assert [one.profile.name for one in others] == ["cmos45-int8"]
    assert {row[1] for row in others[0].rows} == {"not published"}


def test_terms_have_colours_and_a_legend() -> None:
    assert set(COLOURS) == set(TERMS)
    assert [words for words, _ in legend(arithmetic())] == [
        "MACs on the host",
        "synaptic operations",
        "ANN, one dense pass",
    ]


def test_unpriced_work_is_named() -> None:
    energy = arithmetic()
    assert energy.unpriced
    text = Page(page("cmos45-fp32")).text
    assert "Not in any of these numbers" in text
    for left in energy.unpriced:
        assert str(left) in text


def test_why_there_is_no_latency_is_said() -> None:
    assert "cmos45-fp32 has no times" in page("cmos45-fp32")
    assert "no cores were given" in render_page("n", NET, [estimate_energy(COUNTS, "loihi1-sanafe")])


def test_scale_is_linear_up_to_a_factor_of_fifty() -> None:
    energy = arithmetic()
    near = replace(energy, layers=energy.layers[:1], baselines=energy.baselines[:1])
    assert scale_of([near]) == Scale(0.0, near.ann.nominal)
    assert scale_of([on_cores()]).logarithmic
    scale = Scale(10.0, 1e5)
    assert scale.ticks() == [10.0, 1e2, 1e3, 1e4, 1e5]
    places = [scale.place(x) for x in (0.0, 5.0, *scale.ticks())]
    assert places[:2] == [0.0, 0.0] and places == sorted(places) and places[-1] < 1
    assert np.diff(places[2:]) == pytest.approx(places[3] - places[2])
    assert Scale(0.0, 8.0).place(4.0) == pytest.approx(Scale(0.0, 8.0).place(8.0) / 2)
    assert Scale(0.0, 8.0).ticks() == [0, 2, 4, 6, 8]


def test_silent_network_is_drawn() -> None:
    x = np.zeros((STEPS, 1, 1, 6, 6), np.int64)
    energy = estimate_energy(count_operations(NET, simulate(NET, x)), "loihi1-davies2018")
    assert_stands_alone(render_page("silent", NET, [energy]))
    assert "no break-even" in break_even_sentence(replace(energy, break_even=None))
    assert "no ratio" in ratio_sentence(
        replace(energy, baselines=(replace(energy.baselines[0], energy_pj=Bounds(0, 0, 0)),))
    )


def test_forty_layers_and_many_steps_stay_small() -> None:
    energy = on_cores()
    names, steps = [f"layer{k}" for k in range(40)], 500
    rates = tuple(range(steps))
    layers = tuple(replace(COUNTS.layers[1], name=n, neurons=steps, spikes_per_step=rates, steps=steps) for n in names)
    priced = tuple(replace(energy.layers[1], name=n) for n in names)
    large = replace(energy, counts=replace(COUNTS, layers=layers, steps=steps), layers=priced)
    html = render_page("large", NET, [large])
    assert_stands_alone(html)
    assert len(html.encode()) < 3_000_000


def test_wrong_numbers_of_energies_and_names_are_refused() -> None:
    with pytest.raises(InputError, match="energies"):
        render_page("n", NET, [])
    with pytest.raises(InputError, match=r"names \(2\) are not 1"):
        render_page("n", NET, [arithmetic()], names=["a", "b"])


def test_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be written"):
        write_page(tmp_path / "missing" / "e.html", "n", NET, [arithmetic()])
    assert list(tmp_path.iterdir()) == []
