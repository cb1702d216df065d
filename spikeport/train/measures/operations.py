"""What a reconstruction and a generated image cost: operations of each layer, exact where it is fed by spikes.

A spike into a layer costs a synaptic operation for each synapse of its place (`spikeport.train.activity`); what is fed
by real numbers costs its multiply-accumulates (MACs): the first layer, and what the host computes. Prices and papers'
ways to count are no business of this module. FSVAE's latent networks count as they run on a chip: with a state, T
evaluations. Its published code evaluates all steps so far at each step, T (T + 1) / 2 evaluations.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from spikeport.errors import MeasureUndefined
from spikeport.train.activity import fan_out
from spikeport.train.autoencoders.ann import AnnVAE
from spikeport.train.autoencoders.base import Autoencoder, SpikingAutoencoder
from spikeport.train.autoencoders.esvae import ESVAE
from spikeport.train.autoencoders.fsvae import FSVAE
from spikeport.train.autoencoders.stages import Plan
from spikeport.train.autoencoders.taid import Taid
from spikeport.train.branch import Branch
from spikeport.train.layer import SpikingLayer
from spikeport.train.measures.layer_operations import (
    LayerOperations,
    Weighted,
    host_linear,
    layer_operations,
    pfa_operations,
    taid_attention,
)
from spikeport.train.measures.passes import BATCH, device_of, evaluating, passes, prior_noise
from spikeport.train.readout import AbstractMembraneReadout

Site = SpikingLayer | AbstractMembraneReadout | Taid


@dataclass(frozen=True)
class Operations:
    task: str
    """reconstruction or generation."""
    steps: int
    samples: int
    layers: tuple[LayerOperations, ...]

    @property
    def macs(self) -> int:
        """Of one image, fed by real numbers, padding included."""
        return sum(layer.passes * layer.macs_dense for layer in self.layers if layer.fed == "analog")

    @property
    def sops(self) -> float:
        """Of one image, mean over the samples."""
        return sum(layer.sops for layer in self.layers) / self.samples

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "macs_per_image": self.macs, "sops_per_image": self.sops}


def reconstruction_operations(model: Autoencoder, images: Tensor, *, seed: int = 0, batch: int = BATCH) -> Operations:
    """Of encoding, sampling and decoding these images, in eval mode.

    Raises:
        InputError: the model is none that is known here.
    """
    counts = _Counts(model)
    with evaluating(model):
        for x, noise in passes(model, images, seed, batch):
            if isinstance(model, SpikingAutoencoder):
                with counts.watch():
                    spikes = model.encode(x)
                z = model.sample(spikes, noise)
                with counts.watch():
                    if isinstance(model, FSVAE):
                        model.posterior(torch.cat([spikes, _before(z)], -1))
                    model.decode(z)
            else:
                with counts.watch():
                    model(x, noise)
    host = (pfa_operations(model.pfa),) if isinstance(model, SpikingAutoencoder) and model.pfa is not None else ()
    return counts.operations("reconstruction", len(images), host)


def generation_operations(model: Autoencoder, samples: int = BATCH, *, seed: int = 0, batch: int = BATCH) -> Operations:
    """Of drawing from the prior and decoding, in eval mode.

    Raises:
        InputError: the model is none that is known here.
    """
    counts = _Counts(model)
    with evaluating(model):
        for k, start in enumerate(range(0, samples, batch)):
            n = min(batch, samples - start)
            noise = prior_noise(model, n, seed, k)
            if isinstance(model, SpikingAutoencoder):
                z = model.dream(noise)
                with counts.watch():
                    if isinstance(model, FSVAE):
                        model.prior(_before(z))
                    model.decode(z)
            else:
                with counts.watch():
                    model.generate(n, noise)
    host = (host_linear("bottleneck", model.bottleneck),) if isinstance(model, ESVAE) else ()
    return counts.operations("generation", samples, host)


def ann_operations(plan: Plan) -> tuple[Operations, Operations]:
    """Reconstruction and generation by the ANN of the same sizes; they do not depend on its weights."""
    model = AnnVAE(plan)
    image = torch.zeros(1, *plan.source.shape, dtype=torch.int16)
    return reconstruction_operations(model, image), generation_operations(model, 1)


class _Counts:
    """Adds up what enters each layer while it is watched."""

    def __init__(self, model: Autoencoder) -> None:
        spiking = isinstance(model, SpikingAutoencoder)
        if not spiking and not isinstance(model, AnnVAE):
            raise MeasureUndefined("operations", "model", got=type(model).__name__, relation="is not", limit="known")
        self.steps = model.steps if isinstance(model, SpikingAutoencoder) else 1
        self.still = not (isinstance(model, SpikingAutoencoder) and model.pfa is not None)
        self.device = device_of(model)
        kinds: Any = Site if spiking else Weighted
        self.sites = {name: module for name, module in model.named_modules() if isinstance(module, kinds)}
        self.fixed: dict[str, tuple[LayerOperations, ...]] = {}
        self.seen: dict[str, list[Tensor]] = {}
        self.fan_outs: dict[str, Tensor] = {}

    @contextmanager
    def watch(self) -> Iterator[None]:
        hooks = [site.register_forward_hook(self._hook(name)) for name, site in self.sites.items()]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def operations(self, task: str, samples: int, host: tuple[LayerOperations, ...]) -> Operations:
        layers = [*host]
        for name, fixed in self.fixed.items():
            events, sops = (int(n) for n in self.seen.get(name, (torch.zeros(()), torch.zeros(()))))
            first = LayerOperations(**{**asdict(fixed[0]), "events": events, "sops": sops})
            layers += [first, *fixed[1:]]
        return Operations(task, self.steps, samples, tuple(layers))

    def _hook(self, name: str) -> Callable[..., None]:
        def hook(site: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            x = inputs[0]
            if name not in self.fixed:
                self.fixed[name] = tuple(self._layers(name, site, x, output))
            if self.fixed[name][0].fed == "spikes":
                self._add(name, site, x)

        return hook

    def _add(self, name: str, site: Any, x: Tensor) -> None:
        """Sums of whole numbers: exact in float64 up to 2^53."""
        if name not in self.fan_outs:
            self.fan_outs[name] = fan_out(Branch(site.synapse), tuple(x.shape[2:])).flatten().double().to(self.device)
        arrived = x.double().sum((0, 1)).flatten()
        new = [arrived.sum(), arrived @ self.fan_outs[name]]
        self.seen[name] = [a + b for a, b in zip(self.seen[name], new, strict=True)] if name in self.seen else new

    def _layers(self, name: str, site: nn.Module, x: Tensor, output: Tensor) -> Iterator[LayerOperations]:
        if isinstance(site, Weighted):
            yield layer_operations(name, site, x[0], output[0], fed="analog", passes=1)
        elif isinstance(site, SpikingLayer) and site.image is not None:
            passes = 1 if self.still else self.steps
            image = x[0] if self.still else x[0, 0]
            yield layer_operations(name, site.synapse, image, output[0, 0], fed="analog", passes=passes)
        else:
            assert isinstance(site, Site)
            places = output[0] if output.dim() == x.dim() - 1 else output[0, 0]  # a readout gives no steps
            yield layer_operations(name, site.synapse, x[0, 0], places, fed="spikes", passes=self.steps)
        if isinstance(site, SpikingLayer):
            yield LayerOperations(f"{name}.neuron", "neurons", "analog", elements=output[0, 0].numel())
        if isinstance(site, Taid):
            yield taid_attention(name, self.steps, output[0])


def _before(z: Tensor) -> Tensor:
    """z of the step before, nothing before the first."""
    return torch.cat([torch.zeros_like(z[:1]), z[:-1]])
