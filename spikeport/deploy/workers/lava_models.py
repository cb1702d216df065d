"""Mode `models`: Lava's process models in one process, without its runtime."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from host_biases import bias_schedule
from lava_classes import LAVA
from lava_processes import PORTS, line_length, neuron, synapses, variables
from program_parts import Arrays, Part, Shape


class Spikes:
    """The channel behind an `s_out`: holds what was sent in this step; `turned` for a convolution's (x, y, c)."""

    def __init__(self) -> None:
        self.data: Any = None

    def send(self, data: Any) -> None:
        self.data = np.array(data, dtype=np.int32)  # Lava's channel has the sender's type

    def seen_by(self, link: Part) -> Any:
        return SimpleNamespace(recv=lambda: self.data.T if link.kind == "conv" else self.data.ravel())


class Activation:
    """The channel behind an `a_out`.

    Lava's synapses send their buffer before they take the spikes of the step, and the neurons of the same step wait
    for it. In one process the neurons run first, so they read the buffer that is about to be sent; `send` proves it.
    """

    def __init__(self, link: Part, shape: Shape) -> None:
        self.model: Any = None
        self.turned = link.kind == "conv"
        self.shape = shape
        self.line = [np.zeros(shape, np.int32) for _ in range(line_length(link))]

    def recv(self) -> Any:
        buffer = self.model.a_buf if self.turned else self.model.a_buff
        self.ahead = np.array(buffer[:, 0] if not self.turned and buffer.ndim == 2 else buffer, dtype=np.int32)
        self.line.append(self.ahead.T if self.turned else self.ahead.reshape(self.shape))
        return self.line.pop(0)

    def send(self, data: Any) -> None:
        if not np.array_equal(self.ahead, np.asarray(data).astype(np.int32)):
            raise AssertionError("a synapse model sent something else than its buffer")


def build(process: Any, model: Any, channels: dict[str, list[Any]]) -> Any:
    """The process model as Lava's compiler would build it, with `channels` behind its ports."""
    builder = LAVA.PyProcessBuilder(model, 0, process.proc_params)
    builder.set_variables([LAVA.VarInitializer(v.name, v.shape, v.init, v.id) for v in process.vars])
    ports = [*process.in_ports, *process.out_ports]
    builder.set_py_ports([LAVA.PortInitializer(p.name, p.shape, None, type(p).__name__, 0) for p in ports])
    builder.csp_ports = channels
    return builder.build()


def run_models(program: Part, inputs: Arrays, steps: int) -> Arrays:
    """One sample: `{"GROUP/u": (steps, *shape), ...}`."""
    spikes = {name: Spikes() for name in program.shapes}
    activations = [Activation(link, program.shapes[link.target]) for link in program.connections]
    neurons: dict[str, Any] = {}
    links = []
    for group in program.groups:
        channels: dict[str, list[Any]] = {"s_out": [spikes[group.name]]}
        for activation, link in zip(activations, program.connections, strict=True):
            if link.target == group.name:
                channels.setdefault(PORTS[link.port], []).append(activation)
        neurons[group.name] = build(*neuron(group), channels)
    for activation, link in zip(activations, program.connections, strict=True):
        channels = {"s_in": [spikes[link.source].seen_by(link)], "a_out": [activation]}
        activation.model = build(*synapses(program, link), channels)
        links.append(activation.model)
        _split_weights_once(activation.model)
    biases = {name: bias_schedule(program, name, inputs) for name in neurons}
    kept = [(f"{g.name}/{k}", neurons[g.name], of_lava) for g in program.groups for k, of_lava in variables(g).items()]
    keys = [(name, f"{name}/s") for name in neurons] + [(key.split("/")[0], key) for key, _, _ in kept]
    trace = {key: np.zeros((steps, *program.shapes[name]), np.int32) for name, key in keys}
    for t in range(1, steps + 1):
        for entry in program.inputs:
            x = inputs[entry.name]
            spikes[entry.name].send(x[t - 1] if t <= len(x) else np.zeros_like(x[0]))
        for name, model in neurons.items():
            if biases[name] is not None:
                model.bias_mant[:] = biases[name][min(t, len(biases[name])) - 1]
            model.time_step = t  # Lava's runtime counts it up before each run_spk
            model.run_spk()
            trace[f"{name}/s"][t - 1] = spikes[name].data
        for key, model, of_lava in kept:
            trace[key][t - 1] = getattr(model, of_lava)
        for model in links:
            model.time_step = t
            model.run_spk()
    return trace


def _split_weights_once(model: Any) -> None:
    """Lava splits the weights by delay anew in each step; they never change after the first."""
    split = getattr(model, "get_delay_wgts_mat", None)
    if split is not None:
        kept: list[Any] = []

        def once(*args: Any) -> Any:
            if not kept:
                kept.append(split(*args))
            return kept[0]

        model.get_delay_wgts_mat = once
