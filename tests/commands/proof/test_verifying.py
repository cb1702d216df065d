"""`verify_bundle`: what follows from Program and input is made again, and no seal replaces that."""

import hashlib
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.archive import npz_arrays, npz_bytes
from spikeport.commands.proof import verifying
from spikeport.commands.proof.members import members_of
from spikeport.commands.proof.sealed import open_bundle, sealed_bytes
from spikeport.commands.proof.verifying import OnLava, verify_bundle
from spikeport.errors import FileError, InputError, OverflowDetected, SpikeportError
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.sim import simulate
from spikeport.sim.random_programs import KINDS, random_program
from tests.commands.proof.bundles import VERSIONS, flipped, resealed, small, told, write_small
from tests.commands.proof.bundles import given as given_of

NIR = b"a graph" * 30


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_small(tmp_path / "out.zip", NIR)
    return tmp_path / "out.zip"


def test_a_whole_bundle_is_proven(path: Path) -> None:
    found = verify_bundle(path)
    assert found.exit_code == 0 and found.data["equal"]
    assert set(found.data["files"].values()) == set(found.data["layers"].values()) == {"equal"}
    assert list(found.data["layers"]) == ["coded", "conv", "mem"]
    json.dumps(found.data)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32))
def test_any_program_is_proven_and_the_same_files_give_the_same_bytes(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    program, inputs = random_program(np.random.default_rng(seed), kinds=KINDS)
    path = tmp_path_factory.mktemp("any") / "out.zip"
    first, again = (sealed_bytes(members_of(given_of(program, inputs))[0], VERSIONS) for _ in range(2))
    assert first == again
    path.write_bytes(first)
    assert verify_bundle(path).exit_code == 0


def test_hashes_and_values_are_those_of_the_simulator(path: Path) -> None:
    program, inputs = small()
    want = simulate(program, inputs, record=[g.name for g in program.groups], engine="reference").traces
    members = open_bundle(path).members
    arrays = npz_arrays(members["expected.npz"], "expected")
    assert set(arrays) == {"coded/s", "conv/s", "mem/s", "mem/v"}
    assert np.array_equal(arrays["mem/v"], want["mem"].v)
    for said in json.loads(members["expected.json"])["layers"]:
        trace = want[said["name"]]
        for variable, x in (*trace.state.items(), ("s", trace.s)):
            assert said["sha256"][variable] == hashlib.sha256(x.astype("<i4").tobytes()).hexdigest()
            assert said["steps"][variable] == [
                hashlib.sha256(now.astype("<i4").tobytes()).hexdigest()[:16] for now in x
            ]
        bits = np.unpackbits(arrays[f"{said['name']}/s"], axis=1, count=trace.s[0].size)
        assert np.array_equal(bits.reshape(trace.s.shape), trace.s)
        assert (said["neurons"], said["spikes"]) == (trace.s[0, 0].size, np.count_nonzero(trace.s))


def test_a_long_run_in_chunks_gives_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikeport.commands.proof.expected.CHUNK_BYTES", 1)
    assert verify_bundle(path).exit_code == 0


def test_mapping_has_every_neuron_on_one_core(path: Path) -> None:
    said = json.loads(open_bundle(path).members["mapping.json"])
    program, _ = small()
    assert [g["name"] for g in said["groups"]] == [g.name for g in program.groups]
    for group in said["groups"]:
        sizes = [-(-n // b) for n, b in zip(group["shape"], group["block"], strict=True)]
        assert int(np.prod(group["shape"])) == program.group(group["name"]).size
        assert len(group["cores"]) == int(np.prod(sizes)) == len(group["loads"]["neurons"])
        assert all(max(group["loads"][resource]) <= limit for resource, limit in said["limits"].items())
    assert said["cores"] == len({core for group in said["groups"] for core in group["cores"]})


def with_arrays(change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]]) -> Callable[[bytes], bytes]:
    return lambda data: npz_bytes(change(npz_arrays(data, "npz")))


TWIN = "is not the Program of program.h5: "
OURS = r"is not what spikeport 0.1.0 writes: line \d+"
HEX = r"[0-9a-f]{12}\.\.\."
EXPECTED = ("expected.json", "expected.npz")
MISMATCHES: list[tuple[str, Callable[[bytes], bytes], str, str]] = [
    (EXPECTED[1], flipped("coded/s", 2, 0), "expected.npz", "is not what the Program gives"),
    (
        EXPECTED[1],
        flipped("coded/s", 2, 0),
        "coded",
        r"step 3: s of sample 0, neuron 7 is ([01]), and runs as (?!\1)[01]",
    ),
    (EXPECTED[1], flipped("mem/v", 7, 1, 2), "mem", r"step 8: v of sample 1, neuron 2 is -?\d+, and runs as -?\d+"),
    (EXPECTED[1], flipped("mem/s", 3, 0), "mem", "step 4: s has bits beyond its neurons"),
    (EXPECTED[1], with_arrays(lambda x: {}), "conv", "step 1: s is no array of this layer"),
    (EXPECTED[0], told("layers", 1, "sha256", "u", to="0" * 64), "conv", "its hashes"),
    (EXPECTED[0], told("layers", 1, "steps", "rest", 4, to="0" * 16), "conv", "step 5: rest, by its hash"),
    (EXPECTED[0], told("layers", 2, "steps", "u", to=[]), "mem", "its hashes"),
    (EXPECTED[0], told("layers", 0, "spikes", to=1), "coded", "its numbers of neurons and spikes"),
    (EXPECTED[0], told("samples", to=7), "expected.json", "is not what the Program gives"),
    ("program.npz", flipped("connections/0/weight", 0, 0, 0, 0), "program.npz", TWIN + "connections/0/weight"),
    ("program.npz", with_arrays(lambda x: {}), "program.npz", TWIN + "groups/0/bias_mant"),
    ("program.npz", with_arrays(lambda x: dict(reversed(x.items()))), "program.npz", TWIN + "the order of its arrays"),
    ("program.json", told("profile", to="lava"), "program.json", TWIN + r"line \d+"),
    ("net.nir", lambda x: x + b"!", "net.nir", f"its SHA-256 is {HEX}, the Program was compiled from {HEX}"),
    ("input.npz", flipped("image", 0, 0, 0, 0, 0), "coded", "step 1: .*"),
    ("input.npz", with_arrays(lambda x: {"image": x["image"].astype(int)}), "input.npz", "is not in the form .*"),
    ("mapping.json", told("groups", 0, "cores", to=[5]), "mapping.json", OURS),
    ("replay.py", lambda data: b"print('equal')\n", "replay.py", OURS),
    ("README.md", lambda data: data + b"more\n", "README.md", OURS),
]


@pytest.mark.parametrize(("name", "change", "what", "said"), MISMATCHES)
def test_a_sealed_bundle_that_claims_something_else_is_no_proof(
    name: str, change: Callable[[bytes], bytes], what: str, said: str, path: Path
) -> None:
    resealed(path, {name: change(open_bundle(path).members[name])})

    found = verify_bundle(path)

    assert found.exit_code == 1 and not found.data["equal"]
    if what in found.data["layers"]:
        assert re.fullmatch(f"differs at {said}", found.data["layers"][what]), found.data
    else:
        assert re.fullmatch(said, found.data["files"][what]), found.data
    untouched = {x for other, x in found.data["files"].items() if other not in (name, *EXPECTED)}
    assert untouched <= {"equal"}


def test_another_program_does_not_give_what_is_expected(path: Path) -> None:
    program, inputs = small()
    other = given_of(replace(program, groups=(*program.groups[:2], replace(program.groups[2], dv=101))), inputs)
    resealed(path, {"program.h5": other.program_h5, "net.nir": None})
    found = verify_bundle(path)
    assert found.exit_code == 1
    assert found.data["layers"]["conv"] == "equal" and found.data["layers"]["mem"].startswith("differs at step")


def test_other_versions_write_their_scripts_and_cores_in_their_own_way(path: Path) -> None:
    text = {name: b"other\n" for name in ("replay.py", "README.md", "mapping.json", "workers/lava_worker.py")}
    resealed(path, text, VERSIONS | {"spikeport": "0.0.9"})
    found = verify_bundle(path)
    assert found.exit_code == 0
    assert {name for name, x in found.data["files"].items() if x == "of another version"} == set(text)
    resealed(path, {"program.json": b"{}"}, VERSIONS | {"spikeport": "0.0.9"})
    assert verify_bundle(path).exit_code == 1


def pickled() -> bytes:
    file = io.BytesIO()
    np.savez(file, image=np.array([{"a": 1}], object))
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("program.h5", b"", "program.h5: is not a spikeport Program"),
        ("program.h5", bytes(5000), "program.h5: is not a spikeport Program"),
        ("input.npz", pickled(), "input.npz: holds something other than arrays of integers"),
        ("input.npz", b"", "input.npz: is not an npz of integers"),
        ("input.npz", npz_bytes({}), "input.npz: arrays () are not the inputs image"),
        ("input.npz", npz_bytes({"image": np.zeros(3, np.int8)}), "input.npz: holds an array without steps"),
        ("expected.npz", pickled(), "expected.npz: holds something other than arrays of integers"),
        ("program.npz", pickled(), "program.npz: holds something other than arrays of integers"),
        ("expected.json", b"", "expected.json: has not the form that a bundle has"),
        ("expected.json", b"[" * 100_000, "expected.json: has not the form that a bundle has"),
        ("expected.json", b'{"layers": 7}', "expected.json: has not the form that a bundle has"),
        ("expected.json", b'{"layers": [{"name": "coded", "steps": 7}]}', "expected.json: has not the form"),
    ],
)
def test_a_sealed_file_that_cannot_be_read_is_refused(name: str, data: bytes, said: str, path: Path) -> None:
    resealed(path, {name: data})
    with pytest.raises(FileError) as error:
        verify_bundle(path)
    assert str(error.value).startswith(f"{path}: {said}") and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "x",
    [np.zeros((6, 2, 1, 4, 5), np.uint8), np.full((6, 2, 1, 4, 4), 256, np.int16), np.zeros((0, 2, 1, 4, 4), np.uint8)],
)
def test_an_input_that_the_program_does_not_take_is_refused(x: np.ndarray, path: Path) -> None:
    resealed(path, {"input.npz": npz_bytes({"image": x})})
    with pytest.raises(InputError, match="input image: "):
        verify_bundle(path)


def test_a_value_that_leaves_its_word_is_an_error(path: Path) -> None:
    group = LIF("h", (1,), 0, 0, 131071, np.array([4095]), bias_exp=7)
    program = Program(
        (group,), (Dense("x", "h", np.ones((1, 1), int)),), (Input("x", (1,), "spike"),), (Output("y", "h"),)
    )
    source = given_of(program, {"x": np.ones((40, 1, 1), int)})
    with pytest.raises(OverflowDetected, match="^h: v of neuron 0 at step"):
        members_of(source)


def test_lava_is_asked_for_the_samples_that_are_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def stand_in(program: Program, inputs: Any, mode: str, timeout_s: float) -> Any:
        asked.append((inputs["image"].shape, mode, timeout_s))
        raise SpikeportError("lava", "is not here")

    monkeypatch.setattr(verifying, "compare_with_lava", stand_in)
    with pytest.raises(SpikeportError, match="is not here"):
        verify_bundle(path, OnLava(1, "runtime", 7.0))
    assert asked == [((6, 1, 1, 4, 4), "runtime", 7.0)]
    with pytest.raises(InputError, match=r"samples: count \(0\) is not above 0"):
        verify_bundle(path, OnLava(0, "models", 7.0))
