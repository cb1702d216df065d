# /// script
# requires-python = ">=3.10,<3.11"
# dependencies = [
#     "asteval==0.9.33",
#     "h5py==3.12.1",
#     "joblib==1.4.2",
#     "lava-dl==0.6.0",
#     "lava-nc==0.10.0",
#     "networkx==2.8.7",
#     "numpy==1.26.4",
#     "scikit-learn==1.5.2",
#     "scipy==1.14.1",
#     "threadpoolctl==3.5.0",
# ]
#
# [tool.uv]
# # lava-dl asks for gigabytes that only its training code imports.
# override-dependencies = [
#     "matplotlib; sys_platform == 'never'",
#     "ninja; sys_platform == 'never'",
#     "opencv-python-headless; sys_platform == 'never'",
#     "pillow; sys_platform == 'never'",
#     "pytest; sys_platform == 'never'",
#     "torch; sys_platform == 'never'",
#     "torchvision; sys_platform == 'never'",
#     "unittest2; sys_platform == 'never'",
# ]
# ///
"""Runs Program files on Lava. Needs nothing of spikeport: copy this one file to where Lava is.

    uv run --script lava_worker.py PROGRAM.h5 INPUT.npz OUTPUT.npz [PROGRAM.h5 INPUT.npz OUTPUT.npz ...]

INPUT.npz holds one integer array `(T, B, *shape)` per input of the Program.
OUTPUT.npz holds for each neuron group its spikes `GROUP/s` and its state, such as `GROUP/u`, int32
`(steps, B, *shape)` after each hardware step 1..T + latency, and `meta`, a JSON text. Mode `runtime` gives the
state after the last step only, but v at each step where an output of the Program reads it.

Every sum, shift, decay, wrap and comparison is done by Lava's process models; this file only carries arrays
between them. Mode `models` calls the models in one process; mode `runtime` runs them on Lava's runtime.
"""

import argparse
import dataclasses
import importlib
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
import warnings
from types import SimpleNamespace
from typing import Any

# The folder of a script comes first on the path; a lava.py beside this file must not be taken for Lava.
sys.path[:] = [p for p in sys.path if os.path.realpath(p or ".") != os.path.dirname(os.path.realpath(__file__))]

import numpy as np  # noqa: E402

Part = SimpleNamespace  # a part of the Program: its fields as `spikeport.program` names them
Arrays = dict[str, Any]
Shape = tuple[int, ...]
BIAS_MANT = (-(1 << 12), (1 << 12) - 1)
MESSAGE_BITS = 24  # any number but 0 makes Lava multiply by the payload; it never looks at the width
PORTS = {"a": "a_in", "re": "a_real_in", "im": "a_imag_in"}
LAVA: Any = SimpleNamespace()  # what `load_lava` imports, by name
_LAVA_NAMES = {
    "lava.magma.compiler.builders.py_builder": ("PyProcessBuilder",),
    "lava.magma.compiler.utils": ("PortInitializer", "VarInitializer"),
    "lava.magma.core.model.py.model": ("PyLoihiProcessModel",),
    "lava.magma.core.model.py.ports": ("PyInPort", "PyOutPort"),
    "lava.magma.core.model.py.type": ("LavaPyType",),
    "lava.magma.core.process.ports.ports": ("InPort", "OutPort"),
    "lava.magma.core.process.process": ("AbstractProcess",),
    "lava.magma.core.resources": ("CPU",),
    "lava.magma.core.run_conditions": ("RunSteps",),
    "lava.magma.core.run_configs": ("Loihi2SimCfg",),
    "lava.magma.core.sync.protocols.loihi_protocol": ("LoihiProtocol",),
    "lava.proc.conv.models": ("AbstractPyConvModel", "Conv", "PyConvModelFixed"),
    "lava.proc.dense.models": ("DelayDense", "Dense", "PyDelayDenseModelBitAcc", "PyDenseModelBitAcc"),
    "lava.proc.io.source": ("PySendModelFixed", "RingBuffer"),
    "lava.proc.lif.models": ("LIF", "LIFReset", "PyLifModelBitAcc", "PyLifResetModelBitAcc", "PyTernLifModelFixed"),
    "lava.proc.lif.process": ("TernaryLIF",),
    "lava.proc.rf.models": ("PyRFModelFixed", "RF"),
    "lava.proc.rf_iz.models": ("PyRF_IZModelFixed", "RF_IZ"),
    "lava.proc.sdn.models": ("Delta", "PyDeltaModelFixed", "PySigmaDeltaModelFixed", "PySigmaModelFixed", "Sigma"),
    "lava.proc.sdn.process": ("ActivationMode", "SigmaDelta"),
    "lava.proc.sparse.models": ("DelaySparse", "PyDelaySparseModelBitAcc", "PySparseModelBitAcc", "Sparse"),
    "scipy.sparse": ("csr_matrix",),
}


