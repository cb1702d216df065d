"""Counts with NeuroBench's `SynapticOperations` on snnTorch's neurons, per layer of weights."""

from types import SimpleNamespace

import snntorch
import torch
from neurobench.metrics.workload import SynapticOperations
from neurobench.models import SNNTorchModel
from torch_net import build, stacked, watch
from worker import Found, Net, fed, serve


def run(net: Net) -> Found:
    def neuron(threshold: float) -> snntorch.Leaky:
        return snntorch.Leaky(1.0, threshold, init_hidden=True, reset_mechanism="zero")

    built = build(net, neuron)
    built[-1].output = True  # hands out its membrane too, as SNNTorchModel expects of the last layer
    spikes = watch(net, built)
    model = SNNTorchModel(built)
    model.register_hooks()
    x = torch.from_numpy(net.x).float().transpose(0, 1)
    with torch.no_grad():
        said = model(x)
    hooks = {id(hook.layer): hook for hook in model.connection_hooks}
    counts = {}
    for name, target in fed(net).items():
        hook = hooks.get(id(getattr(built, name)))  # a layer of a kind that it does not know has none
        metric = SynapticOperations()
        metric(SimpleNamespace(connection_hooks=[hook] if hook else []), said, (x, None))
        counts[target] = {"acs": float(metric.AC), "macs": float(metric.MAC), "dense": float(metric.total_synops)}
    return Found(counts, stacked(spikes), {})


if __name__ == "__main__":
    serve(run, ("neurobench", "snntorch", "torch"))
