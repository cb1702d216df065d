"""The dense engine: the whole batch as torch tensors, for GPUs and for activity too high to walk events.

Sums of integers in floating point are exact while every partial sum fits the mantissa: float32 where no sum can
reach 2^24, float64 otherwise. All else is int64. Equals `reference.run` in every value.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from spikeport import fixed
from spikeport.fixed import Ints
from spikeport.program import LIF, Connection, Conv, Dense, Program
from spikeport.sim import reference
from spikeport.sim.counting.fanout import fan_out
from spikeport.sim.engine.groups import is_plain
from spikeport.sim.engine.run import LeftOutside, Ran
from spikeport.sim.state import State as ReferenceState
from spikeport.sim.state import cleared

EXACT = {torch.float32: 2**24, torch.float64: 2**53}


@dataclass(frozen=True, eq=False)
class Bundle:
    """The synapses of one connection that share a delay."""

    connection: Connection
    weight: Tensor
    """`(n_target, n_source)`, or a convolution's; float, of the narrowest type that is exact."""
    delay: int

    def sums(self, spikes: Tensor, source: tuple[int, ...]) -> Tensor:
        """`(B, n_source)` spikes to `(B, n_target)` sums, shifted by the exponent."""
        x = spikes.to(self.weight.dtype)
        if isinstance(self.connection, Conv):
            c = self.connection
            y = F.conv2d(x.reshape(-1, *source), self.weight, None, c.stride, c.padding, c.dilation, c.groups)
        else:
            y = x @ self.weight.T
        exp = self.connection.weight_exp
        total = y.flatten(1).long()
        return total << exp if exp >= 0 else total >> -exp


def supports(program: Program) -> bool:
    """Whether `DenseEngine` can run it: plain leaky integrate-and-fire neurons and spikes without payload."""
    return (
        all(isinstance(g, LIF) and is_plain(g) for g in program.groups)
        and not any(c.graded for c in program.connections)
        and all(entry.kind in ("spike", "bias") for entry in program.inputs)
    )


@dataclass(frozen=True, eq=False)
class State:
    """Where a run stands; tensors on the device, by group, and none is ever written into."""

    t: int
    """Hardware steps done."""
    u: Mapping[str, Tensor]
    v: Mapping[str, Tensor]
    arriving: Mapping[str, Mapping[int, Tensor]]
    """By group and hardware step."""
    loaded: Mapping[str, Ints]
    """Bias mantissas that the host loaded last, `(B, n)`."""


