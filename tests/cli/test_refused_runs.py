"""`run` and `energy` of what is no good."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikeport.program_file import load_program, save_program
from tests.cli.command import listing, spikeport
from tests.cli.refused import DO_WRITE, Case, X, assert_refused, samples, text, truncated
from tests.errors.lines import said

RUN = ("run", "{made}/net.h5", "-o", "{here}/y.npz")
RUN_X = (*RUN, "--input", "{here}/x.npz")
ENERGY_X = ("energy", "{made}/net.h5", "--input", "{here}/x.npz")
DO_NPZ = "; write it with numpy.savez, integers only"


def one_array(made: Path, folder: Path) -> None:
    with (folder / "x.npz").open("wb") as file:
        np.save(file, X)


BAD: dict[str, Case] = {
    # run
    "no Program": (
        ("run", "{here}/net.h5", "--input", "{made}/x.npz", "-o", "{here}/y.npz"),
        text("net.h5"),
        "{here}/net.h5: is not a spikeport Program; make one with: spikeport compile net.nir",
    ),
    "truncated Program": (
        ("run", "{here}/net.h5", "--input", "{made}/x.npz", "-o", "{here}/y.npz"),
        truncated("net.h5"),
        "{here}/net.h5: is damaged; compile it again, or copy it again",
    ),
    "no input": (RUN_X, text("other"), "{here}/x.npz: no such file"),
    "input that is no npz": (
        RUN_X,
        text("x.npz"),
        "{here}/x.npz: is not a readable npz file (it is no zip file)" + DO_NPZ,
    ),
    "input that is a Program": (
        ("run", "{made}/net.h5", "--input", "{made}/net.h5", "-o", "{here}/y.npz"),
        text("other"),
        "{made}/net.h5: is not an npz file (a Program)" + DO_NPZ,
    ),
    "input that is a folder": (
        ("run", "{made}/net.h5", "--input", "{here}", "-o", "{here}/y.npz"),
        text("other"),
        "{here}: is a folder; name a file in it",
    ),
    "Program that is a folder": (
        ("energy", "{here}", "--input", "{made}/x.npz"),
        text("other"),
        "{here}: is a folder; name a file in it",
    ),
    "truncated input": (RUN_X, truncated("x.npz"), "{here}/x.npz: is not a readable npz file ("),
    "input that is one array": (
        RUN_X,
        one_array,
        "{here}/x.npz: is not an npz file (one bare array, .npy)" + DO_NPZ,
    ),
    "empty input": (RUN_X, text("x.npz", ""), "{here}/x.npz: is not a readable npz file (it is empty)" + DO_NPZ),
    "input of objects": (
        RUN_X,
        samples(spikes=np.array([{}, None], object)),
        "{here}/x.npz: is not a readable npz file (Object arrays cannot be loaded when allow_pickle=False)" + DO_NPZ,
    ),
    "input of another name": (
        RUN_X,
        samples(images=X),
        "{here}/x.npz: holds no array ('spikes'); see 'spikeport run --help' for its layout",
    ),
    "input of the wrong shape": (
        RUN_X,
        samples(spikes=X[..., :7]),
        "input input: shape ((3, 2, 1, 8, 7)) is not (T, B, 1, 8, 8)",
    ),
    "input without time": (
        RUN_X,
        samples(spikes=X[0]),
        "input input: shape ((2, 1, 8, 8)) is not (T, B, 1, 8, 8)",
    ),
    "input of the wrong type": (
        RUN_X,
        samples(spikes=X / 255),
        "input input: type (float64) is not an integer array; round it to integers first",
    ),
    "input out of range": (
        RUN_X,
        samples(spikes=X.astype(np.int16) - 1),
        "input input: value (-1) is not in [0, 255]",
    ),
    "labels missing": (
        (*RUN_X, "--accuracy"),
        samples(spikes=X),
        "{here}/x.npz: holds no labels; add an array 'labels' of shape (B,)",
    ),
    "labels of the wrong length": (
        RUN_X,
        samples(spikes=X, labels=np.arange(3)),
        "{here}/x.npz: labels (int64, shape (3,)) are not one integer for each sample",
    ),
    "labels of the wrong type": (
        RUN_X,
        samples(spikes=X, labels=np.ones(2)),
        "{here}/x.npz: labels (float64, shape (2,)) are not one integer for each sample",
    ),
    "unknown backend": (
        (*RUN_X, "--backend", "gpu"),
        samples(spikes=X),
        "backend: name (gpu) is not one of ",
    ),
    "unknown group": (
        (*RUN_X, "--record", "lif1,lif9"),
        samples(spikes=X),
        "record: group (lif9) is not one of lif1, lif2, lif3",
    ),
    "result that cannot be written": (
        ("run", "{made}/net.h5", "--input", "{made}/x.npz", "-o", "{here}/file/y.npz"),
        text("file"),
        "{here}/file/y.npz: cannot be written (Not a directory)" + DO_WRITE,
    ),
    # energy
    "energy of the wrong shape": (
        ENERGY_X,
        samples(spikes=X[..., :7]),
        "{here}/x.npz (input input): shape ((3, 2, 1, 8, 7)) is not (T, B, 1, 8, 8)",
    ),
    "unknown prices": (
        (*ENERGY_X, "--profile", "free"),
        samples(spikes=X),
        "energy: profile ('free') is not one of cmos45-fp16, cmos45-fp32",
    ),
    "report that cannot be written": (
        (*ENERGY_X, "--html", "{here}/x.npz/report.html"),
        samples(spikes=X),
        "{here}/x.npz/report.html: cannot be written (Not a directory)" + DO_WRITE,
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_leaves_nothing(case: Case, made: Path, tmp_path: Path) -> None:
    assert_refused(case, made, tmp_path)


def test_accuracy_of_a_program_that_does_not_vote_is_refused(made: Path, tmp_path: Path) -> None:
    program = load_program(made / "net.h5")
    output = replace(program.outputs[0], classes=0)
    save_program(replace(program, outputs=(output,)), tmp_path / "net.h5")
    before = listing(tmp_path)
    ran = spikeport("run", tmp_path / "net.h5", "--input", made / "x.npz", "-o", tmp_path / "y.npz", "--accuracy")
    assert (ran.code, ran.err) == (
        2,
        f"error SP215: {tmp_path}/net.h5: classes of the output (0) is not above 0; compile with --classes N\n",
    )
    assert listing(tmp_path) == before


def test_a_damaged_input_file_is_refused_wherever_a_byte_is_wrong(made: Path, tmp_path: Path) -> None:
    with np.load(made / "x.npz") as file:
        np.savez_compressed(tmp_path / "x.npz", spikes=file["spikes"][:, :20])
    data = (tmp_path / "x.npz").read_bytes()
    for position in range(0, len(data), 41):
        (tmp_path / "x.npz").write_bytes(data[:position] + bytes([data[position] ^ 0x10]) + data[position + 1 :])
        ran = spikeport("run", made / "net.h5", "--input", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
        assert ran.code in (0, 2)
        if ran.code == 2:
            assert said(ran.err).count("\n") == 1
