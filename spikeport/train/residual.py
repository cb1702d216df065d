"""`Residual`: layers, and a way past them into the last one."""

from torch import Tensor, nn

from spikeport.errors import LayerInvalid
from spikeport.train.layer import SpikingLayer


class Residual(nn.Module):
    """x -> body -> join(., x): a residual block. `join` has a shortcut, which takes x.

    Raises:
        InputError: `join` has none.
    """

    def __init__(self, body: nn.Sequential, join: SpikingLayer) -> None:
        super().__init__()
        if join.shortcut is None:
            do = "build it with SpikingLayer(..., shortcut=...)"
            raise LayerInvalid("Residual", "last layer", relation="has no", limit="shortcut", do=do)
        self.body = body
        self.join = join

    def forward(self, x: Tensor) -> Tensor:
        """`(T, B, *in)` spikes to `(T, B, *out)` spikes."""
        found: Tensor = self.join(self.body(x), x)
        return found
