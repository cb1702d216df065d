"""`from_program`: a compiled Program to trainable modules that spike as it does, bit for bit.

Every group becomes a layer of a `SpikingNetwork`, in units in which its threshold is near 1. The unit is a power of
two, so that weights, bias and threshold are exact floats and the layer's `integers()` are the Program's.
Time is the layers' own: delays that make paths meet are taken away, and `export` and compiler put them back.
"""

from collections.abc import Mapping
from math import log2, prod

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import skip_init

from spikeport import fixed
from spikeport.errors import ExportOption, ProgramUntrainable
from spikeport.export.helpers import without_pulse
from spikeport.export.silence import check_silence
from spikeport.export.starts import Starts, in_order, lag_of, starts_of
from spikeport.fixed import Ints
from spikeport.program import LIF, Connection, Conv, Dense, Encoder, Group, Program, Sparse
from spikeport.train.dynamics import Dynamics
from spikeport.train.group import Afferent, SpikingGroup
from spikeport.train.image_group import OFFSET_EXACT, ImageGroup
from spikeport.train.network import AnyGroup, SpikingNetwork
from spikeport.train.neurons import ALIF, IF, AbstractNeuron
from spikeport.train.quant import K_MAX, coarse_offset, encoder_shift
from spikeport.train.synapses import AnySynapse, QuantConv2d, QuantLinear, QuantSparse


def from_program(program: Program) -> SpikingNetwork:
    """The network in eval mode; `train()` makes weights, biases, thresholds and decays learn.

    The compiler's own neurons are among the groups: copies for several spikes a step, repeaters, adders. Synapses from
    one neuron to one, of which they are made, do not learn. Its clock is a source of every network.

    In eval mode overflow is an error, as under the profile `strict`, whatever the Program's profile is.

    `to_nir` and `compile_graph`, told the Program's chip and profile, give the Program back in the compiler's own form:
    exponents are the least that hold the values, delays the least that balance paths, a `Sparse` is a `Dense`, a group
    that only dense synapses feed is flat, a `reset_interval` of 0 is 32768, and groups side by side may change places.
    `v_unit` and `nir_sha256` are those of the new graph.

    Raises:
        ExportError: what the modules do not have: neurons other than LIF, refractory periods, spikes of both signs,
            graded spikes, currents that do not decay, weights that are not whole, spikes that reach a sample from
            before it.
    """
    if not isinstance(program, Program):
        got = type(program).__name__
        do = "load_program(path) reads one, compile_graph(graph) makes one"
        raise ExportOption("from_program", "program", got=got, relation="is not", limit="a Program", do=do)
    program, left_out = without_pulse(program)
    lifs = {group.name: _plain(group) for group in program.groups if group.name not in left_out}
    starts = starts_of(program, left_out)
    encoders = {encoder.synapses.target: encoder for encoder in program.encoders}
    groups: list[AnyGroup] = []
    for name in in_order(list(lifs), program, starts):
        into = [c for c in program.connections if c.target == name]
        if name in encoders:
            groups.append(_image_group(program, lifs[name], encoders[name], into))
        else:
            groups.append(_spiking_group(program, lifs[name], into, starts))
    check_silence(groups, starts)
    steps = program.groups[0].reset_interval if isinstance(program.groups[0], LIF) else 0
    network = SpikingNetwork(program.inputs, groups, program.outputs, steps=steps, dt_s=program.dt_s)
    return network.eval()


