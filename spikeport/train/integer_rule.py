"""The chip's step in torch integers: what `spikeport.sim` computes, on tensors.

    u = decay(u, 4095 - du) + (a << 6);  v = decay(v, 4096 - dv) + u + bias;  s = [v > vth << 6]

A `SpikingLayer` has du = 4095: the current lasts one step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport import fixed
from spikeport.errors import OverflowDetected, ValueOutside, WrongShape, WrongType
from spikeport.train import integer_kernel
from spikeport.train.image import Image
from spikeport.train.quant import LayerIntegers
from spikeport.train.synapses import AnySynapse, OneToOne, Synapse


@dataclass(frozen=True, eq=False)
class Way:
    """One way into a layer."""

    synapse: Synapse | OneToOne
    gather: Callable[[Tensor], Tensor]
    """Spikes `(T B, *in)` to what the synapse takes, whole numbers: sums over windows."""
    weight: Tensor
    x: Tensor
    """Spikes `(T, B, *in)`."""


def forward(ways: Sequence[Way], ints: LayerIntegers, reset: str, dtype: torch.dtype) -> Tensor:
    """Spikes `(T, B, *out)` of all that comes in, in a float type.

    Raises:
        InputError: spikes that are not 0 or 1.
        OverflowDetected: u or v leaves its 24 bits, as the simulator's profile `strict`.
    """
    with torch.no_grad(), torch.autocast(ways[0].x.device.type, enabled=False):
        total: Tensor | None = None
        for way in ways:
            check_spikes(way.x)
            found = accumulate(way.synapse, way.gather(way.x.flatten(0, 1).to(dtype)), way.weight)
            found = found if len(ways) == 1 else found.double()  # of float32 the sum might not be exact
            if total is not None and found.shape != total.shape:
                got, limit = tuple(found.shape[1:]), tuple(total.shape[1:])
                raise WrongShape("SpikingLayer", "shape of the shortcut", got=got, relation="is not", limit=limit)
            total = found if total is None else total + found
        assert total is not None
        arriving = total.reshape(*ways[0].x.shape[:2], *total.shape[1:])
        spikes = fire(arriving, _per_channel(ints.bias, total.dim() - 1), ints.dv, ints.vth, reset == "subtract")
        return spikes.to(dtype)


def forward_image(synapse: Synapse, image: Image, ints: LayerIntegers, reset: str, x: Tensor) -> Tensor:
    """An image `(B, *in)`, or one for each step, `(T, B, *in)`, to spikes `(T, B, *out)`.

    Raises:
        InputError: values that are not integers; and as `forward`.
    """
    with torch.no_grad(), torch.autocast(x.device.type, enabled=False):
        axes, still = synapse.weight.dim(), x.dim() == synapse.weight.dim()
        merged = x if still else x.flatten(0, 1)
        mant = encode(synapse, merged, ints.weight, _per_channel(ints.bias, axes - 1), ints.encoder_shift or 0)
        mant = mant if still else mant.reshape(*x.shape[:2], *mant.shape[1:])
        nothing = torch.zeros((), device=x.device).expand(image.steps, *mant.shape) if still else torch.zeros_like(mant)
        spikes = fire(nothing, mant << ints.bias_exp, ints.dv, ints.vth, reset == "subtract")
        return spikes.to(synapse.weight.dtype)


def check_spikes(x: Tensor) -> None:
    """Raises InputError unless all are 0 or 1."""
    if not bool(((x == 0) | (x == 1)).all()):
        do = "a layer that takes other values needs image=Image(...)"
        raise ValueOutside("SpikingLayer", "spikes", relation="are not", limit="0 or 1", do=do)


def encode(synapse: Synapse, x: Tensor, weight: Tensor, offset: Tensor, shift: int) -> Tensor:
    """The host's first layer: `(B, *in)` integers to bias mantissas.

    Args:
        offset: In the shape of what the synapse gives, or one that broadcasts to it.
    """
    if x.is_floating_point() and not torch.equal(x, x.round()):
        raise WrongType(
            "SpikingLayer", "image values", relation="are not", limit="integers", do="round the image first"
        )
    total = accumulate(synapse, x, weight).long() + offset
    return total if shift == 0 else (total + (1 << (shift - 1))) >> shift


def accumulate(synapse: Synapse | AnySynapse | OneToOne, x: Tensor, weight: Tensor) -> Tensor:
    """The synapse on integers, whole numbers in a float type, whose sums are exact below the mantissa's width.

    On accelerators float32 may mean a shorter format or a transform that rounds; float64 does not.
    """
    largest = max(1, int(x.amax()), -int(x.amin()))
    bound = int(synapse.reach(weight)) * largest
    dtype = torch.float32 if bound < 2**24 and x.device.type == "cpu" else torch.float64
    return synapse.apply_weight(x.to(dtype), weight.to(dtype), None)


def fire(arriving: Tensor, bias: Tensor, dv: int, vth: int, subtract: bool = False) -> Tensor:
    """The neurons on integers, whose current lasts one step; spikes, 0 or 1.

    Args:
        arriving: `(T, B, ...)` sums of mantissas, whole numbers of any type.
        bias: In steps of v; broadcasts to `(B, ...)`, or `(T, B, ...)` if it changes from step to step.
    """
    steady = bias.dim() < arriving.dim()
    if arriving.device.type == "cpu":
        over = bias[(None,) * (arriving.dim() - bias.dim())]
        full = over.expand(*over.shape[:2], *arriving.shape[2:]).flatten(2)
        found = integer_kernel.fire(arriving.flatten(2).numpy(), full.numpy(), fixed.keep_v(dv), vth, subtract)
        if found is not None:
            return torch.from_numpy(found).reshape(arriving.shape)
    neurons = IntegerNeurons(fixed.keep_v(dv), vth, subtract=subtract)
    whole = arriving.long()
    return torch.stack([neurons(a, bias if steady else bias[t]) for t, a in enumerate(whole)])


@dataclass(eq=False)
class IntegerNeurons:
    """The chip's LIF, one step at a time: `spikeport.sim.rules.lif`, on tensors, with v and u at 0 first."""

    keep_v: int
    vth: int
    keep_u: int = 0
    subtract: bool = False
    """Whether a spike takes the threshold off; else v becomes 0."""
    fires: bool = True
    """Whether a spike is what the neurons are for; else it is an overflow."""
    u: Tensor | int = 0
    v: Tensor | int = 0

    def __call__(self, a: Tensor, bias: Tensor) -> Tensor:
        """Sums of mantissas `(B, ...)` to spikes, as booleans."""
        limit = self.vth << fixed.ACT_SHIFT
        u = (a << fixed.ACT_SHIFT) + (
            _decayed(self.u, self.keep_u) if self.keep_u and isinstance(self.u, Tensor) else 0
        )
        _refuse("u", u, -fixed.WRAP_AT + 1, fixed.WRAP_AT)
        v = u + bias + (_decayed(self.v, self.keep_v) if isinstance(self.v, Tensor) else 0)
        _refuse("v", v, -fixed.V_MAX, fixed.V_MAX if self.fires else limit)
        s = v > limit
        self.u = u
        self.v = v - s * limit if self.subtract else v.masked_fill(s, 0)
        return s


def _decayed(x: Tensor, keep: int) -> Tensor:
    return torch.sign(x) * ((x.abs() * keep) >> fixed.DECAY_BITS)


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
