"""`spikeport finetune`: a Program's modules, trained on, and exported again."""

from dataclasses import asdict
from pathlib import Path

from spikeport.commands.answer import Answer
from spikeport.commands.samples import check_file_writable, read_samples
from spikeport.export import from_program, to_nir, write_nir
from spikeport.program_file import load_program
from spikeport.progress import working
from spikeport.sim.simulate import check_inputs
from spikeport.train import Epoch, Tuning, fine_tune, network_accuracy
from spikeport.train.loop.tune import checked_labels


def finetune(net: Path, input: Path, output: Path, course: Tuning) -> Answer:
    """Trains a Program's network on the samples of a file and writes the NIR graph; accuracies are the chip's."""
    check_file_writable(output)
    program = load_program(net)
    samples = read_samples(input, program)
    check_inputs(program, samples.inputs)
    network = from_program(program)
    labels = checked_labels(network, samples.need_labels())
    to_nir(network)  # what has no NIR form is refused before it is trained
    before = network_accuracy(network, samples.inputs, labels)
    with working("tuning", course.epochs, "epochs") as task:

        def step(epoch: Epoch) -> None:
            task.advance(1, f"loss {epoch.loss:.4f}  accuracy {epoch.accuracy or 0.0:.1%}")

        history = fine_tune(network, samples.inputs, labels, course, step)
    after = network_accuracy(network, samples.inputs, labels)
    write_nir(to_nir(network), output)
    answer = {
        "nir": str(output),
        "samples": len(labels),
        "accuracy_before": before,
        "accuracy_after": after,
        "history": [asdict(epoch) for epoch in history],
    }
    rows = [("accuracy before", f"{before:.2%}"), ("accuracy after", f"{after:.2%}")]
    notes = (f"{output} written", f"next: spikeport compile {output} --target {program.chip} -o net.h5")
    return Answer(answer, f"{net}, {len(labels):,} samples", ("figure", "value"), rows, notes)
