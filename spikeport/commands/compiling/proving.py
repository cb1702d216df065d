"""The part of `spikeport check` that says which layers can overflow."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.commands.samples import write_npz
from spikeport.deploy.bounds import V_WORD, GroupBounds, prove
from spikeport.deploy.witness import Witness, find_witness
from spikeport.errors import OverflowDetected
from spikeport.profiles import Profile
from spikeport.program import Program
from spikeport.program_file import save_program
from spikeport.progress import counted
from spikeport.sim import simulate

SIMULATED = 1 << 12
"""Neurons of a layer up to which the simulator runs a witness that nobody asked to be written."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What is known of one layer."""

    found: GroupBounds
    """In the words that `strict` and `lava` share."""
    narrow: GroupBounds | None = None
    """In those of `loihi1`; None if that profile does not have the Program."""
    loihi1: bool = False
    """Whether a Loihi 1 is meant, so that its words matter."""
    witness: Witness | None = None
    raised: str = ""
    """The simulator's own error under the witness; empty for a large layer whose witness is not written."""
    written: Path | None = None

    @property
    def proven(self) -> bool:
        """Whether it cannot overflow in any word that matters."""
        return self.found.proven and (not self.loihi1 or self.narrow is not None and self.narrow.proven)

    @property
    def proven_under(self) -> tuple[Profile, ...]:
        """The profiles in whose words it cannot overflow."""
        shared: tuple[Profile, ...] = ("strict", "lava") if self.found.proven else ()
        return (*shared, "loihi1") if self.narrow is not None and self.narrow.proven else shared

    def line(self) -> str:
        """For people."""
        if not self.loihi1 or self.narrow is None:
            return self._line()
        if self.narrow.proven:
            return f"{self._line()}; the same under the profile loihi1"
        wide = (
            f"{b.what} in {list(b.interval)} of {list(b.word or ())}" for b in self.narrow.bounds if not b.fits.all()
        )
        return f"{self._line()}; not proven under the profile loihi1: {', '.join(wide)}"

    def _line(self) -> str:
        """In the words of `strict` and `lava`."""
        name = self.found.group
        if self.found.proven:
            shown = (b for b in self.found.bounds if b.what != "bias_mant" and not b.what.startswith("sum of"))
            intervals = (f"{b.what} in {list(b.interval)}" for b in shown)
            return f"{name}: cannot overflow: {', '.join(intervals)} of +-{V_WORD[1]}"
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
        known = {"group": self.found.group, "proven": self.found.proven, "proven_under": self.proven_under}
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


def verdicts(program: Program, witness: Path | None, target: str = "") -> list[Verdict]:
    """Of every layer, in the Program's order. Witnesses are sought for the words of `strict` and `lava` alone.

    Args:
        target: The chip that is meant.
        witness: Where the first witness is written; another layer's goes to `STEM-LAYER.npz` beside it.
            If its spikes are not inputs of the network, the layer alone is written too, as `STEM-LAYER.h5`.
    """
    given: list[Verdict] = []
    narrow = prove(program, "loihi1") if program.has_profile("loihi1") else (None,) * len(program.groups)
    loihi1 = "loihi1" in (target, program.profile)
    layers = [*zip(program.groups, prove(program), narrow, strict=True)]
    for group, found, on_loihi1 in counted(layers, "looking for overflow", "layers"):
        w = find_witness(program, found)
        verdict = Verdict(found, on_loihi1, loihi1)
        if w is None:
            given.append(verdict)
            continue
        whole = program if w.of_network else w.program
        inputs = w.network_input(program) if w.of_network else w.inputs
        path = witness
        if witness is not None and any(v.witness for v in given):
            path = witness.with_name(f"{witness.stem}-{group.name}.npz")
        if path is not None:
            _write(path, w, inputs)
        raised = _raised(whole, inputs) if path is not None or group.size <= SIMULATED else ""
        given.append(replace(verdict, witness=w, raised=raised, written=path))
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
