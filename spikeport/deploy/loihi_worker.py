"""Runs a Program on a Loihi 2 through Lava. Needs Intel's lava-loihi and `lava_worker.py` beside it, nothing else.

    python loihi_worker.py PROGRAM.h5 INPUT.npz OUTPUT.h5 [--record GROUP,GROUP] [--power]

INPUT.npz is that of `lava_worker.py`. OUTPUT.h5 holds `GROUP/s`, and of recorded groups the state, such as `GROUP/u`,
int32 `(steps, B, *shape)` after each of the Program's hardware steps, and under `hardware-run` what was measured.

Every edge between Python and cores goes through an adapter of `lava.proc.embedded_io`. How many steps adapters and
probes lag is measured on the board, by a pilot of a few neurons, and taken off. Images lie as (x, y, c) and meet as in
lava-dl's netx, which is how Intel's own networks were laid out on the chip.

With `--stand-ins` the classes that are not public are those of `loihi_standins.py`, on Lava's CPU runtime; with
`--dry-run` nothing runs, and OUTPUT is a JSON text that says what would be built.
"""

import argparse
import importlib
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

FOLDER = os.path.dirname(os.path.realpath(__file__))


def beside(name: str) -> Any:
    """The script of that name in this folder, as a module; the folder itself is kept off the path."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, os.path.join(FOLDER, f"{name}.py"))
        if spec is None or spec.loader is None or not os.path.isfile(os.path.join(FOLDER, f"{name}.py")):
            raise SystemExit(f"{name}.py: is not beside {os.path.basename(__file__)}; copy it there too")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


lava = beside("lava_worker")

import numpy as np  # noqa: E402

HARDWARE = "hardware-run"
FORMAT = 1
PAYLOAD_BITS = 24
"""Of what a chip sends: a raw word of 24 bits in an int32."""
SDNN_BITS = 16
"""lava-dl's netx gives this many to every payload between sigma-delta layers."""
PILOT_STEPS, PILOT_PULSE = 16, 3
PILOT_SPIKE = 5
"""The step at which the pilot's second neuron first spikes."""
US = 1e6
"""Microseconds, in which the profilers count, of a second."""
SPREAD = 8
"""Largest offset that the pilot can see."""
POWER = {"total": "total_power", "vdd": "vdd_power", "vddm": "vddm_power", "vddio": "vddio_power"}
TIMES = {"execution": "execution_time_per_step", "management": "management_time_per_step", "host": "host_time_per_step"}
ACTIVITY = {"chip": "chip_idx", "core": "core_idx"}
ACTIVITY |= {name: name for name in ("syn_ops", "dendrite_updates", "spikes_in", "axon_out")}
"""Our names of what lava-loihi's profilers measure, and theirs (lava-dl's netx tutorials, benchmark.ipynb)."""


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


# Onto the chip -------------------------------------------------------------------------------------------------


def turned(x: Any) -> Any:
    """(.., c, h, w) as (.., w, h, c) and back; for arrays of one sample's group without time."""
    return x.T if np.ndim(x) == 3 else x


def on_chip(group: Any, offset: int) -> Any:
    """The group as Lava's convolutions want it: (x, y, c), and cleared `offset` steps later."""
    values = {name: turned(value) if isinstance(value, np.ndarray) else value for name, value in vars(group).items()}
    values["shape"] = tuple(group.shape[::-1] if len(group.shape) == 3 else group.shape)
    if values.get("reset_interval"):
        values["reset_offset"] += offset
    return lava.Part(**values)


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


def refuse(program: Any) -> None:
    """Ends with one line where the chip has no process for a part."""
    for link in program.connections:
        if lava.line_length(link):
            at = f"{link.source} -> {link.target}"
            raise SystemExit(f"{at}: no convolution of Lava has a delay ({link.delay}) on a chip; list its synapses")


def build(program: Any, inputs: Any, record: Sequence[str], offsets: Offsets, steps: int, path: str) -> Net:
    """All processes of one sample, connected."""
    net = Net({}, [], [], [], {}, {})
    for group in program.groups:
        moved = on_chip(group, offsets.input)
        net.neurons[group.name], net.models[net.neurons[group.name]] = lava.neuron(moved)
    sources = {entry.name: _source(net, entry, inputs[entry.name], steps) for entry in program.inputs_of_spikes}
    made: dict[tuple[str, str], Any] = {}
    for link in program.connections:
        process, model = lava.synapses(program, link, message_bits(program, link.source) or PAYLOAD_BITS)
        net.models[process] = model
        net.synapses.append((f"{link.source} -> {link.target}", process))
        _enter(program, net, link, sources, made, process)
        _leave(program, link, process, getattr(net.neurons[link.target], lava.PORTS[link.port]))
    _listen(program, net, record, steps, path)
    return net


