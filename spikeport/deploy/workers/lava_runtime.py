"""Mode `runtime`: Lava's own runtime."""

import os
import tempfile
from typing import Any

import numpy as np
from host_biases import bias_schedule
from lava_classes import LAVA
from lava_processes import PORTS, line_length, neuron, synapses, variables
from own_processes import delay_line, sink, source
from program_parts import Arrays, Part


def run_runtime(program: Part, inputs: Arrays, steps: int) -> Arrays:
    """One sample on Lava's runtime: spikes of all steps and v that an output reads, other state after the last."""
    readouts = [output for output in program.outputs if output.reads == "v"]
    models: dict[Any, Any] = {}  # process -> model, where Lava's own choice is not wanted
    neurons: dict[str, Any] = {}
    chosen: dict[str, Any] = {}
    for group in program.groups:
        neurons[group.name], model = neuron(group)
        schedule = bias_schedule(program, group.name, inputs)
        if schedule is not None:
            models[neurons[group.name]] = model = _loaded(model, schedule)
        chosen[group.name] = model
    outs = {name: process.s_out for name, process in neurons.items()}
    for entry in program.inputs:
        if entry.kind != "bias":
            outs[entry.name] = source(inputs[entry.name], steps).s_out
    for link in program.connections:
        process, _ = synapses(program, link)
        _wire(program, link, outs[link.source], process, neurons[link.target], models)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "spikes.npz")
        taker, taker_model = sink(program, path, steps)
        models[taker] = taker_model
        read = {output.source: os.path.join(folder, f"{output.source}.npy") for output in readouts}
        for name, written in read.items():
            models[neurons[name]] = _read(chosen[name], written, steps)
        for name, process in neurons.items():
            process.s_out.connect(getattr(taker, f"from_{name}"))
        config = LAVA.Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map=models)
        try:
            taker.run(condition=LAVA.RunSteps(num_steps=steps), run_cfg=config)
            states = {
                f"{g.name}/{k}": getattr(neurons[g.name], of_lava).get()
                for g in program.groups
                for k, of_lava in variables(g).items()
            }
        finally:
            taker.stop()
        with np.load(path) as saved:
            trace = dict(saved)
        voltages = {f"{name}/v": np.load(written) for name, written in read.items()}
    return {**trace, **{key: np.asarray(x, np.int32)[None] for key, x in states.items()}, **voltages}


def _wire(program: Part, link: Part, spikes: Any, process: Any, target: Any, models: dict[Any, Any]) -> None:
    turned = link.kind == "conv"
    (spikes.transpose([2, 1, 0]) if turned else spikes.flatten()).connect(process.s_in)
    a_out = process.a_out.transpose([2, 1, 0]) if turned else process.a_out.reshape(program.shapes[link.target])
    if line_length(link):
        line, line_model = delay_line(program.shapes[link.target], line_length(link))
        models[line] = line_model
        a_out.connect(line.into)
        a_out = line.out
    a_out.connect(getattr(target, PORTS[link.port]))


def _loaded(model: Any, schedule: Any) -> Any:
    """Lava's neuron model, with the host's biases loaded before each step."""

    def run_spk(self: Any) -> None:
        self.bias_mant[:] = schedule[min(self.time_step, len(schedule)) - 1]
        model.run_spk(self)

    return type(f"Loaded{model.__name__}", (model,), {"run_spk": run_spk})


def _read(model: Any, path: str, steps: int) -> Any:
    """Lava's neuron model, which writes its v of all steps after the last: reading a Var costs 60 us a value."""
    taken: list[Any] = []

    def run_spk(self: Any) -> None:
        model.run_spk(self)
        taken.append(np.array(self.v, np.int32))
        if self.time_step == steps:
            np.save(path, np.array(taken))

    return type(f"Read{model.__name__}", (model,), {"run_spk": run_spk})
