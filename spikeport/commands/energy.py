"""`spikeport energy`: exact operation counts, priced."""

from pathlib import Path

from spikeport.commands.answer import Answer
from spikeport.commands.samples import read_samples
from spikeport.program_file import load_program
from spikeport.sim import Counts, Energy, count_operations, estimate_energy, simulate
from spikeport.sim.energy import profile_named
from spikeport.sim.report import ReportData, format_count, format_energy, write_report

COLUMNS = ("layer", "spikes in", "rate", "SOPs", "host MACs", "SNN", "ANN MACs", "ANN")


def energy(path: Path, input_path: Path, profile: str, html: Path | None) -> Answer:
    """Counts what a Program does on an input, and prices it against the dense ANN."""
    priced = profile_named(profile)
    program = load_program(path)
    samples = read_samples(input_path, program)
    result = simulate(program, dict(samples.inputs))
    counts = count_operations(program, result)
    estimate = estimate_energy(counts, priced)
    sops, macs = (format_count(float(counts.per_inference(n))) for n in (counts.sops, counts.host_macs))
    notes = [
        f"per inference: {sops} SOPs, {macs} MACs on the host; the ANN: {format_count(counts.macs_dense)} MACs",
        f"SNN {format_energy(estimate.snn_pj)}, ANN {format_energy(estimate.ann_pj)} ({priced.name}: {priced.source})",
        *(f"note: {caveat}" for caveat in estimate.caveats),
    ]
    if html is not None:
        command = f"spikeport energy {path} --input {input_path} --profile {profile} --html {html}"
        write_report(html, ReportData(path.name, program, result, counts, (estimate,), command=command))
        notes.append(f"{html} written")
    data = {"program": str(path), "counts": counts.to_json(), "energy": estimate.to_json()}
    return Answer(data, f"{path}: operations per inference", COLUMNS, _rows(counts, estimate), notes)


def _rows(counts: Counts, estimate: Energy) -> list[tuple[str, ...]]:
    """One line per layer, per inference: what arrives, what it costs, and what the ANN's layer costs."""
    rows: list[tuple[str, ...]] = []
    for layer, priced in zip(counts.layers, estimate.layers, strict=True):
        spikes_in = format_count(float(counts.per_inference(layer.events_in)))
        operations = (
            format_count(float(priced.sops)),
            format_count(float(priced.host_macs)),
            format_energy(priced.snn_pj),
        )
        ann = (format_count(priced.macs_dense), format_energy(priced.ann_pj))
        rows.append((layer.name, spikes_in, f"{float(layer.rate):.1%}", *operations, *ann))
    return rows
