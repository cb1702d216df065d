"""The fused neuron's loops for GPUs, in Triton. Imported only where there is Triton.

A program has a tile of `(BLOCK_R, BLOCK_C)`: rows are all (sample, place) pairs of one step, columns are channels. It
walks through time with the tile's membranes in registers; each sum over a tile is written by itself, and added up by
torch. Launch with `enable_fp_fusion=False`: each operation is then rounded by itself, so v is the same in both passes.
"""

# mypy: disable-error-code="no-untyped-def,untyped-decorator,no-redef"

import triton
import triton.language as tl


@triton.jit
def _tile(rows, channels, places, stride_b, stride_p, stride_c, BLOCK_R: tl.constexpr, BLOCK_C: tl.constexpr):
    """Where the tile lies within one step, which of it exists, its channels, and which of them exist."""
    r = tl.program_id(0).to(tl.int64) * BLOCK_R + tl.arange(0, BLOCK_R)
    c = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    at = (r // places * stride_b + r % places * stride_p)[:, None] + (c * stride_c)[None, :]
    return at, (r < rows)[:, None] & (c < channels)[None, :], c, c < channels


@triton.jit
def _per_channel(values, row, channels, c, there):
    return tl.load(values + row * channels + c, mask=there, other=0.0)[None, :]


@triton.jit
def _centred(x, at, mask, mean):
    return tl.load(x + at, mask=mask, other=0.0).to(mean.dtype) - mean


@triton.jit
def _rounded(y, UNIT: tl.constexpr):
    """The nearest multiple of UNIT; ties to even, by adding and taking off what leaves no place for a fraction."""
    if y.dtype == tl.float64:
        MAGIC: tl.constexpr = 6755399441055744.0  # 1.5 * 2^52
        LARGE: tl.constexpr = 2251799813685248.0
    else:
        MAGIC: tl.constexpr = 12582912.0  # 1.5 * 2^23
        LARGE: tl.constexpr = 4194304.0
    unit = tl.full(y.shape, UNIT, y.dtype)
    q = tl.div_rn(y, unit) if y.dtype == tl.float32 else y / unit
    return tl.where(tl.abs(q) < LARGE, (q + MAGIC) - MAGIC, q) * unit


@triton.jit
def _membrane(x, x2, at, mask, h, factor, mean, factor_2, mean_2, offset, keep, TWO: tl.constexpr, UNIT: tl.constexpr):
    """v of the next step, from what the last one left."""
    y = factor * _centred(x, at, mask, mean) + offset
    if TWO:
        y = y + factor_2 * _centred(x2, at, mask, mean_2)
    if UNIT > 0:
        y = _rounded(y, UNIT)
    return keep * h + y


@triton.jit
def _reset(v, s, threshold, ZERO: tl.constexpr):
    if ZERO:
        h = tl.where(s, 0.0, v)
    else:
        h = v - tl.where(s, threshold, 0.0)
    return h


@triton.jit
def _slope(v, threshold, ATAN: tl.constexpr, AT_THRESHOLD: tl.constexpr, WIDTH: tl.constexpr):
    x = v
    if AT_THRESHOLD:
        x = v - threshold
    if ATAN:
        steep = x * (3.141592653589793 / WIDTH)
        slope = 1.0 / (WIDTH * (1.0 + steep * steep))
    else:
        slope = (tl.abs(x) < WIDTH / 2).to(v.dtype) * (1.0 / WIDTH)
    return slope


@triton.jit
def fire(
    x,
    x2,
    spikes,
    values,
    keep_at,
    threshold_at,
    steps,
    picture,
    rows,
    channels,
    places,
    stride_b,
    stride_p,
    stride_c,
    TWO: tl.constexpr,
    CONSTANT: tl.constexpr,
    UNIT: tl.constexpr,
    ZERO: tl.constexpr,
    BLOCK_R: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """The spikes of a tile; `values` are factor and mean of both currents, and the offset, `(5, C)`."""
    at, mask, c, there = _tile(rows, channels, places, stride_b, stride_p, stride_c, BLOCK_R, BLOCK_C)
    factor, mean = _per_channel(values, 0, channels, c, there), _per_channel(values, 1, channels, c, there)
    factor_2, mean_2 = _per_channel(values, 2, channels, c, there), _per_channel(values, 3, channels, c, there)
    offset = _per_channel(values, 4, channels, c, there)
    keep, threshold = tl.load(keep_at), tl.load(threshold_at)
    h = tl.zeros((BLOCK_R, BLOCK_C), factor.dtype)
    source, target = at, at
    for _ in range(steps):
        v = _membrane(x, x2, source, mask, h, factor, mean, factor_2, mean_2, offset, keep, TWO, UNIT)
        s = v > threshold
        tl.store(spikes + target, s.to(spikes.dtype.element_ty), mask=mask)
        h = _reset(v, s, threshold, ZERO)
        target += picture
        if not CONSTANT:
            source += picture


@triton.jit
def gather(
    x,
    x2,
    grad,
    v_at,
    dy,
    values,
    keep_at,
    threshold_at,
    sums,
    of_numbers,
    steps,
    picture,
    rows,
    channels,
    places,
    stride_b,
    stride_p,
    stride_c,
    TWO: tl.constexpr,
    CONSTANT: tl.constexpr,
    UNIT: tl.constexpr,
    ZERO: tl.constexpr,
    THROUGH: tl.constexpr,
    ATAN: tl.constexpr,
    AT_THRESHOLD: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK_R: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """dy of a tile. `v_at` is room for v at all steps; it is dy itself where the current is not CONSTANT.

    `sums`: `(3, tiles of rows, C)`, of dy, and of dy * (x - mean) for both currents.
    `of_numbers`: `(2, tiles)`, the gradients of keep and threshold.
    """
    at, mask, c, there = _tile(rows, channels, places, stride_b, stride_p, stride_c, BLOCK_R, BLOCK_C)
    factor, mean = _per_channel(values, 0, channels, c, there), _per_channel(values, 1, channels, c, there)
    factor_2, mean_2 = _per_channel(values, 2, channels, c, there), _per_channel(values, 3, channels, c, there)
    offset = _per_channel(values, 4, channels, c, there)
    keep, threshold = tl.load(keep_at), tl.load(threshold_at)
    h = tl.zeros((BLOCK_R, BLOCK_C), factor.dtype)
    v = h
    source, target = at, at
    for _ in range(steps):
        v = _membrane(x, x2, source, mask, h, factor, mean, factor_2, mean_2, offset, keep, TWO, UNIT)
        tl.store(v_at + target, v, mask=mask)
        h = _reset(v, v > threshold, threshold, ZERO)
        target += picture
        if not CONSTANT:
            source += picture
    tl.debug_barrier()

    carry = tl.zeros((BLOCK_R, BLOCK_C), factor.dtype)  # dL/dh
    of_keep, of_threshold, total, of_x, of_x2 = carry, carry, carry, carry, carry
    for _ in range(steps):
        target -= picture
        more = mask & (target >= picture)  # there is a step before
        old = tl.load(v_at + target - picture, mask=more, other=0.0)
        s = v > threshold
        slope = _slope(v, threshold, ATAN, AT_THRESHOLD, WIDTH)
        of_spike = tl.load(grad + target, mask=mask, other=0.0).to(carry.dtype)
        if THROUGH:
            of_spike -= carry * (v if ZERO else threshold)
        of_spike *= slope
        of_threshold -= of_spike
        if ZERO:
            d = tl.where(s, 0.0, carry) + of_spike
        else:
            d = carry + of_spike
            of_threshold -= tl.where(s, carry, 0.0)
        d = tl.where(mask, d, 0.0)
        of_keep += tl.where(more, d * _reset(old, old > threshold, threshold, ZERO), 0.0)
        carry = keep * d
        v = old
        total += d
        if not CONSTANT:
            source -= picture
            tl.debug_barrier()  # v was read here, perhaps by another thread
            tl.store(dy + target, d, mask=mask)
            of_x += d * _centred(x, source, mask, mean)
            if TWO:
                of_x2 += d * _centred(x2, source, mask, mean_2)
    if CONSTANT:
        tl.store(dy + at, total, mask=mask)
        of_x = total * _centred(x, at, mask, mean)
        if TWO:
            of_x2 = total * _centred(x2, at, mask, mean_2)

    mine = sums + tl.program_id(0) * channels + c
    many = tl.num_programs(0) * channels
    tl.store(mine, tl.sum(total, 0), mask=there)
    tl.store(mine + many, tl.sum(of_x, 0), mask=there)
    tl.store(mine + 2 * many, tl.sum(of_x2, 0), mask=there)
    tile, tiles = tl.program_id(0) * tl.num_programs(1) + tl.program_id(1), tl.num_programs(0) * tl.num_programs(1)
    tl.store(of_numbers + tile, tl.sum(of_keep))
    tl.store(of_numbers + tiles + tile, tl.sum(tl.where(mask, of_threshold, 0.0)))


@triton.jit
def normalise(
    x,
    dy,
    dx,
    values,
    rows,
    channels,
    places,
    stride_b,
    stride_p,
    stride_c,
    BLOCK_R: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """dx = factor * (dy - of_mean - (x - mean) * of_rstd); these four are `values`, `(4, C)`. dx may be dy itself."""
    at, mask, c, there = _tile(rows, channels, places, stride_b, stride_p, stride_c, BLOCK_R, BLOCK_C)
    factor, mean = _per_channel(values, 0, channels, c, there), _per_channel(values, 1, channels, c, there)
    of_mean, of_rstd = _per_channel(values, 2, channels, c, there), _per_channel(values, 3, channels, c, there)
    d = tl.load(dy + at, mask=mask, other=0.0)
    d = factor * (d - of_mean - _centred(x, at, mask, mean) * of_rstd)
    tl.store(dx + at, d.to(dx.dtype.element_ty), mask=mask)