def _source(net: Net, entry: Any, x: Any, steps: int) -> Any:
    data = np.concatenate([x, np.zeros((max(0, steps - len(x)), *x.shape[1:]), x.dtype)])[:steps]
    process = lava.LAVA.RingBuffer(data=np.moveaxis(data, 0, -1).astype(np.int32))
    net.models[process] = lava.LAVA.PySendModelFixed
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
        adapter = _adapter(net, link.source, kind, bits, shape[::-1] if conv else (int(np.prod(shape)),))
        flat.connect(adapter.inp)
        made[link.source, kind] = adapter.out
    made[link.source, kind].connect(process.s_in)


def _adapter(net: Net, name: str, kind: str, bits: int, shape: tuple[int, ...]) -> Any:
    process = getattr(lava.LAVA, kind)(shape=shape, num_message_bits=bits)
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
    sink, model = lava.sink(lava.Part(groups=heard, shapes=shapes), path, steps)
    net.models[sink] = model
    net.others.append(("sink", sink))
    for group in heard:
        bits = message_bits(program, group.name)
        bits = PAYLOAD_BITS if bits else 0
        adapter = _adapter(net, group.name, "NxToPyAdapter", bits, shapes[group.name])
        net.neurons[group.name].s_out.connect(adapter.inp)
        adapter.out.connect(getattr(sink, f"from_{group.name}"))
    for group in program.groups:
        read = {"v"} if any(o.source == group.name and o.reads == "v" for o in program.outputs) else set()
        for ours, theirs in lava.variables(group).items():
            if group.name in record or ours in read:
                var = getattr(net.neurons[group.name], theirs)
                net.probes[f"{group.name}/{ours}"] = lava.LAVA.StateProbe(var)


# Biases that change --------------------------------------------------------------------------------------------


def schedules(program: Any, inputs: Any, offset: int, steps: int) -> dict[str, Any]:
    """For groups whose bias changes, `(steps, *shape)`: the host's, and before the sample arrives none."""
    found = {}
    for group in program.groups:
        planned = lava.bias_schedule(program, group.name, inputs)
        own: Any = getattr(group, "bias_mant", getattr(group, "bias", None))
        if planned is None and (not offset or own is None or not np.any(own)):
            continue
        if planned is None and group.neuron == "sigma_delta":
            own = np.asarray(own) << (group.spike_exp + group.state_exp)  # as Lava's process keeps it
        after = planned if planned is not None else np.broadcast_to(own, group.shape)[None]
        rest = np.repeat(after[-1:], max(0, steps - offset - len(after)), axis=0)
        found[group.name] = np.concatenate([np.zeros((offset, *group.shape), np.int64), after, rest])[:steps]
    return found


def segments(planned: Mapping[str, Any], steps: int) -> list[tuple[int, int]]:
    """`(first step from 0, number of steps)` of runs in which no bias changes."""
    changes = {0, steps}
    for values in planned.values():
        moved = (values[1:] != values[:-1]).reshape(len(values) - 1, -1).any(axis=1)
        changes |= {int(t) + 1 for t in np.flatnonzero(moved)}
    at = sorted(changes)
    return [(a, b - a) for a, b in zip(at[:-1], at[1:], strict=True)]


def bias_of(process: Any) -> Any:
    return process.bias_mant if hasattr(process, "bias_mant") else process.bias


# The pilot -----------------------------------------------------------------------------------------------------


