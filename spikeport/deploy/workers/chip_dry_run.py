"""What a run on the chip would build, built and compiled by Lava with stand-ins; nothing runs."""

import json
import os
import tempfile
from typing import Any

from chip_biases import schedules, segments
from chip_meters import profilers
from chip_net import Offsets, build, kinds_of, read_for_chip
from chip_run import chosen
from lava_classes import LAVA, versions
from program_parts import read_inputs

PUBLIC = {
    "LIF": "lava-dl 0.6.0, test_hdf5_nx.py: pilotnet_lif",
    "LIFReset": "lava-dl 0.6.0, test_hdf5_nx.py: tinynet, pilotnet_lif",
    "Sigma": "lava-dl 0.6.0, test_hdf5_nx.py: pilotnet_sdnn",
    "SigmaDelta": "lava-dl 0.6.0, test_hdf5_nx.py: pilotnet_sdnn",
    "Conv": "lava-dl 0.6.0, test_hdf5_nx.py: pilotnet_lif, pilotnet_sdnn",
    "Dense": "lava-dl 0.6.0, test_hdf5_nx.py: pilotnet_lif, pilotnet_sdnn",
    "DelayDense": "Fugu, backends/lava_interfaces.py: Loihi2HWInterface",
    "DelaySparse": "Fugu, backends/lava_interfaces.py: Loihi2HWInterface",
    "Sparse": "Fugu, backends/lava_interfaces.py: Loihi2HWInterface",
}
"""Lava's processes that public code runs on a Loihi 2, and where."""


def dry_run(args: Any) -> None:
    """Builds and compiles all that one sample needs; writes what it is as JSON."""
    program = read_for_chip(args.program)
    inputs = {name: x[:, 0] for name, x in read_inputs(args.input, program, 1).items()}
    steps = len(next(iter(inputs.values()))) + program.latency
    record = [name for name in args.record.split(",") if name]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "spikes.npz")
        net = build(program, inputs, record, Offsets(), steps, path)
        planned = schedules(program, inputs, 0, steps)
        parts = segments(planned, steps)
        meters = profilers(steps) if args.power else []
        callbacks = [*net.probes.values(), *meters]
        config = LAVA.Loihi2HwCfg(exception_proc_model_map=chosen(net), callback_fxs=callbacks)
        net.others[-1][1].compile(config)
    report = {
        "processes": [row(name, p, net.models[p]) for name, p in [*net.neurons.items(), *net.synapses]],
        "host": [{"name": name, "kind": type(p).__name__} for name, p in net.others],
        "adapters": [
            {"name": a.name, "kind": a.kind, "message_bits": a.bits, "shape": list(a.shape)} for a in net.adapters
        ],
        "probes": sorted(net.probes),
        "profilers": ["Loihi2Power", "Loihi2ExecutionTime", "Loihi2Activity"] if args.power else [],
        "steps": steps,
        "latency": program.latency,
        "segments": len(parts),
        "pilot": [list(kind) for kind in kinds_of(program)],
        "versions": versions(),
    }
    with open(args.output, "w", encoding="utf-8") as out:
        json.dump(report, out)


def row(name: str, process: Any, model: Any) -> dict[str, Any]:
    kind = type(process).__name__
    shape = [int(n) for n in next(iter(process.out_ports)).shape]
    tags = list(getattr(model, "tags", []))
    found = {"name": name, "kind": kind, "shape": shape, "model": model.__name__, "tags": tags}
    return {**found, "on_chip": PUBLIC.get(kind)}
