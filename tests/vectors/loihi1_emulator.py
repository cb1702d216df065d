"""Programs on nengo-loihi's emulator; it never shares this interpreter."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikeport import fixed
from spikeport.bench.compare import PEERS, peer_python
from spikeport.deploy.child import run_child
from spikeport.deploy.fan_in import row
from spikeport.program import LIF, Program
from tests.vectors.case import Case

WORKER = Path(__file__).with_name("loihi1_worker.py")  # not nengo_loihi.py: a script sees its own folder first


@dataclass(frozen=True)
class EmulatorRun:
    """What the emulator made of one case of one sample."""

    groups: dict[str, dict[str, Any]]
    """By group and variable, `(steps, 1, *shape)` as lists; `s` are the spikes."""
    overflows: list[str]
    """The emulator's names of the words that were left: q0, current, u2."""
    versions: dict[str, str]


def interpreter() -> Path:
    """Of the environment that the benchmarks use, made on the first call; raises WorkerError if it cannot be."""
    return peer_python(PEERS["nengo_loihi"])


def run_emulator(cases: Sequence[Case], python: Path) -> list[EmulatorRun]:
    with tempfile.TemporaryDirectory(prefix="spikeport-nengo-") as name:
        path = Path(name) / "cases.json"
        path.write_text(json.dumps([_plain(case) for case in cases]))
        told = json.loads(run_child([python, WORKER, path], what="nengo-loihi", timeout_s=300).splitlines()[-1])
    return [_read(case.program, ran, told["versions"]) for case, ran in zip(cases, told["runs"], strict=True)]


def _plain(case: Case) -> dict[str, Any]:
    program = case.program
    if any(g.reset_interval for g in program.lifs) or program.encoders:
        raise ValueError("the emulator has no resets and no host")
    groups = {
        g.name: {
            "n": g.size,
            "du": g.du,
            "dv": g.dv,
            "vth": g.vth << 6,
            "bias": (g.bias_mant.astype(int).reshape(-1) << g.bias_exp).tolist(),
            "refract_delay": g.refractory_steps + 1,
        }
        for g in program.lifs
    }
    steps, batch = next(iter(case.inputs.values())).shape[:2]
    if batch != 1:
        raise ValueError("one sample at a time")
    inputs = {name: x.reshape(steps, -1).tolist() for name, x in case.inputs.items()}
    return {"groups": groups, "links": _links(program), "inputs": inputs, "steps": steps + program.latency}


def _links(program: Program) -> list[dict[str, Any]]:
    """Synapses as a matrix of weights in units of u; the emulator has no delays, and no fractions of 64."""
    links = []
    for c in program.connections:
        source, target = program.shape_of(c.source), program.shape_of(c.target)
        rows = [row(c, neuron, source, target) for neuron in range(int(np.prod(target)))]
        if any(delay[weight != 0].any() for weight, delay in rows) or c.weight_exp < 0:
            raise ValueError("the emulator has no delays, and other fractions")
        weight = [(weight << fixed.ACT_SHIFT + c.weight_exp).tolist() for weight, _ in rows]
        links.append({"source": c.source, "target": c.target, "weight": weight})
    return links


def _read(program: Program, ran: dict[str, Any], versions: dict[str, str]) -> EmulatorRun:
    groups = {}
    for g in program.groups:
        assert isinstance(g, LIF)
        told = {k: x for k, x in ran["groups"][g.name].items() if k in (*g.variables, "s")}
        groups[g.name] = {k: np.array(x).reshape(-1, 1, *g.shape).tolist() for k, x in told.items()}
    return EmulatorRun(groups, ran["overflows"], versions)
