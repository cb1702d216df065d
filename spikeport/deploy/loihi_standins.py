"""Stands in for what lava-loihi has and is not public, on Lava's CPU runtime: adapters, probes, profilers, run config.

The adapters have the ports of Intel's and hand on what they took, some steps later; a probe writes down its variable;
profilers measure nothing. What they prove is that everything is built and connected, and that offsets are found and
taken off; of the chip's own numbers they prove nothing.
"""

import json
import os
import tempfile
from types import SimpleNamespace
from typing import Any

import numpy as np

LAVA: Any = SimpleNamespace()
FOLDER = tempfile.TemporaryDirectory()
"""Where probes write; gone with this process."""
MODELS: dict[Any, Any] = {}
"""Of adapters, which are nowhere where Lava would look."""
LATE: dict[str, int] = {"input": 0, "output": 0, "probe": 0}
WORD = 24
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


def load(lava: Any, late_input: int, late_output: int, late_probe: int) -> None:
    """Puts the stand-ins where `loihi_worker.load_classes` puts Intel's."""
    LATE.update(input=late_input, output=late_output, probe=late_probe)
    vars(LAVA).update(vars(lava))
    lava.PyToNxAdapter, lava.PyToN3ConvAdapter, lava.NxToPyAdapter = adapters()
    lava.StateProbe, lava.Loihi2HwCfg = StateProbe, run_config()
    lava.Loihi2Power = lava.Loihi2ExecutionTime = lava.Loihi2Activity = Meter


def adapters() -> tuple[Any, Any, Any]:
    """Processes with the ports of `lava.proc.embedded_io.spike`: `inp` and `out`."""

    def make(self: Any, *, shape: Any, num_message_bits: int = 0, **options: Any) -> None:
        LAVA.AbstractProcess.__init__(self, shape=shape, num_message_bits=num_message_bits)
        self.inp, self.out = LAVA.InPort(shape=shape), LAVA.OutPort(shape=shape)
        MODELS[self] = model_of(self, shape, num_message_bits)

    names = ("PyToNxAdapter", "PyToN3ConvAdapter", "NxToPyAdapter")
    first, conv, out = (type(name, (LAVA.AbstractProcess,), {"__init__": make}) for name in names)
    return first, conv, out


def model_of(adapter: Any, shape: Any, bits: int) -> Any:
    """Hands on what it took, so many steps later; out of the chip a payload is a raw word of 24 bits."""
    outward = type(adapter).__name__ == "NxToPyAdapter"
    held = [np.zeros(shape, np.int32) for _ in range(LATE["output" if outward else "input"])]
    raw = outward and bits

    def run_spk(self: Any) -> None:
        taken = self.inp.recv().astype(np.int32)
        held.append(taken & ((1 << WORD) - 1) if raw else taken)
        self.out.send(held.pop(0))

    body: dict[str, Any] = {
        "inp": LAVA.LavaPyType(LAVA.PyInPort.VEC_DENSE, np.int32),
        "out": LAVA.LavaPyType(LAVA.PyOutPort.VEC_DENSE, np.int32),
        "run_spk": run_spk,
        "implements_process": type(adapter),
        "implements_protocol": LAVA.LoihiProtocol,
        "required_resources": [LAVA.CPU],
    }
    return type("AdapterModel", (LAVA.PyLoihiProcessModel,), body)


class StateProbe:
    """Values of a variable after each step, neuron by neuron, as lava-loihi's `StateProbe(var).time_series`."""

    def __init__(self, var: Any) -> None:
        self.var = var
        handle, self.path = tempfile.mkstemp(dir=FOLDER.name)
        os.close(handle)

    @property
    def time_series(self) -> Any:
        shape = self.var.shape
        with open(self.path, "rb") as file:
            values = np.frombuffer(file.read(), np.int32).reshape(-1, int(np.prod(shape)))
        late = np.zeros((LATE["probe"], values.shape[1]), np.int32)
        return np.concatenate([late, values]).T

    def watch(self, model: Any) -> Any:
        """The model, which writes the variable down after each step."""
        path, name = self.path, self.var.name

        def run_spk(watched: Any) -> None:
            model.run_spk(watched)
            with open(path, "ab") as file:
                file.write(np.array(getattr(watched, name), np.int32).tobytes())

        return type(f"Watched{model.__name__}", (model,), {"run_spk": run_spk})


def run_config() -> Any:
    """Takes what `Loihi2HwCfg` takes, and runs Lava's fixed-point models."""

    class HwCfg(LAVA.Loihi2SimCfg):  # type: ignore[misc]
        def __init__(self, *, exception_proc_model_map: Any, callback_fxs: Any = ()) -> None:
            super().__init__(select_tag="fixed_pt", exception_proc_model_map={**exception_proc_model_map, **MODELS})
            self.probes = [probe for probe in callback_fxs if isinstance(probe, StateProbe)]

        def select(self, process: Any, models: Any) -> Any:
            model = super().select(process, models)
            for probe in self.probes:
                if probe.var.process is process:
                    model = probe.watch(model)
            return model

    return HwCfg


class Meter:
    """Takes what `Loihi2Power`, `Loihi2ExecutionTime` and `Loihi2Activity` take, and has measured nothing."""

    def __init__(self, **options: Any) -> None:
        self.options = options


# The dry run ---------------------------------------------------------------------------------------------------


def dry_run(worker: Any, args: Any) -> None:
    """Builds and compiles all that one sample needs; writes what it is as JSON."""
    program = worker.read(args.program)
    with np.load(args.input) as file:
        inputs = {entry.name: file[entry.name][:, 0] for entry in program.inputs}
    steps = len(next(iter(inputs.values()))) + program.latency
    record = [name for name in args.record.split(",") if name]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "spikes.npz")
        net = worker.build(program, inputs, record, worker.Offsets(), steps, path)
        planned = worker.schedules(program, inputs, 0, steps)
        parts = worker.segments(planned, steps)
        meters = worker.profilers(steps) if args.power else []
        lava = worker.lava.LAVA
        callbacks = [*net.probes.values(), *meters]
        config = lava.Loihi2HwCfg(exception_proc_model_map=worker.chosen(net), callback_fxs=callbacks)
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
        "pilot": [list(kind) for kind in worker.kinds_of(program)],
        "versions": worker.lava.versions(),
    }
    with open(args.output, "w", encoding="utf-8") as out:
        json.dump(report, out)


def row(name: str, process: Any, model: Any) -> dict[str, Any]:
    kind = type(process).__name__
    shape = [int(n) for n in next(iter(process.out_ports)).shape]
    tags = list(getattr(model, "tags", []))
    found = {"name": name, "kind": kind, "shape": shape, "model": model.__name__, "tags": tags}
    return {**found, "on_chip": PUBLIC.get(kind)}