def _plain(group: Group) -> LIF:
    """The group, if the layers' one rule is its rule."""
    if not isinstance(group, LIF):
        do = "only LIF can be trained"
        raise ProgramUntrainable(
            group.name, "kind of neuron", got=type(group).__name__, relation="is not", limit="LIF", do=do
        )
    if not 0 <= group.du < fixed.DECAY_ONE:
        words = f"[0, {fixed.DECAY_ONE - 1}]"
        raise ProgramUntrainable(
            group.name, "du", got=group.du, relation="is not in", limit=words, do="let the current decay"
        )
    wanted: Mapping[str, tuple[object, str]] = {
        "refractory_steps": (0, "only neurons without one can be trained"),
        "vth_low": (None, "only spikes of one sign can be trained"),
    }
    for name, (limit, do) in wanted.items():
        if getattr(group, name) != limit:
            raise ProgramUntrainable(group.name, name, got=getattr(group, name), relation="is not", limit=limit, do=do)
    if group.dv > fixed.DECAY_ONE - 1:
        do = "use dv = 4095"
        raise ProgramUntrainable(group.name, "dv", got=group.dv, relation="exceeds", limit=fixed.DECAY_ONE - 1, do=do)
    if group.vth < 1:
        raise ProgramUntrainable(group.name, "vth", got=group.vth, relation="is below", limit=1, do="use vth = 1")
    worst = int(np.abs(_bias_of(group)).max(initial=0))
    if worst > fixed.BIAS_MANT_MAX << fixed.BIAS_EXP_MAX:
        most, do = fixed.BIAS_MANT_MAX << fixed.BIAS_EXP_MAX, "lower the bias by one mantissa"
        raise ProgramUntrainable(group.name, "largest |bias|", got=worst, relation="exceeds", limit=most, do=do)
    return group


def _spiking_group(program: Program, lif: LIF, into: list[Connection], starts: Starts) -> SpikingGroup:
    fires = lif.name not in program.integrators
    unit = 2.0 ** -round(log2(lif.vth)) if fires else 2.0 ** round(log2(lif.v_unit * (1 << fixed.ACT_SHIFT)))
    weights = [_whole(c) for c in into]
    afferents = [
        Afferent(
            c.source,
            _synapse(program, c, w * unit),
            fixed.weight_exponent(w),
            lag_of(c, starts),
            fixed=_one_to_one(c),
        )
        for c, w in zip(into, weights, strict=True)
    ]
    per_channel = len(lif.shape) == 3 and all(isinstance(c, Conv) for c in into)
    bias = _floats(_bias_of(lif) * (unit / (1 << fixed.ACT_SHIFT)))
    group = SpikingGroup(
        lif.name,
        lif.shape,
        afferents,
        _one_per_channel(bias) if per_channel else bias,
        _neuron(lif, unit),
        least=unit,
        keep_u=fixed.keep_u(lif.du) / fixed.DECAY_ONE,
        fires=fires,
    )
    return group.requires_grad_(not all(a.fixed for a in afferents))  # what only repeats or adds up is no layer


def _one_to_one(c: Connection) -> bool:
    """Whether no source has several targets, nor the other way: what the compiler puts between copies and to repeat."""
    return isinstance(c, Sparse) and len(set(c.row.tolist())) == len(c.row) and len(set(c.col.tolist())) == len(c.col)


def _whole(connection: Connection) -> Ints:
    """Weights as mantissa << exponent, if 8 bits and an exponent in [0, 7] hold them."""
    where, exp = f"{connection.source} -> {connection.target}", connection.weight_exp
    mant = connection.weight.astype(np.int64)
    whole = fixed.shift(mant, exp)
    least = fixed.weight_exponent(whole)
    exact = exp >= 0 or np.array_equal(whole << -exp, mant)
    if not exact or not fixed.fits_mantissa(whole >> least):
        do = "scale weights, bias and threshold of the group up"
        raise ProgramUntrainable(
            where, "weight_exp", got=exp, relation="is negative, and its weights are not whole", do=do
        )
    return whole


def _image_group(program: Program, lif: LIF, encoder: Encoder, into: list[Connection]) -> ImageGroup:
    where, synapses = f"encoder {encoder.synapses.source} -> {lif.name}", encoder.synapses
    if into:
        got, do = ", ".join(c.source for c in into), "give the image a layer of its own"
        raise ProgramUntrainable(lif.name, "sources besides the image", got=got, relation="are not allowed", do=do)
    image = next(entry for entry in program.inputs if entry.name == synapses.source)
    k, offset = _encoder_integers(where, encoder, lif, image.low, image.high)
    scale = 2.0 ** -max(abs(image.low), abs(image.high)).bit_length()
    unit = 2.0 ** -round(log2(lif.vth))
    lsb = unit / 2.0 ** (encoder.shift - 1) / scale
    synapse = _synapse(program, synapses, k * lsb, bias=offset * (lsb * scale))
    assert not isinstance(synapse, QuantSparse)
    return ImageGroup(lif.name, lif.shape, image, synapse, _neuron(lif, unit), scale=scale)


