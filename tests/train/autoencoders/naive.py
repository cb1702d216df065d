"""The spiking autoencoders written out from their specification, time last, one step at a time, in plain torch.

It reads the parameters of a model and nothing else of it. Tensors are (N, C, H, W, T) and (N, C, T).
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

TAU, VTH, EPS, MOMENTUM = 0.25, 0.2, 1e-5, 0.1


class Fires(torch.autograd.Function):
    """o = [u > Vth], do/du = (1 / width) [|u - centre| < width / 2]."""

    @staticmethod
    def forward(ctx: Any, u: Tensor, width: float, centre: float) -> Tensor:
        ctx.save_for_backward(u)
        ctx.window = width, centre
        return (u > VTH).to(u.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (u,) = ctx.saved_tensors
        width, centre = ctx.window
        return grads[0] * ((u - centre).abs() < width / 2).to(u.dtype) / width, None, None


class Draws(torch.autograd.Function):
    """z = [u < r], dz/dr = (1 / alpha) [|r - u| < alpha / 2]."""

    @staticmethod
    def forward(ctx: Any, r: Tensor, u: Tensor, alpha: float) -> Tensor:
        ctx.save_for_backward(r, u)
        ctx.alpha = alpha
        return (u < r).to(r.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        r, u = ctx.saved_tensors
        return grads[0] * ((r - u).abs() < ctx.alpha / 2).to(r.dtype) / ctx.alpha, None, None


class Norm:
    """tdBN, with running statistics of its own that begin where the layer's are."""

    def __init__(self, layer: Any, alpha: float) -> None:
        norm = layer.main.norm
        self.gamma, self.beta, self.alpha = norm.weight, norm.bias, alpha
        self.mean, self.var = norm.running_mean.clone(), norm.running_var.clone()
        self.values = 0

    def __call__(self, x: Tensor) -> Tensor:
        axes = [axis for axis in range(x.dim()) if axis != 1]
        self.values = x.numel() // x.shape[1]
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        unbiased = var.detach().flatten() * self.values / (self.values - 1)
        self.mean = (1 - MOMENTUM) * self.mean + MOMENTUM * mean.detach().flatten()
        self.var = (1 - MOMENTUM) * self.var + MOMENTUM * unbiased
        gamma, beta = (p.reshape(1, -1, *[1] * (x.dim() - 2)) for p in (self.gamma, self.beta))
        return gamma * (self.alpha * VTH * (x - mean) / torch.sqrt(var + EPS)) + beta


