"""What a board measured, beside what is estimated: power of its rails and times of its steps, for one inference."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from spikeport.commands.answer import Table
from spikeport.sim.board_run import RAILS, BoardRun
from spikeport.sim.energy import Energy
from spikeport.sim.energy.formats import format_bounds, format_energy, format_steps, format_time

NAMES = {"total": "all rails", "vdd": "cores, VDD", "vddm": "memory, VDDM", "vddio": "I/O, VDDIO"}
SHORT = 1000
"""Steps below which a run says little of power: lava-dl's benchmark notebooks run 10,000 and more."""


@dataclass(frozen=True)
class Measured:
    """Of one inference: so many steps at the mean time and power of the run."""

    steps: int
    """Of one inference, from one to the next."""
    ran: int
    """Steps whose time was measured."""
    step_s: float | None
    power_w: dict[str, float]
    static_w: dict[str, float]

    @property
    def inference_s(self) -> float | None:
        return None if self.step_s is None else self.step_s * self.steps

    def energy_pj(self, rail: str, *, dynamic: bool = False) -> float | None:
        """None without power or time; `dynamic` is without what the idle board takes."""
        if self.inference_s is None or rail not in self.power_w or (dynamic and rail not in self.static_w):
            return None
        watts = self.power_w[rail] - (self.static_w[rail] if dynamic else 0.0)
        return watts * self.inference_s * 1e12


def measured(run: BoardRun, steps: int) -> Measured | None:
    """None if neither power nor time was measured."""
    if not run.power_w and "execution" not in run.step_s:
        return None
    times = run.step_s.get("execution", np.zeros(0))
    power, static = ({r: float(np.mean(of[r])) for r in RAILS if r in of} for of in (run.power_w, run.static_power_w))
    return Measured(steps, times.size, float(np.mean(times)) if times.size else None, power, static)


def measured_data(m: Measured) -> dict[str, Any]:
    return {
        "steps": m.steps,
        "measured_steps": m.ran,
        "step_s": m.step_s,
        "inference_s": m.inference_s,
        "power_w": m.power_w,
        "static_power_w": m.static_w,
        "energy_pj": m.energy_pj("total"),
        "dynamic_energy_pj": m.energy_pj("total", dynamic=True),
    }


def measured_table(m: Measured, energy: Energy) -> Table:
    latency = energy.latency
    rows: list[tuple[str, str, str]] = []
    if m.inference_s is not None and m.step_s is not None:
        estimate = "–" if latency is None else format_bounds(latency.step_ns["mean"], format_time)
        rows.append(("one step, mean", format_time(m.step_s * 1e9), estimate))
        estimate = "–" if latency is None else format_bounds(latency.inference_ns, format_time)
        rows.append((f"one inference, {format_steps(m.steps)}", format_time(m.inference_s * 1e9), estimate))
    for name, dynamic, estimate in (
        ("energy of one inference, without the idle board's", True, format_bounds(energy.chip)),
        ("energy of one inference, all in", False, "–"),
    ):
        found = m.energy_pj("total", dynamic=dynamic)
        if found is not None:
            rows.append(
                (
                    name,
                    format_energy(found) if found >= 0 else f"below that of the idle board ({found:.3g} pJ)",
                    estimate,
                )
            )
    for rail, watts in m.power_w.items():
        idle = f", idle {m.static_w[rail]:.3g} W" if rail in m.static_w else ""
        rows.append((f"power, {NAMES[rail]}", f"{watts:.3g} W{idle}", "–"))
    return Table("measured on the board, beside the estimate", ("", "measured", "estimated"), rows)


def measured_notes(m: Measured, run: BoardRun) -> list[str]:
    notes = [f"board: {run.board}"]
    if m.ran < SHORT and m.power_w:
        notes.append(f"note: {m.ran} steps are a short run for a power meter; lava-dl's benchmarks run 10,000")
    return notes
