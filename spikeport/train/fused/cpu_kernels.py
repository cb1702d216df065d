"""The fused neuron's loops, compiled by numba.

Memory is `steps` pictures of `rows` times `pitch` numbers, one after the other; a row holds all channels, and each
channel has `places` neighbours in it. A unit of work is the same run of `length` numbers in each row: one channel, or
several whole ones where they are small. One thread does a whole unit, in blocks that stay in its cache, so no sum
depends on the number of threads. Every loop over a block is plain enough to become vector code; unsigned indices are
part of that, and so is that each number has the type of x, for numba computes what mixes integers and float32 in
float64.

All of them are in this one file, because numba forgets a kept function when its own file changes, but not when what it
calls does.
"""

import numpy as np
from numba import njit

BLOCK = np.uint64(512)
STEPS, ROWS, PITCH, LENGTH, PLACES = range(5)
"""Entries of `shape`."""
FACTOR, MEAN, FACTOR_2, MEAN_2, OFFSET = range(5)
"""Rows of `channels`: scale * rstd and mean of the first and second current, and the offset."""
GRAD, GRAD_X, GRAD_X_2 = range(3)
"""Rows of `sums`: of dy, of dy * (x - mean), and the same of the second current."""
ONE, KEEP, THRESHOLD, ZEROES, SUBTRACTS, THROUGH, THROUGH_V, CENTRE, WIDTH, UNIT = range(10)
"""Entries of `numbers`. A reset is v (1 - s ZEROES) - s SUBTRACTS; -(THROUGH_V v + THROUGH) is its gradient to s."""

exact = njit(cache=True, nogil=True, error_model="numpy")
"""As IEEE 754 has it: each operation is rounded by itself, so v is the same in both passes, and torch's."""
loose = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
"""Sums in any order; which one, the compiler decides once."""


