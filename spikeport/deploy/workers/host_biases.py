"""The host's part: input values become biases."""

from typing import Any

import numpy as np
from program_parts import Arrays, Part, Shape

BIAS_MANT = (-(1 << 12), (1 << 12) - 1)


def bias_schedule(program: Part, name: str, inputs: Arrays) -> Any:
    """Mantissas `(T, *shape)` that the host loads into group `name`, for one sample; None without an encoder."""
    encoder = program.encoders.get(name)
    if encoder is None:
        return None
    synapses, shape = encoder.synapses, program.shapes[name]
    x = inputs[synapses.source].astype(np.int64)
    weight = synapses.weight.astype(np.int64)
    if synapses.kind == "conv":
        total = _correlate(synapses, weight, x, shape)
    else:
        total = (x.reshape(len(x), -1) @ weight.T).reshape(-1, *shape)
    total = total << synapses.weight_exp if synapses.weight_exp >= 0 else total >> -synapses.weight_exp
    mant = total + encoder.offset
    if encoder.shift:
        mant = (mant + (1 << (encoder.shift - 1))) >> encoder.shift
    if mant.min() < BIAS_MANT[0] or mant.max() > BIAS_MANT[1]:
        raise SystemExit(f"{name}: bias_mant ({mant.min()}..{mant.max()}) is not in [{BIAS_MANT[0]}, {BIAS_MANT[1]}]")
    return mant


def _correlate(conv: Part, weight: Any, x: Any, shape: Shape) -> Any:
    """Cross-correlation `(T, c, h, w)` to `(T, *shape)` in int64, tap by tap."""
    (p_h, p_w), (s_h, s_w), (d_h, d_w) = conv.padding, conv.stride, conv.dilation
    x = np.pad(x, ((0, 0), (0, 0), (p_h, p_h), (p_w, p_w)))
    x = x.reshape(len(x), conv.groups, -1, *x.shape[2:])
    weight = weight.reshape(conv.groups, -1, *weight.shape[1:])
    out: Any = 0
    for i, j in np.ndindex(*weight.shape[-2:]):
        tap = x[..., i * d_h :: s_h, j * d_w :: s_w][..., : shape[1], : shape[2]]
        out = out + np.einsum("goc,tgchw->tgohw", weight[..., i, j], tap)
    return out.reshape(-1, *shape)
