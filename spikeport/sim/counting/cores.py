"""Program, Result and Cores -> CoreActivity: one pass over what each node sent, and one over what it reached."""

from math import prod

import numpy as np

from spikeport.cores import Cores
from spikeport.errors import ArraysDiffer
from spikeport.program import Program
from spikeport.sim.counting.active import reached_blocks
from spikeport.sim.counting.class_events import add_active, add_events
from spikeport.sim.counting.core_activity import KINDS
from spikeport.sim.counting.core_activity import CoreActivity as CoreActivity
from spikeport.sim.counting.core_plan import core_plan
from spikeport.sim.counting.count import check_result
from spikeport.sim.counting.fired import as_bytes
from spikeport.sim.counting.plan import plan_of
from spikeport.sim.counting.windows import sample_windows
from spikeport.sim.result import Result


def count_cores(program: Program, result: Result, cores: Cores) -> CoreActivity:
    """Counts what the samples of a run caused inside `sample_windows`, core by core.

    Encoders run on the host and send no messages, and outputs are read without any.

    Raises:
        InputError: the Result or the Cores do not belong to the Program.
    """
    check_result(program, result)
    _check_cores(program, cores)
    steps, samples = result.spikes.shape[:2]
    plan, windows = core_plan(program, cores), sample_windows(program, steps)
    sent = {name: as_bytes(result.sent[name]) for name in plan.senders}
    sums = np.zeros((samples, steps, plan.columns), np.int64)
    traffic = {}
    for name, node in plan.senders.items():
        window = windows[name]
        fired = add_events(sent[name], window.start - 1, window.stop - 1, node.pieces, node.adds, sums)
        traffic[name] = (fired @ node.traffic).tolist()
    for group in plan_of(program).groups:
        where, window, own = plan.groups[group.name], windows[group.name], sent[group.name]
        active = sums[:, :, where.active]
        if not group.reaches:  # only a host reaches it
            active[:] = sums[:, :, where.spikes]
            continue
        for reached in reached_blocks(group.reaches, sent, own, window):
            add_active(reached, own, window.start - 1, where.pieces, where.neurons, active)
    rows = sums.reshape(samples * steps, -1)
    found = {kind: np.zeros((len(rows), cores.count), np.int64) for kind in KINDS if kind not in plan.parts}
    found |= {name: rows[:, part] for name, part in plan.parts.items()}
    messages, hops_x, hops_y, off_chip = ({name: traffic[name][k] for name in cores.cuts} for k in range(4))
    return CoreActivity(
        cores=cores,
        samples=samples,
        steps=steps,
        sops={kind: found[kind] for kind in KINDS},
        active=cores.on_cores(found["active"]),
        spikes=cores.on_cores(found["spikes"]),
        messages_in=found["messages_in"],
        messages_out=found["messages_out"],
        neurons=cores.neurons,
        busiest_link=found["links"].max(axis=1, initial=0),
        routes=found["routes"].reshape(-1, *cores.chip.mesh),
        messages=messages,
        hops_x=hops_x,
        hops_y=hops_y,
        off_chip=off_chip,
    )


def _check_cores(program: Program, cores: Cores) -> None:
    sizes = {group.name: group.size for group in program.groups}
    got = {name: prod(cut.shape) for name, cut in cores.cuts.items()}
    if list(got.items()) != list(sizes.items()):
        do = "map the cores of the program that was simulated"
        raise ArraysDiffer("cores", "neurons of the groups", got=got, relation="are not", limit=sizes, do=do)
