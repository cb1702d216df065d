"""Shapes from the inputs on, and parameters spread over the shape of what feeds them.

NIR wants every parameter in the shape of the neurons; its writers also leave one value, or one for each channel.
"""

from collections.abc import Mapping
from dataclasses import fields as fields_of
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from spikeport.deploy import nodes
from spikeport.deploy.graph import Edge, ordered
from spikeport.deploy.nodes import Flatten, Floats, Input, Node, Shape
from spikeport.deploy.reader.kinds import Parsed
from spikeport.deploy.shapes import output_shape
from spikeport.errors import GraphTooLarge, NodeShape

MAX_VALUES = 1 << 24
"""Of one node at one step; a Loihi 2 has 2^20 neurons. A damaged shape can claim anything."""
_NEURONS = (nodes.I, nodes.IF, nodes.LI, nodes.LIF, nodes.CubaLI, nodes.CubaLIF)
_POINTWISE = (nodes.Scale, nodes.Threshold, nodes.Delay, *_NEURONS)


def fitted(parsed: Mapping[str, Parsed], edges: tuple[Edge, ...], remarks: list[str]) -> dict[str, Node]:
    """The nodes in data-flow order, their parameters in the shapes of their neurons.

    Raises:
        DeployError: shapes that do not fit each other, a loop that nothing feeds, more values than `MAX_VALUES`.
    """
    order = ordered({name: parsed[name].node for name in parsed}, edges)
    sources: dict[str, list[str]] = {name: [] for name in order}
    targets: dict[str, list[str]] = {name: [] for name in order}
    for a, b in edges:
        sources[b].append(a)
        targets[a].append(b)
    shapes: dict[str, Shape] = {}
    for name, node in order.items():
        feeds = next((s for s in sources[name] if s in shapes), None)
        shape = () if feeds is None else shapes[feeds]
        if isinstance(node, Input):
            order[name] = node = _without_batch(name, node, [parsed[t] for t in targets[name]], remarks)
        elif isinstance(node, Flatten):
            order[name] = node = _counted_without_batch(name, node, parsed[name].stated, shape, remarks)
        elif isinstance(node, _POINTWISE):
            order[name] = node = _spread(name, node, parsed[name].missing, shape, remarks)
        elif parsed[name].stated not in (None, shape) and isinstance(node, nodes.Conv1d | nodes.Conv2d):
            remarks.append(f"{name}: its input_shape {parsed[name].stated} is not {shape}, which feeds it and is taken")
        if feeds is not None and isinstance(order[feeds], Input):
            _check_axes(feeds, shape, name, parsed[name])
        shapes[name] = output_shape(name, node, shape)
        if prod(shapes[name]) > MAX_VALUES:
            got, limit = f"{shapes[name]}", f"{MAX_VALUES} values"
            raise GraphTooLarge(name, "shape", got=got, relation="exceeds", limit=limit, do="make the layer smaller")
    return order


def axes_of(parsed: Parsed) -> int | None:
    """How many axes a node's input must have; None where any number will do."""
    match parsed.node:
        case nodes.Linear():
            return 1
        case nodes.Conv1d():
            return 2
        case nodes.Conv2d() | nodes.ConvTranspose2d() | nodes.SumPool2d() | nodes.AvgPool2d():
            return 3
        case Flatten():
            return None if parsed.stated is None else len(parsed.stated)
        case _:
            return len(own_shape(parsed.node)) or None


def own_shape(node: Node) -> Shape:
    """The shape of a pointwise node's own parameters, () if they are single values or disagree."""
    if not isinstance(node, _POINTWISE):
        return ()
    try:
        return np.broadcast_shapes(*(x.shape for x in _parameters(node).values() if x.size > 1))
    except ValueError:
        return ()


def _parameters(node: Any) -> dict[str, Floats]:
    return {f.name: getattr(node, f.name) for f in fields_of(node)}


def _without_batch(name: str, node: Input, targets: list[Parsed], remarks: list[str]) -> Input:
    """Leading axes of length 1 go where all that is fed wants fewer axes: norse 1.1.0 writes (1, 8) for 8 values."""
    wanted = {axes for target in targets if (axes := axes_of(target)) is not None}
    more = len(node.shape) - max(wanted, default=len(node.shape))
    if len(wanted) != 1 or more < 1 or set(node.shape[:more]) != {1}:
        return node
    remarks.append(f"{name}: shape {node.shape} is taken as {node.shape[more:]}, without batch and time")
    return Input(node.shape[more:])


def _check_axes(name: str, shape: Shape, target: str, parsed: Parsed) -> None:
    axes = axes_of(parsed)
    if axes is not None and len(shape) > axes:
        do = "write the shape of one sample at one step, without batch and time"
        raise NodeShape(
            name, "shape", got=shape, relation=f"has more axes than {target} takes, which are", limit=axes, do=do
        )


def _counted_without_batch(name: str, node: Flatten, stated: Shape | None, shape: Shape, remarks: list[str]) -> Flatten:
    """NIR counts axes without the batch. A writer whose input_type has one counts it too, and then 1 means 0."""
    if stated is None or stated == shape:
        return node
    if stated != (1, *shape):
        remarks.append(f"{name}: its input_type {stated} is not {shape}, which feeds it and is taken")
        return node
    start, end = (max(axis - 1, 0) if axis >= 0 else max(axis, -len(shape)) for axis in (node.start, node.end))
    remarks.append(f"{name}: axes {node.start} to {node.end} of {stated} are taken as {start} to {end} of {shape}")
    return Flatten(start, end)


def _spread(name: str, node: Any, missing: tuple[str, ...], shape: Shape, remarks: list[str]) -> Node:
    values = _parameters(node)
    single = [key for key, x in values.items() if x.size == 1 and x.shape != shape and key not in missing]
    if single and prod(shape) > 1:
        remarks.append(f"{name}: one value of {', '.join(single)} is taken for all {shape}")
    return replace(node, **{key: _spread_one(name, key, x, shape, remarks) for key, x in values.items()})


def _spread_one(name: str, key: str, values: Floats, shape: Shape, remarks: list[str]) -> Floats:
    """`values` over `shape`: one for all, one for each channel, or with leading axes of length 1."""
    if values.shape == shape:
        return values
    if values.size == 1:
        return np.broadcast_to(values.reshape(()), shape)
    more = values.ndim - len(shape)
    if more > 0 and values.shape == (1,) * more + shape:
        remarks.append(f"{name}: {key} {values.shape} is taken as {shape}, without batch and time")
        return values.reshape(shape)
    if values.ndim == len(shape) and all(a in (1, b) for a, b in zip(values.shape, shape, strict=True)):
        remarks.append(f"{name}: {key} {values.shape} is spread over {shape}")
        return np.broadcast_to(values, shape)
    if len(shape) > 1 and values.shape == shape[:1] and (shape[0] != shape[-1] or not np.ptp(values)):
        remarks.append(f"{name}: {key} {values.shape} is taken for the channels of {shape}")
        return np.broadcast_to(values.reshape(-1, *(1,) * (len(shape) - 1)), shape)
    do = "give one value, one for each channel as (c, 1, 1), or the whole shape"
    relation = "does not spread over the shape of what feeds the node,"
    raise NodeShape(name, f"{key} shape", got=values.shape, relation=relation, limit=shape, do=do)
