"""Train a small spiking autoencoder (ESVAE), compile it, and let the chip's integers make new digits.

    python examples/esvae_generate.py -o digits.png        # half a minute on one core

Encoder and decoder become two Programs; the host draws the latent spikes between them, in arithmetic that is the same
on every machine. So torch and the simulated chip make the same pictures, bit for bit. Real pictures, 32 x 32 and
larger, take an hour: spikeport train esvae-fashion-small -o run
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from spikeport.deploy import check, compile_graph
from spikeport.export import from_autoencoder
from spikeport.sim.generate import generate
from spikeport.train import load_data
from spikeport.train.autoencoders import Autoencoder, Noise, build_autoencoder, pixels

SEED = 7


def train(model: Autoencoder, images: torch.Tensor, epochs: int) -> None:
    """Plain torch; all random numbers of a step are drawn before it."""
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for epoch in range(1, epochs + 1):
        model.train()
        errors = []
        for step, batch in enumerate(torch.randperm(len(images)).split(50)):
            losses = model.loss(images[batch], Noise.draw(model, len(batch), (SEED, epoch, step)))
            optimizer.zero_grad()
            losses.total.backward()
            optimizer.step()
            errors.append(losses.parts["reconstruction"].item())
        schedule.step()
        print(f"epoch {epoch}: squared error {np.mean(errors):.4f}")


def sheet(images: np.ndarray, across: int) -> Image.Image:
    """Pictures `(B, 1, h, w)` in [-1, 1], `across` in a row, four times as large."""
    grey = np.rint((images[:, 0] + 1) * 127.5).astype(np.uint8)
    padded = np.pad(grey, ((0, 0), (1, 0), (1, 0)))
    rows = [np.concatenate(list(row), axis=1) for row in padded.reshape(-1, across, *padded.shape[1:])]
    whole = np.concatenate(rows)
    return Image.fromarray(np.kron(whole, np.ones((4, 4), np.uint8)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one epoch, to see that all runs")
    parser.add_argument("-o", "--output", type=Path, default=Path("digits.png"), help="where the pictures go")
    args = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    data = load_data("digits")
    images = 2 * torch.from_numpy(data.train.images[:]).long() - 255  # as `pixels` has them: -255..255 is [-1, 1]
    model = build_autoencoder("esvae", pixels((1, 8, 8)), widths=[16, 32], latent=32, steps=8)
    train(model, images, 1 if args.quick else 40)

    model.eval()
    with torch.no_grad():
        by_torch = model.generate(64, Noise.draw(model, 64, SEED)).numpy()
    bundle = from_autoencoder(model).bundle(compile_graph)
    broken = [violation for program in bundle.programs.values() for violation in check(program)]
    by_chip = generate(bundle, 64, SEED).image
    sheet(by_chip, 8).save(args.output)
    differing = int((by_torch.astype(np.float64) != by_chip).sum())
    print(f"{args.output}: 64 pictures from noise, by an integer decoder of {bundle.steps} steps")
    print(f"torch and simulator: {differing} of {by_chip.size:,} grey values differ; {len(broken)} rules broken")
    return int(differing > 0 or bool(broken))


if __name__ == "__main__":
    sys.exit(main())
