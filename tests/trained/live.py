"""Trains the nets: python -m tests.trained.live [FRAMEWORK ...] [--net DATA_NET] [--out FOLDER] [--write] [--list]

Each framework in its own environment, on one thread; all of it takes about twenty minutes. Every file is then held
against its framework's run by the float interpreter, and the table of `--list` is printed.
"""

import argparse
import json
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path

from spikeport.deploy.child import run_child
from spikeport.deploy.lava_env import cache_folder
from spikeport.errors import SpikeportError, WorkerError
from tests.interop.environments import FRAMEWORKS, environment
from tests.trained.data import SOURCES, write_data
from tests.trained.held import hold
from tests.trained.nets import FOLDER, Trained, read_trained, write_plain

TIMEOUT_S = 3600.0
KEPT = (  # small enough for the repository: two of each framework, and each other kind of net once
    *("norse_digits_dense", "norse_digits_conv", "norse_digits_readout"),
    *("snntorch_digits_dense", "snntorch_digits_conv", "snntorch_digits_cuba", "snntorch_digits_recurrent"),
    *("spikingjelly_digits_dense", "spikingjelly_digits_conv"),
    *("sinabs_digits_dense", "sinabs_digits_conv"),
    *("rockpool_digits_dense", "rockpool_digits_cuba"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains networks in five frameworks and holds their exports.")
    parser.add_argument("frameworks", nargs="*", metavar="FRAMEWORK", help=f"some of {', '.join(FRAMEWORKS)}")
    parser.add_argument("--net", action="append", metavar="DATA_NET", help="only these, such as digits_conv")
    parser.add_argument("--out", type=Path, default=cache_folder() / "trained", help="where they go; a cache folder")
    parser.add_argument("--plain", type=Path, metavar="FOLDER", help="also write each net there, with its spikes")
    parser.add_argument("--write", action="store_true", help="also put the small ones into tests/vectors/trained")
    parser.add_argument("--list", action="store_true", help="train nothing; list what is in --out")
    args = parser.parse_args()
    if unknown := set(args.frameworks) - set(FRAMEWORKS):
        parser.error(f"{', '.join(sorted(unknown))}: no trainer; there are {', '.join(FRAMEWORKS)}")
    failed = [] if args.list else _train(args.out, args.frameworks or FRAMEWORKS, args.net or [])
    nets = [recorded(net) for net in read_trained(args.out)]
    print("\n".join([*table(nets), *failed]))
    if args.plain:
        for net in nets:
            write_plain(net, args.plain)
    if args.write:
        keep(nets)
    sys.exit(bool(failed))


def _train(out: Path, frameworks: tuple[str, ...], names: list[str]) -> list[str]:
    """What went wrong."""
    out.mkdir(parents=True, exist_ok=True)
    failed = []
    for source in SOURCES.values():
        if not (out / f"{source.name}.npz").exists():
            write_data(source, out)
    for framework in frameworks:
        try:
            trainer = Path(__file__).with_name(f"{framework}_trainer.py")
            command = [environment(framework).python, "-W", "ignore", trainer, out, *names]
            print(run_child(command, what=f"{framework} trainer", timeout_s=TIMEOUT_S), end="", flush=True)
        except WorkerError as error:
            failed.append(f"{framework}: FAILED: {error}")
    return failed


def recorded(net: Trained) -> Trained:
    """With what the float interpreter makes of the file in its JSON, as `held`; a trainer leaves that out."""
    if "held" in net.provenance:
        return net
    about = {**net.provenance, "held": asdict(hold(net))}
    net.graph.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n")
    return replace(net, provenance=about)


def table(nets: list[Trained]) -> list[str]:
    """Markdown."""
    lines = ["| net | steps | accuracy | interpreter | classes | values that differ |", "|---|---|---|---|---|---|"]
    for net in nets:
        held = net.provenance["held"]
        differ = (
            f"{held['differ']} of {held['values']:,}" if net.spiking else f"none by more than {held['deviation']:.1g}"
        )
        figures = f"{net.accuracy:.2%} | {held['accuracy']:.2%} | {held['classes']} of {len(net.labels):,} | {differ}"
        lines.append(f"| `{net.name}` | {len(net.spikes)} | {figures} |")
    return lines


def keep(nets: list[Trained]) -> None:
    """The small ones, and the data that they share, into the repository."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for net in nets:
        if net.name in KEPT:
            for suffix in (".nir", ".npz", ".json"):
                shutil.copy(net.graph.with_suffix(suffix), FOLDER)
            shutil.copy(net.graph.with_name(f"{net.provenance['data']}.npz"), FOLDER)


if __name__ == "__main__":
    try:
        main()
    except SpikeportError as error:
        sys.exit(str(error))
