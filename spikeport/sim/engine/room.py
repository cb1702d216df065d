"""Arrays that the compiled loop works in, made once for a thread."""

import numpy as np
from numba import njit

from spikeport.sim.engine import columns as col
from spikeport.sim.engine.events import SPARE


@njit
def make_room(groups, connections, node_offset):  # type: ignore[no-untyped-def]
    """`(arriving, firing, sending, for_delivery)`; nothing in it lasts from one sample to the next.

    arriving: what a group receives: of 32 bits, of 64, and of 64 at a second port.
    firing: by neuron of the group that steps, whether it spikes; by group, whether a current left its word.
    sending: by neuron of all nodes what it sends, and where, node after node, there are events; by node how many.
    for_delivery: one weight index per event, the edges of a source's places, and spans of events.
    """
    widest, plain = 0, True
    for g in range(len(groups)):
        widest = max(widest, groups[g, col.N])
        plain &= groups[g, col.RULE] == col.PLAIN
    long = 0 if plain else widest
    arriving = np.zeros(widest, np.int32), np.zeros(long, np.int64), np.zeros(long, np.int64)
    firing = np.zeros(widest, np.uint8), np.zeros(len(groups), np.bool_)
    # a node's spare room is the next one's, which is listed after it
    events, nodes = np.zeros(node_offset[-1] + SPARE, np.int32), len(node_offset) - 1
    sending = np.zeros(node_offset[-1], np.int32), events, np.zeros(nodes, np.int64)
    most = 0
    for node in range(nodes):
        most = max(most, node_offset[node + 1] - node_offset[node])
    return arriving, firing, sending, _for_delivery(connections, most)


@njit
def _for_delivery(connections, most):  # type: ignore[no-untyped-def]
    places = lines = 0
    for k in range(len(connections)):
        places = max(places, connections[k, col.H_IN] * connections[k, col.W_IN])
        lines = max(lines, connections[k, col.K_H])
    return np.zeros(most, np.int64), np.zeros(places + 1, np.int64), np.zeros((lines + 1, 3), np.int64)
