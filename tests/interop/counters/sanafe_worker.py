"""Runs a mapped Program on SANA-FE's Loihi: spikes, operations, messages, hops, energy and time, step by step.

A chip of its own for each sample. The architecture is the `loihi.yaml` that comes with SANA-FE.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import sanafe
from worker import Found, Net, serve

BIAS = 64  # a step of the bias, which is a step of v, is 1/64 of a step of the weights
CORES_PER_TILE = 4
ROWS = 4  # of tiles; SANA-FE numbers them column by column
ENERGIES = ("synapse_energy", "soma_energy", "network_energy", "total_energy")
PER_STEP = ("fired", "updated", "spikes", "hops", "sim_time", *ENERGIES)
PER_SOURCE = ("sops", "messages", "hops_x", "hops_y")


def run(net: Net) -> Found:
    names = [net.about["input"], *(layer["name"] for layer in net.layers)]
    sizes = {name: len(net.arrays[f"core:{name}"]) for name in names}
    steps, samples, cores = net.about["steps"], net.x.shape[1], len(net.arrays["tiles"])
    spikes = {name: np.zeros((steps, samples, size), np.uint8) for name, size in sizes.items()}
    tables: dict[str, Any] = {name: np.zeros((steps, samples)) for name in PER_STEP}
    tables |= {f"{what}:{name}": np.zeros((steps, samples), int) for what in PER_SOURCE for name in names}
    per_core = ("core_messages_out", "core_messages_in", "core_sops")
    tables |= {what: np.zeros((steps, samples, cores), np.int32) for what in per_core}
    tables |= {key: net.arrays[key] for key in net.arrays if key.startswith("core:")} | {"tiles": net.arrays["tiles"]}
    where = {_hardware_core(net, core): core for core in range(cores)}
    for sample in range(samples):
        chip = _chip(net, sizes, sample)
        said = chip.sim(steps, timing_model="simple", spike_trace=True, perf_trace=True, message_trace=True)
        for name in PER_STEP:
            tables[name][:, sample] = said["perf_trace"][name]
        for step in range(steps):
            for address in said["spike_trace"][step]:
                spikes[address.group_name][step, sample, address.neuron_offset] = 1
            for message in said["message_trace"][step]:
                if not message["placeholder"]:
                    _note(tables, message, where, step, sample)
    for name in ("fired", "updated", "spikes", "hops"):
        tables[name] = tables[name].astype(np.int64)
    return Found({}, spikes, tables)


def _note(tables: Mapping[str, Any], message: Mapping[str, Any], where: Mapping[int, int], *at: int) -> None:
    source = message["src_neuron_group_id"]
    tables[f"messages:{source}"][at] += 1
    tables[f"sops:{source}"][at] += message["spikes"]
    tables[f"hops_x:{source}"][at] += abs(message["src_x"] - message["dest_x"])
    tables[f"hops_y:{source}"][at] += abs(message["src_y"] - message["dest_y"])
    tables["core_messages_out"][*at, where[message["src_core_id"]]] += 1
    tables["core_messages_in"][*at, where[message["dest_core_id"]]] += 1
    tables["core_sops"][*at, where[message["dest_core_id"]]] += message["spikes"]


def _hardware_core(net: Net, core: int) -> int:
    x, y = net.arrays["tiles"][core].tolist()
    return (x * ROWS + y) * CORES_PER_TILE + core % CORES_PER_TILE


def _chip(net: Net, sizes: Mapping[str, int], sample: int) -> sanafe.SpikingChip:
    arch = sanafe.load_loihi()
    on_chip = [core for tile in arch.tiles for core in tile.cores]
    built = sanafe.Network()
    kinds = {c["target"]: c["kind"] for c in net.about["connections"]}
    groups = {}
    for name, size in sizes.items():
        groups[name] = built.create_neuron_group(name, size)
        for k, neuron in enumerate(groups[name]):
            neuron.map_to_core(on_chip[_hardware_core(net, int(net.arrays[f"core:{name}"][k]))])
    for k, neuron in enumerate(groups[net.about["input"]]):
        train = {"spikes": net.x[:, sample, k].astype(bool).tolist()}
        neuron.set_attributes(soma_hw_name=f"loihi_inputs[{k}]", log_spikes=True, model_attributes=train)
    for layer in net.layers:
        bias = net.arrays[f"bias:{layer['name']}"] / BIAS
        for k, neuron in enumerate(groups[layer["name"]]):
            given = {
                "threshold": float(layer["threshold"]),
                "reset": 0.0,
                "reset_mode": "hard",
                "leak_decay": 1.0,
                "input_decay": 0.0,
                "bias": float(bias[k]),
                "potential": float(-bias[k] * (layer["start"] - 1)),  # there is no reset as the sample begins
            }
            synapse = f"loihi_{kinds[layer['name']]}_synapse"
            neuron.set_attributes(
                soma_hw_name="loihi_lif", default_synapse_hw_name=synapse, log_spikes=True, model_attributes=given
            )
    for k, connection in enumerate(net.about["connections"]):
        pairs = list(zip(net.arrays[f"col:{k}"].tolist(), net.arrays[f"row:{k}"].tolist(), strict=True))
        weights = {"weight": net.arrays[f"weight:{k}"].astype(float).tolist()}
        groups[connection["source"]].connect_neurons_sparse(groups[connection["target"]], weights, pairs)
    chip = sanafe.SpikingChip(arch)
    chip.load(built)
    return chip


if __name__ == "__main__":
    serve(run, ("sanafe",))
