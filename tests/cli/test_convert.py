"""`spikeport convert`: both directions, and one clear line for everything else."""

import json
from pathlib import Path

import numpy as np
import pytest

from spikeport.commands.compiling import convert as command
from spikeport.deploy.netx import NetxArguments, read_netx
from spikeport.errors import InputError
from spikeport.program import identical
from spikeport.program_file import load_program
from tests.cli.command import in_child as spikeport
from tests.deploy.netx.netfile import RF, SDNN, dense, slayer_layer, spikes, write_net

W = np.array([[2, -4, 6], [8, 10, -12]])


@pytest.fixture
def net(tmp_path: Path) -> Path:
    return write_net(tmp_path / "model.net", spikes(3), dense(W, delay=[3, 4]), dense(W.T))


def test_there_and_back_gives_the_same_program(net: Path, tmp_path: Path) -> None:
    there = spikeport("convert", net, "-o", tmp_path / "net.h5", "--reset-interval", 8, "--reset-offset", 1)
    back = spikeport("convert", tmp_path / "net.h5", "-o", tmp_path / "again.net", "--json")

    assert (there.returncode, back.returncode) == (0, 0), there.stderr + back.stderr
    assert "net.h5 written; its output lags by 2 steps" in there.stdout
    program = load_program(tmp_path / "net.h5")
    assert [g.reset_offset for g in program.groups] == [2, 3]
    found = json.loads(back.stdout)
    assert (found["reset_interval"], found["reset_offset"]) == (8, 1)
    assert identical(read_netx(tmp_path / "again.net", reset_interval=8, reset_offset=1), program)


def convert(path: Path, output: Path, interval: int = 0, input_bits: int = 8, num_layers: int | None = None) -> str:
    told = NetxArguments(interval, 0, input_bits)
    return "; ".join(command.convert(path, output, told, num_layers, 0).notes)


def test_the_call_for_lava_dl_is_shown(net: Path, tmp_path: Path) -> None:
    convert(net, tmp_path / "net.h5", interval=8)
    assert "in lava-dl: netx.hdf5.Network('a.net', reset_interval=8, reset_offset=0)" in convert(
        tmp_path / "net.h5", tmp_path / "a.net"
    )
    convert(net, tmp_path / "net.h5")
    assert "in lava-dl: netx.hdf5.Network('a.net', reset_interval=None)" in convert(
        tmp_path / "net.h5", tmp_path / "a.net"
    )


def test_the_range_of_an_image_is_shown(tmp_path: Path) -> None:
    net = write_net(tmp_path / "model.net", slayer_layer("input", shape=(3,), weight=[64], bias=[0]), dense(W))
    notes = convert(net, tmp_path / "net.h5", input_bits=6)
    assert "input: integers in steps of 2^-6, from -4096 to 4095" in notes


def test_a_vote_is_dropped_and_that_is_said(tmp_path: Path) -> None:
    net = write_net(tmp_path / "model.net", dense(W), slayer_layer("average", shape=(2, 1, 1)))
    convert(net, tmp_path / "net.h5")
    assert load_program(tmp_path / "net.h5").outputs[0].classes == 2
    notes = convert(tmp_path / "net.h5", tmp_path / "a.net")
    assert "the vote among 2 classes is no part of the file" in notes
    convert(net, tmp_path / "net.h5", num_layers=1)
    assert load_program(tmp_path / "net.h5").outputs[0].classes == 0


def test_a_sigma_delta_network_goes_there_and_back(tmp_path: Path) -> None:
    first, last = slayer_layer("input", shape=(3,), neuron=SDNN), dense(W.T, neuron={**SDNN, "sigma_output": True})
    net = write_net(tmp_path / "model.net", first, dense(W, neuron=SDNN), last)

    there = spikeport("convert", net, "-o", tmp_path / "net.h5", "--spike-exp", 2)
    behind = spikeport("convert", net, "-o", tmp_path / "behind.h5", "--skip-layers", 1, "--json")
    back = spikeport("convert", tmp_path / "net.h5", "-o", tmp_path / "again.net", "--json")

    assert (there.returncode, behind.returncode, back.returncode) == (0, 0, 0), there.stderr + back.stderr
    assert "input: integers, from -32767 to 32767" in there.stdout and "stage sigma_delta, vth 3" in there.stdout
    assert [g["stage"] for g in json.loads(behind.stdout)["groups"]] == ["sigma_delta", "sigma"]
    assert json.loads(back.stdout)["spike_exp"] == 2
    assert identical(read_netx(tmp_path / "again.net", spike_exp=2), load_program(tmp_path / "net.h5"))
    notes = convert(tmp_path / "behind.h5", tmp_path / "behind.net")
    assert "Network('behind.net', reset_interval=None, input_message_bits=16, spike_exp=6)" in notes


def test_a_network_of_resonators_goes_there_and_back(tmp_path: Path) -> None:
    net = write_net(tmp_path / "model.net", {**dense(W, neuron=RF), "weight": {"real": W, "imag": -W}})
    answer = command.convert(net, tmp_path / "net.h5", NetxArguments(), None, 0)
    assert answer.rows == [("fc0", "2", "Resonator", "type rf, sin_decay 2000, cos_decay 3000, vth 30")]
    convert(tmp_path / "net.h5", tmp_path / "again.net")
    assert identical(read_netx(tmp_path / "again.net"), load_program(tmp_path / "net.h5"))


@pytest.mark.parametrize(("source", "target"), [("a.net", "b.net"), ("a.h5", "b.h5"), ("a.net", "b.txt"), ("a", "b")])
def test_files_that_are_no_such_pair_are_refused(tmp_path: Path, source: str, target: str) -> None:
    with pytest.raises(InputError) as refused:
        convert(tmp_path / source, tmp_path / target)
    line = f"convert: files ({source} to {target}) are not NET.net to NET.h5, or NET.h5 to NET.net"
    assert str(refused.value) == line


def test_a_broken_file_is_one_line_and_nothing_is_written(net: Path, tmp_path: Path) -> None:
    net.write_bytes(net.read_bytes()[:700])
    answer = spikeport("convert", net, "-o", tmp_path / "net.h5")
    assert answer.returncode == 2
    assert answer.stderr.startswith(f"error SP103: {net}: is not a readable netx file")
    assert len(answer.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "net.h5").exists()
