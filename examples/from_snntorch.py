"""A network that snnTorch trains and exports, fitted to a few samples and run on the integers of Loihi 2.

    pip install snntorch nirtorch              # beside spikeport[train]; they share one torch and one nir
    python examples/from_snntorch.py           # half a minute on one core

Without snnTorch, files that it wrote do: --recorded net.nir x.npz, with `spikes` (T, B, 64), `labels` (B,), and `out`,
what snnTorch's network gave for the first of them.
"""

import argparse
import sys

import numpy as np
import torch
from torch import nn

from spikeport.deploy import Calibration, check, compiled
from spikeport.sim import simulate
from spikeport.train import load_data

STEPS = 16


def shown(images: np.ndarray, seed: int) -> np.ndarray:
    """Images `(B, 1, 8, 8)` as spikes `(T, B, 64)`: a pixel spikes at each step with the probability grey / 255."""
    flat = images.reshape(len(images), 64)
    return (np.random.default_rng(seed).random((STEPS, *flat.shape)) < flat / 255).astype(np.uint8)


def from_snntorch(epochs: int) -> tuple[object, np.ndarray, np.ndarray, np.ndarray]:
    """Trains in snnTorch; its NIR graph, test spikes and labels, and the spikes that it gives for the first 256."""
    import snntorch as snn
    from snntorch import utils
    from snntorch.export_nir import export_to_nir

    def leaky(n: int, beta: float) -> nn.Module:  # export_to_nir wants a beta and a threshold for each neuron
        return snn.Leaky(torch.full((n,), beta), torch.ones(n), init_hidden=True, reset_mechanism="zero")

    def run(x: np.ndarray) -> torch.Tensor:
        utils.reset(net)
        return torch.stack([net(step) for step in torch.from_numpy(x).float()])

    net = nn.Sequential(nn.Linear(64, 64), leaky(64, 0.75), nn.Linear(64, 10), leaky(10, 0.9))
    optimizer, data = torch.optim.Adam(net.parameters(), 3e-3), load_data("digits")
    for _ in range(epochs):
        for batch in torch.randperm(len(data.train)).numpy().reshape(-1, 50):
            counts = run(shown(data.train.images[batch], int(batch[0]))).sum(0)
            optimizer.zero_grad()
            nn.functional.cross_entropy(counts, torch.from_numpy(data.train.labels[batch])).backward()
            optimizer.step()
    spikes = shown(data.test.images[:], 0)
    with torch.no_grad():
        out = run(spikes[:, :256]).numpy()
    return export_to_nir(net, torch.zeros(1, 64), ignore_dims=[0]), spikes, data.test.labels, out  # without the batch


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one epoch, to see that all runs")
    parser.add_argument("--recorded", nargs=2, metavar=("NIR", "NPZ"), help="files, where there is no snnTorch")
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    if args.recorded:
        graph, held = args.recorded[0], np.load(args.recorded[1])
        spikes, labels, out = held["spikes"], held["labels"], held["out"]
    else:
        graph, spikes, labels, out = from_snntorch(1 if args.quick else 6)
    fitted = compiled(graph, data=Calibration({"input": spikes[:, out.shape[1] :]}))  # samples that are not compared
    print("\n".join(fitted.remarks))  # whose file it seems to be, and what was decided
    spikes, labels = spikes[:, : out.shape[1]], labels[: out.shape[1]]
    result = simulate(fitted.program, spikes)
    found, meant = np.mean(result.counts().argmax(1) == labels), np.mean(out.sum(0).argmax(1) == labels)
    print(f"accuracy on {len(labels)} samples: snnTorch in float {meant:.2%}, 8-bit Program {found:.2%}")
    print(f"{np.mean(result.spikes != out):.2%} of the output's spikes differ, because weights have 8 bits")
    return int(found < meant - 0.03 or bool(check(fitted.program)))


if __name__ == "__main__":
    sys.exit(main())
