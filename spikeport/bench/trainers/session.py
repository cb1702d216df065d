"""What every worker does around its net: build it, train on one batch again and again, print one JSON line.

A step clears the gradients, goes forward, takes the mean squared error against one-hot labels, and goes backward;
no optimizer.
"""

import argparse
import json
import os
import resource
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from spikeport.bench.trainers.layers import LEVELS
from spikeport.bench.trainers.nets import NETS, Net

WARM_UP = 2
"""Steps that do not count: a compiler may look at two before it is done."""

Build: TypeAlias = Callable[[Net, Collection[str]], nn.Module]
"""The net in the worker's framework, of a variant given as words; it takes `(B, c, h, w)` integers as floats."""


def serve(build: Build, version: Callable[[], str], note: str = "") -> None:
    """The whole worker."""
    parser = argparse.ArgumentParser(description="Times training steps of a net of spikeport's benchmark.")
    parser.add_argument("net", choices=NETS)
    parser.add_argument("--variant", default="", help="words, as the worker knows them, channels_last, compiled")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-args.threads :])
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    found = train(build, NETS[args.net], args.variant.split(), args.batch, args.repeats, torch.device(args.device))
    print(json.dumps({"version": version(), "torch": torch.__version__, "note": note, **found}))


def train(
    build: Build, net: Net, words: Collection[str], batch: int, repeats: int, device: torch.device
) -> dict[str, Any]:
    """Seconds of each step, and the memory that they took above what was there when the net was built."""
    model = build(net, words).to(device)
    image = torch.randint(0, LEVELS + 1, (batch, *net.shape)).float().to(device)
    target = F.one_hot(torch.arange(batch) % net.classes, net.classes).float().to(device)
    if "channels_last" in words:
        _channels_last(model)
        image = image.contiguous(memory_format=torch.channels_last)
    if "compiled" in words:
        model.compile()
    parameters = sum(p.numel() for p in model.parameters() if p.numel() > 1)

    def step() -> Tensor:
        model.zero_grad(set_to_none=True)
        loss = F.mse_loss(model(image), target)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    before = memory(device, reset=True)
    for _ in range(WARM_UP):
        step()
    memory(device, reset=True)
    times = [_timed(step, device) for _ in range(repeats)]
    peak = memory(device) - before
    taken = {"seconds": [wall for wall, _ in times], "cpu_seconds": [cpu for _, cpu in times]}
    return {**taken, "peak_bytes": peak, "parameters": parameters, "loss": float(step())}


def memory(device: torch.device, *, reset: bool = False) -> int:
    """Most bytes held since the last reset: of torch's allocator on a GPU, else resident ones of this process.

    Where the system has no /proc, it is since the start of the process.
    """
    if device.type == "cuda":
        if reset:
            torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.max_memory_allocated(device)
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if reset:
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark falls to what is resident now
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _timed(step: Callable[[], Tensor], device: torch.device) -> tuple[float, float]:
    """By the clock, and on the CPU, all threads together."""
    _wait(device)
    start, cpu = time.perf_counter(), time.process_time()
    step()
    _wait(device)
    return time.perf_counter() - start, time.process_time() - cpu


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _channels_last(model: nn.Module) -> None:
    """As `model.to(memory_format=...)`, for kernels of two and of three dimensions."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for parameter in model.parameters():
        if parameter.dim() in formats:
            parameter.data = parameter.data.contiguous(memory_format=formats[parameter.dim()])
