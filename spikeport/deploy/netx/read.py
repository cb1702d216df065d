"""`.net` -> Program. The one place here that knows how a Program's parts are named."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from spikeport import fixed
from spikeport.deploy.netx.arguments import NetxArguments, check_argument
from spikeport.deploy.netx.file import Source, read_layers
from spikeport.deploy.netx.groups import group_of
from spikeport.deploy.netx.layers import (
    SDNN_BITS,
    SPIKE_EXP,
    STATE_EXP,
    AnyNeuron,
    AverageLayer,
    ConvLayer,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    Layer,
    Neuron,
    Shape,
    SigmaDeltaNeuron,
)
from spikeport.deploy.netx.weights import dense_weight, encode_weight, no_mantissas
from spikeport.errors import FileError, NetxRange, NetxUnsupported, ProgramError
from spikeport.fixed import Ints
from spikeport.neurons import Port
from spikeport.program import Connection, Conv, Dense, Encoder, Group, Input, Output, Program, Sparse

INPUT_BITS = 8
_INPUT, _INPUT_GROUP = "x", "input"


def read_netx(
    source: Source,
    *,
    reset_interval: int = 0,
    reset_offset: int = 0,
    input_bits: int = INPUT_BITS,
    input_shape: Shape | None = None,
    num_layers: int | None = None,
    skip_layers: int = 0,
    spike_exp: int = SPIKE_EXP,
    input_message_bits: int = 0,
) -> Program:
    """The network of a lava-dl file, with the arguments of lava-dl's `netx.hdf5.Network` and their meaning.

    Layer k of neurons (from 0) is cleared before every step t with
    t % interval == (offset + 1 + k) % interval, counted from t = 1.
    A trailing `average` layer becomes the output's classes. Groups are named input, conv0, conv1, .., fc0, fc1, ..
    An SDNN input layer hears its values one step after they were given, because every connection of a Program takes
    a step; lava-dl's takes none.

    Args:
        source: A path, or an open binary file.
        reset_interval: 0 for no reset, which is all that SDNN and RF neurons can do.
        input_bits: For an input layer with neurons: the input is x in steps of 2^-input_bits, so that an image
            in [0, 1] takes its values in [0, 2^input_bits]. The neurons' bias is `weight * x + bias`, rounded.
        input_shape: `(c, h, w)` or `(n,)`, where the file does not say it.
        num_layers: Read only the file's first layers.
        skip_layers: Leave these out; spikes of the last of them are the input.
        spike_exp: Of SDNN neurons, in [0, 7]; their payloads are in steps of 2^-spike_exp.
        input_message_bits: If not 0, the first layer with synapses takes payloads of so many bits and a sign.

    Raises:
        FileError: not a `.net` file, or one that contradicts itself.
        DeployError: what a Program cannot hold, or what lava-dl and SLAYER understand differently.
    """
    arguments = NetxArguments(reset_interval, reset_offset, input_bits, spike_exp, input_message_bits)
    arguments.check()
    check_argument("num_layers", 1 if num_layers is None else num_layers, 1, 2**30)
    check_argument("skip_layers", skip_layers, 0, 2**30)
    name = str(getattr(source, "name", "network")) if hasattr(source, "read") else str(source)
    return _program(read_layers(source)[:num_layers], _Walk(name, skip_layers, arguments, input_shape))


def program_of(layers: Sequence[Layer], name: str = "network") -> Program:
    """The network of layers that are no file, without resets; its input, if it is not an input layer's, is spikes."""
    return _program(layers, _Walk(name, 0, NetxArguments(input_bits=INPUT_BITS), None))


def _program(layers: Sequence[Layer], walk: "_Walk") -> Program:
    for number, layer in enumerate(layers):
        try:
            walk.take(number, layer)
        except ProgramError as error:
            raise FileError(walk.where, f"holds no valid layer: {error}") from error
    return walk.program()


