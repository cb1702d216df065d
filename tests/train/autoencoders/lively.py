"""Networks whose neurons fire and rest before they have learnt to."""

from torch import nn

from spikeport.train import SpikingLayer


def enliven(model: nn.Module) -> None:
    """Draws gamma from N(1, 0.3), beta from N(0.1, 0.1), half the threshold."""
    for layer in model.modules():
        if isinstance(layer, SpikingLayer) and layer.main.norm is not None:
            nn.init.normal_(layer.main.norm.weight, 1.0, 0.3)
            nn.init.normal_(layer.main.norm.bias, 0.1, 0.1)
