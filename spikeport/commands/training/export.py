"""`spikeport export`: a run as a NIR graph, and its test images as an input file."""

from pathlib import Path

import numpy as np
import torch

from spikeport.commands.answer import Answer
from spikeport.commands.samples import check_file_writable, write_npz
from spikeport.export import to_nir, write_nir
from spikeport.progress import working
from spikeport.train import load_run
from spikeport.train.data import DataSet
from spikeport.train.loop.batches import as_input


def export(folder: Path, output: Path, samples: Path | None, data_folder: Path | None = None) -> Answer:
    """Writes a run's NIR graph, and its test images as an input file if asked for."""
    for path in (output, samples):
        if path is not None:
            check_file_writable(path)
    with working("exporting"):
        return _exported(folder, output, samples, data_folder)


def _exported(folder: Path, output: Path, samples: Path | None, data_folder: Path | None) -> Answer:
    _, data, model = load_run(folder, data_folder)
    image = torch.from_numpy(data.test.images[:1])
    graph = to_nir(model, image)
    write_nir(graph, output)
    answer = {"nir": str(output), "nodes": {name: type(node).__name__ for name, node in graph.nodes.items()}}
    notes = [f"{output} written"]
    if samples is not None:
        write_npz(samples, held_out(data, int(graph.metadata["spikeport"]["steps"])))
        notes.append(f"{samples} written: {len(data.test):,} test images and labels")
        answer["samples"] = str(samples)
    rows = [(name, type(node).__name__) for name, node in graph.nodes.items()]
    return Answer(answer, f"{output}", ("node", "type"), rows, [*notes, f"next: spikeport compile {output} -o net.h5"])


def held_out(data: DataSet, steps: int) -> dict[str, np.ndarray]:
    """The test split as the arrays of an input file: each image shown for `steps` steps, or each frame for one."""
    x = as_input(data, data.test.images[:]).numpy()
    shown = x if x.ndim == 5 else np.broadcast_to(x, (steps, *x.shape))
    return {"spikes": shown, "labels": data.test.labels}
