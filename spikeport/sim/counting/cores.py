"""Program, Result and Cores -> CoreActivity: events by class of source neuron in one pass, then small products."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy import sparse

from spikeport.cores import Cores
from spikeport.errors import InputError
from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.sim.counting.active import in_order, reach_of
from spikeport.sim.counting.class_events import count_events, event_bytes
from spikeport.sim.counting.core_activity import KINDS
from spikeport.sim.counting.core_activity import CoreActivity as CoreActivity
from spikeport.sim.counting.count import check_result
from spikeport.sim.counting.marks import active_marks
from spikeport.sim.counting.routes import Routes, n_links, routes
from spikeport.sim.counting.senders import Sender, sender
from spikeport.sim.counting.windows import sample_windows
from spikeport.sim.result import Result

ROOM = 1 << 22
"""How many counters, or marks, there are at a time; samples come in batches that need no more."""


def count_cores(program: Program, result: Result, cores: Cores) -> CoreActivity:
    """Counts what the samples of a run caused inside `sample_windows`, core by core.

    Encoders run on the host and send no messages, and outputs are read without any.

    Raises:
        InputError: the Result or the Cores do not belong to the Program.
    """
    check_result(program, result)
    _check_cores(program, cores)
    steps, samples = result.spikes.shape[:2]
    windows, sums = sample_windows(program, steps), _Sums.zeros(cores, steps * samples)
    sent = {name: event_bytes(result.sent[name]) for name in _senders(program)}
    for name, spikes in sent.items():
        table, window = sender(program, cores, name), windows[name]
        way = routes(cores, table.pairs) if name in cores.cuts else None
        inside = spikes[window.start - 1 : window.stop - 1]
        for some, rows in _batches(window, steps, samples, table.core.size):
            events = count_events(inside[:, some], table.label, table.core.size)
            sums.add_events(name, table, way, rows, events)
    for name, cut in cores.cuts.items():
        label, first, window = cut.labels().astype(np.int32), cores.first[name], windows[name]
        into = [c for c in program.connections if c.target == name]
        reaches = in_order([reach_of(c, program.shape_of(c.source)) for c in into])
        for some, rows in _batches(window, steps, samples, label.size):
            marks = active_marks(
                reaches, {c.source: sent[c.source][:, some] for c in into}, sent[name][:, some], window
            )
            sums.active[rows, first : first + cut.cores] += count_events(marks, label, cut.cores)
    return sums.activity(cores, samples, steps)


def _senders(program: Program) -> list[str]:
    """All that sends events: what a host encodes is none."""
    return [i.name for i in program.inputs if i.kind != "bias"] + [g.name for g in program.groups]


@dataclass(frozen=True, eq=False)
class _Sums:
    """A CoreActivity in the making; arrays as there, links and routes `(rows, n)`."""

    sops: Mapping[str, Ints]
    active: Ints
    spikes: Ints
    messages_in: Ints
    messages_out: Ints
    links: Ints
    routes: Ints
    groups: dict[str, tuple[int, int, int, int]]
    """Messages, hops in x and in y, messages off the chip."""

    @classmethod
    def zeros(cls, cores: Cores, rows: int) -> "_Sums":
        def zeros(n: int = cores.count) -> Ints:
            return np.zeros((rows, n), np.int64)

        sops, links, kinds_of_routes = {kind: zeros() for kind in KINDS}, n_links(cores), prod(cores.chip.mesh)
        groups = dict.fromkeys(cores.cuts, (0, 0, 0, 0))
        return cls(sops, zeros(), zeros(), zeros(), zeros(), zeros(links), zeros(kinds_of_routes), groups)

    def add_events(self, name: str, table: Sender, way: Routes | None, rows: Ints, events: Ints) -> None:
        """Of one node and some samples; without a way, the node is an input.

        Args:
            events: `(rows, classes)`.
        """
        for kind, synapses in table.synapses.items():
            self.sops[kind][rows] += events @ synapses
        traffic, cores = events @ table.messages, self.spikes.shape[1]
        self.messages_in[rows] += _binned(traffic, table.pairs[:, 1], cores)
        if way is None:
            return
        self.spikes[rows] += _binned(events, table.core, cores)
        self.messages_out[rows] += _binned(traffic, table.pairs[:, 0], cores)
        self.links[rows] += traffic @ way.links
        self.routes[rows] += _binned(traffic * (1 - way.leaves), way.kind, self.routes.shape[1])
        of_pair = traffic.sum(axis=0)
        more = (of_pair.sum(), *(of_pair @ way.hops), of_pair @ way.leaves)
        messages, hops_x, hops_y, off_chip = (a + int(b) for a, b in zip(self.groups[name], more, strict=True))
        self.groups[name] = messages, hops_x, hops_y, off_chip

    def activity(self, cores: Cores, samples: int, steps: int) -> CoreActivity:
        messages, hops_x, hops_y, off_chip = ({name: n[k] for name, n in self.groups.items()} for k in range(4))
        return CoreActivity(
            cores, samples, steps, self.sops, self.active, self.spikes, self.messages_in, self.messages_out,
            neurons=np.concatenate([cut.neurons for cut in cores.cuts.values()]),
            busiest_link=self.links.max(axis=1, initial=0),
            routes=self.routes.reshape(-1, *cores.chip.mesh),
            messages=messages, hops_x=hops_x, hops_y=hops_y, off_chip=off_chip,
        )  # fmt: skip


def _binned(values: Ints, index: Ints, size: int) -> Ints:
    """Sums of the columns of `(rows, n)` that have the same index: `(rows, size)`."""
    one_each = np.ones(index.size, np.int64)
    return values @ sparse.csr_array((one_each, (np.arange(index.size), index)), shape=(index.size, size))


def _batches(window: range, steps: int, samples: int, counters: int) -> Iterator[tuple[slice, Ints]]:
    """Some samples at a time, and the rows of their steps in the window, `(window steps * samples,)`."""
    batch = max(1, ROOM // max(1, len(window) * counters))
    for first in range(0, samples, batch):
        some = slice(first, min(first + batch, samples))
        step = np.arange(window.start - 1, window.stop - 1)[:, None] % steps
        yield some, (step + np.arange(some.start, some.stop) * steps).reshape(-1)


def _check_cores(program: Program, cores: Cores) -> None:
    sizes = {group.name: group.size for group in program.groups}
    got = {name: prod(cut.shape) for name, cut in cores.cuts.items()}
    if list(got.items()) != list(sizes.items()):
        do = "map the cores of the program that was simulated"
        raise InputError("cores", "neurons of the groups", got=got, relation="are not", limit=sizes, do=do)
