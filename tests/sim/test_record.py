"""What `record` streams to a file is what `simulate` gives, in memory that the chunk bounds."""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.errors import FileError, InputError, OverflowDetected
from spikeport.fixed import Ints
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.sim import record, simulate
from spikeport.sim.random_programs import KINDS, random_program
from spikeport.sim.record import write_arrays
from spikeport.sim.saved import fingerprint
from spikeport.sim.simulate import Engine
from spikeport.sim.steps import EventSteps, ReferenceSteps


def arrays(path: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, x: found.update({name: x[()]}) if isinstance(x, h5py.Dataset) else None)
    return found


@given(
    seed=st.integers(0, 2**32),
    chunk=st.integers(1, 20),
    engine=st.sampled_from(["reference", "events"]),
    data=st.data(),
)
def test_streamed_arrays_equal_those_of_a_run_in_memory(
    seed: int, chunk: int, engine: Engine, data: st.DataObject
) -> None:
    program, inputs = random_program(np.random.default_rng(seed), steps=data.draw(st.integers(1, 12)), kinds=KINDS)
    groups = data.draw(st.sets(st.sampled_from([g.name for g in program.groups])))
    want = simulate(program, inputs, record=groups, engine=engine)

    with TemporaryDirectory() as folder:
        path = Path(folder) / "y.h5"
        found = record(program, inputs, groups, path, chunk_steps=chunk, engine=engine)
        got = arrays(path)

    assert got.pop("latency") == want.latency == found.latency
    assert got.pop("program_sha256").tobytes().hex() == fingerprint(program)
    assert np.array_equal(got.pop("spikes"), want.spikes)
    for name, trace in want.traces.items():
        for variable, x in {**trace.state, "s": trace.s}.items():
            assert np.array_equal(got.pop(f"{name}/{variable}"), x)
    assert not got
    assert np.array_equal(found.counts, want.counts())
    assert (found.steps, found.batch) == want.spikes.shape[:2] and found.n_spikes == np.count_nonzero(want.spikes)


@given(seed=st.integers(0, 2**32), cut=st.integers(1, 9), chunk=st.integers(1, 5))
def test_a_recording_in_parts_is_the_recording_in_one(seed: int, cut: int, chunk: int) -> None:
    program, inputs = random_program(np.random.default_rng(seed), steps=10, kinds=KINDS)
    groups = [g.name for g in program.groups]
    want = simulate(program, inputs, record=groups)
    with TemporaryDirectory() as folder:
        a, b = Path(folder) / "a.h5", Path(folder) / "b.h5"
        head, tail = ({n: x[s] for n, x in inputs.items()} for s in (slice(cut), slice(cut, None)))
        first = record(program, head, groups, a, chunk_steps=chunk, flush=False)
        record(program, tail, groups, b, chunk_steps=chunk, state=first.state)
        one, two = arrays(a), arrays(b)
    assert np.array_equal(np.concatenate([one["spikes"], two["spikes"]]), want.spikes)
    for name, trace in want.traces.items():
        assert np.array_equal(np.concatenate([one[f"{name}/s"], two[f"{name}/s"]]), trace.s)


def wide(n: int = 50) -> Program:
    group = LIF("h", (n,), 1024, 128, 10, np.ones(n, int))
    link = Dense("x", "h", 2 * np.eye(n, dtype=int))
    return Program((group,), (link,), (Input("x", (n,), "spike"),), (Output("y", "h"),), latency=1)


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Bytes of all arrays that each call of an engine took and gave."""
    found: list[int] = []
    for steps in (EventSteps, ReferenceSteps):

        def advance(self: Any, inputs: dict[str, Ints], *rest: Any, old: Any = steps.advance) -> Any:
            keep, sent = old(self, inputs, *rest)
            given = sum(x.nbytes for x in inputs.values())
            found.append(given + sum(x.nbytes for v in (sent, *keep.values()) for x in v.values()))
            return keep, sent

        monkeypatch.setattr(steps, "advance", advance)
    yield found


@pytest.mark.parametrize("engine", ["reference", "events"])
def test_the_chunk_bounds_the_memory_of_a_long_run(
    engine: Engine, sizes: list[int], tmp_path: Path, rng: np.random.Generator
) -> None:
    x = (rng.random((2000, 2, 50)) < 0.1).astype(np.uint8)
    per_step = 2 * 50 * (1 + 4 + 4 + 1)  # of the input, u, v and the output

    record(wide(), x, ["h"], tmp_path / "y.h5", chunk_steps=16, engine=engine)

    assert len(sizes) == -(-2001 // 16)
    assert max(sizes) == 16 * per_step
    assert sum(sizes) == 2001 * per_step


def test_without_a_number_of_steps_a_chunk_takes_a_fixed_number_of_bytes(
    sizes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["spikeport.sim.record"], "CHUNK_BYTES", 100_000)
    record(wide(), np.zeros((300, 3, 50), np.uint8), ["h"], tmp_path / "y.h5")
    assert 50_000 < max(sizes) <= 100_000


def test_bad_input_is_refused_before_a_step_is_run(sizes: list[int], tmp_path: Path) -> None:
    x = np.zeros((100, 1, 50), np.uint8)
    x[99, 0, 0] = 2
    for bad, words in (
        (x, r"value \(2\) is not in"),
        (x[:, :, :3], "shape"),
        ([[1]], "type"),
        (x[:0], "shape"),
        (np.uint8(3), "type"),
    ):
        with pytest.raises(InputError, match=words):
            record(wide(), bad, ["h"], tmp_path / "y.h5", chunk_steps=10)  # type: ignore[arg-type]
    good = np.zeros((4, 1, 50), np.uint8)
    with pytest.raises(InputError, match="chunk_steps"):
        record(wide(), good, ["h"], tmp_path / "y.h5", chunk_steps=0)
    with pytest.raises(InputError, match="record: group"):
        record(wide(), good, ["z"], tmp_path / "y.h5")
    with pytest.raises(FileError, match="cannot be written"):
        record(wide(), good, ["h"], tmp_path / "none" / "y.h5")
    assert not sizes and not list(tmp_path.iterdir())


def test_a_run_that_fails_on_the_way_leaves_nothing_behind(tmp_path: Path) -> None:
    group = LIF("h", (1,), 4095, 0, 131071, np.array([4095]), bias_exp=7)
    program = Program((group,), (), (Input("x", (1,), "spike"),), (Output("y", "h"),))
    (tmp_path / "y.h5").write_text("as it was")
    with pytest.raises(OverflowDetected, match="h: v of neuron 0 at step 17"):
        record(program, np.zeros((40, 1, 1), np.uint8), ["h"], tmp_path / "y.h5", chunk_steps=4)
    assert [p.name for p in tmp_path.iterdir()] == ["y.h5"] and (tmp_path / "y.h5").read_text() == "as it was"


def test_arrays_of_any_rank_are_written_as_they_are(tmp_path: Path) -> None:
    arrays = {"latency": np.array(3), "digest": np.arange(32, dtype=np.uint8), "g/u": np.arange(12).reshape(3, 2, 2)}
    write_arrays(tmp_path / "y.h5", arrays)
    with h5py.File(tmp_path / "y.h5") as file:
        assert all(np.array_equal(file[key][()], x) for key, x in arrays.items())
