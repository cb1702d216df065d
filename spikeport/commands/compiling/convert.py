"""`spikeport convert`: lava-dl's network files in, and out."""

from dataclasses import asdict
from pathlib import Path

from spikeport.commands.answer import Answer
from spikeport.deploy.netx import NetxArguments, read_netx, write_netx
from spikeport.errors import OptionMisused
from spikeport.neurons import LIF, Group, Resonator, SigmaDelta
from spikeport.program import Program
from spikeport.program_file import load_program, save_program

PROGRAM, NETX = (".h5", ".hdf5"), (".net",)


def convert(path: Path, output: Path, arguments: NetxArguments, num_layers: int | None, skip_layers: int) -> Answer:
    """`.net` to Program, or Program to `.net`; the suffixes say which."""
    kinds = (path.suffix in NETX, output.suffix in NETX)
    if kinds == (True, False) and output.suffix in PROGRAM:
        program = read_netx(path, num_layers=num_layers, skip_layers=skip_layers, **asdict(arguments))
        save_program(program, output)
        notes = [f"{output} written; its output lags by {program.latency} steps"]
        entry = program.inputs[0]
        if entry.kind != "spike":
            steps = f" in steps of 2^-{arguments.input_bits}" if program.encoders else ""
            notes.append(f"input: integers{steps}, from {entry.low} to {entry.high}")
        return _answer(program, path, output, notes, {"latency": program.latency})
    if kinds == (False, True) and path.suffix in PROGRAM:
        program = load_program(path)
        arguments = write_netx(program, output)
        notes = [f"{output} written; in lava-dl: netx.hdf5.Network('{output.name}', {_call(program, arguments)})"]
        if program.outputs[0].classes:
            notes.append(f"the vote among {program.outputs[0].classes} classes is no part of the file")
        if program.read_v:
            notes.append(f"that the output is v of {program.outputs[0].source} is no part of the file")
        return _answer(program, path, output, notes, asdict(arguments))
    got, limit = f"{path.name} to {output.name}", "NET.net to NET.h5, or NET.h5 to NET.net"
    raise OptionMisused("convert", "files", got=got, relation="are not", limit=limit)


def _call(program: Program, arguments: NetxArguments) -> str:
    """What lava-dl must be told."""
    interval, offset = arguments.reset_interval, arguments.reset_offset
    told = f"reset_interval={interval}, reset_offset={offset}" if interval else "reset_interval=None"
    if arguments.input_message_bits:
        told += f", input_message_bits={arguments.input_message_bits}"
    if any(isinstance(g, SigmaDelta) for g in program.groups):
        told += f", spike_exp={arguments.spike_exp}"
    return told


def _answer(program: Program, path: Path, output: Path, notes: list[str], more: dict[str, int]) -> Answer:
    groups = [{"name": g.name, "shape": g.shape, **_parameters(g)} for g in program.groups]
    data = {"input": str(path), "output": str(output), "groups": groups, **more}
    rows = [
        (
            g.name,
            "x".join(map(str, g.shape)),
            type(g).__name__,
            ", ".join(f"{k} {x}" for k, x in _parameters(g).items()),
        )
        for g in program.groups
    ]
    return Answer(data, f"{path.name} to {output.name}", ("layer", "neurons", "kind", "parameters"), rows, notes)


def _parameters(group: Group) -> dict[str, int | str]:
    match group:
        case LIF():
            return {"du": group.du, "dv": group.dv, "vth": group.vth}
        case SigmaDelta():
            return {"stage": group.stage, "vth": group.vth}
        case Resonator():
            decays: dict[str, int | str] = {"sin_decay": group.sin_decay, "cos_decay": group.cos_decay}
            return {"type": group.kind, **decays, "vth": group.vth}
