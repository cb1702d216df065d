"""What `spikeport map` says of random Programs on small chips, against counts in plain loops."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.chip import CHIPS, LOIHI2, Chip
from spikeport.commands.mapping.busiest import busiest, sentences
from spikeport.commands.mapping.design import Mapped, Ran, mapped
from spikeport.commands.mapping.mesh import DRAWN_CHIPS, letter_of, places, text_beside, text_chip, text_system
from spikeport.commands.mapping.page import render_page
from spikeport.commands.mapping.records import Figures, document, flat_records
from spikeport.commands.mapping.tables import headline
from spikeport.deploy.cores import CoreMap, map_cores
from spikeport.deploy.cores.table import core_table
from spikeport.deploy.rules import check
from spikeport.program import LIF, Conv, Dense, Input, Output, Program
from spikeport.sim import simulate
from spikeport.sim.counting import count_cores
from spikeport.sim.counting.chip_messages import chip_messages, events_of
from spikeport.sim.random_programs import random_program
from spikeport.sim.result import Result
from tests.html_page import Page, assert_stands_alone
from tests.sim.counting.test_cores import STEPS, brute, core_numbers, made_up, place_of

SEEDS = st.integers(0, 2**32 - 1)


def small(rng: np.random.Generator) -> Chip:
    """A chip of a few cores, named as one that there is."""
    chip = CHIPS[str(rng.choice(["loihi1", "loihi2"]))]
    tile, mesh = int(rng.integers(1, 6)), (int(rng.integers(1, 4)), int(rng.integers(1, 3)))
    cores = int(rng.integers(1, tile * mesh[0] * mesh[1] + 1))
    return replace(chip, cores_per_tile=tile, mesh=mesh, cores_per_chip=cores, neurons_per_core=int(rng.integers(2, 9)))


def drawn(seed: int) -> tuple[Figures, Result]:
    rng = np.random.default_rng(seed)
    program, _ = random_program(rng, steps=STEPS, batch=1)
    chip = small(rng)
    placements = map_cores(program, chip).placements
    blocks = sum(placement.cores for placement in placements)
    core_map = CoreMap(chip, placements, rng.integers(0, 2 * blocks, blocks))
    result = made_up(program, rng, 2)
    one = Mapped(program, core_map, core_table(core_map), tuple(check(program, chip)))
    cores = core_map.where
    activity = count_cores(program, result, cores)
    return Figures(one, Ran(activity, chip_messages(program, cores, events_of(program, result)))), result


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_every_core_and_chip_is_that_of_a_walk(seed: int) -> None:
    of, result = drawn(seed)
    one = of.mapped
    found = document(of, "net.h5", cores=True)
    walked, number = brute(one.program, result, one.cores), core_numbers(one.cores)
    sums: dict[str, Counter] = {name: Counter() for name in ("spikes", "sops", "messages_in", "messages_out")}
    for kind, counts in walked.items():
        into = "sops" if kind in ("dense", "sparse", "conv") else kind
        if into in sums:
            for (_, core), n in counts.items():
                sums[into][core] += n
    neurons, groups = Counter(number.values()), {}
    for (group, _), core in number.items():
        groups.setdefault(core, {})[group] = None
    assert [core["core"] for core in found["cores"]] == sorted(neurons)
    for core in found["cores"]:
        chip, *tile = place_of(core["core"], one.chip)
        assert (core["chip"], core["tile"]) == (chip, tile)
        assert (core["neurons"], core["groups"]) == (neurons[core["core"]], list(groups[core["core"]]))
        for name, counts in sums.items():
            assert core[name] == counts[core["core"]], name
    for chip in found["chips"]:
        own = [core for core in sorted(neurons) if place_of(core, one.chip)[0] == chip["chip"]]
        assert (chip["cores"], chip["neurons"]) == (len(own), sum(neurons[core] for core in own))
        assert chip["groups"] == Counter(group for core in own for group in groups[core])
        assert (chip["sops"], chip["spikes"]) == tuple(sum(sums[k][core] for core in own) for k in ("sops", "spikes"))
    assert found["cores_used"] == len(neurons)
    assert [chip["chip"] for chip in found["chips"]] == sorted({place_of(core, one.chip)[0] for core in neurons})
    for group in found["groups"]:
        own = [core for core in neurons if group["group"] in groups[core]]
        assert (group["cores"], group["shared_cores"]) == (len(own), sum(len(groups[core]) > 1 for core in own))
        assert group["messages"] == walked["messages"][group["group"]]
        assert group["off_chip"] == walked["off_chip"][group["group"]]
    assert found["activity"]["sops"] == sums["sops"].total()
    if sums["sops"]:
        most = max(sums["sops"].values())
        core = min(core for core, n in sums["sops"].items() if n == most)
        assert [busy["core"] for busy in found["activity"]["busiest"]] == [core]
        heard, why = sums["messages_in"], busiest(of)
        assert why is not None
        assert (why.sops, why.share) == (most, most / sums["sops"].total())
        assert np.isclose(why.times_mean, why.messages_times * why.each_times)
        assert np.isclose(why.messages_times, heard[core] / heard.total() * len(neurons))
        assert np.isclose(why.each, most / heard[core])


@settings(max_examples=12, deadline=None)
@given(SEEDS)
def test_lines_of_cores_pages_and_pictures_have_every_core(seed: int) -> None:
    of, _ = drawn(seed)
    one = of.mapped
    records = list(flat_records(of))
    assert [record["core"] for record in records] == of.numbers
    assert all(record.keys() == records[0].keys() for record in records)
    page = render_page("net.h5", of, "spikeport map net.h5")
    assert_stands_alone(page)
    assert page == render_page("net.h5", of, "spikeport map net.h5")
    if len(of.chips) <= DRAWN_CHIPS:
        titles = [text for text in Titles(page).found if text.startswith("core ")]
        assert sorted(int(text.split()[1].rstrip(":")) for text in titles) == of.numbers
    letters = {name: letter_of(k) for k, name in enumerate(one.cores.cuts)}
    drawn_there = Counter("".join("".join(text_chip(of, chip)) for chip in of.chips))
    expected = Counter(letters[on[0]] if len(on) == 1 else "+" for on in one.table.groups)
    free = len(of.chips) * one.chip.cores_per_chip - len(of.numbers)
    assert {k: n for k, n in drawn_there.items() if k != " "} == dict(expected + Counter({"·": free}))
    assert sum(len(row) for row in text_system(of)) == len(of.chips)


class Titles(HTMLParser):
    """The texts of all title elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "title"

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found.append(data)


