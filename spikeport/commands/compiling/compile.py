"""`spikeport check` and `spikeport compile`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spikeport.chip import chip_named
from spikeport.commands.answer import Answer, Table
from spikeport.commands.compiling.fitting import advice_data, cores_table, placement_data
from spikeport.commands.compiling.gap import STAGES, Gap, measure
from spikeport.commands.compiling.proving import verdicts
from spikeport.commands.samples import check_file_writable, read_calibration
from spikeport.deploy import Violation, read_nir
from spikeport.deploy import check as check_program
from spikeport.deploy.pipeline import Compiled, compiled
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
    return check_compiled(str(path), program, remarks, target, witness, strict_overflow)


def check_compiled(
    name: str, program: Program, remarks: Sequence[str], target: str, witness: Path | None, strict_overflow: bool
) -> Answer:
    """What `check` says of a Program, and of what was guessed and decided on the way to it."""
    designed = design(program, target)
    broken = violations(designed)
    if witness is not None:
        check_file_writable(witness)
    overflow = verdicts(program, witness, target)
    unproven = strict_overflow and not all(v.proven for v in overflow)
    advice = advise(designed, broken) if broken else None
    data: dict[str, Any] = {
        "file": name,
        "target": target,
        "fits": not broken,
        "violations": [asdict(v) for v in broken],
    }
    data["cores"] = [placement_data(p, designed.chip) for p in designed.cores]
    data["would_fit"] = advice_data(advice)
    data["overflow"] = [v.data() for v in overflow]
    data["remarks"] = list(remarks)
    notes = [*(advice.lines() if advice else ()), *remarks, *(v.line() for v in overflow)]
    cores = cores_table(designed)
    if not broken:
        title = f"{name} fits {target}: {size_of(program)}"
        return Answer(data, title, notes=notes, exit_code=int(unproven), tables=(cores,))
    rows = [(v.id, v.layer, str(v.value), str(v.limit), v.unit, v.source, v.remedy) for v in broken]
    columns = ("rule", "layer", "value", "limit", "unit", "source", "remedy")
    return Answer(data, f"{name} does not fit {target}", columns, rows, notes, exit_code=1, tables=(cores,))


def compile_file(
    path: Path,
    output: Path,
    target: str,
    options: dict[str, Any],
    calibrate: Path | None = None,
    anyway: bool = False,
) -> Answer:
    """NIR file to Program file; refused, with every violation, if it does not fit the chip.

    Args:
        calibrate: Samples to fit scales, biases and thresholds to, and to tell what each stage costs.
        anyway: Write it all the same: simulators and Lava's models have no cores to fill.
    """
    graph = read_nir(path)
    data = read_calibration(calibrate) if calibrate is not None else None
    found = compiled(graph, target, **options, data=data)
    broken = check_program(found.program)
    if broken and not anyway:
        raise does_not_fit(str(path), target, broken)
    gap = measure(found, data, options.get("classes") or 0) if data is not None else None
    save_program(found.program, output)
    return _told(path, output, target, found, gap, broken)


def _told(path: Path, output: Path, target: str, found: Compiled, gap: Gap | None, broken: list[Violation]) -> Answer:
    told = summary(found, target, broken)
    program = found.program
    data = {"program": str(output), **told.data}
    notes = (*told.notes, f"{output} written: {size_of(program)}; its output lags by {program.latency} steps")
    tables: tuple[Table, ...] = ()
    if gap is not None:
        data["gap"] = gap_data(gap)
        tables = (waterfall_table(gap), layer_table(gap))
    return Answer(data, f"{path} for {target}", told.columns, told.rows, notes, tables=tables)


def summary(found: Compiled, target: str, broken: list[Violation]) -> Answer:
    """A Program's layers, and what was decided, as a part of an answer."""
    program = found.program
    groups = [
        {"name": g.name, "shape": g.shape, "du": g.du, "dv": g.dv, "vth": g.vth, "bias_exp": g.bias_exp}
        for g in program.groups
        if isinstance(g, LIF)
    ]
    data: dict[str, Any] = {
        "target": target,
        "latency": program.latency,
        "nir_sha256": program.nir_sha256,
        "groups": groups,
        "violations": [asdict(v) for v in broken],
        "remarks": list(found.remarks),
    }
    rows = [
        (g.name, "x".join(map(str, g.shape)), str(g.du), str(g.dv), str(g.vth), _weights(program, g.name))
        for g in program.groups
        if isinstance(g, LIF)
    ]
    unfit = [f"does not fit {target}: {_shown(broken)}"] if broken else []
    columns = ("layer", "neurons", "du", "dv", "vth", "weights")
    return Answer(data, "", columns, rows, (*found.remarks, *unfit))


