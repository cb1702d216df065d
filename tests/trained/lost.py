"""What compiling the trained nets loses against float, in accuracy and spikes: with training samples and without.

    python -m tests.trained.lost [FOLDER] [--net NAME] [--write FILE.md]

FOLDER holds what `tests.trained.live` has trained; the recorded nets if it is left out.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.deploy.calibration import Calibration
from spikeport.deploy.pipeline import compiled
from spikeport.sim import simulate
from tests.trained.held import float_run
from tests.trained.nets import FOLDER, Trained, read_trained

WAYS: dict[str, dict[str, Any]] = {
    "no data": {},
    "max": {"observer": "max"},
    "percentile": {"observer": "percentile"},
    "membrane": {"observer": "membrane"},
    "spikes": {"observer": "spikes"},
    "membrane, 4 scales": {"observer": "membrane", "scales": 4},
}


@dataclass(frozen=True)
class Lost:
    way: str
    accuracy: float
    points: float
    """Against float; what is gained is negative."""
    differing: float
    """Part of the output's spikes; of v, the error relative to its spread, root mean square."""
    groups: int


def lost(net: Trained, ways: dict[str, dict[str, Any]] = WAYS) -> Iterator[Lost]:
    """The Program of each way on the test set, beside the float interpreter."""
    wanted, _ = float_run(net)
    before = net.accuracy_of(wanted)
    for way, options in ways.items():
        data = None if way == "no data" else Calibration({"spikes": net.calibration})
        found = compiled(net.graph, convention=net.convention, steps=len(net.spikes), data=data, decays=16, **options)
        output = found.program.outputs[0]
        values: NDArray[Any] = simulate(found.program, net.spikes).outputs[output.name]
        if output.reads == "v":
            values = values * found.program.group(output.source).v_unit
        after = net.accuracy_of(np.rint(values) if net.spiking else values)
        yield Lost(way, after, 100 * (before - after), _differing(net, values, wanted), len(found.program.groups))


def _differing(net: Trained, values: NDArray[Any], wanted: NDArray[Any]) -> float:
    if net.spiking:
        return float(np.mean(np.rint(values) != wanted))
    return float(np.sqrt(np.mean((values - wanted) ** 2) / wanted.var()))


def table(nets: list[Trained], ways: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Markdown, a row for each net: points lost and output spikes that differ, for each way."""
    yield "| net | float | " + " | ".join(ways) + " |"
    yield "|---" * (2 + len(ways)) + "|"
    found: dict[str, list[Lost]] = {way: [] for way in ways}
    for net in nets:
        cells = []
        for one in lost(net, ways):
            found[one.way].append(one)
            cells.append(f"{one.points:+.2f}, {one.differing:.2%}")
        yield f"| {net.name} | {net.accuracy:.2%} | " + " | ".join(cells) + " |"
    for name, of in (("mean", np.mean), ("worst", np.max)):
        cells = [f"{of([o.points for o in v]):+.2f}, {of([o.differing for o in v]):.2%}" for v in found.values()]
        yield f"| {name} | | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--net", default="")
    parser.add_argument("--write", type=Path, default=None)
    given = parser.parse_args()
    nets = [net for net in read_trained(given.folder) if given.net in net.name]
    if not nets:
        parser.error(f"{given.folder}: no trained net; python -m tests.trained.live trains them")
    lines = []
    for line in table(nets, WAYS):
        print(line, flush=True)
        lines.append(line)
    if given.write:
        given.write.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