@dataclass
class _Walk:
    """What is built while the layers pass by."""

    name: str
    skip: int
    arguments: NetxArguments
    shape: Shape | None
    """Of what the next layer listens to; None if nobody said it."""
    bits: int = field(init=False)
    """Of the payloads that the next layer hears; 0 for none."""
    flat: bool = False
    where: str = ""
    source: str = _INPUT
    entry: Input | None = None
    groups: list[Group] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    encoders: list[Encoder] = field(default_factory=list)
    classes: int = 0

    def __post_init__(self) -> None:
        self.bits = self.arguments.input_message_bits

    def take(self, number: int, layer: Layer) -> None:
        self.where = f"{self.name}: layer {number}"
        if self.classes:
            raise NetxUnsupported(
                self.where, "layer after an average", relation="is not supported", do="use num_layers"
            )
        skipped = number < self.skip
        match layer:
            case InputLayer():
                if number:
                    raise FileError(self.where, "input layer", relation="is not the first")
                self._input(layer, skipped)
            case FlattenLayer():
                self.flat = True
            case AverageLayer(outputs):
                self.classes = outputs
            case DenseLayer():
                self._dense(layer, skipped)
            case ConvLayer():
                self._conv(layer, skipped)

    def program(self) -> Program:
        if not self.groups:
            raise NetxUnsupported(self.name, "layers with neurons", got=0, relation="are not above", limit=0)
        assert self.entry is not None
        try:
            return Program(
                groups=tuple(self.groups),
                connections=tuple(self.connections),
                inputs=(self.entry,),
                outputs=(Output("y", self.source, self.classes),),
                encoders=tuple(self.encoders),
                latency=len({c.target for c in self.connections}),
            )
        except ProgramError as error:
            raise FileError(self.name, f"holds no valid network: {error}") from error

    def _input(self, layer: InputLayer, skipped: bool) -> None:
        self.shape = layer.shape
        if layer.neuron is not None and not skipped:
            if isinstance(layer.neuron, SigmaDeltaNeuron):
                self._delta_input(layer.shape, layer.neuron)
            else:
                self._lif_input(layer, layer.neuron)
        if layer.neuron is not None:
            self.bits = _message_bits(layer.neuron)

    def _lif_input(self, layer: InputLayer, neuron: Neuron) -> None:
        shape = layer.shape
        if len(shape) == 1:  # the host's 1 x 1 convolution wants three axes
            shape, self.flat = (1, 1, *shape), True
        self.shape = shape = shape if len(shape) == 3 else (1, *shape)
        encoder, low, high = _encoder(layer, shape, self.arguments.input_bits, self.where)
        self.entry = Input(_INPUT, shape, "bias", low, high)
        self.encoders.append(encoder)
        self._add(_INPUT_GROUP, shape, neuron, np.zeros(shape, np.int64))

    def _delta_input(self, shape: Shape, neuron: SigmaDeltaNeuron) -> None:
        limit = fixed.V_MAX >> (self.arguments.spike_exp + STATE_EXP)
        self.entry = Input(_INPUT, shape, "graded", -limit, limit)
        self.connections.append(one_to_one(_INPUT, _INPUT_GROUP, prod(shape)))
        self._add(_INPUT_GROUP, shape, neuron, np.zeros(shape, np.int64))

    def _dense(self, layer: DenseLayer, skipped: bool) -> None:
        n, n_source = layer.weight.shape
        shape = self.shape or (n_source,)
        if prod(shape) != n_source:
            limit = f"{prod(shape)}, the neurons of {shape}"
            raise FileError(self.where, "columns of 'weight'", got=n_source, relation="are not", limit=limit)
        if not self.flat and sum(size > 1 for size in shape) > 1 and (self.connections or self.groups):
            do = "put a flatten layer between them"
            raise NetxUnsupported(
                self.where, "dense layer on neurons of shape", got=shape, relation="is ambiguous", do=do
            )
        if not skipped:
            self._listen(shape)
            name = f"fc{sum(g.name.startswith('fc') for g in self.groups)}"
            graded = self.bits > 0
            port: Port = "a" if layer.weight_imag is None else "re"
            self.connections.append(self._synapses(name, layer.weight, layer.delay, graded, port))
            if layer.weight_imag is not None:
                self.connections.append(self._synapses(name, layer.weight_imag, layer.delay, graded, "im"))
            self._add(name, (n,), layer.neuron, layer.bias)
            if layer.weight_rec is not None:
                self.connections.append(self._synapses(name, layer.weight_rec, 0, False, port))
        self.shape, self.flat, self.bits = (n,), False, _message_bits(layer.neuron)

    def _synapses(self, target: str, weight: Ints, delay: int | Ints, graded: bool, port: Port) -> Dense:
        mantissas, exp = dense_weight(weight, self.where)
        return Dense(self.source, target, mantissas, exp, delay, graded, port)

    def _conv(self, layer: ConvLayer, skipped: bool) -> None:
        if self.shape is None:
            do = "say it with input_shape=(c, h, w)"
            raise NetxUnsupported(self.where, "input shape of the convolution", relation="is not in the file", do=do)
        if self.flat:
            raise FileError(self.where, "convolution after a flatten layer", relation="has no channels to read")
        name = f"conv{sum(g.name.startswith('conv') for g in self.groups)}"
        encoded = encode_weight(layer.weight)
        if encoded is None or encoded[1] < 0:
            raise no_mantissas(self.where, layer.weight)
        conv = Conv(
            self.source,
            name,
            *encoded,
            layer.stride,
            layer.padding,
            layer.dilation,
            layer.groups,
            graded=self.bits > 0,
        )
        found = conv.output_shape(self.shape)
        if found != layer.shape:
            raise FileError(self.where, "'shape' of the convolution", got=layer.shape, relation="is not", limit=found)
        if not skipped:
            self._listen(self.shape)
            bias = layer.bias if layer.bias.ndim == 3 else layer.bias[:, None, None]
            self.connections.append(conv)
            self._add(name, layer.shape, layer.neuron, np.broadcast_to(bias, layer.shape))
        self.shape, self.bits = layer.shape, _message_bits(layer.neuron)

    def _listen(self, shape: Shape) -> None:
        """The first layer with synapses hears spikes from outside, unless an input layer has neurons."""
        if self.entry is None and self.bits:
            limit = min((1 << self.bits) - 1, fixed.PAYLOAD_MAX)
            self.entry = Input(_INPUT, shape, "graded", -limit, limit)
        elif self.entry is None:
            self.entry = Input(_INPUT, shape, "spike")

    def _add(self, name: str, shape: Shape, neuron: AnyNeuron, bias: Ints) -> None:
        if self.arguments.reset_interval and not isinstance(neuron, Neuron):
            got, do = self.arguments.reset_interval, "lava-dl ignores it at SDNN and RF neurons"
            raise NetxUnsupported(self.where, "reset_interval", got=got, relation="is not", limit=0, do=do)
        self.groups.append(group_of(neuron, name, shape, bias, len(self.groups), self.arguments))
        self.source = name


