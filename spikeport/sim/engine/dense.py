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


class DenseEngine:
    """Runs a Program from the cleared state, all samples and all synapses at once.

    Args:
        device: As torch names it, such as "cpu" or "cuda"; the GPU if there is one and None is named.
    """

    def __init__(self, program: Program, device: str | None = None) -> None:
        self.program = program
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._bundles = [bundle for c in program.connections for bundle in self._split(c)]
        shapes = (program.shape_of(c.source) for c in program.connections)
        self._reach = [self._tensor(fan_out(c, s)) for c, s in zip(program.connections, shapes, strict=True)]

    def run(
        self, inputs: Mapping[str, Ints], steps: int, *, strict: bool, spikes: Collection[str] = (),
        states: Collection[str] = (),
    ) -> Ran:  # fmt: skip
        """As `EventEngine.run`, from the first step.

        Raises:
            OverflowDetected: under `strict`, for the first value that leaves its word.
        """
        batch = next(iter(inputs.values())).shape[1]
        groups, integrators = self.program.lifs, self.program.integrators
        u = {g.name: self._zeros(batch, g.size) for g in groups}
        v = {g.name: self._zeros(batch, g.size) for g in groups}
        arriving: dict[str, dict[int, Tensor]] = {g.name: {} for g in groups}
        kept: dict[str, dict[str, list[Tensor]]] = {k: defaultdict(list) for k in "uvs"}
        x = {name: self._tensor(values) for name, values in inputs.items()}
        bias = {g.name: self._bias(g, inputs) for g in groups}
        sops = torch.zeros(batch, len(self.program.connections), dtype=torch.int64, device=self.device)
        for t in range(1, steps + 1):
            sent = {n: values[t - 1] if t <= len(values) else torch.zeros_like(values[0]) for n, values in x.items()}
            for g in groups:
                n = g.name
                if g.resets_before(t):
                    u[n], v[n] = torch.zeros_like(u[n]), torch.zeros_like(v[n])
                a = arriving[n].pop(t, None)
                left, u[n], v[n], sent[n] = step_group(g, u[n], v[n], a, bias[n][min(t, len(bias[n])) - 1])
                self._refuse(strict and (left or (n in integrators and bool(sent[n].any()))), inputs, t)
                for store, names, value in (("u", states, u), ("v", states, v), ("s", spikes, sent)):
                    if n in names:
                        kept[store][n].append(value[n])
            for bundle in self._bundles:
                self._refuse(self._deliver(bundle, sent, arriving, t) and strict, inputs, t)
            for k, c in enumerate(self.program.connections):
                sops[:, k] += (sent[c.source] * self._reach[k]).sum(1)  # not a product: GPUs have none of integers
        sent_, u_, v_ = (self._stacked(kept[k], t) for k, t in (("s", np.uint8), ("u", np.int32), ("v", np.int32)))
        return Ran(sent_, {name: {"u": u_[name], "v": v_[name]} for name in u_}, sops.cpu().numpy())

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

    def _refuse(self, left: bool, inputs: Mapping[str, Ints], t: int) -> None:
        """Raises what the reference raises, by running it up to step t."""
        if left:
            reference.run(self.program, inputs, t, lambda *_: None, "strict")
            raise LeftOutside("engine", "value outside a sample", got=f"step {t}", relation="leaves its word")

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

    def _bias(self, group: LIF, inputs: Mapping[str, Ints]) -> Tensor:
        """`(T or 1, B or 1, n)`."""
        encoder = next((e for e in self.program.encoders if e.synapses.target == group.name), None)
        if encoder is None:
            mant = group.bias_mant.astype(np.int64).reshape(1, 1, -1)
        else:
            x, shape = inputs[encoder.synapses.source], self.program.shape_of(encoder.synapses.source)
            constant = all(np.array_equal(x[0], later) for later in x[1:])
            mant = np.stack([reference.encode(encoder, s, shape, group.shape) for s in (x[:1] if constant else x)])
        return self._tensor(mant << group.bias_exp)

    def _zeros(self, *shape: int) -> Tensor:
        return torch.zeros(shape, dtype=torch.int64, device=self.device)

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values).astype(np.int64)).to(self.device)

    def _stacked(self, kept: Mapping[str, list[Tensor]], dtype: type[np.generic]) -> dict[str, NDArray[Any]]:
        arrays = {name: torch.stack(values).cpu().numpy().astype(dtype) for name, values in kept.items()}
        return {name: x.reshape(*x.shape[:2], *self.program.shape_of(name)) for name, x in arrays.items()}


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