def gap_data(gap: Gap) -> Mapping[str, Any]:
    """The waterfall for programs; `differing` is a part of the output's spikes, or v's relative error."""
    stages = [
        {"stage": s.name, "accuracy": s.accuracy if gap.labelled else None, "differing": s.difference(gap.reads_v)}
        for s in gap.stages.values()
    ]
    layers = [
        {
            "layer": layer.name,
            "agreement": layer.agreement,
            "silenced": layer.silenced,
            "silent": layer.silent,
            "saturated": layer.saturated,
            "duplicates": layer.duplicates,
        }
        for layer in gap.layers.values()
    ]
    return {"stages": stages, "layers": layers}


def waterfall_table(gap: Gap) -> Table:
    rows, before = [], None
    for stage in gap.stages.values():
        accuracy, change = "", ""
        if gap.labelled:
            accuracy = f"{stage.accuracy:.2%}"
            change = "" if before is None else f"{100 * (stage.accuracy - before):+.2f}"
            before = stage.accuracy
        rows.append((stage.name, accuracy, change, f"{stage.difference(gap.reads_v):.3%}", STAGES[stage.name]))
    what = "error of v" if gap.reads_v else "spikes that differ"
    return Table("what each stage costs:", ("stage", "accuracy", "points", what, ""), rows)


def layer_table(gap: Gap) -> Table:
    rows = [
        (
            layer.name,
            f"{layer.agreement:.3%}",
            f"{layer.wanted.sum() / max(layer.steps * layer.sent.size, 1):.4f}",
            f"{layer.sent.sum() / max(layer.steps * layer.sent.size, 1):.4f}",
            *(str(n) for n in (layer.silenced, layer.silent, layer.saturated, layer.duplicates)),
        )
        for layer in gap.layers.values()
    ]
    columns = ("layer", "spikes agree", "float rate", "rate", "silenced", "silent", "saturated", "duplicates")
    return Table("layer by layer, the Program against the folded network:", columns, rows)


def _loaded(path: Path) -> tuple[Program, tuple[str, ...]]:
    return load_program(path), ()


def _compiled(path: Path, target: str, options: dict[str, Any]) -> tuple[Program, tuple[str, ...]]:
    """The Program, and what was guessed, repaired and decided."""
    found = compiled(read_nir(path), target, **options)
    return found.program, found.remarks


def does_not_fit(where: str, target: str, broken: list[Violation]) -> RuleError:
    do = f"{broken[0].remedy}; --anyway writes it for a simulator"
    return RuleError(where, "network", got=_shown(broken), relation="does not fit", limit=target, do=do)


def _shown(broken: list[Violation]) -> str:
    return "; ".join(f"{v.id} at {v.layer}: {v.value} against {v.limit}" for v in broken)


def size_of(program: Program) -> str:
    neurons = sum(g.size for g in program.groups)
    weights = sum(c.weight.size for c in program.connections) + sum(e.synapses.weight.size for e in program.encoders)
    return f"{len(program.groups)} layers, {neurons:,} neurons, {weights:,} weights"


def _weights(program: Program, name: str) -> str:
    into = [c for c in program.connections if c.target == name and c.weight.size]
    host = [e.synapses for e in program.encoders if e.synapses.target == name]
    parts = [f"{c.weight.min()}..{c.weight.max()} << {c.weight_exp}" for c in into]
    parts += [f"{s.weight.min()}..{s.weight.max()} on the host" for s in host]
    return ", ".join(parts)
