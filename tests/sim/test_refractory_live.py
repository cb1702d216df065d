"""The refractory period against Lava's float model of it, on integers that floats hold exactly."""

import json
from pathlib import Path

import numpy as np

from spikeport.deploy.child import run_child
from spikeport.deploy.lava_env import WORKER, prepare
from spikeport.program import LIF
from spikeport.sim.guard import Guard
from spikeport.sim.rules import step
from spikeport.sim.state import cleared_group
from tests.lava import lava_or_skip

N, STEPS = 30, 13
SCRIPT = """
import json, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from lava_classes import load_lava
from lava_models import Spikes, build
load_lava()
from lava.proc.lif.models import PyLifRefractoryModelFloat
from lava.proc.lif.process import LIFRefractory

class In:
    def recv(self):
        return self.data

told = []
for case in json.loads(open(sys.argv[2]).read()):
    arriving = In()
    process = LIFRefractory(shape=(len(case["a"][0]),), **case["values"])
    sent = Spikes()
    model = build(process, PyLifRefractoryModelFloat, {"a_in": [arriving], "s_out": [sent]})
    seen = {"u": [], "v": [], "s": [], "end": []}
    for t, a in enumerate(case["a"], 1):
        arriving.data, model.time_step = np.array(a, float), t
        model.run_spk()
        for name, x in {"u": model.u, "v": model.v, "s": sent.data, "end": model.refractory_period_end}.items():
            seen[name].append(x.tolist())
    told.append(seen)
print(json.dumps(told))
"""


def draw(rng: np.random.Generator) -> tuple[LIF, np.ndarray]:
    """Every decay halves at most, and what arrives has more factors of two than there are steps."""
    dv = int(rng.choice([0, 2048, 4096]))
    bias = rng.integers(-20, 20, N) if dv != 2048 else np.zeros(N, int)
    group = LIF(
        "g",
        (N,),
        du=int(rng.choice([-1, 2047, 4095])),
        dv=dv,
        vth=int(rng.choice([0, 5, 300, 3000])),
        bias_mant=bias,
        bias_exp=4,
        refractory_steps=int(rng.integers(1, 6)),
    )
    return group, rng.integers(-20, 40, (STEPS, N)) << STEPS - 6


def in_floats(group: LIF, a: np.ndarray) -> dict[str, object]:
    """Lava's float model in the units of v: no shift by 6, decays as fractions."""
    values = {
        "du": (group.du + 1) / 4096,
        "dv": group.dv / 4096,
        "vth": group.vth * 64.0,
        "bias_mant": (group.bias_mant.astype(int) << group.bias_exp).tolist(),
        "refractory_period": group.refractory_steps,
    }
    return {"values": values, "a": (a * 64).tolist()}


def test_the_refractory_period_is_that_of_lavas_float_model(tmp_path: Path, rng: np.random.Generator) -> None:
    python = prepare(lava_or_skip())
    cases = [draw(rng) for _ in range(40)]
    (tmp_path / "cases.json").write_text(json.dumps([in_floats(*case) for case in cases]))
    (tmp_path / "floats.py").write_text(SCRIPT)
    command = [python, tmp_path / "floats.py", WORKER.parent, tmp_path / "cases.json"]
    told = json.loads(run_child(command, what="lava", timeout_s=120).splitlines()[-1])

    for (group, a), lava in zip(cases, told, strict=True):
        state = cleared_group(group, 1)
        bias = group.bias_mant.astype(np.int64)[None] << group.bias_exp
        for t in range(STEPS):
            state, s = step(group, state, {"a": a[t][None], "bias": bias}, Guard("g", t + 1, "strict"))
            rest = np.maximum(np.array(lava["end"][t]) - (t + 1), 0)
            assert np.array_equal(state["u"][0], lava["u"][t])
            assert np.array_equal(state["v"][0], lava["v"][t])
            assert np.array_equal(state["rest"][0], rest)
            assert np.array_equal(s[0], lava["s"][t])
    assert sum(np.sum(lava["s"]) for lava in told) > 1000
