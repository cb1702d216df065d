"""An energy figure that a reviewer can check: exact counts, prices with their sources, bounds, and what is left out.

    python examples/energy_for_a_paper.py                    # trains a small network first; half a minute on one core
    python examples/energy_for_a_paper.py net.h5 x.npz       # of your own Program and samples

Ends in the layers as CSV and a LaTeX row. In the terminal: spikeport energy net.h5 --input x.npz
"""

import argparse
import csv
import sys

import numpy as np
import torch

from spikeport import Program
from spikeport.chip import chip_named
from spikeport.deploy import compile_graph
from spikeport.deploy.cores import cores_of, map_cores
from spikeport.export import to_nir
from spikeport.program_file import load_program
from spikeport.sim import Energy, count_operations, estimate_energy, simulate
from spikeport.sim.counting import count_cores
from spikeport.sim.energy.formats import format_bounds, format_ratio
from spikeport.train import fit, load_data, load_recipe, model_of

PROFILES = "cmos45-fp32", "loihi1-davies2018"  # `spikeport profiles` lists them all


def trained(epochs: int) -> tuple[Program, np.ndarray]:
    """A small network on digits, for a Loihi 1, whose prices are published; and 100 test images at each step."""
    recipe, data = load_recipe("digits", (f"train.epochs={epochs}",)), load_data("digits")
    model = model_of(recipe, data)
    fit(model, data, recipe)
    images = data.test.images[:100]
    program = compile_graph(to_nir(model.eval(), torch.from_numpy(images)), "loihi1")
    return program, np.broadcast_to(images, (int(recipe.model_options["steps"]), *images.shape))


def explain(energy: Energy) -> None:
    """What a figure is made of: prices and their sources, and every caveat, which belongs beside the figure."""
    print(f"\n{energy.profile.title}")
    for term, price in energy.profile.energy_pj.items():
        print(f"  {term:16} {format_bounds(price.value)}, {price.evidence}: {price.source}")
    ratio = "" if energy.ratio is None else f"; SNN / ANN {format_ratio(energy.ratio)}"
    print(f"  SNN {format_bounds(energy.snn)}; ANN {format_bounds(energy.ann)} by {energy.arithmetic.name}{ratio}")
    print("\n".join(f"  - {caveat}" for caveat in energy.caveats))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE", help="a Program, and an npz file with its `spikes`")
    parser.add_argument("--quick", action="store_true", help="one epoch, to see that all runs")
    args = parser.parse_args()
    if args.files:
        program, spikes = load_program(args.files[0]), np.load(args.files[1])["spikes"]
    else:
        program, spikes = trained(1 if args.quick else 12)
    result = simulate(program, spikes)
    counts = count_operations(program, result)  # integers; what they cost is another matter
    chip = chip_named(program.chip)
    activity = count_cores(program, result, cores_of(map_cores(program, chip), chip))  # messages between cores
    energies = [estimate_energy(counts, name, activity=activity) for name in PROFILES]
    for energy in energies:
        explain(energy)
    print(f"\nper inference of {counts.steps} steps, mean of {counts.samples} samples:")
    table = csv.writer(sys.stdout)
    table.writerow(["layer", "neurons", "rate", "SOPs", "ANN MACs", *(f"{name} pJ" for name in PROFILES)])
    for k, layer in enumerate(counts.layers):
        row = [layer.name, layer.neurons, float(layer.rate), layer.sops / counts.samples, layer.macs_dense]
        table.writerow([*row, *(energy.layers[k].total.nominal for energy in energies)])
    cells = f"{counts.sops / counts.samples:,.0f}", f"{counts.macs_dense:,}", *(format_bounds(e.snn) for e in energies)
    print(f"\nT & SOPs & MACs (ANN) & {' & '.join(PROFILES)} \\\\\n{counts.steps} & {' & '.join(cells)} \\\\")
    dense = [c for layer in counts.layers for c in layer.connections if c.kind == "dense" and not c.graded]
    return int(any(c.sops != c.events * (c.synapses // c.inputs) for c in dense))  # every spike reaches every neuron


if __name__ == "__main__":
    sys.exit(main())
