"""Program parts as Lava processes, each with the model that runs it."""

from typing import Any

import numpy as np
from lava_classes import LAVA
from program_parts import Part

MESSAGE_BITS = 24  # any number but 0 makes Lava multiply by the payload; it never looks at the width
PORTS = {"a": "a_in", "re": "a_real_in", "im": "a_imag_in"}


def neuron(group: Part) -> tuple[Any, Any]:
    """The group as Lava process and the model that runs it."""
    return {"lif": lif, "sigma_delta": sigma_delta, "resonator": resonator}[group.neuron](group)


def lif(group: Part) -> tuple[Any, Any]:
    values = dict(shape=tuple(group.shape), du=group.du, dv=group.dv)
    values.update(bias_mant=group.bias_mant, bias_exp=group.bias_exp)
    if hasattr(group, "vth_low"):
        return LAVA.TernaryLIF(**values, vth_hi=group.vth, vth_lo=group.vth_low), LAVA.PyTernLifModelFixed
    values.update(vth=group.vth)
    if group.reset_interval:
        values.update(reset_interval=group.reset_interval, reset_offset=group.reset_offset)
        return LAVA.LIFReset(**values), LAVA.PyLifResetModelBitAcc
    return LAVA.LIF(**values), LAVA.PyLifModelBitAcc


def sigma_delta(group: Part) -> tuple[Any, Any]:
    shape = tuple(group.shape)
    if group.stage == "sigma":
        return LAVA.Sigma(shape=shape), LAVA.PySigmaModelFixed
    values = dict(shape=shape, vth=group.vth, cum_error=group.cum_error)
    values.update(spike_exp=group.spike_exp, state_exp=group.state_exp)
    if group.stage == "delta":
        return LAVA.Delta(**values), LAVA.PyDeltaModelFixed
    mode = {"relu": LAVA.ActivationMode.RELU, "unit": LAVA.ActivationMode.UNIT}[group.activation]
    return LAVA.SigmaDelta(**values, bias=group.bias, act_mode=mode), LAVA.PySigmaDeltaModelFixed


def resonator(group: Part) -> tuple[Any, Any]:
    kind, model = {
        "rf": (LAVA.RF, LAVA.PyRFModelFixed),
        "rf_izhikevich": (LAVA.RF_IZ, LAVA.PyRF_IZModelFixed),
    }[group.kind]
    values = dict(vth=group.vth, state_exp=group.state_exp, decay_bits=group.decay_bits)
    process = kind(shape=tuple(group.shape), period=1.0, alpha=0.0, **values)
    # Lava works these out from a period and a decay, in floats; the Program has the integers.
    process.sin_decay.init, process.cos_decay.init = group.sin_decay, group.cos_decay
    return process, model


def variables(group: Part) -> dict[str, str]:
    """The state by the Program's names, each with Lava's."""
    if group.neuron == "lif":
        return {"u": "u", "v": "v"}
    if group.neuron == "resonator":
        return {"re": "real", "im": "imag"}
    names = {"delta": ["act", "residue"], "sigma": ["sigma"], "sigma_delta": ["sigma", "act", "residue"]}[group.stage]
    return {name: name for name in [*names, *(["error"] if group.cum_error else [])]}


def synapses(program: Part, link: Part, message_bits: int = MESSAGE_BITS) -> tuple[Any, Any]:
    """The connection as Lava process and the model that runs it."""
    source, target = program.shapes[link.source], program.shapes[link.target]
    bits = message_bits if link.graded else 0
    if link.kind == "conv":
        # Lava convolves (flipped kernels) over (x, y, c) and ignores the exponent; torch correlates over (c, y, x).
        weight = link.weight.astype(np.int32) << link.weight_exp
        geometry = dict(stride=link.stride[::-1], padding=link.padding[::-1], dilation=link.dilation[::-1])
        kernel = weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1)
        geometry.update(input_shape=source[::-1], groups=link.groups, num_message_bits=bits)
        return LAVA.Conv(weight=kernel, **geometry), LAVA.PyConvModelFixed
    if link.kind == "dense":
        values = dict(weights=link.weight.astype(np.int32), weight_exp=link.weight_exp, num_message_bits=bits)
        if not np.any(link.delay):
            return LAVA.Dense(**values), LAVA.PyDenseModelBitAcc
        delays = np.broadcast_to(link.delay, link.weight.shape).astype(int)
        return LAVA.DelayDense(**values, delays=delays), LAVA.PyDelayDenseModelBitAcc
    size = (int(np.prod(target)), int(np.prod(source)))
    weight = LAVA.csr_matrix((link.weight.astype(np.int32), (link.row, link.col)), size)
    values = dict(weights=weight, weight_exp=link.weight_exp, num_message_bits=bits)
    if not np.any(link.delay):
        return LAVA.Sparse(**values), LAVA.PySparseModelBitAcc
    delays = LAVA.csr_matrix((np.broadcast_to(link.delay, link.weight.shape).astype(int), (link.row, link.col)), size)
    return LAVA.DelaySparse(**values, delays=delays), LAVA.PyDelaySparseModelBitAcc


def line_length(link: Part) -> int:
    """Steps that the wire itself must hold back: Lava's Conv knows no delay."""
    return int(link.delay) if link.kind == "conv" else 0
