"""The fused neuron's loops, compiled by numba.

Memory is T pictures of `rows` times `pitch` numbers, one after the other. A unit of work is the same run of `length`
numbers in each row: one channel's plane, or a run of neighbouring channels where the channels come last. One thread
does a whole unit, in blocks that stay in its cache, so no sum depends on the number of threads. Every loop over a block
is plain enough to become vector code; unsigned indices are part of that, and so is that each number has the type of x
(`numbers`), for numba computes what mixes integers and float32 in float64.
"""

import numpy as np
from numba import njit

BLOCK = np.uint64(512)
FACTOR, MEAN, FACTOR_2, MEAN_2, OFFSET = range(5)
"""Rows of `channels`: scale * rstd and mean of the first and second current, and the offset."""
GRAD, GRAD_X, GRAD_X_2 = range(3)
"""Rows of `sums`: over dy, dy * (x - mean), and the same of the second current."""
ONE, KEEP, THRESHOLD, ZEROES, SUBTRACTS, THROUGH, THROUGH_V, CENTRE, WIDTH, UNIT = range(10)
"""Entries of `numbers`. A reset is v (1 - s ZEROES) - s SUBTRACTS; -(THROUGH_V v + THROUGH) is its gradient to s."""

forward = njit(cache=True, nogil=True, error_model="numpy")
"""As IEEE 754 has it: each operation is rounded by itself, so v is the same in both passes, and torch's."""
backward = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})


@forward
def fire(x, x2, two, spikes, channels, numbers, planes, constant, steps, rows, pitch, length, low, high):  # type: ignore[no-untyped-def]
    """The spikes of the units from `low` up to `high`."""
    v = np.zeros((steps + np.uint64(1)) * BLOCK, x.dtype)
    local = np.empty((5, BLOCK), x.dtype)
    picture = rows * pitch
    for unit in range(low, high):
        first, end = unit * length, min((unit + np.uint64(1)) * length, pitch)
        _spread(channels, local, planes, unit, first, end)
        for row in range(rows):
            for start in range(first, end, BLOCK):
                n, at = min(BLOCK, end - start), row * pitch + start
                _membrane(x, x2, two, v, local, numbers, at, picture, constant, steps, n)
                for t in range(steps):
                    _compare(v, (t + np.uint64(1)) * BLOCK, numbers, spikes, t * picture + at, n)


@forward
def gather(  # type: ignore[no-untyped-def]
    x, x2, two, grad, dy, channels, numbers, sums, of_numbers, planes, atan, constant, steps, rows, pitch, length, low, high
):
    """dy of the units, their `sums`, and the gradients of keep and threshold in `of_numbers[unit]`."""
    v = np.zeros((steps + np.uint64(1)) * BLOCK, x.dtype)
    local, acc = np.empty((5, BLOCK), x.dtype), np.empty((3, BLOCK), x.dtype)
    slope, carry = np.empty(BLOCK, x.dtype), np.empty(BLOCK, x.dtype)
    wide = np.empty((3, BLOCK), np.float64)
    picture = rows * pitch
    kept = np.uint64(1) if constant else steps
    for unit in range(low, high):
        first, end = unit * length, min((unit + np.uint64(1)) * length, pitch)
        _spread(channels, local, planes, unit, first, end)
        wide[:] = 0
        for row in range(rows):
            for start in range(first, end, BLOCK):
                n, at = min(BLOCK, end - start), row * pitch + start
                _membrane(x, x2, two, v, local, numbers, at, picture, constant, steps, n)
                _back_in_time(v, grad, slope, carry, numbers, of_numbers, unit, atan, at, picture, steps, n)
                if constant:
                    for t in range(np.uint64(1), steps):
                        _add(v, (t + np.uint64(1)) * BLOCK, BLOCK, n)
                acc[:] = 0
                for t in range(kept):
                    _collect(v, (t + np.uint64(1)) * BLOCK, x, dy, local, acc, t * picture + at, n)
                    if two:
                        _collect_second(v, (t + np.uint64(1)) * BLOCK, x2, local, acc, t * picture + at, n)
                _widen(acc, wide)
        for k in range(3):
            if planes:
                sums[k, unit] = _total(wide, k)
            else:
                for i in range(end - first):
                    sums[k, first + i] = wide[k, i]


@forward
def normalise(x, dy, dx, factor, mean, of_mean, of_rstd, planes, pictures, rows, pitch, length, low, high):  # type: ignore[no-untyped-def]
    """dx = factor * (dy - of_mean - (x - mean) * of_rstd) of the units; dx may be dy itself."""
    local = np.empty((4, BLOCK), x.dtype)
    for unit in range(low, high):
        first, end = unit * length, min((unit + np.uint64(1)) * length, pitch)
        n = BLOCK if planes else end - first
        for i in range(n):
            c = unit if planes else first + i
            local[0, i], local[1, i], local[2, i], local[3, i] = factor[c], mean[c], of_mean[c], of_rstd[c]
        for row in range(pictures * rows):
            for start in range(first, end, BLOCK):
                _normalise(x, dy, dx, local, row * pitch + start, min(BLOCK, end - start))


