"""The profile `loihi1` on the command line: run, bisect, check, compile, verify."""

import json
from dataclasses import replace
from pathlib import Path

import nir
import numpy as np
import pytest

from spikeport.program import LIF, Dense, Input, Output, Program, SigmaDelta
from spikeport.program_file import load_program, save_program
from tests.cli.command import in_child as spikeport
from tests.lava import lava_or_skip

SUM = 2**15


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with `net.h5` and `x.npz`, under which neuron 0 receives 2^15 + 2 at step 2, and neuron 1 two."""
    group = LIF("g", (2,), 4095, 4095, 10_000, np.zeros(2, int))
    connections = (
        Dense("x", "g", np.array([[255, 1], [0, 0]]), weight_exp=7),
        Dense("x", "g", np.array([[0, 2], [0, 2]])),
    )
    program = Program((group,), connections, (Input("x", (2,), "spike"),), (Output("y", "g"),), latency=1)
    save_program(program, tmp_path / "net.h5")
    save_program(replace(program, profile="loihi1"), tmp_path / "loihi1.h5")
    np.savez(tmp_path / "x.npz", spikes=np.ones((1, 1, 2), int))
    return tmp_path


@pytest.mark.parametrize(("net", "options"), [("net.h5", ("--profile", "loihi1")), ("loihi1.h5", ())])
def test_run_takes_the_profile_that_is_named_or_the_programs(files: Path, net: str, options: tuple[str, ...]) -> None:
    ran = spikeport("run", files / net, "--input", files / "x.npz", *options, "--record", "all", "-o", files / "y.npz")
    assert ran.returncode == 0, ran.stderr
    with np.load(files / "y.npz") as y:
        assert y["g/u"].reshape(2, 2).tolist() == [[0, 0], [2 - SUM << 6, 128]]
    strict = spikeport(
        "run", files / net, "--input", files / "x.npz", "--profile", "strict", "--record", "all", "-o", files / "y.npz"
    )
    assert strict.returncode == 0, strict.stderr
    with np.load(files / "y.npz") as y:
        assert y["g/u"].reshape(2, 2).tolist() == [[0, 0], [SUM + 2 << 6, 128]]


def test_bisect_shows_where_two_profiles_part_and_the_rule_of_the_first(files: Path) -> None:
    given = ("--program", files / "net.h5", "--input", files / "x.npz")
    ran = spikeport("bisect", *given, "--profiles", "lava,loihi1")
    assert ran.returncode == 1
    assert f"first difference: step 2, g, sample 0, neuron 0: u is {SUM + 2 << 6} and {2 - SUM << 6}" in ran.stdout
    assert "first operand that differs: u after; not by the rule: B" in ran.stdout
    assert "rule: u = wrap(decay(u, 4096 - (du + 1)) + (a << 6))" in ran.stdout
    other = spikeport("bisect", *given, "--profiles", "loihi1,strict")
    assert "first operand that differs: u after; not by the rule: B" in other.stdout
    assert "rule: u = wrap24(decay(u, 4096 - (du + 1)) + wrap22(a << 6)), in two's complement" in other.stdout


def test_check_says_which_words_are_proven_where_a_loihi_1_is_meant(files: Path) -> None:
    u = SUM + 2 << 6
    proven = f"g: cannot overflow: a in [0, {SUM + 2}], u in [0, {u}], v in [0, {u + 156}] of +-8388607"
    narrow = f"; not proven under the profile loihi1: a in [0, {SUM + 2}] of [-32768, 32767]"
    for net, target, said, code in (
        ("net.h5", "loihi2", proven, 0),
        ("net.h5", "loihi1", proven + narrow, 1),
        ("loihi1.h5", "loihi2", proven + narrow, 1),
    ):
        ran = spikeport("check", files / net, "--target", target, "--strict-overflow")
        assert (ran.stdout.splitlines()[-1:], ran.returncode) == ([said], code)
    found = json.loads(spikeport("check", files / "net.h5", "--json").stdout)
    assert found["overflow"][0]["proven_under"] == ["strict", "lava"]


def test_check_says_what_holds_under_every_profile(files: Path) -> None:
    program = load_program(files / "net.h5")
    save_program(replace(program, connections=program.connections[1:]), files / "small.h5")
    ran = spikeport("check", files / "small.h5", "--target", "loihi1", "--strict-overflow")
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[-1].endswith(" of +-8388607; the same under the profile loihi1")
    found = json.loads(spikeport("check", files / "small.h5", "--json").stdout)
    assert found["overflow"][0]["proven_under"] == ["strict", "lava", "loihi1"]


def test_a_kind_that_loihi1_lacks_exits_2_with_one_line(files: Path) -> None:
    other = Program(
        (SigmaDelta("g", (2,), "sigma"),),
        (Dense("x", "g", np.eye(2, dtype=int)),),
        (Input("x", (2,), "spike"),),
        (Output("y", "g"),),
    )
    save_program(other, files / "sigma.h5")
    ran = spikeport("run", files / "sigma.h5", "--input", files / "x.npz", "--profile", "loihi1", "-o", files / "y.npz")
    assert ran.returncode == 2
    assert ran.stderr == (
        "error SP506: g: neurons under the profile loihi1 (SigmaDelta) are not LIF that resets to zero and sends 0 or "
        "1; name the profile 'strict' or 'lava'\n"
    )
    assert spikeport("check", files / "sigma.h5", "--target", "loihi1").stdout.splitlines()[-1] == (
        "g: not proven: sigma in [0, 17179869184]; no spikes were found that overflow it"
    )


def test_compile_writes_the_profile_into_the_program(tmp_path: Path) -> None:
    one = np.ones(2)
    nodes = {
        "in": nir.Input(np.array([2])),
        "w": nir.Linear(np.eye(2)),
        "lif": nir.LIF(tau=0.01 * one, r=one, v_leak=0 * one, v_threshold=one, v_reset=0 * one),
        "out": nir.Output(np.array([2])),
    }
    nir.write(tmp_path / "net.nir", nir.NIRGraph(nodes, [("in", "w"), ("w", "lif"), ("lif", "out")]))
    ran = spikeport("compile", tmp_path / "net.nir", "-o", tmp_path / "net.h5", "--profile", "loihi1")
    assert ran.returncode == 0, ran.stderr
    program = load_program(tmp_path / "net.h5")
    assert (program.profile, program.chip) == ("loihi1", "loihi2")


@pytest.mark.parametrize(("net", "options"), [("net.h5", ("--profile", "loihi1")), ("loihi1.h5", ())])
def test_lava_does_not_run_under_loihi1(files: Path, net: str, options: tuple[str, ...]) -> None:
    ran = spikeport(
        "run", files / net, "--input", files / "x.npz", "--backend", "lava", *options, "-o", files / "y.npz"
    )
    assert ran.returncode == 2
    assert ran.stderr == (
        "error SP423: program: profile (loihi1) is not the arithmetic of Lava; "
        "give it the profile 'lava', which differs where a value leaves a Loihi 1's words\n"
    )


def test_verify_compares_lavas_arithmetic_and_says_how_far_loihi1_is_from_it(files: Path) -> None:
    lava_or_skip(download=False)
    ran = spikeport("verify", files / "loihi1.h5", "--input", files / "x.npz")
    assert ran.returncode == 0, ran.stderr
    assert "Lava: 0 of 12 values differ" in ran.stdout
    assert "under its own profile, loihi1, 3 of 12 values are not Lava's" in ran.stdout
