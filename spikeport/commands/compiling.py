"""`spikeport check` and `spikeport compile`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from spikeport.chip import chip_named
from spikeport.commands.answer import Answer
from spikeport.commands.fitting import advice_data, cores_table, placement_data
from spikeport.commands.proving import verdicts
from spikeport.commands.samples import check_file_writable
from spikeport.deploy import Violation, compile_graph, read_nir
from spikeport.deploy import check as check_program
from spikeport.deploy.pipeline import read_as
from spikeport.deploy.remedies import advise
from spikeport.deploy.rules import design, violations
from spikeport.errors import RuleError
from spikeport.program import LIF, Program
from spikeport.program_file import load_program, save_program


def check(
    path: Path, target: str, options: dict[str, Any], witness: Path | None = None, strict_overflow: bool = False
) -> Answer:
    """Every violation of the chip's limits at once, exit 1 if there is one; and which layers can overflow.

    Args:
        witness: Where to write an input that overflows a layer.
        strict_overflow: Exit 1 unless every layer is proven not to overflow.
    """
    chip_named(target)
    program, remarks = _loaded(path) if path.suffix in (".h5", ".hdf5") else _compiled(path, target, options)
    designed = design(program, target)
    broken = violations(designed)
    if witness is not None:
        check_file_writable(witness)
    overflow = verdicts(program, witness, target)
    unproven = strict_overflow and not all(v.proven for v in overflow)
    advice = advise(designed, broken) if broken else None
    data = {"file": str(path), "target": target, "fits": not broken, "violations": [asdict(v) for v in broken]}
    data["cores"] = [placement_data(p, designed.chip) for p in designed.cores]
    data["would_fit"] = advice_data(advice)
    data["overflow"] = [v.data() for v in overflow]
    data["remarks"] = list(remarks)
    notes = [*(advice.lines() if advice else ()), *remarks, *(v.line() for v in overflow)]
    cores = cores_table(designed)
    if not broken:
        title = f"{path} fits {target}: {_size(program)}"
        return Answer(data, title, notes=notes, exit_code=int(unproven), tables=(cores,))
    rows = [(v.id, v.layer, str(v.value), str(v.limit), v.unit, v.source, v.remedy) for v in broken]
    columns = ("rule", "layer", "value", "limit", "unit", "source", "remedy")
    return Answer(data, f"{path} does not fit {target}", columns, rows, notes, exit_code=1, tables=(cores,))


def compile_file(path: Path, output: Path, target: str, options: dict[str, Any]) -> Answer:
    """NIR file to Program file; refused, with every violation, if it does not fit the chip."""
    program, remarks = _compiled(path, target, options)
    if broken := check_program(program):
        raise _does_not_fit(path, target, broken)
    save_program(program, output)
    groups = [
        {"name": g.name, "shape": g.shape, "dv": g.dv, "vth": g.vth, "bias_exp": g.bias_exp}
        for g in program.groups
        if isinstance(g, LIF)
    ]
    data = {
        "program": str(output),
        "target": target,
        "latency": program.latency,
        "nir_sha256": program.nir_sha256,
        "groups": groups,
        "remarks": list(remarks),
    }
    rows = [
        (g.name, "x".join(map(str, g.shape)), str(g.dv), str(g.vth), _weights(program, g.name))
        for g in program.groups
        if isinstance(g, LIF)
    ]
    notes = (*remarks, f"{output} written: {_size(program)}; its output lags by {program.latency} steps")
    return Answer(data, f"{path} for {target}", ("layer", "neurons", "dv", "vth", "weights"), rows, notes)


def _loaded(path: Path) -> tuple[Program, tuple[str, ...]]:
    return load_program(path), ()


def _compiled(path: Path, target: str, options: dict[str, Any]) -> tuple[Program, tuple[str, ...]]:
    """The Program, and what the reader had to repair or decide."""
    graph = read_nir(path)
    _, convention, said = read_as(graph, options.pop("convention", None))
    return compile_graph(graph, target, convention=convention, **options), (*graph.remarks, *said)


def _does_not_fit(path: Path, target: str, broken: list[Violation]) -> RuleError:
    got = "; ".join(f"{v.id} at {v.layer}: {v.value} against {v.limit}" for v in broken)
    return RuleError(str(path), "network", got=got, relation="does not fit", limit=target, do=broken[0].remedy)


def _size(program: Program) -> str:
    neurons = sum(g.size for g in program.groups)
    weights = sum(c.weight.size for c in program.connections) + sum(e.synapses.weight.size for e in program.encoders)
    return f"{len(program.groups)} layers, {neurons:,} neurons, {weights:,} weights"


def _weights(program: Program, name: str) -> str:
    into = [c for c in program.connections if c.target == name]
    host = [e.synapses for e in program.encoders if e.synapses.target == name]
    parts = [f"{c.weight.min()}..{c.weight.max()} << {c.weight_exp}" for c in into]
    parts += [f"{s.weight.min()}..{s.weight.max()} on the host" for s in host]
    return ", ".join(parts)
