"""Arrays that the compiled loop works in, made once for a thread."""

import numpy as np
from numba import njit

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.events import SPARE
from spikeport.sim.engine.rows import AHEAD
from spikeport.sim.engine.windows import GROUP


@njit
def make_room(groups, connections, node_offset):  # type: ignore[no-untyped-def]
    """`(arriving, firing, sending, for_delivery)`; nothing in it lasts from one sample to the next.

    arriving: what a group receives: of 32 bits, of 64, and of 64 at a second port.
    firing: by neuron of the group that steps, whether it spikes; by group, whether a current left its word.
    sending: by neuron of all nodes what it sends, and where, node after node, there are events; by node how many.
    for_delivery: one weight index per event, the edges of a source's places, and one row per synapse of a target.
    """
    widest, plain = 0, True
    for g in range(len(groups)):
        widest = max(widest, groups[g, col.N])
        plain &= groups[g, col.RULE] == col.PLAIN
    long = 0 if plain else widest
    arriving = np.zeros(widest, np.int32), np.zeros(long, np.int64), np.zeros(long, np.int64)
    firing = np.zeros(widest, np.uint8), np.zeros(len(groups), np.bool_)
    # a node's spare room is the next one's, which is listed after it
    events, nodes = np.zeros(node_offset[-1] + max(SPARE, AHEAD), np.int32), len(node_offset) - 1
    sending = np.zeros(node_offset[-1], np.int32), events, np.zeros(nodes, np.int64)
    most = 0
    for node in range(nodes):
        most = max(most, node_offset[node + 1] - node_offset[node])
    return arriving, firing, sending, _for_delivery(connections, most)


@njit
def _for_delivery(connections, most):  # type: ignore[no-untyped-def]
    places = synapses = 0
    for k in range(len(connections)):
        row = connections[k]
        places = max(places, row[col.H_IN] * row[col.W_IN])
        synapses = max(synapses, row[col.K_H] * row[col.K_W] * row[col.C_IN])
    return np.zeros(most, np.int64), np.zeros(places + 1, np.int64), np.zeros(synapses + AHEAD + GROUP, np.int32)
