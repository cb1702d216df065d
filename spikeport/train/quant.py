"""From float parameters to the chip's integers, with straight-through gradients.

One rule serves training, evaluation and export. With w the folded weights of a layer:

    lsb  = max|w| / 127                 k = round(w / lsb), weight mantissa 2 k: even, so signs may mix
                                        (127 // m where m windows of a pool before the synapse overlap)
    unit = lsb / 2                      what mantissa 1 is worth; 64 steps of u and v (`ACT_SHIFT`)
                                        (lsb / 2 n behind means of n places)
    keep = round(4096 * decay) in [1, 4095]      dv = 4096 - keep
    vth  = round(threshold / unit) in [1, 131071]
    bias = round(b * 64 / unit / 2^e) << e       e: least exponent that holds the layer's largest bias
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport import fixed
from spikeport.errors import OffGrid

K_MAX = 127
"""Largest |weight| in units of the layer's least step; 2 * 127 = 254 is Loihi's largest mixed mantissa."""
OFFSET_MAX = fixed.BIAS_MANT_MAX << 18
"""Largest |offset| of an image layer; an encoder's is twice that and has 32 bits."""


@dataclass(frozen=True, eq=False)
class LayerIntegers:
    """What one layer is on the chip. Integers as torch int64 tensors or Python ints."""

    weight: Tensor
    """Mantissas << exponent, in the synapse's shape."""
    bias: Tensor
    """`(channels,)`, in steps of v: multiples of 2^bias_exp. Of an encoder: its offset."""
    bias_exp: int
    dv: int
    vth: int
    unit: float
    """What weight mantissa 1 (64 steps of v) is worth in the float model."""
    encoder_shift: int | None = None
    """Rounding shift of the host's first layer; None for a layer on the chip."""
    past: Tensor | None = None
    """Of the shortcut, as `weight`; `()` where it takes spikes as they are."""


def round_ste(x: Tensor) -> Tensor:
    """Rounds, halves to even; the gradient passes as if it had not."""
    return x + (torch.round(x) - x).detach()


def weight_lsb(weight: Tensor, levels: int = K_MAX) -> Tensor:
    """max|w| / levels, a scalar without gradient; 1 for all-zero weights."""
    return lsb_of(weight.detach().abs().amax(), levels)


def lsb_of(largest: Tensor, levels: int = K_MAX) -> Tensor:
    """The same of max|w|, a scalar without gradient."""
    return torch.where(largest > 0, largest, torch.full_like(largest, levels)) / levels


def quantize_weight(weight: Tensor) -> Tensor:
    """The weight on its 8-bit grid, in float."""
    lsb = weight_lsb(weight)
    return round_ste(weight / lsb) * lsb


def quantize_keep(keep: Tensor, most: int = fixed.DECAY_ONE - 1) -> Tensor:
    """The decay on the grid of 1/4096, in [1/4096, most/4096]."""
    scaled = (keep * fixed.DECAY_ONE).clamp(1, most)
    return round_ste(scaled) / fixed.DECAY_ONE


def quantize_threshold(threshold: Tensor, unit: Tensor) -> Tensor:
    """The threshold on the grid of one weight unit, at least one unit."""
    return round_ste((threshold / unit).clamp(1, fixed.VTH_MAX)) * unit


def bias_step(bias: Tensor, unit: Tensor) -> tuple[Tensor, int]:
    """Least bias step, `2^e * unit / 64`, whose 13-bit mantissa holds the layer's largest |bias|, and e."""
    in_v = bias.detach().abs().amax().double() * (1 << fixed.ACT_SHIFT) / unit.double()
    exp = min(fixed.bias_exponent(int(torch.ceil(in_v))), fixed.BIAS_EXP_MAX)
    return unit * 2.0 ** (exp - fixed.ACT_SHIFT), exp


def quantize_bias(bias: Tensor, unit: Tensor) -> Tensor:
    """The bias on the grid of its layer, in float; what exceeds the mantissa is clipped."""
    step, _ = bias_step(bias, unit)
    return round_ste((bias / step).clamp(-fixed.BIAS_MANT_MAX, fixed.BIAS_MANT_MAX)) * step


def encoder_shift(k: Tensor, offset: Tensor, low: int, high: int) -> int:
    """Least shift that brings every possible sum of the host's first layer into 13 bits.

    Args:
        k: `(c_out, ...)` integer weights; offset: `(c_out,)`; low, high: range of the input values.

    Raises:
        ExportError: a weight or an offset is not a number, after a training that diverged.
    """
    legal_weight("image layer", k, offset)
    worst = (k.abs().flatten(1).sum(1) * max(abs(low), abs(high)) + offset.abs()).amax()
    return fixed.bias_exponent(int(worst))


def coarse_offset(k: Tensor, offset: Tensor, low: int, high: int) -> tuple[Tensor, int]:
    """The offset with at most 20 significant bits, so that a float32 file carries it exactly, and its shift.

    The dropped bits lie 8 places below what the encoder's rounding shift drops anyway.
    Twice, because rounding up can raise the shift.
    """
    for _ in range(2):
        drop = max(0, encoder_shift(k, offset, low, high) - 8)
        offset = offset if drop == 0 else ((offset + (1 << (drop - 1))) >> drop) << drop
    return offset, encoder_shift(k, offset, low, high)


def legal_weight(where: str, weight: Tensor, bias: Tensor) -> None:
    """ExportError if a folded weight or bias is not a number."""
    for what, values in (("weight", weight), ("bias", bias)):
        if not torch.isfinite(values).all():
            do = "train again with a lower learning rate"
            raise OffGrid(where, what, got="NaN or infinity", relation="is not", limit="a finite number", do=do)


def legal_offset(where: str, offset: Tensor) -> Tensor:
    """The image layer's bias in units of its least weight, rounded; ExportError if no encoder holds it."""
    worst = float(offset.abs().amax())
    if worst > OFFSET_MAX:
        do = "raise the layer's weights or lower its bias"
        raise OffGrid(
            where, "bias in units of the least weight", got=f"{worst:.3g}", relation="exceeds", limit=OFFSET_MAX, do=do
        )
    return torch.round(offset).long()


def legal_decay(where: str, keep: Tensor, most: int = fixed.DECAY_ONE - 1) -> int:
    """dv of a trained decay; ExportError if no chip holds it."""
    value = keep.item()
    if not 0 <= value <= 1:
        do = "train with constrained=True"
        raise OffGrid(where, "decay", got=f"{value:.4g}", relation="is not in", limit="[0, 1]", do=do)
    return fixed.DECAY_ONE - int(round(float(quantize_keep(keep, most)) * fixed.DECAY_ONE))


def legal_threshold(where: str, threshold: Tensor, unit: Tensor) -> int:
    """vth of a trained threshold; ExportError if no chip holds it."""
    value = threshold.item()
    if not value > 0:
        do = "train with constrained=True"
        raise OffGrid(where, "threshold", got=f"{value:.4g}", relation="is not above", limit=0, do=do)
    return int((threshold / unit).clamp(1, fixed.VTH_MAX).round())
