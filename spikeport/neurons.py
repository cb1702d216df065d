"""The kinds of neurons that a Program can hold, and the integers that each takes.

The arithmetic of a step is in `sim/rules`, one file per kind; here is what a core would store.
"""

from dataclasses import dataclass
from math import prod
from typing import ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.checks import (
    check_array,
    check_array_range,
    check_choice,
    check_flag,
    check_name,
    check_positive,
    check_range,
    check_shape,
    freeze,
)
from spikeport.errors import ProgramError

IntArray: TypeAlias = NDArray[np.integer]
Shape: TypeAlias = tuple[int, ...]
ChipName: TypeAlias = Literal["loihi1", "loihi2"]
Port: TypeAlias = Literal["a", "re", "im"]
Reset: TypeAlias = Literal["zero", "subtract"]
Stage: TypeAlias = Literal["delta", "sigma", "sigma_delta"]
Activation: TypeAlias = Literal["relu", "unit"]
ResonatorKind: TypeAlias = Literal["rf", "rf_izhikevich"]


@dataclass(frozen=True, eq=False)
class LIF:
    """Leaky integrate-and-fire neurons: `PyLifModelBitAcc` and its relatives of lava-nc 0.10.0.

        u = decay(u, 4096 - (du + 1)) + (a << 6)
        v = decay(v, 4096 - dv) + u + (bias_mant << bias_exp)     where the neuron does not rest
        s = v > (vth << 6);  v = 0 where s

    With `vth_low`, s = (v > vth << 6) - (v < vth_low << 6) and v = 0 where s != 0 (`PyTernLifModelFixed`).
    With `reset` "subtract", v -= vth << 6 where s; this takes Loihi 2's programmable neurons.
    With `refractory_steps` R, a spike at t makes the neuron rest at t + 1 .. t + R: u goes on as ever,
    v stays as the reset left it, and there is no spike (`PyLifRefractoryModelFloat`; it has no integer form in Lava).
    """

    name: str
    shape: Shape
    du: int
    """Current decay in [-1, 4095]; 4095 forgets the current each step, -1 keeps it."""
    dv: int
    """Voltage decay in [0, 4096]."""
    vth: int
    """Threshold mantissa in [0, 131071], compared as `vth << 6`."""
    bias_mant: IntArray
    """`shape`, in [-4096, 4095]."""
    bias_exp: int = 0
    """In [0, 7]."""
    reset_interval: int = 0
    """The state is cleared before every step t with t % interval == offset % interval; 0: never."""
    reset_offset: int = 0
    v_unit: float = 1.0
    """What one integer step of u, v and the bias is worth in the float model. Decides nothing."""
    reset: Reset = "zero"
    """What a spike does to v: clears it, or takes the threshold off."""
    refractory_steps: int = 0
    """In [0, 63]."""
    vth_low: int | None = None
    """Mantissa in [-131071, vth] below which a spike of -1 is sent; None: there are no such spikes."""

    ports: ClassVar[tuple[Port, ...]] = ("a",)

    def __post_init__(self) -> None:
        _check_group(self)
        check_range(self.name, "du", self.du, -1, fixed.DECAY_ONE - 1)
        check_range(self.name, "dv", self.dv, 0, fixed.DECAY_ONE)
        check_range(self.name, "vth", self.vth, 0, fixed.VTH_MAX)
        check_range(self.name, "bias_exp", self.bias_exp, 0, fixed.BIAS_EXP_MAX)
        check_range(self.name, "reset_interval", self.reset_interval, 0, 2**30)
        check_range(self.name, "reset_offset", self.reset_offset, 0, 2**30)
        check_choice(self.name, "reset", self.reset, ("zero", "subtract"))
        check_range(self.name, "refractory_steps", self.refractory_steps, 0, fixed.REFRACTORY_MAX)
        if self.vth_low is not None:
            check_range(self.name, "vth_low", self.vth_low, -fixed.VTH_MAX, self.vth)
            if self.reset != "zero":
                raise ProgramError(
                    self.name, "reset of a neuron with vth_low", got=self.reset, relation="is not", limit="zero"
                )
        check_array(self.name, "bias_mant", self.bias_mant, self.shape)
        low, high = fixed.BIAS_MANT_MIN, fixed.BIAS_MANT_MAX
        check_array_range(self.name, "bias_mant", self.bias_mant, low, high)
        freeze(self, "bias_mant", np.int16)

    @property
    def size(self) -> int:
        """Neurons."""
        return prod(self.shape)

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of its state; `rest` counts the steps for which it still rests."""
        return ("u", "v", "rest") if self.refractory_steps else ("u", "v")

    @property
    def signed(self) -> bool:
        """Whether it sends anything but 0 and 1."""
        return self.vth_low is not None

    @property
    def integrates(self) -> bool:
        """Whether its thresholds are the furthest that there are, so that it is meant to add up and not to spike.

        It can spike all the same: vth << 6 is 8388544, and v goes up to 8388607.
        """
        return self.vth == fixed.VTH_MAX and self.vth_low in (None, -fixed.VTH_MAX)

    @property
    def needs(self) -> ChipName:
        """The first chip that has it."""
        return "loihi2" if self.signed or self.reset == "subtract" else "loihi1"

    def resets_before(self, t: int) -> bool:
        """Whether the state is cleared before hardware step `t` (counted from 1)."""
        return self.reset_interval > 0 and t % self.reset_interval == self.reset_offset % self.reset_interval


@dataclass(frozen=True, eq=False)
class SigmaDelta:
    """Neurons that send changes: `PyDeltaModelFixed`, `PySigmaModelFixed`, `PySigmaDeltaModelFixed` of lava-nc 0.10.0.

    With e = spike_exp + state_exp:

        delta:        x = a << e;                                 encode x, send s
        sigma:        sigma += a;                                 send sigma
        sigma_delta:  sigma += a;  x = f(sigma + (bias << e));    encode x, send s

        encode x:     d = x - act + residue;  act = x;  s' = d if |d| >= vth << e else 0;  residue = d - s';
                      s = s' >> state_exp

    With `cum_error`, error += d is compared instead of d, and is cleared where s' is not 0.
    The low `state_exp` bits of what is sent are lost, as in Lava; they are not kept in the residue.
    """

    name: str
    shape: Shape
    stage: Stage
    vth: int = 0
    """`vth << e` in [0, 2^23 - 1]; not read at stage `sigma`."""
    bias: int | IntArray = 0
    """One for all, or `shape`; `|bias << e| < 2^23`; read at stage `sigma_delta` only."""
    spike_exp: int = 0
    """In [0, 7]; not read at stage `sigma`."""
    state_exp: int = 0
    """In [0, 7]; not read at stage `sigma`."""
    activation: Activation = "relu"
    """f: max(x, 0), or x; read at stage `sigma_delta` only."""
    cum_error: bool = False
    """Not read at stage `sigma`."""
    v_unit: float = 1.0
    """What one integer step of the state is worth in the float model. Decides nothing."""

    ports: ClassVar[tuple[Port, ...]] = ("a",)
    needs: ClassVar[ChipName] = "loihi2"
    signed: ClassVar[bool] = True
    reset_interval: ClassVar[int] = 0  # no model of Lava clears these
    reset_offset: ClassVar[int] = 0

    def __post_init__(self) -> None:
        _check_group(self)
        check_choice(self.name, "stage", self.stage, ("delta", "sigma", "sigma_delta"))
        check_choice(self.name, "activation", self.activation, ("relu", "unit"))
        check_flag(self.name, "cum_error", self.cum_error)
        for exp in ("spike_exp", "state_exp"):
            check_range(self.name, exp, getattr(self, exp), 0, fixed.EXP_MAX)
        largest = fixed.V_MAX >> self.scale_exp
        check_range(self.name, "vth", self.vth, 0, largest)
        if isinstance(self.bias, np.ndarray):
            check_array(self.name, "bias", self.bias, self.shape)
            check_array_range(self.name, "bias", self.bias, -largest, largest)
            freeze(self, "bias", np.int32)
        else:
            check_range(self.name, "bias", self.bias, -largest, largest)
        for name in _UNREAD[self.stage]:
            _check_unread(self, name)

    @property
    def size(self) -> int:
        """Neurons."""
        return prod(self.shape)

    @property
    def scale_exp(self) -> int:
        """e: the exponent of threshold, bias and what a delta stage takes in."""
        return self.spike_exp + self.state_exp

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of its state."""
        sigma = () if self.stage == "delta" else ("sigma",)
        delta = () if self.stage == "sigma" else ("act", "residue")
        return (*sigma, *delta, *(("error",) if self.cum_error else ()))

    def resets_before(self, t: int) -> bool:
        """Never: this kind has no reset by time."""
        return False


