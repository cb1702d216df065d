"""`replay.py`, which needs numpy alone, against the simulator: every kind of Program, every profile."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spikeport.archive import npz_arrays
from spikeport.commands.proof import replay
from spikeport.commands.proof.members import Given, members_of
from spikeport.commands.proof.sealed import MANIFEST, sealed_bytes
from spikeport.errors import OverflowDetected
from spikeport.profiles import PROFILES, Profile
from spikeport.program import LIF, Conv, Dense, Input, Output, Program, SigmaDelta, Sparse
from spikeport.sim.random_programs import KINDS, random_program
from tests.commands.proof.bundles import VERSIONS, flipped, small, told
from tests.commands.proof.bundles import given as given_of

SCRIPT = Path(replay.__file__)


def unpack(folder: Path, source: Given) -> Path:
    """Writes the bundle's files as a stranger would see them."""
    with zipfile.ZipFile(BytesIO(sealed_bytes(members_of(source)[0], VERSIONS))) as file:
        file.extractall(folder)
    return folder


def answer(folder: Path) -> tuple[int, dict[str, str]]:
    """The script in this process: its exit code, and what it says of each file and layer."""
    out = StringIO()
    with redirect_stdout(out):
        code = replay.main(folder)
    return code, {line[:32].rstrip(): line[32:].strip() for line in out.getvalue().splitlines()}


def drawn(seed: int, profile: Profile) -> Given:
    """A random Program under a profile, and its inputs; those that overflow under `strict` are not asked."""
    rng = np.random.default_rng(seed)
    if profile == "loihi1":
        program, inputs = random_program(rng, kinds=["lif", "refractory"], graded=False)
        groups = tuple(replace(g, reset="zero") for g in program.lifs)
        program = replace(program, groups=groups)
    else:
        program, inputs = random_program(rng, kinds=KINDS)
    if profile == "strict":  # small numbers stay in their words
        groups = tuple(replace(g, bias_exp=0) if isinstance(g, LIF) else g for g in program.groups)
        links = tuple(replace(c, weight_exp=0, graded=False) for c in program.connections)
        program = replace(program, groups=groups, connections=links)
    return given_of(replace(program, profile=profile), inputs)


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), profile=st.sampled_from(PROFILES))
def test_it_gives_what_the_simulator_gives(seed: int, profile: Profile) -> None:
    source = drawn(seed, profile)
    with TemporaryDirectory() as folder:
        try:
            unpack(Path(folder), source)
        except OverflowDetected:
            assume(False)
        code, said = answer(Path(folder))
    assert code == 0 and set(said.values()) == {"equal"}
    assert {f"layer {g.name}" for g in source.program.groups} <= set(said)


def wide(profile: Profile) -> Given:
    """What random Programs rarely reach: payloads beyond 24 bits, products beyond 32, lists without synapses."""
    groups = (
        SigmaDelta("sum", (4,), "sigma"),
        SigmaDelta("late", (3,), "sigma"),
        SigmaDelta("listed", (3,), "sigma_delta", vth=1, bias=np.array([1, -2, 3]), activation="unit", cum_error=True),
        LIF("none", (2,), 0, 0, 5, np.array([4, 1]), bias_exp=7, reset_interval=3, reset_offset=7),
    )
    weight = 2 * np.array([[100, -128, 7, 3], [127, 1, -1, 0], [-5, 90, 33, 127]])
    row, col = np.nonzero(weight)
    no = np.zeros(0, int)
    connections = (
        Dense("x", "sum", 254 * np.eye(4, dtype=int), 7, graded=True),
        Dense("sum", "late", weight, 3, np.array([[0, 1, 2, 0], [3, 0, 0, 0], [1, 1, 1, 1]]), graded=True),
        Sparse("sum", "listed", row, col, weight[row, col], 2, 1, graded=True),
        Sparse("late", "none", no, no, no, 0, no),
    )
    inputs = (Input("x", (4,), "graded", -(2**23) + 1, 2**23 - 1),)
    program = Program(groups, connections, inputs, (Output("y", "none", reads="v"),), latency=3, profile=profile)
    return given_of(program, {"x": np.random.default_rng(1).integers(-(2**23) + 1, 2**23, (9, 2, 4))})


def test_it_wraps_what_leaves_its_word(tmp_path: Path) -> None:
    source = wide("lava")
    assert answer(unpack(tmp_path, source))[0] == 0
    found = npz_arrays((tmp_path / "expected.npz").read_bytes(), "expected")
    assert np.abs(found["sum/s"].astype(np.int64)).max() > 2**24  # else this test shows nothing


def test_u_at_the_ends_of_its_word(tmp_path: Path) -> None:
    """Lava keeps 2^23 and turns -2^23 into it."""
    groups = (LIF("ends", (2,), 4095, 4096, 0, np.zeros(2, int)),)
    link = Dense("x", "ends", np.array([[128, 0], [0, -128]]), graded=True)
    inputs = (Input("x", (2,), "graded", 0, 1024),)
    program = Program(groups, (link,), inputs, (Output("y", "ends"),), latency=1, profile="lava")
    assert answer(unpack(tmp_path, given_of(program, {"x": np.full((3, 1, 2), 1024)})))[0] == 0
    bits = npz_arrays((tmp_path / "expected.npz").read_bytes(), "expected")["ends/s"]
    assert np.unpackbits(bits, axis=1, count=2).tolist() == [[0, 0], [1, 1], [1, 1], [1, 1]]


