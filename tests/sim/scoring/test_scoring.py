"""Shards: what is in them follows from the samples alone, and their files are whole or refused."""

import json
from dataclasses import replace
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pytest

from spikeport.errors import FileError, InputError, OverflowDetected
from spikeport.program import Program
from spikeport.sim import count_operations, simulate
from spikeport.sim.counting.counts_read import counts_of
from spikeport.sim.random_programs import random_program
from spikeport.sim.saved import fingerprint
from spikeport.sim.scoring import Part, Plan, Shard, load_shard, save_shard, score, shard, summarise
from spikeport.sim.scoring.plan import bind, present, shard_path
from spikeport.sim.scoring.shard_file import TornShard
from spikeport.sim.scoring.summary import check_labels
from tests.sim.scoring.repeater import CLASSES, STEPS, N, answers, repeater, samples


def plan(program: Program, count: int, size: int) -> Plan:
    return Plan(fingerprint(program), count, STEPS, size, "mean", program.profile, True, False)


def done(folder: Path, wanted: Plan, x: np.ndarray, y: np.ndarray, program: Program) -> None:
    bind(folder, wanted, resume=False)
    for number in range(wanted.shards):
        at = wanted.range_of(number)
        part = Part({"x": x[:, at.start : at.stop]}, y[at.start : at.stop])
        save_shard(score(program, part, at.start), shard_path(folder, number), wanted.sha256)


@pytest.mark.parametrize("size", [1, 4, 7, 100])
def test_the_summary_is_what_the_samples_say_whatever_the_shards(
    size: int, tmp_path: Path, rng: np.random.Generator
) -> None:
    program, (x, y) = repeater(), samples(rng, 30)
    wanted = plan(program, 30, size)
    done(tmp_path, wanted, x, y, program)
    found = summarise(tmp_path, wanted, y)
    expected = answers(x)
    confusion = [[sum(1 for a, b in zip(y, expected, strict=True) if (a, b) == (i, j)) for j in range(CLASSES)]
                 for i in range(CLASSES)]  # fmt: skip
    assert found.answers.tolist() == expected
    assert found.confusion is not None and found.confusion.tolist() == confusion
    assert found.correct == sum(int(a == b) for a, b in zip(y, expected, strict=True))
    assert (found.counts.spikes_out, found.counts.events_in, found.counts.sops) == (x.sum(), x.sum(), N * x.sum())
    data = found.to_json()
    assert data["sops_per_sample"] == float(N * x.sum()) / 30
    assert data["answered"] == [expected.count(c) for c in range(CLASSES)]


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator, tmp_path: Path) -> None:
    program, (x, y) = repeater(), samples(rng, 9)
    heard: list[int] = []
    for name, limit in (("one", 1 << 30), ("many", 1)):
        monkeypatch.setattr(shard, "CHUNK_BYTES", limit)
        found = score(program, Part({"x": x}, y), keep_outputs=True, between=heard.append)
        save_shard(found, tmp_path / name, "plan")
    assert heard == [9, *[1] * 9]
    assert (tmp_path / "one").read_bytes() == (tmp_path / "many").read_bytes()


def test_outputs_and_values_are_kept_as_they_came(tmp_path: Path, rng: np.random.Generator) -> None:
    program, (x, y) = repeater(), samples(rng, 4)
    save_shard(score(program, Part({"x": x}, y), 12, keep_outputs=True), tmp_path / "s.npz", "plan")
    found = load_shard(tmp_path / "s.npz", "plan")
    assert found.first == 12 and found.outputs.keys() == {"spikes"}
    assert np.array_equal(found.outputs["spikes"], x)
    assert np.array_equal(found.values, x.sum(axis=0).reshape(4, CLASSES, 2).sum(axis=2))


def test_without_classes_nothing_is_answered_but_all_is_counted(tmp_path: Path, rng: np.random.Generator) -> None:
    program, (x, y) = repeater(classes=0), samples(rng, 5)
    wanted = plan(program, 5, 2)
    done(tmp_path, wanted, x, y, program)
    found = summarise(tmp_path, wanted, y)
    assert (found.confusion, found.accuracy, found.classes) == (None, None, 0)
    assert found.answers.tolist() == [-1] * 5 and found.counts.sops == N * x.sum()