def _message_bits(neuron: AnyNeuron) -> int:
    return SDNN_BITS if isinstance(neuron, SigmaDeltaNeuron) else 0


def one_to_one(source: str, target: str, size: int) -> Sparse:
    """Hands payloads on, each to the neuron at its own place."""
    index = np.arange(size)
    return Sparse(source, target, index, index, np.ones(size, np.int64), graded=True)


def _encoder(layer: InputLayer, shape: Shape, bits: int, where: str) -> tuple[Encoder, int, int]:
    """bias_mant = weight * x / 2^bits + bias on the host, and the least and the largest x that fit."""
    encoded = encode_weight(np.full((shape[0], 1, 1, 1), layer.weight))
    if encoded is None or encoded[1] < 0 or not layer.weight:
        raise NetxRange(where, "'weight' of the input", got=layer.weight, relation="does not fit", limit="8 bits")
    low, high = fixed.BIAS_MANT_MIN - layer.bias, fixed.BIAS_MANT_MAX - layer.bias
    # Quotients rounded inwards, then to what an input can hold.
    bounds = sorted((low << bits, high << bits), reverse=layer.weight < 0)
    least = max(-(-bounds[0] // layer.weight), -(2**15))
    largest = min(bounds[1] // layer.weight, 2**16 - 1)
    if least >= largest:
        got = f"weight {layer.weight}, bias {layer.bias}"
        limit = f"[{fixed.BIAS_MANT_MIN}, {fixed.BIAS_MANT_MAX}]"
        raise NetxRange(where, "bias mantissas of the input", got=got, relation="are not in", limit=limit)
    synapses = Conv(_INPUT, _INPUT_GROUP, *encoded, groups=shape[0])
    return Encoder(synapses, np.full(shape, layer.bias << bits), bits), least, largest
