"""`spikeport bench autoencoders`: training steps of ESVAE, beside the same network written with time last.

All run in turn in one process on one thread: a disturbance meets all of them. Memory is that of a process of its own.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from multiprocessing import get_context
from statistics import median
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from spikeport.bench.sim import machine
from spikeport.bench.time_last import TimeLast
from spikeport.bench.trainers.session import memory
from spikeport.errors import InputError
from spikeport.progress import counted
from spikeport.train.autoencoders import Noise, SpikingAutoencoder, build_autoencoder, pixels
from spikeport.train.layer import set_quantize

SCHEMA = "spikeport-bench-autoencoders/1"
SHAPE = (1, 32, 32)
QUANTIZED, FLOAT = "spikeport quantized", "spikeport float"
PEER, UNBOUND = "time last", "time last, unbound"
PEERS = (PEER, UNBOUND)
"""The loop as one writes it first, and the same network with a loop that costs less."""
CONTENDERS = (QUANTIZED, FLOAT, *PEERS)
WARM_UP = 2

Step: TypeAlias = Callable[[], Tensor]
Tell: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    widths: tuple[int, ...]
    latent: int
    steps: int
    batch: int


SIZES = (
    Size((32, 64, 128, 256), 128, 16, 16),
    Size((16, 32, 64, 128), 32, 8, 32),
    Size((8, 16, 32, 64), 32, 8, 64),
)
TINY = (Size((2, 3), 4, 2, 2),)


@dataclass(frozen=True, eq=False)
class Batch:
    """What a step gets, integers `(B, c, h, w)` and the numbers that it draws, made before the clock starts."""

    images: Tensor
    noise: Noise


def ours(size: Size, *, quantize: bool) -> SpikingAutoencoder:
    options: dict[str, Any] = {"widths": size.widths, "latent": size.latent, "steps": size.steps}
    model = build_autoencoder("esvae", pixels(SHAPE), **options)
    assert isinstance(model, SpikingAutoencoder)
    set_quantize(model, quantize)
    return model


def peer_of(model: SpikingAutoencoder, *, unbind: bool = False) -> TimeLast:
    """The time-last network with the parameters of ours."""
    plan = model.plan
    channels, places = (plan.source.shape[0], *plan.widths), plan.places[1:]
    peer = TimeLast(channels, places, plan.latent, plan.steps, unbind=unbind)
    peer.to(next(model.parameters()).dtype)
    with torch.no_grad():
        for its, own in zip(peer.parameters(), model.parameters(), strict=True):
            its.copy_(own.reshape(its.shape))
    return peer


def batch_of(model: SpikingAutoencoder, count: int) -> Batch:
    generator = torch.Generator().manual_seed(0)
    images = 2 * torch.randint(0, 256, (count, *model.source.shape), generator=generator) - 255
    return Batch(images, Noise.draw(model, count, 0))


def peer_loss(peer: TimeLast, batch: Batch) -> tuple[Tensor, Tensor]:
    """z `(B, D, T)` and the loss."""
    dtype, noise = peer.bottleneck.weight.dtype, batch.noise
    return peer(batch.images.to(dtype) / 255, noise.uniform.permute(1, 2, 0).to(dtype), noise.normal.to(dtype))


def step_of(name: str, size: Size) -> Step:
    """Forward, loss, backward, and AdamW."""
    torch.manual_seed(0)
    model = ours(size, quantize=name == QUANTIZED)
    batch = batch_of(model, size.batch)
    if name not in PEERS:
        return _stepping(model, lambda: model.loss(batch.images, batch.noise).total)
    peer = peer_of(model, unbind=name == UNBOUND)
    return _stepping(peer, lambda: peer_loss(peer, batch)[1])


def _stepping(model: nn.Module, loss_of: Step) -> Step:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def step() -> Tensor:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.detach()

    return step


def bench_autoencoders(sizes: Sequence[Size], rounds: int, tell: Tell = lambda _: None) -> dict[str, Any]:
    """Rows of all sizes and contenders.

    Args:
        rounds: Steps of each that are timed.

    Raises:
        InputError: no round.
    """
    if rounds < 1:
        raise InputError("bench", "rounds", got=rounds, relation="is below", limit=1)
    about = {"schema": SCHEMA, "machine": machine() | {"torch": version("torch")}, "shape": SHAPE, "rounds": rounds}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {**about, "autoencoders": [row for size in sizes for row in _compare(size, rounds, tell)]}
    finally:
        torch.set_num_threads(threads)


def _compare(size: Size, rounds: int, tell: Tell) -> Iterator[dict[str, Any]]:
    """One row per contender: each steps once, as often as there are rounds."""
    tell(f"{size.widths}, D {size.latent}, T {size.steps}, batch {size.batch}: memory")
    peaks = {name: peak_alone(name, size) for name in CONTENDERS}
    steps = {name: step_of(name, size) for name in CONTENDERS}
    for _ in range(WARM_UP):
        for step in steps.values():
            step()
    wall: dict[str, list[float]] = {name: [] for name in steps}
    cpu: dict[str, list[float]] = {name: [] for name in steps}
    for number in counted(range(rounds), "timing", "rounds"):
        tell(f"{size.widths}: round {number + 1} of {rounds}")
        for name, step in steps.items():
            start, cpu_start = time.perf_counter(), time.process_time()
            step()
            wall[name].append(time.perf_counter() - start)
            cpu[name].append(time.process_time() - cpu_start)
    figures = {
        name: {
            "min_s": min(wall[name]),
            "median_s": median(wall[name]),
            "cpu_min_s": min(cpu[name]),
            "cpu_median_s": median(cpu[name]),
            "peak_bytes": peaks[name],
        }
        for name in steps
    }
    for name, own in figures.items():
        row = {"name": name, **asdict(size), **own, "images_per_s": size.batch / own["min_s"]}
        if name not in PEERS:
            row["takes"] = {peer: {key: figures[peer][key] / value for key, value in own.items()} for peer in PEERS}
        yield row


def peak_alone(name: str, size: Size) -> int:
    """Most bytes of a step above those before the first one, measured in a new process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_peak, name, size).result()


def _peak(name: str, size: Size) -> int:
    torch.set_num_threads(1)
    step, here = step_of(name, size), torch.device("cpu")
    before = memory(here, reset=True)
    for _ in range(WARM_UP):
        step()
    memory(here, reset=True)
    step()
    return memory(here) - before
