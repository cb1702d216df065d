"""The output shape of every kind of node; nir 1.0.8's own inference is wrong for kernels that are not square."""

from math import prod

from spikeport.deploy.nodes import (
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Delay,
    Flatten,
    Input,
    Linear,
    Node,
    Output,
    Pair,
    Scale,
    Shape,
    SumPool2d,
    Threshold,
    Unflatten,
    shape_of_neurons,
)
from spikeport.errors import NodeShape


def output_shape(name: str, node: Node, shape: Shape) -> Shape:
    """Shape after `node` for input of `shape`; raises DeployError where they do not fit."""
    match node:
        case Input():
            return node.shape
        case Output():
            return shape
        case Flatten():
            return _flattened(name, node, shape)
        case Unflatten():
            if prod(node.shape) != prod(shape):
                relation = "does not hold as many values as its input"
                raise NodeShape(name, "shape", got=node.shape, relation=relation, limit=shape)
            return node.shape
        case Linear():
            if shape != (node.weight.shape[1],):
                raise NodeShape(name, "input shape", got=shape, relation="is not", limit=(node.weight.shape[1],))
            return (node.weight.shape[0],)
        case Conv1d():
            geometry = (node.stride,), (node.padding,), (node.dilation,)
            return _convolved(name, node.weight.shape, shape, *geometry, node.groups)
        case Conv2d():
            return _convolved(name, node.weight.shape, shape, node.stride, node.padding, node.dilation, node.groups)
        case ConvTranspose2d():
            return _transposed(name, node, shape)
        case SumPool2d() | AvgPool2d():
            return _pooled(name, node.kernel, node.stride, node.padding, shape)
        case Scale():
            return _same(name, "scale", node.scale.shape, shape)
        case Delay():
            return _same(name, "delay", node.delay.shape, shape)
        case Threshold():
            return _same(name, "threshold", node.threshold.shape, shape)
        case _:
            return _same(name, "neuron", shape_of_neurons(node), shape)


def _same(name: str, what: str, own: Shape, shape: Shape) -> Shape:
    if own != shape:
        raise NodeShape(name, f"{what} shape", got=own, relation="is not that of its input", limit=shape)
    return shape


def _flattened(name: str, node: Flatten, shape: Shape) -> Shape:
    n = len(shape)
    start, end = node.start % n if n else 0, node.end % n if n else 0
    if not (-n <= node.start < n and -n <= node.end < n) or start > end:
        raise NodeShape(name, "flatten axes", got=(node.start, node.end), relation="do not fit the shape", limit=shape)
    return (*shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :])


def _convolved(
    name: str, weight: Shape, shape: Shape, stride: Shape, padding: Shape, dilation: Shape, groups: int
) -> Shape:
    c_out, c_in, *kernel = weight
    if len(shape) != len(weight) - 1 or shape[0] != c_in * groups:
        limit = f"({c_in * groups}, {', '.join('hw'[-len(kernel) :])})"
        raise NodeShape(name, "input shape", got=shape, relation="is not", limit=limit)
    axes = zip(shape[1:], padding, dilation, kernel, stride, strict=True)
    size = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, p, d, k, s in axes]
    if min(size) < 1:
        raise NodeShape(name, "kernel", got=kernel, relation="exceeds the padded input", limit=shape)
    return (c_out, *size)


def _transposed(name: str, node: ConvTranspose2d, shape: Shape) -> Shape:
    c_in, c_out, *kernel = node.weight.shape
    if len(shape) != 3 or shape[0] != c_in:
        raise NodeShape(name, "input shape", got=shape, relation="is not", limit=f"({c_in}, h, w)")
    axes = zip(shape[1:], kernel, node.stride, node.padding, node.output_padding, node.dilation, strict=True)
    size = [(n - 1) * s - 2 * p + d * (k - 1) + extra + 1 for n, k, s, p, extra, d in axes]
    if min(size) < 1:
        raise NodeShape(name, "padding", got=node.padding, relation="leaves nothing of the output for", limit=shape)
    return (c_out * node.groups, *size)


def _pooled(name: str, kernel: Pair, stride: Pair, padding: Pair, shape: Shape) -> Shape:
    if len(shape) != 3:
        raise NodeShape(name, "input shape", got=shape, relation="is not", limit="(c, h, w)")
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise NodeShape(name, "padding", got=padding, relation="exceeds half the kernel", limit=kernel)
    return (shape[0], *_convolved(name, (1, 1, *kernel), (1, *shape[1:]), stride, padding, (1, 1), 1)[1:])