def pilot(kinds: Sequence[tuple[str, int]], folder: str) -> Offsets:
    """Measures what the edges lag: two neurons that count steps, and one behind each kind of adapter.

    v of the counting neurons is 64 t and 128 t up to step 4; the second spikes at step 5. A pulse at step 3 is at its
    neuron, without any adapter, at step 4, and makes it spike.
    """
    net = Net({}, [], [], [], {}, {})
    counting = dict(u=0, v=0, du=4095, dv=0, vth=9, bias_mant=np.array([1, 2]), bias_exp=6)
    net.neurons["clock"] = lava.LAVA.LIF(shape=(2,), **counting)
    net.models[net.neurons["clock"]] = lava.LAVA.PyLifModelBitAcc
    listed = [lava.Part(name="clock", shape=(2,))]
    for number, (kind, bits) in enumerate(kinds):
        listed.append(_echo(net, f"echo{number}", kind, bits))
    path = os.path.join(folder, "pilot.npz")
    sink, model = lava.sink(lava.Part(groups=listed, shapes={g.name: g.shape for g in listed}), path, PILOT_STEPS)
    net.models[sink] = model
    net.others.append(("sink", sink))
    for group in listed:
        adapter = _adapter(net, group.name, "NxToPyAdapter", 0, group.shape)
        net.neurons[group.name].s_out.connect(adapter.inp)
        adapter.out.connect(getattr(sink, f"from_{group.name}"))
    probe = lava.LAVA.StateProbe(net.neurons["clock"].v)
    run(sink, net, [probe], [(0, PILOT_STEPS)], {})
    with np.load(path) as file:
        heard = {name: file[f"{name}/s"].reshape(PILOT_STEPS, -1)[:, -1] for name in net.neurons}
    output = _first(heard["clock"], "clock") - PILOT_SPIKE
    lags = {_first(heard[g.name], g.name) - (PILOT_PULSE + 1) - output for g in listed[1:]} or {0}
    if len(lags) > 1:
        raise SystemExit(f"pilot: the adapters into the chip lag by different numbers of steps ({sorted(lags)})")
    return Offsets(lags.pop(), output, *_layout(np.asarray(probe.time_series)))


def _echo(net: Net, name: str, kind: str, bits: int) -> Any:
    conv = kind == "PyToN3ConvAdapter"
    shape = (1, 1, 1) if conv else (1,)
    pulse = np.zeros((PILOT_STEPS, *shape), np.int32)
    pulse[PILOT_PULSE - 1] = 1
    source = _source(net, lava.Part(name=name), pulse, PILOT_STEPS)
    adapter = _adapter(net, name, kind, bits, shape)
    source.s_out.connect(adapter.inp)
    if conv:
        weight = np.full((1, 1, 1, 1), 254)
        synapses, model = lava.LAVA.Conv(weight=weight, input_shape=shape, num_message_bits=bits), "PyConvModelFixed"
    else:
        synapses, model = lava.LAVA.Dense(weights=np.array([[254]]), num_message_bits=bits), "PyDenseModelBitAcc"
    net.models[synapses] = getattr(lava.LAVA, model)
    net.neurons[name] = lava.LAVA.LIF(shape=shape, du=4095, dv=4096, vth=1)
    net.models[net.neurons[name]] = lava.LAVA.PyLifModelBitAcc
    adapter.out.connect(synapses.s_in)
    synapses.a_out.connect(net.neurons[name].a_in)
    return lava.Part(name=name, shape=shape)


def _first(spikes: Any, name: str) -> int:
    if not np.any(spikes):
        raise SystemExit(f"pilot: no spike of {name} came back from the board in {PILOT_STEPS} steps")
    return int(np.flatnonzero(spikes)[0]) + 1


def _layout(series: Any) -> tuple[int, bool]:
    """The probe's offset, and whether steps come first, from v of the clock."""
    flat = series.reshape(-1).astype(np.int64)
    want = np.array([[64, 128], [128, 256], [192, 384], [256, 512]])
    for steps_first in (False, True):
        if len(flat) % 2:
            break
        values = flat.reshape(-1, 2) if steps_first else flat.reshape(2, -1).T
        for offset in range(min(SPREAD, len(values) - 3)):
            if np.array_equal(values[offset : offset + 4], want):
                return offset, steps_first
    raise SystemExit(f"pilot: the probe of v shows no counting neuron: {flat[:16].tolist()}")


# Running -------------------------------------------------------------------------------------------------------


def run(first: Any, net: Net, callbacks: list[Any], parts: list[tuple[int, int]], planned: Mapping[str, Any]) -> None:
    """Runs the parts one after the other; between them the host loads new biases."""
    config = lava.LAVA.Loihi2HwCfg(exception_proc_model_map=chosen(net), callback_fxs=callbacks)
    for name, values in planned.items():
        bias_of(net.neurons[name]).init = turned(values[0])
    try:
        for start, steps in parts:
            for name, values in planned.items():
                if start and not np.array_equal(values[start], values[start - 1]):
                    bias_of(net.neurons[name]).set(turned(values[start]).astype(np.int32))
            first.run(condition=lava.LAVA.RunSteps(num_steps=steps), run_cfg=config)
    finally:
        first.stop()


