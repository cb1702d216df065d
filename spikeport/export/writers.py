"""Layers that users bring: how each is written as a NIR node."""

from collections.abc import Callable
from typing import Any

import nir
import numpy as np
from torch import nn

from spikeport.errors import ExportError, InputError

Shape = tuple[int, ...]
Writer = Callable[[Any, Shape], nir.NIRNode]
"""A module and the shape of its input, of one sample at one step, to a node; a `nir.NIRGraph` is one, too."""
_WRITERS: dict[type[nn.Module], Writer] = {}


def register_layer(kind: type[nn.Module], writer: Writer) -> None:
    """Teaches `to_nir` a kind of module, which may then stand in a `nn.Sequential` between layers that spike.

    The module takes spikes `(T, B, *shape)` and gives spikes, the same in training and in eval mode, without a state
    from step to step. Its node must mean the same, or the compiled network spikes otherwise: compare them.

    Args:
        writer: Gives a node of NIR, or one of a kind that `spikeport.deploy.register_node` knows.

    Raises:
        InputError: not a class of modules.
    """
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise InputError("register_layer", "kind", got=kind, relation="is not", limit="a class of torch modules")
    _WRITERS[kind] = writer


def is_registered(module: nn.Module) -> bool:
    return type(module) in _WRITERS


def written(module: nn.Module, shape: Shape, out: Shape) -> nir.NIRNode:
    """The node of a module whose kind is registered; ExportError if its writer gives something else.

    Args:
        shape, out: Of its input and output; nir does not write a node that has neither.
    """
    node = _WRITERS[type(module)](module, shape)
    if not isinstance(node, nir.NIRNode):
        got, what = type(node).__name__, "what its writer gives"
        raise ExportError(type(module).__name__, what, got=got, relation="is not", limit="a NIR node")
    for name, port, size in (("input_type", "input", shape), ("output_type", "output", out)):
        if not hasattr(node, name):
            setattr(node, name, {port: np.array(size)})
    return node
