"""`spikeport convert`: lava-dl's network files in, and out."""

from pathlib import Path

from spikeport.commands.answer import Answer
from spikeport.deploy.netx import read_netx, write_netx
from spikeport.errors import InputError
from spikeport.program import Program
from spikeport.program_file import load_program, save_program

PROGRAM, NETX = (".h5", ".hdf5"), (".net",)


def convert(path: Path, output: Path, interval: int, offset: int, input_bits: int, num_layers: int | None) -> Answer:
    """`.net` to Program, or Program to `.net`; the suffixes say which."""
    kinds = (path.suffix in NETX, output.suffix in NETX)
    if kinds == (True, False) and output.suffix in PROGRAM:
        program = read_netx(
            path, reset_interval=interval, reset_offset=offset, input_bits=input_bits, num_layers=num_layers
        )
        save_program(program, output)
        notes = [f"{output} written; its output lags by {program.latency} steps"]
        if program.encoders:
            entry = program.inputs[0]
            notes.append(f"input: integers in steps of 2^-{input_bits}, from {entry.low} to {entry.high}")
        return _answer(program, path, output, notes, {"latency": program.latency})
    if kinds == (False, True) and path.suffix in PROGRAM:
        program = load_program(path)
        arguments = write_netx(program, output)
        interval, offset = arguments.reset_interval, arguments.reset_offset
        call = f"reset_interval={interval}, reset_offset={offset}" if interval else "reset_interval=None"
        notes = [f"{output} written; in lava-dl: netx.hdf5.Network('{output.name}', {call})"]
        if program.outputs[0].classes:
            notes.append(f"the vote among {program.outputs[0].classes} classes is no part of the file")
        return _answer(program, path, output, notes, {"reset_interval": interval, "reset_offset": offset})
    got, limit = f"{path.name} to {output.name}", "NET.net to NET.h5, or NET.h5 to NET.net"
    raise InputError("convert", "files", got=got, relation="are not", limit=limit)


def _answer(program: Program, path: Path, output: Path, notes: list[str], more: dict[str, int]) -> Answer:
    groups = [{"name": g.name, "shape": g.shape, "du": g.du, "dv": g.dv, "vth": g.vth} for g in program.lifs]
    data = {"input": str(path), "output": str(output), "groups": groups, **more}
    rows = [(g.name, "x".join(map(str, g.shape)), str(g.du), str(g.dv), str(g.vth)) for g in program.lifs]
    return Answer(data, f"{path.name} to {output.name}", ("layer", "neurons", "du", "dv", "vth"), rows, notes)
