"""The hardware's integer arithmetic, one kernel under each formula.

Symbols are Lava's: `u` current, `v` voltage, `a` what the dendrite receives in a step,
`du` and `dv` decays, `vth` threshold mantissa, `bias_mant` and `bias_exp` the bias.
Source of every rule: lava-nc 0.10.0, `proc/lif/models.py` (`PyLifModelBitAcc`) and
`proc/dense/models.py` (`PyDenseModelBitAcc`), unless it says otherwise.
The words of a Loihi 1, at the end of the state's kernels, are those of nengo-loihi 1.1.0.
The kernels take and give int64 arrays, so that nothing is lost before a rule says so.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]

DECAY_BITS = 12
DECAY_ONE = 1 << DECAY_BITS  # a decay of 4096/4096 forgets everything in one step
STATE_BITS = 24
WRAP_AT = 1 << (STATE_BITS - 1)  # u lives in (-2^23, 2^23]
V_MAX = WRAP_AT - 1  # v saturates at +-(2^23 - 1)
SUM_BITS = 22  # of a << 6 on a Loihi 1: nengo-loihi's `Q_BITS` of 21 does not count the sign
ACT_SHIFT = 6  # the dendrite's sum and the threshold enter at 2^6
VTH_MAX = (1 << 17) - 1
WEIGHT_MAX = 255  # 8 magnitude bits
WEIGHT_MIN_MIXED, WEIGHT_MAX_MIXED = -256, 254  # one bit is the sign: even values only
WEIGHT_EXP_MIN, WEIGHT_EXP_MAX = -8, 7
BIAS_MANT_MIN, BIAS_MANT_MAX = -(1 << 12), (1 << 12) - 1
BIAS_EXP_MAX = 7
DELAY_MAX = 62
REFRACTORY_MAX = 63  # brian2_loihi: the register counts 1 to 64, and 1 is no rest at all
EXP_MAX = 7  # 3 bits: `spike_exp` and `state_exp` of lava-nc 0.10.0, proc/sdn and proc/rf
PAYLOAD_MAX = V_MAX  # a graded spike is a state of 24 bits, or less


def decay(x: Ints, keep: int) -> Ints:
    """sign(x) * ((|x| * keep) >> 12): the part that a step keeps, rounded toward zero.

    Args:
        keep: `4096 - dv` for the voltage, `4096 - (du + 1)` for the current.
    """
    return np.sign(x) * ((np.abs(x) * keep) >> DECAY_BITS)


def keep_u(du: int) -> int:
    """4096 - (du + 1): Lava's `ds_offset` of 1 makes the current leak even at du = 0."""
    return DECAY_ONE - (du + 1)


def keep_v(dv: int) -> int:
    """4096 - dv (`dm_offset` is 0)."""
    return DECAY_ONE - dv


def wrap_u(u: Ints) -> Ints:
    """u - 2^24 where u > 2^23; u + 2^24 where u <= -2^23; one correction, as Lava does.

    Beyond 3 * 2^23 the result still lies outside the word; Lava leaves it there.
    """
    span = 1 << STATE_BITS
    return np.where(u > WRAP_AT, u - span, np.where(u <= -WRAP_AT, u + span, u))


def twos_complement(x: Ints, bits: int) -> Ints:
    """(x + 2^(bits - 1)) mod 2^bits - 2^(bits - 1): the low bits of x, the highest of them the sign."""
    half = 1 << (bits - 1)
    return ((x + half) & ((1 << bits) - 1)) - half


def as_int32(x: Ints) -> Ints:
    """x in the 32 bits, two's complement, in which Lava adds up the current before `wrap_u`."""
    return twos_complement(x, 32)


def rz(x: Ints, bits: int) -> Ints:
    """sign(x) * (|x| >> bits): division by 2^bits, rounded toward zero."""
    return np.sign(x) * (np.abs(x) >> bits)


def wrap_conv(a: Ints) -> Ints:
    """(a + 2^23) mod 2^24 - 2^23: what a convolution hands to its target.

    Lava's `Conv` alone has this word (lava-nc 0.10.0, `proc/conv/utils.py`, `signed_clamp`).
    """
    return twos_complement(a, STATE_BITS)