class Naive:
    """
    Args:
        model: Whose parameters it takes.
        window: Width and centre of the neurons' surrogate.
        alpha: Width of that of sampling.
    """

    def __init__(self, model: Any, window: tuple[float, float] = (1.0, 0.0), alpha: float = 1.0) -> None:
        self.model, self.window, self.alpha = model, window, alpha
        self.norms: dict[Any, Norm] = {}

    def lif(self, x: Tensor) -> Tensor:
        u, o, found = torch.zeros_like(x[..., 0]), torch.zeros_like(x[..., 0]), []
        for t in range(x.shape[-1]):
            u = TAU * u * (1 - o) + x[..., t]
            o = Fires.apply(u, *self.window)
            found.append(o)
        return torch.stack(found, -1)

    def layer(self, layer: Any, x: Tensor, alpha: float = 1.0) -> Tensor:
        norm = self.norms.setdefault(layer, Norm(layer, alpha))
        return self.lif(norm(synapse(layer.synapse, x)))

    def encode(self, images: Tensor) -> Tensor:
        x = images.double() / 255
        x = torch.stack([x] * self.model.steps, -1)
        if self.model.pfa is not None:
            x = attended(self.model.pfa, x)
        *convolutions, _, last = self.model.encoder
        for layer in convolutions:
            x = self.layer(layer, x)
        return self.layer(last, x.flatten(1, 3))

    def decode(self, z: Tensor) -> Tensor:
        first, _, *convolutions = self.model.decoder
        x = self.layer(first, z)
        x = x.reshape(len(x), *self.model.plan.places, -1)
        for layer in convolutions:
            x = self.layer(layer, x)
        y = synapse(self.model.readout.synapse, x)
        if hasattr(self.model.readout, "attention"):
            return torch.tanh(fused(self.model.readout.attention.weight, y))
        membrane = torch.zeros_like(y[..., 0])
        for t in range(y.shape[-1]):
            membrane = 0.8 * membrane + y[..., t]
        return torch.tanh(membrane)

    def esvae(self, images: Tensor, noise: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Spikes of the latent space, the image and the loss."""
        r_p = self.encode(images).mean(-1)
        u = noise.uniform.permute(1, 2, 0)
        z = Draws.apply(r_p[..., None].expand_as(u), u, self.alpha)
        bottleneck = self.model.bottleneck
        r_q = torch.sigmoid(noise.normal @ bottleneck.weight.T + bottleneck.bias)
        image = self.decode(z)
        return z, image, ((image - images.double() / 255) ** 2).mean() + 0.001 * mmd(r_p, r_q)

    def fsvae(self, images: Tensor, noise: Any, probability: float, kind: str) -> tuple[Tensor, Tensor, Tensor]:
        picks = noise.picks.permute(1, 2, 0)
        z, q = self.posterior(self.encode(images), picks)
        p = self.prior(z.detach(), noise, probability)
        image = self.decode(z)
        q, p = q.mean(2), p.mean(2)
        error = ((image - images.double() / 255) ** 2).mean()
        if kind == "mmd":
            return z, image, error + ((psp(q) - psp(p)) ** 2).mean()
        kl = q * torch.log((q + 0.01) / (p + 0.01)) + (1 - q) * torch.log((1 - q + 0.01) / (1 - p + 0.01))
        return z, image, error + 1e-4 * kl.sum((1, 2)).mean()

    def blocks(self, blocks: Any, x: Tensor) -> Tensor:
        """(N, n, T) to (N, D, k, T)."""
        for layer in blocks.blocks:
            x = self.layer(layer, x, 2.0)
        return x.reshape(len(x), self.model.latent, -1, x.shape[-1])

    def posterior(self, x: Tensor, picks: Tensor) -> tuple[Tensor, Tensor]:
        past = torch.zeros_like(x[..., :1])
        with torch.no_grad():
            for t in range(x.shape[-1] - 1):
                q = self.blocks(self.model.posterior, torch.cat([x[..., : t + 1], past], 1))
                past = torch.cat([past, picked(q[..., t], picks[..., t])[..., None]], -1)
        q = self.blocks(self.model.posterior, torch.cat([x, past], 1))
        return torch.stack([picked(q[..., t], picks[..., t]) for t in range(x.shape[-1])], -1), q

    def prior(self, z: Tensor, noise: Any, probability: float) -> Tensor:
        past = torch.zeros_like(z[..., :1])
        with torch.no_grad():
            for t in range(z.shape[-1] - 1):
                now = z[..., t]
                if t >= 5 and noise.coins[t, 0] < probability:
                    mean = self.blocks(self.model.prior, past)[..., -1].mean(2)
                    now = (mean + 1e-3 * noise.jitter[t] > 0.5).double()
                past = torch.cat([past, now[..., None]], -1)
        return self.blocks(self.model.prior, past)


def synapse(synapse: Any, x: Tensor) -> Tensor:
    """Step by step."""
    ways = {"QuantConv2d": F.conv2d, "QuantConvTranspose2d": F.conv_transpose2d}
    way: Any = ways.get(type(synapse).__name__, F.linear)
    geometry = {} if way is F.linear else {"stride": synapse.stride, "padding": 1}
    if way is F.conv_transpose2d:
        geometry["output_padding"] = 1 if synapse.stride == (2, 2) else 0
    steps = range(x.shape[-1])
    return torch.stack([way(x[..., t], synapse.weight, synapse.bias, **geometry) for t in steps], -1)


def attended(pfa: Any, x: Tensor) -> Tensor:
    """relu(map x), the map added up one rank after the other."""
    of_places = torch.sigmoid(F.conv2d(x.mean(1).permute(0, 3, 1, 2), pfa.space.weight, pfa.space.bias, padding=1))
    means = x.mean((2, 3))
    of_steps = torch.sigmoid(means.transpose(1, 2) @ pfa.over_channels.weight.T + pfa.over_channels.bias)
    of_channels = torch.sigmoid(means @ pfa.over_steps.weight.T + pfa.over_steps.bias)
    total = torch.zeros_like(x)
    for r in range(of_places.shape[1]):
        places, steps, channels = of_places[:, r], of_steps[..., r], of_channels[..., r]
        total = total + channels[:, :, None, None, None] * places[:, None, :, :, None] * steps[:, None, None, None]
    return F.relu(total * x)


def fused(weight: Tensor, y: Tensor) -> Tensor:
    """TAID's code form: the sum over steps of sigmoid(W mean_hw y) y."""
    means, total = y.mean((2, 3)), torch.zeros_like(y[..., 0])
    for i in range(y.shape[-1]):
        of_step = torch.sigmoid(sum(weight[i, t] * means[..., t] for t in range(y.shape[-1])))
        total = total + of_step[..., None, None] * y[..., i]
    return total


def picked(candidates: Tensor, picks: Tensor) -> Tensor:
    """(N, D, k) and (N, D) to (N, D)."""
    n, d, k = candidates.shape
    index = torch.arange(n * d) * k + picks.flatten()
    return candidates.reshape(-1)[index].reshape(n, d)


def psp(x: Tensor) -> Tensor:
    value, found = torch.zeros_like(x[..., 0]), []
    for t in range(x.shape[-1]):
        value = value + (x[..., t] - value) / 2
        found.append(value)
    return torch.stack(found, -1)


def mmd(a: Tensor, b: Tensor) -> Tensor:
    joint = torch.cat([a, b])
    squares = ((joint[:, None] - joint[None]) ** 2).sum(-1)
    n = len(joint)
    bandwidth = squares.detach().sum() / (n * n - n) / 4
    kernel = sum(torch.exp(-squares / (bandwidth * 2**i)) for i in range(5))
    aa, ab, ba = kernel[: len(a), : len(a)], kernel[: len(a), len(a) :], kernel[len(a) :, : len(a)]
    bb = kernel[len(a) :, len(a) :]
    return aa.mean() + bb.mean() - ab.mean() - ba.mean()