@pytest.mark.parametrize("seed", range(12))
def test_two_parts_count_what_the_whole_counts_also_from_their_files(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    program, inputs = random_program(rng)
    shaped = {name: x.reshape(*x.shape[:2], *program.shape_of(name)) for name, x in inputs.items()}
    batch = next(iter(shaped.values())).shape[1]
    found = []
    for number, at in enumerate([slice(0, 1), slice(1, batch)][: min(batch, 2)]):
        part = Part({name: x[:, at] for name, x in shaped.items()}, None)
        save_shard(score(program, part, profile="lava"), tmp_path / str(number), "plan")
        found.append(load_shard(tmp_path / str(number)).counts)
    whole = count_operations(program, simulate(program, shaped, profile="lava"))
    assert reduce(add, found) == whole == counts_of(json.loads(json.dumps(whole.to_json())))


def test_a_hash_tells_samples_apart_by_value_type_shape_label_and_name() -> None:
    x, y = np.arange(24, dtype=np.uint8).reshape(2, 3, 4), np.arange(3)
    other = x.copy()
    other[1, 2, 3] ^= 1
    parts = [
        Part({"x": x}, y), Part({"x": other}, y), Part({"x": x.astype(np.int16)}, y), Part({"z": x}, y),
        Part({"x": x}, y[::-1]), Part({"x": x}, None), Part({"x": x.reshape(4, 3, 2)}, y),
        Part({"x": np.broadcast_to(x[0], x.shape)}, y), Part({"x": np.broadcast_to(x[0], (5, 3, 4))}, y),
    ]  # fmt: skip
    assert len({part.sha256() for part in parts}) == len(parts)
    same = Part({"x": np.asfortranarray(x)}, y.astype(np.int32))
    assert same.sha256() == parts[0].sha256()
    assert Part({"x": np.broadcast_to(x[0].copy(), x.shape)}, y).sha256() == parts[7].sha256()


@pytest.fixture
def one(tmp_path: Path, rng: np.random.Generator) -> Path:
    x, y = samples(rng, 4)
    save_shard(score(repeater(), Part({"x": x}, y)), tmp_path / "s.npz", "plan")
    return tmp_path / "s.npz"


def test_a_shard_cut_short_or_changed_anywhere_is_torn(one: Path, rng: np.random.Generator) -> None:
    whole = one.read_bytes()
    load_shard(one, "plan")
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        one.write_bytes(whole[:length])
        with pytest.raises(TornShard, match="is not a whole shard; delete it"):
            load_shard(one, "plan")
    for at in rng.integers(0, len(whole), 60):
        changed = bytearray(whole)
        changed[at] ^= 1 << int(rng.integers(8))
        one.write_bytes(changed)
        try:
            found = load_shard(one, "plan")
        except TornShard:
            continue
        one.write_bytes(whole)  # a bit that no reader of zip files looks at
        same = load_shard(one, "plan")
        assert np.array_equal(found.values, same.values) and found.counts == same.counts


def test_a_shard_of_another_plan_is_refused_and_not_torn(one: Path) -> None:
    with pytest.raises(FileError, match="is a shard of another score; name a new folder") as caught:
        load_shard(one, "another")
    assert not isinstance(caught.value, TornShard)


def test_a_forged_head_is_torn(one: Path) -> None:
    with np.load(one) as file:
        arrays = {name: file[name] for name in file.files}
    head = json.loads(str(arrays.pop("head")))
    np.savez(one, head=np.array(json.dumps({**head, "first": 7})), **arrays)
    with pytest.raises(TornShard):
        load_shard(one, "plan")


def test_a_shard_in_the_wrong_place_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    program, (x, y) = repeater(), samples(rng, 4)
    wanted = plan(program, 4, 2)
    done(tmp_path, wanted, x, y, program)
    shard_path(tmp_path, 1).write_bytes(shard_path(tmp_path, 0).read_bytes())
    with pytest.raises(FileError, match="is a shard of other samples"):
        summarise(tmp_path, wanted, y)


def test_an_overflow_is_an_error(rng: np.random.Generator) -> None:
    program, (_, y) = repeater(), samples(rng, 2)
    heavy = replace(program.connections[0], weight_exp=7)
    keeping = replace(program.groups[0], du=0, vth=131071)
    with pytest.raises(OverflowDetected):
        score(replace(program, connections=(heavy,), groups=(keeping,)), Part({"x": np.ones((400, 2, N), np.uint8)}, y))


def test_a_folder_is_bound_to_one_plan(tmp_path: Path) -> None:
    program = repeater()
    wanted = plan(program, 10, 3)
    bind(tmp_path, wanted, resume=True)
    shard_path(tmp_path, 2).write_bytes(b"")
    (tmp_path / "shards" / ".000001.npz.k3.npz").write_bytes(b"")
    bind(tmp_path, wanted, resume=True)
    assert present(tmp_path, wanted) == [2] and len(list((tmp_path / "shards").iterdir())) == 1
    again = "say the same, or name a new folder"
    for other, resume, message in (
        (wanted, False, "holds a score already; go on with --resume, or name a new folder"),
        (replace(wanted, program_sha256="00"), True, "holds the score of another Program; name a new folder"),
        (replace(wanted, shard=4), True, f"was begun with shard (3) not 4; {again}"),
        (replace(wanted, decide="last"), True, f"was begun with decide (mean) not last; {again}"),
    ):  # fmt: skip
        with pytest.raises(FileError) as caught:
            bind(tmp_path, other, resume)
        assert str(caught.value) == f"{tmp_path}: {message}"
    (tmp_path / "plan.json").write_text('{"format"')
    with pytest.raises(FileError, match="cannot be read; name a new folder"):
        bind(tmp_path, wanted, resume=True)
    (tmp_path / "plan.json").unlink()
    with pytest.raises(FileError, match="holds shards without a plan"):
        bind(tmp_path, wanted, resume=True)


def test_shards_are_cut_by_number_alone() -> None:
    wanted = plan(repeater(), 10, 4)
    assert [wanted.range_of(n) for n in range(wanted.shards)] == [range(0, 4), range(4, 8), range(8, 10)]
    with pytest.raises(InputError, match=r"score: shard \(0\) is not above 0"):
        plan(repeater(), 10, 0)


def test_a_label_that_is_no_class_is_refused() -> None:
    check_labels("x", np.array([0, 2]), 3)
    for label in (-1, 3):
        with pytest.raises(InputError) as caught:
            check_labels("x", np.array([0, label]), 3)
        assert str(caught.value) == f"x: label ({label}) is not in [0, 2]"


def test_a_shard_has_as_many_samples_as_answers(rng: np.random.Generator) -> None:
    x, y = samples(rng, 3)
    found: Shard = score(repeater(), Part({"x": x}, y))
    assert len(found) == len(Part({"x": x}, y)) == 3