@forward
def moments(x, planes, rows, pitch, length, mean, var, low, high):  # type: ignore[no-untyped-def]
    """Mean and biased variance of each channel of the units. Sums are taken from the channel's first number on."""
    local, wide = np.empty((3, BLOCK), x.dtype), np.empty((2, BLOCK), np.float64)
    for unit in range(low, high):
        first, end = unit * length, min((unit + np.uint64(1)) * length, pitch)
        width = min(BLOCK, end - first)
        for i in range(width):
            local[0, i] = x[first if planes else first + i]
        wide[:] = 0
        local[1:] = 0
        waiting = 0
        for row in range(rows):
            for start in range(first, end, BLOCK):
                _squares(x, local, row * pitch + start, min(BLOCK, end - start))
                waiting += 1
                if waiting == 16:
                    _widen(local[1:], wide)
                    local[1:] = 0
                    waiting = 0
        _widen(local[1:], wide)
        if planes:
            n = rows * length
            shift = _total(wide, 0) / n
            mean[unit], var[unit] = local[0, 0] + shift, max(_total(wide, 1) / n - shift * shift, 0.0)
        else:
            for i in range(width):
                shift = wide[0, i] / rows
                mean[first + i], var[first + i] = local[0, i] + shift, max(wide[1, i] / rows - shift * shift, 0.0)


@forward
def _spread(channels, local, planes, unit, first, end):  # type: ignore[no-untyped-def]
    """What belongs to each place of a block: one channel's numbers, or those of a run of channels."""
    n = BLOCK if planes else end - first
    for k in range(5):
        for i in range(n):
            local[k, i] = channels[k, unit if planes else first + i]


@forward
def _membrane(x, x2, two, v, local, numbers, at, picture, constant, steps, n):  # type: ignore[no-untyped-def]
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


@forward
def _step(v, before, now, numbers, n):  # type: ignore[no-untyped-def]
    one, keep, threshold = numbers[ONE], numbers[KEEP], numbers[THRESHOLD]
    zeroes, subtracts = numbers[ZEROES], numbers[SUBTRACTS]
    for i in range(n):
        u = v[before + i]
        s = one if u > threshold else one - one
        v[now + i] = keep * (u * (one - s * zeroes) - s * subtracts) + v[now + i]


@forward
def _compare(v, now, numbers, spikes, start, n):  # type: ignore[no-untyped-def]
    one, threshold = numbers[ONE], numbers[THRESHOLD]
    for i in range(n):
        spikes[start + i] = one if v[now + i] > threshold else one - one


@backward
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


@backward
def _slope_rectangular(v, now, slope, numbers, n):  # type: ignore[no-untyped-def]
    one, centre, width = numbers[ONE], numbers[CENTRE], numbers[WIDTH]
    height, half = one / width, width / (one + one)
    for i in range(n):
        slope[i] = height if abs(v[now + i] - centre) < half else one - one


@backward
def _slope_atan(v, now, slope, numbers, n):  # type: ignore[no-untyped-def]
    one, centre, width = numbers[ONE], numbers[CENTRE], numbers[WIDTH]
    steep = v.dtype.type(np.pi) / width
    for i in range(n):
        x = (v[now + i] - centre) * steep
        slope[i] = one / (width * (one + x * x))


@backward
def _step_back(v, now, before, grad, start, slope, carry, numbers, n):  # type: ignore[no-untyped-def]
    """`carry` is dL/dh, h the membrane after its reset. Gives the step's share of the gradients of keep and threshold."""
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


@backward
def _collect(v, now, x, dy, local, acc, start, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        d = v[now + i]
        dy[start + i] = d
        acc[GRAD, i] += d
        acc[GRAD_X, i] += d * (x[start + i] - local[MEAN, i])


@backward
def _collect_second(v, now, x2, local, acc, start, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        acc[GRAD_X_2, i] += v[now + i] * (x2[start + i] - local[MEAN_2, i])


@backward
def _normalise(x, dy, dx, local, start, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        j = start + i
        dx[j] = local[0, i] * (dy[j] - local[2, i] - (x[j] - local[1, i]) * local[3, i])


@backward
def _squares(x, local, start, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        d = x[start + i] - local[0, i]
        local[1, i] += d
        local[2, i] += d * d


@backward
def _add(v, row, into, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        v[into + i] += v[row + i]


@backward
def _widen(acc, wide):  # type: ignore[no-untyped-def]
    for k in range(wide.shape[0]):
        for i in range(BLOCK):
            wide[k, i] += acc[k, i]


@backward
def _total(wide, k):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(BLOCK):
        total += wide[k, i]
    return total
