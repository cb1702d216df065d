"""`spikeport score`: the same bits by one process and by two, after any kill; and what it refuses."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spikeport.program_file import load_program, save_program
from tests.cli.command import done, spikeport
from tests.cli.tiny import RECIPE
from tests.processes import children, ended, until
from tests.sim.scoring.repeater import CLASSES, N, answers, repeater, samples

COUNT = 60
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
ALONE = "import sys; from spikeport import cli\ntry: cli.main()\nfinally: print('torch' in sys.modules)"


@pytest.fixture
def net(tmp_path: Path, rng: np.random.Generator) -> Path:
    """`net.h5`, `x.npz`, and the same samples as a folder of npy files."""
    x, y = samples(rng, COUNT)
    save_program(repeater(), tmp_path / "net.h5")
    np.savez_compressed(tmp_path / "x.npz", spikes=x, labels=y)
    (tmp_path / "x").mkdir()
    np.save(tmp_path / "x" / "spikes.npy", x)
    np.save(tmp_path / "x" / "labels.npy", y)
    return tmp_path


def scored(net: Path, output: str, *more: object, data: str = "x") -> tuple[object, ...]:
    return ("score", net / "net.h5", "--data", net / data, "-o", net / output, "--shard", 4, *more)


def files(folder: Path) -> dict[str, bytes]:
    """All that does not depend on the run."""
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name not in ("lock", "summary.json")}


def results(folder: Path) -> Any:
    return json.loads((folder / "summary.json").read_text())["results"]


def started(*arguments: object, launch: tuple[str, ...] = (), torch: bool = True) -> "subprocess.Popen[str]":
    command = [*launch, "-m", "spikeport"] if torch else ["-c", ALONE]
    environment = {k: v for k, v in os.environ.items() if k != "WORLD_SIZE"} | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *command, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment,
    )  # fmt: skip


def wait_for(path: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_the_answer_says_what_the_samples_say(net: Path) -> None:
    with np.load(net / "x.npz") as file:
        x, y = file["spikes"], file["labels"]
    ran = done(*scored(net, "out", "--json", data="x.npz")).json
    want = answers(x)
    correct = sum(int(a == b) for a, b in zip(y, want, strict=True))
    found = ran["results"]
    assert (found["samples"], found["correct"], found["accuracy"]) == (COUNT, correct, correct / COUNT)
    assert np.trace(found["confusion"]) == correct and np.sum(found["confusion"]) == COUNT
    assert found["counts"]["totals"]["sops"] == N * int(x.sum())
    assert found["sops_per_sample"] == N * int(x.sum()) / COUNT
    assert ran["run"]["shards_done"] == 15 and ran["run"]["samples"] == COUNT
    with np.load(net / "out" / "answers.npz") as file:
        assert file["answers"].tolist() == want and np.array_equal(file["labels"], y)
    assert results(net / "out") == found
    shown = done(*scored(net, "out", "--resume", data="x.npz"))
    assert f"accuracy {correct / COUNT:.2%} ({correct} of {COUNT})" in shown.out
    assert "0 shards done, 15 kept from before" in shown.out


def test_a_folder_of_npy_files_gives_what_an_npz_file_gives(net: Path) -> None:
    done(*scored(net, "a", "--spikes", data="x.npz"))
    done(*scored(net, "b", "--spikes", data="x"))
    assert files(net / "a") == files(net / "b")
    assert results(net / "a") == results(net / "b")


def test_images_without_steps_are_shown_for_all(net: Path) -> None:
    image = np.load(net / "x" / "spikes.npy")[0]
    np.save(net / "x" / "spikes.npy", image)
    assert (
        spikeport(*scored(net, "a")).err == "error SP206: score: the steps of an image are not known; say --steps T\n"
    )
    done(*scored(net, "a", "--steps", 3))
    assert results(net / "a")["counts"]["totals"]["sops"] == 3 * N * int(image.sum())
    np.savez(net / "y.npz", spikes=np.repeat(image[None], 3, axis=0), labels=np.load(net / "x" / "labels.npy"))
    done(*scored(net, "b", data="y.npz"))
    assert results(net / "a") == results(net / "b")


@pytest.mark.slow
def test_two_processes_one_of_them_killed_and_two_of_torchrun_give_the_bits_of_one(net: Path) -> None:
    """On the way: a killed child ends its parent with a line, and none is left behind."""
    np.save(net / "x" / "spikes.npy", np.tile(np.load(net / "x" / "spikes.npy"), (10, 20, 1)))
    np.save(net / "x" / "labels.npy", np.tile(np.load(net / "x" / "labels.npy"), 20))
    with started(*scored(net, "two", "--processes", 2)) as parent:
        wait_for(net / "two" / "shards" / "000001.npz")
        (child,) = children(parent.pid)
        os.kill(child, signal.SIGKILL)
        _, said = parent.communicate(timeout=60)
    assert parent.returncode == 1
    until(lambda: ended(child), 20)
    assert said == f"error SP600: {net / 'two'}: a process was killed by signal 9; go on with --resume\n"
    there = len(list((net / "two" / "shards").glob("0*.npz")))
    assert 0 < there < 300 and not (net / "two" / "summary.json").exists()

    with started(*scored(net, "two", "--resume", "--json"), launch=TORCHRUN) as ran:
        told, said = ran.communicate(timeout=120)
    assert ran.returncode == 0, said
    run = json.loads(told)["run"]
    assert (run["processes"], run["shards_kept"], run["shards_done"]) == (2, there, 300 - there)

    done(*scored(net, "one"))
    assert files(net / "one") == files(net / "two")
    assert results(net / "one") == results(net / "two")


@pytest.mark.slow
def test_a_process_whose_launcher_is_killed_ends_itself(net: Path) -> None:
    with started(*scored(net, "out", "--processes", 2)) as parent:
        until(lambda: bool(children(parent.pid)) or parent.poll() is not None, 60)
        found = children(parent.pid)
        parent.kill()
    assert found
    until(lambda: all(ended(child) for child in found), 20)


def test_a_killed_process_is_taken_up_where_it_was_and_without_torch(net: Path) -> None:
    np.save(net / "x" / "spikes.npy", np.tile(np.load(net / "x" / "spikes.npy"), (10, 10, 1)))
    (net / "x" / "labels.npy").unlink()
    with started(*scored(net, "out"), torch=False) as process:
        wait_for(net / "out" / "shards" / "000002.npz")
        refused = spikeport(*scored(net, "out", "--resume"))
        process.kill()
    assert refused.code == 2 and f"is in use by (process {process.pid} on " in refused.err
    there = set((net / "out" / "shards").glob("0*.npz"))
    assert 3 <= len(there) < 150 and not (net / "out" / "summary.json").exists()
    before = {path: path.stat().st_mtime_ns for path in there}
    with started(*scored(net, "out", "--resume", "--json"), torch=False) as process:
        told, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert told.splitlines()[-1] == "False"  # no torch
    run = json.loads("\n".join(told.splitlines()[:-1]))["run"]
    assert (run["shards_kept"], run["shards_done"]) == (len(there), 150 - len(there))
    assert before == {path: path.stat().st_mtime_ns for path in there}
    done(*scored(net, "again"))
    assert files(net / "again") == files(net / "out")


def test_a_torn_shard_is_done_again(net: Path) -> None:
    done(*scored(net, "out"))
    whole = files(net / "out")
    (net / "out" / "shards" / "000003.npz").write_bytes(whole["000003.npz"][:200])
    (net / "out" / "shards" / "000005.npz").unlink()
    ran = done(*scored(net, "out", "--resume", "--json"))
    assert ran.err == f"{net / 'out' / 'shards' / '000003.npz'} is not whole: it is done again\n"
    run = ran.json["run"]
    assert (run["shards_done"], run["shards_redone"], run["shards_kept"]) == (2, 1, 13)
    assert files(net / "out") == whole


def test_another_program_other_samples_and_other_options_are_refused(net: Path) -> None:
    done(*scored(net, "out"))
    whole = files(net / "out")
    shutil.copytree(net / "x", net / "z")
    x = np.load(net / "z" / "spikes.npy")
    x[0, 9, 0] ^= 1
    np.save(net / "z" / "spikes.npy", x)
    program = load_program(net / "net.h5")
    save_program(replace(program, groups=(replace(program.groups[0], vth=11),)), net / "other.h5")
    out = net / "out"
    foreign = ("score", net / "other.h5", "--data", net / "x", "-o", out, "--shard", 4, "--resume")
    for arguments, message in (
        (scored(net, "out"), f"{out}: holds a score already; go on with --resume, or name a new folder"),
        (foreign, f"{out}: holds the score of another Program; name a new folder"),
        (scored(net, "out", "--resume", data="z"), "000002.npz: was scored on other samples; name a new folder"),
        (scored(net, "out", "--resume", "--decide", "last"), "was begun with decide (mean) not last"),
    ):
        ran = spikeport(*arguments)
        assert ran.code == 2 and message in ran.err and ran.err.count("\n") == 1
    assert files(net / "out") == whole


def test_an_overflow_names_the_shard_and_what_is_missing(net: Path) -> None:
    program = load_program(net / "net.h5")
    heavy = replace(program.connections[0], weight_exp=7)
    keeping = replace(program.groups[0], dv=0, vth=131071)
    save_program(replace(program, connections=(heavy,), groups=(keeping,)), net / "net.h5")
    x = np.zeros((600, 12, N), np.uint8)
    x[:, 5] = 1
    np.savez(net / "x.npz", spikes=x)
    ran = spikeport(*scored(net, "out", data="x.npz"))
    assert ran.code == 1 and ran.err.startswith(f"error SP601: {net / 'out'}, shard 1: ")
    assert ran.err.endswith("; missing: 1, 2; go on with --resume\n") and ran.err.count("\n") == 1
    assert not (net / "out" / "summary.json").exists()
    assert [p.name for p in (net / "out" / "shards").iterdir()] == ["000000.npz"]


@pytest.mark.uncovered
def test_a_full_disk_is_one_line_and_leaves_no_half_file(net: Path) -> None:
    np.save(net / "x" / "spikes.npy", np.tile(np.load(net / "x" / "spikes.npy"), (40, 1, 1)))
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n{ALONE}"
    command = [sys.executable, "-c", limited, *map(str, scored(net, "out"))]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    do = "make room, or choose another folder"
    assert ran.returncode == 2 and "000000.npz: cannot be written (File too large); " + do in ran.stderr
    assert ran.stderr.count("\n") == 1 and list((net / "out" / "shards").iterdir()) == []


def test_the_test_split_of_a_recipe_gives_the_accuracy_of_training(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (tmp_path / "small.toml").write_text(RECIPE.replace('"digits"', '"digits"\nlimit_train = 100\nlimit_test = 30'))
    trained = done("train", tmp_path / "small.toml", "-o", run, "--json").json
    done("export", run, "-o", tmp_path / "net.nir", "--samples", tmp_path / "x.npz")
    done("compile", tmp_path / "net.nir", "-o", tmp_path / "net.h5")
    scores = [
        done("score", tmp_path / "net.h5", "--data", data, "-o", tmp_path / f"out{n}", "--json").json["results"]
        for n, data in enumerate((run, tmp_path / "small.toml", tmp_path / "x.npz"))
    ]
    assert scores[0] == scores[1] == scores[2]
    assert scores[0]["accuracy"] == trained["quantized_accuracy"] and scores[0]["samples"] == 30
    ran = spikeport("score", tmp_path / "net.h5", "--data", "alif-fashion", "-o", tmp_path / "o", "--data-folder", run)
    assert ran.code == 2 and not (tmp_path / "o").exists()


def test_what_a_sample_took_is_scaled_to_a_plan(net: Path) -> None:
    ran = done(*scored(net, "out", "--threads", 1, "--plan", 1_000_000, "--cores", 100, "--json")).json
    run, found = ran["run"], ran["estimate"]
    assert found["core_hours"] == pytest.approx(run["seconds"] / COUNT * 1e6 / 3600)
    assert found["busy_hours"] == pytest.approx(run["cpu_s"] / COUNT * 1e6 / 3600)
    assert found["hours"] == pytest.approx(found["core_hours"] / 100)
    assert found["shards"] == 250_000
    sizes = [p.stat().st_size for p in (net / "out" / "shards").iterdir()]
    assert found["disk_bytes"] == pytest.approx(250_000 * sum(sizes) / len(sizes))
    ran = spikeport(*scored(net, "out", "--resume", "--plan", 10))
    assert ran.code == 2 and "samples scored now (0) are too few to plan from; score into a new folder" in ran.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spikes": np.zeros((5, 4, N + 1), int)}, "shape ((5, 4, 7)) is not (T, B, 6) or (B, 6)"),
        ({"spikes": np.zeros((5, 0, N), int)}, "shape ((5, 0, 6)) is not (T, B, 6) or (B, 6)"),
        ({"spikes": np.zeros((5, 4, N))}, "type (float64) is not an integer array"),
        ({"spikes": np.full((5, 4, N), 2)}, "input x: value (2) is not in [0, 1]"),
        ({"labels": np.array([0, 1])}, "labels (int64, shape (2,)) are not one integer for each of 4 samples"),
        ({"labels": np.array([0, 1, 2, CLASSES])}, "label (3) is not in [0, 2]"),
        ({"spikes": None}, "holds no array ('spikes')"),
    ],
)
def test_samples_that_do_not_fit_are_refused(net: Path, change: dict[str, Any], message: str) -> None:
    arrays = {"spikes": np.zeros((5, 4, N), int), "labels": np.zeros(4, int), **change}
    np.savez(net / "bad.npz", **{name: x for name, x in arrays.items() if x is not None})
    ran = spikeport(*scored(net, "out", data="bad.npz"))
    assert ran.code == 2 and message in ran.err and ran.err.count("\n") == 1
    assert not (net / "out" / "summary.json").exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--shard", 0), "score: shard (0) is not above 0"),
        (("--processes", 0), "score: processes and nodes (0, 1) are not above 0"),
        (("--threads", 0), "score: threads (0) are not above 0"),
        (("--steps", 3), "steps (5) are not 3; leave --steps out"),
    ],
)
def test_numbers_that_cannot_be_are_refused(net: Path, more: tuple[object, ...], message: str) -> None:
    ran = spikeport(*scored(net, "out", *more))
    assert ran.code == 2 and message in ran.err and not (net / "out").exists()


def test_damaged_npy_files_and_unwritable_folders_are_refused(net: Path) -> None:
    (net / "out").write_text("a file")
    assert "out: cannot be made (File exists)" in spikeport(*scored(net, "out")).err
    (net / "x" / "spikes.npy").write_bytes(b"\x93NUMPY")
    ran = spikeport(*scored(net, "o"))
    assert ran.code == 2 and "is not a readable npy file" in ran.err and not (net / "o").exists()
    np.save(net / "x" / "spikes.npy", np.array([{}]), allow_pickle=True)
    assert "is not a readable npy file" in spikeport(*scored(net, "o")).err
