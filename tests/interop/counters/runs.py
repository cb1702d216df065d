"""A recorded network, compiled and simulated; once for all tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from spikeport.fixed import Ints
from spikeport.program import Program
from spikeport.sim import simulate
from spikeport.sim.counting import Counts, count_operations, sample_windows
from spikeport.sim.result import Result
from tests.interop.counters.nets import Net, program_of, read_net
from tests.interop.counters.records import NETS


@dataclass(frozen=True, eq=False)
class Ran:
    net: Net
    program: Program
    result: Result
    """With the traces of all groups."""
    counts: Counts
    windows: Mapping[str, range]

    def sent(self, name: str) -> Ints:
        """Inside the window of a group or an input, `(T, B, n)`."""
        window = self.windows[name]
        return self.result.sent[name][window.start - 1 : window.stop - 1]


@cache
def ran(name: str) -> Ran:
    net = read_net(NETS / f"{name}.json")
    program = program_of(net)
    result = simulate(program, net.x, record=[g.name for g in program.groups])
    counts = count_operations(program, result)
    return Ran(net, program, result, counts, sample_windows(program, len(net.x)))
