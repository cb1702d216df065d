"""`to_nir`: a trained module to a NIR graph that every framework reads alike.

Each layer becomes a synapse node and `LIF` with r = 1, v_leak = v_reset = 0 and hard reset: batch norm and
gain are folded into the weights, and so is 1/d with d = dv / 4096, because such a reader computes
v = (1 - d) v + d I. Membranes are in Lava's units: weight mantissa 1 is 1/64, one step of v is 1/4096.
The threshold lies half such a step above the grid, so `>` and `>=` agree.
The greatest of spikes is SumPool2d and Threshold(1/2).
"""

from collections.abc import Sequence
from pathlib import Path

import nir
from torch import Tensor, nn

from spikeport.atomic import replacing_hdf5
from spikeport.errors import ExportError, ExportOption
from spikeport.export.chain import Chain
from spikeport.export.network_to_nir import network_to_nir
from spikeport.export.units import DT_S
from spikeport.export.walk import flat_modules
from spikeport.train.layer import SpikingLayer
from spikeport.train.network import SpikingNetwork


def to_nir(module: nn.Module, sample: Tensor | None = None, *, dt_s: float | None = None) -> nir.NIRGraph:
    """Exports the deployable form of a module.

    Args:
        sample: One input as the module takes it, `(B, *in)` images, or images or spikes `(T, B, *in)`; only its shape
            is read. A `SpikingNetwork` knows its shapes and needs none.
        dt_s: Length of a step; sets the time constants. That of a `SpikingNetwork`, else 1e-4, if None.

    Raises:
        ExportError: a module without NIR form, or a parameter that no chip holds; names the layer.
    """
    if dt_s is None:
        dt_s = module.dt_s if isinstance(module, SpikingNetwork) else DT_S
    if not 1e-9 <= dt_s < 1e3:
        raise ExportOption("to_nir", "dt_s", got=dt_s, relation="is not in", limit="[1e-9, 1000)")
    if isinstance(module, SpikingNetwork):
        return network_to_nir(module, dt_s)
    if sample is None:
        raise ExportOption("to_nir", "sample", relation="is missing", do="give one input, for its shape")
    if not hasattr(sample, "shape"):
        got, limit = type(sample).__name__, "a tensor"
        raise ExportOption(
            "to_nir", "sample", got=got, relation="is not", limit=limit, do="give one input, for its shape"
        )
    modules = list(flat_modules(module))
    spiking = [m for m in module.modules() if isinstance(m, SpikingLayer)]
    if not spiking:
        raise ExportError("module", "holds no SpikingLayer")
    still = _takes_still_images(modules, spiking[0], sample)
    chain = Chain(tuple(sample.shape[1 if still else 2 :]), dt_s, spiking, still)
    for path, child in modules:
        try:
            chain.add(child)
        except ExportError as error:
            raise error.inside(path) from error
    return chain.graph()


def _takes_still_images(modules: Sequence[tuple[str, nn.Module]], first: SpikingLayer, sample: Tensor) -> bool:
    """Whether the sample has a batch and no time; where it is flattened first, from which axis on says so."""
    if first.image is None:
        return False
    begin = modules[0][1] if modules else None
    return begin.start_dim < 2 if isinstance(begin, nn.Flatten) else sample.dim() == first.main.axes - 1


def write_nir(graph: nir.NIRGraph, path: Path) -> None:
    """Writes a graph as NIR's HDF5 file; a write that fails leaves what was there, and nothing half-written.

    Raises:
        FileError: the folder cannot be written, or the disk is full.
    """
    with replacing_hdf5(path) as sink:
        nir.write(sink, graph, compression=None)
