"""`spikeport bench train`: training steps of the same net in each framework, side by side, and against their limit.

The limit is the net without its neurons, in torch alone. All frameworks run on one build of torch, that of this
interpreter: an environment has a framework's own packages, and sees this interpreter's for the rest.
"""

import json
import os
import sys
import sysconfig
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import spikeport
from spikeport.bench.sim import machine
from spikeport.bench.timing import Timing
from spikeport.bench.trainers.nets import NETS, parameters
from spikeport.deploy.child import Command, run_child
from spikeport.deploy.lava_env import make_venv
from spikeport.errors import InputError, UnknownName, WorkerError
from spikeport.progress import counted

SCHEMA = "spikeport-bench-train/1"
PARTS = ("alif_fashion", "dalif_resnet20")
LIMIT, OURS = "limit", "spikeport"
PROBE = 2
"""Steps by which a contender's variants are told apart."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Trainer:
    """A contender, and the ways of running it; the fastest one counts."""

    worker: str
    variants: tuple[str, ...] = ("", "channels_last")
    packages: tuple[str, ...] = ()
    """Of its own environment; none: it runs in ours."""


LAYOUTS = ("", "channels_last")
STEPPED = (*LAYOUTS, "steps", "steps channels_last")
FREE = (*STEPPED, "compiled", "compiled channels_last")
COMPILED = (*LAYOUTS, "compiled", "compiled channels_last")
TRAINERS = {
    LIMIT: Trainer("limit_worker"),
    "limit compiled": Trainer("limit_worker", COMPILED[2:]),
    OURS: Trainer("spikeport_worker"),
    "spikeport quantized": Trainer("spikeport_worker", ("quantized", "quantized channels_last")),
    "snntorch": Trainer("snntorch_worker", FREE, ("snntorch==1.0.0",)),
    "norse": Trainer("norse_worker", STEPPED, ("norse==1.1.0", "nir==1.0.8", "nirtorch==2.6")),
    "spikingjelly": Trainer("spikingjelly_worker", COMPILED, ("spikingjelly==2.0.0", "loguru==0.7.3", "tqdm==4.67.1")),
    "slayer": Trainer("slayer_worker", LAYOUTS, ("lava-dl==0.6.0", "lava-nc==0.10.0")),
}
PEERS = tuple(name for name, trainer in TRAINERS.items() if trainer.packages)


@dataclass(frozen=True)
class Sizes:
    """How often; `batch` replaces that of each net."""

    rounds: int = 3
    repeats: int = 3
    batch: int | None = None
    timeout_s: float = 1200.0
    compiled: bool = True
    """Whether variants that torch.compile makes are tried: each takes minutes to compile."""


@dataclass
class _Found:
    variants: dict[str, float] = field(default_factory=dict)
    """Least seconds of each in the probe."""
    errors: dict[str, str] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_bytes: int = 0

    @property
    def best(self) -> str:
        return min(self.variants, key=self.variants.__getitem__)


def bench_train(
    *,
    parts: Collection[str] = PARTS,
    peers: Collection[str] = PEERS,
    threads: Sequence[int] | None = None,
    device: str = "cpu",
    sizes: Sizes = Sizes(),  # noqa: B008
    tell: Tell = lambda _: None,
) -> dict[str, Any]:
    """Rows of all nets, on each number of threads.

    Args:
        parts: Names of nets.
        threads: None: one, and all cores there are.
        device: Of torch, such as "cuda".

    Raises:
        InputError: an unknown name, or a number below 1.
    """
    for what, names, known in (("part", parts, NETS), ("peer", peers, PEERS)):
        if unknown := sorted(set(names) - set(known)):
            limit = ", ".join(known)
            raise UnknownName("bench", what, got=", ".join(unknown), relation="is not one of", limit=limit)
    threads = sorted({1, _cores()}) if threads is None else threads
    for what, value in (("rounds", sizes.rounds), ("threads", min(threads)), ("batch", sizes.batch or 1)):
        if value < 1:
            raise InputError("bench", what, got=value, relation="is below", limit=1)
    names = [name for name in TRAINERS if (name in peers or name not in PEERS) and _variants(name, sizes)]
    about = {"schema": SCHEMA, "machine": machine() | {"torch": version("torch")}, "device": device}
    rows = [row for net in parts for count in threads for row in compare(net, names, count, device, sizes, tell)]
    course = {"rounds": sizes.rounds, "repeats": sizes.repeats, "compiled": sizes.compiled}
    return {**about, **course, "train": rows}


def _variants(name: str, sizes: Sizes) -> list[str]:
    return [variant for variant in TRAINERS[name].variants if sizes.compiled or "compiled" not in variant]


def compare(
    net: str, names: Sequence[str], threads: int, device: str, sizes: Sizes, tell: Tell
) -> list[dict[str, Any]]:
    """One row per contender: its variants once, then the fastest of each in turn, as often as there are rounds."""
    found = {name: _Found() for name in names}
    options = {"threads": threads, "batch": sizes.batch or NETS[net].batch, "device": device}
    tried = [(name, variant) for name in names for variant in _variants(name, sizes)]
    for name, variant in counted(tried, "trying", "variants"):
        tell(f"{net}, {threads} thread, trying {name} {variant}")
        if answer := _try(found[name], name, net, variant, sizes.timeout_s, repeats=PROBE, **options):
            found[name].variants[variant] = min(answer["seconds"])
    turns = [(number, name) for number in range(sizes.rounds) for name in names if found[name].variants]
    for number, name in counted(turns, "timing", "runs"):
        result = found[name]
        tell(f"{net}, {threads} thread, round {number + 1}: {name} {result.best}")
        if answer := _try(result, name, net, result.best, sizes.timeout_s, repeats=sizes.repeats, **options):
            result.answer = answer
            result.seconds += answer["seconds"]
            result.cpu_seconds += answer["cpu_seconds"]
            result.peak_bytes = max(result.peak_bytes, answer["peak_bytes"])
    return list(_rows(net, found, options))


def _try(found: _Found, name: str, net: str, variant: str, timeout_s: float, **options: Any) -> dict[str, Any] | None:
    """What `run` gives; None, and the reason kept, if it cannot."""
    try:
        return run(name, net, variant, timeout_s, **options)
    except WorkerError as error:
        found.errors[variant] = str(error)
        return None


def run(name: str, net: str, variant: str, timeout_s: float, **options: Any) -> dict[str, Any]:
    """One process of a worker.

    Raises:
        WorkerError: its environment cannot be made, or it fails.
    """
    trainer = TRAINERS[name]
    module = f"spikeport.bench.trainers.{trainer.worker}"
    flags = [part for option, value in options.items() for part in (f"--{option}", str(value))]
    command: Command = [python_of(name), "-m", module, net, "--variant", variant, *flags]
    printed = run_child(command, what=name, timeout_s=timeout_s, cwd=Path(spikeport.__file__).parents[1])
    answer: dict[str, Any] = json.loads(printed.splitlines()[-1])
    expected = parameters(NETS[net].head) + parameters(NETS[net].body)
    if answer["parameters"] != expected:
        raise WorkerError(name, f"parameters of {net}", got=answer["parameters"], relation="are not", limit=expected)
    return answer


def python_of(name: str) -> Path:
    """The interpreter of a contender's environment; the first call makes it.

    Raises:
        WorkerError: it cannot be made.
    """
    own = Path(sys.executable)
    packages = TRAINERS[name].packages
    if not packages:
        return own
    beside = sorted({Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")})
    return make_venv(own, f"train-{name}", packages, what=f"{name} environment", timeout_s=1200.0, beside=beside)


def _rows(net: str, found: dict[str, _Found], options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    timed = {name: Timing(tuple(result.seconds)) for name, result in found.items() if result.seconds}
    for name, result in found.items():
        row = {"net": net, "name": name, **options, "variants": result.variants, "errors": result.errors}
        if name not in timed:
            yield row | {"error": next(iter(result.errors.values()))}
            continue
        row |= {"variant": result.best, **timed[name].to_json(), "peak_bytes": result.peak_bytes}
        row["cpu_min_s"] = min(result.cpu_seconds)
        row |= {key: result.answer[key] for key in ("version", "torch", "note", "parameters")}
        if LIMIT in timed and name != LIMIT:
            row["of_limit"] = _ratio(result, found[LIMIT])
        if OURS in timed and name not in (LIMIT, OURS):
            row["of_ours"] = _ratio(result, found[OURS])
        yield row


def _ratio(one: _Found, other: _Found) -> dict[str, float]:
    """Of times, of time on the CPU, which others on the machine disturb less, and of memory."""
    wall, other_wall = Timing(tuple(one.seconds)), Timing(tuple(other.seconds))
    return {
        "min": wall.best / other_wall.best,
        "median": wall.median / other_wall.median,
        "cpu": min(one.cpu_seconds) / min(other.cpu_seconds),
        "memory": one.peak_bytes / other.peak_bytes,
    }


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
