"""The walk over a module: which layers it holds, in the order in which data meets them."""

from collections.abc import Iterator

from torch import nn

from spikeport.errors import ExportError
from spikeport.export.writers import is_registered
from spikeport.train.autoencoders.integrator import Integrator
from spikeport.train.dropout import SpikeDropout
from spikeport.train.layer import SpikingLayer
from spikeport.train.pools import MaxPool2d
from spikeport.train.readout import Readout, Vote
from spikeport.train.residual import Residual

Shape = tuple[int, ...]
LEAVES = SpikingLayer | Residual | MaxPool2d | nn.Flatten | nn.Unflatten | Vote | Readout | Integrator


def flat_modules(module: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The leaves of nested `nn.Sequential`s in the order in which data meets them; a `Residual` is one.

    Raises:
        ExportError: a module whose order of use cannot be known without running it.
    """
    if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
        for name, child in module._modules.items():  # named_children would leave out a layer that is used again
            assert child is not None
            yield from flat_modules(child, f"{path}.{name}" if path else name)
    elif isinstance(module, nn.Identity | nn.Dropout | SpikeDropout):
        return
    elif isinstance(module, LEAVES) or is_registered(module):
        yield path or "module", module
    else:
        parts = "SpikingLayer, Residual, MaxPool2d, nn.Flatten(2), Vote, Readout, Integrator and nn.Sequential"
        of_torch = type(module).__module__.startswith("torch.nn.")
        got = f"torch.nn.{type(module).__name__}" if of_torch else type(module).__name__
        do = f"build the network from {parts}, of spikeport.train but for nn"
        raise ExportError(path or "module", "type", got=got, relation="has no NIR form", do=do)