def test_places_of_a_chip_are_tiles_in_rows_and_cores_in_squares() -> None:
    chip = replace(LOIHI2, cores_per_chip=7, cores_per_tile=4, mesh=(2, 1))
    assert places(chip) == [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (3, 0), (2, 1)]
    assert text_beside([("one", ["ab", "c"]), ("two", ["x", "yz"])], across=2) == ["one   two", "ab    x", "c     yz"]


def chain(*sizes: int, chip: str = "loihi2") -> Program:
    """Dense layers; the first size is the input's."""
    names = ["x", *(f"g{k}" for k in range(1, len(sizes)))]
    ends = zip(names, names[1:], sizes, sizes[1:], strict=False)
    connections = tuple(Dense(a, b, np.full((m, n), 2)) for a, b, n, m in ends)
    groups = tuple(LIF(n, (size,), 4095, 0, 10, np.zeros(size, int)) for n, size in zip(names, sizes, strict=True))[1:]
    inputs, outputs = (Input("x", (sizes[0],), "spike"),), (Output("y", names[-1]),)
    return Program(groups, connections, inputs, outputs, latency=len(sizes) - 1, chip=chip)


def worded(program: Program, chip: Chip) -> Iterator[str]:
    of = Figures(mapped(program, chip), None)
    yield from headline(of)
    yield str(bool(of.mapped.over))


def test_a_headline_says_what_check_says() -> None:
    program, tiny = chain(3, 8, 8), replace(LOIHI2, cores_per_chip=1, neurons_per_core=4)
    assert list(worded(program, LOIHI2))[0].startswith("Fits one loihi2: ")
    several = list(worded(program, tiny))
    assert several[0].endswith(" chips; the largest system has 1,152.")
    assert several[2] == "False"
    broken = check(program, tiny)
    assert broken
    assert all(f"{v.id}, {v.value:,} against {v.limit:,}" in several[1] for v in broken)
    too_many, over = worded(program, replace(tiny, chips_per_system=2))
    assert over == "True"
    assert too_many.startswith("Does not fit loihi2: cores_fit_one_system at the system, ")
    assert "against 2" in too_many


def test_without_a_run_nothing_is_said_of_activity() -> None:
    of = Figures(mapped(chain(3, 8, 8), LOIHI2), None)
    found = document(of, "net.h5", cores=True)
    assert (found["activity"], sentences(of)) == (None, [])
    assert "sops" not in found["cores"][0]
    assert "by-sops" not in Page(render_page("net.h5", of)).ids


def test_a_run_without_spikes_is_said_to_be_one() -> None:
    program = chain(3, 8, 8)
    one = mapped(program, LOIHI2)
    result = simulate(program, np.zeros((4, 1, 3), int))
    cores = one.cores
    quiet = Ran(count_cores(program, result, cores), chip_messages(program, cores, events_of(program, result)))
    of = Figures(one, quiet)
    assert sentences(of) == ["Nothing was sent: no core had a synaptic operation."]
    assert_stands_alone(render_page("net.h5", of))


def test_many_chips_are_marks_and_one_of_them_is_drawn() -> None:
    shape = (2, 12, 12)
    conv = Conv("x", "a", np.full((2, 2, 3, 3), 2), padding=(1, 1))
    group = LIF("a", shape, 4095, 0, 10, np.zeros(shape, int))
    program = Program((group,), (conv,), (Input("x", shape, "spike"),), (Output("y", "a"),), latency=1)
    tiny = replace(LOIHI2, cores_per_chip=2, cores_per_tile=1, mesh=(2, 1), neurons_per_core=4)
    of = Figures(mapped(program, tiny), None)
    page = render_page("net.h5", of)
    assert len(of.chips) > 30
    titles = Titles(page).found
    assert [int(text.split()[1].rstrip(":")) for text in titles if text.startswith("chip ")] == of.chips
    assert sum(text.startswith("core ") for text in titles) == 2
    assert_stands_alone(page)
