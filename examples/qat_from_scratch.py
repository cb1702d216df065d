"""Train with quantization in a plain torch loop, compile for Loihi 2, and see that the chip's integers spike alike.

    python examples/qat_from_scratch.py        # half a minute on one core

The network has ALIF neurons: their decay and threshold learn. Weights are 8-bit numbers in every training step, so
what is trained is what is compiled. In eval mode the forward pass is the chip's integer arithmetic.
"""

import argparse
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from spikeport.deploy import check, compile_graph
from spikeport.export import to_nir
from spikeport.sim import simulate
from spikeport.train import ALIF, Image, QuantConv2d, QuantLinear, SpikingLayer, Vote, load_data

STEPS = 8


def network() -> nn.Sequential:
    """Images `(B, 1, 8, 8)` of integers 0..255 to class rates `(B, 10)`."""
    return nn.Sequential(
        SpikingLayer(QuantConv2d(1, 16, 3, padding=1), ALIF(), nn.BatchNorm2d(16), image=Image(STEPS)),
        SpikingLayer(QuantConv2d(16, 32, 3, stride=2, padding=1), ALIF(), nn.BatchNorm2d(32)),
        nn.Flatten(2),  # axes 0 and 1 are time and batch
        SpikingLayer(QuantLinear(32 * 4 * 4, 100), ALIF()),
        Vote(10),  # ten output neurons stand for each class
    )


def train(net: nn.Module, images: torch.Tensor, labels: torch.Tensor, epochs: int) -> None:
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for epoch in range(epochs):
        net.train()
        for batch in torch.randperm(len(images)).split(50):
            loss = F.cross_entropy(10 * net(images[batch]), labels[batch])  # rates are in [0, 1]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one epoch, to see that all runs")
    quick = parser.parse_args().quick
    torch.manual_seed(0)
    torch.set_num_threads(1)
    data = load_data("digits")  # 1,400 images to train with, 397 to test
    net = network()
    train(net, torch.from_numpy(data.train.images[:]), torch.from_numpy(data.train.labels), 1 if quick else 15)

    net.eval()
    images = torch.from_numpy(data.test.images[:])
    with torch.no_grad():
        spikes = net[:-1](images).numpy()  # (T, B, 100), without the vote
        classes = net(images).argmax(1).numpy()

    program = compile_graph(to_nir(net, images[:1]))
    for broken in check(program):
        print(f"does not fit Loihi 2: {broken}")
    result = simulate(program, np.broadcast_to(images.numpy(), (STEPS, *images.shape)))  # an image at every step
    differing = int((result.spikes != spikes).sum())
    print(f"accuracy {np.mean(classes == data.test.labels):.2%} on {len(images)} test images, in 8 bits")
    print(f"torch and simulator: {differing} of {spikes.size:,} output spikes differ")
    return int(differing > 0 or bool(check(program)))


if __name__ == "__main__":
    sys.exit(main())
