"""Counts with SpikingJelly's `op_counter`: SynOpCounter, ACCounter and MACCounter, per layer of weights."""

import torch
from spikingjelly.activation_based import neuron
from spikingjelly.activation_based.op_counter import ACCounter, DispatchCounterMode, MACCounter, SynOpCounter
from torch_net import build, stacked, watch
from worker import Found, Net, fed, serve


def run(net: Net) -> Found:
    built = build(net, lambda threshold: neuron.IFNode(threshold, v_reset=0.0))
    spikes = watch(net, built)
    counters = {"synops": SynOpCounter(), "acs": ACCounter(), "macs": MACCounter()}
    with torch.no_grad(), DispatchCounterMode(list(counters.values())):
        for step in torch.from_numpy(net.x).float():
            built(step)
    scopes = {name: f"Sequential.{name}" for name in fed(net)}
    counts = {
        target: {what: sum(counter.get_counts().get(scopes[name], {}).values()) for what, counter in counters.items()}
        for name, target in fed(net).items()
    }
    return Found(counts, stacked(spikes), {})


if __name__ == "__main__":
    serve(run, ("spikingjelly", "torch"))
