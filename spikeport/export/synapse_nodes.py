"""Integers of a layer as the float parameters of NIR nodes, and the integers themselves beside them."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from spikeport.export.units import V_UNIT, WEIGHT_UNIT, gain_of
from spikeport.train.layer import SpikingLayer
from spikeport.train.quant import LayerIntegers

Floats: TypeAlias = NDArray[np.float32]


def synapse_floats(module: SpikingLayer, ints: LayerIntegers) -> tuple[Floats, Floats]:
    """Weight and bias such that d * (w x + b) is the integer layer's current, in float units."""
    if module.image is None:
        return float_weight(ints.weight, ints.dv, module.main.divisor), float_bias(ints)
    sum_unit = WEIGHT_UNIT * 2.0 ** -(ints.encoder_shift or 0) / gain_of(ints.dv)
    weight = ints.weight.cpu().numpy() * (sum_unit / module.image.scale)
    return weight.astype(np.float32), (ints.bias.cpu().numpy() * sum_unit).astype(np.float32)


def float_weight(weight: Tensor, dv: int, divisor: int = 1) -> Floats:
    """Over d, because a reader multiplies by it.

    Args:
        divisor: Of the means that stand before the synapse.
    """
    return (weight.cpu().numpy() * (WEIGHT_UNIT * divisor / gain_of(dv))).astype(np.float32)


def float_bias(ints: LayerIntegers) -> Floats:
    return (ints.bias.cpu().numpy() * (V_UNIT / gain_of(ints.dv))).astype(np.float32)


def exact(ints: LayerIntegers) -> dict[str, Any]:
    """The integers themselves, for readers that know spikeport; no reader needs them."""
    found: dict[str, Any] = {
        "weight": ints.weight.cpu().numpy().astype(np.int16),
        "bias": ints.bias.cpu().numpy().astype(np.int32),
        "bias_exp": ints.bias_exp,
        "dv": ints.dv,
        "vth": ints.vth,
        "unit": ints.unit,
    }
    if ints.past is not None:
        found["past"] = ints.past.cpu().numpy().astype(np.int16)
    if ints.encoder_shift is not None:
        found["encoder_shift"] = ints.encoder_shift
    return found
