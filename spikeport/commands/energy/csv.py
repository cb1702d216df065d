"""Energies as CSV: one line for each term of each layer."""

import csv
from collections.abc import Sequence
from pathlib import Path

from spikeport.atomic import replacing
from spikeport.sim.energy import Bounds, Energy

CSV_COLUMNS = ("program", "profile", "convention", "side", "layer", "term", "amount", "low_pj", "nominal_pj", "high_pj")


def write_csv(path: Path, energies: Sequence[tuple[str, str, Energy]]) -> None:
    """One line for each Program, profile, layer and term, per inference; an empty field is not published.

    Args:
        energies: Of each what its Program and its profile are called.
    """
    with replacing(path) as name, open(name, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CSV_COLUMNS)
        for program, profile, energy in energies:
            head = (program, profile, energy.convention)
            for layer in energy.layers:
                for part, bounds in layer.parts.items():
                    amount = layer.amounts.get(part)
                    writer.writerow(
                        (*head, "snn", layer.name, part, "" if amount is None else float(amount), *_cells(bounds))
                    )
                writer.writerow((*head, "ann", layer.name, "macs", layer.macs_dense, *_cells(layer.ann)))


def _cells(bounds: Bounds) -> tuple[float | str, ...]:
    return tuple("" if x is None else x for x in (bounds.low, bounds.nominal, bounds.high))
