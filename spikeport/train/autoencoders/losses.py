"""What the autoencoders minimise: the error of the image, and a distance of two distributions."""

import torch
from torch import Tensor

KERNELS = 5
KL_EPSILON = 1e-2
PSP_TAU = 2.0


def mse(image: Tensor, target: Tensor) -> Tensor:
    """Mean squared error over batch, channels and places."""
    return (image - target.to(image.dtype)).square().mean()


def mmd(a: Tensor, b: Tensor) -> Tensor:
    """MMD^2 of the samples `(N, D)` and `(N, D)` (ESVAE eq. 10), biased: pairs of a sample with itself count.

    The kernel is a sum of five Gaussians (published code): k(x, y) = sum_{i=0..4} exp(-|x - y|^2 / (bw 2^i)), where
    4 bw is the mean of |x - y|^2 over all ordered pairs of different samples of both, without gradient.
    0 where all samples are equal.
    """
    joint = torch.cat([a, b])
    n = len(joint)
    norms = joint.square().sum(1)
    squares = norms[:, None] + norms[None] - 2 * joint @ joint.T
    bandwidth = squares.detach().sum() / (n * n - n) / 2 ** (KERNELS // 2)
    bandwidth = bandwidth.clamp(min=torch.finfo(joint.dtype).eps)
    kernel = torch.stack([torch.exp(-squares / (bandwidth * 2**i)) for i in range(KERNELS)]).sum(0)
    aa, ab = kernel[: len(a), : len(a)], kernel[: len(a), len(a) :]
    bb = kernel[len(a) :, len(a) :]
    return aa.mean() + bb.mean() - 2 * ab.mean()


def psp(x: Tensor, tau: float = PSP_TAU) -> Tensor:
    """The postsynaptic potential of spikes or rates `(T, ...)`: psp[t] = psp[t-1] + (x[t] - psp[t-1]) / tau."""
    potential, potentials = torch.zeros_like(x[0]), []
    for arriving in x:
        potential = potential + (arriving - potential) / tau
        potentials.append(potential)
    return torch.stack(potentials)


def psp_distance(q: Tensor, p: Tensor) -> Tensor:
    """FSVAE's MMD with the kernel of postsynaptic potentials: mean (PSP(q) - PSP(p))^2 over `(T, B, D)`."""
    return (psp(q) - psp(p)).square().mean()


def kl_bernoulli(q: Tensor, p: Tensor, epsilon: float = KL_EPSILON) -> Tensor:
    """sum_{t, i} q log((q + e) / (p + e)) + (1 - q) log((1 - q + e) / (1 - p + e)) of `(T, B, D)`, mean over samples.

    With the epsilon of FSVAE's published code, which keeps it finite at rates of 0 and 1.
    """
    fires = q * torch.log((q + epsilon) / (p + epsilon))
    rests = (1 - q) * torch.log((1 - q + epsilon) / (1 - p + epsilon))
    return (fires + rests).sum((0, 2)).mean()


def kl_gaussian(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp(logvar)) || N(0, 1)) of `(B, D)`, summed over D, mean over samples."""
    return (-0.5 * (1 + logvar - mean.square() - logvar.exp()).sum(1)).mean()
