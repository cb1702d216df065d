"""The chip's step in torch integers: what `spikeport.sim` computes, on tensors.

du = 4095: the current lasts one step, so u = a << 6 and v = decay(v, 4096 - dv) + u + bias.
"""

import torch
from torch import Tensor

from spikeport import fixed
from spikeport.errors import InputError, OverflowDetected
from spikeport.train.image import Image
from spikeport.train.quant import LayerIntegers
from spikeport.train.synapses import Synapse


def forward(synapse: Synapse, image: Image | None, ints: LayerIntegers, x: Tensor) -> Tensor:
    """Spikes `(T, B, *out)` in the weights' float type.

    Raises:
        InputError: spikes that are not 0 or 1, or image values that are not integers.
        OverflowDetected: u or v leaves its 24 bits, as the simulator's profile `strict`.
    """
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        if image is None:
            if not bool(((x == 0) | (x == 1)).all()):
                do = "a layer that takes other values needs image=Image(...)"
                raise InputError("SpikingLayer", "spikes", relation="are not", limit="0 or 1", do=do)
            current = _accumulate(synapse, x.flatten(0, 1), ints.weight)
            current = current.reshape(*x.shape[:2], *current.shape[1:])
            _refuse("u", current << fixed.ACT_SHIFT, -fixed.WRAP_AT + 1, fixed.WRAP_AT)
            current = (current << fixed.ACT_SHIFT) + _per_channel(ints.bias, current.dim() - 2)
        else:
            mant = _encode(synapse, x, ints)
            current = (mant << ints.bias_exp).expand(image.steps, *mant.shape)
        return _fire(current, ints).to(synapse.weight.dtype)


def _encode(synapse: Synapse, x: Tensor, ints: LayerIntegers) -> Tensor:
    if x.is_floating_point() and not torch.equal(x, x.round()):
        raise InputError(
            "SpikingLayer", "image values", relation="are not", limit="integers", do="round the image first"
        )
    total = _accumulate(synapse, x, ints.weight) + _per_channel(ints.bias, x.dim() - 1)
    shift = ints.encoder_shift or 0
    return total if shift == 0 else (total + (1 << (shift - 1))) >> shift


def _accumulate(synapse: Synapse, x: Tensor, weight: Tensor) -> Tensor:
    """The synapse on integers. Float sums of integers are exact below the mantissa's width.

    On accelerators float32 may mean a shorter format or a transform that rounds; float64 does not.
    """
    largest = max(1, int(x.double().abs().amax()))
    bound = int(weight.abs().flatten(1).sum(1).amax()) * largest
    dtype = torch.float32 if bound < 2**24 and x.device.type == "cpu" else torch.float64
    return synapse.apply_weight(x.to(dtype), weight.to(dtype), None).long()


def _fire(current: Tensor, ints: LayerIntegers) -> Tensor:
    keep, vth = fixed.keep_v(ints.dv), ints.vth << fixed.ACT_SHIFT
    v = torch.zeros_like(current[0])
    spikes = torch.zeros_like(current, dtype=torch.bool)
    for t, x in enumerate(current):
        v = torch.sign(v) * ((v.abs() * keep) >> fixed.DECAY_BITS) + x
        _refuse("v", v, -fixed.V_MAX, fixed.V_MAX)
        spikes[t] = v > vth
        v = v.masked_fill(spikes[t], 0)
    return spikes


def _per_channel(bias: Tensor, axes: int) -> Tensor:
    """`(c,)` to `(c, 1, ...)` with as many axes as one sample."""
    return bias.reshape(-1, *[1] * (axes - 1))


def _refuse(what: str, x: Tensor, low: int, high: int) -> None:
    worst = max(int(x.amax()) - high, low - int(x.amin()))
    if worst > 0:
        got = int(x.amax()) if int(x.amax()) > high else int(x.amin())
        raise OverflowDetected(
            "SpikingLayer", what, got=got, relation="leaves", limit="24 bits", do="lower the weights"
        )
