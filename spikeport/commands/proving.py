"""The part of `spikeport check` that says which layers can overflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.commands.samples import write_npz
from spikeport.deploy.bounds import GroupBounds, prove
from spikeport.deploy.witness import Witness, find_witness
from spikeport.errors import OverflowDetected
from spikeport.program import Program
from spikeport.program_file import save_program
from spikeport.sim import simulate


@dataclass(frozen=True, eq=False)
class Verdict:
    """What is known of one layer."""

    found: GroupBounds
    kind: str
    """Of its neurons."""
    witness: Witness | None = None
    raised: str = ""
    """The simulator's own error under the witness."""
    written: Path | None = None

    def line(self) -> str:
        """For people."""
        name = self.found.group
        if not self.found.analysed:
            return f"{name}: not analysed: its neurons are {self.kind}"
        if self.found.proven:
            intervals = (f"{what} in {list(self.found[what].interval)}" for what in ("a", "u", "v"))
            return f"{name}: cannot overflow: {', '.join(intervals)} of +-{self.found['v'].word[1]}"  # type: ignore[index]
        if self.witness is None:
            wide = ", ".join(f"{b.what} in {list(b.interval)}" for b in self.found.bounds if not b.fits.all())
            return f"{name}: not proven: {wide}; no spikes were found that overflow it"
        w = self.witness
        where = f"written to {self.written}" if self.written else "that --witness FILE.npz writes"
        overflow = f"{name}: neuron {w.neuron} overflows {w.what} at step {w.step}"
        if w.of_network:
            return f"{overflow} under the input {where}"
        where += f", the layer alone to {_alone(self.written, w)}" if self.written else ""
        given = f"if {', '.join(w.inputs)} send the spikes {where}"
        return f"{overflow} {given}; whether the network can send them is not decided"

    def data(self) -> dict[str, Any]:
        """For programs."""
        bounds = [
            {"what": b.what, "interval": b.interval, "word": b.word, "fits": bool(b.fits.all())}
            for b in self.found.bounds
        ]
        known = {"group": self.found.group, "analysed": self.found.analysed, "proven": self.found.proven}
        return {**known, "bounds": bounds, "witness": None if self.witness is None else self._witness(self.witness)}

    def _witness(self, w: Witness) -> dict[str, Any]:
        return {
            "what": w.what,
            "neuron": w.neuron,
            "step": w.step,
            "inputs": list(w.inputs),
            "of_network": w.of_network,
            "raised": self.raised,
            "file": None if self.written is None else str(self.written),
        }


def verdicts(program: Program, witness: Path | None) -> list[Verdict]:
    """Of every layer, in the Program's order.

    Args:
        witness: Where the first witness is written; another layer's goes to `STEM-LAYER.npz` beside it.
            If its spikes are not inputs of the network, the layer alone is written too, as `STEM-LAYER.h5`.
    """
    given: list[Verdict] = []
    for group, found in zip(program.groups, prove(program), strict=True):
        kind, w = type(group).__name__, find_witness(program, found)
        if w is None:
            given.append(Verdict(found, kind))
            continue
        whole = program if w.of_network else w.program
        inputs = w.network_input(program) if w.of_network else w.inputs
        path = witness
        if witness is not None and any(v.witness for v in given):
            path = witness.with_name(f"{witness.stem}-{group.name}.npz")
        if path is not None:
            _write(path, w, inputs)
        given.append(Verdict(found, kind, w, _raised(whole, inputs), path))
    return given


def _write(path: Path, w: Witness, inputs: Mapping[str, NDArray[np.integer]]) -> None:
    """As `spikeport run --input` reads it."""
    write_npz(path, {"spikes": next(iter(inputs.values()))} if len(inputs) == 1 else inputs)
    if not w.of_network:
        save_program(w.program, _alone(path, w))


def _alone(path: Path, w: Witness) -> Path:
    return path.with_name(f"{path.stem}-{w.program.groups[0].name}.h5")


def _raised(program: Program, inputs: Mapping[str, NDArray[np.integer]]) -> str:
    try:
        simulate(program, inputs, profile="strict")
    except OverflowDetected as error:
        return str(error)
    return ""
