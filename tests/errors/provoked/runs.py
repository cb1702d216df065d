"""SP6..: what may stop a run, a training, Lava or a board."""

import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from spikeport.commands.scoring.ranks import Together
from spikeport.commands.scoring.score import _check
from spikeport.deploy.board_taken import GAVE_UP, explained
from spikeport.deploy.child import run_child
from spikeport.deploy.lava_env import find_lava
from spikeport.deploy.loihi_machine import chip_env
from spikeport.errors import WorkerError
from spikeport.sim import Session, simulate
from spikeport.sim.scoring.plan import Plan
from tests.errors.provoked.small import SPIKES, dense, group, program

Patch = pytest.MonkeyPatch


def sp600(patch: Patch) -> None:
    def lost(group: object) -> None:
        raise RuntimeError("Connection closed by peer")

    launched = SimpleNamespace(global_rank=0, world_size=2, strategy=SimpleNamespace(launcher=None))
    Together(launched, print)._exchange(lost)  # type: ignore[arg-type]


def sp601(patch: Patch) -> None:
    heavy = program(groups=(group(vth=131071),), connections=(dense(weight=np.full((3, 2), 254), weight_exp=7),))
    simulate(heavy, np.ones((20, 1, 2), int))


def sp602(patch: Patch) -> None:
    Path("out/shards").mkdir(parents=True)
    plan = Plan("", 4, 1, shard=2, decide="mean", profile="strict", labelled=False, outputs=False)
    _check(Path("out"), plan, ())


def sp603(patch: Patch) -> None:
    session = Session(program())
    session.close()
    session.push(SPIKES[:1])


def sp610(patch: Patch) -> None:
    from spikeport.train.data import load_data
    from spikeport.train.loop.fit import Hooks, Saving, Watch, fit
    from spikeport.train.runs import model_of
    from tests.train.loop.test_fit import recipe

    class Stops(Watch):
        def end(self, epoch: object) -> None:
            signal.raise_signal(signal.SIGTERM)

    data = load_data("digits")
    Path("run").mkdir()
    fit(model_of(recipe(), data), data, recipe(), None, Saving(Path("run")), Hooks(Stops()))


def sp620(patch: Patch) -> None:
    run_child(["sh", "-c", "echo out of memory >&2; exit 3"], what="lava worker", timeout_s=60)


def sp621(patch: Patch) -> None:
    run_child(["sleep", "60"], what="lava worker", timeout_s=0.1, extra="raise the time limit, or run fewer samples")


def sp622(patch: Patch) -> None:
    patch.setenv("SPIKEPORT_LAVA_PYTHON", "/nowhere/python")
    find_lava()


def sp623(patch: Patch) -> None:
    patch.setenv("SPIKEPORT_LAVA_PYTHON", "")
    patch.setenv("PATH", "")
    chip_env()


def sp624(patch: Patch) -> None:
    for name in ("NXSDKHOST", "PARTITION"):
        patch.delenv(name, raising=False)
    waited = WorkerError("loihi worker", "failed", relation="with exit code", limit=GAVE_UP)
    raise explained(waited, 600)
