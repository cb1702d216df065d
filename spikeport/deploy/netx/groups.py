"""A layer's neurons <-> a group of a Program, with the constants that lava-dl's reader puts in."""

import numpy as np

from spikeport import fixed
from spikeport.deploy.netx.arguments import NetxArguments
from spikeport.deploy.netx.layers import (
    BIAS_EXP,
    STATE_EXP,
    AnyNeuron,
    Neuron,
    ResonatorNeuron,
    Shape,
    SigmaDeltaNeuron,
)
from spikeport.errors import NoNetxForm
from spikeport.fixed import Ints
from spikeport.neurons import LIF, Group, Resonator, SigmaDelta

ITSELF = "run this Program itself: spikeport run --backend lava"


def group_of(neuron: AnyNeuron, name: str, shape: Shape, bias: Ints, number: int, arguments: NetxArguments) -> Group:
    """The `number`-th group of neurons, counted from 0, which decides when it is cleared.

    Args:
        bias: `shape`, in the file's steps.
    """
    match neuron:
        case Neuron():
            interval, offset = arguments.reset_interval, arguments.reset_offset
            return LIF(
                name=name,
                shape=shape,
                du=neuron.i_decay - 1,
                dv=neuron.v_decay,
                # No spike needs more than 17 bits: lava-dl's 131072 for "never" is one more than they hold.
                vth=min(neuron.v_th_mant, fixed.VTH_MAX),
                bias_mant=bias,
                bias_exp=BIAS_EXP,
                reset_interval=interval,
                reset_offset=(offset + 1 + number) % interval if interval else 0,
            )
        case SigmaDeltaNeuron("sigma"):
            return SigmaDelta(name, shape, "sigma")
        case SigmaDeltaNeuron(stage, vth):
            added = bias if stage == "sigma_delta" else 0
            return SigmaDelta(name, shape, stage, vth, added, arguments.spike_exp, STATE_EXP)
        case ResonatorNeuron(kind, vth, sin_decay, cos_decay):
            return Resonator(name, shape, kind, vth, sin_decay, cos_decay, STATE_EXP, fixed.DECAY_BITS)


def neuron_of(group: Group) -> AnyNeuron:
    """Raises DeployError if the file has no field for what the group does."""
    match group:
        case LIF():
            if group.reset != "zero" or group.refractory_steps or group.vth_low is not None:
                limit = "LIF without rest, reset to zero, that send 0 and 1"
                raise NoNetxForm(group.name, "neurons or spikes", relation="are not", limit=limit, do=ITSELF)
            return Neuron(group.du + 1, group.dv, group.vth)
        case SigmaDelta():
            _check_constants(group, cum_error=False, activation="relu" if group.stage == "sigma_delta" else None)
            return SigmaDeltaNeuron(group.stage, group.vth)
        case Resonator():
            _check_constants(group, decay_bits=fixed.DECAY_BITS)
            return ResonatorNeuron(group.kind, group.vth, group.sin_decay, group.cos_decay)


def _check_constants(group: SigmaDelta | Resonator, **limits: object) -> None:
    """What lava-dl's reader always takes; a field with limit None is not read."""
    if not (isinstance(group, SigmaDelta) and group.stage == "sigma"):
        limits["state_exp"] = STATE_EXP
    for name, limit in limits.items():
        if limit is not None and (got := getattr(group, name)) != limit:
            do = "lava-dl knows no other; " + ITSELF
            raise NoNetxForm(group.name, name, got=got, relation="is not", limit=limit, do=do)


def bias_of(group: Group) -> Ints:
    """`shape`, in the file's steps: of 2^6 for LIF, of 2^(spike_exp + state_exp) for sigma-delta neurons."""
    match group:
        case LIF():
            return _lif_bias(group)
        case SigmaDelta():
            return np.broadcast_to(np.asarray(group.bias, np.int64), group.shape)
        case Resonator():
            return np.zeros(group.shape, np.int64)


def _lif_bias(group: LIF) -> Ints:
    value = group.bias_mant.astype(np.int64) << group.bias_exp
    bias = value >> BIAS_EXP
    if np.any(bias << BIAS_EXP != value):
        limit = f"in steps of {1 << BIAS_EXP}"
        got = f"bias_exp {group.bias_exp}"
        raise NoNetxForm(group.name, "bias", got=got, relation="is not", limit=limit, do=ITSELF)
    if bias.min() < fixed.BIAS_MANT_MIN or bias.max() > fixed.BIAS_MANT_MAX:
        worst = bias.min() if bias.min() < fixed.BIAS_MANT_MIN else bias.max()
        limit = f"[{fixed.BIAS_MANT_MIN}, {fixed.BIAS_MANT_MAX}]"
        raise NoNetxForm(group.name, "bias in steps of 64", got=int(worst), relation="is not in", limit=limit)
    return bias