class DenseEngine:
    """Runs a Program, all samples and all synapses at once.

    Args:
        device: As torch names it, such as "cpu" or "cuda"; the GPU if there is one and None is named.
    """

    def __init__(self, program: Program, device: str | None = None) -> None:
        self.program = program
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._bundles = [bundle for c in program.connections for bundle in self._split(c)]
        shapes = (program.shape_of(c.source) for c in program.connections)
        self._reach = [self._tensor(fan_out(c, s)) for c, s in zip(program.connections, shapes, strict=True)]

    def start(self, batch: int) -> State:
        """The cleared state."""
        return self.from_reference(cleared(self.program, batch))

    def from_reference(self, state: ReferenceState) -> State:
        groups = self.program.lifs
        u, v = ({g.name: self._tensor(state.groups[g.name][k]) for g in groups} for k in "uv")
        arriving = {n: {t: self._tensor(a) for t, a in box.items()} for (n, _), box in state.arriving.items()}
        return State(state.t, u, v, arriving, dict(state.loaded))

    def as_reference(self, state: State) -> ReferenceState:
        """The same state as the reference interpreter keeps it."""
        groups = {n: {"u": state.u[n].cpu().numpy(), "v": state.v[n].cpu().numpy()} for n in state.u}
        arriving = {(n, "a"): {t: a.cpu().numpy() for t, a in box.items()} for n, box in state.arriving.items()}
        return ReferenceState(state.t, groups, arriving, dict(state.loaded))

    def run(
        self, start: State, inputs: Mapping[str, Ints], steps: int, *, strict: bool, spikes: Collection[str] = (),
        states: Collection[str] = (),
    ) -> tuple[Ran, State]:  # fmt: skip
        """As `EventEngine.run`, from `start`, which stays as it is; and the state after the last step.

        Raises:
            OverflowDetected: under `strict`, for the first value that leaves its word.
            LeftOutside: likewise, where the step belongs to no sample.
        """
        batch = next(iter(inputs.values())).shape[1]
        groups, integrators = self.program.lifs, self.program.integrators
        u, v = dict(start.u), dict(start.v)
        arriving = {n: dict(box) for n, box in start.arriving.items()}
        kept: dict[str, dict[str, list[Tensor]]] = {k: defaultdict(list) for k in "uvs"}
        x = {name: self._tensor(values) for name, values in inputs.items()}
        loaded = dict(start.loaded)
        bias = {g.name: self._bias(g, inputs, loaded) for g in groups}
        sops = torch.zeros(batch, len(self.program.connections), dtype=torch.int64, device=self.device)
        for k, t in enumerate(range(start.t + 1, start.t + steps + 1)):
            sent = {n: a[k] if k < len(a) else a.new_zeros(a.shape[1:]) for n, a in x.items()}
            for g in groups:
                n = g.name
                if g.resets_before(t):
                    u[n], v[n] = torch.zeros_like(u[n]), torch.zeros_like(v[n])
                a = arriving[n].pop(t, None)
                left, u[n], v[n], sent[n] = step_group(g, u[n], v[n], a, bias[n][min(k, len(bias[n]) - 1)])
                self._refuse(strict and (left or (n in integrators and bool(sent[n].any()))), start, inputs, k + 1)
                for store, names, value in (("u", states, u), ("v", states, v), ("s", spikes, sent)):
                    if n in names:
                        kept[store][n].append(value[n])
            for bundle in self._bundles:
                self._refuse(self._deliver(bundle, sent, arriving, t) and strict, start, inputs, k + 1)
            for i, c in enumerate(self.program.connections):
                sops[:, i] += (sent[c.source] * self._reach[i]).sum(1)  # not a product: GPUs have none of integers
        sent_ = self._stacked(kept["s"], spikes, batch, np.uint8)
        u_, v_ = (self._stacked(kept[k], states, batch, np.int32) for k in "uv")
        ran = Ran(sent_, {name: {"u": u_[name], "v": v_[name]} for name in u_}, sops.cpu().numpy())
        return ran, State(start.t + steps, u, v, arriving, loaded)

    def _deliver(self, bundle: Bundle, sent: dict[str, Tensor], arriving: dict[str, dict[int, Tensor]], t: int) -> bool:
        """Adds what one bundle sends. Gives whether a convolution's sum left its word."""
        c = bundle.connection
        a = bundle.sums(sent[c.source], self.program.shape_of(c.source))
        left = False
        if isinstance(c, Conv):
            wrapped = ((a + fixed.WRAP_AT) & ((1 << fixed.STATE_BITS) - 1)) - fixed.WRAP_AT
            left, a = not torch.equal(a, wrapped), wrapped
        box = arriving[c.target]
        at = t + 1 + bundle.delay
        box[at] = box[at] + a if at in box else a
        return left

    def _refuse(self, left: bool, start: State, inputs: Mapping[str, Ints], steps: int) -> None:
        """Raises what the reference raises, by running it from where this run began."""
        if left:
            reference.run(self.program, inputs, steps, lambda *_: None, "strict", self.as_reference(start))
            last = start.t + steps
            raise LeftOutside("engine", "value outside a sample", got=f"step {last}", relation="leaves its word")

    def _split(self, connection: Connection) -> list[Bundle]:
        if isinstance(connection, Conv):
            return [Bundle(connection, self._exact(connection.weight), connection.delay)]
        shape = (prod(self.program.shape_of(connection.target)), prod(self.program.shape_of(connection.source)))
        weight, delay = np.zeros(shape, np.int64), np.zeros(shape, np.int8)
        at = slice(None) if isinstance(connection, Dense) else (connection.row, connection.col)
        weight[at], delay[at] = connection.weight, connection.delay
        used = np.unique(connection.delay)
        return [Bundle(connection, self._exact(np.where(delay == d, weight, 0)), int(d)) for d in used]

    def _exact(self, weight: NDArray[Any]) -> Tensor:
        largest = int(np.abs(weight.astype(np.int64)).reshape(len(weight), -1).sum(1).max(initial=0))
        dtype = next(d for d, limit in EXACT.items() if largest < limit)
        return torch.from_numpy(weight.astype(np.int64)).to(self.device, dtype)

    def _bias(self, group: LIF, inputs: Mapping[str, Ints], loaded: dict[str, Ints]) -> Tensor:
        """`(T or 1, B or 1, n)`; the last mantissas from the host go into `loaded`."""
        encoder = next((e for e in self.program.encoders if e.synapses.target == group.name), None)
        x = inputs[encoder.synapses.source] if encoder else np.zeros(0, np.int64)
        if encoder and len(x):
            shape = self.program.shape_of(encoder.synapses.source)
            constant = all(np.array_equal(x[0], later) for later in x[1:])
            mant = np.stack([reference.encode(encoder, s, shape, group.shape) for s in (x[:1] if constant else x)])
            loaded[group.name] = mant[-1]
        else:
            mant = loaded.get(group.name, group.bias_mant.astype(np.int64).reshape(1, -1))[None]
        return self._tensor(mant << group.bias_exp)

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values).astype(np.int64)).to(self.device)

    def _stacked(
        self, kept: Mapping[str, list[Tensor]], names: Collection[str], batch: int, dtype: type[np.generic]
    ) -> dict[str, NDArray[Any]]:
        """`(steps, B, *shape)` of each of these groups, also where no step was run."""
        found: dict[str, NDArray[Any]] = {}
        for name in (g.name for g in self.program.groups if g.name in names):
            shape = self.program.shape_of(name)
            x = torch.stack(kept[name]).cpu().numpy().astype(dtype) if name in kept else np.zeros(0, dtype)
            found[name] = x.reshape(len(x), batch, *shape)
        return found


def step_group(group: LIF, u: Tensor, v: Tensor, a: Tensor | None, bias: Tensor) -> tuple[bool, Tensor, Tensor, Tensor]:
    """`sim/rules/lif.py` on tensors; the first entry says whether u or v left its word."""
    full = decay(u, fixed.keep_u(group.du)) + (0 if a is None else a << fixed.ACT_SHIFT)
    x = ((full + (1 << 31)) & ((1 << 32) - 1)) - (1 << 31)
    span = 1 << fixed.STATE_BITS
    u = torch.where(x > fixed.WRAP_AT, x - span, torch.where(x <= -fixed.WRAP_AT, x + span, x))
    y = decay(v, fixed.keep_v(group.dv)) + u + bias
    v = y.clamp(-fixed.V_MAX, fixed.V_MAX)
    s = v > group.vth << fixed.ACT_SHIFT
    left = not (torch.equal(u, full) and torch.equal(v, y))
    return left, u, v.masked_fill(s, 0), s.long()


def decay(x: Tensor, keep: int) -> Tensor:
    """`fixed.decay` on tensors."""
    return torch.sign(x) * ((x.abs() * keep) >> fixed.DECAY_BITS)
