"""A NIR file from elsewhere onto 8-bit integers: what each step of the compilation costs, fitted to samples and not.

    python examples/calibrate.py net.nir x.npz                     # `spikes` (T, B, *shape) and `labels` (B,)
    python examples/calibrate.py net.nir x.npz --convention sinabs # if the guess of who wrote the file is wrong

Half of the samples are looked at when scales, biases and thresholds are chosen; the other half tells the gap. On the
command line: spikeport compile net.nir --calibrate x.npz -o net.h5
"""

import argparse
import sys

import numpy as np

from spikeport.commands.compiling.gap import STAGES, Gap, measure
from spikeport.deploy import Calibration, Compiled, compiled


def shown(title: str, compilation: Compiled, gap: Gap) -> None:
    """The waterfall: the float network at the top, the simulated Program at the bottom."""
    kind = "membrane's error" if gap.reads_v else "spikes that differ"
    print(f"\n{title}\n{'':12}{'accuracy':>10}{kind:>22}")
    for name, stage in gap.stages.items():
        print(f"{name:12}{stage.accuracy:10.2%}{stage.difference(gap.reads_v):22.2%}   {STAGES[name]}")
    for name, layer in gap.layers.items():
        lost = f"{layer.silenced} neurons fell silent, {layer.saturated} fire at every step"
        print(f"layer {name}: {layer.agreement:.2%} of its spikes are the float network's; {lost}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph", help="a NIR file")
    parser.add_argument("samples", help="an npz file with spikes and labels")
    parser.add_argument("--convention", help="how the file's framework steps it; guessed from the file if not given")
    parser.add_argument("--dt", type=float, help="seconds of a step, where the file's framework does not settle it")
    parser.add_argument("--quick", action="store_true", help="64 samples only, to see that all runs")
    args = parser.parse_args()

    with np.load(args.samples) as file:
        spikes, labels = file["spikes"], file["labels"]
    if args.quick:
        spikes, labels = spikes[:, :64], labels[:64]
    half = len(labels) // 2
    seen = Calibration({"input": spikes[:, :half]}, labels[:half])
    held = Calibration({"input": spikes[:, half:]}, labels[half:])
    told = {"convention": args.convention, "dt_s": args.dt, "steps": len(spikes)}

    by_weights = compiled(args.graph, **told)
    fitted = compiled(args.graph, data=seen, **told)
    print("\n".join(fitted.remarks))
    gaps = [measure(compilation, held, classes=0) for compilation in (by_weights, fitted)]
    shown("rounded by the largest weight of each layer", by_weights, gaps[0])
    shown(f"fitted to {half} samples", fitted, gaps[1])

    accuracy = [gap.stages["integer"].accuracy for gap in gaps]
    print(f"\naccuracy on {len(labels) - half} held samples: {accuracy[0]:.2%} without samples, {accuracy[1]:.2%} with")
    lost = gaps[1].stages["float"].accuracy - accuracy[1]
    return int(lost > 0.03)


if __name__ == "__main__":
    sys.exit(main())
