"""ESVAE as it is usually written: time is the last axis, and everything is done at each step.

    synapses   Conv3d and ConvTranspose3d with kernels (3, 3, 1), and Linear, on (N, C, H, W, T) and (N, C, T)
    norms      tdBN: batch norm over (N, H, W, T), its weight times Vth
    neurons    a loop over T, gradients by autograd through a surrogate
    image      repeated T times

From the papers' equations and tensor layout; the network is that of `spikeport.train.autoencoders.stages`. It is here
to be measured, and nothing depends on it.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TAU, VTH, KEEP = 0.25, 0.2, 0.8
WEIGHT = 1e-3
"""lambda of the loss."""
NEURON, SAMPLING = (0.5, VTH), (1.0, 0.0)
"""Width and centre of the surrogates: ESVAE section IV-B2, and its code's alpha."""


class Fires(torch.autograd.Function):
    """o = [u > threshold], do/du = (1 / width) [|u - centre| < width / 2]."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, threshold: float, window: tuple[float, float]) -> Tensor:
        ctx.save_for_backward(u)
        ctx.window = window
        return (u > threshold).to(u.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (u,) = ctx.saved_tensors
        width, centre = ctx.window
        return grads[0] * ((u - centre).abs() < width / 2).to(u.dtype) / width, None, None


def fires(u: Tensor, threshold: float, window: tuple[float, float]) -> Tensor:
    found: Tensor = Fires.apply(u, threshold, window)  # type: ignore[no-untyped-call]
    return found


class Norm(nn.modules.batchnorm._BatchNorm):
    """Of any number of places; the features are the second axis."""

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(x, self.running_mean, self.running_var, VTH * self.weight, self.bias, True, 0.1, self.eps)

    def _check_input_dim(self, x: Tensor) -> None:
        pass


class Linear(nn.Linear):
    """`(N, in, T)` to `(N, out, T)`."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class Lif(nn.Module):
    """
    Args:
        unbind: Whether the input is taken apart once. Else x[..., t] is, whose gradient has the size of x at each step.
    """

    def __init__(self, unbind: bool) -> None:
        super().__init__()
        self.unbind = unbind

    def forward(self, x: Tensor) -> Tensor:
        u, o, found = torch.zeros_like(x[..., 0]), torch.zeros_like(x[..., 0]), []
        for now in x.unbind(-1) if self.unbind else (x[..., t] for t in range(x.shape[-1])):
            u = TAU * u * (1 - o) + now
            o = fires(u, VTH, NEURON)
            found.append(o)
        return torch.stack(found, -1)


def conv(c_in: int, c_out: int) -> nn.Module:
    return nn.Conv3d(c_in, c_out, (3, 3, 1), (2, 2, 1), (1, 1, 0))


def transposed(c_in: int, c_out: int, stride: int = 2) -> nn.Module:
    kernel, padding = (3, 3, 1), (1, 1, 0)
    return nn.ConvTranspose3d(c_in, c_out, kernel, (stride, stride, 1), padding, (stride - 1, stride - 1, 0))


class TimeLast(nn.Module):
    """Parameters lie in the order of ours, and with the same numbers in the same order.

    Args:
        channels: Of the image and of each stage of the encoder.
        places: Height and width that the last stage has.
        unbind: Of `Lif`.
    """

    def __init__(
        self, channels: Sequence[int], places: tuple[int, int], latent: int, steps: int, *, unbind: bool = False
    ) -> None:
        def spiking(synapse: nn.Module, features: int) -> nn.Module:
            return nn.Sequential(synapse, Norm(features), Lif(unbind))

        super().__init__()
        self.steps = steps
        flat = channels[-1] * places[0] * places[1]
        backward = (*reversed(channels[1:]), channels[1])
        self.encoder = nn.Sequential(
            *(spiking(conv(c_in, c_out), c_out) for c_in, c_out in pairwise(channels)),
            nn.Flatten(1, 3),
            spiking(Linear(flat, latent), latent),
        )
        self.decoder = nn.Sequential(
            spiking(Linear(latent, flat), flat),
            nn.Unflatten(1, (channels[-1], *places)),
            *(spiking(transposed(c_in, c_out), c_out) for c_in, c_out in pairwise(backward)),
        )
        self.readout = transposed(channels[1], channels[0], stride=1)
        self.bottleneck = nn.Linear(latent, latent)

    def forward(self, images: Tensor, uniform: Tensor, normal: Tensor) -> tuple[Tensor, Tensor]:
        """z and loss of images `(N, C, H, W)` in [-1, 1], with u `(N, D, T)` and z_n `(N, D)`."""
        r_p = self.encoder(images[..., None].repeat(1, 1, 1, 1, self.steps)).mean(-1)
        r_q = torch.sigmoid(self.bottleneck(normal))
        z = fires(r_p[..., None] - uniform, 0.0, SAMPLING)
        y = self.readout(self.decoder(z))
        membrane = torch.zeros_like(y[..., 0])
        for t in range(self.steps):
            membrane = KEEP * membrane + y[..., t]
        return z, F.mse_loss(torch.tanh(membrane), images) + WEIGHT * mmd(r_p, r_q)


def mmd(a: Tensor, b: Tensor) -> Tensor:
    """MMD^2 with five Gaussians, whose middle bandwidth is the mean distance."""
    joint = torch.cat([a, b])
    squares = (joint[:, None] - joint[None]).square().sum(-1)
    bandwidth = squares.detach().sum() / (len(joint) * (len(joint) - 1)) / 4
    kernel = sum(torch.exp(-squares / (bandwidth * 2**i)) for i in range(5))
    assert isinstance(kernel, Tensor)
    n = len(a)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - kernel[:n, n:].mean() - kernel[n:, :n].mean()
