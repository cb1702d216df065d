"""The recipe of docs/howto/loihi.md, word for word, on Lava's CPU runtime with stand-ins for lava-loihi."""

import re
from pathlib import Path

import numpy as np

from spikeport.deploy.child import run_child
from spikeport.deploy.lava_env import WORKER, LavaEnv, prepare
from spikeport.deploy.netx import write_netx
from spikeport.deploy.netx.lava_dl import WORKER as LAVA_DL
from spikeport.program import LIF, Dense, Input, Output, Program
from spikeport.sim import simulate

DOCS = Path(__file__).parents[3] / "docs" / "howto" / "loihi.md"
PRELUDE = f"""
import importlib.util, sys, types

def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

load("lava_dl_worker", {str(LAVA_DL)!r}).load_lava_dl()
sys.path.append({str(WORKER.parent)!r})
import chip_standins, lava_classes
lava_classes.load_lava()
chip_standins.load(0, 0, 0)
sys.modules["lava.proc.embedded_io"] = types.ModuleType("lava.proc.embedded_io")
sys.modules["lava.proc.embedded_io.spike"] = lava_classes.LAVA
import lava.magma.core.run_configs
lava.magma.core.run_configs.Loihi2HwCfg = lava_classes.LAVA.Loihi2HwCfg
"""


def recipe() -> str:
    (found,) = (code for code in re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.S) if "netx.hdf5" in code)
    return found


def test_the_documented_recipe_gives_the_simulators_spikes(
    env: LavaEnv, tmp_path: Path, rng: np.random.Generator
) -> None:
    fields = {"du": 4095, "bias_exp": 6, "reset_interval": 16}
    groups = (
        LIF("a", (5,), dv=512, vth=40, bias_mant=np.zeros(5, np.int64), reset_offset=2, **fields),
        LIF("b", (3,), dv=0, vth=60, bias_mant=np.ones(3, np.int64), reset_offset=3, **fields),
    )
    links = (
        Dense("x", "a", 2 * rng.integers(-30, 60, (5, 4))),
        Dense("a", "b", 2 * rng.integers(-30, 60, (3, 5))),
    )
    program = Program(groups, links, (Input("x", (4,), "spike"),), (Output("y", "b"),), latency=2)
    told = write_netx(program, tmp_path / "net.net")
    assert f"reset_interval={told.reset_interval}, reset_offset={told.reset_offset}" in recipe()
    spikes = rng.integers(0, 2, (14, 1, 4))
    np.savez(tmp_path / "x.npz", spikes=spikes)
    (tmp_path / "recipe.py").write_text(PRELUDE + recipe())
    run_child([prepare(env), tmp_path / "recipe.py"], what="recipe", timeout_s=120, cwd=tmp_path)
    with np.load(tmp_path / "y.npz") as file:
        found = file["spikes"]
    want = simulate(program, spikes).spikes[:, 0]
    assert np.array_equal(found, want) and np.any(want) and not np.all(want)
