"""SP1..: each provoked in an empty folder, which is the current one."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from spikeport import program_file
from spikeport.atomic import check_replaceable
from spikeport.commands.conformance import recordings
from spikeport.commands.running.bisect import read_traces
from spikeport.commands.samples import read_calibration
from spikeport.deploy.read import read_nir
from spikeport.errors import WorkerError
from spikeport.lock import locked
from spikeport.program_file import load_program, save_program
from spikeport.sim import load_state, save_state, simulate
from spikeport.sim.energy.described import read_described
from tests.errors.provoked.small import SPIKES, program

Patch = pytest.MonkeyPatch


def sp100(patch: Patch) -> None:
    np.savez("x.npz", spikes=np.zeros((4, 1, 2)))
    read_calibration(Path("x.npz"))


def sp101(patch: Patch) -> None:
    load_program("net.h5")


def sp102(patch: Patch) -> None:
    save_program(program(), "missing/net.h5")


def sp103(patch: Patch) -> None:
    Path("net.nir").write_text("version https://git-lfs.github.com/spec/v1\n")
    read_nir("net.nir")


def sp104(patch: Patch) -> None:
    save_program(program(), "net.h5")
    with h5py.File("net.h5", "r+") as file:
        file["groups/g/bias_mant"][0] = 1
    load_program("net.h5")


def sp105(patch: Patch) -> None:
    h5py.File("x.h5", "w").close()
    load_program("x.h5")


def sp106(patch: Patch) -> None:
    with pytest.MonkeyPatch.context() as newer:
        newer.setattr(program_file, "VERSION", 999)
        save_program(program(), "net.h5")
    load_program("net.h5")


def sp107(patch: Patch) -> None:
    Path("out").touch()
    check_replaceable(Path("out"), ())


def sp108(patch: Patch) -> None:
    Path("run").mkdir()
    with locked(Path("run")), locked(Path("run")):
        pass


def sp109(patch: Patch) -> None:
    state = simulate(program(), SPIKES, flush=False).state
    assert state is not None
    save_state(state, "state.npz")
    load_state("state.npz", replace(program(), latency=3))


def sp110(patch: Patch) -> None:
    with open("net.nir", "wb") as file:
        file.truncate((1 << 28) + 1)
    read_nir("net.nir")


def sp111(patch: Patch) -> None:
    np.savez("y.npz", y=SPIKES)
    read_traces(Path("y.npz"))


def sp112(patch: Patch) -> None:
    Path("net.toml").write_text('[network]\nname = "n"\nsteps = 4\n')
    read_described("net.toml")


def sp113(patch: Patch) -> None:
    def offline(*args: object, **options: object) -> str:
        raise WorkerError("pip", "failed", got="no network", relation="with exit code", limit=1)

    patch.setenv("XDG_CACHE_HOME", str(Path.cwd()))
    patch.setattr(recordings, "run_child", offline)
    recordings.fetched_wheel()


def sp120(patch: Patch) -> None:
    from spikeport.train.data import load_data

    load_data("cifar10")


def sp121(patch: Patch) -> None:
    from spikeport.train.data.idx import read_idx

    Path("labels.gz").write_bytes(b"no gzip")
    read_idx(Path("labels.gz"), 1)