def _encoder_integers(where: str, encoder: Encoder, lif: LIF, low: int, high: int) -> tuple[Ints, Ints]:
    """k and the offset per output channel, if the encoder is one that training and compiler would derive from them."""
    do = "compile the network from NIR, with its weights scaled to 8 bits"
    weight = encoder.synapses.weight.astype(np.int64)
    if encoder.synapses.weight_exp or weight.size == 0 or np.abs(weight).max() != 2 * K_MAX or np.any(weight % 2):
        limit = f"even mantissas up to {2 * K_MAX}, with exponent 0"
        raise ProgramUntrainable(where, "weights", relation="are not", limit=limit, do=do)
    if lif.bias_exp != fixed.ACT_SHIFT:
        raise ProgramUntrainable(where, "bias_exp", got=lif.bias_exp, relation="is not", limit=fixed.ACT_SHIFT, do=do)
    offset = encoder.offset.astype(np.int64)
    rows = offset.reshape(len(offset), -1) if isinstance(encoder.synapses, Conv) else offset.reshape(-1, 1)
    if np.any(rows % 2) or np.any(rows != rows[:, :1]):
        raise ProgramUntrainable(
            where, "offset", relation="is not", limit="even, and one for each output channel", do=do
        )
    k, one = torch.from_numpy(weight // 2), torch.from_numpy(rows[:, 0] // 2)
    shift = encoder_shift(k, one, low, high)
    if int(one.abs().max()) >= OFFSET_EXACT:
        coarse, shift = coarse_offset(k, one, low, high)
        if not torch.equal(coarse, one):
            raise ProgramUntrainable(where, "offset", relation="has more than", limit="20 significant bits", do=do)
    if shift + 1 != encoder.shift:
        raise ProgramUntrainable(where, "shift", got=encoder.shift, relation="is not the least", limit=shift + 1, do=do)
    return k.numpy(), one.numpy()


def _synapse(program: Program, c: Connection, weight: np.ndarray, bias: np.ndarray | None = None) -> AnySynapse:
    n_in, n_out = prod(program.shape_of(c.source)), prod(program.shape_of(c.target))
    synapse: AnySynapse
    match c:
        case Conv():
            c_in, kernel, has_bias = c.weight.shape[1] * c.groups, c.weight.shape[2:], bias is not None
            geometry = (c.stride, c.padding, c.dilation, c.groups)
            synapse = skip_init(QuantConv2d, c_in, len(c.weight), kernel, *geometry, bias=has_bias)  # type: ignore[no-untyped-call]
        case Dense():
            synapse = skip_init(QuantLinear, n_in, n_out, bias=bias is not None)  # type: ignore[no-untyped-call]
        case _:
            row, col = (torch.from_numpy(index.astype(np.int64)) for index in (c.row, c.col))
            synapse = QuantSparse(row, col, n_in, n_out)
    with torch.no_grad():
        synapse.weight.copy_(_floats(weight))
        if bias is not None and not isinstance(synapse, QuantSparse):
            assert synapse.bias is not None
            synapse.bias.copy_(_floats(bias))
    return synapse


def _neuron(lif: LIF, unit: float) -> AbstractNeuron:
    threshold, dynamics = lif.vth * unit, Dynamics(reset=lif.reset)
    if not lif.dv:
        return IF(threshold, dynamics=dynamics)
    return ALIF(1 - lif.dv / fixed.DECAY_ONE, threshold, dynamics=dynamics)


def _bias_of(lif: LIF) -> Ints:
    return lif.bias_mant.astype(np.int64) << lif.bias_exp


def _one_per_channel(bias: Tensor) -> Tensor:
    """`(c, 1, 1)` if no channel holds two values, else as it is."""
    one = bias[:, :1, :1]
    return one.clone() if bool((bias == one).all()) else bias


def _floats(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).to(torch.get_default_dtype())