@dataclass(frozen=True, eq=False)
class Resonator:
    """Resonate-and-fire neurons: `PyRFModelFixed` and `PyRF_IZModelFixed` of lava-nc 0.10.0.

    With `rz(x) = sign(x) * (|x| >> decay_bits)`, c = cos_decay, d = sin_decay, both results clipped to +-(2^23 - 1):

        re' = rz(c * re) - rz(d * im) + (a_re << state_exp)
        im' = rz(d * re) + rz(c * im) + (a_im << state_exp)

        rf:             s = re' >= vth << state_exp and im' >= 0 and im < 0
        rf_izhikevich:  s = im' >= vth << state_exp;  re' = 0 and im' = (vth << state_exp) - 1 where s
    """

    name: str
    shape: Shape
    kind: ResonatorKind
    vth: int
    """`vth << state_exp` in [0, 2^23 - 1]."""
    sin_decay: int
    """(1 - alpha) sin(2 pi / period) in units of 2^-decay_bits; `|value| <= 2^decay_bits`."""
    cos_decay: int
    """(1 - alpha) cos(2 pi / period), likewise."""
    state_exp: int = 0
    """In [0, 7]."""
    decay_bits: int = fixed.DECAY_BITS
    """In [1, 12]."""
    v_unit: float = 1.0
    """What one integer step of re and im is worth in the float model. Decides nothing."""

    ports: ClassVar[tuple[Port, ...]] = ("re", "im")
    needs: ClassVar[ChipName] = "loihi2"
    signed: ClassVar[bool] = False
    variables: ClassVar[tuple[str, ...]] = ("re", "im")
    reset_interval: ClassVar[int] = 0  # no model of Lava clears these
    reset_offset: ClassVar[int] = 0

    def __post_init__(self) -> None:
        _check_group(self)
        check_choice(self.name, "kind", self.kind, ("rf", "rf_izhikevich"))
        check_range(self.name, "state_exp", self.state_exp, 0, fixed.EXP_MAX)
        check_range(self.name, "decay_bits", self.decay_bits, 1, fixed.DECAY_BITS)
        check_range(self.name, "vth", self.vth, 0, fixed.V_MAX >> self.state_exp)
        one = 1 << self.decay_bits
        check_range(self.name, "sin_decay", self.sin_decay, -one, one)
        check_range(self.name, "cos_decay", self.cos_decay, -one, one)

    @property
    def size(self) -> int:
        """Neurons."""
        return prod(self.shape)

    def resets_before(self, t: int) -> bool:
        """Never: this kind has no reset by time."""
        return False


_UNREAD: dict[Stage, tuple[str, ...]] = {
    "delta": ("bias", "activation"),
    "sigma": ("vth", "bias", "spike_exp", "state_exp", "activation", "cum_error"),
    "sigma_delta": (),
}
Group: TypeAlias = LIF | SigmaDelta | Resonator


def _check_group(group: Group) -> None:
    check_name(group.name)
    check_shape(group.name, group.shape)
    check_positive(group.name, "v_unit", group.v_unit)
    object.__setattr__(group, "v_unit", float(group.v_unit))


def _check_unread(neurons: SigmaDelta, name: str) -> None:
    """Only the default stands where nothing reads a field: another number would be lost without a word."""
    value = getattr(neurons, name)
    if isinstance(value, np.ndarray) or value != getattr(SigmaDelta, name):
        where = f"stage {neurons.stage}"
        raise ProgramError(neurons.name, name, got=value, relation="is not read at", limit=where)
