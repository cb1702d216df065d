"""The search behind `spikeport map`: both outlines against a walk of every message, runs in parts, and files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spikeport.chip import LOIHI1, LOIHI2
from spikeport.commands.mapping.design import Outline, mapped
from spikeport.commands.mapping.file import mapping_file, read_mapping, write_mapping
from spikeport.commands.mapping.runs import Run
from spikeport.commands.mapping.searched import Tally, activity_of
from spikeport.commands.mapping.searching import assumed_outline, searched, timed
from spikeport.commands.samples import Samples
from spikeport.deploy.cores import core_map, map_cores
from spikeport.deploy.cores.activity import Activity, Times
from spikeport.deploy.cores.problem import Problem
from spikeport.errors import InputError
from spikeport.program import Program
from spikeport.sim import simulate
from spikeport.sim.random_programs import random_program
from tests.commands.mapping.test_records import small
from tests.deploy.small_programs import lif, row, stack
from tests.sim.counting.test_cores import brute, in_use, place_of

SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int) -> tuple[Program, Run, np.random.Generator]:
    rng = np.random.default_rng(seed)
    program, x = random_program(rng, steps=5, batch=2)
    inputs = x if isinstance(x, dict) else {program.inputs[0].name: x}
    return program, Run(program, Samples(Path("x.npz"), inputs, None), None), rng


@settings(max_examples=15, deadline=None)
@given(SEEDS)
def test_both_outlines_are_those_of_a_walk(seed: int) -> None:
    program, run, rng = drawn(seed)
    one = mapped(program, small(rng))
    profile = timed("loihi2-estimate")
    most = one.cores.count + int(rng.integers(0, 4))
    found, done = searched(one, run, profile, most)
    assert found.searched is not None and done is not None
    before, after = found.searched.before, found.searched.after
    (result,) = run.results()
    for outline, cores in ((before, one.cores), (after, found.cores)):
        walked = brute(program, result, cores)
        numbers = in_use(cores)
        steps = done.steps
        chips = {place_of(number, one.chip)[0] for number in numbers}
        assert (outline.cores, outline.chips) == (len(numbers), len(chips))
        assert outline.hops == (walked["hops_x"].total() + walked["hops_y"].total()) / steps
        assert outline.off_chip == walked["off_chip"].total() / steps
    assert after.busiest_ns <= before.busiest_ns
    assert after.cores <= most and found.searched.kept
    assert done.activity.cores.numbers.tolist() == in_use(found.cores)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=SEEDS)
def test_a_run_in_parts_gives_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    program, run, rng = drawn(seed)
    one, profile = mapped(program, small(rng)), timed("loihi1-sanafe")
    whole, done = searched(one, run, profile, None)
    with monkeypatch.context() as patch:
        patch.setattr("spikeport.commands.running.counted.CHUNK_BYTES", 1)
        parts = Run(program, run.samples, None)
        assert len(list(parts.results())) == len(list(parts.results())) == 2
        again, counted = searched(one, parts, profile, None)
    assert again.searched == whole.searched
    assert again.core_map.seats.tolist() == whole.core_map.seats.tolist()
    assert done is not None and counted is not None
    assert np.array_equal(done.sops, counted.sops)


def test_a_tally_of_parts_is_that_of_the_whole() -> None:
    program, run, _ = drawn(7)
    (whole,) = run.results()
    profile, tally = timed("loihi2-estimate"), Tally(program)
    for k in range(2):
        tally.add(simulate(program, {name: x[:, [k]] for name, x in run.samples.inputs.items()}))
    expected, found = activity_of(program, whole, profile), tally.activity(profile)
    assert found.active == expected.active
    assert all(np.array_equal(found.rates[name], rates) for name, rates in expected.rates.items())


def test_an_assumed_outline_by_hand() -> None:
    """Neurons 0, 1 and 2, 3 of g0 on cores 0 and 1, those of g1 on 2: 0 and 1 share a tile, 2 is on the next chip."""
    chip = replace(LOIHI1, neurons_per_core=2, neuron_settings_per_core=1, cores_per_chip=2, cores_per_tile=1)
    net = row(4, 2, n_in=1)
    times = Times(update=1, active=1, sop=dict.fromkeys(("dense", "sparse", "conv"), 1.0))
    rates = {"x": 0.0, "g0": np.array([1.0, 2, 3, 4]), "g1": 0.0}
    problem = Problem(net, chip, Activity(rates, {"g0": 1, "g1": 0}, times))
    one = mapped(net, chip)
    assert one.core_map.seats.tolist() == [0, 1, 2]
    assert assumed_outline(one, problem) == Outline(3, 2, 20.0, 1.0, 0.0, 10.0)
    near = mapped(net, chip, core_map(net, chip, one.cores.cuts, np.array([2, 1, 0])))
    assert assumed_outline(near, problem) == Outline(3, 2, 20.0, 1.0, 7.0, 3.0)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=SEEDS)
def test_what_is_written_is_read(seed: int, tmp_path: Path) -> None:
    program, run, rng = drawn(seed)
    found, _ = searched(mapped(program, small(rng)), run, timed("loihi2-estimate"), None)
    write_mapping(tmp_path / "m.json", found.core_map)
    read = read_mapping(tmp_path / "m.json", program, found.chip)
    assert read.where.cuts == found.cores.cuts
    assert read.seats.tolist() == found.core_map.seats.tolist()
    assert mapping_file(read) == mapping_file(found.core_map)


def test_blocks_of_other_microcode_and_odd_columns_are_refused(tmp_path: Path) -> None:
    pair = row(2, 2)
    soft = replace(pair, groups=(pair.groups[0], lif("g1", (2,), reset="subtract")))
    together = core_map(pair, LOIHI2, map_cores(pair, LOIHI2).where.cuts, np.array([0, 0]))
    write_mapping(tmp_path / "m.json", together)
    assert read_mapping(tmp_path / "m.json", pair, LOIHI2).cores == 1
    with pytest.raises(InputError, match=r"core 0 \(g0\+g1\) has blocks that cannot share one"):
        read_mapping(tmp_path / "m.json", soft, LOIHI2)
    image = stack((1, 3, 6), (1, 3, 1, 1))
    write_mapping(tmp_path / "i.json", map_cores(image, LOIHI2))
    text = (tmp_path / "i.json").read_text()
    assert "8" in text  # 6 columns have room for 8
    read_mapping(tmp_path / "i.json", image, LOIHI2)
    (tmp_path / "i.json").write_text(text.replace("8\n", "6\n", 1))
    with pytest.raises(InputError, match=r"block of c0 \(\[1, 3, 6\]\) is not .*a power of two"):
        read_mapping(tmp_path / "i.json", image, LOIHI2)