def chosen(net: Net) -> dict[Any, Any]:
    """Models of the host's processes; the configuration chooses those of the cores'."""
    return {process: net.models[process] for _, process in net.others}


def run_sample(program: Any, inputs: Any, record: Sequence[str], offsets: Offsets, steps: int, power: bool) -> Any:
    """`({"GROUP/u": (steps, *shape)}, profilers)` of one sample, in the Program's own hardware time."""
    total = steps + offsets.input + max(offsets.output, offsets.probe)
    if offsets.input:
        _check_rests(program)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "spikes.npz")
        net = build(program, inputs, record, offsets, total, path)
        planned = schedules(program, inputs, offsets.input, total)
        meters = profilers(total) if power else []
        run(net.others[-1][1], net, [*net.probes.values(), *meters], segments(planned, total), planned)
        with np.load(path) as file:
            spikes = dict(file)
    trace = {}
    for key, x in spikes.items():
        group = key.split("/")[0]
        x = x.astype(np.int32)
        if message_bits(program, group):
            x = (x << 8) >> 8  # a raw word of 24 bits
        trace[key] = _cut(program, group, x, offsets.input + offsets.output, steps)
    for key, probe in net.probes.items():
        group = key.split("/")[0]
        size = int(np.prod(program.shapes[group]))
        flat = np.asarray(probe.time_series).reshape(-1).astype(np.int32)
        values = flat.reshape(-1, size) if offsets.steps_first else flat.reshape(size, -1).T
        trace[key] = _cut(program, group, values, offsets.input + offsets.probe, steps)
    return trace, meters


def _check_rests(program: Any) -> None:
    """Before the sample arrives late, nothing may move without a bias."""
    for group in program.groups:
        if getattr(group, "vth_low", -1) > 0 or (group.neuron == "resonator" and group.vth == 0):
            raise SystemExit(f"{group.name}: spikes in silence, and the board's input comes late; run it elsewhere")


def _cut(program: Any, group: str, x: Any, start: int, steps: int) -> Any:
    shape = tuple(program.shapes[group])
    x = x[start : start + steps].reshape(-1, *(shape[::-1] if len(shape) == 3 else shape))
    if len(x) < steps:
        raise SystemExit(f"{group}: the board gave {len(x)} steps, not {steps}")
    return x.transpose(0, 3, 2, 1) if len(shape) == 3 else x


def profilers(steps: int) -> list[Any]:
    return [lava.LAVA.Loihi2Power(num_steps=steps), lava.LAVA.Loihi2ExecutionTime(), lava.LAVA.Loihi2Activity()]


