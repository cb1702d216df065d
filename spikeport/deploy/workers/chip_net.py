"""All processes of one sample as a chip takes them: neurons, synapses, and what lies between Python and cores."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from lava_classes import LAVA
from lava_processes import PORTS, line_length, neuron, synapses, variables
from own_processes import sink, source
from program_parts import Part, read_program

PAYLOAD_BITS = 24
"""Of what a chip sends: a raw word of 24 bits in an int32."""
SDNN_BITS = 16
"""lava-dl's netx gives this many to every payload between sigma-delta layers."""


class Offsets(NamedTuple):
    """Steps by which the board's edges lag, and how a probe lays out its values."""

    input: int = 0
    output: int = 0
    probe: int = 0
    steps_first: bool = False


class Adapter(NamedTuple):
    """One crossing between Python and cores."""

    name: str
    kind: str
    bits: int
    shape: tuple[int, ...]
    process: Any


class Net(NamedTuple):
    """What is built for one sample."""

    neurons: dict[str, Any]
    synapses: list[tuple[str, Any]]
    adapters: list[Adapter]
    others: list[tuple[str, Any]]
    probes: dict[str, Any]
    models: dict[Any, Any]
    """Process to model: on the host what runs, of the cores' processes Lava's own on a CPU."""


def turned(x: Any) -> Any:
    """(.., c, h, w) as (.., w, h, c) and back; for arrays of one sample's group without time."""
    return x.T if np.ndim(x) == 3 else x


def on_chip(group: Any, offset: int) -> Any:
    """The group as Lava's convolutions want it: (x, y, c), and cleared `offset` steps later."""
    values = {name: turned(value) if isinstance(value, np.ndarray) else value for name, value in vars(group).items()}
    values["shape"] = tuple(group.shape[::-1] if len(group.shape) == 3 else group.shape)
    if values.get("reset_interval"):
        values["reset_offset"] += offset
    return Part(**values)


def message_bits(program: Any, name: str) -> int:
    """Of what an input or group sends; 0: spikes without payload."""
    for entry in program.inputs:
        if entry.name == name:
            if entry.kind == "spike":
                return 0
            return SDNN_BITS if -(1 << 15) <= entry.low and entry.high < 1 << 15 else PAYLOAD_BITS
    group = next(g for g in program.groups if g.name == name)
    if group.neuron == "lif":
        return PAYLOAD_BITS if hasattr(group, "vth_low") else 0
    return SDNN_BITS if group.neuron == "sigma_delta" else 0


def read_for_chip(path: str) -> Part:
    """The Program, with the inputs that send spikes apart; ends with one line where the chip lacks a process."""
    program = read_program(path)
    program.inputs_of_spikes = [entry for entry in program.inputs if entry.kind != "bias"]
    for link in program.connections:
        if line_length(link):
            at = f"{link.source} -> {link.target}"
            raise SystemExit(f"{at}: no convolution of Lava has a delay ({link.delay}) on a chip; list its synapses")
    return program


def kinds_of(program: Any) -> list[tuple[str, int]]:
    """Adapters into the chip that a Program needs, each with its message bits."""
    names = {entry.name for entry in program.inputs_of_spikes}
    used = {
        ("PyToN3ConvAdapter" if link.kind == "conv" else "PyToNxAdapter", message_bits(program, link.source))
        for link in program.connections
        if link.source in names
    }
    return sorted(used)


def build(program: Any, inputs: Any, record: Sequence[str], offsets: Offsets, steps: int, path: str) -> Net:
    """All processes of one sample, connected."""
    net = Net({}, [], [], [], {}, {})
    for group in program.groups:
        moved = on_chip(group, offsets.input)
        net.neurons[group.name], net.models[net.neurons[group.name]] = neuron(moved)
    sources = {entry.name: add_source(net, entry, inputs[entry.name], steps) for entry in program.inputs_of_spikes}
    made: dict[tuple[str, str], Any] = {}
    for link in program.connections:
        process, model = synapses(program, link, message_bits(program, link.source) or PAYLOAD_BITS)
        net.models[process] = model
        net.synapses.append((f"{link.source} -> {link.target}", process))
        _enter(program, net, link, sources, made, process)
        _leave(program, link, process, getattr(net.neurons[link.target], PORTS[link.port]))
    _listen(program, net, record, steps, path)
    return net


def add_source(net: Net, entry: Any, x: Any, steps: int) -> Any:
    process = source(x, steps)
    net.models[process] = LAVA.PySendModelFixed
    net.others.append((f"source of {entry.name}", process))
    return process


def _enter(program: Any, net: Net, link: Any, sources: Any, made: Any, process: Any) -> None:
    """Spikes of the link's source to its synapses; of an input through an adapter, one for each kind of synapses."""
    shape, conv = tuple(program.shapes[link.source]), link.kind == "conv"
    if link.source in net.neurons:
        spikes = net.neurons[link.source].s_out
        if not conv:
            spikes = (spikes.transpose([2, 1, 0]) if len(shape) == 3 else spikes).flatten()
        spikes.connect(process.s_in)
        return
    kind = "PyToN3ConvAdapter" if conv else "PyToNxAdapter"
    if (link.source, kind) not in made:
        out = sources[link.source].s_out
        flat = out.transpose([2, 1, 0]) if conv else out.flatten()
        bits = message_bits(program, link.source)
        adapter = add_adapter(net, link.source, kind, bits, shape[::-1] if conv else (int(np.prod(shape)),))
        flat.connect(adapter.inp)
        made[link.source, kind] = adapter.out
    made[link.source, kind].connect(process.s_in)


def add_adapter(net: Net, name: str, kind: str, bits: int, shape: tuple[int, ...]) -> Any:
    process = getattr(LAVA, kind)(shape=shape, num_message_bits=bits)
    net.adapters.append(Adapter(name, kind, bits, shape, process))
    return process


def _leave(program: Any, link: Any, process: Any, port: Any) -> None:
    shape = tuple(program.shapes[link.target])
    a_out = process.a_out
    if link.kind != "conv" and len(shape) == 3:
        a_out = a_out.reshape(shape).transpose([2, 1, 0])
    elif link.kind != "conv" and len(shape) > 1:
        a_out = a_out.reshape(shape)
    a_out.connect(port)


def _listen(program: Any, net: Net, record: Sequence[str], steps: int, path: str) -> None:
    """Adapters and a sink for the spikes of outputs and recorded groups, and probes of state."""
    heard = [g for g in program.groups if g.name in record or any(o.source == g.name for o in program.outputs)]
    shapes = {g.name: tuple(g.shape[::-1] if len(g.shape) == 3 else g.shape) for g in heard}
    taker, model = sink(Part(groups=heard, shapes=shapes), path, steps)
    net.models[taker] = model
    net.others.append(("sink", taker))
    for group in heard:
        bits = message_bits(program, group.name)
        bits = PAYLOAD_BITS if bits else 0
        adapter = add_adapter(net, group.name, "NxToPyAdapter", bits, shapes[group.name])
        net.neurons[group.name].s_out.connect(adapter.inp)
        adapter.out.connect(getattr(taker, f"from_{group.name}"))
    for group in program.groups:
        read = {"v"} if any(o.source == group.name and o.reads == "v" for o in program.outputs) else set()
        for ours, theirs in variables(group).items():
            if group.name in record or ours in read:
                var = getattr(net.neurons[group.name], theirs)
                net.probes[f"{group.name}/{ours}"] = LAVA.StateProbe(var)
