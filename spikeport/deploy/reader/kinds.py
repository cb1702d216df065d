"""One parser for each kind of NIR node: raw fields to the typed node, with parameters in the shapes they came in.

Names and fields are those of NIR 1.0.8 (`nir/ir`). Older versions lack fields: `v_reset` came with 1.0.6.
Two kinds are spikeport's own extension, which other readers refuse: `ConvTranspose2d` with torch's fields, and
`Unflatten` with `shape`, that of one sample at one step, row-major.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from spikeport.deploy import nodes
from spikeport.deploy.nodes import Floats, Node, Shape
from spikeport.deploy.reader.fields import Fields, shown, text_of
from spikeport.errors import DelayInvalid, DeployError, FieldInvalid, UnsupportedNode


@dataclass(frozen=True, eq=False)
class Parsed:
    """A node, and the shape of its input as the file states it, where it does. Frameworks write nonsense there."""

    node: Node
    stated: Shape | None = None
    missing: tuple[str, ...] = ()
    """Parameters that the file does not have."""


def parse(name: str, raw: Any, remarks: list[str]) -> Parsed:
    """Raises UnsupportedNode for a kind that NIR does not have, DeployError for fields that are not usable."""
    kind = kind_of(raw)
    if kind not in _KINDS:
        limit, do = ", ".join(_KINDS), "replace the node"
        raise UnsupportedNode(name, "node type", got=shown(kind), relation="is not one of", limit=limit, do=do)
    parser, known = _KINDS[kind]
    fields = Fields(name, kind, {key: x for key, x in raw.items() if key not in ("type", "metadata")}, remarks)
    fields.check_known(known)
    return parser(fields)


def is_known(kind: str) -> bool:
    """Whether it is a kind of NIR's, or of spikeport's own."""
    return kind in _KINDS or kind == "NIRGraph"


def kind_of(raw: Any) -> str:
    """The type that a node gives itself; "nothing" for what is no node, "missing" for a node without."""
    return text_of(raw.get("type")) or "missing" if isinstance(raw, dict) else "nothing"


def _input(fields: Fields) -> Parsed:
    return Parsed(nodes.Input(fields.sizes("shape")))


def _output(fields: Fields) -> Parsed:
    return Parsed(nodes.Output())  # its shape follows from what feeds it; some writers leave nonsense here


def _flatten(fields: Fields) -> Parsed:
    node = nodes.Flatten(fields.integer("start_dim"), fields.integer("end_dim"))
    return Parsed(node, _told(fields, "input_type"))


def _affine(fields: Fields) -> Parsed:
    weight = fields.floats("weight", 2)
    return Parsed(nodes.Linear(weight, fields.bias(len(weight))), weight.shape[1:])


def _linear(fields: Fields) -> Parsed:
    weight = fields.floats("weight", 2)
    return Parsed(nodes.Linear(weight, np.zeros(len(weight))), weight.shape[1:])


def _conv1d(fields: Fields) -> Parsed:
    weight, bias, stride, padding, dilation, groups = _convolution(fields, 1)
    node = nodes.Conv1d(weight, bias, stride[0], padding[0], dilation[0], groups)
    return Parsed(node, _stated(fields, weight, groups, 1))


def _conv2d(fields: Fields) -> Parsed:
    weight, bias, stride, padding, dilation, groups = _convolution(fields, 2)
    return Parsed(nodes.Conv2d(weight, bias, stride, padding, dilation, groups), _stated(fields, weight, groups, 2))


def _conv_transpose2d(fields: Fields) -> Parsed:
    weight, groups = fields.floats("weight", 4), fields.integer("groups")
    stride, padding, extra, dilation = (fields.pair(key) for key in ("stride", "padding", "output_padding", "dilation"))
    fits = all(0 <= e < max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True))  # as torch asks
    if groups < 1 or len(weight) % groups or min(*stride, *dilation) < 1 or min(padding) < 0 or not fits:
        got = f"stride {stride}, padding {padding}, output_padding {extra}, dilation {dilation}, groups {groups}"
        raise FieldInvalid(fields.name, "convolution", got=got, relation="is not", limit="a valid geometry")
    bias = fields.bias(weight.shape[1] * groups)
    return Parsed(nodes.ConvTranspose2d(weight, bias, stride, padding, extra, dilation, groups))


def _unflatten(fields: Fields) -> Parsed:
    return Parsed(nodes.Unflatten(fields.sizes("shape")))


def _convolution(fields: Fields, axes: int) -> tuple[Floats, Floats, Any, Any, Any, int]:
    """Weight, bias, stride, padding, dilation and groups; geometry as numbers, one for each axis."""
    weight = fields.floats("weight", axes + 2)
    bias, groups = fields.bias(len(weight)), fields.integer("groups")
    steps = fields.pair if axes == 2 else lambda key: (fields.integer(key),)
    stride, dilation = steps("stride"), steps("dilation")
    word = fields.text("padding")
    padding = steps("padding") if word is None else (0,) * axes
    if groups < 1 or len(weight) % groups or min(*stride, *dilation) < 1 or min(padding) < 0:
        told = [str(x if axes == 2 else x[0]) for x in (stride, padding, dilation)]
        got = f"stride {told[0]}, padding {shown(word or told[1])}, dilation {told[2]}, groups {groups}"
        raise FieldInvalid(fields.name, "convolution", got=got, relation="is not", limit="a valid geometry")
    if word == "same":
        weight, padding = _same_size(fields, weight, stride, dilation)
    elif word not in (None, "valid"):
        do = "write the padding as numbers"
        raise FieldInvalid(
            fields.name, "padding", got=shown(word), relation="is not", limit="a number, same or valid", do=do
        )
    return weight, bias, stride, padding, dilation, groups


def _same_size(fields: Fields, weight: Floats, stride: Shape, dilation: Shape) -> tuple[Floats, Shape]:
    """Numbers for "same", after torch 2.13 (`nn/modules/conv.py`): d (k - 1) zeros in all, the odd one at the end.

    Where that is odd the kernel gets a zero in front, which moves it by one place: symmetric padding does the same.
    """
    do = "write the padding as numbers"
    if max(stride) > 1:  # torch refuses it; other frameworks disagree about where the zeros go
        raise FieldInvalid(fields.name, "padding", got="same", relation="has no meaning at stride", limit=stride, do=do)
    padding, more = [], []
    for k, d in zip(weight.shape[2:], dilation, strict=True):
        total = d * (k - 1)
        if total % 2 and d > 1:
            limit = f"kernel {k} with dilation {d}"
            raise FieldInvalid(fields.name, "padding", got="same", relation="is not symmetric for", limit=limit, do=do)
        padding.append((total + 1) // 2)
        more.append((total % 2, 0))
    return np.pad(weight, [(0, 0), (0, 0), *more]), tuple(padding)


def _stated(fields: Fields, weight: Floats, groups: int, axes: int) -> Shape | None:
    size = _told(fields, "input_shape")
    return (weight.shape[1] * groups, *size) if size is not None and len(size) == axes else size


def _pool(kind: type[nodes.SumPool2d] | type[nodes.AvgPool2d]) -> Callable[[Fields], Parsed]:
    def parser(fields: Fields) -> Parsed:
        kernel, stride, padding = (fields.pair(key) for key in ("kernel_size", "stride", "padding"))
        if min(*kernel, *stride) < 1 or min(padding) < 0:
            got = f"kernel {kernel}, stride {stride}, padding {padding}"
            raise FieldInvalid(fields.name, "pooling", got=got, relation="is not", limit="a valid geometry")
        return Parsed(kind(kernel, stride, padding))

    return parser


def _delay(fields: Fields) -> Parsed:
    delay = fields.floats("delay")
    if delay.min() < 0:
        raise DelayInvalid(fields.name, "delay", got=delay.min(), relation="is below", limit=0, do="export it again")
    return Parsed(nodes.Delay(delay))


MISSING = {"v_reset": 0.0, "w_in": 1.0}
"""What a neuron's field is if the file has none: NIR 1.0.8's own defaults."""


def _values(kind: Callable[..., Node], keys: str) -> Callable[[Fields], Parsed]:
    """Of nodes that are nothing but parameters; time constants are above 0."""

    def parser(fields: Fields) -> Parsed:
        values = {}
        for key in keys.split():
            if key.startswith("tau"):
                values[key] = fields.positive(key)
            else:
                values[key] = fields.floats(key, missing=MISSING.get(key))
        return Parsed(kind(**values), missing=tuple(fields.missing))

    return parser


def _told(fields: Fields, key: str) -> Shape | None:
    """A shape that the file states and that nothing depends on, so nonsense is no error."""
    if fields.values.get(key) is None:
        return None
    try:
        return fields.sizes(key)
    except DeployError:
        fields.remarks.append(f"{fields.name}: its {key} is no shape and is not used")
        return None


_CONV = "input_shape weight stride padding dilation groups bias"
_POOL = "kernel_size stride padding"
_NEURONS: dict[str, tuple[Callable[..., Node], str]] = {
    "Scale": (nodes.Scale, "scale"),
    "Threshold": (nodes.Threshold, "threshold"),
    "I": (nodes.I, "r"),
    "IF": (nodes.IF, "r v_threshold v_reset"),
    "LI": (nodes.LI, "tau r v_leak"),
    "LIF": (nodes.LIF, "tau r v_leak v_threshold v_reset"),
    "CubaLI": (nodes.CubaLI, "tau_syn tau_mem r v_leak w_in"),
    "CubaLIF": (nodes.CubaLIF, "tau_syn tau_mem r v_leak v_threshold v_reset w_in"),
}
_KINDS: dict[str, tuple[Callable[[Fields], Parsed], frozenset[str]]] = {
    kind: (parser, frozenset(keys.split()))
    for kind, parser, keys in [
        ("Input", _input, "shape"),
        ("Output", _output, "shape"),
        ("Flatten", _flatten, "input_type start_dim end_dim"),
        ("Linear", _linear, "weight"),
        ("Affine", _affine, "weight bias"),
        ("Conv1d", _conv1d, _CONV),
        ("Conv2d", _conv2d, _CONV),
        ("ConvTranspose2d", _conv_transpose2d, "weight bias stride padding output_padding dilation groups"),
        ("Unflatten", _unflatten, "shape"),
        ("SumPool2d", _pool(nodes.SumPool2d), _POOL),
        ("AvgPool2d", _pool(nodes.AvgPool2d), _POOL),
        ("Delay", _delay, "delay"),
        *((kind, _values(made, keys), keys) for kind, (made, keys) in _NEURONS.items()),
    ]
}
