"""A competitor: the same integers as batched matrix products in torch, every synapse at every step.

Sums are float32, which is exact while they stay below 2^24; decays are int32, split so that nothing overflows.
Meant for programs without loops and delays; anything else is refused.
"""

import numpy as np
import torch
from torch import Tensor

from spikeport import fixed
from spikeport.bench.engine import Arrays
from spikeport.errors import ProgramType, WeightsUnheld
from spikeport.fixed import Ints
from spikeport.program import Connection, Conv, Dense, Program
from spikeport.sim import reference

EXACT = 1 << 24


class TorchDense:
    """A Program made ready; call it with inputs `{name: (T, B, n)}` for the spikes `(T + latency, B, n)`."""

    def __init__(self, program: Program, threads: int = 1) -> None:
        torch.set_num_threads(threads)
        self.program = program
        self.weights = [_weight(c) for c in program.connections]
        self.bias = [torch.tensor(g.bias_mant.astype(np.int32).reshape(-1) << g.bias_exp) for g in program.lifs]
        self.encoders = {e.synapses.target: e for e in program.encoders}

    @torch.inference_mode()
    def __call__(self, inputs: Arrays) -> Ints:
        program = self.program
        steps, batch = next(iter(inputs.values())).shape[:2]
        x = {name: torch.from_numpy(np.ascontiguousarray(v, dtype=np.float32)) for name, v in inputs.items()}
        silent = {name: torch.zeros_like(v[0]) for name, v in x.items()}
        u = [torch.zeros(batch, g.size, dtype=torch.int32) for g in program.lifs]
        v = [torch.zeros_like(a) for a in u]
        arriving = {g.name: torch.zeros(batch, g.size) for g in program.groups}
        coded = self._coded(inputs)
        out = []
        for t in range(1, steps + program.latency + 1):
            spikes = {name: x[name][t - 1] if t <= steps else silent[name] for name in x}
            for k, group in enumerate(program.lifs):
                if group.resets_before(t):
                    u[k].zero_()
                    v[k].zero_()
                bias = coded[group.name][min(t, steps) - 1] if group.name in coded else self.bias[k]
                a = arriving[group.name].to(torch.int32) << fixed.ACT_SHIFT
                u[k] = a if group.du == fixed.DECAY_ONE - 1 else _decay(u[k], fixed.keep_u(group.du)).add_(a)
                v[k] = _decay(v[k], fixed.keep_v(group.dv)).add_(u[k]).add_(bias)
                s = v[k] > group.vth << fixed.ACT_SHIFT
                v[k].masked_fill_(s, 0)
                spikes[group.name] = s.to(torch.float32)
            arriving = {name: torch.zeros(()) for name in arriving}
            for connection, weight in zip(program.connections, self.weights, strict=True):
                a = self._deliver(connection, weight, spikes[connection.source])
                arriving[connection.target] = arriving[connection.target] + a
            out.append(spikes[program.outputs[0].source])
        return torch.stack(out).to(torch.uint8).numpy()

    def _deliver(self, connection: Connection, weight: Tensor, s: Tensor) -> Tensor:
        if isinstance(connection, Conv):
            shaped = s.reshape(len(s), *self.program.shape_of(connection.source))
            geometry = connection.stride, connection.padding, connection.dilation, connection.groups
            return torch.nn.functional.conv2d(shaped, weight, None, *geometry).reshape(len(s), -1)
        return s @ weight

    def _coded(self, inputs: Arrays) -> dict[str, Tensor]:
        """Biases that the host loads, `(T, B, n)` by group; encoded once where the input is constant."""
        coded = {}
        for name, encoder in self.encoders.items():
            x, group = inputs[encoder.synapses.source], next(g for g in self.program.lifs if g.name == name)
            shape = self.program.shape_of(encoder.synapses.source)
            distinct = x[:1] if (x == x[:1]).all() else x
            mant = np.stack([reference.encode(encoder, step, shape, group.shape) for step in distinct])
            bias = torch.tensor((mant << group.bias_exp).astype(np.int32))
            coded[name] = bias.expand(len(x), -1, -1)
        return coded


def _weight(connection: Connection) -> Tensor:
    where = f"{connection.source} -> {connection.target}"
    if not isinstance(connection, Dense | Conv) or np.any(connection.delay) or connection.weight_exp < 0:
        raise ProgramType(where, "connection", got=type(connection).__name__, relation="is not plain dense or conv")
    weight = connection.weight.astype(np.int64) << connection.weight_exp
    bound = int(np.abs(weight).reshape(len(weight), -1).sum(axis=1).max())
    if bound >= EXACT:
        raise WeightsUnheld(where, "largest sum", got=bound, relation="is not below", limit=EXACT)
    tensor = torch.tensor(weight, dtype=torch.float32)
    return tensor if isinstance(connection, Conv) else tensor.T.contiguous()


def _decay(x: Tensor, keep: int) -> Tensor:
    """As `fixed.decay`, in int32: |x| = high * 4096 + low, and high * keep is exact."""
    size = x.abs()
    kept = (size >> fixed.DECAY_BITS).mul_(keep)
    kept += (size & (fixed.DECAY_ONE - 1)).mul_(keep) >> fixed.DECAY_BITS
    return kept.mul_(x.sign())