def measured(meters: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """What the profilers of all samples say, end to end; counters are added up. What a release lacks is left out."""
    found: dict[str, Any] = {}
    for power, times, activity in meters:
        for name, theirs in POWER.items():
            _append(found, f"power_w/{name}", getattr(power, theirs, None))
            _append(found, f"static_power_w/{name}", getattr(power, f"static_{theirs}", None))
        _append(found, "power_time_s", getattr(power, "time_stamp", None), US)
        for name, theirs in TIMES.items():
            _append(found, f"step_s/{name}", getattr(times, theirs, None), US)
        for name, theirs in ACTIVITY.items():
            values = getattr(activity, theirs, None)
            if values is not None:
                key, values = f"activity/{name}", np.asarray(values, np.int64)
                found[key] = values if name in ("chip", "core") else found.get(key, 0) + values
    return {f"{HARDWARE}/{key}": x for key, x in found.items()}


def _append(found: dict[str, Any], key: str, values: Any, per_unit: float = 1.0) -> None:
    if values is not None:
        x = np.atleast_1d(np.asarray(values, np.float64)) / per_unit
        found[key] = np.concatenate([found[key], x]) if key in found else x


# The board, or what stands in ----------------------------------------------------------------------------------


def connect_board() -> dict[str, str]:
    """Lava's own functions set its variables; which board it is."""
    loihi = importlib.import_module("lava.utils.loihi")
    generation = loihi.ChipGeneration[os.environ.get("LOIHI_GEN", "N3B3")]
    host = os.environ.get("NXSDKHOST")
    if host:
        binary = os.environ.get("HOST_BINARY", "nxcore/bin/nx_driver_server")
        loihi.use_ethernet_host(host, binary, generation)
    else:
        loihi.use_slurm_host(os.environ.get("PARTITION"), os.environ.get("BOARD"), generation)
    names = ("LOIHI_GEN", "NXSDKHOST", "BOARD", "PARTITION")
    return {name.lower(): os.environ[name] for name in names if name in os.environ}


def load_classes() -> None:
    """What is not public, by name, beside what `lava_worker.py` loads."""
    wanted = {
        "lava.proc.embedded_io.spike": ("PyToNxAdapter", "PyToN3ConvAdapter", "NxToPyAdapter"),
        "lava.utils.loihi2_state_probes": ("StateProbe",),
        "lava.utils.loihi2_profiler": ("Loihi2Power", "Loihi2ExecutionTime", "Loihi2Activity"),
        "lava.magma.core.run_configs": ("Loihi2HwCfg",),
    }
    for module, names in wanted.items():
        loaded = importlib.import_module(module)
        vars(lava.LAVA).update({name: getattr(loaded, name) for name in names})


# Command line --------------------------------------------------------------------------------------------------


def read(path: str) -> Any:
    program = lava.read_program(path)
    program.inputs_of_spikes = [entry for entry in program.inputs if entry.kind != "bias"]
    refuse(program)
    return program


def run_files(args: Any, board: dict[str, str]) -> None:
    program = read(args.program)
    with np.load(args.input) as file:
        inputs = {entry.name: file[entry.name][:, : args.samples] for entry in program.inputs}
    length, batch = next(iter(inputs.values())).shape[:2]
    record = [name for name in args.record.split(",") if name]
    with tempfile.TemporaryDirectory() as folder:
        offsets = pilot(kinds_of(program), folder)
    steps = length + program.latency
    runs = [
        run_sample(program, {k: x[:, b] for k, x in inputs.items()}, record, offsets, steps, args.power)
        for b in range(batch)
    ]
    arrays = {key: np.stack([trace[key] for trace, _ in runs], axis=1) for key in runs[0][0]}
    arrays |= measured([meters for _, meters in runs if meters])
    facts = {"format": FORMAT, "board": board, "versions": lava.versions(), "offsets": offsets._asdict()}
    facts |= {"program_file_sha256": seal_of(args.program), "steps": steps, "samples": batch}
    arrays[f"{HARDWARE}/facts"] = np.array(json.dumps(facts).encode())
    write(args.output, arrays)


def kinds_of(program: Any) -> list[tuple[str, int]]:
    """Adapters into the chip that a Program needs, each with its message bits."""
    names = {entry.name for entry in program.inputs_of_spikes}
    used = {
        ("PyToN3ConvAdapter" if link.kind == "conv" else "PyToNxAdapter", message_bits(program, link.source))
        for link in program.connections
        if link.source in names
    }
    return sorted(used)


def seal_of(path: str) -> str:
    with open(path, "rb") as file:
        return file.read(512).rstrip(b"\0\n").decode("ascii", "replace").split(" ")[-1]


def write(path: str, arrays: Mapping[str, Any]) -> None:
    """There whole or not at all."""
    import h5py

    part = f"{path}.part"
    try:
        with h5py.File(part, "w") as file:
            for key, x in arrays.items():
                file.create_dataset(key, data=x, compression="gzip" if np.ndim(x) else None)
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.unlink(part)


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs a spikeport Program on a Loihi 2.")
    parser.add_argument("program", metavar="PROGRAM.h5")
    parser.add_argument("input", metavar="INPUT.npz")
    parser.add_argument("output", metavar="OUTPUT.h5")
    parser.add_argument("--record", default="", metavar="GROUPS", help="groups whose state is probed, with commas")
    parser.add_argument("--samples", type=int, help="run only the first SAMPLES of the batch")
    parser.add_argument("--power", action="store_true", help="measure power, time and activity")
    parser.add_argument("--dry-run", action="store_true", help="build everything with stand-ins, run nothing")
    parser.add_argument(
        "--stand-ins", metavar="IN,OUT,PROBE", help="run on Lava's CPU runtime, the edges late by so many steps"
    )
    args = parser.parse_args()
    lava.load_lava()
    if args.dry_run or args.stand_ins is not None:
        standins = beside("loihi_standins")
        standins.load(lava.LAVA, *(int(n) for n in (args.stand_ins or "0,0,0").split(",")))
        board = {"stand_ins": "Lava's CPU runtime"}
        if args.dry_run:
            standins.dry_run(sys.modules[__name__], args)
            return
    else:
        board = connect_board()
        load_classes()
    run_files(args, board)


if __name__ == "__main__":
    main()