def load_lava() -> None:
    """Imports Lava, on Python 3.11 and 3.12 as well, and lets convolutions have more than 127 channel groups."""
    plain = dataclasses.dataclass

    def hashable(cls: Any = None, /, **options: Any) -> Any:
        # Python 3.11 refuses the unhashable default `x: ByteEncoder = ByteEncoder()` of lava-nc's var_model.py.
        if cls is not None and cls.__name__ == "ByteEncoder":
            options["unsafe_hash"] = True
        return plain(cls, **options)

    dataclasses.dataclass = hashable
    try:
        for module, names in _LAVA_NAMES.items():
            loaded = importlib.import_module(module)
            vars(LAVA).update({name: getattr(loaded, name) for name in names})
    finally:
        dataclasses.dataclass = plain
    for name in ("kernel_size", "stride", "padding", "dilation", "groups"):
        # Lava keeps the geometry in int8: 128 groups become -128, a padding of 64 overflows when doubled.
        setattr(LAVA.AbstractPyConvModel, name, LAVA.LavaPyType(np.ndarray, np.int64))


# The Program file ---------------------------------------------------------------------------------------------


def read_program(path: str) -> Part:
    """The parts of a Program file as namespaces; spikeport has checked the file before."""
    import h5py

    with h5py.File(path, "r") as file:
        if file.attrs.get("format") != "spikeport-program" or file.attrs.get("version") != 2:
            raise SystemExit(f"{path}: is not a spikeport Program of version 2")
        program = Part(latency=int(file.attrs["latency"]))
        for folder in ("groups", "inputs", "outputs", "connections"):
            setattr(program, folder, [_part(file[folder][name]) for name in _ordered(file, folder)])
        program.encoders = {}
        for name in _ordered(file, "encoders"):
            node = file["encoders"][name]
            synapses = _part(node["synapses"])
            encoder = Part(synapses=synapses, offset=node["offset"][()], shift=int(node.attrs["shift"]))
            program.encoders[synapses.target] = encoder
    program.shapes = {part.name: tuple(part.shape) for part in [*program.inputs, *program.groups]}
    return program


def _ordered(file: Any, folder: str) -> list[str]:
    return sorted(file.get(folder, ()), key=lambda name: int(file[folder][name].attrs["order"]))


def _part(node: Any) -> Part:
    values = {name: data[()] for name, data in node.items()}
    for name, value in node.attrs.items():
        if isinstance(value, np.ndarray):
            value = tuple(value.tolist())
        values[name] = value.item() if isinstance(value, np.generic) else value
    return Part(**values)


# The host's part: input values become biases -------------------------------------------------------------------


def bias_schedule(program: Part, name: str, inputs: Arrays) -> Any:
    """Mantissas `(T, *shape)` that the host loads into group `name`, for one sample; None without an encoder."""
    encoder = program.encoders.get(name)
    if encoder is None:
        return None
    synapses, shape = encoder.synapses, program.shapes[name]
    x = inputs[synapses.source].astype(np.int64)
    weight = synapses.weight.astype(np.int64)
    if synapses.kind == "conv":
        total = _correlate(synapses, weight, x, shape)
    else:
        total = (x.reshape(len(x), -1) @ weight.T).reshape(-1, *shape)
    total = total << synapses.weight_exp if synapses.weight_exp >= 0 else total >> -synapses.weight_exp
    mant = total + encoder.offset
    if encoder.shift:
        mant = (mant + (1 << (encoder.shift - 1))) >> encoder.shift
    if mant.min() < BIAS_MANT[0] or mant.max() > BIAS_MANT[1]:
        raise SystemExit(f"{name}: bias_mant ({mant.min()}..{mant.max()}) is not in [{BIAS_MANT[0]}, {BIAS_MANT[1]}]")
    return mant


def _correlate(conv: Part, weight: Any, x: Any, shape: Shape) -> Any:
    """Cross-correlation `(T, c, h, w)` to `(T, *shape)` in int64, tap by tap."""
    (p_h, p_w), (s_h, s_w), (d_h, d_w) = conv.padding, conv.stride, conv.dilation
    x = np.pad(x, ((0, 0), (0, 0), (p_h, p_h), (p_w, p_w)))
    x = x.reshape(len(x), conv.groups, -1, *x.shape[2:])
    weight = weight.reshape(conv.groups, -1, *weight.shape[1:])
    out: Any = 0
    for i, j in np.ndindex(*weight.shape[-2:]):
        tap = x[..., i * d_h :: s_h, j * d_w :: s_w][..., : shape[1], : shape[2]]
        out = out + np.einsum("goc,tgchw->tgohw", weight[..., i, j], tap)
    return out.reshape(-1, *shape)


# Program parts as Lava processes -------------------------------------------------------------------------------


