"""A recurrent spiking network on sequences: digits read row by row, trained and compiled with its loop.

    python examples/recurrent_sequence.py                   # a quarter of a minute on one core
    python examples/recurrent_sequence.py --without-loop    # what membranes alone can keep in mind

At each of 8 steps the network sees one row of a digit. In torch a layer takes no time and the loop one step; on the
chip every connection takes one, and the compiler sets starts and delays such that all spikes are the same.
"""

import argparse
import sys

import numpy as np
import torch

from spikeport.deploy import check, compile_graph
from spikeport.export import to_nir
from spikeport.program import Input, Output
from spikeport.sim import decide, simulate
from spikeport.train import ALIF, Afferent, QuantLinear, SpikingGroup, SpikingNetwork, Tuning, fine_tune, load_data

LEVELS = 32, 96, 160, 224
HIDDEN, CLASSES = 96, 10


def rows(images: np.ndarray) -> np.ndarray:
    """Images `(B, 1, 8, 8)` to spikes `(8, B, 32)`: each row, each of its pixels four times, by how bright it is."""
    levels = np.stack([images[:, 0] > level for level in LEVELS], axis=-1)  # (B, row, column, level)
    return levels.transpose(1, 0, 2, 3).reshape(8, len(images), -1).astype(np.int64)


def network(loop: bool) -> SpikingNetwork:
    """Rows to one output neuron for each class; the recurrent layer's spikes are an output as well."""
    inner = [Afferent("rows", QuantLinear(32, HIDDEN, bias=False))]
    if loop:
        inner.append(Afferent("memory", QuantLinear(HIDDEN, HIDDEN, bias=False), lag=1))  # its own, a step late
    outer = [Afferent("memory", QuantLinear(HIDDEN, CLASSES, bias=False))]
    memory = SpikingGroup("memory", (HIDDEN,), inner, torch.zeros(HIDDEN), ALIF(0.5, 0.5))
    digit = SpikingGroup("digit", (CLASSES,), outer, torch.zeros(CLASSES), ALIF(0.8, 0.5))
    outputs = [Output("classes", "digit"), Output("loop", "memory")]
    return SpikingNetwork([Input("rows", (32,), "spike")], [memory, digit], outputs, steps=8)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one epoch, to see that all runs")
    parser.add_argument("--without-loop", action="store_true", help="leave the loop out")
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    data = load_data("digits")
    net = network(loop=not args.without_loop)
    course = Tuning(epochs=1 if args.quick else 30, learning_rate=5e-3)
    inputs = {"rows": rows(data.train.images[:])}
    fine_tune(net, inputs, data.train.labels, course, lambda epoch: print(f"{epoch.number}: loss {epoch.loss:.3f}"))

    net.eval()  # from here on the forward pass is the chip's integer arithmetic
    spikes = rows(data.test.images[:])
    with torch.no_grad():
        by_torch = net(torch.from_numpy(spikes))  # (8, B, n) of each output, by name
    program = compile_graph(to_nir(net))
    result = simulate(program, spikes)
    differing = {name: int((result.outputs[name] != found.numpy()).sum()) for name, found in by_torch.items()}
    accuracy = np.mean(decide(result.outputs["classes"], CLASSES) == data.test.labels)
    print(f"accuracy {accuracy:.2%} on {len(data.test)} test sequences, in 8 bits")
    print(f"torch and simulator: {differing['loop']} recurrent and {differing['classes']} output spikes differ")
    return int(any(differing.values()) or bool(check(program)))


if __name__ == "__main__":
    sys.exit(main())
