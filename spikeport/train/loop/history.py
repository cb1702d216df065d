"""What is known of an epoch, as a plain record that goes into logs, checkpoints and reports."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

from spikeport.train.layer import SpikingLayer


@dataclass(frozen=True)
class ChipCheck:
    """What the design rules say of the network as it is."""

    violations: int
    cores: int
    v_share: float
    """The largest `|v|` that any input can cause, as a share of v's word; above 1 it can overflow."""


@dataclass(frozen=True)
class LayerFigures:
    """A layer over one epoch, and its neuron at its end."""

    name: str
    rate: float
    """Spikes per neuron and step, in training."""
    gain: float
    """alpha of DA-LIF, 1 of ALIF."""
    keep: float
    """beta of DA-LIF, tau of ALIF."""
    threshold: float


@dataclass(frozen=True)
class Epoch:
    """Figures of one epoch; loss, accuracy, rates and SOPs of the training batches as they were seen."""

    number: int
    loss: float
    """What is minimised without the terms of [loss], a mean over samples."""
    accuracy: float | None = None
    """None of an autoencoder."""
    terms: float = 0.0
    """What [loss] added, a mean over steps."""
    sops: float = 0.0
    """Synaptic operations per sample."""
    learning_rate: float = 0.0
    layers: tuple[LayerFigures, ...] = ()
    selected: float | None = None
    """On the split of `select_on`: accuracy, or an autoencoder's mean squared error."""
    check: ChipCheck | None = None
    seconds: float = field(default=0.0, compare=False)
    parts: Mapping[str, float] = field(default_factory=dict)
    """What an autoencoder's loss is made of, before it is weighed, by name."""

    @property
    def rate(self) -> float:
        """The mean of the layers' rates."""
        return sum(layer.rate for layer in self.layers) / len(self.layers) if self.layers else 0.0

    def figures(self) -> dict[str, float]:
        """What is shown while it goes: loss, accuracy, each part of the loss as `part NAME`, rate, and SOPs."""
        found = {"loss": self.loss} | ({} if self.accuracy is None else {"accuracy": self.accuracy})
        found |= {f"part {name}": value for name, value in self.parts.items()}
        return found | {"rate": self.rate, "sops": self.sops}

    def to_json(self) -> dict[str, Any]:
        """Plain tables, lists and numbers."""
        plain = asdict(self)
        plain["layers"] = [asdict(layer) for layer in self.layers]
        return plain

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Epoch":
        """The record again from what `to_json` gave."""
        layers = tuple(LayerFigures(**layer) for layer in plain["layers"])
        check = None if plain["check"] is None else ChipCheck(**plain["check"])
        return cls(**{**plain, "layers": layers, "check": check})


def neurons(model: nn.Module) -> dict[str, tuple[float, float, float]]:
    """Gain, keep and threshold by layer."""
    found = {name: m.neuron for name, m in model.named_modules() if isinstance(m, SpikingLayer)}
    with torch.no_grad():
        return {name: (float(n.gain()), float(n.keep()), float(n.threshold())) for name, n in found.items()}
