"""The first layer of an image network: computed on the host, loaded as bias.

    bias_mant = round(sum k * x + offset) / 2^shift),  |k| <= 127, x the image's integers

The shift is the least with which no image can leave the 13-bit mantissa, so it follows from k, offset and the
range of x; training and compiler agree on it without writing it down.
"""

import numpy as np

from spikeport import fixed
from spikeport.deploy.network import Population, Projection
from spikeport.deploy.nodes import Floats
from spikeport.deploy.options import Options
from spikeport.deploy.passes import grid
from spikeport.deploy.passes.grid import Fitted
from spikeport.deploy.passes.weights import connection, per_neuron
from spikeport.errors import RuleError
from spikeport.fixed import Ints
from spikeport.program import Encoder

K_MAX = 127
OFFSET_MAX = (1 << 30) - 1  # an encoder's offset is twice that and has 32 bits


def encode(population: Population, projection: Projection, options: Options) -> tuple[Fitted, Encoder]:
    """The population's integers and its encoder; exact for what spikeport exported, rounded otherwise."""
    weight, bias = projection.synapse.weight * options.scale, projection.synapse.bias
    on_grid = _on_grid(weight, bias, population.threshold, options)
    lsb = float(np.abs(weight).max()) / K_MAX or population.threshold / K_MAX if on_grid is None else on_grid
    k, offset = np.rint(weight / lsb).astype(np.int64), _offset(population, bias / lsb)
    shift = _least_shift(k, offset, options)
    if on_grid is not None:
        offset = _coarse(bias / lsb, shift)
    unit = grid.ON_GRID if on_grid is not None else lsb * 2**shift
    vth = grid.exact_threshold(population.threshold) if on_grid is not None else _threshold(population, unit)
    assert vth is not None
    exact = on_grid is not None and grid.is_exact_decay(population.keep)
    zero = np.zeros(population.shape, np.int64)
    fitted = Fitted((), zero, fixed.ACT_SHIFT, grid.fit_decay(population.keep), vth, unit, exact)
    return fitted, _encoder(population, projection, k, offset, shift)


def _offset(population: Population, offset: Floats) -> Ints:
    worst = float(np.abs(offset).max())
    if worst > OFFSET_MAX:
        what, do = "bias in units of the least weight", "raise the layer's weights or lower its bias"
        raise RuleError(population.name, what, got=f"{worst:.3g}", relation="exceeds", limit=OFFSET_MAX, do=do)
    return np.rint(offset).astype(np.int64)


def _coarse(offset: Floats, shift: int) -> Ints:
    """Training leaves 20 significant bits, which float32 carries; the rest is the file's rounding."""
    drop = max(0, shift - 8)
    return np.rint(offset / 2.0**drop).astype(np.int64) << drop


def _encoder(population: Population, projection: Projection, k: Ints, offset: Ints, shift: int) -> Encoder:
    """Everything doubled, one more shift: the same result, and mantissas stay even as the format wants."""
    offset = per_neuron(projection.synapse, 2 * offset, population.shape)
    return Encoder(connection(projection, 2 * k), offset, shift + 1)


def _on_grid(weight: Floats, bias: Floats, threshold: float, options: Options) -> float | None:
    """What k = 1 is worth if the layer lies on the grid as training writes it (largest |k| is 127), else None."""
    largest = float(np.abs(weight).max()) / grid.ON_GRID
    if grid.exact_threshold(threshold) is None:
        return None
    shift = int(np.floor(np.log2(K_MAX * (1 + 1e-6) / largest))) if largest else 0
    lsb = grid.ON_GRID / 2.0**shift
    if shift < 0 or not grid.near(weight / lsb) or not grid.near(bias / lsb / 2.0 ** max(0, shift - 8)):
        return None
    k, offset = np.rint(weight / lsb).astype(np.int64), _coarse(bias / lsb, shift)
    return lsb if _least_shift(k, offset, options) == shift else None


def _least_shift(k: Ints, offset: Ints, options: Options) -> int:
    worst = np.abs(k).reshape(len(k), -1).sum(1) * max(abs(options.low), abs(options.high)) + np.abs(offset)
    return fixed.bias_exponent(int(worst.max()))


def _threshold(population: Population, unit: float) -> int:
    vth = round(population.threshold / unit)
    if not 1 <= vth <= fixed.VTH_MAX:
        do = "rescale the layer"
        raise RuleError(
            population.name, "threshold mantissa", got=vth, relation="is not in", limit=f"[1, {fixed.VTH_MAX}]", do=do
        )
    return vth
