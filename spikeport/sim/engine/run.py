"""`EventEngine`: a Program made ready, its state, and runs of any length on it."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from spikeport.errors import OverflowDetected, SimError
from spikeport.fixed import Ints
from spikeport.program import LIF, Encoder, Program
from spikeport.sim import reference
from spikeport.sim.engine.layout import Layout, Table, channels_last, lay_out
from spikeport.sim.engine.loop import NARROW, run_span
from spikeport.sim.engine.record import Asked, Record
from spikeport.sim.engine.state import State as State
from spikeport.sim.engine.state import as_reference, cleared, put_aside, put_back
from spikeport.sim.state import State as ReferenceState
from spikeport.threads import threads as allowed


@dataclass(frozen=True, eq=False)
class Ran:
    """What some steps of a run gave; time first, Program order."""

    sent: Mapping[str, NDArray[Any]]
    """`(steps, B, *shape)` of the groups that were asked for: int32 where they are signed, else uint8."""
    states: Mapping[str, Mapping[str, NDArray[np.int32]]]
    """Likewise, by group and variable."""
    sops: NDArray[np.int64]
    """`(B, connections)` synaptic operations, in the Program's order."""


class EventEngine:
    """Runs a Program by walking its spikes; equals `reference.run` in every value. One run at a time.

    Args:
        threads: Samples run side by side on so many threads; as many as `spikeport.threads` allows if None.
    """

    def __init__(self, program: Program, threads: int | None = None) -> None:
        self.program = program
        self.layout: Layout = lay_out(program)
        self.threads = threads or allowed()
        self._encoded = {e.synapses.target: e for e in program.encoders}
        self._constants: dict[str, tuple[Any, Any]] = {}
        self._asked: Asked | None = None
        self._aside: State | None = None
        self._no_biases = np.full(len(program.groups), -1, np.int64)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads)

    @cached_property
    def _row_of(self) -> Table | None:
        """The row of each connection of the Program; None where some have several."""
        origin = self.layout.origin
        return np.argsort(origin) if len(np.unique(origin)) == len(origin) == len(self.program.connections) else None

    def start(self, batch: int) -> State:
        """The cleared state."""
        return cleared(self.layout, batch)

    def run(
        self,
        state: State,
        inputs: Mapping[str, Ints],
        steps: int,
        *,
        strict: bool,
        narrow: bool = False,
        spikes: Collection[str] = (),
        states: Collection[str] = (),
    ) -> Ran:
        """Runs `steps` more steps; `state` goes on, or stays as it was where an error is raised.

        Args:
            inputs: `(T, B, n)` for each input; the k-th step of this call takes entry k, and zeros after T.
            narrow: Stops as well where a value leaves a Loihi 1's words; the engine has no arithmetic for that.
            spikes, states: Groups of which what they send, and their state, are kept.

        Raises:
            OverflowDetected: under `strict`, for the first value that leaves its word; else as the reference does.
            LeftOutside: under `narrow`, in place of any such error.
        """
        lay = self.layout
        batch = len(state.u)
        try:
            coded, coded_at, loaded = self._biases(state, inputs, batch, steps)
        except OverflowDetected:  # by the host, maybe at a later step than another's
            self._explain(state, inputs, steps, strict, narrow)
        if strict or narrow or lay.longs_size:
            self._aside = put_aside(state, self._aside)
        x, graded = self._inputs(inputs, batch)
        record = Record(self._asked_for(spikes, states), batch, steps)
        sops = np.zeros((batch, len(lay.connections)), np.int64)
        failed = np.zeros((batch, 2), np.int64)
        stops = NARROW if narrow else int(strict)
        values = (state.u, state.v, state.more, state.buffer, state.longs)
        kept = (record.sent_arrays, record.state_arrays, sops, failed)
        self._spans(batch, (self._tables, steps, state.t, stops, x, graded, coded, coded_at, values, *kept))
        if failed.any():
            put_back(state, self._aside)
            self._explain(state, inputs, int(failed[failed[:, 0] > 0, 0].min()) - state.t, strict, narrow)
        state.t += steps
        state.loaded.update(loaded)
        return Ran(record.sent(), record.states(), self._by_connection(sops))

    @cached_property
    def _tables(self) -> tuple[Any, ...]:
        lay = self.layout
        weights = (lay.bytes_, lay.words, lay.pointers, lay.targets, lay.delays, lay.runs)
        return lay.groups, lay.connections, weights, lay.bias, lay.node_offset, lay.node_signed

    def _asked_for(self, spikes: Collection[str], states: Collection[str]) -> Asked:
        """Made again only where it is not what the call before asked for."""
        wanted = frozenset(spikes), frozenset(states)
        if self._asked is None or (self._asked.spikes, self._asked.states) != wanted:
            self._asked = Asked(self.program, *wanted)
        return self._asked

    def _by_connection(self, sops: NDArray[np.int64]) -> NDArray[np.int64]:
        if self._row_of is not None:
            return sops[:, self._row_of]
        found = np.zeros((len(self.program.connections), len(sops)), np.int64)
        np.add.at(found, self.layout.origin, sops.T)
        return found.T

    def as_reference(self, state: State) -> ReferenceState:
        """The same state as the reference interpreter keeps it."""
        return as_reference(self.layout, state)

    def _explain(self, state: State, inputs: Mapping[str, Ints], steps: int, strict: bool, narrow: bool) -> NoReturn:
        """Raises what the reference raises, by running it from `state`, where this run began.

        Raises:
            OverflowDetected: names layer, step, neuron and value.
            LeftOutside: the reference takes no offence, because the step belongs to no sample; or under `narrow`.
        """
        if narrow:
            raise LeftOutside("engine", "value", relation="leaves its word", do="let the reference run")
        before = self.as_reference(state) if state.t else None
        reference.run(self.program, inputs, steps, lambda *_: None, "strict" if strict else "lava", before)
        last = steps + state.t
        raise LeftOutside("engine", "value outside a sample", got=f"step {last}", relation="leaves its word")

    @cached_property
    def _places(self) -> tuple[Table, int, int]:
        """Where each graded input's payloads start, or -1; how many neurons all inputs have, and all graded ones."""
        sizes = [entry.size if entry.kind == "graded" else 0 for entry in self.program.inputs]
        at = np.where(sizes, np.cumsum([0, *sizes[:-1]]), -1)
        return at, sum(entry.size for entry in self.program.inputs), sum(sizes)

    def _inputs(
        self, inputs: Mapping[str, Ints], batch: int
    ) -> tuple[NDArray[np.uint8], tuple[NDArray[np.int32], Table]]:
        """`(B, T, sum of inputs)` where something is sent, channel last; nothing for inputs that become a bias.

        With it the payloads of graded inputs, `(B, T, sum of these)`, and where each input's start, or -1.
        """
        entries = self.program.inputs
        at, width, payload_width = self._places
        steps = max(len(x) for x in inputs.values())
        x = np.zeros((batch, steps, width), np.uint8)
        payloads = np.zeros((batch, steps, payload_width), np.int32)
        first = 0
        for k, entry in enumerate(entries):
            if entry.kind != "bias":
                values = channels_last(inputs[entry.name], entry.shape).swapaxes(0, 1)
                x[:, : values.shape[1], first : first + entry.size] = (
                    values if values.dtype == np.uint8 else values != 0
                )
                if entry.kind == "graded":
                    payloads[:, : values.shape[1], at[k] : at[k] + entry.size] = values
            first += entry.size
        return x, (payloads, at)

    def _biases(
        self, state: State, inputs: Mapping[str, Ints], batch: int, steps: int
    ) -> tuple[NDArray[np.int32], Table, dict[str, Ints]]:
        """Biases that the host loads, `(B, T or 1, neurons)`; where each group's start, or -1; the last mantissas."""
        if not self._encoded:
            return np.zeros((batch, 1, 1), np.int32), self._no_biases, {}
        at = np.full(len(self.program.groups), -1, np.int64)
        parts: list[NDArray[np.int32]] = []
        loaded: dict[str, Ints] = {}
        width = 0
        for g, group in enumerate(self.program.groups):
            if isinstance(group, LIF) and (encoder := self._encoded.get(group.name)):
                at[g], width = width, width + group.size
                x = inputs[encoder.synapses.source][:steps]
                mant = self._encode(encoder, x, group) if len(x) else self._last(state, group, batch)
                if len(x):
                    loaded[group.name] = mant[:, -1]
                parts.append(channels_last((mant << group.bias_exp).astype(np.int32), group.shape))
        longest = max(part.shape[1] for part in parts)
        return np.concatenate([np.broadcast_to(p, (batch, longest, p.shape[2])) for p in parts], axis=2), at, loaded

    def _encode(self, encoder: Encoder, x: Ints, target: LIF) -> Ints:
        """Mantissas `(B, T or 1, n)`: once if the input is constant over time, else at each step.

        A constant that comes again, call by call, is not encoded again.
        """
        shape = self.program.shape_of(encoder.synapses.source)
        if not all(np.array_equal(x[0], later) for later in x[1:]):
            return np.stack([reference.encode(encoder, step, shape, target.shape) for step in x], axis=1)
        last, mant = self._constants.get(target.name, (None, None))
        if last is None or not np.array_equal(last, x[0]):
            mant = reference.encode(encoder, x[0], shape, target.shape)
            self._constants[target.name] = (x[0].copy(), mant)
        return mant[:, None]

    def _last(self, state: State, group: LIF, batch: int) -> Ints:
        """Mantissas `(B, 1, n)` that stand where this run brings no input."""
        own = np.broadcast_to(group.bias_mant.astype(np.int64).reshape(-1), (batch, group.size))
        return state.loaded.get(group.name, own)[:, None]

    def _spans(self, batch: int, arguments: tuple[Any, ...]) -> None:
        """The batch in as many spans as there are threads; the compiled code holds no lock."""
        threads = min(self.threads, batch)
        if threads == 1:
            run_span(0, batch, *arguments)
            return
        edges = np.linspace(0, batch, threads + 1).astype(int).tolist()
        for done in [self._pool.submit(run_span, a, b, *arguments) for a, b in zip(edges, edges[1:], strict=False)]:
            done.result()


class LeftOutside(SimError):
    """A value left its word where no sample is (`reference.watched`), or a Loihi 1's; the engine does not go on."""
