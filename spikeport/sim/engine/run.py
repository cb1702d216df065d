"""`EventEngine`: a Program made ready, its state, and runs of any length on it."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport import fixed
from spikeport.errors import SimError
from spikeport.fixed import Ints
from spikeport.program import LIF, Encoder, Program
from spikeport.sim import reference
from spikeport.sim.engine import columns as col
from spikeport.sim.engine.layout import Layout, Table, channels_first, channels_last, lay_out
from spikeport.sim.engine.loop import run_span
from spikeport.sim.state import State as ReferenceState


@dataclass(eq=False)
class State:
    """Where a run stands: everything that the next step depends on, batch first, engine order."""

    t: int
    """Hardware steps done."""
    u: NDArray[np.int32]
    v: NDArray[np.int32]
    buffer: NDArray[np.int32]
    """What is on its way, by connection and arrival."""


@dataclass(frozen=True, eq=False)
class Ran:
    """What some steps of a run gave; time first, Program order."""

    sent: Mapping[str, NDArray[np.uint8]]
    """`(steps, B, *shape)` spikes of the groups that were asked for."""
    u: Mapping[str, NDArray[np.int32]]
    v: Mapping[str, NDArray[np.int32]]
    sops: NDArray[np.int64]
    """`(B, connections)` synaptic operations, in the Program's order."""


