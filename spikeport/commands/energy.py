"""`spikeport energy`: exact operation counts, priced."""

from pathlib import Path

from spikeport.commands.answer import Answer
from spikeport.commands.samples import read_samples
from spikeport.program_file import load_program
from spikeport.sim import count_operations, estimate_energy, simulate
from spikeport.sim.energy import profile_named
from spikeport.sim.report import LAYER_COLUMNS, ReportData, format_count, format_energy, layer_rows, write_report


def energy(path: Path, input_path: Path, profile: str, html: Path | None) -> Answer:
    """Counts what a Program does on an input, and prices it against the dense ANN."""
    priced = profile_named(profile)
    program = load_program(path)
    samples = read_samples(input_path, program)
    result = simulate(program, dict(samples.inputs))
    counts = count_operations(program, result)
    estimate = estimate_energy(counts, priced)
    notes = [
        f"per inference: {format_count(float(counts.per_inference(counts.sops)))} SOPs, "
        f"{format_count(float(counts.per_inference(counts.host_macs)))} MACs on the host; the ANN: {format_count(counts.macs_dense)} MACs",
        f"SNN {format_energy(estimate.snn_pj)}, ANN {format_energy(estimate.ann_pj)} ({priced.name}: {priced.source})",
        *(f"note: {caveat}" for caveat in estimate.caveats),
    ]
    if html is not None:
        command = f"spikeport energy {path} --input {input_path} --profile {profile} --html {html}"
        write_report(html, ReportData(path.name, program, result, counts, (estimate,), command=command))
        notes.append(f"{html} written")
    data = {"program": str(path), "counts": counts.to_json(), "energy": estimate.to_json()}
    return Answer(data, f"{path}: operations per inference", LAYER_COLUMNS, layer_rows(program, counts), notes)