@exact
def fire(x, x2, two, constant, spikes, channels, numbers, shape, low, high):  # type: ignore[no-untyped-def]
    """The spikes of the units from `low` up to `high`."""
    steps, rows, pitch, length, places = shape
    v = np.zeros((steps + np.uint64(1)) * BLOCK, x.dtype)
    local = np.empty((5, BLOCK), x.dtype)
    for unit in range(low, high):
        first, end = unit * length, min((unit + np.uint64(1)) * length, pitch)
        _spread(channels, local, first // places, end // places, places)
        for row in range(rows):
            for start in range(first, end, BLOCK):
                n, at = min(BLOCK, end - start), row * pitch + start
                _membrane(x, x2, two, constant, v, local, numbers, at, rows * pitch, steps, n)
                for t in range(steps):
                    _compare(v, (t + np.uint64(1)) * BLOCK, numbers, spikes, t * rows * pitch + at, n)


@exact
def gather(  # type: ignore[no-untyped-def]
    x, x2, two, constant, atan, grad, dy, channels, numbers, sums, of_numbers, shape, low, high
):
    """dy of the units, their `sums`, and their part of keep's and threshold's gradients in `of_numbers[unit]`."""
    steps, rows, pitch, length, places = shape
    v = np.zeros((steps + np.uint64(1)) * BLOCK, x.dtype)
    local, acc = np.empty((5, BLOCK), x.dtype), np.empty((3, BLOCK), x.dtype)
    slope, carry = np.empty(BLOCK, x.dtype), np.empty(BLOCK, x.dtype)
    wide = np.empty((3, BLOCK), np.float64)
    for unit in range(low, high):
        first, end = unit * length, min((unit + np.uint64(1)) * length, pitch)
        _spread(channels, local, first // places, end // places, places)
        wide[:] = 0
        for row in range(rows):
            for start in range(first, end, BLOCK):
                n, at = min(BLOCK, end - start), row * pitch + start
                _membrane(x, x2, two, constant, v, local, numbers, at, rows * pitch, steps, n)
                _back_in_time(v, grad, slope, carry, numbers, of_numbers, unit, atan, at, rows * pitch, steps, n)
                acc[:] = 0
                if constant:
                    for t in range(np.uint64(1), steps):
                        _add(v, (t + np.uint64(1)) * BLOCK, BLOCK, n)
                for t in range(np.uint64(1) if constant else steps):
                    now, begin = (t + np.uint64(1)) * BLOCK, t * rows * pitch + at
                    _collect(v, now, x, dy, local, acc, begin, n)
                    if two:
                        _collect_second(v, now, x2, local, acc, begin, n)
                _widen(acc, wide)
        for k in range(3):
            _fold(wide[k], sums[k], first // places, end // places, places)


@exact
def normalise(x, dy, dx, of_batch, channels, which, rstd, sums, n, shape, low, high):  # type: ignore[no-untyped-def]
    """dx = factor * (dy - sum(dy) / n - (x - mean) * rstd^2 * sum(dy * (x - mean)) / n) of the units.

    `which` is the current, 0 or 1; dx may be dy itself. Without `of_batch` dx is factor * dy. `shape` is that of x.
    """
    steps, rows, pitch, length, places = shape
    local, values, ahead = (
        np.empty((5, BLOCK), x.dtype),
        np.empty((5, channels.shape[1]), x.dtype),
        np.empty(BLOCK, x.dtype),
    )
    for unit in range(low, high):
        first, end = unit * length, min((unit + np.uint64(1)) * length, pitch)
        for c in range(first // places, end // places):
            values[0, c], values[1, c] = channels[FACTOR + 2 * which, c], channels[MEAN + 2 * which, c]
            values[2, c] = sums[GRAD, c] / n if of_batch else 0
            values[3, c] = sums[GRAD_X + which, c] * rstd[c] * rstd[c] / n if of_batch else 0
        _spread(values, local, first // places, end // places, places)
        for row in range(steps * rows):
            for start in range(first, end, BLOCK):
                m, at = min(BLOCK, end - start), row * pitch + start
                _copy(dy, at, ahead, m)
                _normalise(x, ahead, dx, local, at, m)


@exact
def back(  # type: ignore[no-untyped-def]
    x,
    x2,
    two,
    constant,
    atan,
    grad,
    dy,
    channels,
    numbers,
    sums,
    of_numbers,
    dx2,
    through,
    through_2,
    rstd,
    rstd_2,
    n,
    shape,
    shape_x,
    low,
    high,
):
    """`gather`, then `normalise` of each current while its unit is still in the cache; dx takes the place of dy.

    `through`: 0 where dx is dy, 1 where the moments are constants, 2 where they are of the batch.
    """
    for unit in range(low, high):
        after = unit + np.uint64(1)
        gather(x, x2, two, constant, atan, grad, dy, channels, numbers, sums, of_numbers, shape, unit, after)
        if two:
            normalise(x2, dy, dx2, through_2 == 2, channels, 1, rstd_2, sums, n, shape_x, unit, after)
        if through:
            normalise(x, dy, dy, through == 2, channels, 0, rstd, sums, n, shape_x, unit, after)


@exact
def moments(x, mean, var, shape, low, high):  # type: ignore[no-untyped-def]
    """Mean and biased variance of each channel of the units. Sums are taken from the channel's first number on."""
    steps, rows, pitch, length, places = shape
    local, wide = np.empty((5, BLOCK), x.dtype), np.empty((2, BLOCK), np.float64)
    total, n = np.empty((2, mean.size), np.float64), steps * rows * places
    begin = np.empty((5, mean.size), x.dtype)
    for unit in range(low, high):
        first, end = unit * length, min((unit + np.uint64(1)) * length, pitch)
        for c in range(first // places, end // places):
            begin[0, c] = x[c * places]
        _spread(begin, local, first // places, end // places, places)
        local[1:] = 0
        wide[:] = 0
        waiting = 0
        for row in range(steps * rows):
            for start in range(first, end, BLOCK):
                _squares(x, local, row * pitch + start, min(BLOCK, end - start))
                waiting += 1
                if waiting == 16:  # as many as float32 may add up
                    _widen(local[1:], wide)
                    local[1:] = 0
                    waiting = 0
        _widen(local[1:], wide)
        for k in range(2):
            _fold(wide[k], total[k], first // places, end // places, places)
        for c in range(first // places, end // places):
            shift = total[0, c] / n
            mean[c], var[c] = begin[0, c] + shift, max(total[1, c] / n - shift * shift, 0.0)


@exact
def _spread(channels, local, first, end, places):  # type: ignore[no-untyped-def]
    """Gives each place of a block its channel's numbers."""
    width = min(places, BLOCK)
    for k in range(5):
        for c in range(first, end):
            for i in range(width):
                local[k, (c - first) * width + i] = channels[k, c]


@loose
def _fold(wide, sums, first, end, places):  # type: ignore[no-untyped-def]
    """Adds up the places of each channel."""
    width = min(places, BLOCK)
    for c in range(first, end):
        total = 0.0
        for i in range(width):
            total += wide[(c - first) * width + i]
        sums[c] = total


@exact
def _membrane(x, x2, two, constant, v, local, numbers, at, picture, steps, n):  # type: ignore[no-untyped-def]
    """v before its reset, step t in row t + 1; row 0 is that before the first step."""
    for t in range(steps):
        now = (t + np.uint64(1)) * BLOCK
        start = at if constant else at + t * picture
        for i in range(n):
            v[now + i] = local[FACTOR, i] * (x[start + i] - local[MEAN, i]) + local[OFFSET, i]
        if two:
            for i in range(n):
                v[now + i] += local[FACTOR_2, i] * (x2[start + i] - local[MEAN_2, i])
        if numbers[UNIT] > 0:
            for i in range(n):
                v[now + i] = np.rint(v[now + i] / numbers[UNIT]) * numbers[UNIT]
        if t > 0:
            _step(v, t * BLOCK, now, numbers, n)


@exact
def _step(v, before, now, numbers, n):  # type: ignore[no-untyped-def]
    one, keep, threshold = numbers[ONE], numbers[KEEP], numbers[THRESHOLD]
    zeroes, subtracts = numbers[ZEROES], numbers[SUBTRACTS]
    for i in range(n):
        u = v[before + i]
        s = one if u > threshold else one - one
        v[now + i] = keep * (u * (one - s * zeroes) - s * subtracts) + v[now + i]


@exact
def _compare(v, now, numbers, spikes, start, n):  # type: ignore[no-untyped-def]
    one, threshold = numbers[ONE], numbers[THRESHOLD]
    for i in range(n):
        spikes[start + i] = one if v[now + i] > threshold else one - one


@loose
def _back_in_time(v, grad, slope, carry, numbers, of_numbers, unit, atan, at, picture, steps, n):  # type: ignore[no-untyped-def]
    """Turns v of each step into dL/dv, which is dy."""
    carry[:] = 0
    for back in range(steps):
        t = steps - np.uint64(1) - back
        now = (t + np.uint64(1)) * BLOCK
        if atan:
            _slope_atan(v, now, slope, numbers, n)
        else:
            _slope_rectangular(v, now, slope, numbers, n)
        of_keep, of_threshold = _step_back(v, now, t * BLOCK, grad, at + t * picture, slope, carry, numbers, n)
        if t > 0:
            of_numbers[unit, 0] += of_keep
        of_numbers[unit, 1] += of_threshold


@loose
def _slope_rectangular(v, now, slope, numbers, n):  # type: ignore[no-untyped-def]
    one, centre, width = numbers[ONE], numbers[CENTRE], numbers[WIDTH]
    height, half = one / width, width / (one + one)
    for i in range(n):
        slope[i] = height if abs(v[now + i] - centre) < half else one - one


@loose
def _slope_atan(v, now, slope, numbers, n):  # type: ignore[no-untyped-def]
    one, centre, width = numbers[ONE], numbers[CENTRE], numbers[WIDTH]
    steep = v.dtype.type(np.pi) / width
    for i in range(n):
        x = (v[now + i] - centre) * steep
        slope[i] = one / (width * (one + x * x))


@loose
def _step_back(v, now, before, grad, start, slope, carry, numbers, n):  # type: ignore[no-untyped-def]
    """`carry` is dL/dh, h the membrane after its reset. Gives the step's part of keep's and threshold's gradients."""
    one, keep, threshold = numbers[ONE], numbers[KEEP], numbers[THRESHOLD]
    zeroes, subtracts, through, through_v = numbers[ZEROES], numbers[SUBTRACTS], numbers[THROUGH], numbers[THROUGH_V]
    zero = one - one
    soft = one - zeroes
    of_keep, of_threshold = zero, zero
    for i in range(n):
        u, old, dh = v[now + i], v[before + i], carry[i]
        s = one if u > threshold else zero
        s_old = one if old > threshold else zero
        of_spike = slope[i] * (grad[start + i] - dh * (through_v * u + through))
        d = dh * (one - s * zeroes) + of_spike
        of_threshold -= of_spike + dh * s * soft
        of_keep += d * (old * (one - s_old * zeroes) - s_old * subtracts)
        carry[i] = keep * d
        v[now + i] = d
    return of_keep, of_threshold


@loose
def _collect(v, now, x, dy, local, acc, start, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        d = v[now + i]
        dy[start + i] = d
        acc[GRAD, i] += d
        acc[GRAD_X, i] += d * (x[start + i] - local[MEAN, i])


@loose
def _collect_second(v, now, x2, local, acc, start, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        acc[GRAD_X_2, i] += v[now + i] * (x2[start + i] - local[MEAN_2, i])


@loose
def _copy(a, start, into, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        into[i] = a[start + i]


@loose
def _normalise(x, dy, dx, local, start, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        dx[start + i] = local[0, i] * (dy[i] - local[2, i] - (x[start + i] - local[1, i]) * local[3, i])


@loose
def _squares(x, local, start, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        d = x[start + i] - local[0, i]
        local[1, i] += d
        local[2, i] += d * d


@loose
def _add(v, row, into, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        v[into + i] += v[row + i]


@loose
def _widen(acc, wide):  # type: ignore[no-untyped-def]
    for k in range(wide.shape[0]):
        for i in range(BLOCK):
            wide[k, i] += acc[k, i]
