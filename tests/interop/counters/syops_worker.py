"""Counts with syops' `get_model_complexity_info`, per layer of weights, on the neurons of an old SpikingJelly."""

import io
from typing import Any

import torch
from spikingjelly.clock_driven import neuron  # the ones that syops counts
from syops.engine import add_syops_counting_methods
from torch_net import build, stacked, watch
from worker import Found, Net, fed, serve


def run(net: Net) -> Found:
    built = build(net, lambda threshold: neuron.IFNode(threshold, v_reset=0.0))
    spikes = watch(net, built)
    counted: Any = add_syops_counting_methods(built)
    counted.start_syops_count(ost=io.StringIO(), verbose=False, ignore_list=[])
    with torch.no_grad():
        for step in torch.from_numpy(net.x).float():
            counted(step)
    counts: dict[str, dict[str, float]] = {}
    pools = {"pool_acs": 0.0, "pool_macs": 0.0}
    for layer in net.layers:
        if layer["kind"] == "flatten":
            continue
        ops, acs, macs, _ = getattr(built, layer["name"]).__syops__.tolist()
        if layer["kind"] == "avgpool":
            pools = {"pool_acs": acs, "pool_macs": macs}
        elif layer["kind"] == "if":
            counts[layer["name"]] |= {"neurons": acs, **pools}
            pools = dict.fromkeys(pools, 0.0)
        else:
            counts[fed(net)[layer["name"]]] = {"ops": ops, "acs": acs, "macs": macs}
    return Found(counts, stacked(spikes), {})


if __name__ == "__main__":
    serve(run, ("syops", "spikingjelly", "torch"))