def test_a_convolution_wraps_at_24_bits(tmp_path: Path) -> None:
    groups = (SigmaDelta("y", (1, 3, 3), "sigma"),)
    link = Conv("x", "y", 2 * np.full((1, 1, 3, 3), 127), 7, padding=(1, 1), graded=True)
    inputs = (Input("x", (1, 3, 3), "graded", 0, 300),)
    program = Program(groups, (link,), inputs, (Output("y", "y"),), latency=1, profile="lava")
    x = np.full((5, 1, 1, 3, 3), 300)
    assert 9 * 300 * 254 << 7 > 2**24
    assert answer(unpack(tmp_path, given_of(program, {"x": x}))) == answer(tmp_path)
    assert answer(tmp_path)[0] == 0


def run_alone(script: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The script as a stranger starts it."""
    command = [sys.executable, "-I", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=120)


@pytest.mark.parametrize("profile", PROFILES)
def test_it_runs_alone(profile: Profile, tmp_path: Path) -> None:
    program, inputs = small()
    folder = unpack(tmp_path / "bundle", given_of(replace(program, profile=profile), inputs))

    ran = run_alone(folder / "replay.py")

    assert (ran.returncode, ran.stderr) == (0, "")
    lines = [line.split() for line in ran.stdout.splitlines()]
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    names = [name for name in files if name != MANIFEST]
    assert sorted(lines[: len(names)]) == sorted(["file", name, "equal"] for name in names)
    assert lines[len(names) :] == [["layer", name, "equal"] for name in ("coded", "conv", "mem")]
    (tmp_path / "away.py").write_bytes((folder / "replay.py").read_bytes())
    assert run_alone(tmp_path / "away.py", folder).stdout == ran.stdout


@pytest.mark.uncovered
def test_it_loads_numpy_and_nothing_of_spikeport(tmp_path: Path) -> None:
    folder = unpack(tmp_path, given_of(*small()))
    code = f"import runpy, sys; sys.argv = ['replay.py', {str(folder)!r}]\n"
    code += f"try: runpy.run_path({str(folder / 'replay.py')!r}, run_name='__main__')\n"
    code += "except SystemExit as done: print(done.code, *sys.modules)"
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    code, *modules = ran.stdout.splitlines()[-1].split()
    assert code == "0" and "numpy" in modules
    foreign = {name.split(".")[0] for name in modules} - sys.stdlib_module_names - {"numpy", "__main__"}
    assert not {name for name in foreign if not name.startswith(("_", "sitecustomize"))}


def test_it_is_below_200_lines() -> None:
    assert len(SCRIPT.read_text().splitlines()) < 200


EXPECTED = "expected.json"
TAMPERED: list[tuple[str, Callable[[bytes], bytes], str, str]] = [
    ("expected.npz", flipped("coded/s", 2, 0), "coded", r"differs at step 3: s of sample 0, neuron 7 is [01]"),
    ("expected.npz", flipped("mem/v", 7, 1, 2), "mem", r"differs at step 8: v of sample 1, neuron 2 is -?\d+"),
    ("program.npz", flipped("groups/1/bias_mant", 0, 0, 0), "conv", "differs at step 1: v, by its hash"),
    ("input.npz", flipped("image", 0, 0, 0, 0, 0), "coded", "differs at step 1: v, by its hash"),
    (EXPECTED, told("layers", 1, "sha256", "u", to="0" * 64), "conv", "differs at step 9: u, by its hash"),
    (EXPECTED, told("layers", 1, "steps", "u", 4, to="0" * 16), "conv", "differs at step 5: u, by its hash"),
]


@pytest.mark.parametrize(("name", "change", "layer", "verdict"), TAMPERED)
def test_it_says_where_a_layer_differs(
    name: str, change: Callable[[bytes], bytes], layer: str, verdict: str, tmp_path: Path
) -> None:
    folder = unpack(tmp_path, given_of(*small()))
    (folder / name).write_bytes(change((folder / name).read_bytes()))

    code, said = answer(folder)

    assert code == 1
    assert re.fullmatch(verdict, said[f"layer {layer}"]), said
    assert said.pop(f"file {name}") == "is not the one that manifest.json names"
    assert all(text == "equal" for what, text in said.items() if what.startswith("file"))


def test_it_loads_no_pickle(tmp_path: Path) -> None:
    folder = unpack(tmp_path, given_of(*small()))
    np.savez(folder / "input.npz", image=np.array([{"a": 1}], object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        replay.main(folder)


def test_the_readme_names_every_file_and_layer(tmp_path: Path) -> None:
    folder = unpack(tmp_path, given_of(*small()))
    text = (folder / "README.md").read_text()
    assert all(f"`{path.name}{'/' * path.is_dir()}`" in text for path in folder.iterdir() if path.name != "README.md")
    said = json.loads((folder / "expected.json").read_text())["layers"]
    assert all(f"| {x['name']} | {x['neurons']} | {x['spikes']} |" in text for x in said)