def neuron(group: Part) -> tuple[Any, Any]:
    """The group as Lava process and the model that runs it."""
    return {"lif": lif, "sigma_delta": sigma_delta, "resonator": resonator}[group.neuron](group)


def lif(group: Part) -> tuple[Any, Any]:
    values = dict(shape=tuple(group.shape), du=group.du, dv=group.dv)
    values.update(bias_mant=group.bias_mant, bias_exp=group.bias_exp)
    if hasattr(group, "vth_low"):
        return LAVA.TernaryLIF(**values, vth_hi=group.vth, vth_lo=group.vth_low), LAVA.PyTernLifModelFixed
    values.update(vth=group.vth)
    if group.reset_interval:
        values.update(reset_interval=group.reset_interval, reset_offset=group.reset_offset)
        return LAVA.LIFReset(**values), LAVA.PyLifResetModelBitAcc
    return LAVA.LIF(**values), LAVA.PyLifModelBitAcc


def sigma_delta(group: Part) -> tuple[Any, Any]:
    shape = tuple(group.shape)
    if group.stage == "sigma":
        return LAVA.Sigma(shape=shape), LAVA.PySigmaModelFixed
    values = dict(shape=shape, vth=group.vth, cum_error=group.cum_error)
    values.update(spike_exp=group.spike_exp, state_exp=group.state_exp)
    if group.stage == "delta":
        return LAVA.Delta(**values), LAVA.PyDeltaModelFixed
    mode = {"relu": LAVA.ActivationMode.RELU, "unit": LAVA.ActivationMode.UNIT}[group.activation]
    return LAVA.SigmaDelta(**values, bias=group.bias, act_mode=mode), LAVA.PySigmaDeltaModelFixed


def resonator(group: Part) -> tuple[Any, Any]:
    kind, model = {
        "rf": (LAVA.RF, LAVA.PyRFModelFixed),
        "rf_izhikevich": (LAVA.RF_IZ, LAVA.PyRF_IZModelFixed),
    }[group.kind]
    values = dict(vth=group.vth, state_exp=group.state_exp, decay_bits=group.decay_bits)
    process = kind(shape=tuple(group.shape), period=1.0, alpha=0.0, **values)
    # Lava works these out from a period and a decay, in floats; the Program has the integers.
    process.sin_decay.init, process.cos_decay.init = group.sin_decay, group.cos_decay
    return process, model


def variables(group: Part) -> dict[str, str]:
    """The state by the Program's names, each with Lava's."""
    if group.neuron == "lif":
        return {"u": "u", "v": "v"}
    if group.neuron == "resonator":
        return {"re": "real", "im": "imag"}
    names = {"delta": ["act", "residue"], "sigma": ["sigma"], "sigma_delta": ["sigma", "act", "residue"]}[group.stage]
    return {name: name for name in [*names, *(["error"] if group.cum_error else [])]}


def synapses(program: Part, link: Part, message_bits: int = MESSAGE_BITS) -> tuple[Any, Any]:
    """The connection as Lava process and the model that runs it."""
    source, target = program.shapes[link.source], program.shapes[link.target]
    bits = message_bits if link.graded else 0
    if link.kind == "conv":
        # Lava convolves (flipped kernels) over (x, y, c) and ignores the exponent; torch correlates over (c, y, x).
        weight = link.weight.astype(np.int32) << link.weight_exp
        geometry = dict(stride=link.stride[::-1], padding=link.padding[::-1], dilation=link.dilation[::-1])
        kernel = weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1)
        geometry.update(input_shape=source[::-1], groups=link.groups, num_message_bits=bits)
        return LAVA.Conv(weight=kernel, **geometry), LAVA.PyConvModelFixed
    if link.kind == "dense":
        values = dict(weights=link.weight.astype(np.int32), weight_exp=link.weight_exp, num_message_bits=bits)
        if not np.any(link.delay):
            return LAVA.Dense(**values), LAVA.PyDenseModelBitAcc
        delays = np.broadcast_to(link.delay, link.weight.shape).astype(int)
        return LAVA.DelayDense(**values, delays=delays), LAVA.PyDelayDenseModelBitAcc
    size = (int(np.prod(target)), int(np.prod(source)))
    weight = LAVA.csr_matrix((link.weight.astype(np.int32), (link.row, link.col)), size)
    values = dict(weights=weight, weight_exp=link.weight_exp, num_message_bits=bits)
    if not np.any(link.delay):
        return LAVA.Sparse(**values), LAVA.PySparseModelBitAcc
    delays = LAVA.csr_matrix((np.broadcast_to(link.delay, link.weight.shape).astype(int), (link.row, link.col)), size)
    return LAVA.DelaySparse(**values, delays=delays), LAVA.PyDelaySparseModelBitAcc