def wrap_sum_loihi1(a: Ints) -> Ints:
    """a << 6 as a Loihi 1's synaptic accumulator holds it: in [-2^21, 2^21), so that a itself has 16 bits.

    nengo-loihi 1.1.0, `CompartmentState.update` in `emulator/interface.py` (q0: all that arrives in a step, the weights
    already `<< 6 + exponent`); `Q_BITS` and `overflow_signed` in `builder/discretize.py`. Its test for boards,
    `test_uv_overflow` in `emulator/tests/test_interface.py`, compares u and v while this word overflows upward.
    brian2_loihi 0.5.2 has no such word: its `LoihiSynapses` clips the single weight to +-(2^21 - 2^6), which changes
    -256 << 13 alone, and adds up without a limit.
    """
    return twos_complement(a << ACT_SHIFT, SUM_BITS)


def wrap_u_loihi1(u: Ints) -> Ints:
    """A Loihi 1's current, and its current with the bias, in [-2^23, 2^23).

    Two's complement at both ends, where Lava's `wrap_u` keeps 2^23 and turns -2^23 into it. nengo-loihi 1.1.0,
    `CompartmentState.update` (current, u2), `U_BITS` of 23 beside the sign. The same test compares a current that
    overflows downward; that u + bias goes through a word of this width rests on the emulator alone.
    v has no word of its own there, but is clipped to registers (vmin, vmax), the widest of which are `saturate_v`:
    its authors saw v pass 23 bits on the chip and not wrap (nengo-loihi, issue 130).
    """
    return twos_complement(u, STATE_BITS)


def leaves_int32(x: Ints) -> NDArray[np.bool_]:
    """Where `as_int32` would change the value."""
    return (x < -(1 << 31)) | (x >= 1 << 31)


def leaves_u(u: Ints) -> NDArray[np.bool_]:
    """Where `wrap_u` would change the value."""
    return (u > WRAP_AT) | (u <= -WRAP_AT)


def saturate_v(v: Ints) -> Ints:
    """clip(v, -(2^23) + 1, 2^23 - 1)."""
    return np.clip(v, -V_MAX, V_MAX)


def leaves_v(v: Ints) -> NDArray[np.bool_]:
    """Where `saturate_v` would change the value."""
    return (v > V_MAX) | (v < -V_MAX)


def shift(x: Ints, exp: int) -> Ints:
    """x << exp for exp >= 0; x >> -exp (toward minus infinity) otherwise."""
    return x << exp if exp >= 0 else x >> -exp


def round_shift(x: Ints, exp: int) -> Ints:
    """(x + 2^(exp-1)) >> exp: division by 2^exp, halves rounded up."""
    return x if exp == 0 else (x + (1 << (exp - 1))) >> exp


def bias_exponent(magnitude: int) -> int:
    """The least exponent e with magnitude <= 4095 * 2^e; it may exceed `BIAS_EXP_MAX`.

    Args:
        magnitude: The largest |bias| of the layer, in units of v.
    """
    exp = 0
    while magnitude > BIAS_MANT_MAX << exp:
        exp += 1
    return exp


def weight_exponent(weight: Ints) -> int:
    """The least exponent e >= 0 such that weight / 2^e fits the mantissa's 8 bits.

    Divisibility is the caller's matter: `fits_mantissa(weight >> e)` and
    `(weight >> e) << e == weight` say whether the encoding is exact.
    """
    exp = 0
    while not _in_range(weight >> exp):
        exp += 1
    return exp


def fits_mantissa(weight: Ints) -> bool:
    """Whether Lava would use these mantissas unchanged: in range, even if signs mix."""
    return _in_range(weight) and (not _mixed(weight) or not np.bitwise_or.reduce(weight, axis=None) & 1)


def _mixed(weight: Ints) -> bool:
    """Lava's rule (`determine_sign_mode`): neither all >= 0 nor all <= 0."""
    return bool(weight.size and weight.min() < 0 < weight.max())


def _in_range(weight: Ints) -> bool:
    if not weight.size:
        return True
    low, high = -WEIGHT_MAX, WEIGHT_MAX
    if _mixed(weight):
        low, high = WEIGHT_MIN_MIXED, WEIGHT_MAX_MIXED
    return bool(low <= weight.min() and weight.max() <= high)
