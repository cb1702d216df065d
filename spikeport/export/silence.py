"""Whether a Program's groups stay quiet before a sample reaches them, where their spikes would be heard in it.

What arrives at once is cleared with the state at the start. What comes back, or comes late, is not.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from spikeport import fixed
from spikeport.errors import ProgramTiming
from spikeport.export.starts import Starts
from spikeport.train import integer_rule
from spikeport.train.group import SpikingGroup, for_synapse
from spikeport.train.network import AnyGroup


def check_silence(groups: Sequence[AnyGroup], starts: Starts) -> None:
    """Runs the chip without input up to the last start; raises ExportError for a spike that a sample would hear."""
    spiking = [group for group in groups if isinstance(group, SpikingGroup)]
    lags: dict[str, int] = {}
    for a in (a for group in spiking for a in group.into if a.lag and a.source in {g.name for g in spiking}):
        lags[a.source] = max(a.lag, lags.get(a.source, 0))
    if not any(starts[name] > 1 for name in lags):
        return
    sent: dict[str, list[Tensor]] = {group.name: [] for group in spiking}
    ints = {group.name: group.integers() for group in spiking}
    neurons = {group.name: _neurons(group) for group in spiking}
    for t in range(1, max(starts[name] for name in lags)):
        for group in spiking:
            total = torch.zeros(1, *group.shape, dtype=torch.int64)
            for a, weight in zip(group.into, ints[group.name].weights, strict=True):
                at = t - 1 - (starts[group.name] - starts[a.source] + a.lag)  # t - 1 - delay, counted from 0
                if a.source in sent and 0 <= at < len(sent[a.source]):
                    x = for_synapse(a.synapse, sent[a.source][at])
                    total += integer_rule.accumulate(a.synapse, x, weight).long().reshape(total.shape)
            if t == starts[group.name]:
                neurons[group.name] = _neurons(group)
            sent[group.name].append(neurons[group.name](total, ints[group.name].bias))
            late = starts[group.name] - lags.get(group.name, 0) <= t < starts[group.name]
            if late and bool(sent[group.name][-1].any()):
                do = "start the network with this group, or take the biases away"
                what, relation = "spikes before its first input", "come back to it after"
                raise ProgramTiming(group.name, what, relation=relation, do=do)


def _neurons(group: SpikingGroup) -> integer_rule.IntegerNeurons:
    ints = group.integers()
    keeps = fixed.keep_v(ints.dv), ints.vth, fixed.keep_u(ints.du)
    return integer_rule.IntegerNeurons(*keeps, subtract=group.reset == "subtract", fires=group.fires)