class EventEngine:
    """Runs a Program by walking its spikes; equals `reference.run` in every value.

    Args:
        threads: Samples run side by side on so many threads; all cores if None.
    """

    def __init__(self, program: Program, threads: int | None = None) -> None:
        self.program = program
        self.layout: Layout = lay_out(program)
        self.threads = threads or cpu_count() or 1
        self._encoded = {e.synapses.target: e for e in program.encoders}

    def start(self, batch: int) -> State:
        """The cleared state."""
        n, size = self.layout.n_neurons, self.layout.buffer_size
        return State(
            0, np.zeros((batch, n), np.int32), np.zeros((batch, n), np.int32), np.zeros((batch, size), np.int32)
        )

    def run(
        self,
        state: State,
        inputs: Mapping[str, Ints],
        steps: int,
        *,
        strict: bool,
        spikes: Collection[str] = (),
        states: Collection[str] = (),
    ) -> Ran:
        """Runs `steps` more steps; `state` goes on.

        Args:
            inputs: `(T, B, n)` for each input; the k-th step of this call takes entry k, and zeros after T.
            spikes, states: Groups whose spikes, and whose u and v, are kept.

        Raises:
            OverflowDetected: under `strict`, for the first value that leaves its word.
        """
        lay = self.layout
        batch = len(state.u)
        x = self._spike_inputs(inputs, batch)
        coded, coded_at = self._biases(inputs, batch)
        spikes_at, n_spikes = self._places(spikes)
        states_at, n_states = self._places(states)
        out = np.zeros((batch, steps, n_spikes), np.uint8)
        u_out = np.zeros((batch, steps, n_states), np.int32)
        v_out = np.zeros_like(u_out)
        sops = np.zeros((batch, len(lay.connections)), np.int64)
        failed = np.zeros((batch, 2), np.int64)
        weights = (lay.bytes_, lay.words, lay.pointers, lay.targets, lay.delays, lay.runs)
        tables = (lay.groups, lay.connections, weights, lay.bias, lay.node_offset, len(self.program.inputs))
        before = self.as_reference(state) if strict and state.t else None
        self._spans(
            batch,
            (
                tables,
                steps,
                state.t,
                strict,
                x,
                coded,
                coded_at,
                (state.u, state.v, state.buffer),
                (out, spikes_at),
                (u_out, v_out, states_at),
                sops,
                failed,
            ),
        )
        if failed.any():
            explain(self.program, inputs, failed, before)
        state.t += steps
        by_connection = np.zeros((len(self.program.connections), batch), np.int64)
        np.add.at(by_connection, lay.origin, sops.T)
        return Ran(
            self._kept(out, spikes, spikes_at),
            self._kept(u_out, states, states_at),
            self._kept(v_out, states, states_at),
            by_connection.T,
        )

    def as_reference(self, state: State) -> ReferenceState:
        """The same state as the reference interpreter keeps it."""
        lay = self.layout
        groups, arriving = {}, {}
        for row, group in zip(lay.groups, self.program.lifs, strict=True):
            at = slice(row[col.OFFSET], row[col.OFFSET] + group.size)
            u, v = (channels_first(x[:, at].astype(np.int64), group.shape) for x in (state.u, state.v))
            groups[group.name] = {"u": u.reshape(len(u), -1), "v": v.reshape(len(v), -1)}
            parts = lay.connections[row[col.FIRST_IN] : row[col.LAST_IN]]
            arriving[group.name, "a"] = self._in_flight(state, group, parts)
        return ReferenceState(state.t, groups, arriving, {})

    def _in_flight(self, state: State, group: LIF, parts: Table) -> dict[int, Ints]:
        """What one group will receive, by hardware step."""
        box: dict[int, Ints] = {}
        for row in parts:
            for t in range(state.t + 1, state.t + 1 + row[col.SLOTS]):
                start = row[col.BUFFER] + t % row[col.SLOTS] * row[col.N_TARGET]
                a = fixed.shift(state.buffer[:, start : start + row[col.N_TARGET]].astype(np.int64), int(row[col.EXP]))
                a = fixed.wrap_conv(a) if row[col.KIND] == col.CONV else a
                box[t] = box.get(t, 0) + channels_first(a, group.shape).reshape(len(a), -1)
        return box

    def _spike_inputs(self, inputs: Mapping[str, Ints], batch: int) -> NDArray[np.uint8]:
        """`(B, T, sum of inputs)`, channel last; nothing for inputs that become a bias."""
        program = self.program
        steps = max(len(x) for x in inputs.values())
        out = np.zeros((batch, steps, sum(entry.size for entry in program.inputs)), np.uint8)
        first = 0
        for entry in program.inputs:
            if entry.kind == "spike":
                x = inputs[entry.name]
                out[:, : len(x), first : first + entry.size] = channels_last(x, entry.shape).swapaxes(0, 1)
            first += entry.size
        return out

    def _biases(self, inputs: Mapping[str, Ints], batch: int) -> tuple[NDArray[np.int32], Table]:
        """Biases that the host loads, `(B, T or 1, neurons)`, and where each group's start, or -1."""
        at = np.full(len(self.program.lifs), -1, np.int64)
        parts: list[NDArray[np.int32]] = []
        width = 0
        for g, group in enumerate(self.program.lifs):
            if encoder := self._encoded.get(group.name):
                at[g], width = width, width + group.size
                parts.append(self._encode(encoder, inputs[encoder.synapses.source]))
        if not parts:
            return np.zeros((batch, 1, 1), np.int32), at
        steps = max(part.shape[1] for part in parts)
        return np.concatenate([np.broadcast_to(p, (batch, steps, p.shape[2])) for p in parts], axis=2), at

    def _encode(self, encoder: Encoder, x: Ints) -> NDArray[np.int32]:
        """Once if the input is constant over time, else at each step."""
        target = next(g for g in self.program.lifs if g.name == encoder.synapses.target)
        if all(np.array_equal(x[0], later) for later in x[1:]):
            x = x[:1]
        shape = self.program.shape_of(encoder.synapses.source)
        mant = np.stack([reference.encode(encoder, step, shape, target.shape) for step in x], axis=1)
        return channels_last((mant << target.bias_exp).astype(np.int32), target.shape)

    def _places(self, names: Collection[str]) -> tuple[Table, int]:
        """Where each node's neurons start in an array of the kept ones, or -1; and that array's width."""
        at = np.full(len(self.layout.node_offset) - 1, -1, np.int64)
        width = 0
        for g, group in enumerate(self.program.lifs):
            if group.name in names:
                at[len(self.program.inputs) + g], width = width, width + group.size
        return at, width

    def _kept(self, array: NDArray[Any], names: Collection[str], at: Table) -> dict[str, NDArray[Any]]:
        """`(B, steps, kept)` in engine order to `(steps, B, *shape)` by group; a view."""
        kept = {}
        for g, group in enumerate(self.program.lifs):
            node = len(self.program.inputs) + g
            if group.name in names:
                part = array[:, :, at[node] : at[node] + group.size].swapaxes(0, 1)
                kept[group.name] = channels_first(part, group.shape)
        return kept

    def _spans(self, batch: int, arguments: tuple[Any, ...]) -> None:
        """The batch in as many spans as there are threads; the compiled code holds no lock."""
        threads = min(self.threads, batch)
        if threads == 1:
            run_span(0, batch, *arguments)
            return
        edges = np.linspace(0, batch, threads + 1).astype(int).tolist()
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(run_span, a, b, *arguments) for a, b in zip(edges, edges[1:], strict=False)]:
                done.result()


class LeftOutside(SimError):
    """A value left its word where no sample is (`reference.watched`); the engine does not go on from there."""


def supports(program: Program) -> bool:
    """Whether the fast engines can run it: plain leaky integrate-and-fire neurons and spikes without payload."""
    plain = all(
        isinstance(g, LIF) and g.reset == "zero" and not g.refractory_steps and g.vth_low is None
        for g in program.groups
    )
    return (
        plain
        and not any(c.graded for c in program.connections)
        and all(entry.kind in ("spike", "bias") for entry in program.inputs)
    )


def explain(program: Program, inputs: Mapping[str, Ints], failed: Table, before: ReferenceState | None) -> None:
    """Raises what the reference raises: it repeats the run up to where a value left its word.

    Raises:
        OverflowDetected: names layer, step, neuron and value.
        LeftOutside: the reference takes no offence, because the step belongs to no sample.
    """
    last = int(failed[failed[:, 0] > 0, 0].min())
    steps = last - (0 if before is None else before.t)
    reference.run(program, inputs, steps, lambda *_: None, "strict", before)
    raise LeftOutside("engine", "value outside a sample", got=f"step {last}", relation="leaves its word")