def line_length(link: Part) -> int:
    """Steps that the wire itself must hold back: Lava's Conv knows no delay."""
    return int(link.delay) if link.kind == "conv" else 0


# Mode `models`: one process, no runtime ------------------------------------------------------------------------


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


# Mode `runtime`: Lava's own runtime ----------------------------------------------------------------------------


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
            x = inputs[entry.name]
            data = np.concatenate([x, np.zeros((steps - len(x), *x.shape[1:]), x.dtype)])
            outs[entry.name] = LAVA.RingBuffer(data=np.moveaxis(data, 0, -1)).s_out
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
        line, line_model = _line(program.shapes[link.target], line_length(link))
        models[line] = line_model
        a_out.connect(line.into)
        a_out = line.out
    a_out.connect(getattr(target, PORTS[link.port]))


def _own(ports: dict[str, tuple[Any, Shape]], run_spk: Any) -> tuple[Any, Any]:
    """A process with these ports and nothing else, and its model: `ports` is `{name: (kind, shape)}`."""

    def make(self: Any) -> None:
        LAVA.AbstractProcess.__init__(self)
        for port, (kind, shape) in ports.items():
            setattr(self, port, kind(shape=shape))

    process = type("Own", (LAVA.AbstractProcess,), {"__init__": make})
    kinds = {LAVA.InPort: LAVA.PyInPort.VEC_DENSE, LAVA.OutPort: LAVA.PyOutPort.VEC_DENSE}
    body: dict[str, Any] = {port: LAVA.LavaPyType(kinds[kind], np.int32) for port, (kind, _) in ports.items()}
    body.update(run_spk=run_spk, implements_process=process, implements_protocol=LAVA.LoihiProtocol)
    body.update(required_resources=[LAVA.CPU])
    return process(), type("OwnModel", (LAVA.PyLoihiProcessModel,), body)


def sink(program: Part, path: str, steps: int) -> tuple[Any, Any]:
    """Takes the spikes of every group and writes them after the last step: reading a Var costs 60 us a value."""
    taken: dict[str, list[Any]] = {group.name: [] for group in program.groups}

    def run_spk(self: Any) -> None:
        for name, spikes in taken.items():
            spikes.append(getattr(self, f"from_{name}").recv())
        if self.time_step == steps:
            arrays: Any = {f"{name}/s": np.array(spikes, np.int32) for name, spikes in taken.items()}
            np.savez(path, **arrays)

    return _own({f"from_{name}": (LAVA.InPort, program.shapes[name]) for name in taken}, run_spk)


def _line(shape: Shape, length: int) -> tuple[Any, Any]:
    """Hands on what it took `length` steps ago."""
    held = [np.zeros(shape, np.int32) for _ in range(length)]

    def run_spk(self: Any) -> None:
        self.out.send(held.pop(0))
        held.append(self.into.recv())

    return _own({"into": (LAVA.InPort, shape), "out": (LAVA.OutPort, shape)}, run_spk)


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


# Command line --------------------------------------------------------------------------------------------------


def run_job(program_path: str, input_path: str, output_path: str, mode: str, samples: int | None) -> None:
    program = read_program(program_path)
    with np.load(input_path) as file:
        inputs = {entry.name: file[entry.name][:, :samples] for entry in program.inputs}
    length, batch = next(iter(inputs.values())).shape[:2]
    run = {"models": run_models, "runtime": run_runtime}[mode]
    runs = [run(program, {k: x[:, b] for k, x in inputs.items()}, length + program.latency) for b in range(batch)]
    trace: Any = {key: np.stack([one[key] for one in runs], axis=1) for key in runs[0]}
    np.savez(output_path, meta=json.dumps({"mode": mode, **versions()}), **trace)


def versions() -> dict[str, str]:
    names = ("numpy", "scipy", "lava-nc")
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in names}}


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs spikeport Program files on Lava.")
    parser.add_argument("files", nargs="*", metavar="FILE", help="PROGRAM.h5 INPUT.npz OUTPUT.npz, once or repeated")
    parser.add_argument("--mode", choices=("models", "runtime"), default="models")
    parser.add_argument("--samples", type=int, help="run only the first SAMPLES of the batch")
    parser.add_argument("--check", action="store_true", help="print the interpreter and the versions as JSON, and stop")
    args = parser.parse_args()
    if args.check:
        print(json.dumps({"executable": sys.executable, **versions()}))
        return
    if not args.files or len(args.files) % 3:
        parser.error("files come in threes: PROGRAM.h5 INPUT.npz OUTPUT.npz")
    load_lava()
    warnings.filterwarnings("ignore", module="scipy.sparse")  # Lava's DelaySparse changes matrices the slow way
    for start in range(0, len(args.files), 3):
        program, inputs, output = args.files[start : start + 3]
        run_job(program, inputs, output, args.mode, args.samples)


if __name__ == "__main__":
    main()
