"""Runs networks of plain integers on nengo-loihi's emulator, in the environment of `bench/peers/nengo_loihi_worker.py`.

Reads a JSON file of cases and prints what each group held after each step. A case:

    groups   name -> n, du, dv, vth (<< 6), bias (<< exponent), refract_delay (1: no rest)
    links    source, target, weight (n_target, n_source), already << 6 + exponent
    inputs   name -> (T, n) spikes
    steps    hardware steps
"""

import importlib.metadata
import json
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from nengo_loihi.block import Axon, LoihiBlock, Synapse
from nengo_loihi.emulator import EmulatorInterface
from nengo_loihi.inputs import SpikeInput

V_MAX = 2**23 - 1  # what the widest registers of vmin and vmax hold


def block_of(group: dict[str, Any]) -> Any:
    n = group["n"]
    block = LoihiBlock(n)
    for name, key in (("decay_u", "du"), ("decay_v", "dv"), ("vth", "vth"), ("bias", "bias")):
        setattr(block.compartment, name, np.zeros(n, np.int32) + np.array(group[key], np.int32))
    block.compartment.refract_delay = np.full(n, group["refract_delay"], np.int32)
    block.compartment.vmin, block.compartment.vmax = -V_MAX, V_MAX
    block.compartment.scale_u = block.compartment.scale_v = False
    return block


def build(case: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Blocks by name, and the inputs with their spikes."""
    blocks = {name: block_of(group) for name, group in case["groups"].items()}
    inputs = {name: SpikeInput(len(x[0])) for name, x in case["inputs"].items()}
    for link in case["links"]:
        weight = np.array(link["weight"], np.int32)
        synapse = Synapse(weight.shape[1])
        synapse.set_weights(weight.T.astype(np.float32))  # for its indices; the integers follow
        synapse.weights = list(np.ascontiguousarray(weight.T)[:, None, :])
        blocks[link["target"]].add_synapse(synapse)
        axon = Axon(synapse.n_axons)
        axon.target = synapse
        source = inputs.get(link["source"]) or blocks[link["source"]]
        source.add_axon(axon)
    for name, entry in inputs.items():
        for t, spikes in enumerate(case["inputs"][name], 1):
            entry.add_spikes(t, np.flatnonzero(spikes))
    return blocks, list(inputs.values())


def run(case: dict[str, Any]) -> dict[str, Any]:
    blocks, inputs = build(case)
    model = SimpleNamespace(blocks=list(blocks.values()), inputs=inputs, probes=[], dt=0.001)
    told: dict[str, Any] = {name: {"u": [], "v": [], "rest": [], "s": []} for name in blocks}
    with warnings.catch_warnings(record=True) as caught, EmulatorInterface(model, seed=0) as emulator:
        warnings.simplefilter("always")
        state = emulator.compartment
        for _ in range(case["steps"]):
            emulator.step()
            for name, block in blocks.items():
                at = emulator.block_info.slices[block]
                values = (state.current, state.voltage, state.ref_count, state.spiked.astype(int))
                for key, x in zip(told[name], values, strict=True):
                    told[name][key].append(x[at].tolist())
    said = sorted({str(w.message).removeprefix("Overflow in ") for w in caught if "Overflow" in str(w.message)})
    return {"groups": told, "overflows": said}


def main() -> None:
    cases = json.loads(Path(sys.argv[1]).read_text())
    versions = {"python": sys.version.split()[0]}
    versions |= {name: importlib.metadata.version(name) for name in ("numpy", "nengo", "nengo-loihi")}
    print(json.dumps({"versions": versions, "runs": [run(case) for case in cases]}))


if __name__ == "__main__":
    main()
