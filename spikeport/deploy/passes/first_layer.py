"""The first layer of an image network: computed on the host, loaded as bias.

    bias_mant = round(sum k * x + offset) / 2^shift),  |k| <= 127, x the image's integers

The shift is the least with which no image can leave the 13-bit mantissa, so it follows from k, offset and the
range of x; training and compiler agree on it without writing it down.
"""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from spikeport import fixed
from spikeport.deploy.maps.base import Conv, Dense, LinearMap, Sparse
from spikeport.deploy.maps.matrix import matrix
from spikeport.deploy.maps.weights import with_weights
from spikeport.deploy.network import Network, Population, Projection
from spikeport.deploy.nodes import Floats
from spikeport.deploy.options import Options
from spikeport.deploy.passes.connection import connection
from spikeport.deploy.quantize.integer_network import Hosted
from spikeport.deploy.quantize.on_grid import LAVA, exact_threshold, near
from spikeport.deploy.quantize.rounded import Rounded, decay_u, decay_v
from spikeport.errors import NumberTooLarge
from spikeport.fixed import Ints
from spikeport.program import Conv as ConvConnection
from spikeport.program import Dense as DenseConnection
from spikeport.program import Encoder

K_MAX = 127
OFFSET_MAX = (1 << 30) - 1  # an encoder's offset is twice that and has 32 bits


def with_one_map(network: Network, images: Collection[str]) -> Network:
    """The same, with all that an image brings to a population in one projection: the host computes one map."""
    maps: dict[str, list[LinearMap]] = {}
    for q in network.projections:
        if q.source in images:
            maps.setdefault(q.target, []).append(q.map)
    found, done = [], set()
    for q in network.projections:
        own = maps[q.target] if q.source in images else [q.map]
        if len(own) == 1:
            found.append(q)
        elif q.target not in done:
            done.add(q.target)
            found.append(replace(q, map=Sparse(csr_array(sum(matrix(m) for m in own)))))
    return replace(network, projections=tuple(found))


def encode(population: Population, projection: Projection, options: Options) -> tuple[Rounded, Hosted]:
    """The population's integers and what the host computes; exact for what spikeport exported, rounded otherwise."""
    m = projection.map if isinstance(projection.map, Conv | Dense) else Dense(matrix(projection.map).toarray())
    weight, bias = m.weight * options.scale, population.bias
    threshold = float(population.threshold.flat[0])
    on_grid = _on_grid(weight, bias, threshold, options)
    lsb = float(np.abs(weight).max()) / K_MAX or threshold / K_MAX if on_grid is None else on_grid
    k, offset = np.rint(weight / lsb).astype(np.int64), _offset(population, bias / lsb)
    shift = _least_shift(k, offset, options)
    if on_grid is not None:
        offset = _coarse(bias / lsb, shift)
    unit = LAVA if on_grid is not None else lsb * 2**shift
    vth = exact_threshold(threshold) if on_grid is not None else _threshold(population, unit)
    assert vth is not None
    zero = np.zeros(population.shape, np.int64)
    exact = on_grid is not None and near(np.array(fixed.DECAY_ONE * float(population.keep_v.flat[0])))
    rounded = Rounded((), zero, fixed.ACT_SHIFT, decay_u(population), decay_v(population), vth, unit, exact)
    # everything doubled, one more shift: the same result, and mantissas stay even as the format wants
    ends = Projection(projection.source, projection.target, m)
    synapses = connection(ends, 2 * k, (), population.shape)
    assert isinstance(synapses, ConvConnection | DenseConnection)
    encoder = Encoder(synapses, 2 * offset, shift + 1)
    held = with_weights(m, k.astype(np.float64) * (lsb / options.scale))
    return rounded, Hosted(encoder, held, offset.astype(np.float64) * lsb)


def _offset(population: Population, offset: Floats) -> Ints:
    worst = float(np.abs(offset).max())
    if worst > OFFSET_MAX:
        what, do = "bias in units of the least weight", "raise the layer's weights or lower its bias"
        raise NumberTooLarge(population.name, what, got=f"{worst:.3g}", relation="exceeds", limit=OFFSET_MAX, do=do)
    return np.rint(offset).astype(np.int64)


def _coarse(offset: Floats, shift: int) -> Ints:
    """Training leaves 20 significant bits, which float32 carries; the rest is the file's rounding."""
    drop = max(0, shift - 8)
    return np.rint(offset / 2.0**drop).astype(np.int64) << drop


def _on_grid(weight: Floats, bias: Floats, threshold: float, options: Options) -> float | None:
    """What k = 1 is worth if the layer lies on the grid as training writes it (largest |k| is 127), else None."""
    largest = float(np.abs(weight).max()) / LAVA
    if exact_threshold(threshold) is None:
        return None
    shift = int(np.floor(np.log2(K_MAX * (1 + 1e-6) / largest))) if largest else 0
    lsb = LAVA / 2.0**shift
    if shift < 0 or not near(weight / lsb) or not near(bias / lsb / 2.0 ** max(0, shift - 8)):
        return None
    k, offset = np.rint(weight / lsb).astype(np.int64), _coarse(bias / lsb, shift)
    return lsb if _least_shift(k, offset, options) == shift else None


def _least_shift(k: Ints, offset: Ints, options: Options) -> int:
    """For a kernel's channel and the largest offset in it, or for a neuron of its own."""
    per_row = np.abs(offset).reshape(len(k), -1).max(1)
    worst = np.abs(k).reshape(len(k), -1).sum(1) * max(abs(options.low), abs(options.high)) + per_row
    return fixed.bias_exponent(int(worst.max()))


def _threshold(population: Population, unit: float) -> int:
    if not population.fires:
        return fixed.VTH_MAX
    vth = round(float(population.threshold.flat[0]) / unit)
    if not 1 <= vth <= fixed.VTH_MAX:
        limit, do = f"[1, {fixed.VTH_MAX}]", "rescale the layer"
        raise NumberTooLarge(population.name, "threshold mantissa", got=vth, relation="is not in", limit=limit, do=do)
    return vth
