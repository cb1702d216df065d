"""Which hardware steps of a run belong to the sample."""

from spikeport.program import Connection, Program


def sample_windows(program: Program, steps: int) -> dict[str, range]:
    """The hardware steps (from 1) of each input and group that belong to the `steps` steps of the input.

    An input's window starts at step 1. A group's starts at its `reset_offset` if it is reset, which
    excludes what a bias did before the sample arrived; else at the first step that the input can reach,
    each connection taking 1 + delay steps and an encoder none. A run of `steps + latency` cuts it.
    """
    starts = {entry.name: 1 for entry in program.inputs}
    starts |= {e.synapses.target: 1 for e in program.encoders}
    hops = [(c.source, c.target, 1 + _least_delay(c)) for c in program.connections]
    for _ in program.groups:  # shortest paths; with loops the groups' order alone would not do
        for source, target, steps_taken in hops:
            if source in starts:
                arrival = starts[source] + steps_taken
                starts[target] = min(arrival, starts.get(target, arrival))
    for group in program.groups:
        reset = group.reset_offset if group.reset_interval else 0
        starts[group.name] = reset or starts.get(group.name, 1)
    end = steps + program.latency + 1
    return {name: range(start, max(start, min(start + steps, end))) for name, start in starts.items()}


def _least_delay(connection: Connection) -> int:
    if isinstance(connection.delay, int):
        return connection.delay
    return int(connection.delay.min()) if connection.delay.size else 0
